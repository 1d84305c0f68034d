"""Scores, intervals and tests against values known from elsewhere."""

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score

from models.support.errors import ContractError
from tasks.statistics import (
    Difference,
    Estimate,
    Runs,
    accuracy,
    class_tally,
    contrast,
    estimate,
    holm,
    joint_contrast,
    macro_f1,
)

CLASSES = 4
LABELLED = st.lists(
    st.tuples(st.integers(0, CLASSES - 1), st.integers(0, CLASSES - 1)), min_size=1, max_size=60
)
RESAMPLING = {"resamples": 200, "seed": 1}
MEASURES = pytest.mark.parametrize("measure", [macro_f1, accuracy])


def labels(count: int = 120) -> numpy.ndarray:
    return numpy.random.default_rng(9).integers(CLASSES, size=count)


def predictions(
    gold: numpy.ndarray, share: float, *, runs: int = 3, seed: int = 0
) -> numpy.ndarray:
    """Return predictions that are right for about `share` of the items."""
    random = numpy.random.default_rng(seed)
    guesses = random.integers(CLASSES, size=(runs, len(gold)))
    return numpy.where(random.random((runs, len(gold))) < share, gold, guesses)


def system(gold: numpy.ndarray, share: float, *, runs: int = 3, seed: int = 0) -> Runs:
    return of(gold, predictions(gold, share, runs=runs, seed=seed))


def of(gold: numpy.ndarray, predicted: numpy.ndarray) -> Runs:
    ids = tuple(f"item-{n}" for n in range(len(gold)))
    return Runs(ids, class_tally(gold, predicted, CLASSES))


@settings(deadline=None)
@given(LABELLED)
def test_scores_equal_those_of_scikit_learn(pairs: list[tuple[int, int]]) -> None:
    gold, predicted = numpy.array(pairs).T
    found = class_tally(gold, predicted[None], CLASSES).sum(1)
    matrix = confusion_matrix(gold, predicted, labels=range(CLASSES))
    present = numpy.unique(gold)
    expected = f1_score(gold, predicted, labels=present, average="macro", zero_division=0)
    assert numpy.array_equal(found[0], [matrix.diagonal(), matrix.sum(1), matrix.sum(0)])
    assert macro_f1(found) == pytest.approx(expected)
    assert accuracy(found) == pytest.approx(accuracy_score(gold, predicted))


def test_macro_f1_is_scikit_learns_default_when_every_class_occurs() -> None:
    gold = labels()
    predicted = predictions(gold, 0.5)
    expected = [f1_score(gold, of_run, average="macro") for of_run in predicted]
    assert macro_f1(class_tally(gold, predicted, CLASSES).sum(1)) == pytest.approx(expected)


@MEASURES
@pytest.mark.parametrize("share", [0.0, 0.5, 0.9])
def test_the_interval_contains_the_score(measure: object, share: float) -> None:
    found = estimate(system(labels(), share), measure, **RESAMPLING)
    assert 0 <= found.low < found.score < found.high


@MEASURES
def test_a_perfect_system_has_no_spread(measure: object) -> None:
    gold = labels()
    found = estimate(of(gold, numpy.stack([gold, gold])), measure, **RESAMPLING)
    assert found == Estimate(1, 1, 1, 0)


def test_more_items_make_a_narrower_interval() -> None:
    few, many = (estimate(system(labels(n), 0.5), accuracy, **RESAMPLING) for n in (50, 1000))
    assert many.high - many.low < (few.high - few.low) / 2


def test_unlike_trainings_widen_the_interval() -> None:
    gold = labels(400)
    alike = [predictions(gold, 0.5, runs=1, seed=s) for s in range(4)]
    unlike = [predictions(gold, (s + 1) / 5, runs=1, seed=s) for s in range(4)]
    small, large = (
        estimate(of(gold, numpy.concatenate(runs)), accuracy, **RESAMPLING)
        for runs in (alike, unlike)
    )
    assert large.high - large.low > 2.5 * (small.high - small.low)
    assert large.spread > 5 * small.spread


def test_the_spread_is_the_deviation_between_trainings() -> None:
    gold = labels(400)
    runs = system(gold, 0.5)
    scores = accuracy(runs.tallies.sum(1))
    assert estimate(runs, accuracy, **RESAMPLING).spread == pytest.approx(scores.std(ddof=1))


