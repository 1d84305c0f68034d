"""The encoders an experiment may name, by kind."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from models.encoders.fine_tuning import FineTuning
from models.encoders.ngrams import Ngrams
from models.encoders.nmt import ScaledVectors
from models.encoders.protocol import Features


@dataclass(frozen=True, kw_only=True)
class NgramsSpec:
    """TF-IDF of character 2- to 5-grams; with `words` of words and pairs of words, too."""

    kind: Literal["ngrams"]
    words: bool = False

    vectors: ClassVar[bool] = False
    letters: ClassVar[bool] = True

    @property
    def nameless(self) -> "NgramsSpec":
        """What decides a classifier: no names."""
        return self

    def features(self) -> Features:
        """Return features of texts, not fitted yet."""
        return Ngrams(words=self.words)


@dataclass(frozen=True, kw_only=True)
class NmtEncoderSpec:
    """Pooled states of the encoder of a trained system (its first training); frozen.

    `system` is empty for the last trained system that is written in the experiment.
    """

    kind: Literal["nmt"]
    system: str = ""

    vectors: ClassVar[bool] = True
    letters: ClassVar[bool] = False

    @property
    def nameless(self) -> "NmtEncoderSpec":
        """What decides a classifier beside the vectors it reads: no names."""
        return replace(self, system="")

    def features(self) -> Features:
        """Return features of sentence vectors, not fitted yet."""
        return ScaledVectors()


@dataclass(frozen=True, kw_only=True)
class PretrainedSpec:
    """A pretrained encoder by the name of its manifest: frozen, or fine-tuned on labelled text."""

    kind: Literal["pretrained"]
    model: str
    fine_tune: FineTuning | None = None

    letters: ClassVar[bool] = False

    @property
    def vectors(self) -> bool:
        """Whether it is frozen; one that is fine-tuned reads the texts themselves."""
        return self.fine_tune is None

    @property
    def nameless(self) -> "PretrainedSpec":
        """What decides a classifier beside the vectors it reads: no names."""
        return replace(self, model="")

    def features(self) -> Features:
        """Return features of sentence vectors, not fitted yet."""
        return ScaledVectors()


AnyEncoder = NgramsSpec | NmtEncoderSpec | PretrainedSpec
"""One of the kinds. `vectors`: it reads vectors that a frozen encoder made of the texts, not the
texts. `letters`: it sees letters alone, and nothing that two scripts share."""
EncoderSpec = Annotated[AnyEncoder, Field(discriminator="kind")]

DEFAULT_ENCODERS: Mapping[str, AnyEncoder] = {
    "char-ngram": NgramsSpec(kind="ngrams"),
    "word-char-ngram": NgramsSpec(kind="ngrams", words=True),
    "nmt-encoder": NmtEncoderSpec(kind="nmt"),
}
