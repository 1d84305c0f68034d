"""Which language a text is in: a shipped identifier where it can tell, else one of our own.

Both give, for each text, the doubt that it is in the language it should be in: 1 minus the
probability of that language over the probability of the likeliest one. 0 means that no language is
likelier, 0.99 that another one is a hundred times likelier.
"""

from collections.abc import Sequence
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    import numpy

FOLDS = 2
FEATURES = 2**16


class TextOfLanguage(NamedTuple):
    """A text with its id and the language it is said to be in."""

    id: str
    text: str
    language: str


class LanguageIdentifier(Protocol):
    """Anything that doubts a text's language."""

    def doubts(self, ids: Sequence[str], texts: Sequence[str], language: str) -> list[float]:
        """Return the doubt (0 to 1) that each text is in the language."""
        ...


def shipped_code(language: str) -> str | None:
    """Return the shipped identifier's code for an ISO 639-3 language, if it knows it."""
    import langcodes

    code = str(langcodes.standardize_tag(language, macro=True))
    return code if code in _shipped().labels else None


def identify(text: str) -> str:
    """Return the likeliest of the languages that the shipped identifier knows, by its own code."""
    language: str = _shipped().classify(text.lower())[0]
    return language


class ShippedIdentifier:
    """py3langid: naive Bayes on byte n-grams, 140 languages (Lui & Baldwin 2012)."""

    def doubts(self, ids: Sequence[str], texts: Sequence[str], language: str) -> list[float]:
        """Return the doubt (0 to 1) that each text is in the language."""
        code = shipped_code(language)
        ranked = (_shipped().rank(text.lower()) for text in texts)
        return [1 - dict(ranks)[code] / ranks[0][1] for ranks in ranked]


class OwnIdentifier:
    """Logistic regression on character n-grams of the experiment's own text.

    It knows the experiment's languages only. The text that it judges is the text that it learns
    from, hence two models, each trained on half of the ids; a sentence is judged by the one that
    has not seen it.
    """

    def __init__(
        self, languages: Sequence[str], weights: "numpy.ndarray", bias: "numpy.ndarray"
    ) -> None:
        self.languages = list(languages)
        self.weights = weights  # folds x languages x features
        self.bias = bias  # folds x languages

    @classmethod
    def train(cls, texts: Sequence[TextOfLanguage], *, seed: int) -> "OwnIdentifier":
        """Train one model a fold on the text of the other folds."""
        import numpy

        languages = sorted({text.language for text in texts})
        folds = numpy.array([fold_of(text.id) for text in texts])
        features = _features([text.text for text in texts])
        labels = numpy.array([text.language for text in texts])
        trained = [
            _fit(features[folds != fold], labels[folds != fold], languages, seed)
            for fold in range(FOLDS)
        ]
        weights, bias = (numpy.stack(part) for part in zip(*trained, strict=True))
        return cls(languages, weights, bias)

    def doubts(self, ids: Sequence[str], texts: Sequence[str], language: str) -> list[float]:
        """Return the doubt (0 to 1) that each text is in the language."""
        import numpy

        features = _features(texts)
        by_fold = numpy.stack(
            [features @ w.T + b for w, b in zip(self.weights, self.bias, strict=True)]
        )
        logits = by_fold[[fold_of(i) for i in ids], numpy.arange(len(ids))]
        behind = logits.max(axis=1) - logits[:, self.languages.index(language)]
        doubts: list[float] = (1 - numpy.exp(-behind)).tolist()
        return doubts

    def save(self, path: Path) -> None:
        """Write the weights as NumPy arrays, without pickles."""
        import numpy

        with path.open("wb") as file:
            numpy.savez_compressed(
                file, languages=self.languages, weights=self.weights, bias=self.bias
            )

    @classmethod
    def load(cls, path: Path) -> "OwnIdentifier":
        """Read the weights back."""
        import numpy

        with numpy.load(path, allow_pickle=False) as arrays:
            return cls(arrays["languages"].tolist(), arrays["weights"], arrays["bias"])


def fold_of(sentence_id: str) -> int:
    """Return the half that an id belongs to."""
    return blake2b(sentence_id.encode(), digest_size=1).digest()[0] % FOLDS


def _fit(features: Any, labels: Any, languages: list[str], seed: int) -> tuple[Any, Any]:
    """Return weights (languages x features) and bias (languages) of a multinomial model."""
    import numpy
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):  # the order of sums must not hang on the number of processors
        model = LogisticRegression(C=10.0, tol=1e-3, random_state=seed).fit(features, labels)
    weights, bias = model.coef_, model.intercept_
    if len(languages) == 2:  # scikit-learn keeps one row for two classes
        weights, bias = numpy.vstack([-weights, weights]) / 2, numpy.concatenate([-bias, bias]) / 2
    return weights.astype("float32"), bias.astype("float32")


def _features(texts: Sequence[str]) -> Any:
    """Return hashed character 1- to 3-grams of lower-cased letters, L2-normalised (CSR)."""
    return _vectorizer().transform([text.lower() for text in texts])


def _vectorizer() -> Any:
    from sklearn.feature_extraction.text import HashingVectorizer

    return HashingVectorizer(
        analyzer="char_wb", ngram_range=(1, 3), n_features=FEATURES, alternate_sign=False
    )


@cache
def _shipped() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
