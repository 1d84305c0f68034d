"""Adapt a published encoder to text without labels, and publish what it has become."""

import json
import shutil
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from models.encoders.adaptation.protocol import (
    AdaptationObjective,
    AdaptationText,
    AdaptedSpec,
    Lesson,
    Sentences,
)
from models.encoders.adaptation.student import Student
from models.encoders.pretrained.folders import HUGGINGFACE, SETTINGS, EncoderSettings
from models.encoders.pretrained.publishing import choose_number
from models.encoders.pretrained.reading import TextReader
from models.nmt.precision import BF16
from models.support.errors import SourceError
from models.support.notes import remembered
from models.support.sampling import spread
from models.tuning.attention import install_dropout
from models.tuning.batches import plan_updates
from models.tuning.body import CutPieces, freeze, load_body
from models.tuning.computing import computed_in, computing_device, save_memory, settled_precision
from models.tuning.optimizer import FlatAdamW, groups_of
from models.tuning.training import Course, TrainingRun

if TYPE_CHECKING:
    import numpy

RETRIEVAL_PAIRS = 300
"""Dev pairs of a language, at most, whose translations look for their hub sentence."""
COMPARED_TEXTS = 128
PRECISION, BEFORE = "precision", "before.json"


class AdaptingSite(NamedTuple):
    """Where an encoder is adapted, and with what: nothing of it decides what comes out.

    `scratch` survives an interruption; `checkpoint` has the files of the first ancestor.
    """

    scratch: Path
    checkpoint: Any = None
    on_progress: Callable[[float, str], None] = lambda *_: None
    threads: int = 1
    machine_notes: Path | None = None

    def say(self, status: str) -> None:
        """Tell what is done before the first update."""
        self.on_progress(0.0, status)


class AdaptingOrder(NamedTuple):
    """What to adapt, how, and where the new encoder goes.

    `stop` makes it a control: it ends after so many updates, with the weights it then has.
    """

    parent: Path
    recipe: AdaptedSpec
    text: AdaptationText
    out: Path
    stop: int | None = None


class Adaptation(NamedTuple):
    """What came of it: updates made and kept; by language what was before and what is after.

    `losses`: on dev text; `retrieval`: the share of dev sentences whose nearest hub sentence is
    their own; `encoder`: the number format to encode in, and why.
    """

    updates: int
    kept_at: int
    items: int
    losses: dict[str, list[float]]
    retrieval: dict[str, list[float]]
    precision: str
    encoder: dict[str, Any]


def adapt_encoder(order: AdaptingOrder, site: AdaptingSite) -> Adaptation:
    """Adapt an encoder, or go on with what a kill has left of that; publish it into `out`.

    Raises SourceError where there is no text to train on.
    """
    import torch

    save_memory()
    torch.set_num_threads(site.threads)
    torch.manual_seed(order.recipe.seed)
    recipe = order.recipe
    precision = settled_precision(
        recipe.precision, order.parent, site.scratch / PRECISION, site.machine_notes
    )
    student = _student(order, bf16=precision == BF16)
    freeze(student.body, recipe.frozen_layers)
    learnt = order.text.hub_alone() if order.stop else order.text
    lesson = Lesson(student, learnt, order.text, site.scratch, site.checkpoint, site.say)
    objective = recipe.objective(lesson)
    if not objective.lengths:
        raise SourceError("there is no text to adapt an encoder to")
    course = _course(objective, recipe, order.stop)
    used = sorted({item for items in course.updates for item in items})
    dev = Retrieval(student, order.text.dev)
    read = [*objective.prepare(used), *dev.ids]
    cut = CutPieces(student.body, read)
    student.renumber, student.rows = cut.renumber, cut.rows
    before = _remembered(site.scratch / BEFORE, lambda: (objective.dev_losses(), dev.shares()))
    if before[0] and not order.stop:
        course = course._replace(keep="best")
    run = _train(objective, course, student, site, order.recipe, precision)
    after = (objective.dev_losses(), dev.shares())
    _write(order, student.body, cut)
    sample = [text for of in order.text.dev for text in (*of.texts, *of.hub)]
    return Adaptation(
        updates=run.optimizer.updates,
        kept_at=run.kept_at,
        items=len(objective.lengths),
        losses=_side_by_side(before[0], after[0]),
        retrieval=_side_by_side(before[1], after[1]),
        precision=precision,
        encoder=choose_number(order.out, spread(sample, COMPARED_TEXTS))._asdict(),
    )


