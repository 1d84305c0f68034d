"""Intervals and paired tests that know two kinds of noise: of test items, and of trainings.

A system is trained several times and tested on some items. Its score is the mean over trainings of
a measure of summed tallies, and it would be another one for other items and for other trainings.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from models.support.errors import ContractError

if TYPE_CHECKING:
    import numpy

Measure = Callable[["numpy.ndarray"], "numpy.ndarray"]
"""From summed tallies (..., *stats) to scores (...)."""
SIGNIFICANT = 0.05
POWER = 0.8
BLOCK = 500
"""Resamples that are in memory at a time."""


class Runs(NamedTuple):
    """One system on one test set.

    * ``ids``: of the items.
    * ``tallies``: what each run adds for each item: (runs, items, *stats).
    * ``trainings``: of each run, the independent training that it rests on; by default its own.
    * ``random``: whether another training would give another system; not so with a gloss.
    """

    ids: tuple[str, ...]
    tallies: "numpy.ndarray"
    trainings: tuple[int, ...] | None = None
    random: bool = True

    @property
    def groups(self) -> "numpy.ndarray":
        """Weights (trainings, runs) that average the runs of each training."""
        import numpy

        of_run = self.trainings or tuple(range(len(self.tallies)))
        same = numpy.array([[run == training for run in of_run] for training in sorted({*of_run})])
        weights: numpy.ndarray = same / same.sum(1, keepdims=True)
        return weights

    def mean(self, measure: "Measure") -> float:
        """Return the mean score over trainings."""
        return float((self.groups @ measure(self.tallies.sum(1))).mean())

    def only(self, ids: Sequence[str]) -> "Runs":
        """Return the runs on some of the items, in the order given."""
        row = {key: n for n, key in enumerate(self.ids)}
        return self._replace(ids=tuple(ids), tallies=self.tallies[:, [row[key] for key in ids]])

    @property
    def replicates(self) -> int:
        """How many independent trainings there are."""
        return len({*(self.trainings or range(len(self.tallies)))})


class Estimate(NamedTuple):
    """A score with its 95 % interval; `spread` is the standard deviation between trainings."""

    score: float
    low: float
    high: float
    spread: float | None


class Difference(NamedTuple):
    """A paired difference with its 95 % interval and two-sided p-value.

    `p` is None where a side would vary but was trained once: then interval and `mdd` are over items
    alone. `mdd` is the difference that such a test finds in four of five repetitions. `better`
    counts in how many of several places the first is ahead.
    """

    difference: float
    low: float
    high: float
    p: float | None
    mdd: float
    better: tuple[int, int] | None = None


def estimate(runs: Runs, measure: Measure, *, resamples: int, seed: int) -> Estimate:
    """Return the mean score over trainings with an interval over items and trainings."""
    noise = _Noise.of([[(runs, 1.0)]], measure, resamples=resamples, seed=seed)
    spread = noise.spreads[0] if noise.spreads else None
    low, high = noise.interval
    return Estimate(noise.value, max(low, 0.0), high, spread)


def contrast(
    first: Runs, second: Runs, measure: Measure, *, resamples: int, seed: int
) -> Difference:
    """Return the score of the first minus that of the second, on the same items."""
    return joint_contrast([(first, second)], measure, resamples=resamples, seed=seed)


def joint_contrast(
    pairs: Sequence[tuple[Runs, Runs]], measure: Measure, *, resamples: int, seed: int
) -> Difference:
    """Return the mean over places of the difference between two systems.

    Items with the same id are resampled together, whatever the place: they are translations of each
    other. Training n of one place is training n of another. Raises ContractError where the two
    systems of a place were tested on different items, or where a system has more trainings in one
    place than in another.
    """
    for first, second in pairs:
        if first.ids != second.ids:
            raise ContractError("two systems that are compared were tested on different items")
    for of_side in zip(*pairs, strict=True):
        counts = sorted({runs.replicates for runs in of_side})
        if len(counts) > 1:
            raise ContractError(f"a system has {counts} trainings in different places, not as many")
    sides = [[(pair[side], (1.0, -1.0)[side]) for pair in pairs] for side in (0, 1)]
    noise = _Noise.of(sides, measure, resamples=resamples, seed=seed)
    low, high = noise.interval
    better = (int((noise.by_place > 0).sum()), len(pairs)) if len(pairs) > 1 else None
    return Difference(noise.value, low, high, noise.p_value, noise.detectable, better)


class _Noise(NamedTuple):
    """A value that is summed over sides (systems), and what it would be for other draws.

    The variance has crossed parts: of items, of trainings, and of both together. Resampling items
    (Koehn 2004) shows the first with the last; the spread between trainings shows the second with
    the last. So that the last one counts once, its size is taken out of the first: it is what the
    trainings of a system move apart under resampling. The interval is Student's, with the degrees
    of freedom of Satterthwaite (1946) and, between trainings, of Welch (1947).
    """

    value: float
    by_place: "numpy.ndarray"
    items_variance: float
    items: int
    training_variances: tuple[tuple[float, int], ...]
    """Of each side that varies: the variance of its mean, and how many trainings it has."""
    spreads: tuple[float, ...]
    untold: bool
    """Whether a side would vary, but was trained once."""
    same: bool

    @classmethod
    def of(
        cls,
        sides: Sequence[Sequence[tuple[Runs, float]]],
        measure: Measure,
        *,
        resamples: int,
        seed: int,
    ) -> "_Noise":
        """Measure noise; a side is a system with its runs in each place and its sign."""
        import numpy

        ids = sorted({key for runs, _ in sides[0] for key in runs.ids})
        draws = _Draws({key: row for row, key in enumerate(ids)}, resamples, seed)
        drawn = [_Drawn.of(side, measure, draws) for side in sides]
        varying = [
            side
            for side, places in zip(drawn, sides, strict=True)
            if any(runs.random for runs, _ in places)
        ]
        untold = any(len(side.scores) == 1 for side in varying)
        told = [] if untold else varying
        items = float(numpy.var(sum(side.resampled.mean(1) for side in drawn)))
        return cls(
            value=float(sum(side.scores.mean() for side in drawn)),
            by_place=numpy.sum([side.by_place for side in drawn], axis=0),
            items_variance=max(0.0, items - sum(side.variance_together for side in told)),
            items=len(ids),
            training_variances=tuple(
                (float(side.scores.var(ddof=1)) / len(side.scores), len(side.scores))
                for side in told
            ),
            spreads=tuple(float(side.scores.std(ddof=1)) for side in told),
            untold=untold,
            same=len(sides) > 1 and _same(*sides),
        )

    @property
    def standard_error(self) -> float:
        """The standard deviation of the value over items and trainings."""
        variances = [self.items_variance, *(variance for variance, _ in self.training_variances)]
        return float(sum(variances) ** 0.5)

    @property
    def freedom(self) -> float:
        """Degrees of freedom of the standard error."""
        parts = [(self.items_variance, self.items - 1), *self._training_parts()]
        below = sum(variance**2 / max(degrees, 1) for variance, degrees in parts)
        return self.standard_error**4 / below if below else float(max(self.items - 1, 1))

    def _training_parts(self) -> list[tuple[float, float]]:
        """Return variances of trainings with their degrees of freedom.

        Satterthwaite's are too few for two like variances: false alarms fall below the level. Sides
        with equally many trainings take Welch's (1947), which are unbiased, and at most those of
        Student's test; with unequal numbers these are too many.
        """
        parts = [(variance, trainings - 1) for variance, trainings in self.training_variances]
        whole = sum(variance for variance, _ in parts)
        if not whole or len({degrees for _, degrees in parts}) > 1:
            return [*parts]
        below = sum(variance**2 / (degrees + 2) for variance, degrees in parts)
        return [(whole, min(whole**2 / below - 2, sum(degrees for _, degrees in parts)))]

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval."""
        half = _quantile(1 - SIGNIFICANT / 2, self.freedom) * self.standard_error
        return self.value - half, self.value + half

    @property
    def p_value(self) -> float | None:
        """The two-sided p-value for no difference; None where trainings cannot be told.

        It is never below that of n items that all agree in sign: a few cannot tell more.
        """
        from scipy.stats import t

        if self.same:
            return 1.0
        if self.untold:
            return None
        least = 2.0 ** (1 - self.items)
        if not self.standard_error:
            return 1.0 if not self.value else least
        return max(least, float(2 * t.sf(abs(self.value) / self.standard_error, self.freedom)))

    @property
    def detectable(self) -> float:
        """The least difference that is found in four of five repetitions."""
        quantiles = (1 - SIGNIFICANT / 2, POWER)
        return sum(_quantile(q, self.freedom) for q in quantiles) * self.standard_error


