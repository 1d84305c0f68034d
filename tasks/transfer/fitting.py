"""Fit classifiers on labelled texts and have them predict others: from files to files."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from models.encoders.protocol import VectorEncoder
from models.heads.protocol import Classifier, Examples, Learner
from tasks.records import Record, RecordWriter, check_same_ids, read_columns, read_records
from tasks.splitting import part_files
from tasks.transfer.shots import draw_shots, repeats, too_few
from tasks.transfer.texts import TextVersion

if TYPE_CHECKING:
    import numpy

TRAIN, DEV, TEST = "train", "dev", "test"
PREDICTION_COLUMNS = ("id", "part", "seed", "gold", "predicted")
OWN_DEV = "dev.parquet"
"""What classifiers say of the dev set of each text they were trained on; its name is the part."""


def probability_columns(labels: Sequence[str]) -> list[str]:
    """Return the columns with the probability of each class."""
    return [f"p({label})" for label in labels]


class LabelledText(NamedTuple):
    """A part of a labelled set in one version of its text."""

    ids: list[str]
    examples: Examples

    @classmethod
    def load(cls, labelled: Path, seen: Path, part: str) -> "LabelledText":
        """Read ids and labels from one folder, texts or vectors from another (or the same).

        Raises ContractError where the two are not of the same items.
        """
        import numpy

        items = read_columns(labelled / f"{part}.parquet", ["id", "label"])
        vectors = seen / f"{part}.npy"
        columns = ["id"] if vectors.exists() else ["id", "text"]
        found = read_columns(seen / f"{part}.parquet", columns)
        check_same_ids(f"{part} text in {seen}", items["id"], found["id"])
        inputs = numpy.load(vectors, allow_pickle=False) if vectors.exists() else found["text"]
        return cls(items["id"], Examples(inputs, items["label"]))

    def take(self, places: Sequence[int]) -> "LabelledText":
        """Return the items at these places; one may be taken several times."""
        labels = [self.examples.labels[place] for place in places]
        if isinstance(self.examples.inputs, list):
            inputs: Any = [self.examples.inputs[place] for place in places]
        else:
            inputs = self.examples.inputs[list(places)]
        return LabelledText([self.ids[place] for place in places], Examples(inputs, labels))


def joined(texts: Sequence[LabelledText]) -> Examples:
    """Return the examples of several texts, one after another; of one text its very own."""
    import numpy

    texts = [text for text in texts if text.ids] or texts[:1]
    if len(texts) == 1:
        return texts[0].examples
    inputs = [text.examples.inputs for text in texts]
    labels = [label for text in texts for label in text.examples.labels]
    if isinstance(inputs[0], list):
        return Examples([one for some in inputs for one in some], labels)
    return Examples(numpy.concatenate(inputs), labels)


def encode_text(texts: Path, encoder: VectorEncoder, *, out: Path) -> dict[str, int]:
    """Write the vectors of each part of a text beside its ids; return the number of each."""
    import numpy

    counts = {}
    for part, path in part_files(texts).items():
        columns = read_columns(path, ["id", "text"])
        numpy.save(out / f"{part}.npy", encoder.encode(columns["text"]), allow_pickle=False)
        with RecordWriter(out / path.name, ["id"]) as writer:
            for key in columns["id"]:
                writer.write({"id": key})
        counts[part] = len(columns["id"])
    return counts


def replicate_of(seed: int, replicates: int) -> int:
    """Return which replicate's translation a classifier of this seed reads."""
    return seed % replicates


class SeenText(NamedTuple):
    """A labelled set in one version of its text: one folder, or one for each replicate."""

    labelled: Path
    texts: Sequence[Path]
    version: TextVersion = TextVersion("")


class _Version:
    """A version of a training text, each replicate read once."""

    def __init__(self, seen: SeenText, seeds: int) -> None:
        self.seen = seen
        self.shots = seen.version.shots
        self.train = self._load(TRAIN, seeds)
        self.dev = self._load(DEV, seeds) if not self.shots else []

    def replicate(self, seed: int) -> int:
        """Return which replicate's text a seed reads."""
        return replicate_of(seed, len(self.seen.texts))

    def _load(self, part: str, seeds: int) -> list[LabelledText]:
        texts = self.seen.texts[:seeds]
        return [LabelledText.load(self.seen.labelled, text, part) for text in texts]


