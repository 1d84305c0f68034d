"""Options that take several values at once."""

from collections.abc import Collection, Iterable, Iterator
from typing import Any

from typer.core import TyperCommand


class SeveralValues(TyperCommand):
    """A command whose repeatable options take several values at once: `--parallel A B`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Give each value an option of its own, which is all that typer reads."""
        options = {name for p in self.params if getattr(p, "multiple", False) for name in p.opts}
        return super().parse_args(ctx, list(_one_each(args, options)))


def _one_each(arguments: Iterable[str], options: Collection[str]) -> Iterator[str]:
    option, valued = None, False
    for argument in arguments:
        if argument.startswith("-"):
            name, valued = argument.split("=")[0], "=" in argument
            option = name if name in options else None
        elif option and valued:
            yield option
        else:
            valued = True
        yield argument
