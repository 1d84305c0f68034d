"""Fine-tuning beside Hugging Face's `Trainer`: pieces a second of processor time, losses, memory.

`python -m benchmarks.fine_tuning ENCODER TEXT`: ENCODER is a folder that `PretrainedEncoder`
published, TEXT a file of labelled text with the columns `text` and `label`. Both fine-tune with the
same values on the same text in batches of similar length, on one thread each, in turn, as often as
`--repetitions` says; `Trainer` as it comes (float32), and in bfloat16 where that is quicker here.
"""

import json
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from benchmarks.measuring import Record, arguments, at_most, finish, ratio, run, say
from models.encoders.fine_tuning import FineTuning
from models.heads.fine_tuning.learner import FineTuningLearner
from models.heads.protocol import Examples, Site
from models.nmt.precision import BF16, FP32, quicker_precision
from models.support.processes import python_module
from tasks.records import read_columns

OURS = "Sprachbund"
TARGET = 2.0
MOST_MEMORY_MIB = 3 * 1024
MOST_WORSE = 0.1
"""How much higher our mean loss over the second half may be, as a share: orders differ."""
WARM = 3
"""Updates that speeds leave out."""


class Curve(NamedTuple):
    """Pieces a second of processor time, the loss of each update, peak memory."""

    speed: float
    losses: list[float]
    mib: float

    @classmethod
    def read(cls, path: Path) -> "Curve":
        """Read what a child wrote."""
        found = json.loads(path.read_text(encoding="utf-8"))
        points = found["points"]
        seconds = points[-1]["seconds"] - points[WARM - 1]["seconds"]
        pieces = sum(point["pieces"] for point in points[WARM:])
        return cls(pieces / seconds, [point["loss"] for point in points], found["mib"])

    @property
    def late(self) -> float:
        """The mean loss of the second half."""
        return statistics.mean(self.losses[len(self.losses) // 2 :])


def train_ours(encoder: Path, text: Path, updates: int, out: Path) -> None:
    """Fine-tune as the pipeline does; write seconds, pieces and loss of each update."""
    import resource

    from models.heads.fine_tuning import learner as fitting
    from models.tuning import training

    columns = read_columns(text, ["text", "label"])
    recipe = replace(FineTuning(), epochs=1, least_updates=updates)
    points: list[dict[str, float]] = []
    whole = training.TrainingRun._update

    def timed(self: training.TrainingRun, number: int) -> float:
        loss = whole(self, number)
        pieces = sum(self.lengths[item] for item in self.updates[number])
        points.append({"seconds": time.process_time(), "pieces": pieces, "loss": loss})
        return loss

    def few(lengths: Sequence[int], **values: int) -> list[list[int]]:
        return plan(lengths, **{**values, "updates": updates})

    plan = fitting.plan_updates
    training.TrainingRun._update = timed  # type: ignore[method-assign]
    fitting.plan_updates = few
    learner = FineTuningLearner(recipe, Site(out.parent / f"{out.stem}-scratch", encoder))
    learner.fit(Examples(columns["text"], columns["label"]), Examples([], []), 1)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    out.write_text(json.dumps({"points": points, "mib": peak}), encoding="utf-8")


def measure(
    encoder: Path, text: Path, folder: Path, updates: int, repetitions: int
) -> Iterator[Record]:
    """Fine-tune with each in turn; yield the ratios, how losses end, and our memory."""
    config = json.loads((encoder / "huggingface" / "config.json").read_text(encoding="utf-8"))
    quicker = quicker_precision(config["hidden_size"], config["intermediate_size"])
    rivals = [FP32, *([BF16] if quicker == BF16 else [])]
    curves: dict[str, list[Curve]] = {name: [] for name in (OURS, *rivals)}
    for turn, name in enumerate([name for rival in rivals for name in (OURS, rival)] * repetitions):
        out = folder / f"{turn}.json"
        given: tuple[str | Path, ...] = (encoder, text, str(updates))
        if name == OURS:
            run(python_module("benchmarks.fine_tuning", "--child", *given, out))
        else:
            run(python_module("benchmarks.rivals.trainer", *given, name, out))
        curves[name].append(Curve.read(out))
        last = curves[name][-1]
        say(f"{name}: {last.speed:,.0f} pieces/s, late loss {last.late:.3f}, {last.mib:,.0f} MiB")
    ours = [curve.speed for curve in curves[OURS]]
    for place, name in enumerate(rivals):
        speeds = [curve.speed for curve in curves[name]]
        title = f"fine-tuning, pieces/s of processor time: ours / Trainer {name}"
        yield ratio(title, ours[place :: len(rivals)], speeds, TARGET)
        worse = curves[OURS][0].late / curves[name][0].late - 1
        yield at_most(f"fine-tuning, our late loss above Trainer {name}, share", worse, MOST_WORSE)
    peak = max(curve.mib for curve in curves[OURS])
    yield at_most("fine-tuning, our peak memory, MiB", peak, MOST_MEMORY_MIB)


def main(arguments_: Sequence[str] | None = None) -> None:
    """Measure, print, and write JSON."""
    parser = arguments(__doc__)
    parser.add_argument("encoder", type=Path)
    parser.add_argument("text", type=Path)
    parser.add_argument("--updates", type=int, default=100, help="of each training")
    parser.add_argument("--repetitions", type=int, default=2)
    options = parser.parse_args(arguments_)
    with tempfile.TemporaryDirectory() as name:
        given = (options.encoder, options.text, Path(name))
        records = list(measure(*given, options.updates, options.repetitions))
    finish(records, options.out)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        encoder, text, updates, out = sys.argv[2:]
        train_ours(Path(encoder), Path(text), int(updates), Path(out))
    else:
        main()
