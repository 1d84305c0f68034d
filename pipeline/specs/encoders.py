"""Manifests of pretrained encoders: where the weights are, and how they want their text."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, model_validator

from models.encoders.pretrained.folders import FEWEST_PIECES, EncoderSettings, Pooling
from pipeline.specs.languages import LanguageCode
from pipeline.specs.manifests import FieldsError, Manifest, Name, Problem
from tasks.sources.checkpoints import HubModel, ModelSource


class EncoderManifest(Manifest):
    """A pretrained encoder.

    * ``weights``: how many numbers it has, vocabulary and all.
    * ``prefix``: begins every input; ``pooling``: the mean of all pieces' states, or the first's.
    * ``max_pieces``: where inputs are cut; as many as it has positions for, 512 at most, if empty.
    * ``cased``: whether its vocabulary tells `A` from `a`.
    * ``languages``: what it has seen, or ``languages_of``: the list that says so.
    """

    name: Name
    title: str
    kind: Literal["pretrained"]
    licence: str
    weights: Annotated[int, Field(ge=1)]
    source: ModelSource
    prefix: str = ""
    pooling: Pooling = "mean"
    max_pieces: Annotated[int, Field(ge=FEWEST_PIECES)] | None = None
    cased: bool
    languages: tuple[LanguageCode, ...] = ()
    languages_of: Name | None = None
    citation: str = ""
    homepage: str = ""

    @model_validator(mode="after")
    def _check(self) -> "EncoderManifest":
        if problems := list(self._problems()):
            raise FieldsError(problems)
        return self

    def _problems(self) -> Iterator[Problem]:
        if bool(self.languages) == bool(self.languages_of):
            yield (
                ("languages",),
                "write what it has seen, or with `languages_of` whose list it is",
            )
        if isinstance(self.source, HubModel) and not self.source.sound:
            text = "`files` with their sums belong to one commit: write its 40 digits"
            yield ("source", "revision"), text

    @property
    def settings(self) -> EncoderSettings:
        """What decides a vector beside the weights; without the longest length."""
        return EncoderSettings(prefix=self.prefix, pooling=self.pooling)
