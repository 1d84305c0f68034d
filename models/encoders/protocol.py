"""What an encoder gives to a classifier."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import numpy


class Features(Protocol):
    """What a classifier sees of its inputs, fitted on the training inputs alone."""

    def fit(self, inputs: Any) -> None:
        """Learn what the features need (a vocabulary, a scale) from training inputs."""
        ...

    def transform(self, inputs: Any) -> Any:
        """Return features (items, dimensions)."""
        ...

    def save(self, folder: Path) -> None:
        """Write what was learnt into an existing folder: arrays and JSON, no pickle."""
        ...

    def load(self, folder: Path) -> None:
        """Take what was learnt from such a folder."""
        ...


class VectorEncoder(Protocol):
    """A frozen encoder of texts: its vectors are an artifact that several classifiers read."""

    def encode(self, texts: Sequence[str]) -> "numpy.ndarray":
        """Return vectors (texts, dimensions), float32."""
        ...