@pytest.mark.parametrize("runs", [1, 3])
def test_what_does_not_vary_has_no_spread(runs: int) -> None:
    fixed = system(labels(), 0.5, runs=runs)._replace(random=False)
    assert estimate(fixed, accuracy, **RESAMPLING).spread is None


def test_seeds_on_one_training_are_no_trainings() -> None:
    """Five seeds that read two trainings tell of two trainings."""
    gold = labels(400)
    better, worse = (predictions(gold, share, runs=3, seed=s) for s, share in enumerate((0.7, 0.5)))
    five = of(gold, numpy.concatenate([better, worse])[[0, 3, 1, 4, 2]])
    grouped = five._replace(trainings=(0, 1, 0, 1, 0))
    assert grouped.replicates == 2
    wide, narrow = (estimate(runs, accuracy, **RESAMPLING) for runs in (grouped, five))
    assert wide.high - wide.low > 2 * (narrow.high - narrow.low)


def test_the_seed_decides_the_resamples() -> None:
    runs = system(labels(), 0.5)
    one, again = (estimate(runs, macro_f1, **RESAMPLING) for _ in range(2))
    assert one == again
    assert one != estimate(runs, macro_f1, resamples=200, seed=2)


def test_identical_systems_do_not_differ() -> None:
    runs = system(labels(), 0.5)
    found = contrast(runs, runs, macro_f1, **RESAMPLING)
    assert (found.difference, found.p) == (0, 1)


def test_clearly_different_systems_differ_either_way_round() -> None:
    gold = labels()
    good, bad = system(gold, 0.9, seed=1), system(gold, 0.3, seed=2)
    up, down = (contrast(*pair, macro_f1, **RESAMPLING) for pair in ((good, bad), (bad, good)))
    assert up.p < 0.01
    assert up.p == pytest.approx(down.p)
    assert up.difference == pytest.approx(-down.difference)
    assert 0 < up.low < up.difference < up.high
    assert up.mdd < up.difference


def test_one_training_gives_no_p_value_but_an_interval() -> None:
    gold = labels()
    found = contrast(system(gold, 0.9, runs=1), system(gold, 0.3, seed=2), macro_f1, **RESAMPLING)
    assert found.p is None
    assert found.low < found.difference < found.high


def test_with_one_training_on_a_side_the_interval_is_over_items_alone() -> None:
    """What the other side's trainings tell of themselves would look like all there is."""
    gold = labels(400)
    single = system(gold, 0.6, runs=1)
    scattered = numpy.concatenate([predictions(gold, share, runs=1) for share in (0.2, 0.5, 0.8)])
    found, items = (
        contrast(single, of(gold, scattered)._replace(random=random), accuracy, **RESAMPLING)
        for random in (True, False)
    )
    fixed = contrast(
        single._replace(random=False),
        of(gold, scattered)._replace(random=False),
        accuracy,
        **RESAMPLING,
    )
    assert found[:3] == items[:3] == fixed[:3]
    assert (found.p, items.p) == (None, None)
    assert fixed.p is not None


@pytest.mark.parametrize(("items", "least"), [(1, 1), (2, 0.5), (5, 1 / 16)])
def test_a_few_items_prove_little(items: int, least: float) -> None:
    """However clear each of them is, their signs agree by chance that often."""
    gold = labels(items)
    right, wrong = (of(gold, numpy.stack([guess] * 3)) for guess in (gold, (gold + 1) % CLASSES))
    found = contrast(right, wrong, accuracy, **RESAMPLING)
    assert found.difference == 1
    assert found.p == pytest.approx(least)


def test_trainings_that_never_differ_add_no_certainty() -> None:
    """A steady rival leaves as many degrees of freedom as a rival that is not trained at all."""
    gold = labels(1000)
    shares = (0.5, 0.6, 0.7)
    scattered = of(gold, numpy.concatenate([predictions(gold, s, runs=1) for s in shares]))
    steady = of(gold, numpy.concatenate([predictions(gold, 0.5, runs=1)] * 3))
    trained, fixed = (
        contrast(scattered, steady._replace(random=random), accuracy, **RESAMPLING)
        for random in (True, False)
    )
    assert trained.p == pytest.approx(fixed.p)
    assert trained.mdd == pytest.approx(fixed.mdd)


