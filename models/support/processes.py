"""Run a child process: list argv, no shell, every line logged, exit code checked."""

import ctypes
import os
import re
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from models.support.errors import OutOfMemoryError, ProcessError

TAIL_LINES = 15
PR_SET_PDEATHSIG = 1
NO_MEMORY = re.compile(r"out of memory|can't allocate memory|^MemoryError|bad_alloc", re.IGNORECASE)


class ChildRun(NamedTuple):
    """What is worth recording of one finished child process."""

    argv: list[str]
    seconds: float


def python_module(module: str, *arguments: str | Path) -> list[str]:
    """Build the argv that runs a module of this project in a fresh interpreter.

    `-P` keeps the working folder off the module path: a user's folder may well hold a `models/`.
    """
    return [sys.executable, "-P", "-m", module, *map(str, arguments)]


class Output:
    """What a child says: logged and followed line by line, searched for the cause if it fails."""

    def __init__(
        self, argv: Sequence[str], log: Path, on_line: Callable[[str], None] | None = None
    ) -> None:
        self._argv, self._log, self._on_line = list(argv), log, on_line
        self._tail: deque[str] = deque(maxlen=TAIL_LINES)
        self._killed_before = _killed_for_memory()
        self._starved = False
        self._started = time.monotonic()

    def follow(self, lines: Iterable[str]) -> None:
        """Append lines to the log and hand them on as they come."""
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("a", encoding="utf-8", buffering=1) as sink:
            for line in lines:
                sink.write(line)
                self._tail.append(line.rstrip())
                self._starved = self._starved or bool(NO_MEMORY.search(line))
                if self._on_line is not None:
                    self._on_line(line)

    def finish(self, code: int) -> ChildRun:
        """Raise ProcessError or OutOfMemoryError with the log's tail unless the child did well."""
        if code != 0:
            # itself, or one of its own children
            starved = self._starved or _killed_for_memory() > self._killed_before
            error = OutOfMemoryError if starved else ProcessError
            raise error(_describe_failure(self._argv, code, self._log, self._tail))
        return ChildRun(self._argv, round(time.monotonic() - self._started, 2))


@contextmanager
def running(
    argv: Sequence[str], *, environment: Mapping[str, str] | None = None, stdin: int
) -> Iterator[subprocess.Popen[str]]:
    """Give a running child whose output can be read; it is killed if the block fails."""
    with subprocess.Popen(
        list(argv),
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
        env={**os.environ, **(environment or {})},
    ) as child:
        try:
            yield child
        except BaseException:
            child.kill()
            raise


def run_child(
    argv: Sequence[str],
    log: Path,
    *,
    on_line: Callable[[str], None] | None = None,
    environment: Mapping[str, str] | None = None,
) -> ChildRun:
    """Run a child to its end, appending its output to `log` and feeding each line to `on_line`.

    Raises ProcessError with the log's tail when the child exits non-zero or is killed,
    OutOfMemoryError when that was for want of memory.
    """
    output = Output(argv, log, on_line)
    with running(argv, environment=environment, stdin=subprocess.DEVNULL) as child:
        output.follow(child.stdout or ())
    return output.finish(child.returncode)


def leave_signals_to_parent() -> None:
    """Let Ctrl-C pass by this process and its children; SIGTERM ends it at once.

    For a worker process of a run: the terminal sends Ctrl-C to all, and the run stops its workers.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def die_with_parent() -> None:
    """Ask the kernel to end this process when its parent dies (Linux; elsewhere a no-op).

    An orphaned training would otherwise go on writing checkpoints beside the run that resumes it.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def dying_with_parent(argv: Sequence[str]) -> list[str]:
    """Return the argv that runs a foreign program which ends when its parent dies."""
    return [*python_module("models.support.processes"), *argv]


def _killed_for_memory() -> int:
    """Return how many processes this machine has killed for want of memory; 0 where none tells."""
    try:
        counters = Path("/proc/vmstat").read_text(encoding="ascii")
    except OSError:
        return 0
    return sum(int(n) for name, n in map(str.split, counters.splitlines()) if name == "oom_kill")


def _describe_failure(argv: Sequence[str], code: int, log: Path, tail: Sequence[str]) -> str:
    how = f"was killed by signal {-code}" if code < 0 else f"exited with {code}"
    command = " ".join(argv[:6]) + (" ..." if len(argv) > 6 else "")
    return f"{command}\n  {how}; full log: {log}\n  its last lines:\n" + "\n".join(
        f"    {line}" for line in tail
    )


if __name__ == "__main__":
    die_with_parent()  # the kernel keeps that over the change of program
    os.execvp(sys.argv[1], sys.argv[1:])  # noqa: S606
