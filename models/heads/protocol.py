"""What learns to classify and what it learns, alike for a linear head and a tuned encoder."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol


class Examples(NamedTuple):
    """What a classifier learns from: texts, or vectors (items, dimensions), and their labels."""

    inputs: Any
    labels: Sequence[str]


class Classifier(Protocol):
    """What was fitted on one training text with one seed."""

    def predict(self, inputs: Any) -> list[str]:
        """Return the class of each input; there must be one."""
        ...

    def save(self, folder: Path) -> None:
        """Write everything that `Learner.load` needs into a new folder, without pickle."""
        ...


class Learner(Protocol):
    """A way to fit classifiers."""

    def fit(self, train: Examples, dev: Examples, seed: int) -> Classifier:
        """Fit a classifier; the dev set, which may be empty, chooses hyperparameters."""
        ...

    def load(self, folder: Path) -> Classifier:
        """Read what `Classifier.save` wrote."""
        ...
