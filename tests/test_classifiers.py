"""Classifiers learn what can be learnt, seeds decide a run, and files bring it back."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy
import pytest
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline

from models.encoders.ngrams import Ngrams
from models.encoders.nmt import ScaledVectors
from models.heads.linear import Choice, ClassifierRecipe, LinearLearner, fit_head
from models.heads.protocol import Classifier, Examples
from models.support.errors import SourceError

LABELS = ("anger", "happy", "love")
RECIPE = ClassifierRecipe(seeds=3)
MLP = ClassifierRecipe(head="mlp", seeds=2, strengths=(4.0,))
HEADS = pytest.mark.parametrize("recipe", [RECIPE, MLP], ids=["logistic", "mlp"])
NO_DEV = Examples(numpy.empty((0, 3)), [])


class Points:
    """Features that are the inputs themselves."""

    fits = 0

    def fit(self, inputs: Any) -> None:
        Points.fits += 1

    def transform(self, inputs: Any) -> Any:
        return inputs

    def save(self, folder: Path) -> None:
        pass

    def load(self, folder: Path) -> None:
        pass


def clouds(
    count: int, *, seed: int, spread: float = 0.5, labels: tuple[str, ...] = LABELS
) -> Examples:
    """Return points around one corner for each label."""
    random = numpy.random.default_rng(seed)
    classes = numpy.arange(count) % len(labels)
    size = (count, len(labels))
    points = 3 * numpy.eye(len(labels))[classes] + spread * random.normal(size=size)
    return Examples(points, [labels[c] for c in classes])


def with_noise(examples: Examples, *, seed: int) -> Examples:
    """Return points with 200 further dimensions that say nothing."""
    noise = numpy.random.default_rng(seed).normal(size=(len(examples.labels), 200))
    return Examples(numpy.hstack([examples.inputs, noise]), examples.labels)


def fit(recipe: ClassifierRecipe, train: Examples, dev: Examples) -> list[Classifier]:
    learner = LinearLearner(recipe, Points)
    return [learner.fit(train, dev, seed) for seed in range(recipe.seeds)]


def hits(classifier: Classifier, examples: Examples) -> float:
    return float(numpy.mean(numpy.array(classifier.predict(examples.inputs)) == examples.labels))


@HEADS
def test_separable_classes_are_learnt_by_every_seed(recipe: ClassifierRecipe) -> None:
    fitted = fit(recipe, clouds(600, seed=1), clouds(60, seed=2))
    assert all(hits(classifier, clouds(90, seed=3)) > 0.95 for classifier in fitted)


@HEADS
def test_runs_repeat_and_seeds_differ(recipe: ClassifierRecipe) -> None:
    train, dev = clouds(120, seed=1, spread=3), clouds(900, seed=2, spread=3)
    one, two = ([c.predict(dev.inputs) for c in fit(recipe, train, dev)] for _ in range(2))
    assert one == two
    assert one[0] != one[1]


@HEADS
@pytest.mark.parametrize("labels", [LABELS, LABELS[:2]], ids=["three", "two"])
def test_answers_are_those_of_scikit_learn(
    recipe: ClassifierRecipe, labels: tuple[str, ...]
) -> None:
    train = clouds(120, seed=1, spread=3, labels=labels)
    items = clouds(300, seed=2, spread=3, labels=labels).inputs
    head: Any = (
        LogisticRegression(C=4.0, class_weight="balanced", solver="newton-cg")
        if recipe is RECIPE
        else MLPClassifier((64,), alpha=0.25, early_stopping=True, random_state=7)
    )
    expected = head.fit(train.inputs, numpy.array(train.labels)).predict(items).tolist()
    fitted = fit_head(
        recipe, train.inputs, numpy.array(train.labels), choice=Choice(4.0, "balanced"), seed=7
    )
    assert fitted.predict(items) == expected
    assert {*expected} == {*labels}


def test_the_whole_training_set_leaves_logistic_regression_no_chance() -> None:
    train, dev = clouds(120, seed=1, spread=3), clouds(900, seed=2, spread=3)
    first, *others = fit(replace(RECIPE, train_share=1.0), train, dev)
    for other in others:
        assert first.predict(dev.inputs) == other.predict(dev.inputs)


def test_dev_chooses_the_strength_once_for_a_text() -> None:
    train = with_noise(clouds(60, seed=1, spread=2), seed=5)
    dev = with_noise(clouds(300, seed=2, spread=2), seed=6)
    learner = LinearLearner(replace(RECIPE, strengths=(1000.0, 0.01)), Points)
    before = Points.fits
    for seed in range(3):
        learner.fit(train, dev, seed)
    assert learner.chosen(train, dev)["strength"] == 0.01
    assert Points.fits == before + 1


def test_without_a_dev_set_the_strength_is_chosen_by_cross_validation() -> None:
    train = with_noise(clouds(60, seed=1, spread=2), seed=5)
    learner = LinearLearner(replace(RECIPE, strengths=(1000.0, 0.01)), Points)
    assert learner.chosen(train, NO_DEV)["strength"] == 0.01
    assert hits(learner.fit(train, NO_DEV, 0), with_noise(clouds(90, seed=3), seed=7)) > 0.7


def test_a_text_is_known_by_what_it_is_not_by_how_often_it_came() -> None:
    one, other, dev = (clouds(120, seed=seed, spread=3) for seed in (1, 2, 3))
    alone = LinearLearner(RECIPE, Points).fit(other, dev, 0)
    learner = LinearLearner(RECIPE, Points)
    learner.fit(one, dev, 0)
    assert learner.fit(other, dev, 0).predict(dev.inputs) == alone.predict(dev.inputs)


def test_rare_classes_are_not_given_up() -> None:
    points, labels = clouds(300, seed=1, spread=1.0)
    kept = [n for n, label in enumerate(labels) if label != "love" or n % 15 == 2]
    rare = Examples(points[kept], [labels[n] for n in kept])
    test = clouds(300, seed=3, spread=1.0)
    love = [n for n, label in enumerate(test.labels) if label == "love"]
    fitted = fit(RECIPE, rare, clouds(60, seed=2))
    assert all(hits(c, Examples(test.inputs[love], ["love"] * len(love))) > 0.7 for c in fitted)


def test_sparse_features_give_what_dense_ones_give() -> None:
    train, dev = clouds(120, seed=1), clouds(60, seed=2)
    sparse = [Examples(csr_matrix(e.inputs), e.labels) for e in (train, dev)]
    (dense, *_), (thin, *_) = fit(RECIPE, train, dev), fit(RECIPE, sparse[0], sparse[1])
    assert thin.predict(csr_matrix(dev.inputs)) == dense.predict(dev.inputs)


def test_a_class_with_one_item_is_an_error_that_names_it() -> None:
    points, labels = clouds(60, seed=1)
    labels = ["surprise", *labels[1:]]
    with pytest.raises(SourceError, match="single item of class surprise"):
        fit(RECIPE, Examples(points, labels), clouds(60, seed=2))


@pytest.mark.parametrize("words", [False, True])
def test_texts_that_a_system_translated_to_nothing_teach_nothing_and_stop_nothing(
    words: bool,
) -> None:
    train = Examples([""] * 12, ["anger", "happy"] * 6)
    learner = LinearLearner(RECIPE, partial(Ngrams, words=words))
    for seed in range(3):
        fitted = learner.fit(train, Examples([""], ["happy"]), seed)
        assert len({*fitted.predict(["", "x", "halo"])}) == 1


SENTENCES = {
    "anger": ["aku nesu banget", "गुस्सा आ गया", "nesu tenan aku", "मुझे गुस्सा है", "aku nesu"],
    "happy": ["aku seneng banget", "मैं खुश हूँ", "seneng tenan rasane", "खुश हूँ मैं", "atiku seneng"],
}
TEXTS = Examples(
    [text for texts in SENTENCES.values() for text in texts * 3],
    [label for label, texts in SENTENCES.items() for _ in texts * 3],
)
VECTORS = Examples(
    clouds(120, seed=1, spread=3).inputs.astype("float32"), clouds(120, seed=1).labels
)


@HEADS
@pytest.mark.parametrize(
    ("features", "train", "unseen"),
    [
        (partial(Ngrams, words=False), TEXTS, ["nesu aku", "मैं खुश", "", "QWERTY"]),
        (partial(Ngrams, words=True), TEXTS, ["nesu aku", "मैं खुश", "", "QWERTY"]),
        (ScaledVectors, VECTORS, clouds(90, seed=2, spread=3).inputs.astype("float32")),
    ],
    ids=["characters", "words", "vectors"],
)
def test_a_classifier_that_was_saved_answers_as_before(
    recipe: ClassifierRecipe,
    features: Callable[[], Any],
    train: Examples,
    unseen: Any,
    tmp_path: Path,
) -> None:
    learner = LinearLearner(recipe, features)
    saved = [learner.fit(train, train, seed) for seed in range(2)]
    for seed, classifier in enumerate(saved):
        classifier.save(tmp_path / str(seed))
    fresh = LinearLearner(recipe, features)
    for seed, classifier in enumerate(saved):
        loaded = fresh.load(tmp_path / str(seed))
        for inputs in (train.inputs, unseen):
            assert loaded.predict(inputs) == classifier.predict(inputs)
    kinds = {path.suffix for path in tmp_path.rglob("*") if path.is_file()}
    assert kinds <= {".json", ".npy", ".npz"}


def test_classifiers_of_different_texts_do_not_share_features(tmp_path: Path) -> None:
    learner = LinearLearner(RECIPE, partial(Ngrams, words=False))
    other = Examples([text[::-1] for text in TEXTS.inputs], TEXTS.labels)
    for name, train in (("one", TEXTS), ("other", other)):
        learner.fit(train, train, 0).save(tmp_path / name)
    fresh = LinearLearner(RECIPE, partial(Ngrams, words=False))
    fresh.load(tmp_path / "one")
    loaded = fresh.load(tmp_path / "other")
    assert hits(loaded, other) == 1


def imbalanced(count: int, *, seed: int, rare: float, apart: float) -> Examples:
    """Return two clouds, of which the second has the share `rare` of the items."""
    random = numpy.random.default_rng(seed)
    classes = (numpy.arange(count) < rare * count).astype(int)
    points = random.normal(size=(count, 2)) + apart * classes[:, None]
    return Examples(points, [LABELS[c] for c in classes])


@pytest.mark.parametrize("with_dev", [True, False], ids=["dev set", "cross-validation"])
@pytest.mark.parametrize(
    ("rare", "apart", "weights"), [(0.2, 0.5, "balanced"), (0.05, 1.5, "none")]
)
def test_rare_classes_are_weighed_where_dev_data_gain_by_it(
    rare: float, apart: float, weights: str, with_dev: bool
) -> None:
    train, dev, test = (imbalanced(2000, seed=n, rare=rare, apart=apart) for n in (1, 2, 3))
    learner = LinearLearner(RECIPE, Points)
    dev = dev if with_dev else NO_DEV
    assert learner.chosen(train, dev)["class_weights"] == weights
    other: Any = "none" if weights == "balanced" else "balanced"
    nailed = LinearLearner(replace(RECIPE, class_weights=(other,)), Points)
    ours, theirs = (
        f1_score(test.labels, of.fit(train, dev, 1).predict(test.inputs), average="macro")
        for of in (learner, nailed)
    )
    assert ours > theirs + 0.05


def test_what_an_experiment_nails_down_is_not_chosen() -> None:
    train, dev = (imbalanced(200, seed=n, rare=0.3, apart=1.0) for n in (1, 2))
    only = replace(RECIPE, class_weights=("balanced",), strengths=(1.0,))
    assert LinearLearner(only, Points).chosen(train, dev)["class_weights"] == "balanced"
    assert LinearLearner(MLP, Points).chosen(train, dev)["class_weights"] == "none"


def reviews(count: int, *, seed: int) -> Examples:
    """Return invented reviews, nine of ten good; each has a word of the other class, too."""
    random = numpy.random.default_rng(seed)
    moods = {"good": ["apik", "seneng", "becik", "enak"], "bad": ["elek", "susah", "ala", "pait"]}
    fillers = ["iki", "kuwi", "omah", "pasar", "dina", "wong", "banget", "uga", "lan", "nanging"]
    texts, labels = [], []
    for n in range(count):
        label, other = ("bad", "good") if n % 10 == 0 else ("good", "bad")
        words = [*random.choice(moods[label], 2), *random.choice(moods[other], 1)]
        texts.append(" ".join(random.permutation([*words, *random.choice(fillers, 6)])))
        labels.append(label)
    return Examples(texts, labels)


def test_ngrams_are_not_below_plain_scikit_learn_on_a_rare_class() -> None:
    train, dev, test = (reviews(n, seed=seed) for seed, n in enumerate((400, 100, 400)))
    plain = make_pipeline(
        TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True),
        LogisticRegression(class_weight="balanced"),
    ).fit(train.inputs, train.labels)
    expected = f1_score(test.labels, plain.predict(test.inputs), average="macro")
    learner = LinearLearner(RECIPE, partial(Ngrams, words=False))
    found = [learner.fit(train, dev, seed).predict(test.inputs) for seed in range(3)]
    scores = [f1_score(test.labels, predicted, average="macro") for predicted in found]
    assert expected > 0.6
    assert numpy.mean(scores) > expected - 0.02
