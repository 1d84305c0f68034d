"""Write findings as Markdown."""

from pathlib import Path

from pipeline.reporting.findings import Findings
from pipeline.reporting.tables import Grid


def write_markdown(findings: Findings, path: Path) -> None:
    """Write the report as a Markdown file."""
    lines = [f"# {findings.experiment.name}", "", "## Answer", ""]
    lines += [f"* {escape(verdict)}" for verdict in findings.verdicts]
    for grid in findings.grids:
        lines += ["", f"## {grid.title}", "", *table(grid)]
    lines += ["", "## How it was measured", ""]
    lines += [f"* sacreBLEU `{signature}`" for signature in findings.signatures]
    lines += [f"* {tool} {version}" for tool, version in findings.versions.items()]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def table(grid: Grid) -> list[str]:
    """Return the lines of a table and its note: words to the left, figures to the right."""
    alignment = ["---" if grid.holds_words(n) else "--:" for n in range(len(grid.columns))]
    head = [_row(grid.columns), _row(alignment)]
    return [*head, *map(_row, grid.rows), *(["", f"_{escape(grid.note)}_"] if grid.note else [])]


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(map(escape, cells))} |"


def escape(text: str) -> str:
    """Return text that cannot end a table's cell or open a tag."""
    return text.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")
