"""Read the rows of a fetched source; every problem names the file and the line."""

import csv
import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

from models.errors import SourceError
from tasks import sandbox
from tasks.sources.description import (
    Columns,
    Corpus,
    Files,
    HubDataset,
    JsonLines,
    PlainText,
    RemoteFile,
    Sandbox,
    Table,
)
from tasks.sources.fetching import local_name

MAX_FIELD_CHARACTERS = 1_000_000
PARQUET_ROWS = 10_000


class Row(NamedTuple):
    """One record as the source has it: its own key, its shipped split if any, its fields."""

    key: str
    split: str | None
    fields: dict[str, str]


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
    for file in source.files:
        path = folder / local_name(file)
        records = _records(path, file.name, source.format)
        yield from _rows(records, source.format.columns, source.format.id, file.split, file.name)


def _records(path: Path, name: str, form: Table | JsonLines) -> Iterator[Mapping[str, object]]:
    if isinstance(form, JsonLines):
        return _json_records(path, name)
    return _table_records(path, name, form)


def _rows(
    records: Iterator[Mapping[str, object]],
    columns: Columns,
    id_column: str | None,
    split: str | None,
    name: str,
) -> Iterator[Row]:
    wanted = [*columns.values(), *([id_column] if id_column else [])]
    for number, record in enumerate(records, start=1):
        missing = [column for column in wanted if column not in record]
        if missing:
            found = ", ".join(map(repr, record))
            raise SourceError(
                f"{name}: record {number} has no column {missing[0]!r}; found {found}"
            )
        key = str(record[id_column]).strip() if id_column else f"{split or 'row'}-{number}"
        fields = {field: str(record[column] or "") for field, column in columns.items()}
        yield Row(key, split, fields)


def _lines(path: Path, name: str) -> Iterator[str]:
    """Yield decoded lines without their ending; only `\\n` and `\\r\\n` end a line."""
    with path.open("rb") as stream:
        for number, raw in enumerate(stream, start=1):
            try:
                line = raw.decode("utf-8-sig" if number == 1 else "utf-8")
            except UnicodeDecodeError as error:
                raise SourceError(
                    f"{name}: line {number} is not valid UTF-8 (byte {error.start + 1}: "
                    f"0x{raw[error.start]:02x}); re-encode the file as UTF-8"
                ) from error
            yield line.removesuffix("\n").removesuffix("\r")


def _table_records(path: Path, name: str, form: Table) -> Iterator[Mapping[str, object]]:
    lines = _lines(path, name)
    csv.field_size_limit(MAX_FIELD_CHARACTERS)
    if form.kind == "tsv":
        rows: Iterator[list[str]] = (line.split("\t") for line in lines)
    else:
        rows = csv.reader(f"{line}\n" for line in lines)
    try:
        header = next(rows, None) if form.header else None
        for number, row in enumerate(rows, start=1):
            names = header or [str(i + 1) for i in range(len(row))]
            if row and len(row) != len(names):
                raise SourceError(
                    f"{name}: record {number} has {len(row)} columns, the header has {len(names)}"
                )
            if row:
                yield dict(zip(names, row, strict=True))
    except csv.Error as error:
        raise SourceError(f"{name}: not a readable table: {error}") from error


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
    """Yield the lines of one file per language side by side, split after split."""
    by_split: dict[str | None, list[RemoteFile]] = {}
    for file in files:
        by_split.setdefault(file.split, []).append(file)
    for split, sides in by_split.items():
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
            key = f"{split or 'row'}-{number}"
            yield Row(key, split, dict(zip(names, texts, strict=True)))


def _read_dataset(source: HubDataset, folder: Path) -> Iterator[Row]:
    import pyarrow.parquet as parquet

    for path in sorted(folder.glob("*.parquet")):
        split = (source.splits or {}).get(path.stem)
        if source.splits is not None and split is None:
            continue
        with parquet.ParquetFile(path) as file:
            records = (r for batch in file.iter_batches(PARQUET_ROWS) for r in batch.to_pylist())
            name = f"data set {source.name}, split {path.stem}"
            yield from _rows(records, source.columns, source.id, split, name)


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
