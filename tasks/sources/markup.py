"""Read marked-up text: translation memories (TMX) and Bibles (USFM, CES XML), verse by verse.

XML is parsed with defusedxml, which refuses entities: no file can expand or reach out. For USFM no
small maintained library exists; a verse's plain text needs only what stands here.
"""

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import regex

from models.support.errors import SourceError

XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"

TMX_CODES = {"bpt", "ept", "it", "ph", "ut"}
"""Elements of a segment that hold codes, not text; `hi` holds text."""

NEW_TESTAMENT = [
    *("MAT", "MRK", "LUK", "JHN", "ACT", "ROM", "1CO", "2CO", "GAL", "EPH", "PHP", "COL", "1TH"),
    *("2TH", "1TI", "2TI", "TIT", "PHM", "HEB", "JAS", "1PE", "2PE", "1JN", "2JN", "3JN", "JUD"),
    "REV",
]
CES_NAMES = {"MAR": "MRK", "JOH": "JHN", "PHI": "PHP", "JAM": "JAS"} | {
    f"{n}JO": f"{n}JN" for n in (1, 2, 3)
}
BOOK_NUMBERS = {book: number for number, book in enumerate(NEW_TESTAMENT, start=40)}

CES_ID = regex.compile(r"\w+\.(\w+)\.(\d+)\.(\d+)")
NOTE = regex.compile(r"\\(f|x|fe|fig|rq)\s.*?\\\1\*", regex.DOTALL)
ATTRIBUTES = regex.compile(r"\|[^\\]*(?=\\\+?[a-z]+[0-9]*\*)")
MILESTONE = regex.compile(r"\\[a-z][a-z-]*[0-9]*(?:-[se])?\b[^\\]*\\\*")
CHARACTER_STYLE = regex.compile(r"\\\+?[a-z]+[0-9]*\*")
VERSE = regex.compile(r"\\v\s+(?P<first>\d+)[a-z]?(?:[-,](?P<last>\d+)[a-z]?)?\s*")
CHAPTER = regex.compile(r"\\c\s+(\d+)")
BOOK = regex.compile(r"\\id\s+(\w{3})")
HEADING = regex.compile(
    r"^\\(?:s\d?|ms\d?|mr|r|d|sp|rem|h|mte?\d?|sr|sd\d?|ide|toc\d|cl|cp)\b.*$", regex.MULTILINE
)
MARKER = regex.compile(r"\\\+?[a-z]+[0-9]*\s?")

Verses = dict[range, str]
"""Verses by number: book times 1,000,000 + chapter times 1,000 + verse; some hold several."""


def read_tmx(path: Path, name: str, wanted: Collection[str]) -> Iterator[Mapping[str, object]]:
    """Yield one record per translation unit: its `tuid`, or its number, and its text by language.

    A unit without one of the wanted languages has an empty text there. Raises SourceError for a
    language that no unit has.
    """
    found: set[str] = set()
    for number, unit in enumerate(_elements(path, name, "tu"), start=1):
        record = {**dict.fromkeys(wanted, ""), "tuid": unit.get("tuid") or f"unit-{number}"}
        for variant in unit.iter("tuv"):
            language = str(variant.get(XML_LANG) or variant.get("lang"))
            found.add(language)
            segment = variant.find("seg")
            record[language] = "" if segment is None else _text_beside_codes(segment)
        yield record
    if missing := [language for language in wanted if language not in found]:
        raise SourceError(
            f"{name}: no unit is in {missing[0]!r}; found {', '.join(map(repr, sorted(found)))}"
        )


def _text_beside_codes(segment: Any) -> str:
    """Return the text of a segment without what stands in codes of the format it came from."""
    parts = [segment.text or ""]
    for element in segment:
        if element.tag not in TMX_CODES:
            parts.append(_text_beside_codes(element))
        parts.append(element.tail or "")
    return "".join(parts)


def read_verses(path: Path, name: str) -> Verses:
    """Return the verses of a Bible book or a whole Bible, USFM or CES XML by its suffix."""
    return _ces_verses(path, name) if path.suffix == ".xml" else _usfm_verses(path, name)


