"""Tell whether two texts that give their sentences the same ids hold the same sentences.

An id that is given by hand says what it names; a row's number does not: row 17 of two unlike files
is two sentences. What is the same sentence in two languages is about as long, in the measure of its
file, and shares names and figures; so each sentence is held against its namesake and against others
of the same label, and the share of others that fit worse tells. Others stand near by, so that two
files that are both sorted by length are no more alike for it.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence, Set
from math import log, log1p
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

import regex

from models.support.sampling import spread
from models.writing import comparison_key
from tasks.cleaning import key_digest
from tasks.records import paragraph_id, read_records

if TYPE_CHECKING:
    import numpy

ROW_NUMBER = regex.compile(r"(?:row|unit|train|dev|test)-\d+")
FEW_ITEMS = 10
"""So few figures are too few to doubt that they are ids."""
MOST_ITEMS = 1_000
"""Items that are compared: more make it no surer."""
NEAR = (1, -1, 2, -2, 3, -3)
"""Places of the rivals near by that each item is held against."""
FAR = 10
"""Rivals all over the file that each is held against."""
FITTING = 0.6
"""Least share of rivals that namesakes beat, half of them by chance: translations beat 0.7 to 1."""
ERRORS = 3.0
"""Standard errors that a share must be away from what would speak against it."""
SAME_LABELS = 0.8
"""Least share of namesakes that have the same label where nothing is wrong."""
SAME_TEXT = 0.5
"""Least share of words in common that namesakes of one language have, in the middle."""

Verdict = Literal["same", "other", "unknown"]


def is_row_number(key: str) -> bool:
    """Say whether an item's key is the place in its file: nobody has given it another one."""
    return bool(ROW_NUMBER.fullmatch(key))


def may_be_row_number(key: str) -> bool:
    """Say whether an item's key may be its place: a mere figure may, though a source gave it."""
    return key.isdecimal() or is_row_number(key)


def item_name(sentence_id: str, text: str) -> str:
    """Return an id by which a sentence is the same in every bitext that has it.

    `text` is the hub's: a row's number alone names another sentence in each file.
    """
    if not is_row_number(sentence_id.partition(":")[2]):
        return sentence_id
    return f"{sentence_id}~{key_digest(text).hex()}"


class Likeness(NamedTuple):
    """How like two texts are at the ids they share.

    `fit` is the share of rivals near by that namesakes beat, `far` of those all over the file; None
    where nothing can be compared. `labels` is the share of namesakes with the same label, None
    without labels.
    """

    items: int
    fit: float | None
    far: float | None
    labels: float | None = None

    @property
    def verdict(self) -> Verdict:
        """Say whether namesakes are the same sentence, as far as lengths and words can tell."""
        if self.fit is None or self.far is None:
            return "unknown"
        error = ERRORS / (9 * min(self.items, MOST_ITEMS)) ** 0.5  # of six even chances an item
        if self.fit >= max(FITTING, 0.5 + error):
            return "same"
        return "other" if max(self.fit, self.far) + error < FITTING else "unknown"


def likeness(
    first: Mapping[str, str],
    second: Mapping[str, str],
    labels: tuple[Mapping[str, str], Mapping[str, str]] | None = None,
) -> Likeness:
    """Compare the texts of two languages by id, within each label where both have labels."""
    ids = [key for key in first if key in second]
    equal = sum(labels[0][i] == labels[1][i] for i in ids) / len(ids) if labels and ids else None
    chosen = spread(ids, MOST_ITEMS)
    groups: defaultdict[Hashable, list[str]] = defaultdict(list)
    for key in chosen:
        groups[labels[0][key] if labels else ""].append(key)
    fit, far = _fits(first, second, [group for group in groups.values() if group[1:]])
    return Likeness(len(ids), fit, far, equal)


