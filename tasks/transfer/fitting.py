"""Fit classifiers on a labelled text and have them predict others: from files to files."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from models.encoders.protocol import VectorEncoder
from models.heads.protocol import Classifier, Examples, Learner
from tasks.records import Record, RecordWriter, check_same_ids, read_columns, read_records
from tasks.splitting import part_files

DEV, TEST = "dev", "test"
PREDICTION_COLUMNS = ("id", "part", "seed", "gold", "predicted")
OWN_DEV = "dev.parquet"
"""What classifiers say of the dev set of the text they were trained on."""


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


def fit_classifiers(
    learner: Learner, labelled: Path, texts: Sequence[Path], *, seeds: int, out: Path
) -> list[dict[str, Any]]:
    """Fit a classifier a seed on its replicate's version of a text; write them and their dev.

    Features and hyperparameters hang on the version alone, so they are the same for all its seeds:
    returned is what was chosen for each version. Where the text has no training items, there is no
    classifier.
    """
    versions = [
        [LabelledText.load(labelled, text, part) for part in ("train", DEV)]
        for text in texts[:seeds]
    ]
    with RecordWriter(out / OWN_DEV, PREDICTION_COLUMNS) as writer:
        for seed in range(seeds if versions[0][0].ids else 0):
            train, dev = versions[replicate_of(seed, len(texts))]
            classifier = learner.fit(train.examples, dev.examples, seed)
            classifier.save(seed_folder(out, seed))
            for record in _answers(classifier, dev, DEV, seed):
                writer.write(record)
            del classifier  # a tuned encoder is large, and the next one is trained meanwhile
    read = versions if versions[0][0].ids else []
    return [learner.chosen(train.examples, dev.examples) for train, dev in read]


class Predicted(NamedTuple):
    """How many items were predicted, and whether the set has dev items of its own."""

    items: int
    own_dev: bool


def seed_folder(classifiers: Path, seed: int) -> Path:
    """Return the folder of the classifier of one seed."""
    return classifiers / f"seed-{seed}"


def predict_text(
    learner: Learner,
    classifiers: Path,
    labelled: Path,
    texts: Sequence[Path],
    *,
    seeds: int,
    out: Path,
) -> Predicted:
    """Write what each classifier says of dev and test, each reading its replicate's version.

    Where the set has no dev items, the classifiers' own dev set takes their place. Nothing is
    predicted without a classifier, or without a test item.
    """
    versions = [
        {part: LabelledText.load(labelled, text, part) for part in (DEV, TEST)}
        for text in texts[:seeds]
    ]
    own_dev = bool(versions[0][DEV].ids)
    possible = seed_folder(classifiers, 0).exists() and versions[0][TEST].ids
    with RecordWriter(out, PREDICTION_COLUMNS) as writer:
        for seed in range(seeds if possible else 0):
            classifier = learner.load(seed_folder(classifiers, seed))
            for part, text in versions[replicate_of(seed, len(texts))].items():
                for record in _answers(classifier, text, part, seed):
                    writer.write(record)
        for record in read_records(classifiers / OWN_DEV) if possible and not own_dev else ():
            writer.write(record)
    return Predicted(writer.written, own_dev)


def _answers(classifier: Classifier, text: LabelledText, part: str, seed: int) -> Iterator[Record]:
    answers = classifier.predict(text.examples.inputs) if text.ids else []
    for key, gold, predicted in zip(text.ids, text.examples.labels, answers, strict=True):
        yield {"id": key, "part": part, "seed": str(seed), "gold": gold, "predicted": predicted}
