"""Cut texts that are longer than what a model was trained on, and join their translations."""

from collections.abc import Callable, Iterator, Sequence

import regex

from models.writing import sentences

Pieces = list[str]
WORD_START = "▁"
UNSPACED_END = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}]\P{L}*$")
"""Of text in a script that has no space between sentences; Thai and Khmer have one."""


def cut_passage(
    text: str, encode: Callable[[list[str]], list[Pieces]], *, window: int
) -> list[Pieces]:
    """Return the pieces of each sentence; one longer than `window` pieces is cut between words.

    `encode` segments texts into subword pieces. No piece is lost.
    """
    found = (pieces for pieces in encode([s.strip() for s in sentences(text)]) if pieces)
    return [part for pieces in found for part in _windows(pieces, window)]


def _windows(pieces: Pieces, size: int) -> Iterator[Pieces]:
    start = 0
    while len(pieces) - start > size:
        end = start + size
        begins = (n for n in range(end, start, -1) if pieces[n].startswith(WORD_START))
        end = next(begins, end)
        yield pieces[start:end]
        start = end
    yield pieces[start:]


def join_passage(translations: Sequence[str]) -> str:
    """Return one text of the translations of its parts, spaced as its script is."""
    text = ""
    for part in filter(None, translations):
        text += part if not text or UNSPACED_END.search(text) else f" {part}"
    return text
