"""The lines of a text file as they stand; what is no UTF-8 text is an error with its place."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from shlex import quote

from models.support.errors import SourceError
from tasks.sources.encoding import check_encoding
from tasks.sources.packing import plain_name

MAX_FIELD_CHARACTERS = 1_000_000
MAX_LINE_BYTES = 4 * MAX_FIELD_CHARACTERS
MANY_CARRIAGE_RETURNS = 20


def read_lines(path: Path, name: str) -> Iterator[str]:
    """Yield decoded lines without their ending; only `\\n` and `\\r\\n` end a line.

    A byte order mark at the beginning is no text. A file without line ends is an error, not memory.
    """
    with path.open("rb") as stream:
        lines = iter(partial(stream.readline, MAX_LINE_BYTES + 1), b"")
        for number, raw in enumerate(lines, start=1):
            if b"\r" in raw:
                _refuse_old_line_ends(raw, number, name)
            yield _decoded(raw, number, path, name).removesuffix("\n").removesuffix("\r")


def carriage_return(path: Path) -> int | None:
    """Return the first line with a carriage return (CR) inside, which may have ended a line."""
    with path.open("rb") as stream:
        for number, raw in enumerate(stream, start=1):
            if _inner_returns(raw):
                return number
    return None


def conversion_of_line_ends(name: str) -> str:
    """Return the command that makes line ends of what ended lines on old Macs."""
    file = Path(plain_name(Path(name).name))
    new = f"{file.stem}.lf{file.suffix}"
    return rf"tr '\r' '\n' < {quote(file.name)} > {quote(new)}"


def _inner_returns(raw: bytes) -> int:
    return raw.removesuffix(b"\n").removesuffix(b"\r").count(b"\r")


def _refuse_old_line_ends(raw: bytes, number: int, name: str) -> None:
    """Raise SourceError where CR alone ends the lines: all in one line, or many in one."""
    inner = _inner_returns(raw)
    whole = number == 1 and not raw.endswith(b"\n")
    if inner and (whole or inner >= MANY_CARRIAGE_RETURNS):
        raise SourceError(
            f"{name}: line {number}: its lines end with CR alone; convert with: "
            + conversion_of_line_ends(name)
        )


def _decoded(raw: bytes, number: int, path: Path, name: str) -> str:
    """Return a line as text; raise SourceError for what no line of UTF-8 text is."""
    if len(raw) > MAX_LINE_BYTES:
        raise SourceError(
            f"{name}: line {number} is longer than {MAX_LINE_BYTES:,} bytes; expected one record a "
            "line, ended by \\n or \\r\\n: cut it, or look at the line ends"
        )
    try:
        text = raw.decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError as error:
        check_encoding(path, name)  # says which one it looks like
        raise SourceError(f"{name}: line {number} is not UTF-8: {error}") from error
    if "\0" in text:
        check_encoding(path, name)
        raise SourceError(
            f"{name}: line {number} holds a NUL byte, which no text does; take the byte out"
        )
    return text
