"""Look at all of a labelled set at once: its items by label and part, and what looks wrong."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from tasks.cleaning import CleaningRules, key_digest, normalise
from tasks.identity import is_row_number, likeness
from tasks.labelled import group_of, ids_are_shared, part_of, without_part
from tasks.leakage import HeldOut, HeldOutIndex, LeakRules
from tasks.sources.description import ShareSplit
from tasks.sources.reading import FetchedCorpus, read_corpus
from tasks.sources.rows import Row
from tasks.splitting import HELD_OUT_PARTS, PARTS

FEW_ITEMS = 10
"""A label with fewer items, over all parts, can hardly be learnt or judged."""
LEAST_TRAIN_ITEMS = 2


EMPTY, REPEATED, UNLABELLED, NO_TEXT = (
    "without text",
    "with an id that stood there before",
    "without a label of their id",
    "whose label has no text",
)
"""Rows that are counted and left out."""
NO_LABEL, NO_PART, TWO_IN_ONE = (
    "with an empty label",
    "in no part",
    "with an id that has another label or part elsewhere",
)
"""Rows that no run can do with."""
GRAVE = (NO_LABEL, NO_PART, TWO_IN_ONE)


class Item(NamedTuple):
    """One labelled text; `part` is empty where nothing says one."""

    key: str
    text: str
    label: str
    part: str
    group: str


@dataclass
class LabelledSurvey:
    """The items of one language, and the rows that are none: how many by reason, and the first."""

    language: str
    items: list[Item] = field(default_factory=list)
    read: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)

    def fault(self, reason: str, example: str) -> None:
        """Count a row that cannot be used."""
        self.faults[reason] += 1
        self.examples.setdefault(reason, example)

    @property
    def parts(self) -> list[str]:
        """The parts that have items."""
        there = {item.part for item in self.items}
        return [part for part in PARTS if part in there]

    def counts(self) -> dict[str, Counter[str]]:
        """Return the items of each label by part."""
        found: dict[str, Counter[str]] = defaultdict(Counter)
        for item in self.items:
            found[item.label][item.part] += 1
        return dict(sorted(found.items()))

    def of(self, *parts: str) -> list[Item]:
        """Return the items of some parts."""
        return [item for item in self.items if item.part in parts]


class Labels(NamedTuple):
    """What a corpus of labels says of each key: label, part and group."""

    of: Mapping[str, tuple[str, str, str]]

    @classmethod
    def read(
        cls, survey: LabelledSurvey, labels: FetchedCorpus, split: ShareSplit | None
    ) -> "Labels":
        """Read a corpus of labels; a row without one, or that repeats a key, is a fault."""
        found: dict[str, tuple[str, str, str]] = {}
        for row in read_corpus(*labels):
            said = _said(survey, row, split)
            if said and found.setdefault(row.key, said) != said:
                survey.fault(TWO_IN_ONE, _both(row.key, found[row.key], said))
        return cls(found)


def survey(
    language: str,
    texts: FetchedCorpus,
    *,
    labels: FetchedCorpus | None = None,
    split: ShareSplit | None = None,
) -> LabelledSurvey:
    """Read a labelled set to its last row; labels may come from a corpus of their own.

    Raises SourceError for a file that cannot be read.
    """
    found = LabelledSurvey(language)
    joined = Labels.read(found, labels, split) if labels else None
    rules, seen = CleaningRules(), dict[str, Item]()
    for row in read_corpus(*texts):
        found.read += 1
        said = joined.of.get(row.key) if joined else _said(found, row, split)
        if said is None:
            if joined:
                found.fault(UNLABELLED, repr(row.key))
            continue
        text = normalise(row.fields["text"], rules)
        item = Item(row.key, text, *said)
        if (first := seen.setdefault(row.key, item)) is not item:
            twice = said[:2] == (first.label, first.part)
            found.fault(REPEATED if twice else TWO_IN_ONE, _both(row.key, first[2:4], said[:2]))
        elif not text:
            found.fault(EMPTY, repr(row.key))
        else:
            found.items.append(item)
    if joined:
        for key in sorted(joined.of.keys() - seen.keys()):
            found.fault(NO_TEXT, repr(key))
    return found


def _both(key: str, first: Sequence[str], second: Sequence[str]) -> str:
    return f"{key!r} as {' '.join(first)} and as {' '.join(second)}"


def _said(found: LabelledSurvey, row: Row, split: ShareSplit | None) -> tuple[str, str, str] | None:
    """Return label, part and group of a row; None, and a fault, for one without a label."""
    label, part = row.fields["label"].strip(), part_of(row, split)
    if not label:
        found.fault(NO_LABEL, repr(row.key))
        return None
    if part is None:
        found.fault(NO_PART, without_part(row))
    return label, part or "", group_of(row)


# What looks wrong in one language


def doubts(found: LabelledSurvey, rules: LeakRules) -> Iterator[str]:
    """Yield what looks wrong with the items of a language, most grave first."""
    yield from _repeats(found, rules)
    yield from _repeats_within(found)
    yield from _split_groups(found)
    yield from _contradictions(found)
    yield from _rare_labels(found)
    yield from _alike(found)


def _repeats(found: LabelledSurvey, rules: LeakRules) -> Iterator[str]:
    """Yield how many items repeat text of a part that is held out from theirs."""
    for part in HELD_OUT_PARTS[::-1]:
        others = [p for p in PARTS[: PARTS.index(part)] if found.of(p)]
        held_out = found.of(part)
        exact = {key_digest(item.text) for item in held_out}
        index = HeldOutIndex((_held_out(found, item) for item in held_out), rules)
        for other in others if held_out else ():
            equal, near = 0, list[Item]()
            for item in found.of(other):
                if key_digest(item.text) in exact:
                    equal += 1
                elif _matches(index, item):
                    near.append(item)
            texts = f"of {len(found.of(other)):,} {other} texts"
            if equal:
                left_out = f", and {_verb(equal)} left out of train" if other == "train" else ""
                stand = "stands" if equal == 1 else "stand"
                yield f"{found.language}: {equal:,} {texts} {stand} in {part}, too{left_out}"
            if near:
                yield (
                    f"{found.language}: {len(near):,} {texts} {_verb(len(near))} nearly the same "
                    f"as one in {part} (first: item {near[0].key!r}); nothing but the split keeps "
                    "them apart"
                )


def _repeats_within(found: LabelledSurvey) -> Iterator[str]:
    for part in found.parts:
        items = found.of(part)
        repeats = len(items) - len({key_digest(item.text) for item in items})
        if repeats:
            left_out = f", and {_verb(repeats)} left out" if part == "train" else ""
            yield (
                f"{found.language}: {repeats:,} of {len(items):,} {part} texts "
                f"repeat{'s' * (repeats == 1)} an earlier one{left_out}"
            )


def _verb(number: int) -> str:
    return "is" if number == 1 else "are"


def _held_out(found: LabelledSurvey, item: Item) -> HeldOut:
    return HeldOut(item.part, found.language, item.key, item.text)


def _matches(index: HeldOutIndex, item: Item) -> bool:
    """Say whether a text is found again, whatever its id."""
    return any(True for _ in index.find({"id": "", "text": item.text}, ["text"]))


def _split_groups(found: LabelledSurvey) -> Iterator[str]:
    parts: dict[str, set[str]] = defaultdict(set)
    for item in found.items:
        parts[item.group].add(item.part)
    if torn := sorted(group for group, there in parts.items() if len(there) > 1):
        yield (
            f"{found.language}: {len(torn):,} of {len(parts):,} groups stand in several parts "
            f"(first: {torn[0]!r}), so what is learnt of a group is tested on it"
        )


def _contradictions(found: LabelledSurvey) -> Iterator[str]:
    labels: dict[bytes, set[str]] = defaultdict(set)
    for item in found.items:
        labels[key_digest(item.text)].add(item.label)
    if several := [there for there in labels.values() if len(there) > 1]:
        shown = " and ".join(sorted(several[0]))
        if len(several) == 1:
            yield f"{found.language}: 1 text has several labels ({shown})"
        else:
            yield f"{found.language}: {len(several):,} texts have several labels (one {shown})"


def _rare_labels(found: LabelledSurvey) -> Iterator[str]:
    for label, counts in found.counts().items():
        there = [part for part in PARTS if counts[part]]
        if len(there) == 1 and len(found.parts) > 1:
            yield (
                f"{found.language}: the label {label!r} stands in {there[0]} alone "
                f"({_items(counts.total())})"
            )
        elif counts.total() < FEW_ITEMS:
            yield f"{found.language}: the label {label!r} has {_items(counts.total())} alone"
        elif "train" in found.parts and counts["train"] < LEAST_TRAIN_ITEMS:
            yield f"{found.language}: the label {label!r} has {counts['train']} train items"


def _items(number: int) -> str:
    return f"{number:,} item{'s' * (number != 1)}"


def _alike(found: LabelledSurvey) -> Iterator[str]:
    names: dict[str, list[str]] = defaultdict(list)
    for label in found.counts():
        names[" ".join(label.casefold().split())].append(label)
    for alike in names.values():
        if len(alike) > 1:
            yield f"{found.language}: the labels {' and '.join(map(repr, alike))} look like one"


# What looks wrong between languages, and between a task and the corpora of translation


def between(source: LabelledSurvey, other: LabelledSurvey) -> Iterator[str]:
    """Yield labels that the source does not teach, and items of one id that do not fit each other.

    Ids that do not name the same items in both languages are no leak: a run keeps them apart.
    """
    yield from _untaught(source, other)
    known = {item.key: item for item in source.items}
    both = [(known[item.key], item) for item in other.items if item.key in known]
    if not both:
        return
    pair = f"{source.language} and {other.language}"
    if not _shared(both, other):
        if not all(is_row_number(b.key) for _, b in both):
            yield (
                f"{pair}: {len(both):,} items have the same id, but are not the same by their "
                "texts and labels; they are kept apart"
            )
        return
    leaks = [b for a, b in both if a.part == "train" and b.part in HELD_OUT_PARTS]
    if leaks:
        parts = " and ".join(sorted({b.part for b in leaks}))
        yield (
            f"{pair}: {len(leaks):,} {parts} items of {other.language} are train items of "
            f"{source.language} by their id (first: {leaks[0].key!r}), so the test is trained on"
        )
    labels = [b for a, b in both if a.label != b.label]
    if labels:
        yield (
            f"{pair}: {len(labels):,} of {len(both):,} items with the same id have another "
            f"label (first: {labels[0].key!r})"
        )


def _untaught(source: LabelledSurvey, other: LabelledSurvey) -> Iterator[str]:
    taught = {item.label for item in source.of("train")}
    for label, counts in other.counts().items() if taught else ():
        if label not in taught:
            yield (
                f"{other.language}: {_items(counts.total())} with the label {label!r}, which no "
                f"train item of {source.language} has"
            )


def _shared(both: Sequence[tuple[Item, Item]], other: LabelledSurvey) -> bool:
    """Say whether ids name the same items in two languages."""
    found = likeness(
        {a.key: a.text for a, _ in both},
        {b.key: b.text for _, b in both},
        labels=({a.key: a.label for a, _ in both}, {b.key: b.label for _, b in both}),
    )
    return ids_are_shared(found, [item.key for item in other.items])


def held_out_texts(surveys: Sequence[LabelledSurvey]) -> Iterator[HeldOut]:
    """Yield the dev and test texts of several languages."""
    for found in surveys:
        yield from (_held_out(found, item) for item in found.of(*HELD_OUT_PARTS))
