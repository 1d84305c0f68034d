"""Macro-F1 and accuracy with intervals over items and seeds, and paired tests on the same items."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy


class Interval(NamedTuple):
    """A value and its 95 % bootstrap interval."""

    score: float
    low: float
    high: float


def confusions(gold: "numpy.ndarray", predicted: "numpy.ndarray", classes: int) -> "numpy.ndarray":
    """Return confusions; gold (items), predicted (..., items) -> (..., classes, classes)."""
    import numpy

    cells = gold * classes + predicted  # (..., items)
    flat = cells.reshape(-1, cells.shape[-1])
    counts = [numpy.bincount(row, minlength=classes * classes) for row in flat]
    return numpy.array(counts).reshape(*cells.shape[:-1], classes, classes)


def macro_f1(matrix: "numpy.ndarray") -> "numpy.ndarray":
    """Return macro-F1 of (..., classes, classes) confusions over the classes in gold."""
    import numpy

    hits = numpy.diagonal(matrix, axis1=-2, axis2=-1)
    gold, predicted = matrix.sum(-1), matrix.sum(-2)  # (..., classes)
    f1 = 2 * hits / numpy.maximum(gold + predicted, 1)
    present = gold > 0
    average: numpy.ndarray = (f1 * present).sum(-1) / numpy.maximum(present.sum(-1), 1)
    return average


def accuracy(matrix: "numpy.ndarray") -> "numpy.ndarray":
    """Return accuracy of (..., classes, classes) confusions."""
    import numpy

    hits = numpy.trace(matrix, axis1=-2, axis2=-1)
    share: numpy.ndarray = hits / numpy.maximum(matrix.sum((-2, -1)), 1)
    return share


MACRO_F1 = "macro-F1"
MEASURES: dict[str, Callable[["numpy.ndarray"], "numpy.ndarray"]] = {
    MACRO_F1: macro_f1,
    "accuracy": accuracy,
}
METRICS = tuple(MEASURES)


def interval(
    gold: "numpy.ndarray",
    predicted: "numpy.ndarray",
    *,
    metric: str,
    classes: int,
    resamples: int,
    seed: int,
) -> Interval:
    """Return the mean over seeds with an interval; gold (items), predicted (seeds, items).

    Each resample draws items and seeds with replacement, so the interval holds both the noise of
    the test set and that of training.
    """
    import numpy

    measure = MEASURES[metric]
    random = numpy.random.default_rng(seed)
    seeds, items = predicted.shape
    values = numpy.empty(resamples)
    for n in range(resamples):
        chosen = random.integers(items, size=items)
        runs = random.integers(seeds, size=seeds)
        drawn = confusions(gold[chosen], predicted[runs][:, chosen], classes)
        values[n] = measure(drawn).mean()
    score = float(measure(confusions(gold, predicted, classes)).mean())
    low, high = numpy.quantile(values, [0.025, 0.975])
    return Interval(score, float(low), float(high))


def paired_p_value(
    gold: "numpy.ndarray",
    first: "numpy.ndarray",
    second: "numpy.ndarray",
    *,
    classes: int,
    resamples: int,
    seed: int,
) -> float:
    """Return the two-sided p-value for equal macro-F1 of two systems on the same items.

    Approximate randomisation (Noreen 1989): swap the systems' predictions item by item, all seeds
    of an item together; first and second (seeds, items).
    """
    import numpy

    def difference(a: "numpy.ndarray", b: "numpy.ndarray") -> float:
        scores = [macro_f1(confusions(gold, side, classes)).mean() for side in (a, b)]
        return abs(float(scores[0] - scores[1]))

    random = numpy.random.default_rng(seed)
    observed = difference(first, second)
    at_least = 0
    for _ in range(resamples):
        swap = random.random(len(gold)) < 0.5
        shuffled = numpy.where(swap, second, first), numpy.where(swap, first, second)
        at_least += difference(*shuffled) >= observed - 1e-12
    return (at_least + 1) / (resamples + 1)


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values corrected for their number (Holm 1979), in the order given."""
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    corrected = [0.0] * len(p_values)
    highest = 0.0
    for place, i in enumerate(order):
        highest = max(highest, min(1.0, p_values[i] * (len(p_values) - place)))
        corrected[i] = highest
    return corrected