def verse_key(verses: range) -> str:
    """Return the key of a verse, `40001001`, or of several in one, `40001001-40001002`."""
    first, last = verses.start, verses.stop - 1
    return f"{first}" if first == last else f"{first}-{last}"


def align_verses(sides: list[Verses]) -> Iterator[tuple[range, list[str]]]:
    """Yield the verses that every side has; where one side merges verses, all are merged."""
    owners = [{verse: span for span in side for verse in span} for side in sides]
    done = 0
    for verse in sorted(set(owners[0]).intersection(*owners[1:])):
        if verse < done:
            continue
        span = range(verse, verse + 1)
        while (wider := _widen(span, owners)) != span:
            span = wider
        done = span.stop
        if all(set(span) <= owner.keys() for owner in owners):
            yield (
                span,
                [_joined(side, owner, span) for side, owner in zip(sides, owners, strict=True)],
            )


def _widen(span: range, owners: list[dict[int, range]]) -> range:
    touched = [owner[verse] for owner in owners for verse in span if verse in owner]
    return range(min(t.start for t in touched), max(t.stop for t in touched))


def _joined(side: Verses, owner: Mapping[int, range], span: range) -> str:
    return " ".join(side[part] for part in dict.fromkeys(owner[verse] for verse in span))


def _ces_verses(path: Path, name: str) -> Verses:
    verses: Verses = {}
    for segment in _elements(path, name, "seg"):
        if segment.get("type") == "verse":
            mark = CES_ID.fullmatch(str(segment.get("id")))
            if mark is None:
                found = segment.get("id")
                raise SourceError(f"{name}: verse id {found!r}, expected b.BOOK.CHAPTER.VERSE")
            number = _number(CES_NAMES.get(mark[1], mark[1]), int(mark[2]), int(mark[3]), name)
            text = " ".join("".join(segment.itertext()).split())
            if text:
                verses[range(number, number + 1)] = text
    return verses


def _usfm_verses(path: Path, name: str) -> Verses:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise SourceError(
            f"{name}: line {line} is not valid UTF-8; re-encode the file as UTF-8"
        ) from error
    book = BOOK.search(text)
    if book is None:
        raise SourceError(f"{name}: no \\id line; is this USFM?")
    verses: Verses = {}
    text = HEADING.sub("", NOTE.sub("", text[book.end() :]))
    text = MILESTONE.sub("", ATTRIBUTES.sub("", text))
    _, *chapters = CHAPTER.split(text)
    for chapter, body in zip(chapters[::2], chapters[1::2], strict=True):
        marks = list(VERSE.finditer(body))
        ends = [mark.start() for mark in marks[1:]] + [len(body)]
        for mark, end in zip(marks, ends, strict=True):
            first, last = int(mark["first"]), int(mark["last"] or mark["first"])
            plain = MARKER.sub(" ", CHARACTER_STYLE.sub("", body[mark.end() : end]))
            if last < first:
                raise SourceError(f"{name}: chapter {chapter}, verse {first}-{last} runs backwards")
            start = _number(book[1], int(chapter), first, name)
            span = range(start, start + last - first + 1)
            if plain := " ".join(plain.split()):  # `2a` and `2b` are one verse
                verses[span] = f"{verses[span]} {plain}" if span in verses else plain
    return verses


def _number(book: str, chapter: int, verse: int, name: str) -> int:
    if book not in BOOK_NUMBERS:
        raise SourceError(f"{name}: {book!r} is no book of the New Testament")
    return BOOK_NUMBERS[book] * 1_000_000 + chapter * 1_000 + verse


def _elements(path: Path, name: str, tag: str) -> Iterator[Any]:
    """Yield the elements of one tag as they end; each is forgotten afterwards."""
    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import ParseError, iterparse

    open_elements: list[Any] = []
    try:
        for event, element in iterparse(path, events=("start", "end")):
            if event == "start":
                open_elements.append(element)
                continue
            open_elements.pop()
            if element.tag == tag:
                yield element
                element.clear()
                if open_elements:
                    open_elements[-1].remove(element)
    except ParseError as error:
        raise SourceError(f"{name}: not well-formed XML: {error}") from error
    except DefusedXmlException as error:
        raise SourceError(f"{name}: XML that declares entities is not read: {error}") from error
