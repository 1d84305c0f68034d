"""Adapt an encoder to the bitext and monolingual text that lie in files."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from models.encoders.adaptation.protocol import AdaptationText, AdaptedSpec, Sentences
from models.support.sampling import evenly
from models.tuning.adapting import Adaptation, AdaptingOrder, AdaptingSite, adapt_encoder
from tasks.records import read_columns

HELD_BACK = 200
"""Monolingual sentences of a language, at most, that are looked at and not trained on."""


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
        own = {language: read_columns(path, [language])[language] for language, path in self.own}
        parts = {language: hold_back(texts) for language, texts in own.items()}
        return AdaptationText(
            hub=self.hub,
            train=[self._sentences(language, path) for language, path in self.train],
            dev=[self._sentences(language, path) for language, path in self.dev],
            own={language: train for language, (train, _) in parts.items()},
            own_dev={language: dev for language, (_, dev) in parts.items()},
        )

    def _sentences(self, language: str, path: Path) -> Sentences:
        columns = read_columns(path, [self.hub, language])
        return Sentences(language, columns[self.hub], columns[language])


def hold_back(texts: Sequence[str]) -> tuple[list[str], list[str]]:
    """Part monolingual text into what is trained on and some that is only looked at."""
    places = {*evenly(len(texts), min(HELD_BACK, len(texts) // 10))}
    train = [text for place, text in enumerate(texts) if place not in places]
    return train, [texts[place] for place in sorted(places)]


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
