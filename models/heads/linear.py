"""Fit a classifier on features: logistic regression or a small MLP, the same budget everywhere."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

from annotated_types import Ge, Gt, Le, MinLen

from models.encoders.protocol import Features
from models.heads.protocol import Examples
from models.support.errors import SourceError

if TYPE_CHECKING:
    import numpy

HEAD, FEATURES = "head.npz", "features"
ClassWeights = Literal["balanced", "none"]
FOLDS = 5


@dataclass(frozen=True, kw_only=True)
class ClassifierRecipe:
    """One budget for every strategy.

    The strength of regularisation (one of ``strengths``) and whether classes weigh alike, however
    rare (``class_weights``; an MLP does not weigh), are chosen together on the dev set of the text
    the classifier is trained on, or by cross-validation where that has none. Each seed trains on
    its own `train_share` of the items: a logistic regression has no other randomness, and an
    interval over identical runs would claim too much.
    """

    head: Literal["logistic", "mlp"] = "logistic"
    strengths: Annotated[tuple[Annotated[float, Gt(0)], ...], MinLen(1)] = (1.0, 4.0, 16.0)
    class_weights: Annotated[tuple[ClassWeights, ...], MinLen(1)] = ("balanced", "none")
    train_share: Annotated[float, Gt(0), Le(1)] = 0.9
    hidden: Annotated[int, Ge(1)] = 64
    seeds: Annotated[int, Ge(1)] = 5

    @property
    def choices(self) -> "list[Choice]":
        """What dev data choose from; the first one wins a tie."""
        weights = self.class_weights if self.head == "logistic" else ("none",)
        return [Choice(strength, name) for name in weights for strength in self.strengths]


class Choice(NamedTuple):
    """What is chosen for a training text on dev data."""

    strength: float
    class_weights: ClassWeights


class Head(NamedTuple):
    """Layers of weights (in, out) and biases (out,), with rectifiers between.

    Two classes share one output.
    """

    classes: "numpy.ndarray"
    layers: "list[tuple[numpy.ndarray, numpy.ndarray]]"

    def predict(self, features: Any) -> list[str]:
        """Return the class of each row of features (items, dimensions)."""
        scores = self._scores(features)
        single = scores.shape[1] == 1
        found = (scores[:, 0] > 0).astype(int) if single else scores.argmax(1)
        return [str(label) for label in self.classes[found]]

    def probabilities(self, features: Any) -> "numpy.ndarray":
        """Return the probability of each class (items, classes)."""
        import numpy
        from scipy.special import softmax

        scores = self._scores(features)
        if scores.shape[1] == 1:  # of the second class, against the first
            scores = numpy.hstack([numpy.zeros_like(scores), scores])
        found: numpy.ndarray = softmax(scores, axis=1)
        return found

    def _scores(self, features: Any) -> "numpy.ndarray":
        import numpy

        scores = features
        for number, (weights, bias) in enumerate(self.layers):
            scores = (numpy.maximum(scores, 0) if number else scores) @ weights + bias
        return numpy.asarray(scores)

    def save(self, path: Path) -> None:
        """Write the arrays."""
        import numpy

        layers = {
            f"{name}-{number}": array
            for number, layer in enumerate(self.layers)
            for name, array in zip(("weights", "bias"), layer, strict=True)
        }
        numpy.savez(path, classes=self.classes, **layers)  # type: ignore[arg-type]

    @classmethod
    def load(cls, path: Path) -> "Head":
        """Read the arrays."""
        import numpy

        with numpy.load(path, allow_pickle=False) as file:
            numbers = range((len(file.files) - 1) // 2)
            layers = [(file[f"weights-{n}"], file[f"bias-{n}"]) for n in numbers]
            return cls(file["classes"], layers)


class KnownFeatures:
    """Features that remember what they were made of: several heads look at the same inputs."""

    def __init__(self, features: Features) -> None:
        self.features = features
        self._seen: list[tuple[Any, Any]] = []

    def transform(self, inputs: Any) -> Any:
        """Return features (items, dimensions); of the same object the same."""
        for known, found in self._seen:
            if known is inputs:
                return found
        found = self.features.transform(inputs)
        self._seen.append((inputs, found))
        return found


class LinearClassifier(NamedTuple):
    """A head with the features it was fitted on."""

    features: KnownFeatures
    head: Head

    @property
    def classes(self) -> list[str]:
        """The classes it knows."""
        return [str(label) for label in self.head.classes]

    def predict(self, inputs: Any) -> list[str]:
        """Return the class of each input."""
        return self.head.predict(self.features.transform(inputs))

    def probabilities(self, inputs: Any) -> "numpy.ndarray":
        """Return the probability of each class (inputs, classes)."""
        return self.head.probabilities(self.features.transform(inputs))

    def save(self, folder: Path) -> None:
        """Write features and head into a new folder: arrays and JSON."""
        (folder / FEATURES).mkdir(parents=True)
        self.features.features.save(folder / FEATURES)
        self.head.save(folder / HEAD)


class _Prepared(NamedTuple):
    """A training text as every seed sees it."""

    features: KnownFeatures
    train: Any
    labels: "numpy.ndarray"
    choice: Choice


class LinearLearner:
    """Features plus a linear head or a small MLP.

    Features and what dev data choose belong to a training text, not to a seed: they are made when
    the text comes first, and known when the same object comes again. A dev set that comes again
    with another text, as with another draw of shots, has chosen already.
    """

    def __init__(self, recipe: ClassifierRecipe, features: Callable[[], Features]) -> None:
        self.recipe = recipe
        self.new_features = features
        self._prepared: list[tuple[Examples, Examples, _Prepared]] = []
        self._loaded: dict[tuple[bytes, ...], KnownFeatures] = {}

    def fit(self, train: Examples, dev: Examples, seed: int) -> LinearClassifier:
        """Fit on the seed's own share of the training text; SourceError for a class of one item."""
        text = self._prepare(train, dev)
        chosen = _draw(text.labels, self.recipe.train_share, seed)
        fitted = fit_head(
            self.recipe, text.train[chosen], text.labels[chosen], choice=text.choice, seed=seed
        )
        return LinearClassifier(text.features, fitted)

    def load(self, folder: Path) -> LinearClassifier:
        """Read a classifier; those that were fitted on the same text share their features."""
        files = sorted((folder / FEATURES).iterdir())
        content = tuple(file.read_bytes() for file in files)
        if content not in self._loaded:
            features = self.new_features()
            features.load(folder / FEATURES)
            self._loaded[content] = KnownFeatures(features)
        return LinearClassifier(self._loaded[content], Head.load(folder / HEAD))

    def chosen(self, train: Examples, dev: Examples) -> dict[str, Any]:
        """Return what was chosen for a training text, by name."""
        return self._prepare(train, dev).choice._asdict()

    def _prepare(self, train: Examples, dev: Examples) -> _Prepared:
        import numpy

        for known_train, known_dev, prepared in self._prepared:
            if known_train is train and known_dev is dev:
                return prepared
        _check_classes(train.labels)
        features = self.new_features()
        features.fit(train.inputs)
        known, labels = KnownFeatures(features), numpy.array(train.labels)
        seen = features.transform(train.inputs)
        before = [text.choice for _, known_dev, text in self._prepared if known_dev is dev]
        if len(self.recipe.choices) == 1:
            (choice,) = self.recipe.choices
        elif before:
            choice = before[0]
        elif len(dev.labels):
            choice = _best_on_dev(
                self.recipe, seen, labels, known.transform(dev.inputs), dev.labels
            )
        else:
            choice = _best_in_folds(self.recipe, seen, labels)
        prepared = _Prepared(known, seen, labels, choice)
        self._prepared.append((train, dev, prepared))
        return prepared


