"""A pretrained encoder as an experiment names it."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from models.encoders.fine_tuning import FineTuning
from models.encoders.nmt import ScaledVectors
from models.encoders.protocol import Features


class PublishedSpec:
    """What all encoders have that lie in a published folder: frozen, or fine-tuned."""

    fine_tune: FineTuning | None
    letters: ClassVar[bool] = False

    @property
    def vectors(self) -> bool:
        """Whether it is frozen; one that is fine-tuned reads the texts themselves."""
        return self.fine_tune is None

    @property
    def nameless(self) -> "PretrainedSpec":
        """What decides a classifier beside the vectors it reads: no names."""
        return PretrainedSpec(kind="pretrained", model="", fine_tune=self.fine_tune)

    def features(self) -> Features:
        """Return features of sentence vectors, not fitted yet."""
        return ScaledVectors()


@dataclass(frozen=True, kw_only=True)
class PretrainedSpec(PublishedSpec):
    """A pretrained encoder by the name of its manifest: frozen, or fine-tuned on labelled text."""

    kind: Literal["pretrained"]
    model: str
    fine_tune: FineTuning | None = None
