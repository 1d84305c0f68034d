"""Commands that look at a run and at its report: status, open."""

import sys
from typing import Annotated

import typer

from models.support.errors import StageError
from pipeline.commands.options import Experiment, Form, Format
from pipeline.console import print_json, tell


def status(
    experiment: Experiment,
    form: Format = Form.TABLE,
    watch: Annotated[bool, typer.Option("--watch", help="Show it anew until Ctrl-C.")] = False,
    every: Annotated[float, typer.Option(help="Seconds between two looks.", min=1)] = 5.0,
) -> None:
    """Show what runs, what has stopped, what may run next, and how long the rest will take.

    Reads the store and writes nothing, so it sees a run of another process or of a host that shares
    the folder. The time left is that of earlier builds; loss and tokens/s are a training's latest.

    Example: `sprachbund status nusa --watch`
    """
    from pipeline.commands.answers import print_grids
    from pipeline.looking import watching

    if watch and form is Form.JSON:
        raise StageError("--watch shows a table; call `status --format json` as often as you like")
    if watch:
        _keep_showing(experiment, every)
        return
    found = watching.watch(experiment)
    if form is Form.JSON:
        print_json([stage.as_record() for stage in found])
        return
    print_grids([watching.status_grid(found, experiment)])


def _keep_showing(experiment: str, every: float) -> None:
    """Show the status until everything is done or Ctrl-C."""
    import time

    from rich.live import Live

    from pipeline.commands.answers import as_table
    from pipeline.console import terminal
    from pipeline.looking import watching

    with Live(console=terminal(), auto_refresh=False) as live:
        try:
            while True:
                found = watching.watch(experiment)
                live.update(as_table(watching.status_grid(found, experiment)), refresh=True)
                if all(stage.state == "done" for stage in found):
                    return
                time.sleep(every)
        except KeyboardInterrupt:
            return


def open_report(
    experiment: Experiment,
    show: Annotated[
        bool, typer.Option("--browser/--print", help="Open it, or print its path alone.")
    ] = True,
) -> None:
    """Open a finished study's report in the browser, and print where it lies.

    Example: `sprachbund open nusa`
    """
    import webbrowser

    from pipeline.stages.report import Report

    report = Report(experiment=experiment)
    if not report.usable():
        raise StageError(f"{report.title} is not built yet: sprachbund run {experiment}")
    path = report.artifact.path("report.html")
    tell(str(path), sys.stdout)
    if show and not webbrowser.open(path.as_uri()):
        tell("there is no browser here: open that file where there is one")
