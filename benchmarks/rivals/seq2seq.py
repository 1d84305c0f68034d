"""Hugging Face: `Seq2SeqTrainer` on an M2M-100, and `generate` of one.

As a child: `python -m benchmarks.rivals.seq2seq train RECIPE FOLDER OUT` trains from the start
model on the batches in FOLDER, in their order, and writes seconds and losses to OUT; `generate
MODEL SENTENCES BEAM` translates lists of ids and prints the seconds.
"""

import json
import math
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.material import BATCHES, START, Material
from benchmarks.measuring import MOST_PIECES, run
from models.nmt.precision import BF16, quicker_precision
from models.nmt.recipe import NmtRecipe
from models.nmt.training import LOG_INTERVAL
from models.subwords import EOS, Subwords, language_tag
from models.support.processes import python_module
from tasks.records import Record

PADDING, IGNORED = 1, -100
GENERATION_TOKENS = 4096


def train(recipe: NmtRecipe, folder: Path, out: Path) -> list[dict[str, float]]:
    """Train in a child; return updates, seconds and loss in bits at each logged point."""
    run(
        python_module("benchmarks.rivals.seq2seq", "train", json.dumps(asdict(recipe)), folder, out)
    )
    points: list[dict[str, float]] = json.loads(out.read_text(encoding="utf-8"))
    return points


def translate(material: Material, model: Path, records: Sequence[Record], beam: int) -> float:
    """Return the sentences a second of `generate` in a child."""
    subwords = Subwords(material.data.subwords)
    tag = subwords.piece_id(language_tag(material.direction[1]))
    ids = subwords.encode_ids([record["text"] for record in records])
    path = material.folder / "sentences.json"
    path.write_text(json.dumps([[tag, *sentence, EOS] for sentence in ids]), encoding="utf-8")
    child = python_module("benchmarks.rivals.seq2seq", "generate", model, path, str(beam))
    return len(ids) / float(run(child).split()[-1])


def generate(folder: Path, path: Path, beam: int) -> None:
    """Translate in batches of near lengths, as a careful user would; print the seconds."""
    import torch
    from transformers import M2M100ForConditionalGeneration

    model = M2M100ForConditionalGeneration.from_pretrained(folder).eval()
    sentences = sorted(json.loads(path.read_text(encoding="utf-8")), key=len)
    started = time.perf_counter()
    while sentences:
        size = max(1, GENERATION_TOKENS // len(sentences[-1]))
        batch = [torch.tensor(sentence) for sentence in sentences[-size:]]
        del sentences[-size:]
        padded = torch.nn.utils.rnn.pad_sequence(batch, batch_first=True, padding_value=PADDING)
        mask = padded.ne(PADDING).long()
        with torch.inference_mode():
            model.generate(padded, attention_mask=mask, num_beams=beam, max_length=MOST_PIECES)
    sys.stdout.write(f"\n{time.perf_counter() - started}\n")


def train_in_child(recipe: NmtRecipe, folder: Path, out: Path) -> None:
    """Train with the loss, rate and clipping of the recipe; bf16 where it helps."""
    import torch
    from transformers import (
        M2M100ForConditionalGeneration,
        Seq2SeqTrainer,
        Seq2SeqTrainingArguments,
        TrainerCallback,
    )

    model = M2M100ForConditionalGeneration.from_pretrained(
        folder / START, dropout=recipe.dropout, attention_dropout=0.0, activation_dropout=0.0
    )
    batches = torch.load(folder / BATCHES)
    points: list[dict[str, float]] = []

    class Clock(TrainerCallback):  # type: ignore[misc]
        def on_log(self, _: Any, state: Any, __: Any, logs: Any = None, **___: Any) -> None:
            if logs and "loss" in logs:
                bits = float(logs["loss"]) / math.log(2)
                points.append(
                    {"updates": state.global_step, "time": time.perf_counter(), "loss": bits}
                )

    class InOrder(Seq2SeqTrainer):  # type: ignore[misc]
        def get_train_dataloader(self) -> Any:
            return torch.utils.data.DataLoader(batches, batch_size=None, collate_fn=_as_inputs)

    options = Seq2SeqTrainingArguments(
        output_dir=str(out.parent / "seq2seq"),
        use_cpu=not torch.cuda.is_available(),
        bf16=quicker_precision(recipe.width, recipe.feed_forward) == BF16,
        max_steps=len(batches),
        learning_rate=recipe.learning_rate,
        lr_scheduler_type="inverse_sqrt",
        warmup_steps=recipe.warmup_updates,
        optim="adamw_torch_fused",
        adam_beta2=0.98,
        max_grad_norm=1.0,
        label_smoothing_factor=recipe.label_smoothing,
        logging_steps=LOG_INTERVAL,
        save_strategy="no",
        report_to=[],
        disable_tqdm=True,
        seed=recipe.seed,
    )
    InOrder(model, options, train_dataset=batches, callbacks=[Clock()]).train()
    out.write_text(json.dumps(points), encoding="utf-8")


def _as_inputs(batch: Any) -> dict[str, Any]:
    target = batch["target"]
    return {
        "input_ids": batch["source"],
        "attention_mask": batch["source"].ne(PADDING).long(),
        "decoder_input_ids": batch["previous"],
        "labels": target.masked_fill(target.eq(PADDING), IGNORED),
    }


if __name__ == "__main__":
    if sys.argv[1] == "train":
        train_in_child(NmtRecipe(**json.loads(sys.argv[2])), Path(sys.argv[3]), Path(sys.argv[4]))
    else:
        generate(Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]))
