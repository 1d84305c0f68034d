"""Adapt an encoder to the bitext and monolingual text that lie in files."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from models.encoders.adaptation.protocol import AdaptationText, AdaptedSpec, Sentences
from models.tuning.adapting import Adaptation, AdaptingOrder, AdaptingSite, adapt_encoder
from tasks.records import read_columns


class AdaptationFiles(NamedTuple):
    """Files of training and dev bitext, and of monolingual text, each with its language.

    All of them are text that the guard has kept test sentences out of.
    """

    hub: str
    train: Sequence[tuple[str, Path]]
    dev: Sequence[tuple[str, Path]]
    own: Sequence[tuple[str, Path]]

    def read(self) -> AdaptationText:
        """Return the sentences."""
        return AdaptationText(
            hub=self.hub,
            train=[self._sentences(language, path) for language, path in self.train],
            dev=[self._sentences(language, path) for language, path in self.dev],
            own={language: read_columns(path, [language])[language] for language, path in self.own},
        )

    def _sentences(self, language: str, path: Path) -> Sentences:
        columns = read_columns(path, [self.hub, language])
        return Sentences(language, columns[self.hub], columns[language])


def adapt_to_text(
    parent: Path,
    recipe: AdaptedSpec,
    files: AdaptationFiles,
    site: AdaptingSite,
    *,
    stop: int | None,
    out: Path,
) -> Adaptation:
    """Adapt a published encoder; with `stop`, as a control that ends after so many updates."""
    return adapt_encoder(AdaptingOrder(parent, recipe, files.read(), out, stop), site)
