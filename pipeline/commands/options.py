"""Arguments and options that several commands share."""

from enum import StrEnum
from typing import Annotated

import typer

Experiment = Annotated[
    str, typer.Argument(help="Name in data_manifests/experiments, or path of a YAML file.")
]
Stage = Annotated[
    str, typer.Argument(help="STAGE or STAGE:LABEL-GLOB, e.g. TrainedModel:bt-1 or MtScores:b*.")
]
Workers = Annotated[
    int | None,
    typer.Option(
        help="Stages built at a time; by default one a processor, up to 4, and one with a GPU.",
        min=1,
    ),
]
Scheduler = Annotated[
    str | None,
    typer.Option(help="HOST:PORT or URL of a scheduler; without it, schedule in this process."),
]


class Form(StrEnum):
    """How a command prints."""

    TABLE = "table"
    JSON = "json"


Format = Annotated[Form, typer.Option("--format", help="Output form.")]
