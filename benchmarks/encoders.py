"""Pretrained encoders at work: encoding beside torch, fine-tuning beside Hugging Face's `Trainer`.

`python -m benchmarks.encoders [EXPERIMENT]`: with the first pretrained encoder of an experiment,
published now where the store has none; without one, `e5-small` on the text of the sandbox. Ours is
from texts to vectors on all cores: segment, sort, encode, pool. The other is torch in float32 with
batches of like length, then transformers as its documentation has it: 32 texts at a time as they
come. Nobody's loading counts. Speeds are of the clock, and of processor time, which other programs
on the machine change less. Then both fine-tune, as `benchmarks.fine_tuning` says; `Trainer` needs
the package `accelerate` of `benchmarks/requirements.txt`.
"""

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from benchmarks import fine_tuning
from benchmarks.measuring import Record, arguments, at_most, finish, measured, ratio, say
from models.encoders.pretrained.folders import HUGGINGFACE
from models.encoders.pretrained.frozen import FLOAT32, INT8, FrozenEncoder, agreement
from models.support.sampling import spread
from pipeline.dag import find_stages
from pipeline.running import building
from pipeline.settings import cores
from pipeline.stages.pretrained import PretrainedEncoder
from tasks.records import read_columns
from tests.conftest import write_yaml

if TYPE_CHECKING:
    import numpy

PLAIN_BATCH = 32
LEAST_SPEED_UP = 1.8
MOST_AWAY = 0.002
"""How far the mean cosine in int8 may be from 1."""

Encode = Callable[[Sequence[str]], "numpy.ndarray"]


def write_study(folder: Path) -> Path:
    """Write an experiment with `e5-small` on the text of the sandbox; return its path."""
    study = {
        "name": "encoders",
        "hub": "hub",
        "pairs": ["hub-sis", "hub-cou"],
        "tasks": ["sandbox-stance"],
        "systems": {"gloss": {"kind": "gloss"}},
        "transfer": {"encoders": {"e5": {"kind": "pretrained", "model": "e5-small"}}},
    }
    return write_yaml(folder / "encoders.yaml", study)


def published(experiment: str) -> PretrainedEncoder:
    """Return the first pretrained encoder of an experiment, published now if it is not there."""
    stage = find_stages(experiment, "PretrainedEncoder")[0]
    building.run([stage])
    assert isinstance(stage, PretrainedEncoder)  # noqa: S101
    return stage


def training_texts(stage: PretrainedEncoder) -> list[Path]:
    """Return the labelled texts to train on, a file a task and language."""
    found = [labelled.artifact.folder / "train.parquet" for labelled in stage.inputs["labelled"]]
    return [path for path in found if path.exists()]


def sample(stage: PretrainedEncoder, count: int) -> list[str]:
    """Return evenly spread training texts of the tasks."""
    texts = [t for path in training_texts(stage) for t in read_columns(path, ["text"])["text"]]
    return spread(texts, count)


def as_documented(stage: PretrainedEncoder, prefix: str) -> Encode:
    """Return what encodes as the documentation of transformers does."""
    import numpy
    import torch
    from transformers import AutoModel, AutoTokenizer

    folder = stage.artifact.path(HUGGINGFACE)
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder)
    torch.set_num_threads(cores())
    model.eval()

    def encode(texts: Sequence[str]) -> numpy.ndarray:
        vectors = []
        for start in range(0, len(texts), PLAIN_BATCH):
            batch = [prefix + text for text in texts[start : start + PLAIN_BATCH]]
            ids = tokenizer(batch, padding=True, truncation=True, return_tensors="pt")
            with torch.inference_mode():
                states = model(**ids).last_hidden_state
            mask = ids["attention_mask"].unsqueeze(-1)
            vectors.append(((states * mask).sum(1) / mask.sum(1)).numpy())
        return numpy.concatenate(vectors)

    return encode


class Speeds(NamedTuple):
    """Texts a second of the clock, and of processor time of all cores together."""

    clock: list[float]
    processor: list[float]

    def time(self, encode: Encode, texts: Sequence[str]) -> "numpy.ndarray":
        """Encode, note how quickly; return the vectors."""
        started, used = time.perf_counter(), time.process_time()
        vectors = encode(texts)
        self.clock.append(len(texts) / (time.perf_counter() - started))
        self.processor.append(len(texts) / (time.process_time() - used))
        return vectors


def measure(stage: PretrainedEncoder, *, texts: int, repetitions: int) -> Iterator[Record]:
    """Encode with each in turn; yield the ratios."""
    chosen = sample(stage, texts)
    folder = stage.artifact.folder
    ours = FrozenEncoder(folder, number=INT8, threads=cores())
    exact = FrozenEncoder(folder, number=FLOAT32, threads=cores())
    encoders: dict[str, Encode] = {
        "int8": ours.encode,
        "float32": exact.encode,
        "documented": as_documented(stage, exact.settings.prefix),
    }
    for encode in encoders.values():
        encode(chosen[:PLAIN_BATCH])
    speeds = {name: Speeds([], []) for name in encoders}
    vectors: dict[str, numpy.ndarray] = {}
    for _ in range(repetitions):
        for name, encode in encoders.items():
            vectors[name] = speeds[name].time(encode, chosen)
            say(f"{name}: {speeds[name].clock[-1]:,.1f} texts/s")
    pieces = sum(map(len, exact.ids(chosen))) / len(chosen)
    yield measured("encoding: pieces a text", pieces)
    for seconds in Speeds._fields:
        ours, exactly, plain = (getattr(found, seconds) for found in speeds.values())
        against = f"encoding, texts/s of {seconds}: int8 / torch float32"
        yield ratio(f"{against} by length", ours, exactly, LEAST_SPEED_UP)
        yield ratio(f"{against} as documented", ours, plain, LEAST_SPEED_UP)
    near = agreement(vectors["int8"], vectors["documented"])
    yield at_most("encoding: 1 - mean cosine of int8 to float32", 1 - near.mean, MOST_AWAY)


def main(arguments_: Sequence[str] | None = None) -> None:
    """Measure, print, and write JSON."""
    parser = arguments(__doc__)
    parser.add_argument("experiment", nargs="?")
    parser.add_argument("--texts", type=int, default=512)
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--updates", type=int, default=100, help="of each training")
    options = parser.parse_args(arguments_)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        stage = published(options.experiment or str(write_study(folder)))
        # first, since a process that has used torch on two threads is a bad parent
        given = (stage.artifact.folder, training_texts(stage)[0], folder)
        records = list(fine_tuning.measure(*given, options.updates, options.repetitions))
        records += measure(stage, texts=options.texts, repetitions=options.repetitions)
    finish(records, options.out)


if __name__ == "__main__":
    main()
