"""The NMT model's own encoder, frozen, as a sentence encoder; its vectors as features."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models.subwords import EOS, PAD, Subwords

if TYPE_CHECKING:
    import numpy
    import torch

BATCH_SENTENCES = 64
MAX_PIECES = 256
SCALER = "scaler.npz"


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

    def save(self, folder: Path) -> None:
        """Write mean and scale (dimensions,)."""
        import numpy

        scaler = self._scaler
        numpy.savez(folder / SCALER, mean=scaler.mean_, var=scaler.var_, scale=scaler.scale_)

    def load(self, folder: Path) -> None:
        """Take mean and scale from a folder."""
        import numpy

        with numpy.load(folder / SCALER, allow_pickle=False) as file:
            scaler = self._scaler
            scaler.mean_, scaler.var_, scaler.scale_ = file["mean"], file["var"], file["scale"]
            scaler.n_features_in_ = len(scaler.mean_)


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
        """Return vectors (sentences, 2 * width): mean and maximum over pieces, float32.

        A text that is too long to be read at once is read in parts: the mean is over all of them.
        """
        import numpy

        parts = [_windows(ids) for ids in self.subwords.encode_ids(texts)]
        vectors = self._encode_all([part for of_text in parts for part in of_text])
        ends = numpy.cumsum([len(of_text) for of_text in parts])
        by_text = numpy.split(vectors, ends[:-1]) if parts else []
        found = [_join(v, list(map(len, p))) for v, p in zip(by_text, parts, strict=True)]
        return numpy.array(found, numpy.float32).reshape(len(texts), vectors.shape[1])

    def _encode_all(self, texts: Sequence[list[int]]) -> "numpy.ndarray":
        import numpy

        by_length = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        vectors = numpy.empty((len(texts), 2 * self._encoder.config.d_model), numpy.float32)
        for start in range(0, len(texts), BATCH_SENTENCES):
            batch = by_length[start : start + BATCH_SENTENCES]
            vectors[batch] = self._encode([texts[i] for i in batch])
        return vectors

    def _encode(self, texts: Sequence[list[int]]) -> "numpy.ndarray":
        import torch

        tag = self.subwords.piece_id(self.tag)
        ids = [[tag, *of_text, EOS] for of_text in texts]
        longest = max(map(len, ids))
        tokens = torch.tensor([i + [PAD] * (longest - len(i)) for i in ids])  # (batch, length)
        mask = tokens != PAD
        with torch.inference_mode():
            states = self._encoder(input_ids=tokens, attention_mask=mask).last_hidden_state
        return pool(states, mask).numpy()


def _windows(ids: list[int]) -> list[list[int]]:
    return [ids[start : start + MAX_PIECES] for start in range(0, max(len(ids), 1), MAX_PIECES)]


def _join(vectors: "numpy.ndarray", pieces: list[int]) -> "numpy.ndarray":
    """Return the vector of a text from those (parts, 2 * width) of its parts."""
    import numpy

    means, highest = numpy.split(vectors, 2, axis=1)
    weights = [max(n, 1) for n in pieces]  # an empty text has a tag and an end
    return numpy.concatenate([numpy.average(means, axis=0, weights=weights), highest.max(0)])


def pool(states: "torch.Tensor", mask: "torch.Tensor") -> "torch.Tensor":
    """Join masked mean and maximum; states (batch, length, width) -> (batch, 2 * width)."""
    import torch

    kept = mask.unsqueeze(-1)  # (batch, length, 1)
    mean = (states * kept).sum(1) / kept.sum(1)
    highest = states.masked_fill(~kept, -torch.inf).amax(1)
    return torch.cat([mean, highest], dim=-1)
