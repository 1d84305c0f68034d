"""Describe a text in one pass: sizes, lengths, repeats, scripts, languages, subwords, odd lines.

Memory grows with the index of repeats (one hash a line) and with nothing else: lengths and
characters are exact histograms, examples the few most extreme.
"""

import heapq
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from models.subwords import UNKNOWN, Subwords
from models.writing import count_words
from tasks.cleaning import key_digest
from tasks.scripts import letters_by_script

Identify = Callable[[str], str]
"""A text to the code of its language."""

EXAMPLES = 3
EXCERPT_CHARACTERS = 200
LINES_AT_ONCE = 1000
QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1.0)
UNKNOWN_CATEGORIES = {"Cc", "Cn", "Co", "Cs"}
REPLACEMENT = "\ufffd"


@dataclass(frozen=True)
class Lengths:
    """Exact quantiles of the lengths of all lines that are not blank."""

    least: int
    p5: int
    p25: int
    median: int
    p75: int
    p95: int
    p99: int
    most: int

    @classmethod
    def of(cls, histogram: Mapping[int, int]) -> "Lengths":
        """Read the quantiles off a histogram: length to number of lines."""
        import numpy

        lengths = sorted(histogram) or [0]
        weights = [histogram.get(length, 1) for length in lengths]
        found = numpy.quantile(lengths, QUANTILES, weights=weights, method="inverted_cdf")
        return cls(*map(int, found))


@dataclass(frozen=True)
class Example:
    """One odd line: its key, its first characters, and what makes it odd as a number."""

    key: str
    excerpt: str
    size: float


@dataclass(frozen=True)
class Profile:
    """What a text is like; what could not be measured is None.

    Words are what white space separates, or U+200B; where neither is written, four letters are one,
    of Chinese and Japanese two. `repeated` counts the lines that equal an earlier one without case,
    width and punctuation. Unknown characters are those that stand for nothing:
    unassigned, private, control and replacement characters. Examples go by what is odd about them:
    `longest`, `shortest` (in characters), `most repeated` (times); a filter's worst lines belong
    beside them, under the filter's name.
    """

    lines: int
    blank: int
    words: int
    characters: int
    words_a_line: Lengths
    characters_a_line: Lengths
    repeated: int
    repeated_share: float
    scripts: dict[str, float]
    languages: dict[str, float] | None
    pieces_a_word: float | None
    unknown_pieces_share: float | None
    unknown_characters_share: float
    examples: dict[str, list[Example]]


class Profiler:
    """Take in a text line by line; `profile` says what it was like."""

    def __init__(
        self, *, identify: Identify | None = None, subwords: Subwords | None = None
    ) -> None:
        self.identify = identify
        self.pieces = _PieceCount(subwords) if subwords else None
        self.lines = self.blank = 0
        self.words: Counter[int] = Counter()
        self.lengths: Counter[int] = Counter()
        self.characters: Counter[str] = Counter()
        self.languages: Counter[str] = Counter()
        self.repeats = _Repeats()
        self.longest, self.shortest = _Extremes(), _Extremes()

    def add(self, text: str, key: str) -> None:
        """Take in one line; `key` names it in examples."""
        self.lines += 1
        words = count_words(text)
        if not text.strip():
            self.blank += 1
            return
        self.words[words] += 1
        self.lengths[len(text)] += 1
        self.characters.update(text)
        if self.repeats.is_new(text, key):  # a line that repeats is one example, not all of them
            self.longest.offer(len(text), text, key)
            self.shortest.offer(-len(text), text, key)
        if self.identify:
            self.languages[self.identify(text)] += 1
        if self.pieces:
            self.pieces.add(text)

    def profile(self) -> Profile:
        """Return what was seen so far."""
        told = self.lines - self.blank
        words = sum(length * n for length, n in self.words.items())
        repeated = self.repeats.times.total()
        examples = {
            "longest": self.longest.examples(),
            "shortest": self.shortest.examples(),
            "most repeated": self.repeats.examples(),
        }
        return Profile(
            lines=self.lines,
            blank=self.blank,
            words=words,
            characters=self.characters.total(),
            words_a_line=Lengths.of(self.words),
            characters_a_line=Lengths.of(self.lengths),
            repeated=repeated,
            repeated_share=_share(repeated, told),
            scripts=shares(letters_by_script(self.characters)),
            languages=shares(self.languages) if self.identify else None,
            pieces_a_word=self.pieces.a_word(words) if self.pieces else None,
            unknown_pieces_share=self.pieces.unknown_share() if self.pieces else None,
            unknown_characters_share=unknown_share(self.characters),
            examples={kind: found for kind, found in examples.items() if found},
        )


