"""Tell how a table separates and quotes its fields, and whether its first row names them."""

import csv
import re
from collections.abc import Sequence
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Literal, NamedTuple

import langcodes

from models.support.errors import SourceError
from tasks.sources.description import Table
from tasks.sources.lines import read_lines
from tasks.sources.naming import KEY_WORDS, TEXT_WORDS
from tasks.sources.tables import SEPARATOR_LINE, quoted_rows, table_rows

SAMPLE_LINES = 200
LONGEST_COLUMN_NAME = 40
LONGEST_NAME_IN_WORDS = 3
DELIMITERS = {".csv": "\t,;|", ".tsv": "\t", ".tab": "\t"}
"""What may separate fields, by suffix, the likeliest first; elsewhere a table has tabs."""
QUOTED_FIELD = re.compile(r'"(?:[^"]|"")*"')
SENTENCE_MARKS = (".", "!", "?", "…", "।", "؟", "۔", "。", "።", "။", "។")
NUMBER = re.compile(r"[-+]?\d+(?:[.,]\d+)?")
COLUMN_WORDS = (
    KEY_WORDS
    | TEXT_WORDS
    | {"source", "target", "src", "tgt", "translation", "reference", "label", "labels"}
    | {"lang", "language", "split", "class", "category", "premise", "hypothesis", "question"}
)


class Dialect(NamedTuple):
    """How a table is written; `doubt` says what else it may be.

    Where no field opens with a quote (`opens` is off), `quoted` says nothing.
    """

    kind: Literal["csv", "tsv"]
    delimiter: str | None
    quoted: bool | None
    doubt: str | None = None
    opens: bool = False

    def table(self, *, header: bool) -> Table:
        """Return a format that reads every column."""
        return Table(
            kind=self.kind,
            columns={},
            header=header,
            delimiter=self.delimiter,
            quoted=self.quoted,
        )


def find_dialect(path: Path, name: str, suffix: str) -> Dialect | None:
    """Return how a file is written as a table, or None where it is plain text."""
    separator = _separator(path, name, suffix)
    if separator is None:
        return None
    kind: Literal["csv", "tsv"] = "tsv" if separator == "\t" else "csv"
    seen = _look_at_quotes(path, name, separator)
    usual = Table(kind=kind, columns={})
    quoted, doubt = usual.has_quotes, None
    if seen.opening:
        rows = _rows_with_quotes(path, name, separator)
        quoted, doubt = _quotes(seen, rows, usual=usual.has_quotes)
    return Dialect(
        kind,
        None if separator == usual.separator else separator,
        None if quoted == usual.has_quotes else quoted,
        doubt,
        opens=seen.opening > 0,
    )


def names_columns(first: Sequence[str], below: Sequence[Sequence[str]]) -> bool:
    """Say whether a first row names columns; most of its names tell, one odd name does not."""
    cells = [cell.strip() for cell in first]
    if sure_names(cells):
        return True
    given = [cell for cell in cells if cell]
    columns = [[row[n].strip() for row in below if n < len(row)] for n in range(len(cells))]
    if any(map(_reads_on, cells, columns)):
        return False
    return 2 * sum(map(_is_name, given)) > len(given)


def sure_names(cells: Sequence[str]) -> bool:
    """Say whether cells are known as names of columns: languages, keys, texts, labels."""
    given = [cell.strip() for cell in cells if cell.strip()]
    known = sum(map(_is_known, given))
    return bool(given) and known >= min(2, len(given))


def _separator(path: Path, name: str, suffix: str) -> str | None:
    lines = list(islice(read_lines(path, name), SAMPLE_LINES))
    if lines and (mark := SEPARATOR_LINE.fullmatch(lines[0])):
        return mark[1]
    candidates = DELIMITERS.get(suffix, "\t")
    for delimiter in candidates:
        if _is_even(_split(lines, delimiter)) or _is_even(_parsed(lines, delimiter)):
            return delimiter
    return {".csv": ",", ".tsv": "\t", ".tab": "\t"}.get(suffix)


def _split(lines: Sequence[str], delimiter: str) -> list[int]:
    return [line.count(delimiter) + 1 for line in lines if line]


def _parsed(lines: Sequence[str], delimiter: str) -> list[int]:
    """Return the number of fields of each row, read with quotes; nothing where that fails."""
    widths = []
    try:
        for row in quoted_rows((f"{x}\n" for x in lines), delimiter):
            widths += [len(row)] if row else []
    except csv.Error as error:
        if len(lines) < SAMPLE_LINES or "unexpected end" not in str(error):
            return []
    return widths


