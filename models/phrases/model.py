"""A trained phrase-based model on disk: its files, its decoder, how it translates tokens."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from models.phrases.library import require_thot
from models.phrases.recipe import PhraseRecipe

Tokens = Sequence[str]
TRANSLATION, LANGUAGE = "translation", "language"
"""What the files of the translation model and of the language model begin with."""
DECODER = "decoder.json"
FIRST_WEIGHTS = (1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0)
"""Of word count, language model, target phrase length, phrases both ways, source phrases, jumps.

The last is of the sentence's length, which is not modelled.
"""
PRUNED_BELOW, LEXICAL_TRANSLATIONS, HEURISTIC, STACK = 0.4, 2, 6, 10
"""The share of the lexical model in a phrase's probability, and how Thot searches."""


class DecoderOptions(NamedTuple):
    """How a model is decoded; the weights are tuned."""

    weights: tuple[float, ...]
    longest_phrase: int
    reordering: int
    window: int

    @classmethod
    def untuned(cls, recipe: PhraseRecipe) -> "DecoderOptions":
        """Return the options of a recipe."""
        return cls(FIRST_WEIGHTS, recipe.longest_phrase, recipe.reordering, recipe.window)


class PhraseModel:
    """A model that is loaded; `close` frees what it holds."""

    def __init__(self, folder: Path, options: DecoderOptions) -> None:
        require_thot()
        import thot.alignment
        import thot.translation

        self.options = options
        model = thot.translation.SmtModel(thot.alignment.AlignmentModelType.INCR_HMM)
        loaded = model.load_translation_model(str(folder / TRANSLATION))
        if not (loaded and model.load_language_model(str(folder / LANGUAGE))):
            raise OSError(f"{folder}: Thot cannot load the phrase table; build it again")
        model.non_monotonicity = options.reordering
        model.w, model.a, model.e = PRUNED_BELOW, options.longest_phrase, LEXICAL_TRANSLATIONS
        model.heuristic = HEURISTIC
        model.weights = list(options.weights)
        self._model = model
        self._decoder = thot.translation.SmtDecoder(model)
        self._decoder.s = STACK
        self._decoder.is_breadth_first = True

    def translate(self, source: Tokens) -> list[str]:
        """Return the tokens of the likeliest translation; a token without one is copied."""
        return list(self._decoder.translate(" ".join(source)).target) if source else []

    def close(self) -> None:
        """Free the memory."""
        self._decoder.clear()
        self._model.clear()


def save_options(options: DecoderOptions, folder: Path) -> None:
    """Write how a model is decoded."""
    text = json.dumps(options._asdict(), indent=1)
    (folder / DECODER).write_text(f"{text}\n", encoding="utf-8")


def load_model(folder: Path) -> PhraseModel:
    """Load a model as it was tuned."""
    options = json.loads((folder / DECODER).read_text(encoding="utf-8"))
    return PhraseModel(folder, DecoderOptions(**{**options, "weights": (*options["weights"],)}))
