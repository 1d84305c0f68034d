"""What an adaptation is: the values all have, the text they read, what they make small."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, NamedTuple, Protocol, Self

from annotated_types import Ge, Gt, Le, Lt

from models.encoders.fine_tuning import FineTuning, Part
from models.encoders.pretrained.spec import PublishedSpec
from models.support.sampling import spread

if TYPE_CHECKING:
    import torch

    from models.encoders.adaptation.student import Student


@dataclass(frozen=True, kw_only=True)
class AdaptedSpec(PublishedSpec):
    """An encoder that another one of the experiment, its ``parent``, has become by training.

    * ``control``: whether a control stands beside it, which takes as many steps on hub text alone.
    * ``fine_tune``: how it is fine-tuned on labelled text; without it is frozen.
    * ``steps``: updates, at most; ``batch``: texts of similar length in each.
    * ``rate``: peak learning rate, after the share ``warmup`` of the updates; it falls to zero.
    * ``dropout``: of states and attention; without, a control would learn nothing at all.
    * ``looks``: evenly spaced points at which the loss on dev text is measured; the weights of the
      lowest are kept, and training ends after ``patience`` points without a lower one.
    * ``max_pieces``, ``weight_decay``, ``clip``, ``frozen_layers``, ``precision``: as in
      `FineTuning`.
    """

    parent: str
    control: bool = True
    fine_tune: FineTuning | None = None
    steps: Annotated[int, Ge(1)] = 1000
    batch: Annotated[int, Ge(1)] = 64
    rate: Annotated[float, Gt(0)] = 2e-4
    warmup: Part = 0.1
    dropout: Annotated[float, Gt(0), Lt(1)] = 0.1
    weight_decay: Annotated[float, Ge(0)] = 0.01
    clip: Annotated[float, Gt(0)] = 1.0
    max_pieces: Annotated[int, Ge(8)] = 128
    frozen_layers: Annotated[int, Ge(0)] = 0
    looks: Annotated[int, Ge(1), Le(1000)] = 5
    patience: Annotated[int, Ge(1)] = 2
    seed: Annotated[int, Ge(1)] = 1
    precision: Literal["auto", "bf16", "fp32"] = "auto"

    monolingual: ClassVar[bool] = False
    """Whether it reads monolingual text; all read the bitext, if only to measure."""

    @property
    def checkpoint(self) -> bool:
        """Whether it reads the files that its first ancestor came from."""
        return False

    @property
    def recipe(self) -> Self:
        """What decides the adaptation: no names, and nothing of what is done with it later."""
        return replace(self, parent="", control=True, fine_tune=None)

    def objective(self, lesson: "Lesson") -> "AdaptationObjective":
        """Return what this way of adapting makes small."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class ControlSpec(PublishedSpec):
    """The same training as that of an adapted encoder, as many steps, on hub text alone."""

    kind: Literal["control"]
    of: str
    fine_tune: FineTuning | None = None


class Sentences(NamedTuple):
    """Sentences of the hub with those of a language that mean the same."""

    language: str
    hub: Sequence[str]
    texts: Sequence[str]

    def spread(self, most: int) -> "Sentences":
        """Return so many pairs at most, equally far apart."""
        return Sentences(self.language, spread(self.hub, most), spread(self.texts, most))


class AdaptationText(NamedTuple):
    """Bitext to train on and to look at; monolingual text by language, the hub's too, likewise."""

    hub: str
    train: Sequence[Sentences]
    dev: Sequence[Sentences]
    own: Mapping[str, Sequence[str]] = {}
    own_dev: Mapping[str, Sequence[str]] = {}

    def hub_alone(self) -> "AdaptationText":
        """Return the text of a control: the hub's sentences stand where the others' stood."""
        train = [Sentences(of.language, of.hub, of.hub) for of in self.train]
        return self._replace(train=train, own={self.hub: self.own.get(self.hub, ())})


class Lesson(NamedTuple):
    """What an objective is made of: who learns, from what, and where it may keep notes.

    `given` is the study's text; `text` that which is learnt from: the same, but for a control.
    `checkpoint` has the files that the first ancestor came from, for what is not published of it.
    """

    student: "Student"
    text: AdaptationText
    given: AdaptationText
    scratch: Path
    checkpoint: Any
    report: Callable[[str], None] = lambda _: None


class AdaptationObjective(Protocol):
    """What an adaptation makes small."""

    @property
    def lengths(self) -> Sequence[int]:
        """How many pieces each item has."""
        ...

    @property
    def modules(self) -> Sequence[Any]:
        """Modules that are trained beside the encoder."""
        ...

    def prepare(self, used: Sequence[int]) -> Sequence[Sequence[int]]:
        """Learn which items will be trained on; return the ids of all texts that will be read."""
        ...

    def loss(self, part: Sequence[int], update: Sequence[int]) -> "torch.Tensor":
        """Return what some items of an update add to its loss; all its parts make the mean."""
        ...

    def dev_losses(self) -> dict[str, float]:
        """Return the loss on dev text by language, without dropout."""
        ...
