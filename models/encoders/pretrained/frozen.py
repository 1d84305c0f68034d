"""Run a published encoder: texts to vectors, by length, in int8 where that agrees."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from models.encoders.pretrained.folders import (
    CTRANSLATE2,
    HUGGINGFACE,
    EncoderSettings,
    be_quiet,
)
from models.encoders.pretrained.reading import TextReader
from models.support.batches import padded, parts_of
from models.support.instructions import use_wide_vectors

if TYPE_CHECKING:
    import numpy

BATCH_PIECES = 2048
TEXTS_AT_ONCE = 8192
LEAST_COSINE, MEAN_COSINE = 0.99, 0.998
"""How near the vectors in int8 must be to those of torch, each and on average."""
Number = Literal["int8", "float32"]
INT8: Number = "int8"
FLOAT32: Number = "float32"

Ids = list[int]
Run = Callable[[list[Ids]], "numpy.ndarray"]
"""Ids to states (batch, length, width)."""


class Agreement(NamedTuple):
    """The cosines of vectors in int8 with those of torch in float32, and what follows."""

    least: float
    mean: float
    texts: int

    @property
    def number(self) -> Number:
        """The format to encode in."""
        return INT8 if self.least >= LEAST_COSINE and self.mean >= MEAN_COSINE else FLOAT32


class FrozenEncoder:
    """A published encoder, as `VectorEncoder`; the same texts give the same vectors.

    `number`: in int8 it is run by CTranslate2, in float32 by torch.
    """

    def __init__(self, folder: Path, *, number: Number, threads: int = 1) -> None:
        self.folder = folder
        self.number = number
        self.threads = threads
        self.settings = EncoderSettings.read(folder)

    @cached_property
    def _reader(self) -> TextReader:
        return TextReader(self.folder, self.settings)

    @cached_property
    def _run(self) -> Run:
        if self.number == INT8:
            return _ctranslate2(self.folder / CTRANSLATE2, self.threads)
        return _torch(self.folder / HUGGINGFACE, self.threads)

    def encode(self, texts: Sequence[str]) -> "numpy.ndarray":
        """Return vectors (texts, width), float32."""
        import numpy

        parts = [
            self._encode(texts[start : start + TEXTS_AT_ONCE])
            for start in range(0, max(1, len(texts)), TEXTS_AT_ONCE)
        ]
        return numpy.concatenate(parts)

    def _encode(self, texts: Sequence[str]) -> "numpy.ndarray":
        import numpy

        ids = self.ids(texts)
        batches = list(parts_of(range(len(ids)), list(map(len, ids)), BATCH_PIECES))
        found = numpy.empty((len(texts), self.width), numpy.float32)
        threads = self.threads if self.number == INT8 else 1  # torch shares a batch out itself
        with ThreadPoolExecutor(threads) as pool:
            for batch, vectors in zip(
                batches,
                pool.map(lambda batch: self._vectors([ids[i] for i in batch]), batches),
                strict=True,
            ):
                found[batch] = vectors
        return found

    @cached_property
    def width(self) -> int:
        """The dimensions of a vector."""
        return int(self._vectors([self.ids(["."])[0]]).shape[1])

    def ids(self, texts: Sequence[str]) -> list[Ids]:
        """Return the ids of each text with prefix and special tokens, cut at the longest length."""
        return self._reader.ids(texts)

    def _vectors(self, ids: list[Ids]) -> "numpy.ndarray":
        import numpy

        states = self._run(ids)
        if self.settings.pooling == "first":
            return states[:, 0]
        lengths = numpy.array([len(sentence) for sentence in ids])
        mask = numpy.arange(states.shape[1]) < lengths[:, None]  # (batch, length)
        sums: numpy.ndarray = numpy.einsum("blw,bl->bw", states, mask.astype(numpy.float32))
        return sums / lengths[:, None].astype(numpy.float32)


def _ctranslate2(folder: Path, threads: int) -> Run:
    import ctranslate2
    import numpy

    use_wide_vectors()
    encoder = ctranslate2.Encoder(
        str(folder), device="cpu", compute_type=INT8, inter_threads=threads, intra_threads=1
    )

    def run(ids: list[Ids]) -> numpy.ndarray:
        return numpy.array(encoder.forward_batch(ids).last_hidden_state)

    return run


def _torch(folder: Path, threads: int) -> Run:
    import numpy
    import torch
    from transformers import AutoModel

    be_quiet()
    torch.set_num_threads(threads)
    model: Any = AutoModel.from_pretrained(folder, dtype=torch.float32, local_files_only=True)
    model.eval()
    padding = model.config.pad_token_id or 0

    def run(ids: list[Ids]) -> numpy.ndarray:
        pieces, kept = padded(ids, padding, "cpu")
        with torch.inference_mode():
            states: Any = model(input_ids=pieces, attention_mask=kept.long()).last_hidden_state
        found: numpy.ndarray = states.numpy()
        return found

    return run


def agreement(ours: "numpy.ndarray", other: "numpy.ndarray") -> Agreement:
    """Compare vectors (texts, width) by their cosines."""
    import numpy

    lengths = numpy.linalg.norm(ours, axis=1) * numpy.linalg.norm(other, axis=1)
    cosines = (ours * other).sum(1) / numpy.maximum(lengths, 1e-9)
    return Agreement(round(float(cosines.min()), 5), round(float(cosines.mean()), 5), len(ours))
