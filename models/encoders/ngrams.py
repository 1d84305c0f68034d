"""Letters and words as features: TF-IDF over n-grams, the honest floor between relatives."""

import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from models.writing import WORD_SPACE, words


class Ngrams:
    """TF-IDF over character 2- to 5-grams within words: the honest floor between relatives.

    With `words` also over words and pairs of words, weighted as a whole like the characters. U+200B
    parts words as a space does; without either, a text is one word to the characters.
    """

    def __init__(self, *, words: bool) -> None:
        self.words = words

    @cached_property
    def _vectorizer(self) -> Any:
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.pipeline import FeatureUnion

        parts = [
            (
                "characters",
                TfidfVectorizer(
                    analyzer="char_wb",
                    preprocessor=_spaced,
                    ngram_range=(2, 5),
                    min_df=2,
                    sublinear_tf=True,
                ),
            )
        ]
        if self.words:
            of_words = TfidfVectorizer(
                tokenizer=words, token_pattern=None, ngram_range=(1, 2), sublinear_tf=True
            )
            parts.append(("words", of_words))
        return FeatureUnion(parts)

    def fit(self, inputs: Sequence[str]) -> None:
        """Learn n-grams and their document frequencies; without any, every text looks alike."""
        try:
            self._vectorizer.fit(inputs)
        except ValueError:  # a model that has hardly been trained translates every text to nothing
            self._vectorizer.fit(["x", "x"])

    def transform(self, inputs: Sequence[str]) -> Any:
        """Return sparse features (sentences, n-grams)."""
        return self._vectorizer.transform(inputs).tocsr()

    def save(self, folder: Path) -> None:
        """Write the n-grams in the order of their dimensions, and their document frequencies."""
        import numpy

        for name, vectorizer in self._vectorizer.transformer_list:
            grams = json.dumps(vectorizer.get_feature_names_out().tolist(), ensure_ascii=False)
            (folder / f"{name}.json").write_text(grams, encoding="utf-8")
            numpy.save(folder / f"{name}.npy", vectorizer.idf_, allow_pickle=False)

    def load(self, folder: Path) -> None:
        """Take n-grams and frequencies from a folder."""
        import numpy

        for name, vectorizer in self._vectorizer.transformer_list:
            grams = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
            vectorizer.set_params(vocabulary=grams)
            vectorizer.idf_ = numpy.load(folder / f"{name}.npy", allow_pickle=False)


def _spaced(text: str) -> str:
    return text.lower().replace(WORD_SPACE, " ")
