"""Commands that look at the data before anything is trained: profile, ready."""

import sys
from typing import Annotated

import typer

from pipeline.commands.options import Experiment, Form, Format
from pipeline.console import tell


def profile(
    text: Annotated[
        str,
        typer.Argument(
            metavar="FILE|EXPERIMENT",
            help="A text file or table, packed or not (FILE.zip:MEMBER), or an experiment.",
        ),
    ],
    column: Annotated[
        str | None,
        typer.Option(
            help="Where a table has its text: column, field or TMX language; a number: no header."
        ),
    ] = None,
    form: Format = Form.TABLE,
) -> None:
    """Describe text as it is before cleaning: size, lengths, repeats, scripts, subwords, odd lines.

    Of an experiment, every bitext side, monolingual corpus and labelled set; what is not there yet
    is fetched.

    Example: `sprachbund profile reviews.csv --column text`
    """
    from pipeline.looking.profiling import profile as profiled
    from pipeline.looking.profiling import profiles_json

    found = list(profiled(text, column=column))
    if form is Form.JSON:
        tell(profiles_json(found).rstrip("\n"), sys.stdout)
        return
    from pipeline.commands.answers import print_grids
    from pipeline.looking.data_tables import profile_grids

    print_grids(profile_grids(found))


def ready(experiment: Experiment, form: Format = Form.TABLE) -> None:
    """Say what there is for each language, who knows it, and what a run can do and will cost.

    Fetches and builds nothing. Exits with 1 when a run would fail: a file that is not there, a
    labelled set without a test part, a full disk.

    Example: `sprachbund ready nusa --format json | jq '.languages[] | {language, comet}'`
    """
    from pipeline.looking.readiness import readiness

    found = readiness(experiment)
    if form is Form.JSON:
        tell(found.as_json().rstrip("\n"), sys.stdout)
    else:
        from pipeline.commands.answers import print_grids
        from pipeline.looking.data_tables import readiness_grids, remarks

        print_grids(readiness_grids(found), remarks=remarks(found))
        for caution in found.cautions:
            tell(caution)
    for problem in found.problems:
        tell(f"not ready: {problem}")
    if found.problems:
        raise typer.Exit(1)
