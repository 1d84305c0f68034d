"""Refuse text that is not UTF-8 and say which encoding it looks like; nothing is converted."""

import codecs
import shlex
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from models.errors import SourceError

SAMPLE_BYTES = 65_536
SAMPLE_LINES = 1000


def check_encoding(path: Path, name: str) -> None:
    """Read a file called `name` to its last byte; raise SourceError unless it is UTF-8."""
    with path.open("rb") as stream:
        head = stream.read(SAMPLE_BYTES)
        if code := _utf_16(head):
            raise SourceError(f"{name}: not UTF-8, but {_advice(code, name)}")
        stream.seek(0)
        wrong = list(islice(_undecodable(stream), SAMPLE_LINES))
    if wrong:
        number, place, line = wrong[0]
        code = _guess(b"".join(line for *_, line in wrong)[:SAMPLE_BYTES])
        raise SourceError(
            f"{name}: line {number} is not UTF-8 (byte {place + 1}: 0x{line[place]:02x}), "
            f"but {_advice(code, name)}"
        )


def _utf_16(head: bytes) -> str | None:
    """Return the UTF-16 that a file's first bytes look like: by their mark, or by their NULs."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if head.count(0) <= len(head) / 10:
        return None
    return "utf-16-le" if head[1::2].count(0) > head[::2].count(0) else "utf-16-be"


def _undecodable(lines: Iterable[bytes]) -> Iterator[tuple[int, int, bytes]]:
    """Yield number, first wrong place and bytes of each line that is not UTF-8."""
    for number, line in enumerate(lines, start=1):
        try:
            line.decode("utf-8")
        except UnicodeDecodeError as error:
            yield number, error.start, line


def _guess(wrong: bytes) -> str | None:
    from charset_normalizer import from_bytes

    best = from_bytes(wrong).best()
    return best.encoding if best else None


def _advice(encoding: str | None, name: str) -> str:
    if encoding is None:
        return "in no encoding that is recognised; is it text at all?"
    code = codecs.lookup(encoding).name.upper().replace("_", "-")
    file = Path(name.removesuffix(".gz"))
    old, new = shlex.quote(file.name), shlex.quote(f"{file.stem}.utf8{file.suffix}")
    unpack = "unpack it, " if name.endswith(".gz") else ""
    return (
        f"looks like {code} (a guess); {unpack}convert it, and look at what comes out:\n"
        f"  iconv -f {code} -t UTF-8 {old} > {new}"
    )
