"""Tables for the terminal: BLEU by system, task scores by strategy, the verdict."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Literal

from rich.table import Table
from rich.text import Text

from pipeline.console import tell, terminal, visible
from pipeline.looking.scores import finished_scores, finished_trainings
from pipeline.reporting.findings import score_grids
from pipeline.reporting.records import Contrast, Record, Score
from pipeline.reporting.tables import Grid, contrast_grids, gap_grids, leak_grids, overall
from pipeline.reporting.trainings import Training
from pipeline.stages.report import Report
from tasks.auditing import is_held_out


def score_tables(scores: Sequence[Score], trained: Sequence[Training]) -> Iterator[Table]:
    """Yield the tables of scores and the paired tests over all directions and languages."""
    tests = overall([s for s in scores if isinstance(s, Contrast)])
    yield from map(as_table, chain(score_grids(scores, trained), contrast_grids(tests)))


def print_answer(experiment: str) -> None:
    """Print what a finished study found, and where its report lies."""
    report = Report(experiment=experiment)
    console = terminal()
    for table in score_tables(finished_scores(experiment), finished_trainings(experiment)):
        console.print(table)
    for sentence in report.artifact.manifest["verdicts"]:
        console.print(f"• {sentence}", highlight=False)
    tell(f"\nReport: {report.artifact.path('report.html')}", sys.stdout)


def print_audit(overlaps: list[Record], gaps: list[Record], remarks: Sequence[str]) -> None:
    """Print where held-out text was found, what is not looked for, what is odd about ids."""
    found = any(is_held_out(overlap["to"]) for overlap in overlaps)
    none = [] if found else ["No held-out sentence stands in any other text."]
    print_grids(chain(leak_grids(overlaps), gap_grids(gaps)), remarks=[*none, *remarks])


def print_grids(grids: Iterable[Grid], *, remarks: Iterable[str] = ()) -> None:
    """Print grids, then remarks on them."""
    console = terminal()
    for grid in grids:
        console.print(as_table(grid))
    for remark in remarks:
        console.print(f"• {remark}", highlight=False, markup=False)


def as_table(grid: Grid) -> Table:
    """Return a grid as a table for the terminal."""
    table = Table(title=grid.title, title_justify="left", caption=grid.note, caption_justify="left")
    for n, column in enumerate(grid.columns):
        side: Literal["left", "right"] = "left" if grid.holds_words(n) else "right"
        table.add_column(column, justify=side, overflow="fold")
    for row in grid.rows:
        table.add_row(*(Text(visible(cell)) for cell in row))  # corpus text: brackets are no markup
    return table
