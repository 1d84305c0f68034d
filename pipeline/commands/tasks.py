"""Commands for task manifests: check and new."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from pipeline.commands.several_values import SeveralValues
from pipeline.console import tell

app = typer.Typer(help="Check and draft task manifests.", no_args_is_help=True)

Pairs = Annotated[
    list[str] | None,
    typer.Option(
        "--pair",
        help="Pair manifests whose corpora are searched for dev and test text of the task; "
        "`task new` searches those in the folder `pairs` beside the new file's folder.",
    ),
]


@app.command(cls=SeveralValues)
def check(
    file: Annotated[str, typer.Argument(help="Path of a task manifest, or its name.")],
    pair: Pairs = None,
    offline: Annotated[bool, typer.Option(help="Do not fetch: check the YAML alone.")] = False,
) -> None:
    """Validate a task manifest, fetch its corpora and read every row; report all problems at once.

    Example: `sprachbund task check data_manifests/tasks/nusa-emotion.yaml`
    """
    from pipeline.commands.checks import print_findings
    from pipeline.drafting.task_checking import check_task

    print_findings(check_task(file, fetch_corpora=not offline, pairs=pair or ()), "task", file)


@app.command(cls=SeveralValues)
def new(
    name: Annotated[str, typer.Argument(help="Name of the task, e.g. reviews.")],
    table: Annotated[
        list[str],
        typer.Option(
            help="Labelled tables (CSV, TSV, JSON lines) as LANGUAGE=FILE, the source language "
            "first; LANGUAGE:PART=FILE says which part a file is."
        ),
    ],
    text: Annotated[str | None, typer.Option(help="Column of the text.")] = None,
    label: Annotated[str | None, typer.Option(help="Column of the label.")] = None,
    key: Annotated[str | None, typer.Option("--id", help="Column of the ids.")] = None,
    split: Annotated[
        str | None, typer.Option(help="Column that says train, dev or test of each row.")
    ] = None,
    group: Annotated[
        str | None,
        typer.Option(help="Column of what a split keeps together: author, document, topic."),
    ] = None,
    pair: Pairs = None,
    out: Annotated[
        Path | None, typer.Option(help="File to write; default data_manifests/tasks/NAME.yaml.")
    ] = None,
) -> None:
    """Write a task manifest from labelled tables: columns, labels and parts are found and shown.

    Example: `sprachbund task new reviews --table eng=reviews.csv swh:test=maoni.csv --group user`
    """
    from pipeline.drafting.labelled import TaskColumns
    from pipeline.drafting.tasks import TaskFiles, new_task

    columns = TaskColumns(text=text, label=label, id=key, split=split, group=group)
    drafted = new_task(name, TaskFiles(tables=table, columns=columns, pairs=pair), out=out)
    lines = [*drafted.found, *(f"check this: {doubt}" for doubt in drafted.doubts)]
    lines += [f"Written: {drafted.path}", f"Next: sprachbund task check {drafted.path}"]
    for line in lines:
        tell(line, sys.stdout)