class _Drawn(NamedTuple):
    """A side's scores: of each training, under each resample of the items, and in each place."""

    scores: "numpy.ndarray"  # (trainings)
    resampled: "numpy.ndarray"  # (resamples, trainings)
    by_place: "numpy.ndarray"  # (places)

    @property
    def variance_together(self) -> float:
        """The variance of the mean that is of trainings and items together."""
        trainings = len(self.scores)
        apart = self.resampled - self.resampled.mean(1, keepdims=True)
        return float(apart.var(0).sum()) / (trainings - 1) / trainings

    @classmethod
    def of(
        cls, places: Sequence[tuple[Runs, float]], measure: Measure, draws: "_Draws"
    ) -> "_Drawn":
        """Score a side's runs in each place, as they are and under each draw of items."""
        import numpy

        scores, resampled = [], []
        for runs, sign in places:
            weights = sign * runs.groups.T  # (runs, trainings)
            scores.append(measure(runs.tallies.sum(1)) @ weights)
            drawn = [
                measure(numpy.tensordot(times, runs.tallies, ([1], [1]))) @ weights
                for times in draws.of(runs.ids)
            ]
            resampled.append(numpy.concatenate(drawn))
        return cls(
            scores=numpy.mean(scores, axis=0),
            resampled=numpy.mean(resampled, axis=0),
            by_place=numpy.mean(scores, axis=1),
        )


