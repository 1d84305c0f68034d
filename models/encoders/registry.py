"""The encoders an experiment may name, by kind."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from models.encoders.adaptation.protocol import ControlSpec
from models.encoders.adaptation.registry import AnyAdaptation
from models.encoders.ngrams import Ngrams
from models.encoders.nmt import ScaledVectors
from models.encoders.pretrained.spec import PretrainedSpec
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


AnyEncoder = NgramsSpec | NmtEncoderSpec | PretrainedSpec | ControlSpec | AnyAdaptation
"""One of the kinds. `vectors`: it reads vectors that a frozen encoder made of the texts, not the
texts. `letters`: it sees letters alone, and nothing that two scripts share."""
EncoderSpec = Annotated[AnyEncoder, Field(discriminator="kind")]

DEFAULT_ENCODERS: Mapping[str, AnyEncoder] = {
    "char-ngram": NgramsSpec(kind="ngrams"),
    "word-char-ngram": NgramsSpec(kind="ngrams", words=True),
    "nmt-encoder": NmtEncoderSpec(kind="nmt"),
}
