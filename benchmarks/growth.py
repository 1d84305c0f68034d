"""Growth: seconds and peak memory of each stage against corpus size and number of pairs.

`python -m benchmarks.growth`: runs whole studies, with the sandbox's text in files: one pair with
1, 4 and 16 times the text, then 2, 8 and 32 pairs, a stage at a time. The NMT is tiny, its updates
are fixed; the task keeps its size. Stages report their seconds and memory in their manifests.
Prints, for each kind of stage, the exponent of a power law fitted to its seconds and the factor by
which its memory grew; draws both.
"""

import math
import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.measuring import Record, arguments, at_most, finish, measured, run_study, say
from benchmarks.overhead import language_codes
from tasks import sandbox
from tasks.sandbox import SandboxRecipe
from tests.conftest import TINY_EXPERIMENT, write_yaml
from tests.torture import manifests

SCALES = (1, 4, 16)
PAIRS = (2, 8, 32)
BASE = SandboxRecipe(pairs=2000, monolingual=500, task_train=150, task_dev=50, task_test=100)
LEAST_SECONDS = 0.2
"""Stages that never take longer are noise: no exponent is fitted to them."""
MOST_MEMORY = 1.5
"""How much the memory of a text stage may grow while its text grows sixteenfold."""
TEXT_STAGES = (
    *("RawCorpus", "Bitext", "Monolingual", "HeldOutText", "LeakAudit", "BitextScores"),
    *("TrainingBitext", "MonolingualScores", "MonolingualSample", "Synthetic"),
)


class Cost(NamedTuple):
    """What all stages of one kind took together, and the most memory one of them had."""

    seconds: float
    memory_mib: float


Growth = dict[str, dict[int, Cost]]
"""Costs by kind of stage, then by what grew."""


def write_study(folder: Path, pairs: int, scale: int) -> Path:
    """Write text and manifests of a study; return the path of its experiment."""
    recipe = SandboxRecipe(
        pairs=BASE.pairs * scale,
        monolingual=BASE.monolingual * scale,
        task_train=BASE.task_train,
        task_dev=BASE.task_dev,
        task_test=BASE.task_test,
    )
    text = folder / "text"
    text.mkdir(parents=True)
    codes = language_codes(pairs)
    _write_text(text, recipe)
    for code in codes:
        write_yaml(folder / "pairs" / f"hub-{code}.yaml", _pair(text, code))
    texts = {code: _labelled(text, code) for code in ("hub", *codes)}
    task = {"name": "stance", "source_language": "hub", "labels": list(sandbox.LABELS)}
    write_yaml(folder / "tasks" / "stance.yaml", {**task, "texts": texts})
    experiment = {
        **TINY_EXPERIMENT,
        "name": "growth",
        "pairs": [f"hub-{code}" for code in codes],
        "monolingual": {"max_sentences": recipe.monolingual, "max_lost": 1.0},
    }
    return write_yaml(folder / "experiments" / "growth.yaml", experiment)


def _write_text(folder: Path, recipe: SandboxRecipe) -> None:
    """Write the sister's text; every language of the study has a copy of it."""
    rows = (f"{key}\t{hub}\t{text}\n" for key, hub, text in sandbox.parallel(recipe, "sis"))
    _write(folder / "parallel.tsv", "id\thub\tother\n", rows)
    for side, name in (("hub", "hub"), ("sis", "other")):
        lines = (f"{text}\n" for _, text in sandbox.monolingual(recipe, side))
        _write(folder / f"{name}.txt", "", lines)
        items = list(sandbox.labelled(recipe, side))
        for split in ("train", "dev", "test"):
            chosen = (f"{k}\t{text}\t{label}\n" for k, text, label, part in items if part == split)
            _write(folder / f"{name}-{split}.tsv", "id\ttext\tlabel\n", chosen)


def _write(path: Path, head: str, lines: Iterable[str]) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write(head)
        file.writelines(lines)


def _corpus(name: str, folder: Path, files: Sequence[Record], form: Record) -> Record:
    source = {"kind": "files", "base": str(folder), "files": list(files), "format": form}
    return {"name": name, "licence": "CC0-1.0", "source": source}


def _pair(folder: Path, code: str) -> Record:
    table = {"kind": "tsv", "id": "id", "columns": {"hub": "hub", code: "other"}}
    monolingual = {
        side: [
            _corpus(
                f"mono-{side}",
                folder,
                [{"name": f"{file}.txt", "language": side}],
                {"kind": "text"},
            )
        ]
        for side, file in (("hub", "hub"), (code, "other"))
    }
    return {
        "name": f"hub-{code}",
        "languages": ["hub", code],
        "parallel": [_corpus("parallel", folder, [{"name": "parallel.tsv"}], table)],
        "monolingual": monolingual,
        "split": {"rule": "hash", "dev": 30, "test": 40},
    }


