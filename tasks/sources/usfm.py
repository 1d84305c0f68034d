r"""Read Bibles in USFM, verse by verse: the text alone, without notes, headings and front matter.

A file is read as a row of markers. Those of paragraphs say whether what follows is text of the
Bible (`\q`) or stands beside it (`\s`, `\ip`); those of notes are left out to their end; those of
characters (`\nd`) leave what they mark. https://docs.usfm.bible
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import regex

from models.support.errors import SourceError
from tasks.sources.bibles import BOOK_NUMBERS, NOT_SCRIPTURE, Bible, refuse_other_kinds
from tasks.sources.encoding import check_encoding

TOKEN = regex.compile(
    r"\\[a-z][a-z0-9]*(?:-[se]\b[^\\]*|\s*(?:\|[^\\]*)?)\\\*"  # a milestone, `\qt-s |Ruth\*`
    r"|\\(?P<marker>\+?[a-z][a-z0-9-]*)(?:(?P<close>\*)|[^\S\n])?"
)
BOOK = regex.compile(r"\s*(\w+)")
NUMBER = regex.compile(r"\s*(\d+)")
VERSE = regex.compile(
    r"\s*(?P<first>\d+)(?:(?P<a>[a-z])(?!\p{L}))?"
    r"(?:[\u200e\u200f]?[-–,](?P<last>\d+)(?:(?P<b>[a-z])(?!\p{L}))?)?(?!\d)"
)
TEXT_PARAGRAPH = regex.compile(
    r"p|m|mi|nb|pc|po|pr|pm|pmo|pmc|pmr|cls|pb|b|q[rcd]|phi|l[hf]|(?:li|lim|ph|pi|q|qm)\d?"
    r"|tr|t[hc][rc]?\d(?:-\d)?"
)
HEADING = regex.compile(
    r"id|usfm|ide|sts|rem|restore|h\d?|toca?\d|mte?\d?|ms\d?|mr|s\d?|sr|r|d|sp|sd\d?|c[lpd]|qa|lit"
)
"""What stands beside the text in one line: what follows it in the next is text again."""
INTRODUCTION = regex.compile(r"i(?!t$|or$|qt$)[a-z]+\d?|periph|div")
"""Paragraphs that stand beside the text to their end."""
NOTE = regex.compile(r"f|fe|ef|x|ex|fig|rq|cat|va|vp|ca|pro|fm")
"""What stands in the line and is no text of it: notes, figures, other numbers, pronunciation."""
CHARACTERS = regex.compile(
    r"\+.*|w[ahg]?|nd|wj|qs|qac|add|addpn|k|bk|dc|tl|sig|sls|png?|ord|qt|rb|sc|sup|em|bd|it|bdit"
    r"|no|jmp|xt|ndx|li[kv]\d?|ior|iqt"
)

EXCERPT = 20


def read_usfm(path: Path, name: str, bible: Bible) -> None:
    """Add the verses of a file, of one book or several, to a Bible.

    Raises SourceError, with the line, for what would lose or mix up text: a chapter or verse that
    stands there twice, a verse without a chapter, a note that does not end.
    """
    refuse_other_kinds(path, name)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        check_encoding(path, name)
        raise
    if not regex.search(r"\\id\s", text):
        raise SourceError(f"{name}: no \\id line; is this USFM?")
    _Reader(text, name, bible).read()


class _Verse(NamedTuple):
    """A verse that is being read: its numbers, whether it is a part of one, where, its text."""

    numbers: range
    part: bool
    place: str
    parts: list[str]


class _Reader:
    """Where the reading of a file is: book, chapter, verse, and what is open."""

    def __init__(self, text: str, name: str, bible: Bible) -> None:
        self.text, self.name, self.bible = text, name, bible
        self.position, self.line, self._counted = 0, 1, 0
        self.book: str | None = None
        self.reference: tuple[str, int] | None = None  # book and chapter
        self.verse: _Verse | None = None
        self.is_text, self.in_heading = True, False  # what is being read
        self.note: tuple[str, int] | None = None  # marker and line of an open one
        self.sidebar: int | None = None  # line of an open one
        self.styles: list[str] = []
        self.in_attributes = False

    def read(self) -> None:
        """Go through the file, marker by marker."""
        while token := TOKEN.search(self.text, self.position):
            self._plain(self.text[self.position : token.start()])
            start, self.position = token.start(), token.end()
            if marker := token["marker"]:
                self.line += self.text.count("\n", self._counted, start)
                self._counted = start
                self._mark(marker, start, closes=bool(token["close"]))
        self._plain(self.text[self.position :])
        self._end_verse()

    def _plain(self, text: str) -> None:
        """Take text that stands in a verse; what follows `|` in marked text is about it."""
        if self.in_heading and "\n" in text and not self.note:
            self.in_heading, self.is_text, self.styles = False, True, []
            text = text.partition("\n")[2]
        if self.verse is None or not self.is_text or self.note or self.sidebar:
            return
        if self.styles:
            text, bar, _ = ("", "", "") if self.in_attributes else text.partition("|")
            self.in_attributes = self.in_attributes or bool(bar)
        self.verse.parts.append(text)

    def _mark(self, marker: str, start: int, *, closes: bool) -> None:
        if step := STEPS.get(marker):
            step(self)
        elif self.note:
            if closes and marker == self.note[0]:
                self.note = None
        elif NOTE.fullmatch(marker):
            self.note = None if closes else (marker, self.line)
        elif not closes and self._is_paragraph(marker, start):
            self._paragraph(marker)
        else:
            nested = self.styles if marker.startswith("+") else []
            self.styles = self.styles[:-1] if closes else [*nested, marker]
            self.in_attributes = False

    def _is_paragraph(self, marker: str, start: int) -> bool:
        """Say whether a marker begins a paragraph; one that is not known does so in a new line."""
        if any(kind.fullmatch(marker) for kind in (TEXT_PARAGRAPH, HEADING, INTRODUCTION)):
            return True
        before = self.text[self.text.rfind("\n", 0, start) + 1 : start]
        return not (before.strip() or CHARACTERS.fullmatch(marker))

    def _paragraph(self, marker: str) -> None:
        if self.sidebar:
            return
        self.styles, self.in_attributes = [], False
        self.in_heading = bool(HEADING.fullmatch(marker))
        self.is_text = not (self.in_heading or INTRODUCTION.fullmatch(marker))
        if self.verse:
            self.verse.parts.append(" ")

    def _id(self) -> None:
        self._end_verse()
        code = self._take(BOOK, "the code of a book")[1].upper()
        if code not in BOOK_NUMBERS:
            raise SourceError(
                f"{self._place()}: {code!r} is no book of the Bible; expected its code in USFM, "
                "as GEN, PSA or MAT"
            )
        self.book, self.reference = code, None

    def _chapter(self) -> None:
        self._end_verse()
        number = int(self._take(NUMBER, "the number of a chapter")[1])
        if self.book is None:
            raise SourceError(f"{self._place()}: a chapter before the first \\id line")
        if self.book not in NOT_SCRIPTURE:
            self.reference = self.book, number
            self.bible.begin(*self.reference, self._place())

    def _verse(self) -> None:
        self._end_verse()
        mark = self._take(VERSE, "the number of a verse")
        first, last = int(mark["first"]), int(mark["last"] or mark["first"])
        self.is_text, self.in_heading = True, False
        if self.book in NOT_SCRIPTURE:
            return
        if self.reference is None:
            raise SourceError(f"{self._place()}: verse {first} stands before the first \\c")
        if last < first:
            raise SourceError(
                f"{self._place()}: chapter {self.reference[1]}, verse {first}-{last} runs backwards"
            )
        numbers, part = range(first, last + 1), bool(mark["a"] or mark["b"])
        self.verse = _Verse(numbers, part, self._place(), [])

    def _sidebar(self) -> None:
        self.sidebar = self.sidebar or self.line

    def _end_sidebar(self) -> None:
        self.sidebar = None

    def _take(self, what: "regex.Pattern[str]", expected: str) -> "regex.Match[str]":
        """Return what stands behind a marker, and go on after it."""
        found = what.match(self.text, self.position)
        if found is None:
            after = self.text[self.position : self.position + EXCERPT].split("\n")[0]
            raise SourceError(f"{self._place()}: expected {expected}, found {after!r}")
        self.position = found.end()
        return found

    def _end_verse(self) -> None:
        """Add the verse that was read; raise SourceError where something in it did not end."""
        if self.note:
            marker, line = self.note
            raise SourceError(f"{self.name}: line {line}: \\{marker} has no end (\\{marker}*)")
        if self.sidebar:
            raise SourceError(f"{self.name}: line {self.sidebar}: \\esb has no end (\\esbe)")
        if self.verse and self.reference:
            numbers, part, place, parts = self.verse
            text = " ".join("".join(parts).replace("//", " ").replace("~", " ").split())
            self.bible.add(self.reference, numbers, text, place=place, part=part)
        self.verse, self.styles, self.in_attributes = None, [], False

    def _place(self) -> str:
        return f"{self.name}: line {self.line}"


STEPS: dict[str, Callable[[_Reader], None]] = {
    "id": _Reader._id,
    "c": _Reader._chapter,
    "v": _Reader._verse,
    "esb": _Reader._sidebar,
    "esbe": _Reader._end_sidebar,
}
"""What the markers do that give a Bible its order."""
