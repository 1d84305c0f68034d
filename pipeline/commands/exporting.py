"""The command that takes a study's figures elsewhere: export."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from pipeline.console import tell


class ExportFormat(StrEnum):
    """What `export` writes."""

    CSV = "csv"
    LATEX = "latex"
    PARQUET = "parquet"
    MARKDOWN = "markdown"


def export(
    study: Annotated[
        str,
        typer.Argument(
            help="An experiment, or a file of figures: a snapshot, or a report's scores.json."
        ),
    ],
    form: Annotated[ExportFormat, typer.Option("--format", help="What to write.")],
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for the files; by default exports/STUDY/FORMAT."),
    ] = None,
) -> None:
    """Write a study's figures for a paper or for other tools, and what is to be cited.

    `csv` and `parquet` hold one tidy file a kind of figure (mt, task, ...) with the columns of
    `scores --format json`; `latex` one booktabs table for each table of scores in the report, whose
    caption says n, trainings or seeds and the metric's signature; `markdown` the same as one page.
    `citations.bib` cites corpora, encoders and methods. Takes what is scored so far.

    Example: `sprachbund export nusa --format latex --out paper/tables`
    """
    from pipeline.looking import exporting
    from pipeline.reporting.latex import slug

    found = exporting.figures(study)
    folder = out or Path("exports") / slug(found.study) / form.value
    for path in exporting.export(found, form.value, folder):
        tell(str(path), sys.stdout)
    for remark in exporting.files_left_out(found):
        tell(f"note: {remark}")
