"""Refuse text that is not UTF-8 and say which encoding it looks like; nothing is converted."""

import codecs
import re
import shlex
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

from models.support.errors import SourceError
from tasks.sources.packing import packed_by_name, plain_name, refuse_binary

SAMPLE_BYTES = 65_536
SAMPLE_LINES = 1000
EXCERPT_BYTES = 24
GUESSES = 5
COMMON = ("cp1252", "cp1250", "cp1251", "koi8_r", "cp1253", "cp1254", "cp1255", "cp1256",
          "iso8859_2", "iso8859_5", "iso8859_7", "iso8859_9")  # fmt: skip
MIXED_WORD = re.compile(rb"[A-Za-z][\xc0-\xff]|[\xc0-\xff][A-Za-z]")
"""A letter of ASCII beside another, which is what words of Latin letters with marks have."""
WORD = re.compile(r"[^\s!-/:-@\[-`{-~‘’“”„‚«»‹›–—…·°§€£\xa0]+")
"""What stands between white space and common marks."""


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
    excerpt = _telling(wrong, codes)
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


def _telling(wrong: Sequence[tuple[int, int, bytes]], codes: Sequence[str]) -> bytes:
    """Return a piece of the first line that most encodings read in a way of their own."""
    excerpts = [line[max(0, at - EXCERPT_BYTES) : at + EXCERPT_BYTES] for _, at, line in wrong]
    return max(excerpts, key=lambda piece: len({piece.decode(x, "replace") for x in codes}))


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

    Common ones that make words of it come before the rare siblings of a guess from statistics,
    which short text misleads. Of those that read it alike, the first alone.
    """
    from charset_normalizer import from_bytes

    common = [code for code in COMMON if _makes_words(wrong, code)]
    common.sort(key=lambda code: -sum(map(str.islower, wrong.decode(code))))
    guessed = [match.encoding for match in list(from_bytes(wrong))[:GUESSES]]
    readings: dict[str, str] = {}
    for code in (*common, *guessed):
        readings.setdefault(wrong.decode(code, "replace"), code)
    codes = list(readings.values())[:GUESSES]
    return [codecs.lookup(code).name.upper().replace("_", "-") for code in codes]


def _makes_words(wrong: bytes, code: str) -> bool:
    """Say whether an encoding makes words of all bytes: of one script, and in regular case.

    Words of Latin letters with marks hold some without, beside them.
    """
    try:
        words = WORD.findall(wrong.decode(code))
    except UnicodeDecodeError:
        return False
    odd = [word for word in words if not word.isascii()]
    letters = [[c for c in word if not c.isascii()] for word in odd]
    return (
        bool(odd)
        and all(c.isalpha() for inner in letters for c in inner)
        and all(len({_script(c) for c in word if c.isalpha()}) == 1 for word in odd)
        and all(word in (word.lower(), word.upper(), word.capitalize()) for word in odd)
        and (_script(letters[0][0]) != "LATIN" or MIXED_WORD.search(wrong) is not None)
    )


def _script(letter: str) -> str:
    return unicodedata.name(letter, "?").split()[0]


def _conversion(code: str, name: str) -> str:
    file = Path(plain_name(Path(name).name))
    old, new = shlex.quote(file.name), shlex.quote(f"{file.stem}.utf8{file.suffix}")
    packed = " it, unpacked," if packed_by_name(name) else ""
    return f"convert{packed} with: iconv -f {code} -t UTF-8 {old} > {new}"