def test_a_gloss_needs_no_second_training() -> None:
    gold = labels()
    gloss = system(gold, 0.9, runs=1)._replace(random=False)
    assert contrast(gloss, system(gold, 0.3, seed=2), macro_f1, **RESAMPLING).p < 0.01


def test_trainings_that_scatter_hide_a_difference_that_items_show() -> None:
    gold = labels(1000)
    first = [predictions(gold, share, runs=1, seed=n) for n, share in enumerate((0.5, 0.6, 0.7))]
    second = [predictions(gold, share, runs=1, seed=n) for n, share in enumerate((0.4, 0.5, 0.6))]
    scattered = contrast(
        *(of(gold, numpy.concatenate(runs)) for runs in (first, second)), accuracy, **RESAMPLING
    )
    fixed = contrast(system(gold, 0.6, seed=1), system(gold, 0.5, seed=2), accuracy, **RESAMPLING)
    assert scattered.p > 0.05 > fixed.p


def test_other_items_are_an_error() -> None:
    runs = system(labels(), 0.5)
    with pytest.raises(ContractError, match="different items"):
        contrast(runs, runs._replace(ids=("x", *runs.ids[1:])), macro_f1, **RESAMPLING)


def test_items_that_are_translations_of_each_other_count_once() -> None:
    """Four languages of the same items tell less than four sets of items."""
    gold = labels(300)
    pair = system(gold, 0.6, seed=1), system(gold, 0.5, seed=2)

    def place(number: int, *, shared: bool) -> tuple[Runs, Runs]:
        ids = pair[0].ids if shared else tuple(f"{number}-{key}" for key in pair[0].ids)
        return pair[0]._replace(ids=ids), pair[1]._replace(ids=ids)

    together, apart = (
        joint_contrast([place(n, shared=shared) for n in range(4)], accuracy, **RESAMPLING)
        for shared in (True, False)
    )
    single = contrast(*pair, accuracy, **RESAMPLING)
    assert together.better == apart.better == (4, 4)
    assert together.high - together.low == pytest.approx(single.high - single.low)
    assert apart.high - apart.low < together.high - together.low


def test_other_numbers_of_trainings_in_other_places_are_an_error() -> None:
    gold = labels()
    three, two = (system(gold, 0.5, runs=runs) for runs in (3, 2))
    with pytest.raises(ContractError, match=r"\[2, 3\] trainings"):
        joint_contrast([(three, three), (two, three)], accuracy, **RESAMPLING)


def test_a_joint_contrast_is_the_mean_over_places() -> None:
    gold = labels(300)
    pairs = [
        (system(gold, a, seed=1), system(gold, b, seed=2)) for a, b in ((0.9, 0.5), (0.5, 0.6))
    ]
    apart = [contrast(*pair, accuracy, **RESAMPLING).difference for pair in pairs]
    found: Difference = joint_contrast(pairs, accuracy, **RESAMPLING)
    assert found.difference == pytest.approx(sum(apart) / 2)
    assert found.better == (1, 2)


@pytest.mark.parametrize(
    ("given_values", "expected"),
    [
        ([], []),
        ([0.03], [0.03]),
        ([0.01, 0.04, 0.03, 0.005], [0.03, 0.06, 0.06, 0.02]),
        ([0.5, 0.6], [1.0, 1.0]),
        ([0.02, 0.02, 0.02], [0.06, 0.06, 0.06]),
        ([0.01, 0.011], [0.02, 0.02]),
        ([0.01, None, 0.011], [0.02, None, 0.02]),
    ],
)
def test_holm_by_hand(given_values: list[float | None], expected: list[float | None]) -> None:
    assert holm(given_values) == pytest.approx(expected)


@settings(deadline=None)
@given(st.lists(st.floats(0, 1), max_size=12))
def test_holm_keeps_the_order_and_never_helps(values: list[float]) -> None:
    corrected = holm(values)
    assert all(before <= after <= 1 for before, after in zip(values, corrected, strict=True))
    ranked = [after for _, after in sorted(zip(values, corrected, strict=True))]
    assert ranked == sorted(ranked)