def _check_classes(labels: Sequence[str]) -> None:
    rare = sorted(label for label, n in Counter(labels).items() if n < 2)
    if rare:
        raise SourceError(
            f"the training set has a single item of class {', '.join(rare)}; two are the least: "
            "use more training items or fewer classes"
        )


def _best_on_dev(
    recipe: ClassifierRecipe,
    train: Any,
    labels: "numpy.ndarray",
    dev: Any,
    dev_labels: Sequence[str],
) -> Choice:
    def dev_score(choice: Choice) -> float:
        fitted = fit_head(recipe, train, labels, choice=choice, seed=0)
        return _macro_f1(dev_labels, fitted.predict(dev))

    return max(recipe.choices, key=dev_score)


def _best_in_folds(recipe: ClassifierRecipe, train: Any, labels: "numpy.ndarray") -> Choice:
    """Return the choice with the best macro-F1 of predictions for each fold by the others."""
    import numpy
    from sklearn.model_selection import StratifiedKFold

    folds = min(FOLDS, *Counter(labels.tolist()).values())
    splits = list(
        StratifiedKFold(folds, shuffle=True, random_state=0).split(numpy.zeros(len(labels)), labels)
    )

    def score(choice: Choice) -> float:
        predicted = labels.copy()
        for kept, left_out in splits:
            fitted = fit_head(recipe, train[kept], labels[kept], choice=choice, seed=0)
            predicted[left_out] = fitted.predict(train[left_out])
        return _macro_f1(labels, predicted)

    return max(recipe.choices, key=score)


def _macro_f1(gold: Any, predicted: Any) -> float:
    from sklearn.metrics import f1_score

    return float(f1_score(gold, predicted, average="macro"))


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


def fit_head(
    recipe: ClassifierRecipe,
    features: Any,
    labels: "numpy.ndarray",
    *,
    choice: Choice,
    seed: int,
) -> Head:
    """Fit a head on features (items, dimensions)."""
    import numpy
    from threadpoolctl import threadpool_limits

    head = _new_head(recipe, choice, seed)
    with threadpool_limits(1):  # the order of sums must not hang on the number of processors
        head.fit(features, labels)
    if recipe.head == "mlp":
        return Head(head.classes_, list(zip(head.coefs_, head.intercepts_, strict=True)))
    return Head(head.classes_, [(numpy.ascontiguousarray(head.coef_.T), head.intercept_)])


def _new_head(recipe: ClassifierRecipe, choice: Choice, seed: int) -> Any:
    from sklearn.linear_model import LogisticRegression
    from sklearn.neural_network import MLPClassifier

    if recipe.head == "mlp":
        return MLPClassifier(
            (recipe.hidden,), alpha=1 / choice.strength, early_stopping=True, random_state=seed
        )
    weights = None if choice.class_weights == "none" else choice.class_weights
    return LogisticRegression(C=choice.strength, class_weight=weights, solver="newton-cg")
