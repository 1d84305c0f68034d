"""Bibles by verse: the books and their numbers, verses of one language, verses side by side."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from models.support.errors import SourceError

EXTRA_BOOKS = (
    "XXA", "XXB", "XXC", "XXD", "XXE", "XXF", "XXG", "FRT", "BAK", "OTH",
)  # fmt: skip
LISTS = (
    "INT", "CNC", "GLO", "TDX", "NDX",
)  # fmt: skip
BOOKS = (
    "GEN", "EXO", "LEV", "NUM", "DEU", "JOS", "JDG", "RUT", "1SA", "2SA", "1KI", "2KI", "1CH",
    "2CH", "EZR", "NEH", "EST", "JOB", "PSA", "PRO", "ECC", "SNG", "ISA", "JER", "LAM", "EZK",
    "DAN", "HOS", "JOL", "AMO", "OBA", "JON", "MIC", "NAM", "HAB", "ZEP", "HAG", "ZEC", "MAL",
    "MAT", "MRK", "LUK", "JHN", "ACT", "ROM", "1CO", "2CO", "GAL", "EPH", "PHP", "COL", "1TH",
    "2TH", "1TI", "2TI", "TIT", "PHM", "HEB", "JAS", "1PE", "2PE", "1JN", "2JN", "3JN", "JUD",
    "REV", "TOB", "JDT", "ESG", "WIS", "SIR", "BAR", "LJE", "S3Y", "SUS", "BEL", "1MA", "2MA",
    "3MA", "4MA", "1ES", "2ES", "MAN", "PS2", "ODA", "PSS", "JSA", "JDB", "TBS", "SST", "DNT",
    "BLT",
    *EXTRA_BOOKS,
    "3ES", "EZA", "5EZ", "6EZ",
    *LISTS,
    "DAG", "PS3", "2BA", "LBA", "JUB", "ENO", "1MQ", "2MQ", "3MQ", "REP", "4BA", "LAO",
)  # fmt: skip
"""The books of USFM in the order of their numbers, 1 and on: both Testaments, then all others."""
NOT_SCRIPTURE = frozenset((*EXTRA_BOOKS, *LISTS))
"""Front and back matter, indices, extra books: no text of the Bible."""
BOOK_NUMBERS = {book: number for number, book in enumerate(BOOKS, start=1)}
HIGHEST = 999
"""The highest chapter and verse that a key has room for."""

OTHER_KINDS = {b"usx": "USX", b"osis": "OSIS", b"XMLBIBLE": "Zefania XML"}
OTHER_ROOT = re.compile(rb"<(?:\w+:)?(usx|osis|XMLBIBLE)[\s>]")
HEAD_BYTES = 65_536

Verses = dict[range, str]
"""Verses by number: book times 1,000,000 + chapter times 1,000 + verse; some hold several."""


def refuse_other_kinds(path: Path, name: str) -> None:
    """Raise SourceError for a Bible in a kind of XML that is not read."""
    with path.open("rb") as stream:
        found = OTHER_ROOT.search(stream.read(HEAD_BYTES).replace(b"\0", b""))
    if found:
        raise SourceError(
            f"{name}: a Bible in {OTHER_KINDS[found[1]]}, which is not read: take the same one in "
            "USFM or CES XML"
        )


class Bible:
    """The verses of one language, gathered from files; nothing is put over what is there."""

    def __init__(self) -> None:
        self.verses: Verses = {}
        self._chapters: dict[tuple[str, int], str] = {}
        self._places: dict[int, tuple[str, bool]] = {}

    def begin(self, book: str, chapter: int, place: str) -> None:
        """Note that a chapter stands at a place; raise SourceError where it stood before."""
        if not 0 < chapter <= HIGHEST:
            raise SourceError(f"{place}: {book} has no chapter {chapter}")
        if earlier := self._chapters.get((book, chapter)):
            raise SourceError(
                f"{place}: {book} {chapter} stands there a second time, after {earlier}; keep one "
                "of them"
            )
        self._chapters[book, chapter] = place

    def add(
        self,
        reference: tuple[str, int],
        verses: range,
        text: str,
        *,
        place: str,
        part: bool = False,
    ) -> None:
        """Add the text of one or more verses of a chapter; parts of one (`2a`, `2b`) are joined.

        Raises SourceError for a verse that stood before and is no `part`.
        """
        book, chapter = reference
        if not verses or verses.stop - 1 > HIGHEST:
            first, last = verses.start, verses.stop - 1
            raise SourceError(f"{place}: {book} {chapter} has no verse {first}-{last}")
        start = BOOK_NUMBERS[book] * 1_000_000 + chapter * 1_000
        span = range(start + verses.start, start + verses.stop)
        for number in span:
            earlier, was_part = self._places.get(number, (place, True))
            if not (part or was_part):
                raise SourceError(
                    f"{place}: {book} {chapter}:{number - start} stands there a second time, after "
                    f"{earlier}; keep one of them"
                )
            self._places[number] = place, part
        if text:
            self.verses[span] = f"{self.verses[span]} {text}" if span in self.verses else text


def verse_key(verses: range) -> str:
    """Return the key of a verse, `40001001`, or of several in one, `40001001-40001002`."""
    first, last = verses.start, verses.stop - 1
    return f"{first}" if first == last else f"{first}-{last}"


def align_verses(sides: Sequence[Verses]) -> Iterator[tuple[range, list[str | None]]]:
    """Yield the verses of all sides; where one side merges verses, all are merged.

    A side that lacks a verse, or one of several that are merged, has None there.
    """
    owners = [{verse: span for span in side for verse in span} for side in sides]
    done = 0
    for verse in sorted(set().union(*owners)):
        if verse < done:
            continue
        span = range(verse, verse + 1)
        while (wider := _widen(span, owners)) != span:
            span = wider
        done = span.stop
        yield (
            span,
            [
                _joined(side, owner, span) if owner.keys() >= set(span) else None
                for side, owner in zip(sides, owners, strict=True)
            ],
        )


def _widen(span: range, owners: Sequence[Mapping[int, range]]) -> range:
    touched = [owner[verse] for owner in owners for verse in span if verse in owner]
    return range(min(t.start for t in touched), max(t.stop for t in touched))


def _joined(side: Verses, owner: Mapping[int, range], span: range) -> str:
    return " ".join(side[part] for part in dict.fromkeys(owner[verse] for verse in span))
