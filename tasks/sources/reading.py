"""Read the rows of a fetched source; every problem names the file and the line."""

import csv
import itertools
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from typing import NamedTuple

from models.support.errors import SourceError
from tasks import sandbox
from tasks.sources.bibles import Bible, align_verses, verse_key
from tasks.sources.ces import read_ces
from tasks.sources.description import (
    BibleVerses,
    Columns,
    Corpus,
    Files,
    HubDataset,
    JsonLines,
    PlainText,
    RemoteFile,
    Sandbox,
    Table,
    TranslationMemory,
)
from tasks.sources.fetching import local_name
from tasks.sources.memories import read_memory, read_units
from tasks.sources.usfm import read_usfm

MAX_FIELD_CHARACTERS = 1_000_000
MAX_LINE_BYTES = 4 * MAX_FIELD_CHARACTERS
PARQUET_ROWS = 10_000


class Row(NamedTuple):
    """One record as the source has it: its own key, its shipped split if any, its fields.

    `lacks` are the fields that the record has no text for; an empty one stands in `fields`.
    """

    key: str
    split: str | None
    fields: dict[str, str]
    lacks: tuple[str, ...] = ()


class FetchedCorpus(NamedTuple):
    """A corpus and the folder its raw files lie in."""

    corpus: Corpus
    folder: Path


def read_corpora(corpora: Sequence[FetchedCorpus]) -> Iterator[tuple[str, Row]]:
    """Yield the rows of several corpora in turn, each with its corpus name."""
    for corpus, folder in corpora:
        for row in read_corpus(corpus, folder):
            yield corpus.name, row


def read_corpus(corpus: Corpus, folder: Path) -> Iterator[Row]:
    """Yield the rows of a fetched corpus whose key matches `keep`, in source order."""
    source = corpus.source
    if isinstance(source, Files):
        rows = _read_files(source, folder)
    elif isinstance(source, HubDataset):
        rows = _read_dataset(source, folder)
    else:
        rows = _read_sandbox(source)
    return (row for row in rows if fnmatchcase(row.key, corpus.keep))


def _read_files(source: Files, folder: Path) -> Iterator[Row]:
    if isinstance(source.format, PlainText):
        yield from _read_aligned_text(source.files, folder)
        return
    if isinstance(source.format, BibleVerses):
        yield from _read_verses(source.files, folder)
        return
    if isinstance(source.format, TranslationMemory):
        yield from _read_memories(source.files, source.format, folder)
        return
    form = source.format
    seen: Counter[str] = Counter()
    for file in source.files:
        records = file_records(folder / local_name(file), file.name, form)
        yield from _rows(
            records, form.columns, form.id, split=file.split, name=file.name, seen=seen
        )


def file_records(
    path: Path, name: str, form: Table | JsonLines | TranslationMemory
) -> Iterator[Mapping[str, object]]:
    """Yield the records of one file as they are, by the names (or numbers) of its columns.

    Those of a translation memory are its language tags.
    """
    if isinstance(form, TranslationMemory):
        return (dict(unit.variants) for unit in read_units(path, name))
    if isinstance(form, JsonLines):
        return _json_records(path, name)
    return _table_records(path, name, form)


def _rows(
    records: Iterator[Mapping[str, object]],
    columns: Columns,
    id_column: str | None,
    *,
    split: str | None,
    name: str,
    seen: Counter[str],
) -> Iterator[Row]:
    """Yield rows; without an id column they are numbered, on through all files of a split."""
    wanted = [*columns.values(), *([id_column] if id_column else [])]
    for number, record in enumerate(records, start=1):
        missing = [column for column in wanted if column not in record]
        if missing:
            found = ", ".join(map(repr, record))
            raise SourceError(
                f"{name}: record {number} has no column {missing[0]!r}; found {found}"
            )
        key = _text(record[id_column]).strip() if id_column else _numbered(split, seen)
        if not key:
            raise SourceError(f"{name}: record {number} has nothing in its id column {id_column!r}")
        fields = {field: _text(record[column]) for field, column in columns.items()}
        yield Row(key, split, fields)


def _numbered(split: str | None, seen: Counter[str]) -> str:
    prefix = split or "row"
    seen[prefix] += 1
    return f"{prefix}-{seen[prefix]}"


def _text(value: object) -> str:
    return "" if value is None else str(value)  # 0 is a label, too


def _lines(path: Path, name: str) -> Iterator[str]:
    """Yield decoded lines without their ending; only `\\n` and `\\r\\n` end a line.

    A byte order mark at the beginning is no text. A file without line ends is an error, not memory.
    """
    with path.open("rb") as stream:
        lines = iter(partial(stream.readline, MAX_LINE_BYTES + 1), b"")
        for number, raw in enumerate(lines, start=1):
            yield _decoded(raw, number, name).removesuffix("\n").removesuffix("\r")


def _decoded(raw: bytes, number: int, name: str) -> str:
    """Return a line as text; raise SourceError for what no line of UTF-8 text is."""
    if len(raw) > MAX_LINE_BYTES:
        raise SourceError(
            f"{name}: line {number} is longer than {MAX_LINE_BYTES:,} bytes; expected one record a "
            "line, ended by \\n or \\r\\n: cut it, or look at the line ends"
        )
    if b"\0" in raw:
        raise SourceError(
            f"{name}: line {number} holds a NUL byte, which no UTF-8 text does; re-encode the file "
            "(from UTF-16?) or take the byte out"
        )
    try:
        return raw.decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError as error:
        raise SourceError(
            f"{name}: line {number} is not valid UTF-8 (byte {error.start + 1}: "
            f"0x{error.object[error.start]:02x}); re-encode the file as UTF-8"
        ) from error


