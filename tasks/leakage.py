"""Find held-out sentences in other text, and keep them out of what is trained on.

A held-out sentence is found again by its id, in any language (its translation in another bitext is
a leak too), by its exact text up to case, width, punctuation, spacing and what else
`models.writing.comparison_key` leaves out, or by a text that is nearly equal.
"""

import heapq
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

import regex
from annotated_types import Ge, Gt, Le

from models.support.errors import LeakError
from models.writing import comparison_key, count_words
from tasks.cleaning import digest_of, sentence_keys
from tasks.identity import are_others, join_text, may_be_row_number, texts_by_id
from tasks.records import Record, RecordWriter, corpus_of, paragraph_id, read_records
from tasks.splitting import rank

if TYPE_CHECKING:
    from rensa import RMinHash

MatchKind = Literal["id", "exact", "near"]
HELD_OUT_COLUMNS = ("set", "language", "id", "text")
PERMUTATIONS = 64
RECALL = 0.95
"""Least share of the pairs at the threshold that the index of near-duplicates must find."""
LONGEST_SPAN = 200
"""Verses of the longest chapter, and some: more is no span of verses, whatever it looks like."""
VERSES = regex.compile(r"(.*:)(\d{8})-(\d{8})")


@dataclass(frozen=True, kw_only=True)
class LeakRules:
    """What counts as a leak, and what is done about it.

    A text shorter than `min_words` words is too generic to be a leak by its text ("thank you!"); by
    its id it still is. Four letters of a script that puts no spaces between words count as one, of
    Chinese and Japanese two. One text of two that are compared may also be a sentence of the other,
    if it has at least `min_part_words` words: a corpus is cut into sentences, the next is not.
    `near` is the least share of common character `shingle`-grams (Jaccard) of two texts that are
    nearly equal; 1 looks for exact text alone.
    """

    policy: Literal["drop", "fail", "report"] = "drop"
    min_words: Annotated[int, Ge(1)] = 3
    min_part_words: Annotated[int, Ge(1)] = 6
    near: Annotated[float, Gt(0), Le(1)] = 0.7
    shingle: Annotated[int, Ge(2)] = 4


class TextSet(NamedTuple):
    """A file of records; `columns` hold its texts, by language.

    With `by_corpus`, the audit tells its corpora apart.
    """

    name: str
    path: Path
    columns: Mapping[str, str]
    by_corpus: bool = False


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


class TextKeys(NamedTuple):
    """What a text is compared by, without case, width, punctuation and spaces.

    * ``whole``: the text; empty where it is too generic to be a leak.
    * ``parts``: its longer sentences, where it has several.
    """

    whole: str
    parts: list[str]

    @classmethod
    def of(cls, text: str, rules: LeakRules) -> "TextKeys":
        """Return the keys of a text."""
        parts = sentence_keys(text)
        long = [_unspaced(p) for p in parts if _has_words(p, rules.min_part_words)]
        return cls(whole_key(text, rules), long)


def whole_key(text: str, rules: LeakRules) -> str:
    """Return the key of a whole text; empty where it is too generic."""
    key = comparison_key(text)
    return _unspaced(key) if _has_words(key, rules.min_words) else ""


def _has_words(key: str, least: int) -> bool:
    """Say whether a text is specific enough, however it is spaced."""
    return count_words(key, trust_spaces=False) >= least


def _unspaced(key: str) -> str:
    """Return a key without spaces: every tokeniser puts them where it likes."""
    return key.replace(" ", "")


Strangers = frozenset[tuple[str, str]]
"""Corpora and sets whose row numbers name other sentences there than in the text looked at."""


