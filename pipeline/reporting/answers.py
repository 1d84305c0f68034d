"""The answer for each task and language: what to use, what it gains, and how sure that is."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Literal

from pipeline.reporting.records import Contrast, TaskScore
from pipeline.reporting.ways import decisive, merit, way_name
from tasks.statistics import SIGNIFICANT
from tasks.transfer.catalogue import place
from tasks.transfer.contests import ANSWERS, WINNER
from tasks.transfer.strategies import IN_LANGUAGE, ZERO_SHOT

LIKELY = 0.2
"""A p-value up to which a difference is called likely."""
MOST_ITEMS = 1_000_000
"""A larger test set than this nobody will label."""

Certainty = Literal["sure", "likely", "cannot be told", "not tested"]


@dataclass(frozen=True)
class Against:
    """The chosen way against another one; `items` tested both."""

    contrast: Contrast
    items: int

    @property
    def certainty(self) -> Certainty:
        """How sure it is that the one with the higher score is better."""
        p = self.contrast.p
        if p is None:
            return "not tested"
        if p < SIGNIFICANT:
            return "sure"
        return "likely" if p < LIKELY else "cannot be told"

    @property
    def needed(self) -> int | None:
        """Test items with which such a difference would be found in four of five repetitions.

        The least difference that is found shrinks with the root of the items, as long as items
        are what is noisy. None where nobody will label as many.
        """
        difference = abs(self.contrast.difference)
        if not difference:
            return None
        items = ceil(self.items * (self.contrast.mdd / difference) ** 2)
        return items if items <= MOST_ITEMS else None

    @property
    def words(self) -> str:
        """The certainty in words: `sure`, or how many test items it would take."""
        if self.certainty == "not tested":
            return "not tested: one training each"
        if self.certainty != "cannot be told":
            return self.certainty
        if self.needed is None:
            return "cannot be told with any test set that people label"
        return f"cannot be told with {self.items:,} items, perhaps with {_round(self.needed)}"


@dataclass(frozen=True)
class Answer:
    """What to use for a task in a language: the way with the best score on dev data.

    `own` is the best score with labelled text of the language itself.
    """

    score: TaskScore
    over_zero_shot: Against | None
    over_next: Against | None
    own: TaskScore | None

    @property
    def way(self) -> str:
        """The way as people call it."""
        return way_name(self.score.strategy, self.score.system, self.score.encoder)

    @property
    def comparisons(self) -> list[Against]:
        """Against what it was tested."""
        return [found for found in (self.over_zero_shot, self.over_next) if found]


def answers(scores: Sequence[TaskScore], contrasts: Sequence[Contrast]) -> Iterator[Answer]:
    """Yield the answer of each language of each task for which dev data chose a way."""
    chosen = decisive(scores)
    tested = [c for c in contrasts if c.family == ANSWERS and c.first != WINNER]
    for where in dict.fromkeys(c.where for c in tested):
        task, _, language = where.partition("/")
        here = [s for s in chosen if (s.task, s.language) == (task, language)]
        against = [c for c in tested if c.where == where]
        by_way = {way_name(s.strategy, s.system, s.encoder): s for s in here}
        winner = by_way[against[0].first]
        own = [s for s in here if s.strategy == IN_LANGUAGE]
        sides = {by_way[c.second].strategy: Against(c, winner.n) for c in against}
        others = [c for strategy, c in sides.items() if strategy != ZERO_SHOT]
        yield Answer(
            score=winner,
            over_zero_shot=sides.get(ZERO_SHOT),
            over_next=others[0] if others else None,
            own=max(own, key=lambda s: s.score, default=None),
        )


def best_of_strategies(scores: Sequence[TaskScore]) -> list[TaskScore]:
    """Return each strategy's best way by dev data in one language (by test where there are none).

    The order is that of the strategies.
    """
    best: dict[str, TaskScore] = {}
    for score in scores:
        before = best.get(score.strategy)
        if before is None or merit(score) > merit(before):
            best[score.strategy] = score
    return [best[name] for name in sorted(best, key=place)]


def _round(count: int) -> str:
    """Return a count with two digits that say something: `about 1,300`."""
    step = 10 ** max(0, len(str(count)) - 2)
    return f"about {ceil(count / step) * step:,}"
