"""The format that reads the columns a user names, of a file that was looked at."""

from collections.abc import Mapping, Sequence

from models.support.errors import SpecError
from pipeline.specs.suggesting import suggest
from tasks.sources.description import (
    BibleVerses,
    Columns,
    JsonLines,
    PlainText,
    Table,
    TranslationMemory,
)
from tasks.sources.sniffing import Sniffed
from tasks.sources.tables import column_names
from tasks.sources.tags import covers

Format = Table | JsonLines | PlainText | TranslationMemory | BibleVerses


def format_for(looks: Sniffed, name: str, columns: Columns) -> Format:
    """Return the format that reads these columns of a file called `name`.

    Raises SpecError for a column that is not there.
    """
    if looks.kind == "text":
        return PlainText()
    if looks.kind == "verses":
        return BibleVerses(kind="verses")
    if looks.kind in ("csv", "tsv"):
        return _table(looks, name, columns)
    if looks.kind == "tmx":
        for tag in columns.values():
            if not any(covers(tag, found) for found in looks.columns):
                raise _unknown(tag, name, looks.columns)
        return TranslationMemory(kind="tmx", columns={**columns})
    for column in columns.values():
        ways = (column.rsplit(".", n)[0] for n in range(column.count(".") + 1))
        if looks.columns.keys().isdisjoint(ways):  # below a list, places are not told
            raise _unknown(column, name, looks.columns)
    return JsonLines(kind="jsonl", columns=columns)


def _table(looks: Sniffed, name: str, columns: Columns) -> Table:
    """Return the format of a table.

    Names in the first row are names, however the row looks. Numbers of columns mean that there is
    no header, unless it is known as one.
    """
    numbers = {str(number) for number in range(1, len(looks.first_row) + 1)}
    if numbers.issuperset(columns.values()) and not (looks.header and looks.sure):
        return looks.table(columns, header=False)
    names = column_names(looks.first_row, name)
    return looks.table(
        {field: _named(column, names, name, looks) for field, column in columns.items()},
        header=True,
    )


def _named(column: str, names: Sequence[str], name: str, looks: Sniffed) -> str:
    if column.strip() in names:
        return column.strip()
    if column.isdecimal() and 0 < int(column) <= len(names):
        return names[int(column) - 1]
    raise _unknown(column, name, looks.columns)


def _unknown(column: str, name: str, known: Mapping[str, str]) -> SpecError:
    return SpecError(f"{name}: there is no column {column!r}{suggest(column, known)}")