class HeldOutIndex:
    """Every held-out text, by id, by text, and by the MinHash of its character shingles.

    Memory grows with the held-out sets alone, not with the text that is looked at.
    """

    def __init__(self, held_out: Iterable[HeldOut], rules: LeakRules) -> None:
        self.rules = rules
        self.items = list(held_out)
        self.by_id: defaultdict[str, list[int]] = defaultdict(list)
        self.by_text: defaultdict[bytes, list[int]] = defaultdict(list)
        self.by_part: defaultdict[bytes, list[int]] = defaultdict(list)
        self._near = _NearIndex(rules) if rules.near < 1 else None
        for number, item in enumerate(self.items):
            self._add(number, item)

    def _add(self, number: int, item: HeldOut) -> None:
        for sentence_id in ids_within(item.id):
            self.by_id[sentence_id].append(number)
        keys = TextKeys.of(item.text, self.rules)
        if keys.whole:
            self.by_text[digest_of(keys.whole)].append(number)
        for part in keys.parts:
            self.by_part[digest_of(part)].append(number)
        if self._near:
            for key in filter(None, (keys.whole, *keys.parts)):
                self._near.add(number, key)

    @classmethod
    def load(cls, path: Path, rules: LeakRules) -> "HeldOutIndex":
        """Read what `write_held_out` wrote."""
        return cls((HeldOut(**record) for record in read_records(path)), rules)

    def without(self, *prefixes: str) -> "HeldOutIndex":
        """Return an index without the sets whose name begins so."""
        left = (item for item in self.items if not item.set.startswith(prefixes))
        return HeldOutIndex(left, self.rules)

    def strangers(self, text: TextSet) -> Strangers:
        """Return the corpora and sets that number other sentences alike than a text does.

        An id that is a row's number says nothing by itself: texts under the same numbers are
        compared.
        """
        numbered = {
            i for i in map(paragraph_id, self.by_id) if may_be_row_number(i.partition(":")[2])
        }
        ours = texts_by_id(text.path, text.columns, numbered) if numbered else {}
        theirs: dict[tuple[str, str], dict[str, dict[str, str]]] = {}
        for item in self.items:
            whole = paragraph_id(item.id)
            if item.set != text.name and any(whole in texts for texts in ours.values()):
                there = theirs.setdefault((corpus_of(whole), item.set), {})
                join_text(there.setdefault(item.language, {}), whole, item.text)
        return frozenset(key for key, there in theirs.items() if are_others(ours, there))

    def find(
        self,
        record: Mapping[str, str],
        columns: Sequence[str],
        strangers: Strangers = frozenset(),
    ) -> Iterator[Match]:
        """Yield the held-out texts that a record repeats: by id, then exactly, then nearly."""
        by_id = (self.by_id.get(i, ()) for i in ids_within(record["id"]))
        same_id = self._matches("id", dict.fromkeys(chain.from_iterable(by_id)))
        corpus = corpus_of(record["id"])
        yield from (match for match in same_id if (corpus, match.held_out.set) not in strangers)
        keys = [TextKeys.of(record[column], self.rules) for column in columns]
        equal = (numbers for column in keys for numbers in self._equal(column))
        exact = dict.fromkeys(chain.from_iterable(equal))
        yield from self._matches("exact", exact)
        if self._near:
            wholes = (column.whole for column in keys if column.whole)
            near = dict.fromkeys(chain.from_iterable(map(self._near.find, wholes)))
            yield from self._matches("near", (number for number in near if number not in exact))

    def _equal(self, keys: TextKeys) -> Iterator[Sequence[int]]:
        """Yield the items that a text equals, is a sentence of, or has as a sentence."""
        if keys.whole:
            whole = digest_of(keys.whole)
            yield self.by_text.get(whole, ())
            yield self.by_part.get(whole, ())
        for part in keys.parts:
            yield self.by_text.get(digest_of(part), ())

    def _matches(self, kind: MatchKind, numbers: Iterable[int]) -> Iterator[Match]:
        return (Match(kind, self.items[number]) for number in numbers)


def ids_within(sentence_id: str) -> list[str]:
    """Return an id, that of the paragraph it was cut from, those of the verses merged into it."""
    whole = paragraph_id(sentence_id)
    ids = [sentence_id] if whole == sentence_id else [sentence_id, whole]
    if verses := VERSES.fullmatch(whole):
        first, last = int(verses[2]), int(verses[3])
        ids += [f"{verses[1]}{n}" for n in range(first, min(last, first + LONGEST_SPAN) + 1)]
    return ids


def text_digest(text: str, rules: LeakRules) -> bytes | None:
    """Return 8 bytes that equal texts share; None for a text that is too generic."""
    key = whole_key(text, rules)
    return digest_of(key) if key else None


class _NearIndex:
    """Texts by locality-sensitive hashing (Broder 1997); candidates are verified exactly."""

    def __init__(self, rules: LeakRules) -> None:
        from rensa import RMinHashLSH

        self.rules = rules
        self.numbers: list[int] = []
        self.keys: list[str] = []
        self.lsh: RMinHashLSH = RMinHashLSH(rules.near, PERMUTATIONS, _bands(rules.near))

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
        size = self.rules.shingle
        return frozenset(key[i : i + size] for i in range(max(1, len(key) - size + 1)))

    def _minhash(self, shingles: frozenset[str]) -> "RMinHash":
        from rensa import RMinHash

        minhash = RMinHash(PERMUTATIONS, seed=1)
        minhash.update(sorted(shingles))
        return minhash


