"""Guess the format of a file and its columns from its first records."""

import json
import zipfile
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Literal, NamedTuple

from models.support.errors import SourceError
from tasks.sources.description import JsonLines, Table, TranslationMemory
from tasks.sources.encoding import check_encoding
from tasks.sources.reading import file_records

Kind = Literal["text", "csv", "tsv", "jsonl", "tmx"]

SAMPLE_RECORDS = 50
LONGEST_COLUMN_NAME = 40

OTHER_FORMATS = {
    **dict.fromkeys((".xlsx", ".xls", ".ods"), "a spreadsheet; export it as CSV in UTF-8"),
    **dict.fromkeys((".docx", ".odt", ".pdf"), "a document; export it as plain text in UTF-8"),
    **dict.fromkeys(
        (".parquet", ".arrow"), "put it into a folder of its own and list that as `kind: dataset`"
    ),
    **dict.fromkeys(
        (".usfm", ".sfm", ".xml"), "list the books of a Bible by hand, `format: {kind: verses}`"
    ),
}


class Sniffed(NamedTuple):
    """What a file looks like; `columns` has a value of each column, and is empty for plain text.

    Without a `header`, columns are named by their numbers.
    """

    kind: Kind
    columns: Mapping[str, str]
    header: bool = True


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
    check_encoding(path, name)
    kind = _kind(path, suffix, name)
    if kind == "jsonl":
        return Sniffed(kind, _first_values(path, name, JsonLines(kind=kind, columns={})))
    if kind == "text":
        return Sniffed(kind, {})
    return _sniff_table(path, name, kind)


def only_member(archive: Path) -> str | None:
    """Return the one file inside a zip, None for any other file.

    Raises SourceError with a way to name one where there are several.
    """
    _refuse_other_formats(archive.name)  # some are zips inside
    if not zipfile.is_zipfile(archive):
        return None
    with zipfile.ZipFile(archive) as opened:
        listed = [info.filename for info in opened.infolist() if not info.is_dir()]
    members = [name for name in listed if not name.startswith("__MACOSX/")]
    if len(members) != 1:
        shown = "".join(f"\n  {archive}:{name}" for name in members[:20])
        raise SourceError(f"{archive}: holds {len(members)} files; name the one to read:{shown}")
    return members[0]


def _refuse_other_formats(name: str) -> None:
    if advice := OTHER_FORMATS.get(_suffix(name)):
        raise SourceError(f"{name}: {advice}")


def _suffix(name: str) -> str:
    return Path(name.removesuffix(".gz")).suffix.lower()


def _kind(path: Path, suffix: str, name: str) -> Literal["text", "csv", "tsv", "jsonl"]:
    with path.open(encoding="utf-8-sig", newline="\n") as stream:
        lines = [line for line in islice(stream, SAMPLE_RECORDS) if line.strip()]
    if lines and all(map(_is_json_object, lines)):
        return "jsonl"
    if suffix in (".json", ".jsonl", ".ndjson"):
        raise SourceError(
            f"{name}: expected one JSON object a line; `jq -c '.[]'` makes them of an array"
        )
    tabs = {line.count("\t") for line in lines}
    if suffix == ".tsv" or (len(tabs) == 1 and tabs != {0}):
        return "tsv"
    if suffix != ".csv":
        return "text"
    if lines and ";" in lines[0] and "," not in lines[0]:
        raise SourceError(
            f"{name}: its fields seem to be separated by semicolons; export it with commas or tabs"
        )
    return "csv"


def _is_json_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except json.JSONDecodeError:
        return False


def _sniff_table(path: Path, name: str, kind: Literal["csv", "tsv"]) -> Sniffed:
    unnamed = Table(kind=kind, columns={}, header=False)
    first = next(file_records(path, name, unnamed), {})
    header = _is_header([str(value) for value in first.values()])
    columns = _first_values(path, name, Table(kind=kind, columns={}) if header else unnamed)
    if not columns:
        raise SourceError(f"{name}: the table has no row below its header")
    return Sniffed(kind, columns, header)


def _is_header(names: Sequence[str]) -> bool:
    """Say whether a first row can be names of columns: short, all different, no sentences."""
    return len(set(names)) == len(names) and all(
        0 < len(name) <= LONGEST_COLUMN_NAME
        and not name.isdigit()
        and not name.endswith((".", "!", "?", "…", "।", "؟"))
        for name in map(str.strip, names)
    )


def _first_values(
    path: Path, name: str, form: Table | JsonLines | TranslationMemory
) -> dict[str, str]:
    """Return the columns of the first records, each with its first value that is not empty."""
    records = list(islice(file_records(path, name, form), SAMPLE_RECORDS))
    columns = dict.fromkeys(column for record in records for column in record)
    return {
        column: next((str(r[column]) for r in records if r.get(column) not in (None, "")), "")
        for column in columns
    }
