"""Read the rows of a fetched source; every problem names the file and the line."""

import itertools
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
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
from tasks.sources.lines import carriage_return, conversion_of_line_ends, read_lines
from tasks.sources.memories import read_memory, read_units
from tasks.sources.rows import Row, realigned
from tasks.sources.tables import table_records
from tasks.sources.usfm import read_usfm
from tasks.sources.values import MISSING, name_of, places, spread, text_of, value_at

PARQUET_ROWS = 10_000
SHOWN_COLUMNS = 20


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
    """Yield the rows of a fetched corpus whose key matches `keep`, in source order.

    Rows are counted, and put beside their own text where it has slipped, after that.
    """
    source = corpus.source
    if isinstance(source, Files):
        rows = _read_files(source, folder)
    elif isinstance(source, HubDataset):
        rows = _read_dataset(source, folder)
    else:
        rows = _read_sandbox(source)
    kept = (row for row in rows if fnmatchcase(row.key, corpus.keep))
    return realigned(kept, corpus.realign, corpus.name) if corpus.realign else kept


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
        name = file.member or file.name
        records = _placed_records(folder / local_name(file), name, form)
        yield from _rows(records, form.columns, form.id, split=file.split, name=name, seen=seen)


def file_records(
    path: Path, name: str, form: Table | JsonLines | TranslationMemory
) -> Iterator[Mapping[str, object]]:
    """Yield the records of one file as they are, by the names (or numbers) of its columns.

    Those of a translation memory are its language tags.
    """
    if isinstance(form, TranslationMemory):
        return (dict(unit.variants) for unit in read_units(path, name))
    return (record for _, record in _placed_records(path, name, form))


def _placed_records(
    path: Path, name: str, form: Table | JsonLines
) -> Iterator[tuple[str, Mapping[str, object]]]:
    """Yield the records of one file, each with its place in words."""
    if isinstance(form, JsonLines):
        return _json_records(path, name)
    return table_records(path, name, form)


def _counted(
    records: Iterable[Mapping[str, object]],
) -> Iterator[tuple[str, Mapping[str, object]]]:
    return ((f"record {number}", record) for number, record in enumerate(records, start=1))


def _rows(
    records: Iterator[tuple[str, Mapping[str, object]]],
    columns: Columns,
    id_column: str | None,
    *,
    split: str | None,
    name: str,
    seen: Counter[str],
) -> Iterator[Row]:
    """Yield rows; without an id column they are numbered, on through all files of a split."""
    for place, record in records:
        where = f"{name}: {place}"
        if id_column:
            key = name_of(_found(record, id_column, where), where, id_column).strip()
        else:
            key = _numbered(split, seen)
        if not key:
            raise SourceError(f"{where} has nothing in its id column {id_column!r}")
        yield from _units(record, columns, Row(key, split, {}, place=where))


def _units(record: Mapping[str, object], columns: Columns, row: Row) -> Iterator[Row]:
    """Yield the row of a record, or one for each entry of the lists that its columns take whole.

    The second and on have their number in the key, `u1/2`. Lists go side by side: raises
    SourceError unless they are of one length.
    """
    lists = {f: found for f, c in columns.items() if (found := spread(record, c)) is not None}
    sizes = {len(found) for found in lists.values()} or {1}
    if len(sizes) > 1:
        seen = ", ".join(f"{len(found)} in {columns[field]!r}" for field, found in lists.items())
        raise SourceError(f"{row.place} has {seen}: lists that go together must be of one length")
    (size,) = sizes
    given = {f: c for f, c in columns.items() if size or f not in lists}
    for number in range(max(size, 1)):
        entry = {field: found[number] for field, found in lists.items() if size}
        fields = {
            field: _text(record, field, column, row.place)
            if entry.get(field, MISSING) is MISSING
            else _text({column: entry[field]}, field, column, row.place)
            for field, column in given.items()
        }
        lacks = tuple(field for field in columns if field not in given)
        fields |= dict.fromkeys(lacks, "")
        key = f"{row.key}/{number + 1}" if number else row.key
        yield row._replace(key=key, fields=fields, lacks=lacks)


