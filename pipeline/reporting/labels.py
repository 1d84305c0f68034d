"""What translation is worth in labels: how many of the language itself do as well."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import log2

from pipeline.reporting.records import TaskScore
from pipeline.reporting.tables import Grid
from pipeline.reporting.ways import decisive, merit, way_name
from tasks.transfer.catalogue import AnyStrategy, strategy_called
from tasks.transfer.strategies import ON_HUB

ALONE, BESIDE = "alone", "beside the hub's text"


@dataclass(frozen=True)
class Worth:
    """The best translated way of a place by dev data, and what few shots reach there.

    `curves`: {alone or beside the hub's text: {labels a class: score}}, each with the encoder that
    dev data chose.
    """

    translated: TaskScore
    curves: Mapping[str, Mapping[int, float]]

    @property
    def equivalents(self) -> dict[str, str]:
        """How many labels a class do as well as translation: {alone or beside: `about 40`}."""
        return {
            side: equivalent(curve, self.translated.score) for side, curve in self.curves.items()
        }

    @property
    def sentence(self) -> str:
        """What translation is worth, in words."""
        s = self.translated
        worth = " and ".join(f"{n} labels a class {side}" for side, n in self.equivalents.items())
        way = way_name(s.strategy, s.system, s.encoder)
        return f"{s.task}, {s.language}: {way} ({s.score:.3f}) is worth {worth}."


def equivalent(curve: Mapping[int, float], score: float) -> str:
    """Return where a curve of labels a class first reaches a score, between its points.

    Interpolation is linear in the logarithm of the labels, as learning curves go.
    """
    points = sorted(curve.items())
    (fewest, lowest), (most, _) = points[0], points[-1]
    if lowest >= score:
        return f"at most {fewest}"
    for (before, low), (after, high) in pairwise(points):
        if high >= score:
            share = (score - low) / (high - low)
            return f"about {2 ** (log2(before) + share * (log2(after) - log2(before))):.0f}"
    return f"more than {most}"


def worths(scores: Sequence[TaskScore]) -> Iterator[Worth]:
    """Yield what translation is worth in each place where few shots were tried."""
    chosen = decisive(scores)
    for place in dict.fromkeys((s.task, s.language) for s in chosen):
        here = [s for s in chosen if (s.task, s.language) == place]
        translated = [s for s in here if _competes(strategy_called(s.strategy))]
        curves: dict[str, dict[int, TaskScore]] = {}
        for s in here:
            if shots := strategy_called(s.strategy).shots:
                side = BESIDE if s.strategy.endswith(ON_HUB) else ALONE
                best = curves.setdefault(side, {})
                best[shots] = max(best.get(shots, s), s, key=merit)
        if translated and curves:
            plain = {
                side: {n: s.score for n, s in sorted(curve.items())}
                for side, curve in curves.items()
            }
            yield Worth(max(translated, key=merit), plain)


def _competes(strategy: AnyStrategy) -> bool:
    return strategy.transfers and strategy.translates


def worth_grid(found: Sequence[Worth]) -> Grid | None:
    """Return a row a place: few shots, translation, and how many labels do as well."""
    if not found:
        return None
    points = sorted({(side, n) for worth in found for side, c in worth.curves.items() for n in c})
    sides = list(dict.fromkeys(side for side, _ in points))
    rows = []
    for worth in found:
        s, equal = worth.translated, worth.equivalents
        cells = [_cell(worth.curves.get(side, {}).get(n)) for side, n in points]
        ends = [equal.get(side, "–") for side in sides]
        way = way_name(s.strategy, s.system, s.encoder)
        rows.append([s.task, s.language, *cells, _cell(s.score), way, *ends])
    columns = ["task", "language", *(f"{n} {side}" for side, n in points), "translated", "way"]
    note = (
        "labels a class of the language itself, with the encoder that dev data chose, the mean "
        "over draws; the best translated way by dev data; how many labels do as well as it, "
        "between two figures on the logarithm of labels"
    )
    columns += [f"worth {side}" for side in sides]
    return Grid("What translation is worth in labels", columns, rows, note, columns_of_words=2)


def _cell(score: float | None) -> str:
    return "–" if score is None else f"{score:.3f}"
