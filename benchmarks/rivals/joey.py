"""JoeyNMT: its own training command on the same batches; on a processor it knows fp32 alone.

As a child: `python -m benchmarks.rivals.joey CONFIG SIZES`: trains as `joeynmt train` does, with
batches of the given sizes taken from the file in its order.
"""

import json
import math
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from benchmarks.material import BATCHES
from benchmarks.measuring import run
from models.nmt.recipe import NmtRecipe
from models.support.processes import python_module

STEP = re.compile(r"Step:\s+(\d+), Batch Loss:\s+([\d.]+).*?Tokens per Sec:\s+([\d.]+)")
SPECIAL = 4
"""Ids below are padding and marks, which JoeyNMT adds itself."""


def train(recipe: NmtRecipe, vocabulary: int, folder: Path, out: Path) -> list[tuple[float, float]]:
    """Train in a child; return loss in bits and target tokens a second of each update."""
    import torch

    out.mkdir(parents=True)
    batches = torch.load(folder / BATCHES)
    for side in ("source", "target"):
        lines = [line for batch in batches for line in _lines(batch[side])]
        (out / f"train.{side}").write_text("".join(lines), encoding="utf-8")
        (out / f"dev.{side}").write_text("".join(lines[:10]), encoding="utf-8")
    pieces = "".join(f"t{number}\n" for number in range(SPECIAL, vocabulary))
    (out / "vocabulary.txt").write_text(pieces, encoding="utf-8")
    (out / "config.yaml").write_text(yaml.safe_dump(config(recipe, out, len(batches))))
    sizes = json.dumps([len(batch["source"]) for batch in batches])
    log = run(python_module("benchmarks.rivals.joey", out / "config.yaml", sizes))
    constant = smoothed_entropy(recipe.label_smoothing, vocabulary)
    steps = STEP.findall(log)
    if len(steps) != len(batches):
        raise SystemExit(f"JoeyNMT made {len(steps)} of {len(batches)} updates:\n{log[-3000:]}")
    return [((float(loss) + constant) / math.log(2), float(speed)) for _, loss, speed in steps]


def smoothed_entropy(smoothing: float, vocabulary: int) -> float:
    """Return what JoeyNMT's divergence lacks to the cross-entropy that the others log, in nats."""
    share = smoothing / (vocabulary - 2)
    return -(1 - smoothing) * math.log(1 - smoothing) - smoothing * math.log(share)


def _lines(ids: Any) -> Iterator[str]:
    for row in ids.tolist():
        yield " ".join(f"t{number}" for number in row if number >= SPECIAL) + "\n"


def config(recipe: NmtRecipe, folder: Path, updates: int) -> dict[str, Any]:
    """Return JoeyNMT's configuration of the same model, loss and optimiser."""

    def side(layers: int) -> dict[str, Any]:
        return {
            "type": "transformer",
            "num_layers": layers,
            "num_heads": recipe.heads,
            "embeddings": {"embedding_dim": recipe.width, "scale": True, "dropout": recipe.dropout},
            "hidden_size": recipe.width,
            "ff_size": recipe.feed_forward,
            "dropout": recipe.dropout,
            "layer_norm": "pre",
        }

    def language(name: str) -> dict[str, Any]:
        return {"lang": name, "level": "word", "voc_file": str(folder / "vocabulary.txt")}

    return {
        "name": "benchmark",
        "model_dir": str(folder / "model"),
        "use_cuda": False,
        "random_seed": recipe.seed,
        "data": {
            "train": str(folder / "train"),
            "dev": str(folder / "dev"),
            "dataset_type": "plain",
            "src": language("source"),
            "trg": language("target"),
        },
        "training": {
            "normalization": "tokens",
            "optimizer": "adam",
            "adam_betas": [0.9, 0.98],
            "scheduling": "warmupinversesquareroot",
            "learning_rate": recipe.learning_rate,
            "learning_rate_warmup": recipe.warmup_updates,
            "learning_rate_min": 0.0,
            "clip_grad_norm": 1.0,
            "label_smoothing": recipe.label_smoothing,
            "batch_size": recipe.batch_tokens,
            "batch_type": "token",
            "shuffle": False,
            "epochs": 1,
            "updates": updates,
            "logging_freq": 1,
            "validation_freq": 10**9,
            "overwrite": True,
        },
        "testing": {"beam_size": 1, "eval_metrics": ["bleu"]},
        "model": {
            "initializer": "xavier_uniform",
            "embed_initializer": "normal",
            "embed_init_weight": recipe.width**-0.5,
            "tied_embeddings": True,
            "tied_softmax": True,
            "encoder": side(recipe.encoder_layers),
            "decoder": side(recipe.decoder_layers),
        },
    }


def main(configuration: str, sizes: list[int]) -> None:
    """Train as `joeynmt train` does, with batches of these sizes."""
    from joeynmt import __main__ as joeynmt
    from joeynmt import datasets

    def in_order(_: Any) -> Iterator[list[int]]:
        start = 0
        for size in sizes:
            yield list(range(start, start + size))
            start += size

    datasets.TokenBatchSampler.__iter__ = in_order
    sys.argv = ["joeynmt", "train", configuration, "--skip-test"]
    joeynmt.main()


if __name__ == "__main__":
    main(sys.argv[1], json.loads(sys.argv[2]))