class _TrainingTexts:
    """What each seed trains on, the same objects for seeds that read the same."""

    def __init__(self, texts: Sequence[SeenText], seeds: int) -> None:
        self.versions = [_Version(seen, seeds) for seen in texts]
        self._joined: dict[tuple[int, ...], tuple[Examples, Examples]] = {}

    @property
    def whole(self) -> list[_Version]:
        """The versions that are trained on as a whole; they alone have dev text."""
        return [version for version in self.versions if not version.shots]

    def lacks(self, labels: Sequence[str]) -> str:
        """Say what is missing to train on; nothing where all is there."""
        for version in self.versions:
            first = version.train[0].examples.labels
            if version.shots and (why := too_few(first, labels, version.shots)):
                return why
            if not first:
                return "there is no training item"
        return ""

    def of(self, seed: int) -> tuple[Examples, Examples]:
        """Return training and dev examples of a seed."""
        key = tuple(version.replicate(seed) for version in self.versions)
        key += (seed,) if len(self.whole) < len(self.versions) else ()
        if key not in self._joined:
            self._joined[key] = self._train(seed), self._dev(seed)
        return self._joined[key]

    def chosen(self, learner: Learner) -> list[dict[str, Any]]:
        """Return what dev data chose for each text; draws of shots have none of their own."""
        if len(self.whole) < len(self.versions):
            return []
        return [learner.chosen(train, dev) for train, dev in self._joined.values()]

    def _train(self, seed: int) -> Examples:
        beside = sum(len(version.train[0].ids) for version in self.whole)
        parts = []
        for version in self.versions:
            text = version.train[version.replicate(seed)]
            if version.shots:
                drawn = draw_shots(text.ids, text.examples.labels, version.shots, draw=seed)
                text = text.take(drawn * repeats(len(drawn), beside))
            parts.append(text)
        return joined(parts)

    def _dev(self, seed: int) -> Examples:
        if not self.whole:
            return Examples([], [])
        return joined([version.dev[version.replicate(seed)] for version in self.whole])


class Fitted(NamedTuple):
    """What dev data chose for each training text, and why there is no classifier, if so."""

    chosen: list[dict[str, Any]]
    missing: str


def fit_classifiers(
    learner: Learner,
    texts: Sequence[SeenText],
    *,
    labels: Sequence[str],
    seeds: int,
    out: Path,
) -> Fitted:
    """Fit a classifier a seed on its replicates' versions of texts; write them and their dev.

    Without shots features and hyperparameters hang on the versions alone, so they are the same for
    all seeds that read the same. Where there are no training items, or fewer of a class than shots,
    there is no classifier.
    """
    training = _TrainingTexts(texts, seeds)
    missing = training.lacks(labels)
    with _writer(out / OWN_DEV, labels) as writer:
        for seed in range(0 if missing else seeds):
            train, dev = training.of(seed)
            classifier = learner.fit(train, dev, seed)
            classifier.save(seed_folder(out, seed))
            for version in training.whole:
                text = version.dev[version.replicate(seed)]
                part = str(version.seen.version)
                for record in _answers(classifier, text, labels, part=part, seed=seed):
                    writer.write(record)
            del classifier  # a tuned encoder is large, and the next one is trained meanwhile
    return Fitted([] if missing else training.chosen(learner), missing)


def seed_folder(classifiers: Path, seed: int) -> Path:
    """Return the folder of the classifier of one seed."""
    return classifiers / f"seed-{seed}"


def predict_text(
    learner: Learner,
    classifiers: Path,
    test: SeenText,
    *,
    dev_data: str,
    own_dev: Sequence[tuple[str, str]],
    labels: Sequence[str],
    seeds: int,
    out: Path,
) -> int:
    """Write what each classifier says of dev and test, each reading its replicate's version.

    Rows of the set's own dev items are the part `dev_data`; those of the dev set of a training text
    the part that `own_dev` gives for it, as (version, part). Return the number of rows: none
    without a classifier, or without a test item.
    """
    parts, names = {dev_data: DEV, TEST: TEST}, dict(own_dev)
    versions = [
        {name: LabelledText.load(test.labelled, text, part) for name, part in parts.items()}
        for text in test.texts[:seeds]
    ]
    possible = seed_folder(classifiers, 0).exists() and versions[0][TEST].ids
    with _writer(out, labels) as writer:
        for seed in range(seeds if possible else 0):
            classifier = learner.load(seed_folder(classifiers, seed))
            for name, text in versions[replicate_of(seed, len(test.texts))].items():
                for record in _answers(classifier, text, labels, part=name, seed=seed):
                    writer.write(record)
        for record in read_records(classifiers / OWN_DEV) if possible else ():
            if record["part"] in names:
                writer.write({**record, "part": names[record["part"]]})
        return writer.written


def _writer(path: Path, labels: Sequence[str]) -> RecordWriter:
    return RecordWriter(path, PREDICTION_COLUMNS, probability_columns(labels))


def _answers(
    classifier: Classifier, text: LabelledText, labels: Sequence[str], *, part: str, seed: int
) -> Iterator[Record]:
    """Yield a row for each item of a text: what a classifier says of it."""
    found = _probabilities(classifier, text, labels)
    rows = zip(text.ids, text.examples.labels, found, strict=True)
    for key, gold, probabilities in rows:
        yield prediction(key, part, str(seed), gold, probabilities, labels)


def _probabilities(
    classifier: Classifier, text: LabelledText, labels: Sequence[str]
) -> "numpy.ndarray":
    """Return the probability of each class of the task (items, classes); 0 for one never seen."""
    import numpy

    found = numpy.zeros((len(text.ids), len(labels)))
    if text.ids:
        places = [labels.index(label) for label in classifier.classes]
        found[:, places] = classifier.probabilities(text.examples.inputs)
    return found


def prediction(
    key: str,
    part: str,
    seed: str,
    gold: str,
    probabilities: "numpy.ndarray",
    labels: Sequence[str],
) -> dict[str, Any]:
    """Return a row: the likeliest class, and the probability of each."""
    return {
        "id": key,
        "part": part,
        "seed": seed,
        "gold": gold,
        "predicted": labels[int(probabilities.argmax())],
        **dict(zip(probability_columns(labels), map(float, probabilities), strict=True)),
    }
