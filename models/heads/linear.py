"""Fit a classifier on features: logistic regression or a small MLP, the same budget everywhere."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from annotated_types import Ge, Gt, Le

from models.support.errors import SourceError

if TYPE_CHECKING:
    import numpy


@dataclass(frozen=True, kw_only=True)
class ClassifierRecipe:
    """One budget for every strategy.

    The strength of regularisation is chosen on the dev set of the text the classifier is trained
    on. Each seed trains on its own `train_share` of the items: a logistic regression has no other
    randomness, and an interval over identical runs would claim too much.
    """

    head: Literal["logistic", "mlp"] = "logistic"
    strengths: tuple[Annotated[float, Gt(0)], ...] = (1.0, 4.0, 16.0)
    train_share: Annotated[float, Gt(0), Le(1)] = 0.9
    hidden: Annotated[int, Ge(1)] = 64
    seeds: Annotated[int, Ge(1)] = 5


def fit_seeds(
    recipe: ClassifierRecipe,
    *,
    train: Any,
    train_labels: Sequence[str],
    dev: Any,
    dev_labels: Sequence[str],
) -> list[Any]:
    """Return one fitted classifier per seed; train and dev are features (items, dimensions)."""
    import numpy

    labels = numpy.array(train_labels)
    rare = sorted(label for label, n in Counter(train_labels).items() if n < 2)
    if rare:
        raise SourceError(
            f"the training set has a single item of class {', '.join(rare)}; two are the least: "
            "use more training items or fewer classes"
        )
    strength = _best_strength(recipe, train, labels, dev, dev_labels)
    return [
        _fit(recipe, train[chosen], labels[chosen], strength, seed)
        for seed in range(recipe.seeds)
        for chosen in [_draw(labels, recipe.train_share, seed)]
    ]


def _best_strength(
    recipe: ClassifierRecipe,
    train: Any,
    labels: "numpy.ndarray",
    dev: Any,
    dev_labels: Sequence[str],
) -> float:
    from sklearn.metrics import f1_score

    if len(recipe.strengths) == 1 or not len(dev_labels):
        return recipe.strengths[0]

    def dev_score(strength: float) -> float:
        predicted = _fit(recipe, train, labels, strength, 0).predict(dev)
        return float(f1_score(dev_labels, predicted, average="macro"))

    return max(recipe.strengths, key=dev_score)


def _draw(labels: "numpy.ndarray", share: float, seed: int) -> "numpy.ndarray":
    """Return the sorted indices of a stratified sample of the training items."""
    import numpy
    from sklearn.model_selection import train_test_split

    everything = numpy.arange(len(labels))
    left_out = max(round((1 - share) * len(labels)), len(set(labels)))  # one a class at least
    if share == 1 or left_out >= len(labels) / 2:
        return everything
    chosen, _ = train_test_split(everything, test_size=left_out, random_state=seed, stratify=labels)
    return numpy.sort(chosen)


def _fit(
    recipe: ClassifierRecipe, features: Any, labels: "numpy.ndarray", strength: float, seed: int
) -> Any:
    from sklearn.linear_model import LogisticRegression
    from sklearn.neural_network import MLPClassifier
    from threadpoolctl import threadpool_limits

    if recipe.head == "mlp":
        head: Any = MLPClassifier(
            (recipe.hidden,), alpha=1 / strength, early_stopping=True, random_state=seed
        )
    else:
        head = LogisticRegression(C=strength, class_weight="balanced", solver="newton-cg")
    with threadpool_limits(1):  # the order of sums must not hang on the number of processors
        return head.fit(features, labels)