def _table_records(path: Path, name: str, form: Table) -> Iterator[Mapping[str, object]]:
    lines = _lines(path, name)
    csv.field_size_limit(MAX_FIELD_CHARACTERS)
    if form.kind == "tsv":
        rows: Iterator[list[str]] = (line.split("\t") if line else [] for line in lines)
    else:
        rows = csv.reader((f"{line}\n" for line in lines), strict=True)
    number = 0
    try:
        header = next(rows, None) if form.header else None
        for row in rows:
            number += 1
            names = header or [str(i + 1) for i in range(len(row))]
            if row and len(row) != len(names):
                raise SourceError(
                    f"{name}: record {number} has {len(row)} columns, the header has {len(names)}"
                )
            if row:
                yield dict(zip(names, row, strict=True))
    except csv.Error as error:
        raise SourceError(f"{name}: not a readable table after record {number}: {error}") from error


def _json_records(path: Path, name: str) -> Iterator[Mapping[str, object]]:
    for number, line in enumerate(_lines(path, name), start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except json.JSONDecodeError as error:
            raise SourceError(f"{name}: line {number} is not JSON: {error}") from error
        if not isinstance(record, dict):
            raise SourceError(f"{name}: line {number} is not a JSON object")
        yield record


def _read_aligned_text(files: Sequence[RemoteFile], folder: Path) -> Iterator[Row]:
    """Yield the lines of one file per language side by side, split after split.

    Of several files in a language, the first goes with the first of the others, and so on.
    """
    seen: Counter[str] = Counter()
    for sides in aligned_files(files):
        split = sides[0].split
        names = [side.language or "text" for side in sides]
        streams = [_lines(folder / local_name(side), side.name) for side in sides]
        for number, texts in enumerate(itertools.zip_longest(*streams), start=1):
            if None in texts:
                short = sides[texts.index(None)].name
                longer = next(s.name for s, t in zip(sides, texts, strict=True) if t is not None)
                raise SourceError(
                    f"{short} ends after {number - 1} lines, {longer} goes on: "
                    "aligned files must have equal line counts"
                )
            yield Row(_numbered(split, seen), split, dict(zip(names, texts, strict=True)))


def aligned_files(files: Sequence[RemoteFile]) -> Iterator[tuple[RemoteFile, ...]]:
    """Yield the files that belong side by side: one of each language, all of one split."""
    languages = dict.fromkeys(file.language for file in files)
    for split in dict.fromkeys(file.split for file in files):
        sides = [[f for f in files if f.split == split and f.language == x] for x in languages]
        if len({len(side) for side in sides}) > 1:
            counts = ", ".join(f"{len(s)} in {x}" for s, x in zip(sides, languages, strict=True))
            where = f"split {split}: " if split else ""
            raise SourceError(f"{where}aligned files must be as many in each language: {counts}")
        yield from zip(*sides, strict=True)


def _read_memories(
    files: Sequence[RemoteFile], form: TranslationMemory, folder: Path
) -> Iterator[Row]:
    """Yield the units of all files; those without an id are numbered, on through all of them.

    Of a unit with several translations, the second and on have their number in the key: `u1/2`.
    """
    columns = {x: (t,) if isinstance(t, str) else t for x, t in form.columns.items()}
    number = 0
    for file in files:
        for tuid, pairs in read_memory(folder / local_name(file), file.name, columns):
            number += 1
            key = (form.id and tuid) or f"unit-{number}"
            for place, texts in enumerate(pairs, start=1):
                yield _row(key if place == 1 else f"{key}/{place}", file.split, texts, columns)


def _row(
    key: str, split: str | None, texts: Mapping[str, str | None], fields: Iterable[str]
) -> Row:
    """Return a row that says which of its fields have no text."""
    found = {field: texts.get(field) for field in fields}
    lacks = tuple(field for field, text in found.items() if text is None)
    return Row(key, split, {field: text or "" for field, text in found.items()}, lacks)


def _read_verses(files: Sequence[RemoteFile], folder: Path) -> Iterator[Row]:
    """Yield the verses of all languages of the files, side by side."""
    bibles: dict[str, Bible] = {}
    for file in files:
        path = folder / local_name(file)
        read = read_ces if path.suffix.lower() == ".xml" else read_usfm
        read(path, file.name, bibles.setdefault(file.language or "text", Bible()))
    for span, texts in align_verses([bible.verses for bible in bibles.values()]):
        yield _row(verse_key(span), None, dict(zip(bibles, texts, strict=True)), bibles)


def _read_dataset(source: HubDataset, folder: Path) -> Iterator[Row]:
    import pyarrow.parquet as parquet

    seen: Counter[str] = Counter()
    for path in sorted(folder.glob("*.parquet")):
        split = (source.splits or {}).get(path.stem)
        if source.splits is not None and split is None:
            continue
        with parquet.ParquetFile(path) as file:
            records = (r for batch in file.iter_batches(PARQUET_ROWS) for r in batch.to_pylist())
            name = f"data set {source.name}, split {path.stem}"
            yield from _rows(records, source.columns, source.id, split=split, name=name, seen=seen)


def _read_sandbox(source: Sandbox) -> Iterator[Row]:
    recipe, language = source.recipe, source.language
    if source.part == "parallel":
        for key, hub, text in sandbox.parallel(recipe, language):
            yield Row(key, None, {"hub": hub, language: text})
    elif source.part == "monolingual":
        for key, text in sandbox.monolingual(recipe, language):
            yield Row(key, None, {language: text})
    else:
        for key, text, label, split in sandbox.labelled(recipe, language):
            yield Row(key, split, {"text": text, "label": label})
