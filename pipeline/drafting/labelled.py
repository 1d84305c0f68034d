"""Describe labelled sets made of a user's own tables: which columns and files hold what."""

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from models.support.errors import SpecError
from pipeline.drafting.corpora import (
    GivenFile,
    Unpacked,
    table_format,
    unpack,
    unsound_ids,
    which_column,
)
from pipeline.specs.languages import check_code
from tasks.sources.description import Columns, Corpus, Files, JsonLines, SplitName, Table
from tasks.sources.fetching import local_name
from tasks.sources.naming import find_column, find_id_column, find_text_column, words_of
from tasks.sources.reading import FetchedCorpus, file_records
from tasks.sources.sniffing import Sniffed
from tasks.sources.values import places
from tasks.splitting import NAMED_PARTS

LABEL_WORDS = {"label", "labels", "class", "category", "sentiment", "emotion", "topic", "stance"}
LABEL_WORDS |= {"polarity", "intent", "gold"}
SPLIT_WORDS = {"split", "set", "subset", "fold", "partition", "part"}
SAMPLE = 5_000
MOST_LABELS = 50
LEAST_REPEATS = 5
"""How often a value of a label column stands there on average, at least."""


@dataclass(frozen=True, kw_only=True)
class TaskColumns:
    """The columns as the user names them; None where they are to be found.

    The source language's table must have them; those of another may be called otherwise.
    """

    text: str | None = None
    label: str | None = None
    id: str | None = None
    split: str | None = None
    group: str | None = None

    def within(self, columns: Collection[str]) -> "TaskColumns":
        """Return those that a table has, by name or by number."""
        given = ((f.name, getattr(self, f.name)) for f in fields(self))
        return TaskColumns(**{f: c for f, c in given if c and (c in columns or c.isdigit())})


class LabelledFile(NamedTuple):
    """A file as the user gives it: `LANGUAGE=FILE`, or `LANGUAGE:PART=FILE`."""

    language: str
    part: SplitName | None
    path: str

    @classmethod
    def parse(cls, argument: str) -> "LabelledFile":
        """Read an argument; raise SpecError for one of another form."""
        place, _, path = argument.partition("=")
        language, _, part = place.partition(":")
        if not path or not re.fullmatch(r"[a-z]{3}(_[A-Z][a-z]{3})?", language):
            raise SpecError(
                f"{argument}: expected LANGUAGE=FILE (swh=test.csv) or swh:test=gold.csv"
            )
        if part and part.casefold() not in NAMED_PARTS:
            raise SpecError(f"{argument}: no part {part!r}; expected train, dev or test")
        try:
            return cls(check_code(language), NAMED_PARTS.get(part.casefold()), path)
        except ValueError as error:
            raise SpecError(f"{argument}: {error}") from error

    @property
    def named_part(self) -> SplitName | None:
        """The part that the user or else the file's name says."""
        words = re.split(r"[^a-z]+", Path(self.path.rpartition(".zip:")[2]).name.casefold())
        found = {NAMED_PARTS[word] for word in words if word in NAMED_PARTS}
        return self.part or (found.pop() if len(found) == 1 else None)


class DraftedTexts(NamedTuple):
    """The labelled set of one language: where it lies, where its files are, what is a guess."""

    language: str
    name: str
    source: Files
    folder: Path
    doubts: Sequence[str]

    @property
    def columns(self) -> Columns:
        """Which column holds which of our fields."""
        form = self.source.format
        return form.columns if isinstance(form, Table | JsonLines) else {}

    def with_columns(self, columns: Columns) -> "DraftedTexts":
        """Return the same files with other columns."""
        form = self.source.format
        if not isinstance(form, Table | JsonLines):
            return self
        return self._replace(source=replace(self.source, format=replace(form, columns=columns)))

    @property
    def key(self) -> str | None:
        """The column of the ids; None where rows are numbered."""
        form = self.source.format
        return form.id if isinstance(form, Table | JsonLines) else None

    @property
    def fetched(self) -> FetchedCorpus:
        """The set as it is read."""
        corpus = Corpus(name=self.name, source=self.source, licence="unknown")
        return FetchedCorpus(corpus, self.folder)


