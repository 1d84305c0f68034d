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
    PhaseFiles,
    Schedule,
    Step,
    TrainedText,
    fine_tune_schedule,
    main_schedule,
    training_arguments,
)
from pipeline.dag import all_stages
from pipeline.stages.stage import Stage
from pipeline.stages.systems.trained import TrainedModel, model_data
from pipeline.stages.texts import Text, read_text
from pipeline.stages.translations import Translation
from tasks.mt.training import ModelData
from tasks.mt.translation import shard
from tasks.records import Record as TextRecord

TARGET = 3.0
MOST_OVERHEAD = 0.03
LOADED = re.compile(r"  loaded .*  ([0-9.]+) s$", re.MULTILINE)


Model = tuple[str, int]
"""A system and which of its trainings."""


class Job(NamedTuple):
    """A text to translate with a model."""

    model: Model
    source: str
    target: str
    beam: int
    texts: list[TextRecord]


class Trained(NamedTuple):
    """A model trained by hand."""

    data: ModelData
    checkpoint: Path


def train(stage: TrainedModel, folder: Path) -> Trained:
    """Train one model with `fairseq-train`, both phases."""
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
    binary, checkpoints = binarize(data, texts, folder), folder / "checkpoints"
    options = training_arguments(
        replace(recipe, processes=1),
        phase=PhaseFiles(binary, checkpoints, folder / "curves"),
        text=TrainedText(data.languages, data.directions),
        step=Step(schedule, Batch(recipe.batch_tokens), "fp32"),
    )
    fairseq.train([*options, "--patience", str(recipe.stop.patience)])
    return folder / "checkpoints" / "checkpoint_best.pt"


def model_of(stage: Stage[Any]) -> Model | None:
    """Return the model that a stage trains or translates with; None for others."""
    if isinstance(stage, TrainedModel):
        return str(stage.system), int(stage.replicate)
    if isinstance(stage, Translation) and stage.spec().engine["kind"] == "trained":
        return str(stage.system), int(stage.replicate)
    return None


def jobs(stages: Sequence[Stage[Any]]) -> Iterator[Job]:
    """Yield every translation by a trained model that a study holds; each searches with a beam."""
    for stage in stages:
        model = model_of(stage)
        if model is None or isinstance(stage, TrainedModel):
            continue
        spec, inputs = stage.spec(), stage.built_inputs
        for part in spec.parts:
            texts = read_text(Text(spec.text), inputs, spec.source, part)
            chosen = list(shard(texts, spec.number, spec.of))
            yield Job(model, spec.source, spec.target, spec.decoding.beam or 1, chosen)


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
    others = [seconds_alone(stage) for stage in stages if model_of(stage) is None]
    started = time.perf_counter()
    models = {
        (str(stage.system), int(stage.replicate)): train(stage, folder / stage.label())
        for stage in stages
        if isinstance(stage, TrainedModel)
    }
    trained = time.perf_counter()
    say(f"by hand: trained in {trained - started:.0f} s")
    for number, job in enumerate(jobs(stages)):
        translate(job, models[job.model], folder / f"job-{number}")
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
