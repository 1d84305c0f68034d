"""Distillation over bitext: what a sentence means in the hub, it shall mean in every language.

Reimers and Gurevych (2020): the student's vectors of a hub sentence and of its translation both
come near to those that the encoder gave the hub sentence before it was trained.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from models.encoders.adaptation.protocol import AdaptationObjective, AdaptedSpec, Lesson, Sentences
from models.support.sampling import evenly

if TYPE_CHECKING:
    import numpy
    import torch

DEV_PAIRS = 512
"""Sentence pairs, of all languages together, whose loss is looked at."""
SCALE_SENTENCES = 512
"""Hub sentences whose vectors say what is far."""
TEACHER = "teacher.npy"


@dataclass(frozen=True, kw_only=True)
class DistilledSpec(AdaptedSpec):
    """Student and teacher are the same encoder at first, and only the student moves.

    ``synthetic`` names systems: what they make of real monolingual text is trained on, too.
    """

    kind: Literal["distilled"]
    synthetic: tuple[str, ...] = ()

    @property
    def recipe(self) -> Self:
        """What decides the adaptation: no names."""
        return replace(self, parent="", control=True, fine_tune=None, synthetic=())

    def objective(self, lesson: Lesson) -> AdaptationObjective:
        """Return the distance to the teacher."""
        return Distillation(lesson)


class Distillation:
    """The mean squared distance of the student's vectors to the teacher's of the hub sentence.

    It is divided by the variance of the teacher's vectors: at 1, the mean of all sentences would be
    as near. Each distinct hub sentence is an item once, each translation whenever it occurs.
    """

    modules: Sequence[Any] = ()

    def __init__(self, lesson: Lesson) -> None:
        self.student, self.report, self.scratch = lesson.student, lesson.report, lesson.scratch
        hub = dict.fromkeys(text for of in lesson.text.train for text in of.hub)
        rows = {text: row for row, text in enumerate(hub)}
        self._hub = self.student.read([*hub])
        self._ids = [
            *self._hub,
            *self.student.read([t for of in lesson.text.train for t in of.texts]),
        ]
        self._rows = [*range(len(hub)), *(rows[t] for of in lesson.text.train for t in of.hub)]
        self.lengths = [len(ids) for ids in self._ids]
        self._dev = looked_at(lesson.text.dev)
        self._dev_ids = [self.student.read(of.texts) for of in self._dev]
        self._dev_hub = [self.student.read(of.hub) for of in self._dev]

    def prepare(self, used: Sequence[int]) -> list[list[int]]:
        """Have the teacher read the hub sentences that are needed; return what is still to read."""
        import torch

        scale = evenly(len(self._hub), SCALE_SENTENCES)
        needed = sorted({*scale, *(self._rows[item] for item in used)})
        texts = [self._hub[row] for row in needed]
        self.report(f"the teacher reads {len(texts):,} sentences")
        dev = [ids for of in self._dev_hub for ids in of]
        found = self._taught([*texts, *dev])
        self._place = {row: place for place, row in enumerate(needed)}
        spread_out = found[[self._place[row] for row in scale]]
        self.variance = float(spread_out.var(0).mean()) or 1.0
        self._teacher = torch.from_numpy(found).to(self.student.device)
        return [*(self._ids[item] for item in used), *(ids for of in self._dev_ids for ids in of)]

    def _taught(self, ids: Sequence[Sequence[int]]) -> "numpy.ndarray":
        """Return the teacher's vectors (texts, width); after a kill those it had given before."""
        import numpy

        path = self.scratch / TEACHER
        if not path.exists():
            save_array(path, self.student.encode(ids))
        found: numpy.ndarray = numpy.load(path, allow_pickle=False)
        return found

    def loss(self, part: Sequence[int], update: Sequence[int]) -> "torch.Tensor":
        """Return what some items of an update add to its loss."""
        vectors = self.student.vectors([self._ids[item] for item in part], train=True)
        wanted = self._teacher[[self._place[self._rows[item]] for item in part]]
        return (vectors - wanted).square().mean(1).sum() / (len(update) * self.variance)

    def dev_losses(self) -> dict[str, float]:
        """Return the distance of translations to the teacher's hub sentences, by language."""
        found, start = {}, len(self._place)
        for of, ids in zip(self._dev, self._dev_ids, strict=True):
            wanted = self._teacher[start : start + len(ids)].cpu().numpy()
            distance = float(((self.student.encode(ids) - wanted) ** 2).mean())
            found[of.language] = distance / self.variance
            start += len(ids)
        return found


def looked_at(dev: Sequence[Sentences]) -> list[Sentences]:
    """Return the dev pairs whose loss is looked at: as many of each language."""
    each = max(1, DEV_PAIRS // max(1, len(dev)))
    return [of.spread(each) for of in dev if of.hub]


def save_array(path: Path, values: "numpy.ndarray") -> None:
    """Write an array, whole or not at all."""
    import numpy

    draft = path.with_suffix(".tmp.npy")
    numpy.save(draft, values, allow_pickle=False)
    draft.replace(path)
