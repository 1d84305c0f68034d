"""Phrase-based translation: phrases of the bitext, put together as the language model likes it."""

from collections.abc import Sequence
from functools import cache
from itertools import chain
from pathlib import Path

from models.engines.protocol import Decoding, Line
from models.passages import cut_passage
from models.phrases.model import PhraseModel, load_model
from models.phrases.tokens import to_text, to_tokens


class PhraseEngine:
    """Translate with the phrase table of each direction; a word in no phrase is copied."""

    def __init__(self, folders: dict[tuple[str, str], Path]) -> None:
        self._load = cache(lambda direction: load_model(folders[direction]))

    def translate(
        self, lines: Sequence[Line], *, source: str, target: str, decoding: Decoding
    ) -> list[Line]:
        """Return the likeliest translation of each line, however it is asked to be decoded.

        A text that is longer than the model's window is translated sentence by sentence, and a
        sentence that is longer in parts.
        """
        model = self._load((source, target))
        return [(key, _translate(text, model)) for key, text in lines]


def _translate(text: str, model: PhraseModel) -> str:
    window, tokens = model.options.window, to_tokens(text)
    parts = [tokens]
    if len(tokens) > window:
        parts = cut_passage(text, lambda texts: list(map(to_tokens, texts)), window=window)
    return to_text(chain.from_iterable(map(model.translate, parts)))
