"""Find held-out sentences in other text, and keep them out of what is trained on.

A held-out sentence is found again by its id, in any language (its translation in another bitext is
a leak too), by its exact text up to case, width, punctuation and spacing, or by a text that is
nearly equal.
"""

import heapq
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

from annotated_types import Ge, Gt, Le

from models.errors import LeakError
from tasks.cleaning import comparison_key, digest_of, sentences
from tasks.records import Record, RecordWriter, count_records, read_records
from tasks.splitting import rank

if TYPE_CHECKING:
    from rensa import RMinHash

MatchKind = Literal["id", "exact", "near"]
HELD_OUT_COLUMNS = ("set", "language", "id", "text")
PERMUTATIONS, BANDS = 64, 16
EXAMPLES = 3


@dataclass(frozen=True, kw_only=True)
class LeakRules:
    """What counts as a leak, and what is done about it.

    A text shorter than `min_words` words is too generic to be a leak by its text ("thank you!"); by
    its id it still is. A held-out text of several sentences is also found by any of them that has
    at least `min_part_words` words, since monolingual text is cut into sentences. `near` is the
    least share of common character `shingle`-grams (Jaccard) of two texts that are nearly equal; 1
    looks for exact text alone.
    """

    policy: Literal["drop", "fail", "report"] = "drop"
    min_words: Annotated[int, Ge(1)] = 3
    min_part_words: Annotated[int, Ge(1)] = 6
    near: Annotated[float, Gt(0), Le(1)] = 0.7
    shingle: Annotated[int, Ge(2)] = 4


class TextSet(NamedTuple):
    """A file of records; `columns` hold its texts, by language."""

    name: str
    path: Path
    columns: Mapping[str, str]


class HeldOut(NamedTuple):
    """One text of a dev or test set."""

    set: str
    language: str
    id: str
    text: str


class Match(NamedTuple):
    """A held-out text that was found again, and how."""

    kind: MatchKind
    held_out: HeldOut


def all_texts(sets: Iterable[TextSet]) -> Iterator[HeldOut]:
    """Yield every text of the sets."""
    for held_out in sets:
        for record in read_records(held_out.path, ["id", *held_out.columns.values()]):
            for language, column in held_out.columns.items():
                yield HeldOut(held_out.name, language, record["id"], record[column])


def write_held_out(sets: Iterable[TextSet], path: Path) -> int:
    """Write every text of the held-out sets to one file of records; return their number."""
    with RecordWriter(path, HELD_OUT_COLUMNS) as writer:
        for text in all_texts(sets):
            writer.write(text._asdict())
        return writer.written


class HeldOutIndex:
    """Every held-out text, by id, by text, and by the MinHash of its character shingles.

    Memory grows with the held-out sets alone, not with the text that is looked at.
    """

    def __init__(self, held_out: Iterable[HeldOut], rules: LeakRules) -> None:
        self.rules = rules
        self.items = list(held_out)
        self.by_id: defaultdict[str, list[int]] = defaultdict(list)
        self.by_text: defaultdict[bytes, list[int]] = defaultdict(list)
        self._near = _NearIndex(rules) if rules.near < 1 else None
        for number, item in enumerate(self.items):
            self.by_id[item.id].append(number)
            for key in self._keys(item.text):
                self.by_text[_digest(key)].append(number)
                if self._near:
                    self._near.add(number, key)

    @classmethod
    def load(cls, path: Path, rules: LeakRules) -> "HeldOutIndex":
        """Read what `write_held_out` wrote."""
        return cls((HeldOut(**record) for record in read_records(path)), rules)

    def without(self, *prefixes: str) -> "HeldOutIndex":
        """Return an index without the sets whose name begins so."""
        left = (item for item in self.items if not item.set.startswith(prefixes))
        return HeldOutIndex(left, self.rules)

    def find(self, record: Mapping[str, str], columns: Sequence[str]) -> Iterator[Match]:
        """Yield the held-out texts that a record repeats: by id first, then by its texts."""
        yield from self._matches("id", self.by_id.get(record["id"], ()))
        for column in columns:
            key = comparison_key(record[column])
            if self._is_generic(key):
                continue
            exact = self.by_text.get(_digest(key), ())
            yield from self._matches("exact", exact)
            if self._near and not exact:
                yield from self._matches("near", self._near.find(key))

    def _keys(self, text: str) -> Iterator[str]:
        """Yield what a held-out text is found by: the whole, and each longer sentence."""
        key = comparison_key(text)
        if not self._is_generic(key):
            yield key
        parts = [comparison_key(part) for part in sentences(text)]
        if len(parts) > 1:
            yield from (p for p in parts if len(p.split()) >= self.rules.min_part_words)

    def _matches(self, kind: MatchKind, numbers: Iterable[int]) -> Iterator[Match]:
        return (Match(kind, self.items[number]) for number in numbers)

    def _is_generic(self, key: str) -> bool:
        return len(key.split()) < self.rules.min_words


