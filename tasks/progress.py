"""How long work tells how far it is."""

from collections.abc import Callable
from typing import Protocol

LinesDone = Callable[[int, int], None]
"""Called with lines done and lines in all."""


class Progress(Protocol):
    """Called with the share that is done (0 to 1) and a status line for people."""

    def __call__(self, share: float, message: str, *, milestone: bool = False) -> None:
        """Pass on how far it is; a milestone is shown even right after another line."""
        ...
