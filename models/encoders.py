"""Turn sentences into features for a classifier: character n-grams or pooled encoder states."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import regex

from models.subwords import EOS, PAD, Subwords

if TYPE_CHECKING:
    import numpy
    import torch

WORD = regex.compile(r"[\p{L}\p{M}\p{N}]+")
BATCH_SENTENCES = 64
MAX_PIECES = 256


class Features(Protocol):
    """What a classifier sees of its inputs, fitted on the training inputs alone."""

    def fit(self, inputs: Any) -> None:
        """Learn what the features need (a vocabulary, a scale) from training inputs."""
        ...

    def transform(self, inputs: Any) -> Any:
        """Return features (items, dimensions)."""
        ...


class Ngrams:
    """TF-IDF over character 2- to 5-grams within words: the honest floor between relatives.

    With `words` also over words and pairs of words, weighted as a whole like the characters.
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
                    analyzer="char_wb", ngram_range=(2, 5), min_df=2, sublinear_tf=True
                ),
            )
        ]
        if self.words:
            words = TfidfVectorizer(
                tokenizer=WORD.findall, token_pattern=None, ngram_range=(1, 2), sublinear_tf=True
            )
            parts.append(("words", words))
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


class ScaledVectors:
    """Sentence vectors, standardised.

    They have unit length on average, as TF-IDF's rows have, so that one budget of regularisation
    fits both.
    """

    @cached_property
    def _scaler(self) -> Any:
        from sklearn.preprocessing import StandardScaler

        return StandardScaler()

    def fit(self, inputs: "numpy.ndarray") -> None:
        """Learn mean and scale of each dimension from vectors (sentences, dimensions)."""
        self._scaler.fit(inputs)

    def transform(self, inputs: "numpy.ndarray") -> "numpy.ndarray":
        """Return standardised vectors (sentences, dimensions)."""
        scaled: numpy.ndarray = self._scaler.transform(inputs) / inputs.shape[1] ** 0.5
        return scaled


class NmtEncoder:
    """Pooled states of an NMT encoder (Eriguchi et al. 2018), published for Hugging Face.

    Every input carries the same tag, whatever its language, so that the tag says nothing.
    """

    def __init__(self, folder: Path, subwords: Path, *, tag: str) -> None:
        self.folder = folder
        self.subwords = Subwords(subwords)
        self.tag = tag

    @cached_property
    def _encoder(self) -> Any:
        import torch
        from transformers import M2M100ForConditionalGeneration
        from transformers.utils import logging

        logging.disable_progress_bar()
        # stages run side by side: two that wait for each other's threads take thrice as long
        torch.set_num_threads(1)
        model: Any = M2M100ForConditionalGeneration.from_pretrained(
            self.folder, dtype=torch.float32, local_files_only=True
        )
        return model.get_encoder().eval()

    def encode(self, texts: Sequence[str]) -> "numpy.ndarray":
        """Return vectors (sentences, 2 * width): mean and maximum over pieces, float32."""
        import numpy

        by_length = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        vectors = numpy.empty((len(texts), 2 * self._encoder.config.d_model), numpy.float32)
        for start in range(0, len(texts), BATCH_SENTENCES):
            batch = by_length[start : start + BATCH_SENTENCES]
            vectors[batch] = self._encode([texts[i] for i in batch])
        return vectors

    def _encode(self, texts: Sequence[str]) -> "numpy.ndarray":
        import torch

        tag = self.subwords.piece_id(self.tag)
        ids = [[tag, *i[:MAX_PIECES], EOS] for i in self.subwords.encode_ids(texts)]
        longest = max(map(len, ids))
        tokens = torch.tensor([i + [PAD] * (longest - len(i)) for i in ids])  # (batch, length)
        mask = tokens != PAD
        with torch.inference_mode():
            states = self._encoder(input_ids=tokens, attention_mask=mask).last_hidden_state
        return pool(states, mask).numpy()


def pool(states: "torch.Tensor", mask: "torch.Tensor") -> "torch.Tensor":
    """Join masked mean and maximum; states (batch, length, width) -> (batch, 2 * width)."""
    import torch

    kept = mask.unsqueeze(-1)  # (batch, length, 1)
    mean = (states * kept).sum(1) / kept.sum(1)
    highest = states.masked_fill(~kept, -torch.inf).amax(1)
    return torch.cat([mean, highest], dim=-1)