def _is_even(widths: Sequence[int]) -> bool:
    return len(set(widths)) == 1 and widths[0] > 1


class _Quotes(NamedTuple):
    """What the fields of a table look like without regard to quotes."""

    even: bool
    opening: int
    doubled: int
    enclosed: int
    whole_columns: bool
    rows: int


def _quotes(seen: _Quotes, rows: int | None, *, usual: bool) -> tuple[bool, str | None]:
    """Return whether fields stand in quotes that are none of their text, and what is in doubt.

    `rows` is the number of rows when quotes are heeded, None where no table comes out. Writers that
    quote where they must quote fields with a delimiter or a quote, which they double; others quote
    whole columns. A field that opens with a quote without any of that is a text that begins so.
    """
    if rows is None:
        if not seen.even:
            return usual, None  # no table either way; reading it says where
        if not (seen.doubled or usual):
            return False, None
        return False, "not every field that opens with a quote closes it; quotes are kept as text"
    if usual or not seen.even:
        return True, None
    if (seen.doubled or seen.whole_columns) and rows == seen.rows:
        return True, None
    if not seen.enclosed:
        return False, None
    return False, (
        f"{seen.enclosed:,} fields stand in quotes, which are kept as text; if they are none of "
        "it, write `quoted: true`"
    )


def _look_at_quotes(path: Path, name: str, separator: str) -> _Quotes:
    widths: set[int] = set()
    opening = doubled = enclosed = rows = 0
    columns: list[int] = []
    for line in read_lines(path, name):
        if not line:
            continue
        cells = line.split(separator)
        rows += 1
        widths.add(len(cells))
        columns += [0] * (len(cells) - len(columns))
        if '"' not in line:
            continue
        for n, cell in enumerate(map(str.strip, cells)):
            if cell.startswith('"'):
                opening += 1
                if QUOTED_FIELD.fullmatch(cell):
                    enclosed += 1
                    columns[n] += 1
                    doubled += '""' in cell[1:-1]
    whole = any(n >= rows - 1 > 0 for n in columns)  # all but perhaps the header
    return _Quotes(len(widths) == 1, opening, doubled, enclosed, whole, rows)


def _rows_with_quotes(path: Path, name: str, separator: str) -> int | None:
    """Return the number of rows of a table read with quotes; None where that does not work out."""
    form = Table(kind="csv", columns={}, header=False, delimiter=separator, quoted=True)
    widths: set[int] = set()
    rows = 0
    try:
        for row in table_rows(path, name, form):
            if row.cells:
                rows += 1
                widths.add(len(row.cells))
    except SourceError:
        return None
    return rows if len(widths) == 1 else None


def _is_name(cell: str) -> bool:
    return (
        len(cell) <= LONGEST_COLUMN_NAME
        and not NUMBER.fullmatch(cell)
        and not cell.endswith(SENTENCE_MARKS)
    )


def _is_known(cell: str) -> bool:
    """Say whether a cell is known as a name: `eng`, `Balinese`, `text_eng`, `source text`."""
    words = [match[0].casefold() for match in re.finditer(r"[^\W\d_]+", cell)]
    if not 0 < len(words) <= LONGEST_NAME_IN_WORDS or not _is_name(cell):
        return False
    if any(word in COLUMN_WORDS for word in words):
        return True
    if " " in cell.strip():  # `the dog` are two codes of languages, too
        return False
    return any(map(_is_code, words)) or (len(words) == 1 and _is_language(words[0]))


def _is_code(word: str) -> bool:
    return len(word) in (2, 3) and langcodes.tag_is_valid(word)


@cache
def _is_language(word: str) -> bool:
    try:
        langcodes.find(word)
    except LookupError:
        return False
    return True


def _reads_on(cell: str, below: Sequence[str]) -> bool:
    """Say whether a cell is of a kind with those below it: a number, or a sentence."""
    told = [other for other in below if other]
    if not told or not cell:
        return False
    if NUMBER.fullmatch(cell):
        return all(map(NUMBER.fullmatch, told))
    ends = sum(other.endswith(SENTENCE_MARKS) for other in told)
    return cell.endswith(SENTENCE_MARKS) and 2 * ends > len(told)
