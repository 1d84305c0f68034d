"""Tell a translation that can be used from that of a model which has learnt nothing.

A dead model has a BLEU, an interval and a rank like any other, and its text would be trained on:
so its translations are looked at for what no usable system does.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from models.support.sampling import spread

LINES = 2000
"""As many are looked at, evenly drawn."""
GRAM = 4
LEAST_TO_LOOP = 20
"""Characters; a shorter line has too few to say that it repeats itself."""
LOOPING = 0.3
"""Share of a line's runs of four characters that differ, below which it repeats itself."""
SURELY_FOREIGN = 0.999

MOST_EMPTY = 0.5
LEAST_DISTINCT = 0.2
MOST_LOOPING = 0.5
MOST_COPIED = 0.9
MOST_FOREIGN = 0.8
LENGTH_FACTOR = 3.0

Doubts = Callable[[Sequence[str]], Sequence[float]]
"""The doubt (0 to 1) that each text is in the language it should be in."""


class Translated(NamedTuple):
    """Sources, their translations, and human text in the language of the translations.

    The human text need not translate the sources; `human_sources` are what it translates.
    """

    sources: Sequence[str]
    translations: Sequence[str]
    human_sources: Sequence[str]
    human: Sequence[str]


class Health(NamedTuple):
    """Signs of life of a translation, as shares of its lines; `human` text has some of them, too.

    * ``empty``: nothing but spaces, though the source is not.
    * ``distinct``: different translations for each different source.
    * ``looping``: the same few characters over and over.
    * ``copied``: the source as it was, beyond what human translators leave.
    * ``length``: characters for each of the source, over that of human translation.
    * ``foreign``: surely in another language, beyond what is said of human text; 0 where nobody
      can tell.
    """

    lines: int
    empty: float
    distinct: float
    looping: float
    copied: float
    length: float
    foreign: float

    @property
    def ills(self) -> tuple[str, ...]:
        """Why it is not usable, in words; nothing where it may be."""
        if self.empty > MOST_EMPTY:
            return (f"{self.empty:.0%} of its lines are empty",)
        signs = {
            f"only {self.distinct:.1%} of its lines are distinct": self.distinct < LEAST_DISTINCT,
            f"{self.looping:.0%} of its lines repeat a few letters": self.looping > MOST_LOOPING,
            f"{self.copied:.0%} of its lines are copies": self.copied > MOST_COPIED,
            f"its lines are {self.length:.2g} times as long as they should be": not (
                1 / LENGTH_FACTOR < self.length < LENGTH_FACTOR
            ),
            f"{self.foreign:.0%} of its lines are in another language": self.foreign > MOST_FOREIGN,
        }
        return tuple(words for words, ill in signs.items() if ill)


def diagnose(text: Translated, doubts: Doubts | None = None) -> Health:
    """Look at translations of sources that are not empty; without any they are taken for healthy.

    `doubts` judges the language of the translations.
    """
    sources, translations = _some(text.sources, text.translations)
    if not sources:
        return Health(0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0)
    human_sources, human = _some(text.human_sources, text.human)
    said = [line for line in translations if line.strip()]
    return Health(
        lines=len(sources),
        empty=1 - len(said) / len(sources),
        distinct=len(set(said)) / len(set(sources)) if said else 0.0,
        looping=_share([_loops(line) for line in said]),
        copied=max(0.0, _copied(sources, translations) - _copied(human_sources, human)),
        length=_length(sources, translations) / (_length(human_sources, human) or 1.0),
        foreign=max(0.0, _foreign(said, doubts) - _foreign(human, doubts)),
    )


def ills_of_all(found: Sequence[Health]) -> Iterator[str]:
    """Yield why translations are not usable: of the first that is ill, and how many are."""
    ill = [health.ills for health in found if health.ills]
    of = f" ({len(ill)} of {len(found)} trainings)" if len(found) > 1 else ""
    for words in ill[0] if ill else ():
        yield f"{words}{of}"


def _some(sources: Sequence[str], targets: Sequence[str]) -> tuple[list[str], list[str]]:
    filled = [n for n, source in enumerate(sources) if source.strip()]
    places = spread(filled, LINES)
    return [sources[n] for n in places], [targets[n] for n in places]


def _loops(line: str) -> bool:
    runs = [line[n : n + GRAM] for n in range(len(line) - GRAM + 1)]
    return len(line) >= LEAST_TO_LOOP and len(set(runs)) < LOOPING * len(runs)


def _copied(sources: Sequence[str], targets: Sequence[str]) -> float:
    return _share([source == target for source, target in zip(sources, targets, strict=True)])


def _length(sources: Sequence[str], targets: Sequence[str]) -> float:
    return sum(map(len, targets)) / sum(map(len, sources)) if sources else 1.0


def _foreign(texts: Sequence[str], doubts: Doubts | None) -> float:
    return _share([doubt > SURELY_FOREIGN for doubt in doubts(texts)]) if doubts and texts else 0.0


def _share(found: Sequence[bool]) -> float:
    return sum(found) / len(found) if found else 0.0