def draft_texts(
    task: str,
    files: Sequence[LabelledFile],
    columns: TaskColumns,
    *,
    parts: bool,
    of_source: bool,
    folder: Path,
) -> DraftedTexts:
    """Describe the files of one language; with `parts`, they are the parts that they are named for.

    `of_source`: they must have all the columns that are named. Raises SpecError for files that are
    no tables or differ, and for columns that cannot be told.
    """
    language = files[0].language
    unpacked = unpack([file.path for file in files], folder)
    _refuse_text(unpacked.files)
    values = _values(unpacked)
    if not of_source:
        columns = columns.within(unpacked.files[0].looks.columns)
    found, doubts = _find_columns(unpacked, language, columns, values)
    if of_source and "label" not in found:
        raise which_column(unpacked.files[0], "the label", "--label COLUMN")
    forms = [table_format(given, found) for given in unpacked.files]
    doubts += [doubt for _, some in forms for doubt in some]
    first = forms[0][0]
    for given, (form, _) in zip(unpacked.files, forms, strict=True):
        if form != first:
            raise SpecError(
                f"{given.name}: it is read as {form}, {unpacked.files[0].name} as {first}; the "
                f"tables of {language} must have one form"
            )
    described = [
        replace(given.file, split=file.named_part if parts else None)
        for given, file in zip(unpacked.files, files, strict=True)
    ]
    source = Files(kind="files", base=str(unpacked.base), files=tuple(described), format=first)
    drafted = DraftedTexts(language, f"{task}-{language}", source, folder, doubts)
    return _with_keys(drafted, columns.id, values)


def names_tell_parts(files: Sequence[LabelledFile]) -> bool:
    """Say whether files are named for parts: a lone `train.csv` is not, it may hold everything."""
    named = {file.named_part for file in files}
    return "test" in named or any(file.part for file in files)


def _refuse_text(files: Sequence[GivenFile]) -> None:
    for given in files:
        if given.looks.kind not in ("csv", "tsv", "jsonl"):
            raise SpecError(
                f"{given.name}: expected a table (CSV, TSV, JSON lines) with a text and a label a "
                "row; this is plain text, a Bible or a translation memory"
            )


def _find_columns(
    unpacked: Unpacked, language: str, chosen: TaskColumns, values: Mapping[str, Counter[str]]
) -> tuple[Columns, list[str]]:
    """Return the columns by our fields, as chosen, else by name, else by what stands in them."""
    given = unpacked.files[0]
    known, doubts = given.looks.columns, list[str]()
    split = chosen.split or _split_column(values)
    taken = {c for c in (chosen.text, chosen.id, chosen.group, split) if c}
    label = chosen.label
    if label is None:
        label, guessed = _label_column({c: v for c, v in values.items() if c not in taken})
        if guessed:
            doubts.append(f"{given.name}: that the column {label!r} holds the label")
    rest = {c: v for c, v in known.items() if c not in {*taken, label} - {chosen.text}}
    text = chosen.text
    if text is None:
        text = find_column(language, rest) or _named_text(rest)
    if text is None:
        text = _longest(values, rest)
        if text is None:
            raise which_column(given, "the text", "--text COLUMN --label COLUMN")
        doubts.append(f"{given.name}: that the column {text!r} holds the text")
    found = {"text": text, "label": label, "split": split, "group": chosen.group}
    return {field: column for field, column in found.items() if column}, doubts


def _named_text(columns: Mapping[str, str]) -> str | None:
    key = find_id_column([*columns])
    return find_text_column({c: v for c, v in columns.items() if c != key})


