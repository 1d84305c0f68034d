"""Zero-shot, translate-train, translate-test and in-language: predict, score and compare."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

from annotated_types import Ge

from models.encoders import Features, NmtEncoder
from models.heads.linear import ClassifierRecipe, fit_seeds
from models.support.errors import ContractError
from tasks import statistics
from tasks.records import RecordWriter, read_columns, read_records, write_records
from tasks.splitting import PARTS

if TYPE_CHECKING:
    import numpy

ZERO_SHOT = "zero-shot"
TRANSLATE_TRAIN = "translate-train"
TRANSLATE_TEST = "translate-test"
IN_LANGUAGE = "in-language"
STRATEGIES = (ZERO_SHOT, TRANSLATE_TRAIN, TRANSLATE_TEST, IN_LANGUAGE)

CHAR_NGRAM, WORD_CHAR_NGRAM = "char-ngram", "word-char-ngram"
NGRAMS = (CHAR_NGRAM, WORD_CHAR_NGRAM)
"""Encoders that look at the letters of a text; the other one looks at vectors."""
EncoderName = Literal["char-ngram", "word-char-ngram", "nmt-encoder"]

PREDICTION_COLUMNS = ("id", "language", "strategy", "engine", "seed", "gold", "predicted")
SIGNIFICANT = 0.05


@dataclass(frozen=True, kw_only=True)
class TransferRecipe:
    """Which encoders compete, with which classifier, and the beam that translates task texts."""

    encoders: tuple[EncoderName, ...] = ("char-ngram", "word-char-ngram", "nmt-encoder")
    classifier: ClassifierRecipe = ClassifierRecipe()
    beam: Annotated[int, Ge(1)] = 4


class LabelledSet(NamedTuple):
    """What a classifier is trained or tested on: texts, or sentence vectors (items, dimensions)."""

    ids: list[str]
    inputs: "Sequence[str] | numpy.ndarray"
    labels: list[str]

    @classmethod
    def load(cls, folder: Path, part: str) -> "LabelledSet":
        """Read a part of a labelled set: its vectors if it was encoded, its texts otherwise."""
        import numpy

        records, vectors = folder / f"{part}.parquet", folder / f"{part}.npy"
        if vectors.exists():
            columns = read_columns(records, ["id", "label"])
            return cls(columns["id"], numpy.load(vectors), columns["label"])
        columns = read_columns(records, ["id", "label", "text"])
        return cls(columns["id"], columns["text"], columns["label"])


def encode_task(texts: Path, encoder: NmtEncoder, *, out: Path) -> None:
    """Write the sentence vectors of each part of a labelled set beside its ids and labels."""
    import numpy

    for part in PARTS:
        columns = read_columns(texts / f"{part}.parquet", ["id", "label", "text"])
        numpy.save(out / f"{part}.npy", encoder.encode(columns.pop("text")))
        write_records(out / f"{part}.parquet", columns)


class Condition(NamedTuple):
    """One way to classify one language: the strategy and, if it translates, the engine."""

    language: str
    strategy: str
    engine: str


def predict(
    features: Features,
    recipe: ClassifierRecipe,
    *,
    train: LabelledSet,
    dev: LabelledSet,
    tests: Mapping[Condition, LabelledSet],
    out: Path,
) -> None:
    """Fit one classifier per seed and write its predictions for every condition it serves."""
    features.fit(train.inputs)
    classifiers = fit_seeds(
        recipe,
        train=features.transform(train.inputs),
        train_labels=train.labels,
        dev=features.transform(dev.inputs),
        dev_labels=dev.labels,
    )
    with RecordWriter(out, PREDICTION_COLUMNS) as writer:
        for condition, test in tests.items():
            seen = features.transform(test.inputs)
            for seed, classifier in enumerate(classifiers):
                rows = zip(test.ids, test.labels, classifier.predict(seen), strict=True)
                for sentence_id, gold, predicted in rows:
                    record = {"id": sentence_id, "gold": gold, "predicted": str(predicted)}
                    writer.write({**record, **condition._asdict(), "seed": str(seed)})


class Predictions(NamedTuple):
    """All predictions of a condition: ids, gold (items), predicted (seeds, items) as class ids."""

    ids: tuple[str, ...]
    gold: "numpy.ndarray"
    predicted: "numpy.ndarray"


@dataclass(frozen=True)
class TaskScore:
    """One figure of the task table."""

    task: str
    language: str
    strategy: str
    engine: str
    encoder: str
    metric: str
    score: float
    low: float
    high: float
    n: int
    seeds: int


@dataclass(frozen=True)
class Comparison:
    """A paired test between two conditions of one language; `p_value` is corrected (Holm)."""

    task: str
    language: str
    encoder: str
    first: tuple[str, str]
    second: tuple[str, str]
    difference: float
    p_value: float
    comparisons: int


def load_predictions(paths: Iterable[Path], labels: Sequence[str]) -> dict[Condition, Predictions]:
    """Read prediction files of one encoder into class ids."""
    import numpy

    class_id = {label: n for n, label in enumerate(labels)}
    runs: dict[Condition, dict[str, list[tuple[str, int, int]]]] = {}
    for path in paths:
        for r in read_records(path):
            condition = Condition(r["language"], r["strategy"], r["engine"])
            row = (r["id"], class_id[r["gold"]], class_id[r["predicted"]])
            runs.setdefault(condition, {}).setdefault(r["seed"], []).append(row)
    return {
        condition: Predictions(
            ids=tuple(row[0] for row in next(iter(seeds.values()))),
            gold=numpy.array([row[1] for row in next(iter(seeds.values()))]),
            predicted=numpy.array([[row[2] for row in rows] for rows in seeds.values()]),
        )
        for condition, seeds in runs.items()
    }


class Contest(NamedTuple):
    """What conditions are compared under: task, encoder, number of classes, resampling."""

    task: str
    encoder: str
    classes: int
    resamples: int
    seed: int

    def with_resamples_for(self, comparisons: int) -> "Contest":
        """Return the contest with enough resamples for a corrected p-value under the limit.

        The least p-value of a resampling test is 1 / (resamples + 1), and Holm's correction
        multiplies it by the number of comparisons.
        """
        return self._replace(resamples=max(self.resamples, 2 * round(comparisons / SIGNIFICANT)))


def score(predictions: Mapping[Condition, Predictions], contest: Contest) -> list[TaskScore]:
    """Score every condition with macro-F1 and accuracy."""
    scores = []
    for condition, found in sorted(predictions.items()):
        for metric in statistics.METRICS:
            value = statistics.interval(
                found.gold,
                found.predicted,
                metric=metric,
                classes=contest.classes,
                resamples=contest.resamples,
                seed=contest.seed,
            )
            scores.append(
                TaskScore(
                    task=contest.task,
                    encoder=contest.encoder,
                    metric=metric,
                    n=len(found.gold),
                    seeds=len(found.predicted),
                    **condition._asdict(),
                    **value._asdict(),
                )
            )
    return scores


def compare(predictions: Mapping[Condition, Predictions], contest: Contest) -> list[Comparison]:
    """Test every two transfer conditions of a language on the same items; correct with Holm.

    In-language training is the upper bound, not a competitor, and is left out.
    """
    comparisons: list[Comparison] = []
    for language in sorted({condition.language for condition in predictions}):
        rivals = sorted(
            c for c in predictions if c.language == language and c.strategy != IN_LANGUAGE
        )
        pairs = list(combinations(rivals, 2))
        contest = contest.with_resamples_for(len(pairs))
        raw = [_p_value(predictions[a], predictions[b], contest) for a, b in pairs]
        for (a, b), p_value in zip(pairs, statistics.holm(raw), strict=True):
            comparisons.append(
                Comparison(
                    task=contest.task,
                    language=language,
                    encoder=contest.encoder,
                    first=a[1:],
                    second=b[1:],
                    difference=_macro_f1(predictions[a], contest.classes)
                    - _macro_f1(predictions[b], contest.classes),
                    p_value=p_value,
                    comparisons=len(pairs),
                )
            )
    return comparisons


def _p_value(first: Predictions, second: Predictions, contest: Contest) -> float:
    if first.ids != second.ids:
        raise ContractError(f"task {contest.task}: two conditions were tested on different items")
    return statistics.paired_p_value(
        first.gold,
        first.predicted,
        second.predicted,
        classes=contest.classes,
        resamples=contest.resamples,
        seed=contest.seed,
    )


def _macro_f1(found: Predictions, classes: int) -> float:
    tally = statistics.tally(found.gold, found.predicted, classes)
    return float(statistics.macro_f1(tally.sum(0)).mean())
