"""Refuse text that is not UTF-8 and say which encoding it looks like; nothing is converted."""

import codecs
import shlex
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from models.support.errors import SourceError

SAMPLE_BYTES = 65_536
SAMPLE_LINES = 1000
EXCERPT_BYTES = 24
GUESSES = 5


def check_encoding(path: Path, name: str) -> None:
    """Read a file called `name` to its last byte; raise SourceError unless it is UTF-8."""
    with path.open("rb") as stream:
        head = stream.read(SAMPLE_BYTES)
        if code := _utf_16(head):
            raise SourceError(f"{name}: not UTF-8, it looks like {code}\n{_conversion(code, name)}")
        stream.seek(0)
        wrong = list(islice(_undecodable(stream), SAMPLE_LINES))
    if not wrong:
        return
    number, place, line = wrong[0]
    where = f"{name}: line {number} is not UTF-8 (byte {place + 1}: 0x{line[place]:02x})"
    codes = _guesses(b"".join(line for *_, line in wrong)[:SAMPLE_BYTES])
    if not codes:
        raise SourceError(f"{where}, nor in an encoding that is recognised; is it text at all?")
    excerpt = line[max(0, place - EXCERPT_BYTES) : place + EXCERPT_BYTES]
    readings = [f"  {code:<10}  {excerpt.decode(code, 'replace').strip()}" for code in codes]
    raise SourceError(
        "\n".join(
            [
                f"{where}; it looks like {codes[0]}, but see which of these reads right:",
                *readings,
                _conversion(codes[0], name),
            ]
        )
    )


def _utf_16(head: bytes) -> str | None:
    """Return the UTF-16 that a file's first bytes look like: by their mark, or by their NULs."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "UTF-16"
    if head.count(0) <= len(head) / 10:
        return None
    return "UTF-16LE" if head[1::2].count(0) > head[::2].count(0) else "UTF-16BE"


def _undecodable(lines: Iterable[bytes]) -> Iterator[tuple[int, int, bytes]]:
    """Yield number, first wrong place and bytes of each line that is not UTF-8."""
    for number, line in enumerate(lines, start=1):
        try:
            line.decode("utf-8")
        except UnicodeDecodeError as error:
            yield number, error.start, line


def _guesses(wrong: bytes) -> list[str]:
    """Return the encodings that the text may be in, the likeliest first, as iconv calls them."""
    from charset_normalizer import from_bytes

    return [
        codecs.lookup(match.encoding).name.upper().replace("_", "-")
        for match in list(from_bytes(wrong))[:GUESSES]
    ]


def _conversion(code: str, name: str) -> str:
    file = Path(name.removesuffix(".gz"))
    old, new = shlex.quote(file.name), shlex.quote(f"{file.stem}.utf8{file.suffix}")
    packed = " it, unpacked," if name.endswith(".gz") else ""
    return f"convert{packed} with: iconv -f {code} -t UTF-8 {old} > {new}"
