"""The `sprachbund` command: its groups, and errors that a user can read."""

import sys

import typer

from models.support.errors import SprachbundError
from pipeline.commands import (
    exporting,
    inspecting,
    pairs,
    running,
    surveying,
    tasks,
    upkeep,
    watching,
    working,
)
from pipeline.console import tell

app = typer.Typer(
    name="sprachbund",
    help="Find out, for your language and your task, which way of using translation is worth it.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)

app.command("run")(running.run)
app.command("rerun")(running.rerun)
app.command("accept")(running.accept)
app.command("scheduler")(working.scheduler)
app.command("worker")(working.worker)
app.command("profile")(surveying.profile)
app.command("ready")(surveying.ready)
app.command("audit")(running.audit)
app.command("plan")(inspecting.plan)
app.command("explain")(inspecting.explain)
app.command("diff")(inspecting.diff)
app.command("compare")(inspecting.compare)
app.command("scores")(inspecting.scores)
app.command("status")(watching.status)
app.command("open")(watching.open_report)
app.command("export")(exporting.export)
app.command("show")(inspecting.show)
app.command("translate")(running.translate)
app.command("cost")(upkeep.cost)
app.command("verify")(upkeep.verify)
app.command("gc")(upkeep.gc)
app.add_typer(pairs.app, name="pair")
app.add_typer(tasks.app, name="task")


def main() -> None:
    """Run the command; a problem that is the user's to solve ends without a traceback."""
    try:
        app()
    except SprachbundError as error:
        tell(f"error: {error}")
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
