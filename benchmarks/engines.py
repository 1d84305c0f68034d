"""Training and translation beside stock fairseq: same data, same batches, same model.

`python -m benchmarks.engines EXPERIMENT`: builds the experiment's training text, then trains its
recipe for some updates with fairseq's own command in fp32 and with ours, in turn, and compares
target tokens a second and the losses. The model of ours goes on training, and translates the test
set with `fairseq-generate` and with the translation stage, and monolingual text with that stage and
with bare CTranslate2 calls. Prints a table of ratios and writes it as JSON.
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from models.nmt.binarize import BinarizePlan, TrainingText
from models.nmt.publish import CTRANSLATE2
from models.nmt.recipe import NmtRecipe
from models.nmt.training import (
    LOG_RECORD,
    MAX_POSITIONS,
    Batch,
    Schedule,
    resolve_precision,
    training_arguments,
)
from models.processes import python_module
from models.subwords import Subwords, language_tag
from models.translator import BATCH_TOKENS, MAX_OUTPUT_PIECES, NmtEngine
from pipeline import running
from pipeline.dag import find_stages
from pipeline.specs.loading import load_experiment
from tasks.nmt_training import ModelData, PairFiles
from tasks.translation import as_texts, translate_records

STOCK = (
    "from models.nmt.launch import allow_checkpoint_types as allow; allow(); "
    "from fairseq_cli import {0}; {0}.cli_main()"
)
GENERATED = re.compile(r"Translated ([\d,]+) sentences \([\d,]+ tokens\) in ([\d.]+)s")
BEAM = 4


class Setup(NamedTuple):
    """Binarized text and all that trains on it."""

    data: ModelData
    recipe: NmtRecipe
    folder: Path
    test: Path
    monolingual: Path
    direction: tuple[str, str]


class Curve(NamedTuple):
    """What a training logged: target tokens a second, and the loss by updates."""

    speed: float
    losses: dict[int, float]


def prepare(experiment: str, folder: Path) -> Setup:
    """Build the text of an experiment and binarize it."""
    study = load_experiment(experiment)
    stages = {
        name: find_stages(experiment, name)
        for name in ("SubwordModel", "TrainingBitext", "Bitext", f"Monolingual:{study.hub}")
    }
    running.run([stage for found in stages.values() for stage in found])
    (subwords,) = stages["SubwordModel"]
    texts = {str(s.pair): s.artifact for s in stages["TrainingBitext"]}
    pairs = [
        PairFiles(
            language, texts[pair.name].path("train.parquet"), texts[pair.name].path("dev.parquet")
        )
        for pair, language in zip(study.pairs, study.languages, strict=True)
    ]
    model = subwords.artifact.path("subwords.model")
    data = ModelData(model, study.hub, pairs, synthetic=[], human_repeats=1, copied=True)
    tests = {str(s.pair): s.artifact.path("test.parquet") for s in stages["Bitext"]}
    test, direction = tests[study.pairs[0].name], (study.hub, study.languages[0])
    wanted = [*data.texts(), TrainingText(str(test), "test", *direction)]
    (folder / "data").mkdir(parents=True)
    plan = BinarizePlan(str(model), str(folder / "data"), data.languages, MAX_POSITIONS - 2, wanted)
    plan.save(folder / "plan.json")
    run(python_module("models.nmt.binarize", folder / "plan.json"))
    (monolingual,) = stages[f"Monolingual:{study.hub}"]
    text = monolingual.artifact.path("text.parquet")
    return Setup(data, replace(study.nmt), folder, test, text, direction)


def run(argv: Sequence[str]) -> str:
    """Run a command that must succeed; return what it printed."""
    threads = {"OMP_NUM_THREADS": "2", "MKL_NUM_THREADS": "2"}
    done = subprocess.run(argv, env={**os.environ, **threads}, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(
            f"{' '.join(argv[:8])} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
        )
    return done.stdout + done.stderr


def arguments(setup: Setup, name: str, updates: int) -> list[str]:
    """Return the fairseq options of a training that validates at its end alone."""
    recipe = replace(setup.recipe, validate_every=updates)
    return training_arguments(
        recipe,
        Schedule(updates, recipe.learning_rate, recipe.warmup_updates),
        data=setup.folder / "data",
        checkpoints=setup.folder / name,
        languages=setup.data.languages,
        directions=setup.data.directions,
        precision=resolve_precision(recipe),
        batch=Batch(recipe.batch_tokens),
        curves=setup.folder / "curves" / name,
    )


def train_ours(setup: Setup, name: str, updates: int) -> Curve:
    """Train as the pipeline does."""
    (setup.folder / name).mkdir(exist_ok=True)
    history = setup.folder / name / "validations.json"
    options = arguments(setup, name, updates)
    return curve(run(python_module("models.nmt.launch", history, "99", *options)))


def train_stock(setup: Setup, name: str, updates: int) -> Curve:
    """Train with fairseq's own criterion, optimiser step and kernels, in fp32."""
    options = arguments(setup, name, updates)
    options = [option for option in options if option != "--autocast-bf16"]
    options[options.index("--criterion") + 1] = "label_smoothed_cross_entropy"
    return curve(run([sys.executable, "-P", "-c", STOCK.format("train"), *options]))


def curve(log: str) -> Curve:
    """Read speed and losses off a log; the first record holds the start and does not count."""
    found = [json.loads(m["record"]) for m in LOG_RECORD.finditer(log) if m["kind"] != "valid"]
    losses = {int(r["num_updates"]): float(r["loss"]) for r in found}
    return Curve(statistics.median(float(r["wps"]) for r in found[1:]), losses)