class _Draws:
    """How often each item is drawn in each resample: the same for all sides and places."""

    def __init__(self, row_of: dict[str, int], resamples: int, seed: int) -> None:
        import numpy

        self._row_of = row_of
        random, items = numpy.random.default_rng(seed), len(row_of)
        sizes = [min(BLOCK, resamples - done) for done in range(0, resamples, BLOCK)]
        even = numpy.full(items, 1 / items)
        self._blocks = [random.multinomial(items, even, size=n).astype(float) for n in sizes]

    def of(self, ids: Sequence[str]) -> "Iterator[numpy.ndarray]":
        """Yield blocks (resamples, items) for items by id."""
        rows = [self._row_of[key] for key in ids]
        for block in self._blocks:
            yield block[:, rows]


def _same(first: Sequence[tuple[Runs, float]], second: Sequence[tuple[Runs, float]]) -> bool:
    """Say whether two systems did the same on every item of every place."""
    import numpy

    return all(
        a.tallies.shape == b.tallies.shape and numpy.array_equal(a.tallies, b.tallies)
        for (a, _), (b, _) in zip(first, second, strict=True)
    )


def _quantile(share: float, freedom: float) -> float:
    from scipy.stats import t

    return float(t.ppf(share, freedom))


def detectable_share(items: int, apart: float = 0.2) -> float:
    """Return which difference of accuracy a test set of so many items would tell, before any run.

    `apart` is the share of items on which two systems disagree; their trainings come on top. Found
    in four of five repetitions at the 5 % level (Card et al. 2020).
    """
    return float(2.8 * (apart / items) ** 0.5)


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Return p-values corrected for their number (Holm 1979), in the order given; None stays."""
    known = [i for i, p in enumerate(p_values) if p is not None]
    order = sorted(known, key=lambda i: p_values[i] or 0.0)
    corrected: list[float | None] = [None] * len(p_values)
    highest = 0.0
    for place, i in enumerate(order):
        highest = max(highest, min(1.0, (p_values[i] or 0.0) * (len(order) - place)))
        corrected[i] = highest
    return corrected


def class_tally(gold: "numpy.ndarray", predicted: "numpy.ndarray", classes: int) -> "numpy.ndarray":
    """Return what each item adds to the hits, the gold and the predicted items of each class.

    Gold (items), predicted (runs, items) -> (runs, items, 3, classes) of 0 and 1.
    """
    import numpy

    one_hot = numpy.eye(classes)
    guessed = one_hot[predicted]  # (runs, items, classes)
    right = numpy.broadcast_to(one_hot[gold], guessed.shape)
    return numpy.stack([guessed * right, right, guessed], axis=-2)


def macro_f1(sums: "numpy.ndarray") -> "numpy.ndarray":
    """Return macro-F1 of summed tallies (..., 3, classes) over the classes in gold."""
    import numpy

    hits, gold, predicted = numpy.moveaxis(sums, -2, 0)  # (..., classes)
    f1 = 2 * hits / numpy.maximum(gold + predicted, 1)
    present = gold > 0
    average: numpy.ndarray = (f1 * present).sum(-1) / numpy.maximum(present.sum(-1), 1)
    return average


def accuracy(sums: "numpy.ndarray") -> "numpy.ndarray":
    """Return accuracy of summed tallies (..., 3, classes)."""
    import numpy

    hits, gold, _ = numpy.moveaxis(sums, -2, 0).sum(-1)
    share: numpy.ndarray = hits / numpy.maximum(gold, 1)
    return share


MACRO_F1, ACCURACY = "macro-F1", "accuracy"