def _labelled(folder: Path, code: str) -> Record:
    name = "hub" if code == "hub" else "other"
    splits = ("train", "dev", "test")
    files = [{"name": f"{name}-{split}.tsv", "split": split} for split in splits]
    table = {"kind": "tsv", "id": "id", "columns": {"text": "text", "label": "label"}}
    return _corpus("task", folder, files, table)


def costs(folder: Path, *, pairs: int, scale: int) -> dict[str, Cost]:
    """Run a study in a folder of its own; return what each kind of stage took."""
    experiment = write_study(folder / "manifests", pairs, scale)
    store = folder / "store"
    run_study(experiment, store, "--workers", "1")
    found: dict[str, Cost] = {}
    for manifest in manifests(store).values():
        before = found.get(manifest["stage"], Cost(0, 0))
        found[manifest["stage"]] = Cost(
            before.seconds + manifest["seconds"],
            max(before.memory_mib, manifest["peak_memory_mib"]),
        )
    say(f"{pairs} pairs, text x{scale}: {sum(c.seconds for c in found.values()):.0f} s in stages")
    return found


def grow(folder: Path, sizes: Sequence[int], what: str) -> Growth:
    """Run a study of each size; return the costs by stage."""
    growth: Growth = {}
    for size in sizes:
        plan = {"pairs": 1, "scale": 1, what: size}
        for stage, cost in costs(folder / f"{what}-{size}", **plan).items():
            growth.setdefault(stage, {})[size] = cost
    return growth


def exponent(points: dict[int, float]) -> float:
    """Return the slope of the least-squares line through the logarithms."""
    logs = [(math.log(size), math.log(value)) for size, value in points.items()]
    mean_x, mean_y = (sum(column) / len(logs) for column in zip(*logs, strict=True))
    spread = sum((x - mean_x) ** 2 for x, _ in logs)
    return sum((x - mean_x) * (y - mean_y) for x, y in logs) / spread


def records(growth: Growth, what: str) -> Iterator[Record]:
    """Yield exponents of the seconds, and by how much memory grew."""
    for stage, by_size in sorted(growth.items()):
        seconds = {size: cost.seconds for size, cost in by_size.items()}
        if max(seconds.values()) >= LEAST_SECONDS and min(seconds.values()) > 0:
            found = measured(f"{stage}: exponent of seconds against {what}", exponent(seconds))
            yield {**found, "seconds": seconds}
        first, last = (by_size[size].memory_mib for size in (min(by_size), max(by_size)))
        title = f"{stage}: peak memory at the most {what} / at the least"
        if stage in TEXT_STAGES:
            yield at_most(title, last / first, MOST_MEMORY)
        else:
            yield measured(title, last / first)


def plot(growths: dict[str, Growth], path: Path) -> None:
    """Draw seconds above and memory below, one column for each thing that grew."""
    from cycler import cycler
    from matplotlib import colormaps
    from matplotlib.figure import Figure

    colours = colormaps["tab10"].colors  # type: ignore[attr-defined]
    lines = cycler(linestyle=["-", "--", ":"]) * cycler(color=colours)
    figure = Figure(figsize=(12, 9), layout="constrained")
    grid: Any = figure.subplots(2, len(growths), sharex="col")
    for column, (what, growth) in enumerate(growths.items()):
        for row, measure in enumerate(("seconds", "memory_mib")):
            axes = grid[row][column]
            axes.set_prop_cycle(lines)
            for stage, by_size in sorted(growth.items()):
                values = [getattr(cost, measure) for cost in by_size.values()]
                axes.plot(list(by_size), values, marker=".", label=stage)
            axes.set_xscale("log", base=2)
            axes.set_yscale("log")
            axes.set(ylabel="seconds" if row == 0 else "peak memory, MiB")
        grid[1][column].set(xlabel=what)
    handles, names = grid[0][0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside right center", fontsize="small")
    figure.savefig(path)
    say(f"written: {path}")


def main(arguments_: Sequence[str] | None = None) -> None:
    """Measure, print, draw, and write JSON."""
    parser = arguments(__doc__)
    options = parser.parse_args(arguments_)
    os.environ.pop("SPRACHBUND_MIRROR", None)
    with tempfile.TemporaryDirectory() as name:
        growths = {
            "times the text": grow(Path(name), SCALES, "scale"),
            "pairs": grow(Path(name), PAIRS, "pairs"),
        }
    plot(growths, (options.out or Path("growth.json")).with_suffix(".svg"))
    finish([r for what, growth in growths.items() for r in records(growth, what)], options.out)


if __name__ == "__main__":
    main()