def _bands(threshold: float) -> int:
    """Return the least number of bands that finds two texts at the threshold often enough."""
    powers = (2**n for n in range(PERMUTATIONS.bit_length()))
    found = (b for b in powers if 1 - (1 - threshold ** (PERMUTATIONS / b)) ** b >= RECALL)
    return next(found, PERMUTATIONS)


def _jaccard(first: frozenset[str], second: frozenset[str]) -> float:
    common = len(first & second)
    return common / (len(first) + len(second) - common)


@dataclass
class GuardedCorpus:
    """What became of the sentences of a corpus: seen, found to be leaks by reason, written."""

    seen: int = 0
    leaks: Counter[str] = field(default_factory=Counter)
    kept: int = 0


def remove_leaks(
    text: TextSet, index: HeldOutIndex, *, out: Path, limit: int | None = None
) -> dict[str, object]:
    """Copy the records that repeat no held-out text to `out`; return counts by corpus and reason.

    With a limit, keep the records that rank lowest by the hash of their id, in their order; the
    others count as `not_sampled`. Under the policy `report` nothing is removed; under `fail` a leak
    raises LeakError. So does a text of which nothing is left.
    """
    guard = LeakGuard(text, index)
    records = guard.let_pass(read_records(text.path))
    if limit is not None:
        records = lowest_ranks(records, limit)
    with RecordWriter(out, ["id", *text.columns.values(), "origin"]) as writer:
        for record in guard.note_kept(records):
            writer.write(record)
    guard.check()
    return guard.counts()


class LeakGuard:
    """Lets pass what repeats no held-out text, one record at a time; knows what it has met."""

    def __init__(self, text: TextSet, index: HeldOutIndex) -> None:
        self.text, self.index, self.policy = text, index, index.rules.policy
        self.columns = list(text.columns.values())
        self.corpora: defaultdict[str, GuardedCorpus] = defaultdict(GuardedCorpus)
        self.strangers = index.strangers(text)

    def reason(self, record: Record) -> str | None:
        """Return how a record is a leak, and of which set (`exact: MT test ind-jav`), or None."""
        match = next(self.index.find(record, self.columns, self.strangers), None)
        return f"{match.kind}: {match.held_out.set}" if match else None

    def let_pass(self, records: Iterable[Record]) -> Iterator[Record]:
        """Yield the records that stay; under the policy `report` leaks do, too."""
        for record in records:
            corpus = self.corpora[corpus_of(record["id"])]
            corpus.seen += 1
            if reason := self.reason(record):
                corpus.leaks[reason] += 1
            if reason is None or self.policy == "report":
                yield record

    def note_kept(self, records: Iterable[Record]) -> Iterator[Record]:
        """Yield the records that are written, whatever took some out after `let_pass`."""
        for record in records:
            self.corpora[corpus_of(record["id"])].kept += 1
            yield record

    def total(self) -> GuardedCorpus:
        """Return the sums over all corpora."""
        all_of = self.corpora.values()
        leaks = sum((corpus.leaks for corpus in all_of), Counter[str]())
        return GuardedCorpus(sum(c.seen for c in all_of), leaks, sum(c.kept for c in all_of))

    def check(self) -> None:
        """Raise LeakError for any leak under the policy `fail`, and where nothing is left."""
        name, total = self.text.name, self.total()
        if self.policy == "fail" and total.leaks:
            reasons = ", ".join(f"{n} by {reason}" for reason, n in sorted(total.leaks.items()))
            raise LeakError(
                f"{name}: {total.leaks.total()} sentences repeat held-out text ({reasons}); "
                "remove them, or set `leaks: {policy: drop}`"
            )
        if not total.kept:
            raise LeakError(
                f"{name}: no sentence is left of {total.seen} (removed {dict(total.leaks)}); "
                "take other text, or another split"
            )

    def counts(self) -> dict[str, object]:
        """Return plain values for a manifest."""
        total = self.total()
        verb = "found" if self.policy == "report" else "removed"
        gone = 0 if verb == "found" else total.leaks.total()
        return {
            "seen": total.seen,
            verb: dict(sorted(total.leaks.items())),
            "not_sampled": total.seen - gone - total.kept,
            "kept": total.kept,
            "corpora": {
                corpus: {"seen": c.seen, verb: dict(sorted(c.leaks.items())), "kept": c.kept}
                for corpus, c in sorted(self.corpora.items())
            },
        }


def lowest_ranks(records: Iterable[Record], limit: int) -> Iterator[Record]:
    """Yield the records that rank lowest by the hash of their id, in their order."""
    lowest = heapq.nsmallest(limit, enumerate(records), key=lambda placed: rank(placed[1]["id"], 0))
    yield from (record for _, record in sorted(lowest, key=lambda placed: placed[0]))
