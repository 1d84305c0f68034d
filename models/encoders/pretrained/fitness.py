"""How well an encoder's tokenizer fits a language: unknown pieces, pieces a word, what it loses."""

import json
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from models.encoders.pretrained.cutting import normalised

if TYPE_CHECKING:
    import tokenizers

SPECIAL_PIECES = 2
"""What begins and ends an input, as BERT and XLM-R have it."""
MUCH_UNKNOWN, MUCH_CUT, MUCH_LOST = 0.005, 0.05, 0.01
MANY_PIECES = 3.0


@dataclass(frozen=True)
class Fitness:
    """What a tokenizer makes of a language's texts; shares lie between 0 and 1.

    Words are what white space separates. `too_long`: the share of texts that are cut at the
    longest length. `capitals_lost` and `marks_lost`: the shares of capital letters and of
    combining marks (accents, vowel signs) that are gone after normalisation.
    """

    texts: int
    pieces_a_word: float
    unknown_pieces: float
    too_long: float
    capitals_lost: float
    marks_lost: float

    def remarks(self, *, cased: bool) -> Iterator[str]:
        """Yield what should make people think, in words."""
        if self.unknown_pieces > MUCH_UNKNOWN:
            yield f"{self.unknown_pieces:.1%} of its pieces are unknown to the vocabulary"
        if self.pieces_a_word > MANY_PIECES:
            yield f"{self.pieces_a_word:.1f} pieces a word: the vocabulary hardly knows its words"
        if self.too_long > MUCH_CUT:
            yield f"{self.too_long:.0%} of the texts are longer than the encoder reads"
        if cased and self.capitals_lost > MUCH_LOST:
            yield f"{self.capitals_lost:.0%} of the capitals are lower-cased by a cased encoder"
        if self.marks_lost > MUCH_LOST:
            yield f"{self.marks_lost:.0%} of the accents and vowel signs are stripped"


def measure_fitness(
    texts: Sequence[str], tokenizer: "tokenizers.Tokenizer", *, prefix: str, max_pieces: int
) -> Fitness:
    """Look at the texts of one language; empty ones count as texts without words."""
    unknown = unknown_id(tokenizer)
    longest = max_pieces - SPECIAL_PIECES
    before = len(tokenizer.encode(prefix, add_special_tokens=False).ids) if prefix else 0
    encoded = [
        found.ids for found in tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
    ]
    pieces = sum(map(len, encoded))
    return Fitness(
        texts=len(texts),
        pieces_a_word=round(_share(pieces, sum(len(text.split()) for text in texts)), 3),
        unknown_pieces=_share(sum(ids.count(unknown) for ids in encoded), pieces),
        too_long=_share(sum(before + len(ids) > longest for ids in encoded), len(texts)),
        capitals_lost=_lost(texts, tokenizer, _capitals),
        marks_lost=_lost(texts, tokenizer, _marks),
    )


def unknown_id(tokenizer: "tokenizers.Tokenizer") -> int:
    """Return the id of the unknown piece; -1 where there is none."""
    model = json.loads(tokenizer.to_str())["model"]  # Unigram tells it nowhere else
    token, number = model.get("unk_token"), model.get("unk_id")
    found = tokenizer.token_to_id(token) if token is not None else number
    return -1 if found is None else int(found)


def _capitals(text: str) -> int:
    return sum(unicodedata.category(c) in ("Lu", "Lt") for c in text)


def _marks(text: str) -> int:
    return sum(unicodedata.category(c).startswith("M") for c in unicodedata.normalize("NFKD", text))


def _lost(
    texts: Sequence[str], tokenizer: "tokenizers.Tokenizer", count: Callable[[str], int]
) -> float:
    before = sum(map(count, texts))
    after = sum(count(normalised(text, tokenizer)) for text in texts)
    return _share(max(0, before - after), before)


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0