def _values(unpacked: Unpacked) -> dict[str, Counter[str]]:
    """Return how often each value of each column stands in the first records of all files."""
    found: dict[str, Counter[str]] = {}
    for given in unpacked.files:
        path = unpacked.folder / local_name(given.file)
        for record in islice(file_records(path, given.name, _whole(given.looks)), SAMPLE):
            for column, value in places(record):
                if isinstance(value, str | int) and str(value).strip():
                    found.setdefault(column, Counter())[str(value).strip()] += 1
    return found


def _whole(looks: Sniffed) -> Table | JsonLines:
    """Return the format that reads all columns of a table."""
    if looks.kind == "jsonl":
        return JsonLines(kind="jsonl", columns={})
    return looks.table({}, header=looks.header)


def _split_column(values: Mapping[str, Counter[str]]) -> str | None:
    named = [c for c in values if SPLIT_WORDS & {*words_of(c)}]
    fit = [c for c in named if all(value.casefold() in NAMED_PARTS for value in values[c])]
    return fit[0] if len(fit) == 1 else None


def _label_column(values: Mapping[str, Counter[str]]) -> tuple[str | None, bool]:
    """Return the column that holds the label, and whether that is a guess by its values."""
    named = [c for c in values if LABEL_WORDS & {*words_of(c)}]
    exact = [c for c in named if words_of(c) in (["label"], ["labels"])]
    if len(exact or named) == 1:
        return (exact or named)[0], False
    like = [c for c, counts in values.items() if _like_labels(counts)]
    return (like[0], True) if len(like) == 1 and not named else (None, False)


def _like_labels(counts: Collection[str]) -> bool:
    total = counts.total() if isinstance(counts, Counter) else len(counts)
    return 2 <= len(counts) <= MOST_LABELS and total >= LEAST_REPEATS * len(counts)


def _longest(values: Mapping[str, Counter[str]], columns: Collection[str]) -> str | None:
    """Return the one column with several words in most of its values, which mostly differ."""
    like = [
        column
        for column in columns
        if (counts := values.get(column))
        and len(counts) > counts.total() / 2
        and sum(n for value, n in counts.items() if " " in value) > counts.total() / 2
    ]
    return like[0] if len(like) == 1 else None


def _with_keys(
    drafted: DraftedTexts, chosen: str | None, values: Mapping[str, Counter[str]]
) -> DraftedTexts:
    """Take the ids of the table where they are sound; raise SpecError where chosen ones are not."""
    form = drafted.source.format
    if not isinstance(form, Table | JsonLines):
        return drafted
    rest = [column for column in values if column not in drafted.columns.values()]
    named = chosen or find_id_column(rest)
    if isinstance(form, Table) and not form.header:
        named = chosen or _like_keys({c: v for c, v in values.items() if c in rest})
        if named and not chosen:
            doubt = f"that the column {named!r} holds the ids"
            drafted = drafted._replace(doubts=[*drafted.doubts, doubt])
    if named is None:
        return drafted
    key = named
    keyed = drafted._replace(source=replace(drafted.source, format=replace(form, id=key)))
    wrong = unsound_ids(keyed.fetched)
    if wrong is None:
        return keyed
    if chosen:
        raise SpecError(f"--id {chosen}: {wrong}")
    doubt = f"rows are numbered; the column {key!r} looks like their id, but {wrong}"
    return drafted._replace(doubts=[*drafted.doubts, doubt])


def _like_keys(values: Mapping[str, Counter[str]]) -> str | None:
    """Return the one column whose values are all single words and all different."""
    like = [
        column
        for column, counts in values.items()
        if len(counts) == counts.total() and not any(" " in value for value in counts)
    ]
    return like[0] if len(like) == 1 else None


def texts_in_words(drafted: DraftedTexts) -> Iterator[str]:
    """Yield what each file of a labelled set is taken for."""
    held = [f"{field} in {column!r}" for field, column in drafted.columns.items()]
    held += [f"ids in {drafted.key!r}"] if drafted.key else ["rows are numbered"]
    for file in drafted.source.files:
        part = f" {file.split}" if file.split else ""
        yield f"{file}: {drafted.source.format.kind}, {drafted.language}{part}, {', '.join(held)}"
