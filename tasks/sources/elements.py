"""Stream the elements of an XML file, in the encoding that it declares.

Parsed with defusedxml, which refuses entities: no file can expand or reach out. Its parser reads
Unicode and single-byte encodings alone, so all but UTF-8 is decoded here and handed on as UTF-8.
"""

import codecs
import io
import re
import shlex
from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from models.support.errors import SourceError
from tasks.sources.encoding import check_encoding

HEAD_BYTES = 1024
DECLARED = re.compile(rb"<\?xml\b[^>]*?\bencoding\s*=\s*[\"']([^\"'>]+)[\"']")
MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
    b"<\0?\0": "utf-16-le",
    b"\0<\0?": "utf-16-be",
}
"""How a file begins that is in no other encoding, whatever it declares."""
WIDER = {
    "big5": "big5hkscs",
    "euc_kr": "cp949",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
}
"""Encodings whose names are given to text in a wider one, by which both are read (WHATWG)."""


def read_elements(path: Path, name: str, *tags: str) -> Iterator[Any]:
    """Yield the elements of some tags as they end; each is forgotten afterwards.

    A tag is known by its local name, in whatever namespace. Raises SourceError for a file that is
    not well-formed, declares entities, or is not in the encoding that it declares.
    """
    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import DefusedXMLParser, ParseError, iterparse

    declared, codec = _encoding(path, name)
    open_elements: list[Any] = []
    try:
        with path.open("rb") as raw:
            source = raw if codec == "utf-8" else _AsUtf8(raw, path, name, declared, codec)
            parser = DefusedXMLParser(encoding="utf-8")
            for event, element in iterparse(source, events=("start", "end"), parser=parser):
                if event == "start":
                    open_elements.append(element)
                    continue
                open_elements.pop()
                if local_tag(element) in tags:
                    yield element
                    element.clear()
                    if open_elements:
                        open_elements[-1].remove(element)
    except ParseError as error:
        if codec == "utf-8":
            check_encoding(path, name)
        raise SourceError(f"{name}: not well-formed XML: {error}") from error
    except DefusedXmlException as error:
        raise SourceError(f"{name}: XML that declares entities is not read: {error}") from error


def local_tag(element: Any) -> str:
    """Return the name of an element without its namespace."""
    return str(element.tag).rpartition("}")[2]


def text_of(element: Any, *, without: Collection[str]) -> str:
    """Return the text of an element, however deep, but for what stands in elements of some tags."""
    parts: list[str] = []
    pending = [element]
    while pending:
        item = pending.pop()
        if isinstance(item, str):
            parts.append(item)
        elif local_tag(item) not in without:
            parts.append(item.text or "")
            for child in reversed(item):
                pending += [child.tail or "", child]
    return "".join(parts)


class _AsUtf8:
    """A file in another encoding, read as UTF-8."""

    def __init__(self, raw: IO[bytes], path: Path, name: str, declared: str, codec: str) -> None:
        self.text = io.TextIOWrapper(raw, encoding=codec, newline="")
        self.path, self.name, self.declared, self.codec = path, name, declared, codec

    def read(self, size: int) -> bytes:
        """Return the next piece; raise SourceError where the declared encoding does not fit."""
        try:
            return self.text.read(size).encode("utf-8")
        except UnicodeError as error:
            where = f"line {number}" if (number := self._wrong_line()) else "its text"
            raise SourceError(
                f"{self.name}: {where} is not {self.declared}, which the file declares; once you "
                f"know its encoding, convert with: {_conversion(self.name, self.declared)}"
            ) from error

    def _wrong_line(self) -> int | None:
        """Return the first line that cannot be decoded, where lines can be told before that."""
        if self.codec.startswith("utf-"):
            return None
        with self.path.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                try:
                    line.decode(self.codec)
                except UnicodeError:
                    return number
        return None


def _encoding(path: Path, name: str) -> tuple[str, str]:
    """Return the encoding that a file declares, and the codec that reads it."""
    with path.open("rb") as stream:
        head = stream.read(HEAD_BYTES)
    if found := next((code for mark, code in MARKS.items() if head.startswith(mark)), None):
        return found, found
    mark = DECLARED.match(head.lstrip())
    declared = mark[1].decode("latin-1") if mark else "UTF-8"
    codec = _codec(declared)
    if codec is None:
        raise SourceError(_unknown(path, name, declared))
    # a declaration of wide characters that can be read in narrow ones is wrong
    return declared, "utf-8" if codec.startswith(("utf-16", "utf-32")) else codec


def _codec(declared: str) -> str | None:
    """Return Python's name of a text encoding, or None."""
    try:
        codec = codecs.lookup(declared).name.replace("-", "_")
        "".encode(codec)
    except (LookupError, ValueError, TypeError):  # no codec, or one that is none of text
        return None
    wide = WIDER.get(codec, codec)
    return codecs.lookup(wide).name


def _unknown(path: Path, name: str, declared: str) -> str:
    """Return what to do about an encoding of a name that says nothing."""
    problem = f"{name}: declares the encoding {declared!r}, which is not known"
    with suppress(SourceError):
        check_encoding(path, name)
        new = f"sed {_declaration(declared)} {_old(name)} > {_new(name)}"
        return f"{problem}; its bytes are UTF-8, so let it say so: {new}"
    return f"{problem}; once you know which it is, convert with: {_conversion(name, declared)}"


def _conversion(name: str, declared: str) -> str:
    iconv = f"iconv -f ENCODING -t UTF-8 {_old(name)}"
    return f"{iconv} | sed {_declaration(declared)} > {_new(name)}"


def _declaration(declared: str) -> str:
    return shlex.quote(f"1s|{declared}|UTF-8|")


def _old(name: str) -> str:
    return shlex.quote(Path(name).name)


def _new(name: str) -> str:
    return shlex.quote(f"{Path(name).stem}.utf8{Path(name).suffix}")