def _student(order: AdaptingOrder, *, bf16: bool) -> Student:
    own, device = EncoderSettings.read(order.parent), computing_device()
    settings = EncoderSettings(
        prefix=own.prefix,
        pooling=own.pooling,
        max_pieces=min(order.recipe.max_pieces, own.max_pieces),
    )
    body = load_body(order.parent, dropout=order.recipe.dropout, device=device)
    install_dropout(body)
    return Student(body, TextReader(order.parent, settings), settings.pooling, device, bf16)


def _course(objective: AdaptationObjective, recipe: AdaptedSpec, stop: int | None) -> Course:
    updates = plan_updates(
        objective.lengths, batch=recipe.batch, updates=recipe.steps, seed=recipe.seed
    )
    return Course(
        updates=updates,
        warmup=recipe.warmup,
        clip=recipe.clip,
        keep="last",
        looks=recipe.looks,
        patience=recipe.patience,
        stop=stop,
    )


def _train(
    objective: AdaptationObjective,
    course: Course,
    student: Student,
    site: AdaptingSite,
    recipe: AdaptedSpec,
    precision: str,
) -> TrainingRun:
    """Train to the end; the student then has the weights to keep, in float32."""
    import torch

    dtype = computed_in(precision)
    parts = (student.body, *objective.modules)
    groups = [g for part in parts for g in groups_of(part, recipe.rate, recipe.weight_decay)]
    run = TrainingRun(
        objective,
        course,
        FlatAdamW(groups, dtype),
        seed=recipe.seed,
        device=student.device,
        scratch=site.scratch,
        score=lambda: -mean(objective.dev_losses().values()),
        on_update=lambda done, total, loss: site.on_progress(
            done / total, f"update {done:,} of {total:,}, loss {loss:.3f}"
        ),
    )
    for part in parts:
        part.to(dtype)  # what is frozen; the rest is in this type already
    run.run()
    run.optimizer.unfold()
    for part in parts:
        part.to(torch.float32)
    return run


def mean(losses: Iterable[float]) -> float:
    """Return the mean over languages; 0 where none has dev text."""
    found = list(losses)
    return sum(found) / len(found) if found else 0.0


Measures = dict[str, float]


def _remembered(
    note: Path, measure: Callable[[], tuple[Measures, Measures]]
) -> tuple[Measures, Measures]:
    """Return what was measured before the training began, once and not after a kill again."""
    losses, shares = json.loads(remembered(note, lambda: json.dumps(measure())))
    return losses, shares


def _side_by_side(before: Measures, after: Measures) -> dict[str, list[float]]:
    return {name: [round(before[name], 4), round(after[name], 4)] for name in after}


class Retrieval:
    """How often a dev sentence finds its own hub sentence among all of its pair, by cosine."""

    def __init__(self, student: Student, dev: Sequence[Sentences]) -> None:
        self.student = student
        self._dev = [
            Sentences(
                of.language, spread(of.hub, RETRIEVAL_PAIRS), spread(of.texts, RETRIEVAL_PAIRS)
            )
            for of in dev
            if of.hub
        ]
        self._ids = [(student.read(of.hub), student.read(of.texts)) for of in self._dev]

    @property
    def ids(self) -> list[list[int]]:
        """The ids of all texts that are read."""
        return [ids for sides in self._ids for side in sides for ids in side]

    def shares(self) -> Measures:
        """Return the share of hits by language."""
        found = {}
        for of, (hub, texts) in zip(self._dev, self._ids, strict=True):
            vectors, theirs = (_unit(self.student.encode(side)) for side in (texts, hub))
            nearest = (vectors @ theirs.T).argmax(1)
            hits = [of.hub[place] == own for place, own in zip(nearest, of.hub, strict=True)]
            found[of.language] = sum(hits) / len(hits)
        return found


def _unit(vectors: "numpy.ndarray") -> "numpy.ndarray":
    """Return vectors (texts, width) of length 1."""
    import numpy

    lengths = numpy.linalg.norm(vectors, axis=1, keepdims=True)
    unit: numpy.ndarray = vectors / numpy.maximum(lengths, 1e-9)
    return unit


def _write(order: AdaptingOrder, body: Any, cut: CutPieces) -> None:
    """Write the parent's folder with the student's weights."""
    import torch
    from transformers import AutoModel

    folder = order.out / HUGGINGFACE
    shutil.copytree(order.parent / HUGGINGFACE, folder)
    shutil.copyfile(order.parent / SETTINGS, order.out / SETTINGS)
    whole: Any = AutoModel.from_pretrained(folder, dtype=torch.float32, local_files_only=True)
    places, table = dict(whole.named_parameters()), body.get_input_embeddings().weight
    with torch.no_grad():
        for name, values in body.named_parameters():
            if values.requires_grad and values is not table:
                places[name].copy_(values)
        if table.requires_grad:
            whole.get_input_embeddings().weight[cut.rows] = table.cpu()
    whole.save_pretrained(folder)
