"""Scores, intervals and tests against values known from elsewhere."""

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score

from tasks.statistics import (
    METRICS,
    Interval,
    accuracy,
    holm,
    interval,
    macro_f1,
    paired_p_value,
    tally,
)

CLASSES = 4
LABELLED = st.lists(
    st.tuples(st.integers(0, CLASSES - 1), st.integers(0, CLASSES - 1)), min_size=1, max_size=60
)


def system(gold: numpy.ndarray, share: float, *, seeds: int = 3, seed: int = 0) -> numpy.ndarray:
    """Return predictions that are right for about `share` of the items."""
    random = numpy.random.default_rng(seed)
    guesses = random.integers(CLASSES, size=(seeds, len(gold)))
    return numpy.where(random.random((seeds, len(gold))) < share, gold, guesses)


def labels(count: int = 120) -> numpy.ndarray:
    return numpy.random.default_rng(9).integers(CLASSES, size=count)


def p_value(gold: numpy.ndarray, first: numpy.ndarray, second: numpy.ndarray) -> float:
    return paired_p_value(gold, first, second, classes=CLASSES, resamples=199, seed=1)


def estimate(gold: numpy.ndarray, predicted: numpy.ndarray, metric: str, seed: int = 1) -> Interval:
    return interval(gold, predicted, metric=metric, classes=CLASSES, resamples=200, seed=seed)


@settings(deadline=None)
@given(LABELLED)
def test_scores_equal_those_of_scikit_learn(pairs: list[tuple[int, int]]) -> None:
    gold, predicted = numpy.array(pairs).T
    found = tally(gold, predicted[None], CLASSES).sum(0)
    matrix = confusion_matrix(gold, predicted, labels=range(CLASSES))
    present = numpy.unique(gold)
    expected = f1_score(gold, predicted, labels=present, average="macro", zero_division=0)
    assert numpy.array_equal(found[0], [matrix.diagonal(), matrix.sum(1), matrix.sum(0)])
    assert macro_f1(found) == pytest.approx(expected)
    assert accuracy(found) == pytest.approx(accuracy_score(gold, predicted))


def test_macro_f1_is_scikit_learns_default_when_every_class_occurs() -> None:
    gold = labels()
    for predicted in system(gold, 0.5):
        expected = f1_score(gold, predicted, average="macro")
        assert macro_f1(tally(gold, predicted[None], CLASSES).sum(0)) == pytest.approx(expected)


def test_many_systems_are_scored_as_one_by_one() -> None:
    gold = labels()
    predicted = system(gold, 0.5)
    together = macro_f1(tally(gold, predicted, CLASSES).sum(0))
    apart = [macro_f1(tally(gold, each[None], CLASSES).sum(0))[0] for each in predicted]
    assert together == pytest.approx(apart)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("share", [0.0, 0.5, 0.9])
def test_the_interval_contains_the_score(metric: str, share: float) -> None:
    gold = labels()
    found = estimate(gold, system(gold, share), metric)
    assert 0 <= found.low <= found.score <= found.high <= 1
    assert found.low < found.high


@pytest.mark.parametrize("metric", METRICS)
def test_a_perfect_system_has_no_spread(metric: str) -> None:
    gold = labels()
    assert estimate(gold, numpy.stack([gold, gold]), metric) == (1, 1, 1)


def test_more_items_make_a_narrower_interval() -> None:
    few, many = labels(50), labels(1000)
    wide, narrow = (estimate(gold, system(gold, 0.5), "accuracy") for gold in (few, many))
    assert narrow.high - narrow.low < (wide.high - wide.low) / 2


def test_unlike_seeds_widen_the_interval() -> None:
    gold = labels(400)
    alike = numpy.concatenate([system(gold, 0.5, seeds=1, seed=s) for s in range(4)])
    unlike = numpy.concatenate([system(gold, (s + 1) / 5, seeds=1, seed=s) for s in range(4)])
    small, large = (estimate(gold, p, "accuracy") for p in (alike, unlike))
    assert large.high - large.low > 2.5 * (small.high - small.low)


def test_the_seed_decides_the_resamples() -> None:
    gold = labels()
    predicted = system(gold, 0.5)
    assert estimate(gold, predicted, "macro-F1") == estimate(gold, predicted, "macro-F1")
    assert estimate(gold, predicted, "macro-F1") != estimate(gold, predicted, "macro-F1", seed=2)


def test_identical_systems_do_not_differ() -> None:
    gold = labels()
    predicted = system(gold, 0.5)
    assert p_value(gold, predicted, predicted) == 1


def test_clearly_different_systems_differ_either_way_round() -> None:
    gold = labels()
    good, bad = system(gold, 0.9), system(gold, 0.3)
    assert p_value(gold, good, bad) == p_value(gold, bad, good) == pytest.approx(1 / 200)


def test_equally_good_systems_rarely_differ() -> None:
    gold = labels()
    values = [
        p_value(gold, system(gold, 0.5, seed=2 * n + 1), system(gold, 0.5, seed=2 * n + 2))
        for n in range(10)
    ]
    assert sum(value < 0.05 for value in values) <= 2


@pytest.mark.parametrize(
    ("given_values", "expected"),
    [
        ([], []),
        ([0.03], [0.03]),
        ([0.01, 0.04, 0.03, 0.005], [0.03, 0.06, 0.06, 0.02]),
        ([0.5, 0.6], [1.0, 1.0]),
        ([0.02, 0.02, 0.02], [0.06, 0.06, 0.06]),
        ([0.01, 0.011], [0.02, 0.02]),
    ],
)
def test_holm_by_hand(given_values: list[float], expected: list[float]) -> None:
    assert holm(given_values) == pytest.approx(expected)


@settings(deadline=None)
@given(st.lists(st.floats(0, 1), max_size=12))
def test_holm_keeps_the_order_and_never_helps(values: list[float]) -> None:
    corrected = holm(values)
    assert all(before <= after <= 1 for before, after in zip(values, corrected, strict=True))
    ranked = [after for _, after in sorted(zip(values, corrected, strict=True))]
    assert ranked == sorted(ranked)
