"""Refuse text that is not UTF-8 and say which encoding it looks like; nothing is converted."""

import codecs
import re
import shlex
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from models.support.errors import SourceError
from tasks.sources.packing import packed_by_name, plain_name, refuse_binary

SAMPLE_BYTES = 65_536
SAMPLE_LINES = 1000
EXCERPT_BYTES = 24
GUESSES = 5
WESTERN_FAMILY = {
    *("cp1250", "cp1252", "cp1254", "cp1257", "cp1258", "latin_1", "iso8859_2", "iso8859_3"),
    *("iso8859_4", "iso8859_9", "iso8859_10", "iso8859_13", "iso8859_14", "iso8859_15"),
    *("iso8859_16", "mac_roman", "mac_latin2", "mac_iceland", "mac_turkish", "cp437", "cp775"),
    *("cp850", "cp852", "cp858", "cp860", "cp861", "cp863", "cp865", "cp500", "cp037", "cp1140"),
}
"""Encodings of Latin letters with marks that are taken for each other."""
MIXED_WORD = re.compile(rb"[A-Za-z][\xc0-\xff]|[\xc0-\xff][A-Za-z]")
"""A letter of ASCII beside another, which is what words of Latin letters with marks have."""
COMMON_MARKS = {*"‘’“”„‚«»‹›–—…·°§¿¡€£ºª•\xa0"}


def check_encoding(path: Path, name: str) -> None:
    """Read a file called `name` to its last byte; raise SourceError unless it is UTF-8."""
    refuse_binary(path, name)
    with path.open("rb") as stream:
        head = stream.read(SAMPLE_BYTES)
        if code := _wide(head):
            raise SourceError(
                f"{name}: line 1 is not UTF-8, it looks like {code}\n{_conversion(code, name)}"
            )
        stream.seek(0)
        wrong = list(islice(_undecodable(stream), SAMPLE_LINES))
    if not wrong:
        return
    number, place, line = wrong[0]
    where = f"{name}: line {number} is not UTF-8 (byte {place + 1}: 0x{line[place]:02x})"
    codes = _guesses(b"".join(line for *_, line in wrong)[:SAMPLE_BYTES])
    if not codes:
        raise SourceError(f"{where}, nor in an encoding that is recognised; is it text at all?")
    if len(codes) == 1:
        raise SourceError(f"{where}; it looks like {codes[0]}\n{_conversion(codes[0], name)}")
    excerpt = line[max(0, place - EXCERPT_BYTES) : place + EXCERPT_BYTES]
    readings = [f"  {code:<10}  {excerpt.decode(code, 'replace').strip()}" for code in codes]
    raise SourceError(
        "\n".join(
            [
                f"{where}; several encodings fit, {codes[0]} best; see which of these reads right:",
                *readings,
                f"{_conversion('CODE', name)}, with the right one as CODE",
            ]
        )
    )


def _wide(head: bytes) -> str | None:
    """Return the UTF-16 or UTF-32 that a file begins in: by its mark, or by where NULs stand."""
    if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "UTF-32"
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "UTF-16"
    if head.count(0) <= len(head) / 10:
        return None
    code = "UTF-16LE" if head[1::2].count(0) > head[::2].count(0) else "UTF-16BE"
    text = head[: len(head) // 2 * 2].decode(code, "replace")
    odd = sum(not (c.isprintable() or c.isspace()) or c == "\ufffd" for c in text)
    return code if odd <= len(text) / 20 else None


def _undecodable(lines: Iterable[bytes]) -> Iterator[tuple[int, int, bytes]]:
    """Yield number, first wrong place and bytes of each line that is not UTF-8."""
    for number, line in enumerate(lines, start=1):
        try:
            line.decode("utf-8")
        except UnicodeDecodeError as error:
            yield number, error.start, line


def _guesses(wrong: bytes) -> list[str]:
    """Return the encodings that the text may be in, the likeliest first, as iconv calls them.

    Of those that read it alike, the first alone. Western text is nearly always CP1252, which
    others of its family resemble, so where one of them fits, it comes first.
    """
    from charset_normalizer import from_bytes

    found = [match.encoding for match in list(from_bytes(wrong))[:GUESSES]]
    western = any(code in WESTERN_FAMILY for code in found) or MIXED_WORD.search(wrong)
    if western and _reads_as_words(wrong, "cp1252"):
        found.insert(0, "cp1252")
    readings = {code: wrong.decode(code, "replace") for code in found}
    first = {text: code for code, text in reversed(readings.items())}
    codes = [code for code in readings if first[readings[code]] == code]
    return [codecs.lookup(code).name.upper().replace("_", "-") for code in codes]


def _reads_as_words(wrong: bytes, code: str) -> bool:
    """Say whether an encoding makes letters and common marks of all bytes beyond ASCII."""
    try:
        text = wrong.decode(code)
    except UnicodeDecodeError:
        return False
    return all(c.isascii() or c.isalpha() or c in COMMON_MARKS for c in text)


def _conversion(code: str, name: str) -> str:
    file = Path(plain_name(Path(name).name))
    old, new = shlex.quote(file.name), shlex.quote(f"{file.stem}.utf8{file.suffix}")
    packed = " it, unpacked," if packed_by_name(name) else ""
    return f"convert{packed} with: iconv -f {code} -t UTF-8 {old} > {new}"
