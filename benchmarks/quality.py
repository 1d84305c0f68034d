"""Time to a given quality: perplexity and BLEU that stock fairseq reaches in so many updates.

`python -m benchmarks.quality EXPERIMENT`: both train the experiment's model from the same start and
validate equally often. Times are those of the whole process, imports and validations included; a
quality counts as reached where the line between two validations crosses it. BLEU is that of
CTranslate2 on dev text, and its time does not count.
"""

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from math import inf, log
from pathlib import Path
from typing import NamedTuple

from benchmarks.material import Material, prepare
from benchmarks.measuring import Record, all_cores, arguments, finish, measured, ratio, run, say
from benchmarks.rivals import fairseq
from models.engines.nmt import NmtEngine
from models.nmt.publish import CTRANSLATE2
from models.nmt.training import TrainingProgress, parse_progress, train, training_server
from models.support.processes import python_module, run_child
from pipeline.settings import cores
from tasks.mt.number_format import dev_bleu

TARGET = 2.0


class Point(NamedTuple):
    """A validation: updates and seconds until then, perplexity and BLEU on dev text."""

    updates: int
    seconds: float
    perplexity: float
    bleu: float


def options_of(material: Material, name: str, updates: int, every: int) -> list[str]:
    """Return training options that keep the checkpoint of every validation."""
    options = material.options(name, updates, validate_every=every)
    options[options.index("--keep-interval-updates") + 1] = "-1"
    return options


def points(
    material: Material, name: str, start: Callable[[Callable[[TrainingProgress], None]], object]
) -> list[Point]:
    """Train, note when each validation came; then translate with each checkpoint."""
    started = time.perf_counter()
    seen: list[tuple[TrainingProgress, float]] = []

    def note(now: TrainingProgress) -> None:
        if now.validation:
            seen.append((now, time.perf_counter() - started))

    start(note)
    return [
        Point(now.updates, seconds, now.perplexity, bleu(material, name, now.updates))
        for now, seconds in seen
    ]


def bleu(material: Material, name: str, updates: int) -> float:
    """Return the BLEU of a kept checkpoint on dev text."""
    (checkpoint,) = (material.folder / name).glob(f"checkpoint_*_{updates}.pt")
    out = material.folder / f"{name}-{updates}"
    run(python_module("models.nmt.publish", checkpoint, material.binary, out))
    subwords = material.data.subwords
    engine = NmtEngine(out / CTRANSLATE2, subwords, threads=cores())
    return dev_bleu(engine, material.data.dev_directions())[0]


def train_ours(material: Material, updates: int, every: int) -> list[Point]:
    """Train as the pipeline does."""
    options = options_of(material, "ours", updates, every)
    folder = material.folder / "ours"
    log = material.folder / "ours.log"

    def start(note: Callable[[TrainingProgress], None]) -> None:
        recipe = material.recipe
        with training_server(folder, threads=cores()) as server:
            train(recipe, options, folder, server=server, log=log, on_progress=note)

    return points(material, "ours", start)


def train_stock(material: Material, updates: int, every: int) -> list[Point]:
    """Train with stock fairseq."""
    options = fairseq.stock_options(options_of(material, "stock", updates, every))
    argv = [*fairseq.command("train"), *options]

    def start(note: Callable[[TrainingProgress], None]) -> None:
        def on_line(line: str) -> None:
            now = parse_progress(line)
            if now is not None:
                note(now)

        run_child(argv, material.folder / "stock.log", on_line=on_line, environment=all_cores())

    return points(material, "stock", start)


def measure(material: Material, updates: int, every: int) -> Iterator[Record]:
    """Yield the ratios of the times to stock fairseq's last perplexity and best BLEU."""
    stock = train_stock(material, updates, every)
    ours = train_ours(material, updates * 3 // 2, every)
    for name, found in (("fairseq", stock), ("ours", ours)):
        for point in found:
            say(
                f"{name}: {point.updates} updates, {point.seconds:.0f} s, "
                f"perplexity {point.perplexity:.1f}, BLEU {point.bleu:.1f}"
            )
    last = stock[-1]
    lacking = {
        f"perplexity {last.perplexity:.1f}": [log(p.perplexity / last.perplexity) for p in ours],
        f"BLEU {last.bleu:.1f}": [last.bleu - p.bleu for p in ours],
    }
    for quality, gaps in lacking.items():
        name = f"time to fairseq's {quality} after {updates} updates: ours / fairseq"
        seconds = crossing([p.seconds for p in ours], gaps)
        yield ratio(name, [1 / seconds], [1 / last.seconds], TARGET)
        if seconds < inf:
            yield measured(f"updates to {quality}", crossing([p.updates for p in ours], gaps))
    same = next(p for p in ours if p.updates == last.updates)
    yield ratio(
        f"time of {updates} updates: ours / fairseq", [1 / same.seconds], [1 / last.seconds], TARGET
    )


def crossing(places: Sequence[float], gaps: Sequence[float]) -> float:
    """Return where the gap closes first, on the line between two places; infinity if nowhere."""
    before, gap_before = 0.0, gaps[0]
    for place, gap in zip(places, gaps, strict=True):
        if gap <= 0:
            share = gap_before / (gap_before - gap) if gap_before > 0 else 1.0
            return before + share * (place - before)
        before, gap_before = place, gap
    return inf


def main(arguments_: Sequence[str] | None = None) -> None:
    """Measure, print, and write JSON."""
    parser = arguments(__doc__)
    parser.add_argument("experiment", nargs="?", default="nusa-mini")
    parser.add_argument("--updates", type=int, default=480, help="of stock fairseq")
    parser.add_argument("--every", type=int, default=60, help="updates between validations")
    options = parser.parse_args(arguments_)
    with tempfile.TemporaryDirectory() as name:
        material = prepare(options.experiment, Path(name) / "material")
        records = list(measure(material, options.updates, options.every))
    finish(records, options.out)


if __name__ == "__main__":
    main()
