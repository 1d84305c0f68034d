"""Classifiers learn what can be learnt, and a seed decides what a run does."""

from dataclasses import replace
from typing import Any

import numpy
import pytest
from scipy.sparse import csr_matrix

from models.encoders import Ngrams
from models.heads.linear import ClassifierRecipe, fit_seeds
from models.support.errors import SourceError

LABELS = ("anger", "happy", "love")
RECIPE = ClassifierRecipe(seeds=3)
MLP = ClassifierRecipe(head="mlp", seeds=2, strengths=(4.0,))
Data = tuple[Any, list[str]]
"""Features (items, dimensions) and labels."""


def clouds(count: int, *, seed: int, spread: float = 0.5) -> Data:
    """Return points around one corner for each label."""
    random = numpy.random.default_rng(seed)
    classes = numpy.arange(count) % len(LABELS)
    points = 3 * numpy.eye(len(LABELS))[classes] + spread * random.normal(size=(count, 3))
    return points, [LABELS[c] for c in classes]


def fit(recipe: ClassifierRecipe, train: Data, dev: Data) -> list[object]:
    return fit_seeds(recipe, train=train[0], train_labels=train[1], dev=dev[0], dev_labels=dev[1])


def hits(classifier: object, data: Data) -> float:
    predicted = classifier.predict(data[0])  # type: ignore[attr-defined]
    return float(numpy.mean(predicted == numpy.array(data[1])))


@pytest.mark.parametrize("recipe", [RECIPE, MLP], ids=["logistic", "mlp"])
def test_separable_classes_are_learnt_by_every_seed(recipe: ClassifierRecipe) -> None:
    fitted = fit(recipe, clouds(600, seed=1), clouds(60, seed=2))
    assert len(fitted) == recipe.seeds
    assert all(hits(classifier, clouds(90, seed=3)) > 0.95 for classifier in fitted)


@pytest.mark.parametrize("words", [False, True])
def test_texts_that_an_engine_translated_to_nothing_teach_nothing_and_stop_nothing(
    words: bool,
) -> None:
    features = Ngrams(words=words)
    texts, labels = [""] * 12, ["anger", "happy"] * 6
    features.fit(texts)
    fitted = fit(RECIPE, (features.transform(texts), labels), (features.transform([""]), ["happy"]))
    for classifier in fitted:
        assert len(set(classifier.predict(features.transform(["", "x", "halo"])))) == 1  # type: ignore[attr-defined]


def test_words_and_their_order_count_beside_characters() -> None:
    features = Ngrams(words=True)
    features.fit(["ora apik", "apik ora", "किताब अच्छी है"])
    first, second = features.transform(["ora apik", "apik ora"]).toarray()
    assert not numpy.array_equal(first, second)
    characters = Ngrams(words=False)
    characters.fit(["ora apik", "apik ora"])
    first, second = characters.transform(["ora apik", "apik ora"]).toarray()
    assert numpy.array_equal(first, second)


@pytest.mark.parametrize("recipe", [RECIPE, MLP], ids=["logistic", "mlp"])
def test_runs_repeat_and_seeds_differ(recipe: ClassifierRecipe) -> None:
    train, dev = clouds(120, seed=1, spread=3), clouds(60, seed=2, spread=3)
    one, two = (
        [c.predict_proba(dev[0]) for c in fit(recipe, train, dev)]  # type: ignore[attr-defined]
        for _ in range(2)
    )
    assert all(numpy.array_equal(a, b) for a, b in zip(one, two, strict=True))
    assert not numpy.array_equal(one[0], one[1])


def test_the_whole_training_set_leaves_logistic_regression_no_chance() -> None:
    train, dev = clouds(120, seed=1, spread=3), clouds(60, seed=2, spread=3)
    first, *others = fit(replace(RECIPE, train_share=1.0), train, dev)
    for other in others:
        assert numpy.array_equal(first.coef_, other.coef_)  # type: ignore[attr-defined]


def test_dev_chooses_the_strength() -> None:
    random = numpy.random.default_rng(5)
    points, labels = clouds(60, seed=1, spread=2)
    noisy = (numpy.hstack([points, random.normal(size=(60, 200))]), labels)
    dev_points, dev_labels = clouds(300, seed=2, spread=2)
    dev = (numpy.hstack([dev_points, random.normal(size=(300, 200))]), dev_labels)
    chosen, *_ = fit(replace(RECIPE, strengths=(1000.0, 0.01)), noisy, dev)
    assert chosen.C == 0.01  # type: ignore[attr-defined]


def test_without_a_dev_set_the_first_strength_is_taken() -> None:
    empty: Data = (numpy.empty((0, 3)), [])
    chosen, *_ = fit(replace(RECIPE, strengths=(4.0, 1.0)), clouds(60, seed=1), empty)
    assert chosen.C == 4.0  # type: ignore[attr-defined]


def test_rare_classes_are_not_given_up() -> None:
    points, labels = clouds(300, seed=1, spread=1.0)
    kept = [n for n, label in enumerate(labels) if label != "love" or n % 15 == 2]
    rare = (points[kept], [labels[n] for n in kept])
    test = clouds(300, seed=3, spread=1.0)
    fitted = fit(RECIPE, rare, clouds(60, seed=2))
    love = [n for n, label in enumerate(test[1]) if label == "love"]
    assert all(hits(c, (test[0][love], ["love"] * len(love))) > 0.7 for c in fitted)


def test_sparse_features_give_what_dense_ones_give() -> None:
    train, dev = clouds(120, seed=1), clouds(60, seed=2)
    dense = fit(RECIPE, train, dev)[0]
    sparse = fit_seeds(
        RECIPE,
        train=csr_matrix(train[0]),
        train_labels=train[1],
        dev=csr_matrix(dev[0]),
        dev_labels=dev[1],
    )[0]
    assert numpy.array_equal(sparse.predict(dev[0]), dense.predict(dev[0]))  # type: ignore[attr-defined]


def test_a_class_with_one_item_is_an_error_that_names_it() -> None:
    points, labels = clouds(60, seed=1)
    labels[0] = "surprise"
    with pytest.raises(SourceError, match="single item of class surprise"):
        fit(RECIPE, (points, labels), clouds(60, seed=2))
