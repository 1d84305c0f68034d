"""Read tables: fields between delimiters, quoted or not, under the names of a header."""

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from models.support.errors import SourceError
from tasks.sources.description import Table
from tasks.sources.lines import MAX_FIELD_CHARACTERS, conversion_of_line_ends, read_lines

SEPARATOR_LINE = re.compile(r'"?sep=(.)"?')
"""What spreadsheets write above the header."""


class Numbered(NamedTuple):
    """One row of a table and the line it begins in."""

    line: int
    cells: list[str]


def table_records(path: Path, name: str, form: Table) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Yield each record with its place in words, by the names of its columns or their numbers.

    Columns that have no name of their own (none, or one that stands there twice) go by number.
    """
    rows = (row for row in table_rows(path, name, form) if row.cells)
    header = next(rows, None) if form.header else None
    names = column_names(header.cells, name) if header else []
    for number, row in enumerate(rows, start=1):
        place = f"record {number} (line {row.line})"
        names = names or [str(n) for n in range(1, len(row.cells) + 1)]
        if len(row.cells) != len(names):
            what = "header" if header else "first row"
            raise SourceError(
                f"{name}: {place} has {len(row.cells)} columns, the {what} has {len(names)}"
                + _why(row.cells, name, form)
            )
        yield place, dict(zip(names, row.cells, strict=True))


def column_names(header: Sequence[str], name: str) -> list[str]:
    """Return what columns go by: their names, or numbers where a name is missing or repeated."""
    given = [cell.strip() for cell in header]
    times = Counter(given)
    names = [
        cell if cell and times[cell] == 1 else str(number)
        for number, cell in enumerate(given, start=1)
    ]
    if len(set(names)) < len(names):
        raise SourceError(f"{name}: columns without a name, and others named by numbers; name all")
    return names


def table_rows(path: Path, name: str, form: Table) -> Iterator[Numbered]:
    """Yield the rows as they are, the header among them; an empty line is a row without cells."""
    lines: Iterator[tuple[int, str]] = enumerate(read_lines(path, name), start=1)
    first = next(lines, None)
    if first is None:
        return
    mark = SEPARATOR_LINE.fullmatch(first[1])
    if mark is None:
        lines = _chain(first, lines)
    elif mark[1] != form.separator:
        raise SourceError(
            f"{name}: its first line says that {mark[1]!r} separates fields, the format says "
            f"{form.separator!r}; write `delimiter: {mark[1]!r}`"
        )
    if not form.has_quotes:
        for number, line in lines:
            yield Numbered(number, line.split(form.separator) if line else [])
        return
    yield from _quoted_rows(lines, name, form)


def quoted_rows(lines: Iterable[str], separator: str) -> Iterator[list[str]]:
    """Return the rows of lines with their ends; a quote opens a field behind spaces, too.

    Raises csv.Error for what follows a closing quote.
    """
    csv.field_size_limit(MAX_FIELD_CHARACTERS)
    return csv.reader(lines, delimiter=separator, strict=True, skipinitialspace=True)


def _chain(first: tuple[int, str], rest: Iterator[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    yield first
    yield from rest


def _quoted_rows(lines: Iterable[tuple[int, str]], name: str, form: Table) -> Iterator[Numbered]:
    last = 0

    def text() -> Iterator[str]:
        nonlocal last
        for number, line in lines:
            last = number
            yield f"{line}\n"

    rows = quoted_rows(text(), form.separator)
    done, begin = -1 if form.header else 0, 1
    try:
        while (row := next(rows, None)) is not None:
            # a row that spans lines ends in the last; quotes are closed, so its line ends tell
            begin = last - sum(cell.count("\n") for cell in row)
            yield Numbered(begin, row)
            done += bool(row)
            begin = last + 1
    except csv.Error as error:
        where = f"after record {max(done, 0)} (line {begin})"
        raise SourceError(
            f"{name}: not a readable table {where}: {_in_words(error, begin, name)}"
        ) from error


def _in_words(error: csv.Error, line: int, name: str) -> str:
    """Say what a table's reader means, and what to do."""
    text = str(error)
    if "unexpected end" in text:
        return (
            f"a quote that opens a field in line {line} is never closed; close it, or write "
            "`quoted: false` if quotes are part of the text"
        )
    if "field larger" in text:
        return f"a field of more than {MAX_FIELD_CHARACTERS:,} characters; is a quote never closed?"
    if "new-line" in text:
        return "a CR stands in a line; if CR ends lines, convert with: " + conversion_of_line_ends(
            name
        )
    return (
        "text follows the quote that closes a field; double the quotes inside of fields, or write "
        "`quoted: false` if quotes are part of the text"
    )


def _why(cells: Sequence[str], name: str, form: Table) -> str:
    """Return a guess at why a row has another number of columns, or nothing."""
    if any("\r" in cell for cell in cells):
        return "; a CR stands in it: if CR ends lines, convert with: " + conversion_of_line_ends(
            name
        )
    if not form.has_quotes and any(cell.startswith('"') or cell.endswith('"') for cell in cells):
        return "; if quotes enclose its fields, write `quoted: true` in `format`"
    return ""
