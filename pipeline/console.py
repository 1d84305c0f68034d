"""What a person sees while stages run: one line when a stage starts, moves, ends or fails."""

import sys
import time
import traceback
from multiprocessing import Value
from types import TracebackType
from typing import Any

from models.support.errors import SprachbundError

SECONDS_BETWEEN_LINES = 10.0
SECONDS_OF_SILENCE = 30.0


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
                traceback.print_exception(error)

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
    sys.stderr.write(f"{time.strftime('%H:%M:%S')}  {event:<6} {text}\n")
    sys.stderr.flush()