class _NearIndex:
    """Texts by locality-sensitive hashing (Broder 1997); candidates are verified exactly."""

    def __init__(self, rules: LeakRules) -> None:
        from rensa import RMinHashLSH

        self.rules = rules
        self.numbers: list[int] = []
        self.keys: list[str] = []
        self.lsh: RMinHashLSH = RMinHashLSH(rules.near, PERMUTATIONS, BANDS)

    def add(self, number: int, key: str) -> None:
        """Index one text of a held-out item."""
        place = len(self.numbers)
        self.numbers.append(number)
        self.keys.append(key)
        self.lsh.insert(place, self._minhash(self._shingles(key)))

    def find(self, key: str) -> list[int]:
        """Return the items whose shingles overlap with this text's by the rule's share."""
        shingles = self._shingles(key)
        near = (
            self.numbers[place]
            for place in self.lsh.query(self._minhash(shingles))
            if _jaccard(shingles, self._shingles(self.keys[place])) >= self.rules.near
        )
        return sorted(set(near))

    def _shingles(self, key: str) -> frozenset[str]:
        size, text = self.rules.shingle, _unspaced(key)
        return frozenset(text[i : i + size] for i in range(max(1, len(text) - size + 1)))

    def _minhash(self, shingles: frozenset[str]) -> "RMinHash":
        from rensa import RMinHash

        minhash = RMinHash(PERMUTATIONS, seed=1)
        minhash.update(sorted(shingles))
        return minhash


def _digest(key: str) -> bytes:
    return digest_of(_unspaced(key))


def _unspaced(key: str) -> str:
    """Return a key without spaces: every tokeniser puts them where it likes."""
    return key.replace(" ", "")


def _jaccard(first: frozenset[str], second: frozenset[str]) -> float:
    common = len(first & second)
    return common / (len(first) + len(second) - common)


@dataclass(frozen=True)
class Overlap:
    """How many texts of a held-out set stand in another set, found in one way.

    `count` is the number of held-out texts, `share` is of all texts of that set in that language. A
    text that is found in several ways counts in each; one found exactly is not counted as near.
    """

    origin: str
    to: str
    language: str
    match: MatchKind
    count: int
    share: float
    examples: tuple[tuple[str, str], ...]

    def as_record(self) -> dict[str, object]:
        """Return the record that `audit` prints; examples are (text there, held-out text)."""
        examples = [list(example) for example in self.examples]
        return {
            "from": self.origin,
            "to": self.to,
            "language": self.language,
            "match": self.match,
            "count": self.count,
            "share": self.share,
            "examples": examples,
        }


def audit(sets: Iterable[TextSet], index: HeldOutIndex) -> list[Overlap]:
    """Return every overlap of the sets with the held-out sets, in the order of the sets."""
    sizes = Counter((item.set, item.language) for item in index.items)
    overlaps: list[Overlap] = []
    for looked_at in sets:
        found: defaultdict[tuple[str, str, MatchKind], dict[str, tuple[str, str]]]
        found = defaultdict(dict)
        for record in read_records(looked_at.path, ["id", *looked_at.columns.values()]):
            text = " | ".join(record[column] for column in looked_at.columns.values())
            for kind, item in index.find(record, list(looked_at.columns.values())):
                if item.set != looked_at.name:
                    place = (item.set, item.language, kind)
                    found[place].setdefault(item.id, (text, item.text))
        overlaps += [
            Overlap(
                looked_at.name,
                to,
                language,
                kind,
                len(items),
                len(items) / sizes[to, language],
                tuple(items[i] for i in sorted(items)[:EXAMPLES]),
            )
            for (to, language, kind), items in sorted(found.items())
        ]
    return overlaps


def remove_leaks(
    text: TextSet, index: HeldOutIndex, *, out: Path, limit: int | None = None
) -> dict[str, object]:
    """Copy the records that repeat no held-out text to `out`; return counts by reason and set.

    With a limit, keep the records that rank lowest by the hash of their id, in their order. Under
    the policy `report` nothing is removed; under `fail` a leak raises LeakError. So does a text of
    which nothing is left.
    """
    guard = _Guard(text, index)
    wanted = guard.lowest_ranks(limit) if limit else None
    removed: Counter[str] = Counter()
    with RecordWriter(out, ["id", *text.columns.values(), "origin"]) as writer:
        for record, reason in guard.judged():
            if reason:
                removed[reason] += 1
            if guard.keeps(reason) and (wanted is None or record["id"] in wanted):
                writer.write(record)
        kept = writer.written
    if index.rules.policy == "fail" and removed:
        reasons = ", ".join(f"{n} by {reason}" for reason, n in sorted(removed.items()))
        raise LeakError(
            f"{text.name}: {removed.total()} sentences repeat held-out text ({reasons}); "
            "remove them, or set `leaks: {policy: drop}`"
        )
    if not kept:
        raise LeakError(
            f"{text.name}: no sentence is left of {count_records(text.path)} (removed "
            f"{dict(sorted(removed.items()))}); take other text, or another split"
        )
    verb = "found" if index.rules.policy == "report" else "removed"
    return {"seen": count_records(text.path), verb: dict(sorted(removed.items())), "kept": kept}


@dataclass(frozen=True)
class _Guard:
    """A text set with what is to be kept out of it."""

    text: TextSet
    index: HeldOutIndex

    def judged(self) -> Iterator[tuple[Record, str | None]]:
        """Yield each record with the reason to remove it, the strongest one, or None."""
        columns = list(self.text.columns.values())
        for record in read_records(self.text.path):
            match = next(self.index.find(record, columns), None)
            yield record, f"{match.kind}: {match.held_out.set}" if match else None

    def keeps(self, reason: str | None) -> bool:
        """Say whether a record with that reason stays."""
        return reason is None or self.index.rules.policy == "report"

    def lowest_ranks(self, limit: int) -> set[str]:
        """Return the ids that rank lowest among the records that stay."""
        ids = (record["id"] for record, reason in self.judged() if self.keeps(reason))
        return set(heapq.nsmallest(limit, ids, key=lambda sentence_id: rank(sentence_id, 0)))
