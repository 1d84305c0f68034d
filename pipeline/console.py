"""What a person sees: a line when a stage starts, moves, ends or fails; text that is safe to show.

Whatever may hold text of somebody's data goes to the terminal through this module.
"""

import json
import sys
import time
import traceback
from multiprocessing import Value
from types import TracebackType
from typing import TYPE_CHECKING, Any, TextIO

import regex

from models.support.errors import SprachbundError

if TYPE_CHECKING:
    from rich.console import Console

SECONDS_BETWEEN_LINES = 10.0
SECONDS_OF_SILENCE = 30.0
UNSAFE = regex.compile(
    # C0 but for tab and newline, DEL, C1; bidirectional controls; other line ends; lone surrogates
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u206f"
    r"\u2028\u2029\ufeff\ufff9-\ufffb\ud800-\udfff]"
    # joiners that join nothing; in words (Persian, Sinhala) and emoji they are part of the text
    r"|(?<![\p{L}\p{M}\p{N}\p{So}\p{Sk}])[\u200c\u200d]"
)
"""What moves the cursor, turns the order of text round, or hides: escaped, as in JSON."""


def visible(text: str) -> str:
    """Return text whose control characters a terminal prints as `\\u001b`, and obeys no more.

    What JSON has in a string it still has: escapes there mean the same.
    """
    return UNSAFE.sub(_escaped, text)


def in_a_line(text: str) -> str:
    """Return text as `visible` does, in one line: a cell of a table, an excerpt."""
    return visible(text).replace("\t", "\\t").replace("\n", "\\n")


def _escaped(found: "regex.Match[str]") -> str:
    return f"\\u{ord(found[0]):04x}"


def tell(text: str, stream: TextIO | None = None) -> None:
    """Write lines for people, to standard error unless told otherwise."""
    stream = stream or sys.stderr
    stream.write(f"{visible(text)}\n")
    stream.flush()


def print_json(value: Any, *, indent: int = 1) -> None:
    """Write a value to standard output as JSON that a terminal, too, can be shown."""
    tell(json.dumps(value, indent=indent, ensure_ascii=False), sys.stdout)


def terminal(**options: Any) -> "Console":
    """Return a console that shows no control character of what it is given."""
    from collections.abc import Iterable

    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.segment import Segment

    class Terminal(Console):
        """Escapes what is printed, but not the codes for colours, which rich adds later."""

        def render(
            self, renderable: RenderableType, options: ConsoleOptions | None = None
        ) -> Iterable[Segment]:
            for segment in super().render(renderable, options):
                yield segment if segment.control else segment._replace(text=visible(segment.text))

    return Terminal(**options)


class Tally:
    """How many of a run's stages are finished; the forks that build them share the count."""

    total = 0
    finished: Any = None

    @classmethod
    def expect(cls, total: int) -> None:
        """Begin to count so many stages."""
        cls.total, cls.finished = total, Value("i", 0)

    @classmethod
    def count_one(cls) -> str:
        """Count a finished stage; return how many there are now, in words."""
        if cls.finished is None:
            return ""
        with cls.finished.get_lock():
            cls.finished.value += 1
            return f"  ({cls.finished.value} of {cls.total})"


class Reporter:
    """Tell the terminal and Luigi's scheduler how one stage is doing."""

    def __init__(self, stage: Any) -> None:
        self.stage = stage
        self.name = stage.title
        self.started = time.monotonic()
        self.last_line = self.started
        self.deaf_until = 0.0
        self.outcome = "done"

    def __enter__(self) -> "Reporter":
        say("start", self.name)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        seconds = time.monotonic() - self.started
        if error is None:
            say(self.outcome, f"{self.name}  {seconds:.1f} s{Tally.count_one()}")
        else:
            say("FAILED", f"{self.name}  after {seconds:.1f} s: {error}")
            if not isinstance(error, SprachbundError):
                tell("".join(traceback.format_exception(error)).rstrip("\n"))

    def found(self) -> None:
        """Note that another process has built the stage while this one waited."""
        self.outcome = "found"

    def progress(self, share: float, message: str, *, milestone: bool = False) -> None:
        """Pass progress on; the terminal gets a line every few seconds and at each milestone."""
        now = time.monotonic()
        self._tell_scheduler(share, message, now)
        if milestone or now - self.last_line >= SECONDS_BETWEEN_LINES:
            self.last_line = now
            say("...", f"{self.name}  {share:.0%}  {message}")

    def _tell_scheduler(self, share: float, message: str, now: float) -> None:
        """Pass progress on to the scheduler; one that does not answer is left alone for a while."""
        tell = getattr(self.stage, "set_status_message", None)
        if tell is None or now < self.deaf_until:
            return
        try:
            tell(message)
            self.stage.set_progress_percentage(round(100 * share))
        except Exception:  # whatever the network does, the stage goes on
            self.deaf_until = now + SECONDS_OF_SILENCE


def say(event: str, text: str) -> None:
    """Write one line to standard error, whole, so that several workers do not mix."""
    tell(f"{time.strftime('%H:%M:%S')}  {event:<6} {text}")
