"""Read Bibles in XML after the Corpus Encoding Standard (CES), verse by verse."""

import re
from pathlib import Path

from models.support.errors import SourceError
from tasks.sources.bibles import BOOK_NUMBERS, NOT_SCRIPTURE, Bible, refuse_other_kinds
from tasks.sources.elements import read_elements, text_of

ID = re.compile(r"\w+\.(\w+)\.(\d+)\.(\d+)")
OTHER_NAMES = {
    "SON": "SNG",
    "SOS": "SNG",
    "EZE": "EZK",
    "JOE": "JOL",
    "NAH": "NAM",
    "MAR": "MRK",
    "JOH": "JHN",
    "PHI": "PHP",
    "JAM": "JAS",
    "1JO": "1JN",
    "2JO": "2JN",
    "3JO": "3JN",
}
"""What CES Bibles call some books, and what USFM does."""
NOT_TEXT = {"note", "ref"}


def read_ces(path: Path, name: str, bible: Bible) -> None:
    """Add the verses of a file to a Bible. Raises SourceError for ids that name no verse."""
    refuse_other_kinds(path, name)
    chapter: tuple[str, int] | None = None
    found = False
    for segment in read_elements(path, name, "seg"):
        if segment.get("type") != "verse":
            continue
        found = True
        book, number, verse = _reference(str(segment.get("id")), name)
        if book in NOT_SCRIPTURE:
            continue
        if (book, number) != chapter:
            chapter = book, number
            bible.begin(book, number, name)
        text = " ".join(text_of(segment, without=NOT_TEXT).split())
        bible.add((book, number), range(verse, verse + 1), text, place=name)
    if not found:
        raise SourceError(
            f'{name}: no verse (`<seg type="verse">`) in it; Bibles in XML are those of CES'
        )


def _reference(mark: str, name: str) -> tuple[str, int, int]:
    parts = ID.fullmatch(mark)
    if parts is None:
        raise SourceError(f"{name}: verse id {mark!r}, expected b.BOOK.CHAPTER.VERSE")
    book = OTHER_NAMES.get(parts[1].upper(), parts[1].upper())
    if book not in BOOK_NUMBERS:
        raise SourceError(f"{name}: {parts[1]!r} in the verse id {mark!r} is no book of the Bible")
    return book, int(parts[2]), int(parts[3])
