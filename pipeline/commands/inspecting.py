"""Commands that look and build nothing: plan, explain, diff, compare, scores, show."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from models.support.errors import StageError
from pipeline.commands.options import Experiment, Form, Format, Stage
from pipeline.console import print_json, tell, terminal


class ScoreFormat(StrEnum):
    """How `scores` prints."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


class TextFormat(StrEnum):
    """How `compare` prints."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    MARKDOWN = "markdown"


class TreeFormat(StrEnum):
    """How `plan` and `explain` print."""

    TREE = "tree"
    JSON = "json"


def plan(
    experiment: Experiment,
    form: Annotated[TreeFormat, typer.Option("--format", help="Output form.")] = TreeFormat.TREE,
) -> None:
    """Show the DAG: what is done and where, what will run, why, and what it took before.

    Example: `sprachbund plan nusa --format json | jq '.[] | select(.done | not) | .causes'`
    """
    from pipeline.looking import planning

    planned = planning.plan(experiment)
    if form is TreeFormat.JSON:
        print_json([stage.as_record() for stage in planned])
        return
    console = terminal(soft_wrap=True)
    console.print(planning.plan_tree(planned), crop=False, no_wrap=True, overflow="ignore")
    for gap in planning.plan_gaps(experiment):
        console.print(gap, highlight=False, markup=False)
    console.print(planning.plan_summary(planned), highlight=False)


def explain(
    experiment: Experiment,
    stage: Stage,
    form: Annotated[TreeFormat, typer.Option("--format", help="Output form.")] = TreeFormat.TREE,
) -> None:
    """Show why a stage is not what it was: the fields, files and versions that have changed.

    Compares with the earlier artifact of the same stage and label that is most like it, of the same
    study if there is one, and follows changed inputs down to where the change began.

    Example: `sprachbund explain nusa MtScores:bt`
    """
    from pipeline.dag import find_stages
    from pipeline.looking.causes import explain as explanation
    from pipeline.looking.planning import explanation_tree

    found = [explanation(one) for one in find_stages(experiment, stage)]
    if form is TreeFormat.JSON:
        print_json([one.as_record() for one in found])
        return
    console = terminal(soft_wrap=True)
    for one in found:
        console.print(explanation_tree(one), crop=False, no_wrap=True, overflow="ignore")


def diff(
    first: Annotated[str, typer.Argument(help="An experiment, or the folder of a report.")],
    second: Annotated[str, typer.Argument(help="Another one.")],
    form: Format = Form.TABLE,
    resamples: Annotated[int, typer.Option(help="Of each paired test.", min=100)] = 1000,
) -> None:
    """Compare two experiments or two runs: recipe, data counts, and scores with paired tests.

    A score is tested on the test items that both have in common.

    Example: `sprachbund diff nusa mine/experiments/nusa-without-bt.yaml`
    """
    from pipeline.commands.answers import print_grids
    from pipeline.looking import comparing
    from pipeline.looking.upkeep_tables import change_grids

    found = comparing.compare(
        comparing.load_run(first), comparing.load_run(second), resamples=resamples, seed=1
    )
    if form is Form.JSON:
        print_json(found.as_record())
        return
    print_grids(change_grids(found), remarks=found.remarks)


def compare(
    studies: Annotated[
        list[str],
        typer.Argument(
            metavar="STUDY STUDY...",
            help="Experiments, STORE:NAME, a store with one study, or the folder of a report.",
        ),
    ],
    form: Annotated[TextFormat, typer.Option("--format", help="Output form.")] = TextFormat.TABLE,
    resamples: Annotated[int, typer.Option(help="Of each paired test.", min=100)] = 1000,
) -> None:
    """Hold studies against the first one: systems and ways, on the test items that they share.

    Compares what has the same name, and what each study chose on dev data. An item is the same
    where its id, its text and its label are; what cannot be compared is said with its reason.

    Example: `sprachbund compare nusa ../old-store:nusa --format csv > against-old.csv`
    """
    from pipeline.commands.answers import print_grids
    from pipeline.looking import across, across_tables

    if len(studies) < 2:
        raise StageError(f"compare needs two studies or more, not {studies[0]!r} alone")
    found = across.compare_all(list(map(across.load_study, studies)), resamples=resamples, seed=1)
    if form is TextFormat.TABLE:
        print_grids(across_tables.grids(found), remarks=across_tables.remarks(found))
        return
    written = {
        TextFormat.JSON: across_tables.as_json,
        TextFormat.CSV: across_tables.as_csv,
        TextFormat.MARKDOWN: across_tables.as_markdown,
    }
    tell(written[form](found).rstrip("\n"), sys.stdout)


def scores(
    experiment: Experiment,
    form: Annotated[ScoreFormat, typer.Option("--format", help="Output form.")] = ScoreFormat.TABLE,
    page: Annotated[
        Path | None, typer.Option(help="Write the results page of a finished study to this folder.")
    ] = None,
) -> None:
    """Print every score an experiment has so far.

    Example: `sprachbund scores sandbox --format json | jq '.[] | select(.kind == "task")'`
    """
    if page is not None:
        _write_page(experiment, page)
        return
    from pipeline.commands.answers import score_tables
    from pipeline.looking.scores import finished_scores, finished_trainings, scores_csv, scores_json

    records = finished_scores(experiment)
    if form is ScoreFormat.JSON:
        tell(scores_json(records).rstrip("\n"), sys.stdout)
    elif form is ScoreFormat.CSV:
        sys.stdout.write(scores_csv(records))
    elif records:
        for table in score_tables(records, finished_trainings(experiment)):
            _print(table)
    else:
        tell(f"no scores yet: sprachbund run {experiment}")


def _write_page(experiment: str, folder: Path) -> None:
    """Write `<study>.json` and `<study>.md`."""
    from pipeline.looking.results import snapshot
    from pipeline.reporting.results_page import write_pages

    found = snapshot(experiment)
    found.write(folder / f"{found.study}.json")
    write_pages(folder, [])
    tell(f"Written: {folder / found.study}.json and .md", sys.stdout)


def show(
    artifact: Annotated[Path, typer.Argument(help="Folder of an artifact, as `plan` prints it.")],
    records: Annotated[int, typer.Option(help="Sample records of each file.", min=0)] = 3,
) -> None:
    """Show a stage's manifest and a few of its records.

    Example: `sprachbund show artifacts/Bitext/hub-sis-*`
    """
    from pipeline.looking.planning import describe_artifact

    for line in describe_artifact(artifact, samples=records):
        _print(line)


def _print(renderable: object) -> None:
    terminal(soft_wrap=isinstance(renderable, str)).print(renderable)
