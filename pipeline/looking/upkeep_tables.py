"""Arrange in grids what runs cost and hold, and how two of them differ."""

from collections.abc import Iterator
from pathlib import Path

from pipeline.looking.comparing import Comparison
from pipeline.looking.costs import Cost, Gain, total
from pipeline.looking.upkeep import Damage, Garbage
from pipeline.reporting.tables import Grid
from pipeline.reporting.words import duration, shortened, size
from tasks.statistics import MACRO_F1

LONGEST_VALUE = 60


def cost_grids(costs: list[Cost], gains: list[Gain]) -> Iterator[Grid]:
    """Yield what each kind of stage took, and the price of what was gained."""
    sum_of_all = total(costs)
    notes = (
        [f"of {sum_of_all.incomplete} interrupted stages the last attempt alone is known"]
        if sum_of_all.incomplete
        else []
    )
    if sum_of_all.without_cpu:
        notes.append(f"{sum_of_all.without_cpu} stages are from before CPU time was recorded")
    columns = ["stage", "built", "clock", "CPU", "GPU", "memory", "disk", "interrupted"]
    rows = [_cost_row(cost) for cost in [*costs, sum_of_all]]
    yield Grid("Cost", columns, rows, "; ".join(notes))
    if gains:
        rows = [
            [
                gain.what,
                f"{gain.points:+.2f}",
                duration(gain.seconds),
                _price(gain),
            ]
            for gain in gains
        ]
        note = "mean over all directions; clock: of what the first was made from and the second not"
        yield Grid("Gain", ["what", "points", "clock", "a point"], rows, note)


def _price(gain: Gain) -> str:
    if gain.not_usable:
        return f"{' and '.join(gain.not_usable)} not usable"
    return "–" if gain.seconds_a_point is None else duration(gain.seconds_a_point)


def _cost_row(cost: Cost) -> list[str]:
    return [
        cost.stage,
        str(cost.stages),
        duration(cost.seconds),
        duration(cost.cpu_seconds),
        duration(cost.gpu_seconds),
        f"{cost.peak_memory_mib:,} MiB",
        size(cost.bytes),
        str(cost.interrupted),
    ]


def damage_grid(found: list[Damage]) -> Grid:
    """Return one row for each damaged file."""
    rows = [list(damage) for damage in found]
    return Grid("Damaged", ["artifact", "file", "problem"], rows, "", columns_of_words=3)


def garbage_grid(found: list[Garbage], store: Path) -> Grid:
    """Return one row for each folder that nothing needs."""
    rows = [
        [str(item.folder.relative_to(store)), item.kind, f"{item.days:.1f}", size(item.bytes)]
        for item in found
    ]
    columns = ["folder", "what", "days old", "size"]
    return Grid("Nothing needs", columns, rows, f"below {store}", columns_of_words=2)


def change_grids(found: Comparison) -> Iterator[Grid]:
    """Yield what differs between two runs; nothing where nothing does."""
    for title, changes in (("Recipe", found.recipe), ("Data", found.counts)):
        if changes:
            rows = [[c.place, _value(c.first), _value(c.second)] for c in changes]
            yield Grid(title, ["what", "first", "second"], rows, "")
    if found.scores:
        rows = [
            [
                score.what,
                score.metric,
                _score(score.metric, score.first),
                _score(score.metric, score.second),
                "–" if score.n is None else f"{score.n:,}",
                "–" if score.p_value is None else f"{score.p_value:.3f}",
            ]
            for score in found.scores
        ]
        note = "n: test items in common, which the scores of MT and the p-values are of"
        columns = ["what", "metric", "first", "second", "n", "p"]
        yield Grid("Scores", columns, rows, note, columns_of_words=2)


def _value(value: object) -> str:
    return "–" if value is None else shortened(value, LONGEST_VALUE)


def _score(metric: str, score: float) -> str:
    return f"{score:.3f}" if metric == MACRO_F1 else f"{score:.1f}"
