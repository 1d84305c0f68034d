"""Commands that look and build nothing: plan, scores, show."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from pipeline.commands.running import Experiment


class ScoreFormat(StrEnum):
    """How `scores` prints."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


def plan(experiment: Experiment) -> None:
    """Show the DAG as a tree: what is done, what is missing, and where the artifacts lie.

    Example: `sprachbund plan nusa`
    """
    from rich.console import Console

    from pipeline.planning import plan_tree

    tree, done, total = plan_tree(experiment)
    console = Console(soft_wrap=True)
    console.print(tree, crop=False, no_wrap=True, overflow="ignore")
    console.print(f"{done} of {total} stages are done")


def scores(
    experiment: Experiment,
    form: Annotated[ScoreFormat, typer.Option("--format", help="Output form.")] = ScoreFormat.TABLE,
) -> None:
    """Print every score an experiment has so far.

    Example: `sprachbund scores sandbox --format json | jq '.[] | select(.kind == "task")'`
    """
    from pipeline.commands.answers import score_tables
    from pipeline.scoring import finished_scores, finished_trainings, scores_csv, scores_json

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


def show(
    artifact: Annotated[Path, typer.Argument(help="Folder of an artifact, as `plan` prints it.")],
    records: Annotated[int, typer.Option(help="Sample records of each file.", min=0)] = 3,
) -> None:
    """Show a stage's manifest and a few of its records.

    Example: `sprachbund show artifacts/Bitext/hub-sis-*`
    """
    from pipeline.planning import describe_artifact

    for line in describe_artifact(artifact, samples=records):
        _print(line)


def _print(renderable: object) -> None:
    from rich.console import Console

    Console(soft_wrap=isinstance(renderable, str)).print(renderable)
