"""The one tree of errors a user may see: what is wrong, where, what was expected, what to do."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NO_SPACE = (errno.ENOSPC, errno.EDQUOT)


class SprachbundError(Exception):
    """Base of every error that is the user's to read, printed without a traceback."""

    exit_code = 1


class SpecError(SprachbundError):
    """An experiment, pair or task manifest is not valid; all problems of the file at once."""


class SourceError(SprachbundError):
    """A source cannot be fetched or read: address, checksum, column, encoding, line counts."""


class LeakError(SprachbundError):
    """Held-out text stands in text to be trained on: by the policy an error, or all there is."""


class ContractError(SprachbundError):
    """A stage lost, repeated, reordered or invented a sentence id."""


class ProcessError(SprachbundError):
    """A child process failed; carries the tail of its log."""


class OutOfMemoryError(ProcessError):
    """A child process failed because there was no memory for it."""


class StoppedError(SprachbundError):
    """A signal asked for an end: Ctrl-C, or SIGTERM; the exit code is a shell's for that signal."""

    def __init__(self, signal_number: int) -> None:
        super().__init__("stopped; what is finished stays, and the same command goes on from here")
        self.exit_code = 128 + signal_number


class StageError(SprachbundError):
    """A stage of the DAG failed or was asked for by a name that does not exist."""


class DiskFullError(SprachbundError):
    """The disk that is written to has no space left."""


@contextmanager
def naming_full_disk(folder: Path) -> Iterator[None]:
    """Turn "no space left", from whichever library or child process, into a DiskFullError."""
    try:
        yield
    except Exception as error:
        number = error.errno if isinstance(error, OSError) else None
        # Libraries in C++ and Rust, and the logs of child processes, keep the words alone.
        if number not in NO_SPACE and "no space left on device" not in str(error).lower():
            raise
        raise DiskFullError(
            f"{folder}: no space left on the disk; free some and run again, what is finished stays"
        ) from error
