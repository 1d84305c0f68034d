"""End to end: a whole study by Sprachbund, then its MT steps by hand with stock fairseq commands.

`python -m benchmarks.by_hand EXPERIMENT`: runs the experiment in an empty store, then trains the
same models with `fairseq-train` and translates the same sentences with `fairseq-generate`, one call
a direction and text, as a shell script would. Binarization costs the script what it costs us. So do
the steps that have nothing to do with fairseq (reading, filtering, subwords, scoring, classifiers,
the report), one after another. A second ratio leaves all those out on its side.
"""

import os
import re
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.material import binarize, binarize_test
from benchmarks.measuring import (
    Record,
    arguments,
    at_most,
    finish,
    measured,
    ratio,
    run_study,
    say,
    seconds_with_stages,
)
from benchmarks.rivals import fairseq
from models.nmt.binarize import TrainingText
from models.nmt.recipe import NmtRecipe
from models.nmt.training import (
    Batch,
    Schedule,
    fine_tune_schedule,
    main_schedule,
    training_arguments,
)
from pipeline.dag import all_stages
from pipeline.specs.experiment import engine_round
from pipeline.stages.mt_scores import TestHypotheses, test_directions
from pipeline.stages.nmt import BackTranslation, NmtModel, model_data, real_text
from pipeline.stages.stage import Stage
from pipeline.stages.transfer import TranslatedTask
from tasks.mt.synthetic import shard
from tasks.mt.training import ModelData
from tasks.mt.translation import as_texts
from tasks.records import Record as TextRecord

TARGET = 3.0
MOST_OVERHEAD = 0.03
LOADED = re.compile(r"  loaded .*  ([0-9.]+) s$", re.MULTILINE)


class Job(NamedTuple):
    """A text to translate with the model of a round."""

    round: int
    source: str
    target: str
    beam: int
    texts: list[TextRecord]


class Trained(NamedTuple):
    """A model trained by hand."""

    data: ModelData
    checkpoint: Path


def train(stage: NmtModel, folder: Path) -> Trained:
    """Train one round's model with `fairseq-train`, both phases."""
    spec, data = stage.spec(), model_data(stage.spec(), stage.built_inputs)
    recipe = spec.recipe
    best = _phase(recipe, main_schedule(recipe), data, data.texts(), folder / "main")
    if recipe.fine_tune_updates:
        schedule = fine_tune_schedule(recipe, recipe.max_updates, start_from=best)
        best = _phase(recipe, schedule, data, data.human_texts(), folder / "fine-tune")
    return Trained(data, best)


def _phase(
    recipe: NmtRecipe,
    schedule: Schedule,
    data: ModelData,
    texts: list[TrainingText],
    folder: Path,
) -> Path:
    options = training_arguments(
        replace(recipe, processes=1),
        schedule,
        data=binarize(data, texts, folder),
        checkpoints=folder / "checkpoints",
        languages=data.languages,
        directions=data.directions,
        precision="fp32",
        batch=Batch(recipe.batch_tokens),
        curves=folder / "curves",
    )
    fairseq.train([*options, "--patience", str(recipe.patience)])
    return folder / "checkpoints" / "checkpoint_best.pt"


def model_round(stage: Stage[Any]) -> int | None:
    """Return the round of the model that a stage trains or translates with; None for others."""
    if isinstance(stage, NmtModel):
        return int(stage.round)
    if isinstance(stage, BackTranslation | TestHypotheses | TranslatedTask):
        return engine_round(str(stage.engine))
    return None


def jobs(stages: Sequence[Stage[Any]]) -> Iterator[Job]:
    """Yield every translation by an NMT model that a study holds."""
    for stage in stages:
        number = model_round(stage)
        if number is None or isinstance(stage, NmtModel):
            continue
        for source, target, texts in _texts(stage):
            yield Job(number, source, target, stage.spec().beam, texts)