def same_text(first: Mapping[str, str], second: Mapping[str, str]) -> bool:
    """Say whether namesakes of one language are by and large the same text."""
    shares = sorted(
        _overlap(_words(first[key]), _words(second[key])) for key in first if key in second
    )
    return bool(shares) and shares[len(shares) // 2] >= SAME_TEXT


def doubts(
    *, items: int, fit: float | None, far: float | None, labels: float | None, shared: bool
) -> Iterator[str]:
    """Yield what is odd about the ids that a labelled set shares with that of the source language.

    The fields are those of `Likeness`; `shared` says whether the ids are taken for the same.
    """
    equal = "" if labels is None else f"; {labels:.0%} of them have the same label"
    if not shared:
        why = (
            "are too few to tell whether they name the same items"
            if Likeness(items, fit, far, labels).verdict == "unknown"
            else "name other items, by their lengths and words"
        )
        yield (
            f"the {items:,} ids that it shares with the source language {why}{equal}: nothing is "
            "compared by them. Where the items are the same, name a column with their ids as `id`"
        )
    elif labels is not None and labels < SAME_LABELS:
        yield f"{items:,} ids are those of items of the source language, but {equal[2:]}"


Texts = dict[str, dict[str, str]]
"""Language to text by id."""


def texts_by_id(path: Path, columns: Mapping[str, str], wanted: Set[str]) -> Texts:
    """Return the texts of some ids of a file by language; sentences of one paragraph joined."""
    found: Texts = {language: {} for language in columns}
    for record in read_records(path, ["id", *columns.values()]):
        if (whole := paragraph_id(record["id"])) in wanted:
            for language, column in columns.items():
                join_text(found[language], whole, record[column])
    return found


def join_text(texts: dict[str, str], key: str, text: str) -> None:
    """Put a text under its key, behind what stands there: sentences of one paragraph."""
    texts[key] = f"{texts[key]} {text}" if key in texts else text


def are_others(ours: Texts, theirs: Texts) -> bool:
    """Say whether two texts hold other sentences under the row numbers they share.

    Where they share a language, its texts say so; else lengths and names do. Few items that cannot
    tell count as the same, which is safe.
    """
    first = next(iter(theirs.values()))
    common = [key for key in first if any(key in texts for texts in ours.values())]
    made = all(is_row_number(key.partition(":")[2]) for key in common)
    if len(common) < FEW_ITEMS and not made:
        return False
    if both := [language for language in theirs if language in ours]:
        return not any(same_text(theirs[language], ours[language]) for language in both)
    if len(common) < FEW_ITEMS:
        return False
    found = [likeness(there, here) for there in theirs.values() for here in ours.values()]
    if made:
        return not any(one.verdict == "same" for one in found)
    return all(one.verdict == "other" for one in found)


def _overlap(first: frozenset[str], second: frozenset[str]) -> float:
    return len(first & second) / len(first | second) if first or second else 1.0


def _words(text: str) -> frozenset[str]:
    return frozenset(comparison_key(text).split())


def _fits(
    first: Mapping[str, str], second: Mapping[str, str], groups: Sequence[Sequence[str]]
) -> tuple[float | None, float | None]:
    """Return the share of rivals, of the same group, that fit worse than the namesake does.

    Of rivals near by, and of rivals all over the group.
    """
    import numpy

    keys = [key for group in groups for key in group]
    if not keys:
        return None, None
    gap = float(numpy.median([_length(first[k]) - _length(second[k]) for k in keys]))
    weights = rarity([_words(text[k]) for k in keys for text in (first, second)])
    near, far = [], []
    for group in groups:
        sides = _Sides.of([first[k] for k in group], [second[k] for k in group], gap)
        near.append(sides.wins([step for step in NEAR if abs(step) < len(group)], weights))
        rivals = min(FAR, len(group) - 1)
        far.append(
            sides.wins([len(group) * n // (rivals + 1) for n in range(1, rivals + 1)], weights)
        )
    return float(numpy.concatenate(near).mean()), float(numpy.concatenate(far).mean())


class _Sides(NamedTuple):
    """Words and lengths of a group's first and second texts; lengths in the same measure."""

    words: tuple[list[frozenset[str]], list[frozenset[str]]]
    lengths: "tuple[numpy.ndarray, numpy.ndarray]"

    @classmethod
    def of(cls, first: Sequence[str], second: Sequence[str], gap: float) -> "_Sides":
        import numpy

        lengths = [numpy.array([_length(text) for text in texts]) for texts in (first, second)]
        words = [[_words(text) for text in texts] for texts in (first, second)]
        return cls((words[0], words[1]), (lengths[0] - gap, lengths[1]))

    def wins(self, steps: Sequence[int], weights: Mapping[str, float]) -> "numpy.ndarray":
        """Return the share of rivals, so many places on, that each namesake beats.

        A tie is half a win.
        """
        import numpy

        own = self._scores(0, weights)
        rivals = numpy.array([self._scores(step, weights) for step in steps])
        wins: numpy.ndarray = ((own > rivals) + 0.5 * (own == rivals)).mean(0)
        return wins

    def _scores(self, step: int, weights: Mapping[str, float]) -> "numpy.ndarray":
        """Return how each first text fits the second text so many places on."""
        import numpy

        first, second = self.words
        others = [*second[step:], *second[:step]]
        shared = [sum(weights[w] for w in a & b) for a, b in zip(first, others, strict=True)]
        away = numpy.abs(self.lengths[0] - numpy.roll(self.lengths[1], -step))
        scores: numpy.ndarray = numpy.array(shared) - away
        return scores


def rarity(texts: Sequence[Collection[str]]) -> dict[str, float]:
    """Return how much a shared word tells: much where it is rare, nothing where all have it."""
    counts = Counter(word for words in texts for word in words)
    most = log(len(texts)) or 1.0
    return {word: log(len(texts) / count) / most for word, count in counts.items()}


def _length(text: str) -> float:
    return log1p(len(text))
