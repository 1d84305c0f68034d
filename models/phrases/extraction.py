"""Phrase pairs that agree with a word alignment (Koehn et al. 2003), counted into Thot's table.

Thot extracts phrases itself, but takes four times as long. Where every word is linked both find the
same; Thot leaves out some with unlinked words at the edge of a sentence.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from models.phrases.language_model import write_lines

Tokens = Sequence[str]
Links = Sequence[Sequence[bool]]
"""For each target word, whether it belongs to each source word."""
REST = "<UNUSED_WORD>"
"""Stands in Thot's table for the translations of a phrase that were left out."""


class Span(NamedTuple):
    """A stretch of target words and one of source words, ends included."""

    target: tuple[int, int]
    source: tuple[int, int]


def spans(links: Links, longest: int) -> Iterator[Span]:
    """Yield each pair of stretches of up to `longest` words that no link leaves.

    At least one link lies inside; words without a link may stand at the edges of either side.
    """
    height, width = len(links), len(links[0]) if links else 0
    linked = [[t for t in range(height) if links[t][s]] for s in range(width)]
    for first in range(height):
        low, high = width, -1
        for last in range(first, min(height, first + longest)):
            for place in range(width):
                if links[last][place]:
                    low, high = min(low, place), max(high, place)
            if high - low >= longest:
                break
            inside = (t for s in range(low, high + 1) for t in linked[s])
            if high >= 0 and all(first <= t <= last for t in inside):
                for source in _widened(low, high, linked, longest):
                    yield Span((first, last), source)


def _widened(
    low: int, high: int, linked: Sequence[Sequence[int]], longest: int
) -> Iterator[tuple[int, int]]:
    """Yield a stretch, and those that have words without links at its edges, too."""
    start = low
    while high - start < longest:
        end = high
        while end - start < longest:
            yield start, end
            end += 1
            if end == len(linked) or linked[end]:
                break
        start -= 1
        if start < 0 or linked[start]:
            return


def count_phrases(
    pairs: Iterable[tuple[Tokens, Tokens]], links: Iterable[Links], longest: int
) -> Counter[tuple[str, str]]:
    """Return how often each source phrase stands for each target phrase."""
    found: Counter[tuple[str, str]] = Counter()
    for (source, target), matrix in zip(pairs, links, strict=True):
        for (first, last), (start, end) in spans(matrix, longest):
            found[" ".join(source[start : end + 1]), " ".join(target[first : last + 1])] += 1
    return found


def write_table(counts: Counter[tuple[str, str]], most: int, path: Path) -> int:
    """Write the `most` frequent translations of each source phrase; return how many there are.

    A line is the target phrase, the source phrase, how often the target phrase occurs, and how
    often the two stand for each other. What is left out is summed up in a line of its own.
    """
    of_target: Counter[str] = Counter()
    by_source: defaultdict[str, list[tuple[int, str]]] = defaultdict(list)
    for (source, target), count in counts.items():
        of_target[target] += count
        by_source[source].append((-count, target))
    kept = 0

    def lines() -> Iterator[str]:
        nonlocal kept
        for source in sorted(by_source):
            ranked = sorted(by_source[source])
            for count, target in ranked[:most]:
                kept += 1
                yield f"{target} ||| {source} ||| {of_target[target]} {-count}"
            if rest := -sum(count for count, _ in ranked[most:]):
                yield f"{REST} ||| {source} ||| 0 {rest}"

    write_lines(path, lines())
    return kept