def _texts(stage: Stage[Any]) -> Iterator[tuple[str, str, list[TextRecord]]]:
    spec, inputs = stage.spec(), stage.built_inputs
    if isinstance(stage, BackTranslation):
        texts = shard(real_text(inputs, spec.target), spec.number, spec.of)
        yield spec.target, spec.source, list(texts)
    elif isinstance(stage, TestHypotheses):
        for source, target, test in test_directions(spec.hub, spec.languages, inputs):
            yield source, target, as_texts(test, source)
    else:
        for part, name in (("train", "source"), ("dev", "source"), ("test", "target")):
            labelled = inputs.one(name).path(f"{part}.parquet")
            ends = (spec.source, spec.language) if part != "test" else (spec.language, spec.source)
            yield *ends, as_texts(labelled, "text")


def translate(job: Job, model: Trained, folder: Path) -> None:
    """Translate one text with `fairseq-generate`."""
    direction = (job.source, job.target)
    texts = {"id": [r["id"] for r in job.texts], job.source: [r["text"] for r in job.texts]}
    binary = binarize_test(model.data, texts, direction, folder.with_suffix(".parquet"))
    fairseq.generate(model.data, binary, model.checkpoint, direction, job.beam)


def seconds_alone(stage: Stage[Any]) -> float:
    """Return the seconds that a stage would take if no other shared the processors."""
    manifest = stage.artifact.manifest
    return min(float(manifest["seconds"]), float(manifest["cpu_seconds"]))


def by_hand(experiment: str, folder: Path) -> dict[str, float]:
    """Return the seconds of each step by hand, of a finished experiment."""
    stages = all_stages(experiment)
    others = [seconds_alone(stage) for stage in stages if model_round(stage) is None]
    started = time.perf_counter()
    models = {
        int(stage.round): train(stage, folder / f"round-{stage.round}")
        for stage in stages
        if isinstance(stage, NmtModel)
    }
    trained = time.perf_counter()
    say(f"by hand: trained in {trained - started:.0f} s")
    for number, job in enumerate(jobs(stages)):
        translate(job, models[job.round], folder / f"job-{number}")
    translated = time.perf_counter()
    say(f"by hand: {number + 1} texts translated in {translated - trained:.0f} s")
    return {
        "training": trained - started,
        "translation": translated - trained,
        "all else": sum(others),
    }


def measure(experiment: str, folder: Path) -> Iterator[Record]:
    """Run a study in an empty store, then by hand; yield the ratios and the seconds."""
    os.environ["SPRACHBUND_STORE"] = str(folder / "store")
    started = time.perf_counter()
    printed = run_study(experiment, folder / "store")
    seconds = time.perf_counter() - started
    loading = sum(float(found[1]) for found in LOADED.finditer(printed))
    in_stages = seconds_with_stages(folder / "store")
    say(f"{experiment}: whole study in {seconds:.0f} s")
    found = by_hand(experiment, folder / "by-hand")
    name = Path(experiment).stem
    by_script = sum(found.values())
    yield ratio(f"{name} end to end: study / by hand", [1 / seconds], [1 / by_script], TARGET)
    alone = (by_script - found["all else"]) / seconds
    yield measured(f"{name} end to end: whole study / MT alone by hand", alone)
    overhead = 1 - (in_stages + loading) / seconds
    yield at_most(f"{name}: share of the wall time that is no engine's", overhead, MOST_OVERHEAD)
    yield measured(f"{name}: seconds in which the engines are imported", loading)
    yield measured(f"{name}: seconds of the whole study", seconds)
    for step, spent in found.items():
        yield measured(f"{name}: seconds of {step} by hand", spent)


def main(arguments_: Sequence[str] | None = None) -> None:
    """Measure, print, and write JSON."""
    parser = arguments(__doc__)
    parser.add_argument("experiments", nargs="*", default=["sandbox", "nusa-mini"])
    options = parser.parse_args(arguments_)
    records: list[Record] = []
    for experiment in options.experiments:
        with tempfile.TemporaryDirectory() as name:
            records += measure(experiment, Path(name))
    finish(records, options.out)


if __name__ == "__main__":
    main()