def _text(record: Mapping[str, object], field: str, column: str, where: str) -> str:
    read = name_of if field == "label" else text_of
    return read(_found(record, column, where), where, column)


def _found(record: Mapping[str, object], column: str, where: str) -> object:
    """Return the value of a column; raise SourceError for one that the record does not have."""
    value = value_at(record, column)
    if value is MISSING:
        names = [path for path, _ in places(record)]
        found = ", ".join(map(repr, names[:SHOWN_COLUMNS]))
        more = f" and {len(names) - SHOWN_COLUMNS} more" if len(names) > SHOWN_COLUMNS else ""
        numbers = "; columns without a name of their own go by number"
        raise SourceError(
            f"{where} has no column {column!r}; found {found}{more}"
            + (numbers if any(map(str.isdecimal, names)) else "")
        )
    return value


def _numbered(split: str | None, seen: Counter[str]) -> str:
    prefix = split or "row"
    seen[prefix] += 1
    return f"{prefix}-{seen[prefix]}"


def _json_records(path: Path, name: str) -> Iterator[tuple[str, Mapping[str, object]]]:
    lines = ((n, line) for n, line in enumerate(read_lines(path, name), start=1) if line.strip())
    for record, (number, line) in enumerate(lines, start=1):
        try:
            value = json.loads(line, object_pairs_hook=_object)
        except json.JSONDecodeError as error:
            raise SourceError(f"{name}: line {number} is not JSON: {error}") from error
        except _RepeatedKeyError as error:
            raise SourceError(
                f"{name}: line {number}: the key {error.args[0]!r} stands there twice; which one "
                "is meant?"
            ) from error
        except UnicodeEncodeError as error:
            raise SourceError(
                f"{name}: line {number}: the key {error.object!a} holds half of a character "
                "(a lone surrogate)"
            ) from error
        except RecursionError as error:
            raise SourceError(f"{name}: line {number} is nested too deeply") from error
        if not isinstance(value, dict):
            raise SourceError(f"{name}: line {number} is not a JSON object")
        yield f"record {record} (line {number})", value


class _RepeatedKeyError(ValueError):
    """A key that an object has twice."""


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    for key in found:
        key.encode()  # raises what half a character is
    if len(found) < len(pairs):
        times = Counter(key for key, _ in pairs)
        raise _RepeatedKeyError(times.most_common(1)[0][0])
    return found


def _read_aligned_text(files: Sequence[RemoteFile], folder: Path) -> Iterator[Row]:
    """Yield the lines of one file per language side by side, split after split.

    Of several files in a language, the first goes with the first of the others, and so on.
    """
    seen: Counter[str] = Counter()
    for sides in aligned_files(files):
        split = sides[0].split
        names = [side.language or "text" for side in sides]
        streams = [read_lines(folder / local_name(side), side.name) for side in sides]
        for number, texts in enumerate(itertools.zip_longest(*streams), start=1):
            if None in texts:
                raise _unequal(sides, texts, number - 1, folder)
            place = f"{sides[0].name}: line {number}"
            yield Row(
                _numbered(split, seen), split, dict(zip(names, texts, strict=True)), place=place
            )


def _unequal(
    sides: Sequence[RemoteFile], texts: Sequence[str | None], lines: int, folder: Path
) -> SourceError:
    short = sides[texts.index(None)]
    longer = next(s.name for s, t in zip(sides, texts, strict=True) if t is not None)
    line = carriage_return(folder / local_name(short))
    hint = (
        f"; line {line} of {short.name} holds a CR: if CR ends lines, convert with: "
        + conversion_of_line_ends(short.name)
        if line
        else ""
    )
    return SourceError(
        f"{short.name} ends after {lines} lines, {longer} goes on: "
        f"aligned files must have equal line counts{hint}"
    )


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
        name = f"data set {source.name}, split {path.stem}"
        with parquet.ParquetFile(path) as file:
            records = _counted(
                r for batch in file.iter_batches(PARQUET_ROWS) for r in batch.to_pylist()
            )
            try:
                yield from _rows(
                    records, source.columns, source.id, split=split, name=name, seen=seen
                )
            except UnicodeDecodeError as error:
                raise SourceError(f"{name}: holds bytes that are not UTF-8: {error}") from error


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
