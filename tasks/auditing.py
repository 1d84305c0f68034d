"""Find which sets of an experiment share sentences: the audit.

What is held out, and what a task trains on, is looked for in every text: by id, exactly, and nearly
equal. Text that is merely trained on is compared with other such text by id and exactly; there may
be much of it, so the audit remembers 8 bytes of each id and text.
"""

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import permutations
from typing import NamedTuple

from tasks.cleaning import digest_of, sentence_keys
from tasks.identity import is_row_number
from tasks.leakage import (
    HeldOutIndex,
    LeakRules,
    MatchKind,
    TextKeys,
    TextSet,
    text_digest,
    whole_key,
)
from tasks.records import corpus_of, paragraph_id, read_records
from tasks.splitting import HELD_OUT_PARTS

EXAMPLES = 3


def is_held_out(name: str) -> bool:
    """Say whether no model may be trained on the set of that name ("MT dev ...", "task test ...").

    A set is named by kind and part, then by its pair, or by its task and language.
    """
    kind, part, *_ = name.split()
    return kind in ("MT", "task") and part in HELD_OUT_PARTS


def is_looked_for(name: str) -> bool:
    """Say whether a set's sentences are looked for in all ways: held-out ones, and the tasks'."""
    return is_held_out(name) or name.startswith("task")


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
        found = _found_again(looked_at, index)
        for origin, to, language, kind in sorted(found):
            items = found[origin, to, language, kind]
            if kind == "near":
                exact = found.get((origin, to, language, "exact"), {})
                items = {i: example for i, example in items.items() if i not in exact}
            if items:
                share = len(items) / sizes[to, language]
                examples = tuple(items[i] for i in sorted(items)[:EXAMPLES])
                overlaps.append(Overlap(origin, to, language, kind, len(items), share, examples))
    return overlaps


FoundAgain = dict[tuple[str, str, str, MatchKind], dict[str, tuple[str, str]]]
"""Text, held-out set, language and kind of match to (text there, held-out text) by held-out id."""


def _found_again(looked_at: TextSet, index: HeldOutIndex) -> FoundAgain:
    """Return the held-out texts that stand in a set, but for those of the set itself."""
    found: FoundAgain = {}
    columns = list(looked_at.columns.values())
    strangers = index.strangers(looked_at)
    for record in read_records(looked_at.path, ["id", *columns]):
        origin = _origin(looked_at, record["id"])
        text = " | ".join(record[column] for column in columns)
        for kind, item in index.find(record, columns, strangers):
            if item.set != looked_at.name:
                items = found.setdefault((origin, item.set, item.language, kind), {})
                items.setdefault(item.id, (text, item.text))
    return found


def _origin(looked_at: TextSet, sentence_id: str) -> str:
    """Return what the audit calls the text that a sentence stands in."""
    name = looked_at.name
    return f"{name} {corpus_of(sentence_id)}" if looked_at.by_corpus else name


class Gap(NamedTuple):
    """How many texts of a held-out set the guard lets pass in some way, and by what rule."""

    set: str
    rule: str
    what: str
    texts: int
    of: int


def gaps(index: HeldOutIndex) -> list[Gap]:
    """Return what weakens the guard: what it does not look for by its text, or in part."""
    rules = index.rules
    texts: Counter[str] = Counter()
    generic: Counter[str] = Counter()
    sentences: Counter[str] = Counter()
    short: Counter[str] = Counter()
    for item in index.items:
        if is_held_out(item.set):
            parts = sentence_keys(item.text)
            texts[item.set] += 1
            generic[item.set] += not whole_key(item.text, rules)
            sentences[item.set] += len(parts)
            short[item.set] += len(parts) - len(TextKeys.of(item.text, rules).parts)
    found = []
    for name, all_of in texts.items():
        few, part = f"min_words: {rules.min_words}", f"min_part_words: {rules.min_part_words}"
        found += [
            Gap(name, few, "shorter texts are found by id alone", generic[name], all_of),
            Gap(name, part, "shorter sentences of a text alone", short[name], sentences[name]),
            Gap(name, "near: 1", "nearly equal texts", all_of * (rules.near == 1), all_of),
            Gap(name, "policy: report", "leaks stay", all_of * (rules.policy == "report"), all_of),
        ]
    return [gap for gap in found if gap.texts]


@dataclass
class _Digests:
    """What is remembered of one text that is trained on: 8 bytes of each id, and of each text.

    `rows` are the ids that are numbers of rows.
    """

    ids: "array[int]" = field(default_factory=lambda: array("Q"))
    rows: "array[int]" = field(default_factory=lambda: array("Q"))
    texts: "dict[str, array[int]]" = field(default_factory=dict)

    @property
    def size(self) -> int:
        """How many texts there are."""
        return len(self.ids) + len(self.rows)


def shared_training_text(sets: Iterable[TextSet], rules: LeakRules) -> list[Overlap]:
    """Return every overlap of two texts that are trained on, by id and by exact text.

    That is no leak; it says how much of a corpus is new. The same text needs no examples.
    """
    known = [entry for looked_at in sets for entry in _remembered(looked_at, rules).items()]
    return [
        Overlap(origin, to, language, kind, count, count / there.size, ())
        for (origin, here), (to, there) in permutations(known, 2)
        for language, kind, count in _common(here, there)
    ]


def _remembered(looked_at: TextSet, rules: LeakRules) -> dict[str, _Digests]:
    """Return the digests of a set, or of each of its corpora, by name."""
    found: dict[str, _Digests] = {}
    for record in read_records(looked_at.path, ["id", *looked_at.columns.values()]):
        digests = found.setdefault(_origin(looked_at, record["id"]), _Digests())
        whole = paragraph_id(record["id"])
        kept = digests.rows if is_row_number(whole.partition(":")[2]) else digests.ids
        kept.append(_number(digest_of(whole)))
        for language, column in looked_at.columns.items():
            texts = digests.texts.setdefault(language, array("Q"))
            if digest := text_digest(record[column], rules):
                texts.append(_number(digest))
    return found


def _common(here: _Digests, there: _Digests) -> Iterator[tuple[str, MatchKind, int]]:
    """Yield how many ids and texts of the second text stand in the first, by language."""
    same_ids = _count_common(there.ids, here.ids) + _common_rows(here, there)
    for language, texts in there.texts.items():
        if same_ids:
            yield language, "id", same_ids
        if same_texts := _count_common(texts, here.texts.get(language, array("Q"))):
            yield language, "exact", same_texts


def _common_rows(here: _Digests, there: _Digests) -> int:
    """Return how many row numbers both have, unless most are of other texts in each."""
    numbers = _count_common(there.rows, here.rows)
    texts = [
        _count_common(there.texts[language], here.texts[language])
        for language in there.texts
        if language in here.texts
    ]
    return 0 if texts and 2 * max(texts) < numbers else numbers


def _count_common(wanted: "array[int]", there: "array[int]") -> int:
    import numpy

    return int(numpy.isin(numpy.asarray(wanted), numpy.asarray(there)).sum())


def _number(digest: bytes) -> int:
    return int.from_bytes(digest)
