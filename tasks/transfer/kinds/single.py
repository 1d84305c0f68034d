"""Classification of single sentences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from models.support.errors import ContractError
from tasks.statistics import Measure, accuracy, class_tally, macro_f1

if TYPE_CHECKING:
    import numpy


@dataclass(frozen=True)
class SingleSentence:
    """A sentence has one class of several; macro-F1 counts each class alike."""

    fields: tuple[str, ...] = ("text", "label")
    translated: tuple[str, ...] = ("text",)

    @property
    def measures(self) -> Mapping[str, Measure]:
        """Macro-F1, which decides, and accuracy."""
        return {"macro-F1": macro_f1, "accuracy": accuracy}

    def tally(
        self, gold: Sequence[str], predicted: Sequence[Sequence[str]], labels: Sequence[str]
    ) -> "numpy.ndarray":
        """Return hits, gold and predicted items of each class: (runs, items, 3, classes)."""
        import numpy

        class_id = {label: n for n, label in enumerate(labels)}
        for label in {*gold, *(label for run in predicted for label in run)}:
            if label not in class_id:
                raise ContractError(f"no class {label!r}; the task knows {', '.join(labels)}")
        return class_tally(
            numpy.array([class_id[label] for label in gold]),
            numpy.array([[class_id[label] for label in run] for run in predicted]),
            len(labels),
        )
