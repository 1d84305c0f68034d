"""Macro-F1 and accuracy with intervals over items and seeds, and paired tests on the same items."""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy


class Interval(NamedTuple):
    """A value and its 95 % bootstrap interval."""

    score: float
    low: float
    high: float


def tally(gold: "numpy.ndarray", predicted: "numpy.ndarray", classes: int) -> "numpy.ndarray":
    """Return what each item adds to the hits, the gold and the predicted items of each class.

    Gold (items), predicted (seeds, items) -> (items, seeds, 3, classes) of 0 and 1. Sums over
    items, weighted or not, can be scored.
    """
    import numpy

    one_hot = numpy.eye(classes)
    guessed = one_hot[predicted.T]  # (items, seeds, classes)
    right = numpy.broadcast_to(one_hot[gold][:, None], guessed.shape)
    return numpy.stack([guessed * right, right, guessed], axis=-2)


def macro_f1(tallies: "numpy.ndarray") -> "numpy.ndarray":
    """Return macro-F1 of (..., 3, classes) tallies over the classes in gold."""
    import numpy

    hits, gold, predicted = numpy.moveaxis(tallies, -2, 0)  # (..., classes)
    f1 = 2 * hits / numpy.maximum(gold + predicted, 1)
    present = gold > 0
    average: numpy.ndarray = (f1 * present).sum(-1) / numpy.maximum(present.sum(-1), 1)
    return average


def accuracy(tallies: "numpy.ndarray") -> "numpy.ndarray":
    """Return accuracy of (..., 3, classes) tallies."""
    import numpy

    hits, gold, _ = numpy.moveaxis(tallies, -2, 0).sum(-1)
    share: numpy.ndarray = hits / numpy.maximum(gold, 1)
    return share


MACRO_F1 = "macro-F1"
MEASURES: dict[str, Callable[["numpy.ndarray"], "numpy.ndarray"]] = {
    MACRO_F1: macro_f1,
    "accuracy": accuracy,
}
METRICS = tuple(MEASURES)


BLOCK = 500
"""Resamples that are in memory at a time."""


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
    of_item = tally(gold, predicted, classes)
    values = []
    for size in _blocks(resamples):
        times = numpy.empty((size, items))
        runs = numpy.empty((size, seeds), dtype=int)
        for n in range(size):
            times[n] = numpy.bincount(random.integers(items, size=items), minlength=items)
            runs[n] = random.integers(seeds, size=seeds)
        drawn = measure(numpy.tensordot(times, of_item, 1))  # (size, seeds)
        values.append(numpy.take_along_axis(drawn, runs, 1).mean(1))
    score = float(measure(of_item.sum(0)).mean())
    low, high = numpy.quantile(numpy.concatenate(values), [0.025, 0.975])
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

    def difference(a: "numpy.ndarray", b: "numpy.ndarray") -> "numpy.ndarray":
        apart: numpy.ndarray = abs(macro_f1(a).mean(-1) - macro_f1(b).mean(-1))
        return apart

    random = numpy.random.default_rng(seed)
    of_item = [tally(gold, side, classes) for side in (first, second)]
    one, other = (each.sum(0) for each in of_item)  # (seeds, 3, classes)
    by_swap = of_item[1] - of_item[0]
    observed = difference(one, other)
    at_least = 0
    for size in _blocks(resamples):
        swapped = (random.random((size, len(gold))) < 0.5).astype(float)
        moved = numpy.tensordot(swapped, by_swap, 1)  # (size, seeds, 3, classes)
        apart = difference(one + moved, other - moved)
        at_least += int(numpy.count_nonzero(apart >= observed - 1e-12))
    return (at_least + 1) / (resamples + 1)


def _blocks(resamples: int) -> Iterator[int]:
    """Yield the sizes of blocks."""
    for done in range(0, resamples, BLOCK):
        yield min(BLOCK, resamples - done)


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values corrected for their number (Holm 1979), in the order given."""
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    corrected = [0.0] * len(p_values)
    highest = 0.0
    for place, i in enumerate(order):
        highest = max(highest, min(1.0, p_values[i] * (len(p_values) - place)))
        corrected[i] = highest
    return corrected
