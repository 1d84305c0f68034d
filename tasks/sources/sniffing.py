"""Guess the format of a file and its columns from its first records."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from shlex import quote
from typing import Literal, NamedTuple

from models.support.errors import SourceError
from tasks.sources.bibles import HEAD_BYTES, refuse_other_kinds
from tasks.sources.description import Columns, JsonLines, Table, TranslationMemory
from tasks.sources.dialects import Dialect, find_dialect, names_columns, sure_names
from tasks.sources.encoding import check_encoding
from tasks.sources.lines import read_lines
from tasks.sources.packing import members_of, plain_name
from tasks.sources.reading import file_records
from tasks.sources.tables import table_rows
from tasks.sources.values import described, places

Kind = Literal["text", "csv", "tsv", "jsonl", "tmx", "verses"]

SAMPLE_RECORDS = 50
ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".tar.zst")

OTHER_FORMATS = {
    **dict.fromkeys((".xlsx", ".xls", ".ods"), "a spreadsheet; export it as CSV in UTF-8"),
    **dict.fromkeys((".docx", ".odt", ".pdf"), "a document; export it as plain text in UTF-8"),
    **dict.fromkeys(
        (".parquet", ".arrow"), "put it into a folder of its own and list that as `kind: dataset`"
    ),
}


USFM = re.compile(rb"(?:\xef\xbb\xbf)?\s*\\id\s+[A-Za-z0-9]{3}\b")
CES = re.compile(rb"""type=["']verse["']|<cesDoc""")


class Sniffed(NamedTuple):
    """What a file looks like; `columns` has a value of each column, if it is no text or Bible.

    Without a `header`, columns are named by their numbers; `sure` says that names of its header are
    known as such. A table has a `dialect` and a `first_row`. `columns` of JSON are paths into its
    records.
    """

    kind: Kind
    columns: Mapping[str, str]
    header: bool = True
    sure: bool = True
    dialect: Dialect | None = None
    first_row: Sequence[str] = ()

    def table(self, columns: Columns, *, header: bool) -> Table:
        """Return the format that reads these columns of a table."""
        if self.dialect is None:
            raise ValueError(f"a {self.kind} file is no table")
        return replace(self.dialect.table(header=header), columns=columns)


def sniff(path: Path, name: str) -> Sniffed:
    """Return format and columns of an unpacked file called `name`.

    Raises SourceError for one that is empty, not UTF-8, or in no format that can be read.
    """
    _refuse_other_formats(name)
    suffix = _suffix(name)
    if not path.stat().st_size:
        raise SourceError(f"{name}: the file is empty")
    if suffix == ".tmx":
        tags = _first_values(path, name, TranslationMemory(kind="tmx", columns={}))
        return Sniffed("tmx", {tag: value for tag, value in tags.items() if tag != "tuid"})
    if _is_bible(path, suffix, name):
        return Sniffed("verses", {})
    check_encoding(path, name)
    if _is_json(path, suffix, name):
        return Sniffed("jsonl", _first_values(path, name, JsonLines(kind="jsonl", columns={})))
    dialect = find_dialect(path, name, suffix)
    return Sniffed("text", {}) if dialect is None else _sniff_table(path, name, dialect)


def only_member(archive: Path) -> str | None:
    """Return the one file inside a zip or tar, None for any other file.

    Raises SourceError with a way to name one where there are several.
    """
    _refuse_other_formats(archive.name)  # some are zips inside
    members = members_of(archive, str(archive))
    if members is None:
        return None
    if len(members) != 1:
        shown = "".join(f"\n  {archive}:{name}" for name in members[:20])
        raise SourceError(f"{archive}: holds {len(members)} files; name the one to read:{shown}")
    return members[0]


def place_of(argument: str) -> tuple[Path, str | None]:
    """Return the path of a file and, where it is written `ARCHIVE:MEMBER`, its name there.

    Raises SourceError for a name that is not UTF-8, which no manifest can hold.
    """
    try:
        argument.encode()
    except UnicodeEncodeError as error:
        raise SourceError(f"{argument!a}: the name is not UTF-8; rename the file") from error
    if not Path(argument).exists():
        for suffix in ARCHIVES:
            place = argument.casefold().rfind(f"{suffix}:")
            if place > 0:
                end = place + len(suffix)
                return Path(argument[:end]), argument[end + 1 :]
    return Path(argument), None


def _refuse_other_formats(name: str) -> None:
    if advice := OTHER_FORMATS.get(_suffix(name)):
        raise SourceError(f"{name}: {advice}")


def _suffix(name: str) -> str:
    return Path(plain_name(name)).suffix.lower()


def _is_bible(path: Path, suffix: str, name: str) -> bool:
    """Say whether a file holds a Bible that can be read; raise SourceError for other XML."""
    refuse_other_kinds(path, name)
    with path.open("rb") as stream:
        head = stream.read(HEAD_BYTES).replace(b"\0", b"")  # of UTF-16
    if suffix == ".xml" and not CES.search(head):
        raise SourceError(
            f"{name}: of XML, translation memories (.tmx) are read, and Bibles in CES "
            '(`<seg type="verse">`)'
        )
    return suffix in (".xml", ".usfm", ".sfm") or USFM.match(head) is not None


def _is_json(path: Path, suffix: str, name: str) -> bool:
    """Say whether a file holds JSON objects, one a line."""
    lines = (line for line in read_lines(path, name) if line.strip())
    sample = list(islice(lines, SAMPLE_RECORDS))
    if sample and all(map(_is_json_object, sample)):
        return True
    if suffix in (".json", ".jsonl", ".ndjson"):
        file = Path(plain_name(Path(name).name))
        raise SourceError(
            f"{name}: expected one JSON object a line; of an array, or of objects over several "
            f"lines, make them with: jq -c 'if type == \"array\" then .[] else . end' "
            f"{quote(file.name)} > {quote(f'{file.stem}.jsonl')}"
        )
    return False


def _is_json_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except json.JSONDecodeError:
        return False


def _sniff_table(path: Path, name: str, dialect: Dialect) -> Sniffed:
    rows = (row.cells for row in table_rows(path, name, dialect.table(header=False)) if row.cells)
    first, *below = list(islice(rows, SAMPLE_RECORDS)) or [[]]
    header = names_columns(first, below)
    columns = _first_values(path, name, dialect.table(header=header))
    if not columns:
        raise SourceError(f"{name}: the table has no row below its header")
    return Sniffed(dialect.kind, columns, header, sure_names(first), dialect, first)


def _first_values(
    path: Path, name: str, form: Table | JsonLines | TranslationMemory
) -> dict[str, str]:
    """Return the columns of the first records, each with its first value that is not empty."""
    records = islice(file_records(path, name, form), SAMPLE_RECORDS)
    found: dict[str, str] = {}
    for record in records:
        for column, value in places(record):
            text = value if isinstance(value, str) else "" if value is None else described(value)
            found[column] = found.get(column) or text
    return found
