"""Translations side by side: a test sentence, its reference, and what each system makes of it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

from models.writing import words_and_signs
from tasks.mt.examples import ShownLine


class WordRun(NamedTuple):
    """Some words of a hypothesis, and whether the reference has them there."""

    text: str
    there: bool


class SystemLine(NamedTuple):
    """What one system makes of a sentence."""

    system: str
    score: float
    runs: list[WordRun]


class ShownSentence(NamedTuple):
    """A test sentence with all its translations, in the order of the systems."""

    id: str
    source: str
    reference: str
    translations: list[SystemLine]


def side_by_side(found: Mapping[str, Iterable[ShownLine]]) -> dict[str, list[ShownSentence]]:
    """Return sentences by direction, from the examples of each system."""
    directions: dict[str, dict[str, ShownSentence]] = {}
    for system, examples in found.items():
        for e in examples:
            sentences = directions.setdefault(e.direction, {})
            sentence = sentences.setdefault(e.id, ShownSentence(e.id, e.source, e.reference, []))
            runs = list(compared(e.reference, e.hypothesis))
            sentence.translations.append(SystemLine(system, e.score, runs))
    return {direction: list(sentences.values()) for direction, sentences in directions.items()}


def compared(reference: str, hypothesis: str) -> Iterator[WordRun]:
    """Yield the hypothesis in runs of words that the reference has in this order, or has not."""
    wanted, said = _parted(reference), _parted(hypothesis)
    matcher = SequenceMatcher(None, _folded(wanted), _folded(said), autojunk=False)
    for kind, _, _, low, high in matcher.get_opcodes():
        if high > low:
            yield WordRun("".join(said[low:high]), kind == "equal")


def _parted(text: str) -> list[str]:
    """Return words and signs, each with the white space before it; together they are the text."""
    parts, start = [], 0
    for word in words_and_signs(text):
        end = text.index(word, start) + len(word)
        parts.append(text[start:end])
        start = end
    return [*parts, text[start:]] if start < len(text) else parts


def _folded(words: Sequence[str]) -> list[str]:
    return [word.strip().casefold() for word in words]
