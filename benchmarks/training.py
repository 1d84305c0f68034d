"""Training beside fairseq, Hugging Face and JoeyNMT: target tokens a second, and the losses.

`python -m benchmarks.training EXPERIMENT`: all four train the experiment's model on the very same
batches in the same order, in turn, as often as `--repetitions` says. Speeds leave out the first
updates. The loss curves go into one plot beside the records: no speed may be bought with learning.
"""

import json
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.material import BATCHES, Material, export_batches, prepare
from benchmarks.measuring import Record, arguments, at_most, finish, measured, ratio, say
from benchmarks.rivals import fairseq, joey, seq2seq
from models.nmt.training import LOG_INTERVAL, LOG_RECORD, train, training_server
from models.subwords import Subwords
from pipeline.settings import cores

OURS = "Sprachbund"
TARGETS = {"fairseq-train fp32": 2.0, "Seq2SeqTrainer": 2.0, "JoeyNMT": 1.5}
MOST_WORSE = 0.01
"""How much worse our loss may end than fairseq's, as a share."""


class Curve(NamedTuple):
    """Target tokens a second, and the label-smoothed loss in bits by updates."""

    speed: float
    losses: dict[int, float]


def train_ours(material: Material, name: str, updates: int) -> Curve:
    """Train as the pipeline does."""
    log = material.folder / f"{name}.log"
    checkpoints = material.folder / name
    options = material.options(name, updates)
    with training_server(checkpoints, threads=cores()) as server:
        train(
            material.recipe,
            options,
            checkpoints,
            server=server,
            log=log,
            on_progress=lambda _: None,
        )
    return fairseq_curve(log.read_text(encoding="utf-8"))


def train_stock(material: Material, name: str, updates: int) -> Curve:
    """Train with stock fairseq."""
    return fairseq_curve(fairseq.train(material.options(name, updates)))


def fairseq_curve(log: str) -> Curve:
    """Read speed and losses off fairseq's log."""
    found = [json.loads(m["record"]) for m in LOG_RECORD.finditer(log) if m["kind"] != "valid"]
    rest = found[1:]
    tokens = [float(r["wpb"]) for r in rest]
    seconds = [t / float(r["wps"]) for t, r in zip(tokens, rest, strict=True)]
    losses = {int(r["num_updates"]): float(r["loss"]) for r in found}
    return Curve(sum(tokens) / sum(seconds), losses)


def train_seq2seq(material: Material, name: str, updates: int) -> Curve:
    """Train with Hugging Face's trainer."""
    folder = export_batches(material, updates)
    points = seq2seq.train(material.recipe, folder, material.folder / f"{name}.json")
    first, last = points[0], points[-1]
    tokens = sum(target_tokens(folder)[int(first["updates"]) : int(last["updates"])])
    losses = {int(point["updates"]): point["loss"] for point in points}
    return Curve(tokens / (last["time"] - first["time"]), losses)


def train_joey(material: Material, name: str, updates: int) -> Curve:
    """Train with JoeyNMT."""
    folder = export_batches(material, updates)
    vocabulary = len(Subwords(material.data.subwords))
    steps = joey.train(material.recipe, vocabulary, folder, material.folder / name)
    tokens = target_tokens(folder)
    timed = list(zip(tokens, steps, strict=True))[LOG_INTERVAL:]
    seconds = sum(count / speed for count, (_, speed) in timed)
    losses = {
        end: sum(loss for loss, _ in steps[end - LOG_INTERVAL : end]) / LOG_INTERVAL
        for end in range(LOG_INTERVAL, len(steps) + 1, LOG_INTERVAL)
    }
    return Curve(sum(count for count, _ in timed) / seconds, losses)


def target_tokens(folder: Path) -> list[int]:
    """Return the target tokens of each batch, without padding."""
    import torch

    batches = torch.load(folder / BATCHES)
    return [int(batch["target"].ne(seq2seq.PADDING).sum()) for batch in batches]


SYSTEMS = {
    OURS: train_ours,
    "fairseq-train fp32": train_stock,
    "Seq2SeqTrainer": train_seq2seq,
    "JoeyNMT": train_joey,
}


def measure(material: Material, updates: int, repetitions: int, plot: Path) -> Iterator[Record]:
    """Train with each system in turn, ours before each; yield the ratios and how losses end."""
    curves: dict[str, list[Curve]] = {name: [] for name in SYSTEMS}
    turns = [name for rival in TARGETS for name in (OURS, rival)] * repetitions
    for turn, name in enumerate(turns):
        curves[name].append(SYSTEMS[name](material, f"training-{turn}", updates))
        last = curves[name][-1]
        say(f"{name}: {last.speed:,.0f} tokens/s, loss {list(last.losses.values())[-1]:.3f}")
    ours = [curve.speed for curve in curves[OURS]]
    for place, (name, target) in enumerate(TARGETS.items()):
        speeds = [curve.speed for curve in curves[name]]
        before = ours[place :: len(TARGETS)]
        yield ratio(f"training, target tokens/s: ours / {name}", before, speeds, target)
    losses = {name: found[0].losses for name, found in curves.items()}
    yield from compare_losses(losses)
    plot_losses(losses, plot)


def compare_losses(losses: dict[str, dict[int, float]]) -> Iterator[Record]:
    """Yield how much worse our last loss is than each other's, as a share of theirs."""
    for name in TARGETS:
        last = max(losses[OURS].keys() & losses[name].keys())
        share = losses[OURS][last] / losses[name][last] - 1
        title = f"training, our loss after {last} updates above that of {name}, share"
        if name.startswith("fairseq"):
            yield at_most(title, share, MOST_WORSE)
        else:
            yield measured(title, share)


def plot_losses(losses: dict[str, dict[int, float]], path: Path) -> None:
    """Draw the loss curves over one another."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    for name, points in losses.items():
        axes.plot(list(points), list(points.values()), marker=".", label=name)
    axes.set(xlabel="updates", ylabel="label-smoothed loss, bits a subword")
    axes.legend()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)
    say(f"written: {path}")


def main(arguments_: Sequence[str] | None = None) -> None:
    """Measure, print, and write JSON."""
    parser = arguments(__doc__)
    parser.add_argument("experiment", nargs="?", default="nusa")
    parser.add_argument("--updates", type=int, default=150, help="of each training")
    parser.add_argument("--repetitions", type=int, default=3)
    options = parser.parse_args(arguments_)
    with tempfile.TemporaryDirectory() as name:
        material = prepare(options.experiment, Path(name) / "material")
        plot = (options.out or Path("training.json")).with_suffix(".svg")
        records = list(measure(material, options.updates, options.repetitions, plot))
    finish(records, options.out)


if __name__ == "__main__":
    main()
