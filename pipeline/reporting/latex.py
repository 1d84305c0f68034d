"""Write grids as LaTeX tables for a paper: booktabs, with a caption that says how to read them."""

import re
from collections.abc import Iterator

from pipeline.reporting.tables import Grid

LONGEST_FLOAT = 40
"""Rows; a longer table is a `longtable`, which breaks over pages."""

SIGNS = {
    "\\": r"\textbackslash{}",
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "[": "{[}",  # after the end of a row it would begin an optional argument
    "]": "{]}",
    "→": r"$\rightarrow$",
    "↓": r"$\downarrow$",
    "±": r"$\pm$",
    "×": r"$\times$",
    "≥": r"$\geq$",
    "≤": r"$\leq$",
    "−": "$-$",
    "–": "--",
    "—": "---",
    "…": r"\ldots{}",
    "\n": " ",
}
"""What LaTeX would take for a command, or lacks a glyph for; letters stay, of any script."""
MINUS = re.compile(r"(?<!\w)-(?=\d)")


def escape(text: str) -> str:
    """Return text that LaTeX shows as it is."""
    return "".join(SIGNS.get(sign, sign) for sign in MINUS.sub("−", text))


def slug(title: str) -> str:
    """Return a title as a file and a label are called: lower case, joined by hyphens."""
    plain = title.lower().replace("+", "p")
    return re.sub(r"[^\w.]+", "-", plain).strip("-.") or "table"


def latex(grid: Grid, study: str, remark: str = "") -> str:
    """Return a file with one table; `remark` is added to its caption."""
    notes = "; ".join(filter(None, [grid.note, remark]))
    caption = f"{escape(study)}, {escape(grid.title)}." + (f" {escape(notes)}." if notes else "")
    label = f"tab:{slug(study)}-{slug(grid.title)}"
    columns = "".join("l" if grid.holds_words(n) else "r" for n in range(len(grid.columns)))
    lines = _long if len(grid.rows) > LONGEST_FLOAT else _float
    return "\n".join(lines(grid, columns, rf"\caption{{{caption}}}\label{{{label}}}")) + "\n"


def _float(grid: Grid, columns: str, caption: str) -> Iterator[str]:
    yield r"% needs \usepackage{booktabs}"
    yield from (r"\begin{table}", r"\centering", caption, rf"\begin{{tabular}}{{{columns}}}")
    yield from (r"\toprule", _row(grid.columns), r"\midrule", *map(_row, grid.rows))
    yield from (r"\bottomrule", r"\end{tabular}", r"\end{table}")


def _long(grid: Grid, columns: str, caption: str) -> Iterator[str]:
    yield r"% needs \usepackage{booktabs,longtable}"
    yield from (rf"\begin{{longtable}}{{{columns}}}", rf"{caption} \\")
    yield from (r"\toprule", _row(grid.columns), r"\midrule", r"\endhead")
    yield from (*map(_row, grid.rows), r"\bottomrule", r"\end{longtable}")


def _row(cells: list[str]) -> str:
    return rf"{' & '.join(map(escape, cells))} \\"
