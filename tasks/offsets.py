"""Find rows of a bitext whose second side has slipped by a few lines.

Each row is held against the second side of its neighbours, by words that go together elsewhere in
the bitext, words that are the same on both sides, and length. How likely each offset is, and how
unlikely it is to change, gives the best path through the offsets (Viterbi 1967).
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import log, log1p
from typing import TYPE_CHECKING, NamedTuple

from models.alignment import tokens
from tasks.identity import rarity
from tasks.sources.description import Slip

if TYPE_CHECKING:
    import numpy

REACH = 3
"""Lines that a side may have slipped by, up or down."""
RIVALS = (-7, -5, 5, 7)
"""Offsets that surely are wrong: what a row looks like beside a text that is not its own."""
FEW_ROWS = 60
BLOCK = 20_000
"""Rows that are looked at together: memory does not grow with the corpus."""
CHUNK = 100
"""Rows in a row whose words are learnt from other rows alone."""
MOST_WORDS = 40
"""Words of a side that are looked at."""
PARTNERS = 5
"""Words of the other side that a word may go with."""
CHANGE = 12.0
"""Nats that another offset must be better by, at either end: e^-24 of a chance for each block."""
MOST_NATS = 4.0
"""What one row may count for."""
PASSES = 3

Pairs = Sequence[tuple[str, str]]
Lexicon = Mapping[str, Mapping[str, float]]


class Shift(NamedTuple):
    """Rows, counted from 1, whose second side stands so many lines later (or earlier, below 0)."""

    first: int
    last: int
    by: int

    def __str__(self) -> str:
        lines = "one line" if abs(self.by) == 1 else f"{abs(self.by)} lines"
        return (
            f"rows {self.first} to {self.last} fit {lines} {'later' if self.by > 0 else 'earlier'}"
        )


class ShiftFinder:
    """Finds the blocks of rows that fit better some lines later or earlier, as rows come."""

    def __init__(self) -> None:
        self._found: list[Shift] = []
        self._block: list[tuple[str, str]] = []
        self._before = 0

    def add(self, pair: tuple[str, str]) -> None:
        """Take the next row."""
        self._block.append(pair)
        if len(self._block) == BLOCK:
            self._look()

    def shifts(self) -> list[Shift]:
        """Return the blocks among all rows, in their order."""
        self._look()
        return self._found

    def _look(self) -> None:
        for first, last, by in _blocks(_path(self._block)):
            shift = Shift(self._before + first + 1, self._before + last + 1, by)
            earlier = self._found[-1] if self._found else None
            if earlier and (earlier.by, earlier.last + 1) == (by, shift.first):
                self._found[-1] = earlier._replace(last=shift.last)
            else:
                self._found.append(shift)
        self._before += len(self._block)
        self._block = []


def find_shifts(pairs: Iterable[tuple[str, str]]) -> list[Shift]:
    """Return the blocks of rows that fit better some lines later or earlier, in their order."""
    finder = ShiftFinder()
    for pair in pairs:
        finder.add(pair)
    return finder.shifts()


def cure(shifts: Sequence[Shift], language: str, known: Sequence[Slip] = ()) -> str:
    """Return the line of a manifest that puts the text of a language where it belongs.

    `known` is what a manifest says already: the shifts are those of rows that it has moved.
    """
    moved = {
        row: slip.by
        for slip in known
        if slip.language == language
        for row in range(slip.rows[0], slip.rows[1] + 1)
    }
    moved |= {
        row: shift.by + moved.get(row + shift.by, 0)
        for shift in shifts
        for row in range(shift.first, shift.last + 1)
    }
    path = [moved.get(row, 0) for row in range(max(moved, default=0) + 1)]
    entries = [(slip.language, *slip.rows, slip.by) for slip in known if slip.language != language]
    entries += [(language, first, last, by) for first, last, by in _blocks(path)]
    written = (f"{{language: {x}, rows: [{a}, {b}], by: {by}}}" for x, a, b, by in entries)
    return f"realign: [{', '.join(written)}]"


def _blocks(path: Sequence[int]) -> Iterator[tuple[int, int, int]]:
    """Yield first and last place and offset of each stretch that is not in its place."""
    begin = 0
    for place in range(1, len(path) + 1):
        if place == len(path) or path[place] != path[begin]:
            if path[begin]:
                yield begin, place - 1, path[begin]
            begin = place


def _path(pairs: Pairs) -> list[int]:
    """Return the offset of each row; the words are learnt anew from the rows as they were moved."""
    path = [0] * len(pairs)
    if len(pairs) < FEW_ROWS:
        return path
    sides = _Sides(pairs)
    for _ in range(PASSES):
        moved = _best_path(sides.nats(path))
        if moved == path:
            break
        path = moved
    return path


class _Sides:
    """Words and lengths of both sides of some rows."""

    def __init__(self, pairs: Pairs) -> None:
        import numpy

        self.rows = len(pairs)
        self.words = [
            [tuple(dict.fromkeys(tokens(pair[side])))[:MOST_WORDS] for pair in pairs]
            for side in (0, 1)
        ]
        self.sets = [frozenset(words) for words in self.words[1]]
        self.lengths = [numpy.array([log1p(len(pair[side])) for pair in pairs]) for side in (0, 1)]
        self.weights = rarity([words for side in self.words for words in side])

    def nats(self, path: Sequence[int]) -> "numpy.ndarray":
        """Return how much likelier each offset is than none, (rows, offsets); the last: none fits.

        Learnt from the rows as a path moves them, against rows far off.
        """
        import numpy
        from sklearn.linear_model import LogisticRegression

        places = [min(max(n + by, 0), self.rows - 1) for n, by in enumerate(path)]
        lexicons = [self._lexicon(places, fold) for fold in (0, 1)]
        gap = float(numpy.median(self.lengths[0] - self.lengths[1][places]))
        offsets = [*range(-REACH, REACH + 1)]
        fits = {by: self._fits(by, lexicons, gap) for by in (*offsets, *RIVALS)}
        right = numpy.array([fits[by][n] for n, by in enumerate(path)])
        wrong = numpy.concatenate([fits[by] for by in RIVALS])
        kind = numpy.r_[numpy.ones(len(right)), numpy.zeros(len(wrong))]
        model = LogisticRegression(class_weight="balanced")
        model.fit(numpy.concatenate([right, wrong]), kind)
        nats = [model.decision_function(fits[by]) for by in offsets]
        for by, found in zip(offsets, nats, strict=True):
            outside = numpy.arange(self.rows) + by
            found[(outside < 0) | (outside >= self.rows)] = -MOST_NATS
        found = numpy.stack([*nats, numpy.zeros(self.rows)], axis=1)
        clipped: numpy.ndarray = numpy.clip(found, -MOST_NATS, MOST_NATS)
        return clipped

    def _lexicon(self, places: Sequence[int], fold: int) -> Lexicon:
        """Return what goes with each word in rows of the other fold, as a path moves them."""
        first, second = Counter[str](), Counter[str]()
        both: defaultdict[str, Counter[str]] = defaultdict(Counter)
        learnt = [n for n in range(self.rows) if n // CHUNK % 2 != fold]
        for n in learnt:
            words, others = self.words[0][n], self.words[1][places[n]]
            first.update(words)
            second.update(others)
            for word in words:
                both[word].update(others)
        return {
            word: _partners(counts, first[word], second, len(learnt))
            for word, counts in both.items()
            if first[word] > 1
        }

    def _fits(self, by: int, lexicons: Sequence[Lexicon], gap: float) -> "numpy.ndarray":
        """Return how each row's first side fits the second side so many lines on, (rows, 3)."""
        import numpy

        found = []
        for n, words in enumerate(self.words[0]):
            there = min(max(n + by, 0), self.rows - 1)
            others, lexicon = self.sets[there], lexicons[n // CHUNK % 2]
            scale = ((len(words) + 1) * (len(others) + 1)) ** 0.5
            known = sum(_best(lexicon.get(word, {}), others) for word in words)
            equal = sum(self.weights[word] for word in words if word in others)
            away = abs(self.lengths[0][n] - gap - self.lengths[1][there])
            found.append(((known / scale) ** 0.5, (equal / scale) ** 0.5, min(away, 2.0)))
        return numpy.array(found)


def _partners(counts: Counter[str], seen: int, second: Counter[str], rows: int) -> dict[str, float]:
    """Return the words that go best with one: by Dice's coefficient, less where all words do."""
    scored = {
        word: 2 * n / (seen + second[word]) * log(n * rows / (seen * second[word])) / log(rows)
        for word, n in counts.items()
        if n > 1 and n * rows > seen * second[word]
    }
    best = sorted(scored, key=lambda word: (-scored[word], word))[:PARTNERS]
    return {word: scored[word] for word in best}


def _best(partners: Mapping[str, float], others: frozenset[str]) -> float:
    return max((weight for word, weight in partners.items() if word in others), default=0.0)


def _best_path(nats: "numpy.ndarray") -> list[int]:
    """Return the likeliest offset of each row, 0 where none fits."""
    import numpy

    rows, states = nats.shape
    score = numpy.where(numpy.arange(states) == REACH, 0.0, -CHANGE) + nats[0]
    came_from = numpy.zeros((rows, states), dtype=int)
    for row in range(1, rows):
        best = int(score.argmax())
        stay = score >= score[best] - CHANGE
        came_from[row] = numpy.where(stay, numpy.arange(states), best)
        score = numpy.where(stay, score, score[best] - CHANGE) + nats[row]
    score -= numpy.where(numpy.arange(states) == REACH, 0.0, CHANGE / 2)
    state, path = int(score.argmax()), []
    for row in range(rows - 1, -1, -1):
        path.append(0 if state == states - 1 else state - REACH)
        state = int(came_from[row][state])
    return path[::-1]
