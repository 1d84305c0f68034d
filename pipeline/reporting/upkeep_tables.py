"""Arrange what a store costs and holds in grids."""

from collections.abc import Iterator
from pathlib import Path

from pipeline.costs import Cost, Gain, total
from pipeline.reporting.tables import Grid
from pipeline.reporting.words import duration, size
from pipeline.upkeep import Damage, Garbage


def cost_grids(costs: list[Cost], gains: list[Gain]) -> Iterator[Grid]:
    """Yield what each kind of stage took, and the price of what was gained."""
    sum_of_all = total(costs)
    notes = (
        ["time of interrupted stages: of the last attempt alone"] if sum_of_all.incomplete else []
    )
    if sum_of_all.without_cpu:
        notes.append(f"{sum_of_all.without_cpu} stages are from before CPU time was recorded")
    columns = ["stage", "built", "clock", "CPU", "memory", "disk", "interrupted"]
    rows = [_cost_row(cost) for cost in [*costs, sum_of_all]]
    yield Grid("Cost", columns, rows, "; ".join(notes))
    if gains:
        rows = [
            [
                gain.what,
                f"{gain.points:+.2f}",
                duration(gain.seconds),
                "–" if gain.seconds_a_point is None else duration(gain.seconds_a_point),
            ]
            for gain in gains
        ]
        note = "mean over all directions, or all languages and encoders: last round against round 0"
        yield Grid("Gain of the augmentation", ["what", "points", "clock", "a point"], rows, note)


def _cost_row(cost: Cost) -> list[str]:
    return [
        cost.stage,
        str(cost.stages),
        duration(cost.seconds),
        duration(cost.cpu_seconds),
        f"{cost.peak_memory_mib:,} MiB",
        size(cost.bytes),
        str(cost.incomplete),
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
