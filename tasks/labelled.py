"""Labelled sets for classification: texts per language and labels, joined by id."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from models.support.errors import SourceError
from tasks.cleaning import CleaningRules, Counts, key_digest, normalise
from tasks.identity import Likeness, likeness, may_be_row_number
from tasks.records import Record, RecordWriter, read_columns, read_records, write_records
from tasks.sources.description import ShareSplit
from tasks.sources.reading import FetchedCorpus, read_corpus
from tasks.sources.rows import Row
from tasks.splitting import HELD_OUT_PARTS, NAMED_PARTS, PARTS, part_by_share, rank

REPEATED = "repeated.parquet"
LabelOf = Mapping[str, tuple[str, str]]
"""Key of an item to its label and its split."""


class SourceSet(NamedTuple):
    """What another language must know of the source language's set.

    Keys of train items that repeat a text there, the classes of those that are left, and all items
    that are left, by key.
    """

    repeated: Collection[str]
    classes: Collection[str]
    items: Mapping[str, Record] = MappingProxyType({})

    @classmethod
    def load(cls, folder: Path) -> "SourceSet":
        """Read what `prepare_labelled` wrote."""
        labels = read_columns(folder / "train.parquet", ["label"])["label"]
        records = (r for part in PARTS for r in read_records(folder / f"{part}.parquet"))
        items = {record["id"].partition(":")[2]: record for record in records}
        return cls(read_columns(folder / REPEATED)["key"], {*labels}, items)


def read_labels(
    fetched: FetchedCorpus, labels: Sequence[str], split: ShareSplit | None = None
) -> dict[str, tuple[str, str]]:
    """Return label and split of every item; raise for one that is unknown or in doubt."""
    found: dict[str, tuple[str, str]] = {}
    for row in read_corpus(*fetched):
        label, part = row.fields["label"].strip(), part_of(row, split)
        if label not in labels:
            raise SourceError(
                f"corpus {fetched.corpus.name}: item {row.key!r} has the label {label!r}; "
                f"the task knows {', '.join(labels)}"
            )
        if part is None:
            raise SourceError(f"corpus {fetched.corpus.name}: {without_part(row)}")
        if found.setdefault(row.key, (label, part)) != (label, part):
            raise SourceError(
                f"corpus {fetched.corpus.name}: item {row.key!r} stands there twice, as "
                f"{found[row.key]} and as {(label, part)}; ids must be unique over all splits"
            )
    return found


def part_of(row: Row, split: ShareSplit | None) -> str | None:
    """Return the part of an item: as its column or its file says, else as it is drawn."""
    if "split" in row.fields:
        return NAMED_PARTS.get(row.fields["split"].strip().casefold())
    if row.split is not None or split is None:
        return row.split
    return part_by_share(group_of(row), split)


def group_of(row: Row) -> str:
    """Return what is drawn as a whole: the group of an item, or the item alone."""
    return row.fields.get("group", "").strip() or row.key


def without_part(row: Row) -> str:
    """Say why an item is in no part, and what to do."""
    if "split" in row.fields:
        known = ", ".join(NAMED_PARTS)
        return f"item {row.key!r} has the split {row.fields['split']!r}; expected one of {known}"
    return f"item {row.key!r} is in no split; give each file its `split`, or the task one to draw"


def prepare_labelled(
    texts: FetchedCorpus,
    label_of: LabelOf,
    *,
    rules: CleaningRules,
    limits: Mapping[str, int],
    source: SourceSet | None = None,
    language: str = "",
    out: Path,
) -> dict[str, object]:
    """Write `train`, `dev`, `test.parquet` (id, text, label) of one language; return counts.

    `source` is the source language's set; None where this is the source language itself. An item
    without text or label is counted and left out. A train item whose text stands in dev or test, or
    earlier in train, is left out too, and so is one that is in the source language: where a text
    repeats there, its translations differ. All these keys are written to `repeated.parquet`. Dev
    and test items are never removed. The source language needs train items, another one test items;
    SourceError where they are missing, where no row of a part is usable, and where what is left can
    teach or test nothing.

    Where keys do not name the same items as in the source language, they get the language in
    front (`jav/train-17`), so that nothing ever takes the two for one.
    """
    counts = Counts()
    by_part = _labelled_parts(texts, label_of, rules, counts)
    needed = {"test" if source else "train", *by_part}
    ids: dict[str, object] = {}
    if source and (found := _likeness(source.items, by_part)).items:
        shared = ids_are_shared(found, [key for items in by_part.values() for key in items])
        ids = {"ids": {**found._asdict(), "shared": shared}}
        if not shared:
            by_part = {part: _renamed(items, language) for part, items in by_part.items()}
    repeated = {*(source.repeated if source else ()), *_repeated(by_part)}
    write_records(out / REPEATED, {"key": sorted(repeated)})
    train = by_part.get("train", {})
    by_part["train"] = {key: train[key] for key in train if key not in repeated}
    counts.dropped["repeated_text"] = len(train) - len(by_part["train"])
    classes = {part: _write(by_part.get(part, {}), limits.get(part), out, part) for part in PARTS}
    problems = list(_problems(classes, needed, source))
    if problems:
        raise SourceError(
            f"corpus {texts.corpus.name}: {'; '.join(problems)} (read {counts.read} texts for "
            f"{len(label_of)} labels, {counts.reasons()})"
        )
    sizes = {part: found.total() for part, found in classes.items()}
    return {**sizes, **counts.reasons(), **ids}


def ids_are_shared(found: Likeness, keys: Sequence[str]) -> bool:
    """Say whether keys name the same items in two languages.

    Numbers of rows do where the texts show it, other keys unless the texts show the contrary.
    """
    numbered = 2 * sum(map(may_be_row_number, keys)) > len(keys)
    return found.verdict == "same" if numbered else found.verdict != "other"


def _likeness(
    source: Mapping[str, Record], by_part: Mapping[str, Mapping[str, Record]]
) -> Likeness:
    """Compare the items of a language with those of the source language by key."""
    own = {key: record for items in by_part.values() for key, record in items.items()}
    texts, labels = (
        [{key: record[field] for key, record in items.items()} for items in (source, own)]
        for field in ("text", "label")
    )
    return likeness(texts[0], texts[1], labels=(labels[0], labels[1]))


def _renamed(items: Mapping[str, Record], language: str) -> dict[str, Record]:
    """Return the items with the language in front of their keys."""
    renamed = {}
    for key, record in items.items():
        corpus, _, _ = record["id"].partition(":")
        renamed[f"{language}/{key}"] = {**record, "id": f"{corpus}:{language}/{key}"}
    return renamed


def _labelled_parts(
    texts: FetchedCorpus, label_of: LabelOf, rules: CleaningRules, counts: Counts
) -> dict[str, dict[str, Record]]:
    """Return the items of each part that has rows, by key; count those without text or label."""
    by_part: dict[str, dict[str, Record]] = {}
    without_text = set(label_of)
    for row in read_corpus(texts.corpus, texts.folder):
        counts.read += 1
        without_text.discard(row.key)
        if row.key not in label_of:
            counts.drop("no_label")
            continue
        label, part = label_of[row.key]
        items = by_part.setdefault(part, {})
        counts.note_repairs(row.fields["text"])
        text = normalise(row.fields["text"], rules)
        if not text:
            counts.drop("empty")
            continue
        record = {"id": f"{texts.corpus.name}:{row.key}", "text": text, "label": label}
        if items.setdefault(row.key, record) is not record:
            counts.drop("repeated_id")
    counts.dropped["no_text"] = len(without_text)
    return by_part


def _problems(
    classes: Mapping[str, Counter[str]], needed: Collection[str], source: SourceSet | None
) -> Iterator[str]:
    """Yield why the parts, with their items by class, can teach or test nothing.

    `needed` are those without which nothing can be done, and those that have rows.
    """
    for part in ("train", "test"):
        if len(classes[part]) == 1:
            yield f"the {part} part has one class only, {next(iter(classes[part]))!r}"
        elif not classes[part] and part in needed:
            yield f"the {part} part has no labelled item"
    taught, by = {*classes["train"]}, "train item"
    if not taught and source:
        taught, by = {*source.classes}, "train item of the source language"
    for part in HELD_OUT_PARTS if taught else ():
        for label in sorted(classes[part].keys() - taught):
            number = classes[part][label]
            yield f"{number} {part} items have the class {label!r}, which no {by} has"


def _repeated(by_part: Mapping[str, Mapping[str, Record]]) -> set[str]:
    """Return the keys of train items whose text stands in dev or test, or earlier in train."""
    train = by_part.get("train", {})
    held_out = (record for part in HELD_OUT_PARTS for record in by_part.get(part, {}).values())
    seen = {key_digest(record["text"]) for record in held_out}
    repeated = set()
    for key in sorted(train):
        digest = key_digest(train[key]["text"])
        if digest in seen:
            repeated.add(key)
        seen.add(digest)
    return repeated


def _write(records: Mapping[str, Record], limit: int | None, out: Path, part: str) -> Counter[str]:
    """Write one part in the order of its ids, so that languages line up; count its classes."""
    chosen = [records[key] for key in _sample(sorted(records), limit)]
    with RecordWriter(out / f"{part}.parquet", ["id", "text", "label"]) as writer:
        for record in chosen:
            writer.write(record)
    return Counter(record["label"] for record in chosen)


def _sample(keys: Sequence[str], limit: int | None) -> list[str]:
    if limit is None or limit >= len(keys):
        return list(keys)
    return sorted(sorted(keys, key=lambda key: rank(key, 0))[:limit])
