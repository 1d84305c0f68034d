"""Commands for several processes and hosts: scheduler, worker."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from pipeline.commands.options import Experiment


def scheduler(
    address: Annotated[str, typer.Option(help="Address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen at.", min=1, max=65535)] = 8082,
    socket: Annotated[
        Path | None, typer.Option(help="Listen at this Unix socket instead: for a proxy.")
    ] = None,
) -> None:
    """Run the scheduler that workers on this and other hosts share, with Luigi's pages.

    It listens on this machine alone: it has no password, and whoever reaches it can stop the work.
    State and history lie in `.scheduler` of the store, so it may be stopped and started again.

    Example: `sprachbund scheduler --port 8082`, then http://127.0.0.1:8082 in a browser
    """
    from pipeline.running import scheduling

    if socket is None and not scheduling.is_local(address):
        sys.stderr.write(scheduling.warning(address))
    scheduling.serve(address, port, socket)


def worker(
    experiment: Experiment,
    scheduler: Annotated[str, typer.Option(help="HOST:PORT or URL of the scheduler.")],
    resources: Annotated[
        str | None,
        typer.Option(help="What it has, e.g. cpu=2,gpu=1; by default all there is."),
    ] = None,
) -> None:
    """Work for a shared scheduler, one stage at a time, until the experiment is finished.

    Start as many as you like, here or on hosts that share the store's folder. A worker takes the
    stages that it has the resources for, and uses that many processors. One that dies or is cut
    off loses nothing: what it had begun, another resumes.

    Example: `sprachbund worker nusa --scheduler 10.0.0.1:8082 --resources cpu=8,gpu=1`
    """
    from pipeline.running import building
    from pipeline.running.workers import Crew
    from pipeline.stages.report import Report

    crew = Crew.of_this_machine() if resources is None else Crew.described(resources)
    building.run([Report(experiment=experiment)], scheduler=scheduler, crew=crew)
    sys.stderr.write("the experiment is finished\n")