def fairseq_generate(setup: Setup, checkpoint: Path) -> float:
    """Return the sentences a second of fairseq-generate on the test set."""
    source, target = setup.direction
    pairs = ",".join(f"{a}-{b}" for a, b in setup.data.directions)
    options = [
        *(str(setup.folder / "data"), "--path", str(checkpoint), "--gen-subset", "test"),
        *("--task", "translation_multi_simple_epoch", "--encoder-langtok", "tgt"),
        *("--langs", ",".join(setup.data.languages), "--lang-pairs", pairs),
        *("--source-lang", source, "--target-lang", target, "--beam", str(BEAM)),
        *("--max-tokens", str(BATCH_TOKENS), "--max-len-b", str(MAX_OUTPUT_PIECES)),
    ]
    log = run([sys.executable, "-P", "-c", STOCK.format("generate"), *options])
    match = GENERATED.search(log)
    if match is None:
        raise SystemExit(f"fairseq-generate said nothing of its speed:\n{log[-2000:]}")
    return int(match[1].replace(",", "")) / float(match[2])


def translation_stage(
    setup: Setup, engine: NmtEngine, text: Path, limit: int, name: str
) -> tuple[int, float]:
    """Return how many sentences were read, segmented, translated and written, and the seconds."""
    source, target = setup.direction
    started = time.perf_counter()
    records = as_texts(text, source)[:limit]
    shards = setup.folder / name
    translate_records(records, engine, source=source, target=target, shards=shards)
    return len(records), time.perf_counter() - started


def bare_ctranslate2(setup: Setup, engine: NmtEngine, limit: int) -> float:
    """Return the seconds of CTranslate2 alone on segmented text, in one call."""
    source, target = setup.direction
    texts = [record["text"] for record in as_texts(setup.monolingual, source)[:limit]]
    pieces = Subwords(setup.data.subwords).encode_pieces(texts)
    batch = [[language_tag(target), *sentence] for sentence in pieces]
    started = time.perf_counter()
    engine._translator.translate_batch(
        batch,
        batch_type="tokens",
        max_batch_size=BATCH_TOKENS,
        beam_size=BEAM,
        max_decoding_length=MAX_OUTPUT_PIECES,
        disable_unk=True,
    )
    return time.perf_counter() - started


def measure_training(setup: Setup, updates: int, repetitions: int) -> Iterator[dict[str, Any]]:
    """Yield the speed of training against stock fairseq, in turn, and how far the losses differ."""
    ours, stock = [], []
    for number in range(repetitions):
        stock.append(train_stock(setup, f"stock-{number}", updates))
        ours.append(train_ours(setup, f"ours-{number}", updates))
    speeds = [statistics.median(c.speed for c in curves) for curves in (ours, stock)]
    yield ratio("training, tokens a second: ours / stock fairseq in fp32", speeds, 2.0)
    common = ours[0].losses.keys() & stock[0].losses.keys()
    gap = max(abs(ours[0].losses[n] / stock[0].losses[n] - 1) for n in common)
    yield {"name": "training: largest relative difference of the losses", "value": round(gap, 4)}


def measure_translation(setup: Setup, updates: int, limit: int) -> Iterator[dict[str, Any]]:
    """Yield the speed of translation against fairseq-generate and bare CTranslate2 calls."""
    train_ours(setup, "translator", updates)
    checkpoint = setup.folder / "translator" / "checkpoint_best.pt"
    run(python_module("models.nmt.publish", checkpoint, setup.folder / "data", setup.folder))
    model = setup.folder / CTRANSLATE2
    engine = NmtEngine(model, setup.data.subwords, beam=BEAM, threads=2)
    translation_stage(setup, engine, setup.test, 20, "warm")
    sentences, seconds = translation_stage(setup, engine, setup.test, limit, "test")
    speeds = [sentences / seconds, fairseq_generate(setup, checkpoint)]
    yield ratio("translation, sentences a second: ours / fairseq-generate", speeds, 10.0)
    sentences, seconds = translation_stage(setup, engine, setup.monolingual, limit, "monolingual")
    bare = bare_ctranslate2(setup, engine, limit)
    speeds = [sentences / seconds, sentences / bare]
    yield ratio("translation, sentences a second: whole stage / bare CTranslate2", speeds, 0.95)


def ratio(name: str, speeds: Sequence[float], target: float) -> dict[str, Any]:
    """Return a ratio of two speeds beside what it should be at least."""
    found = round(speeds[0] / speeds[1], 2)
    rounded = [round(speed, 1) for speed in speeds]
    return {
        "name": name,
        "speeds": rounded,
        "ratio": found,
        "target": target,
        "ok": found >= target,
    }


def main() -> None:
    """Measure, print, and write JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("experiment", nargs="?", default="sandbox")
    parser.add_argument("--updates", type=int, default=150, help="of each timed training")
    parser.add_argument("--translator-updates", type=int, default=800)
    parser.add_argument("--sentences", type=int, default=5000, help="of monolingual text")
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--out", type=Path, help="write the records as JSON here")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        os.environ.setdefault("SPRACHBUND_STORE", f"{name}/store")
        setup = prepare(options.experiment, Path(name))
        records = [
            *measure_training(setup, options.updates, options.repetitions),
            *measure_translation(setup, options.translator_updates, options.sentences),
        ]
    for found in records:
        value = found.get("ratio", found.get("value"))
        sys.stdout.write(f"{found['name']:64}{value:>8}  {found.get('speeds', '')}\n")
    if options.out:
        options.out.write_text(json.dumps(records, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
