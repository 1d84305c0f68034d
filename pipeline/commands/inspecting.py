"""Commands that look and build nothing: plan, explain, diff, scores, show."""

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from pipeline.commands.options import Experiment, Form, Format, Stage


class ScoreFormat(StrEnum):
    """How `scores` prints."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


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
    from rich.console import Console

    from pipeline.looking import planning

    planned = planning.plan(experiment)
    if form is TreeFormat.JSON:
        sys.stdout.write(json.dumps([stage.as_record() for stage in planned], indent=1) + "\n")
        return
    console = Console(soft_wrap=True)
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

    Compares with the newest earlier artifact of the same stage and label, and follows changed
    inputs down to where the change began.

    Example: `sprachbund explain nusa MtScores:bt`
    """
    from rich.console import Console

    from pipeline.dag import find_stages
    from pipeline.looking.causes import explain as explanation
    from pipeline.looking.planning import explanation_tree

    found = [explanation(one) for one in find_stages(experiment, stage)]
    if form is TreeFormat.JSON:
        records = [one.as_record() for one in found]
        sys.stdout.write(json.dumps(records, indent=1, ensure_ascii=False) + "\n")
        return
    console = Console(soft_wrap=True)
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

    one, other = comparing.load_run(first), comparing.load_run(second)
    recipe, counts = comparing.recipe_changes(one, other), comparing.count_changes(one, other)
    found = list(comparing.score_changes(one, other, resamples=resamples, seed=1))
    if form is Form.JSON:
        record = {
            "recipe": [change._asdict() for change in recipe],
            "counts": [change._asdict() for change in counts],
            "scores": [change.as_record() for change in found],
        }
        sys.stdout.write(json.dumps(record, indent=1, ensure_ascii=False) + "\n")
        return
    print_grids(change_grids(recipe, counts, found), remarks=() if recipe else ["Same recipe."])


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
        sys.stdout.write(scores_json(records))
    elif form is ScoreFormat.CSV:
        sys.stdout.write(scores_csv(records))
    elif records:
        for table in score_tables(records, finished_trainings(experiment)):
            _print(table)
    else:
        sys.stderr.write(f"no scores yet: sprachbund run {experiment}\n")


def _write_page(experiment: str, folder: Path) -> None:
    """Write `<study>.json` and `<study>.md`."""
    from pipeline.looking.results import snapshot
    from pipeline.reporting.results_page import write_pages

    found = snapshot(experiment)
    found.write(folder / f"{found.study}.json")
    write_pages(folder, [])
    sys.stdout.write(f"Written: {folder / found.study}.json and .md\n")


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
    from rich.console import Console

    Console(soft_wrap=isinstance(renderable, str)).print(renderable)
