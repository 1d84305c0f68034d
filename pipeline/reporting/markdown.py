"""Write findings as Markdown."""

from pathlib import Path

from pipeline.reporting.findings import Findings
from pipeline.reporting.tables import Grid


def write_markdown(findings: Findings, path: Path) -> None:
    """Write the report as a Markdown file."""
    lines = [f"# {findings.experiment.name}", "", "## Answer", ""]
    lines += [f"* {_escape(verdict)}" for verdict in findings.verdicts]
    for grid in findings.grids:
        lines += ["", f"## {grid.title}", "", *_table(grid)]
    lines += ["", "## How it was measured", ""]
    lines += [f"* sacreBLEU `{signature}`" for signature in findings.signatures]
    lines += [f"* {tool} {version}" for tool, version in findings.versions.items()]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _table(grid: Grid) -> list[str]:
    head = [_row(grid.columns), _row(_alignment(grid))]
    return [*head, *map(_row, grid.rows), *(["", f"_{grid.note}_"] if grid.note else [])]


def _alignment(grid: Grid) -> list[str]:
    """Return words to the left, figures to the right."""
    words = grid.columns_of_words
    return ["---"] * words + ["--:"] * (len(grid.columns) - words)


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(map(_escape, cells))} |"


def _escape(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")