def shares(counts: Mapping[str, int]) -> dict[str, float]:
    """Return counts as shares of their sum, the largest first."""
    total = sum(counts.values())
    return {name: n / total for name, n in sorted(counts.items(), key=lambda item: -item[1])}


def unknown_share(characters: Mapping[str, int]) -> float:
    """Return the share of characters that stand for nothing."""
    unknown = sum(n for character, n in characters.items() if _is_unknown(character))
    return _share(unknown, sum(characters.values()))


def _is_unknown(character: str) -> bool:
    category = unicodedata.category(character)
    return character == REPLACEMENT or (category in UNKNOWN_CATEGORIES and not character.isspace())


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


class _PieceCount:
    """Count subword pieces, some lines at a time."""

    def __init__(self, subwords: Subwords) -> None:
        self.subwords = subwords
        self.waiting: list[str] = []
        self.pieces = self.unknown = 0

    def add(self, text: str) -> None:
        self.waiting.append(text)
        if len(self.waiting) >= LINES_AT_ONCE:
            self._count()

    def a_word(self, words: int) -> float:
        self._count()
        return _share(self.pieces, words)

    def unknown_share(self) -> float:
        self._count()
        return _share(self.unknown, self.pieces)

    def _count(self) -> None:
        for ids in self.subwords.encode_ids(self.waiting):
            self.pieces += len(ids)
            self.unknown += ids.count(UNKNOWN)
        self.waiting = []


@dataclass
class _Extremes:
    """The few lines of the highest value; of equals, the first."""

    heap: list[tuple[int, int, Example]] = field(default_factory=list)
    offered: int = 0

    def offer(self, value: int, text: str, key: str) -> None:
        self.offered += 1
        if len(self.heap) == EXAMPLES and value <= self.heap[0][0]:
            return
        entry = (value, -self.offered, Example(key, text[:EXCERPT_CHARACTERS], abs(value)))
        heapq.heappush(self.heap, entry)
        if len(self.heap) > EXAMPLES:
            heapq.heappop(self.heap)

    def examples(self) -> list[Example]:
        return [example for _, _, example in sorted(self.heap, reverse=True)]


@dataclass
class _Repeats:
    """Which lines were there before, and the few that came back most often.

    A line's number of repeats only grows, one by one, so a line that ends among the most repeated
    enters `top` at its last repeat at the latest.
    """

    seen: set[bytes] = field(default_factory=set)
    times: Counter[bytes] = field(default_factory=Counter)
    top: dict[bytes, Example] = field(default_factory=dict)

    def is_new(self, text: str, key: str) -> bool:
        """Say whether a line is the first of its kind, and count it when it is not."""
        digest = key_digest(text)
        if digest not in self.seen:
            self.seen.add(digest)
            return True
        self.times[digest] += 1
        if digest not in self.top and self._has_room(self.times[digest]):
            self.top[digest] = Example(key, text[:EXCERPT_CHARACTERS], 0)
        return False

    def examples(self) -> list[Example]:
        found = [
            Example(example.key, example.excerpt, self.times[digest] + 1)
            for digest, example in self.top.items()
        ]
        return sorted(found, key=lambda example: -example.size)

    def _has_room(self, times: int) -> bool:
        """Say whether a line with so many repeats belongs into `top`; make room for it."""
        if len(self.top) < EXAMPLES:
            return True
        rarest = min(self.top, key=self.times.__getitem__)
        if times <= self.times[rarest]:
            return False
        del self.top[rarest]
        return True
