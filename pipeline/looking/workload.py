"""How much a stage has to do, so that what one build took tells what another one will.

A training multiplies parameters with each token of each update; a translation or an encoding reads
so many lines with such a model. The same is read from a stage to build and from a manifest.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Any, NamedTuple, Protocol

from pipeline.stages.stage import Stage
from pipeline.stages.subwords import SubwordModel
from pipeline.stages.systems.trained import TrainedModel
from pipeline.store import Artifact, Manifest

Record = dict[str, Any]


class Work(NamedTuple):
    """What a stage has to do.

    * ``kind``: of which work this is; only amounts of one kind compare.
    * ``planned``: at most, as the recipe has it; ``done``: what it came to, where it ended early.
    * ``size``: what the bytes of the artifact grow with.
    * ``measure``: what was multiplied, in words.
    """

    kind: tuple[str, ...]
    planned: float
    done: float
    size: float
    measure: str


class Job(Protocol):
    """A stage, to build or built: what it is asked for, and what it is built from."""

    @property
    def stage(self) -> str:
        """The kind of stage."""

    @property
    def spec(self) -> Record:
        """What it is asked for, as plain values."""

    @property
    def manifest(self) -> Manifest:
        """What is known of its artifact; empty where there is none."""

    @property
    def inputs(self) -> Sequence["Job"]:
        """What it is built from."""


@dataclass(frozen=True)
class ToBuild:
    """A stage of an experiment, seen as a job."""

    of: Stage[Any]

    @property
    def stage(self) -> str:
        """The kind of stage."""
        return type(self.of).__name__

    @property
    def spec(self) -> Record:
        """What it is asked for, as plain values."""
        spec: Record = self.of.identity["spec"]
        return spec

    @cached_property
    def manifest(self) -> Manifest:
        """The manifest of its artifact, where there is one to read."""
        return self.of.artifact.readable_manifest if self.of.usable() else {}

    @cached_property
    def inputs(self) -> Sequence[Job]:
        """What it requires."""
        return [ToBuild(stage) for stage in chain(*self.of.inputs.values())]


@dataclass(frozen=True)
class Done:
    """An artifact, seen as a job."""

    artifact: Artifact

    @cached_property
    def manifest(self) -> Manifest:
        """Its manifest."""
        return self.artifact.readable_manifest

    @property
    def stage(self) -> str:
        """The kind of stage."""
        return self.artifact.folder.parent.name

    @property
    def spec(self) -> Record:
        """What it was asked for."""
        spec: Record = self.manifest["spec"]
        return spec

    @cached_property
    def inputs(self) -> Sequence[Job]:
        """What it was built from, as far as that is still there."""
        return [Done(Artifact(self.artifact.store / key)) for key in self.manifest["upstream"]]


def work_of(job: Job) -> Work | None:
    """Return what a job has to do; None where nothing tells, or where size decides little."""
    measures = {
        "TrainedModel": _training,
        "Translation": _translation,
        "EncodedText": _encoding,
        "AdaptedEncoder": _adaptation,
    }
    try:
        found = measures[job.stage](job) if job.stage in measures else None
        return found if found and min(found.planned, found.done, found.size) > 0 else None
    except (KeyError, TypeError, IndexError, AttributeError):
        return None  # a manifest from before its fields were what they are


def _training(job: Job) -> Work | None:
    recipe, size = job.spec["recipe"], _parameters(job)
    if size is None:
        return None
    planned = recipe["max_updates"] + recipe["fine_tune_updates"]
    phases = job.manifest["training"]["phases"] if job.manifest else []
    done = sum(phase["validations"][-1][0] for phase in phases) or planned
    update = size * recipe["batch_tokens"] * recipe["processes"]
    measure = "parameters, tokens and updates"
    return Work(("training",), update * planned, update * done, size, measure)


def _adaptation(job: Job) -> Work | None:
    """Compare those of one kind and one pretrained model; a control stops where the other did."""
    recipe, facts = job.spec["recipe"], job.manifest.get("adaptation")
    planned = recipe["steps"] * recipe["batch"]
    if job.spec["control"]:
        of = [i for i in job.inputs if i.stage == job.stage][-1]
        kept = of.manifest.get("adaptation", {}).get("kept_at", recipe["steps"])
        planned = kept * recipe["batch"]
    done = facts["updates"] * recipe["batch"] if facts else planned
    kind = ("adaptation", recipe["kind"], _root(job))
    return Work(kind, planned, done, 1, "texts and updates")


def _root(job: Job) -> str:
    """Return what tells the pretrained model that an encoder is made of."""
    while job.stage != "ModelFiles":
        kinds = ("ModelFiles", "PretrainedEncoder", "AdaptedEncoder")
        job = min((i for i in job.inputs if i.stage in kinds), key=lambda i: kinds.index(i.stage))
    return json.dumps(job.spec, sort_keys=True)


def _translation(job: Job) -> Work | None:
    lines = _lines(job)
    model = _models(job)
    if lines is None or model is None:
        return None
    kind = ("translation", job.spec["engine"]["kind"])
    return Work(kind, lines * model, lines * model, lines, "lines and parameters")


def _encoding(job: Job) -> Work | None:
    texts = [i for i in job.inputs if i.stage in ("LabelledData", "Translation")]
    items, model = _sum(map(_lines, texts)), _models(job)
    if items is None or model is None:
        return None
    amount = items * model
    return Work(("encoding", job.spec["kind"]), amount, amount, items, "items and parameters")


def _models(job: Job) -> float | None:
    """Return the parameters of all models that a job reads lines with; 1 where it has none."""
    found = [_parameters(i) for i in job.inputs if i.stage == TrainedModel.__name__]
    return _sum(found) if found else 1


def _parameters(model: Job) -> float | None:
    """Return how many weights a training has, norms and biases aside; embeddings are shared."""
    recipe = model.spec["recipe"]
    width, between = recipe["width"], 2 * recipe["width"] * recipe["feed_forward"]
    encoder = recipe["encoder_layers"] * (4 * width**2 + between)
    decoder = recipe["decoder_layers"] * (8 * width**2 + between)  # it attends to both sides
    subwords = [i for i in model.inputs if i.stage == SubwordModel.__name__]
    if not subwords:
        return None
    counts = subwords[0].manifest.get("counts") or {}
    pieces = counts.get("pieces") or subwords[0].spec["recipe"]["size"]
    return float(encoder + decoder + pieces * width)


def _lines(job: Job) -> float | None:
    """Return how many lines a text has, or at most will have; None where nothing tells."""
    counts = job.manifest.get("counts")
    if job.stage == "Translation":
        if counts:
            return _sum(counts[part] for part in job.spec["parts"])
        found = _sum(_part(job, part) for part in job.spec["parts"])
        return None if found is None else found / job.spec["of"]
    if job.stage == "LabelledData":
        return _sum(_of_text(job, part) for part in ("train", "dev", "test"))
    return _of_text(job, "text")


def _part(job: Job, part: str) -> float | None:
    """Return the lines of one part of the text that a translation reads."""
    text = job.spec["text"]
    if text == "bitext":  # the guard may take dev text away, a test set stays
        wanted = "Bitext" if part == "test" else "TrainingBitext"
        return _sum(_of_text(i, part) for i in job.inputs if i.stage == wanted)
    kinds = ("LabelledData",) if text == "task" else ("MonolingualSample", "TaskText")
    return _sum(_of_text(i, part) for i in job.inputs if i.stage in kinds)


def _of_text(job: Job, part: str) -> float | None:
    """Return the lines of a part of a text: counted, else at most as many as its recipe allows."""
    if counts := job.manifest.get("counts"):
        found = counts.get(part, counts)
        while isinstance(found, dict):
            found = found["leaks"] if "leaks" in found else found["kept"]
        return float(found)
    if job.stage == "TrainingBitext":
        return _sum(_of_text(i, part) for i in job.inputs if i.stage == "Bitext")
    limits = {"Bitext": "split", "LabelledData": "limits"}.get(job.stage)
    limit = job.spec[limits].get(part) if limits else job.spec.get("limit")
    return None if limit is None else float(limit)


def _sum(amounts: Iterable[float | None]) -> float | None:
    """Return a sum; None where one of its parts is unknown, or there is none."""
    found = list(amounts)
    return sum(a for a in found if a is not None) if found and None not in found else None
