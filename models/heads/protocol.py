"""What learns to classify and what it learns, alike for a linear head and a tuned encoder."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    import numpy


class Examples(NamedTuple):
    """What a classifier learns from: texts, or vectors (items, dimensions), and their labels."""

    inputs: Any
    labels: Sequence[str]


class Site(NamedTuple):
    """Where classifiers are fitted, and with what: nothing of it decides what comes out.

    * ``scratch``: survives an interruption.
    * ``encoder``: the folder of the encoder that is fine-tuned, if one is.
    * ``seeds``: how many classifiers will be fitted; `on_progress` is told the share that is done.
    * ``threads``: to compute with.
    * ``machine_notes``: a folder for what was measured of this machine.
    """

    scratch: Path
    encoder: Path | None = None
    seeds: int = 1
    on_progress: Callable[[float, str], None] = lambda *_: None
    threads: int = 1
    machine_notes: Path | None = None


class Classifier(Protocol):
    """What was fitted on one training text with one seed."""

    @property
    def classes(self) -> Sequence[str]:
        """The classes it knows."""
        ...

    def probabilities(self, inputs: Any) -> "numpy.ndarray":
        """Return the probability of each class it knows: (inputs, classes), one input at least."""
        ...

    def save(self, folder: Path) -> None:
        """Write everything that `Learner.load` needs into a new folder, without pickle."""
        ...


class Learner(Protocol):
    """A way to fit classifiers."""

    def fit(self, train: Examples, dev: Examples, seed: int) -> Classifier:
        """Fit a classifier; the dev set, which may be empty, chooses hyperparameters."""
        ...

    def chosen(self, train: Examples, dev: Examples) -> dict[str, Any]:
        """Return by name the hyperparameters that dev data chose for a training text, if any."""
        ...

    def load(self, folder: Path) -> Classifier:
        """Read what `Classifier.save` wrote."""
        ...
