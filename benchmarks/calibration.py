"""How often the tests raise a false alarm: equal systems, simulated, with noise between trainings.

`python -m benchmarks.calibration`: two systems of equal quality are trained several times each and
tested on the same items; the share of experiments with p < .05 must lie between 3 and 7 %. Two rows
of each metric say how often a true difference is found. Beside it, what a test sees that knows
items alone: approximate randomisation over items (Noreen 1989), as comparisons of single systems
have it. `ok` is null in both: there is nothing to hold.
"""

import argparse
import inspect
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import numpy
from scipy.stats import beta

from benchmarks.measuring import RESULTS, Record
from models.support.processes import die_with_parent
from tasks.mt.scoring import bleu
from tasks.statistics import Measure, Runs, class_tally, joint_contrast, macro_f1

LEAST, MOST = 0.03, 0.07
SIGNIFICANT = 0.05
REPLICATES = (3, 5)
BLEU_SPREADS = (0.0, 0.5, 1.0, 2.0)
F1_SPREADS = (0.0, 0.01, 0.02, 0.03)
SENTENCES, ITEMS, CLASSES = 300, 400, 4
OF_ITEM, OF_TRAINING_AND_ITEM = 1.0, 0.7
"""How far items, and trainings on an item, lie apart, in logits of being right."""
OWN, PLACES = 0.5, 5
"""Of unlike systems: logits of an item that are a system's own. Of joint contrasts: languages."""
STEP = 0.1
"""Logits by which a system is made better and worse, to see what a logit is worth."""
MIDDLE = 0.6
"""Logit of being right on an item like the others."""


class World(NamedTuple):
    """A way to simulate a system: tallies (runs, items, *stats) from logits (runs, items)."""

    measure: Measure
    items: int
    tallies: Callable[["numpy.ndarray", "numpy.random.Generator"], "numpy.ndarray"]


class Cell(NamedTuple):
    """One row of the table.

    * ``spread``: the standard deviation between trainings, in points of the metric.
    * ``replicates``: trainings of each system.
    * ``ahead``: what the first system is truly better by.
    * ``other``: the second system's spread, where it differs; ``others``: its trainings.
    * ``own``: how far each system's strengths on items lie from the other's, in logits.
    * ``fixed``: the second system is no training's: it does not vary.
    * ``places``: test sets that are translations of each other, with the same trainings.
    """

    metric: str
    spread: float
    replicates: int
    ahead: float = 0.0
    other: float | None = None
    others: int | None = None
    own: float = 0.0
    fixed: bool = False
    places: int = 1

    @property
    def name(self) -> str:
        """The row's name."""
        spreads = [self.spread] if self.other is None else [self.spread, self.other]
        counts = [self.replicates] if self.others is None else [self.replicates, self.others]
        between = " and ".join(f"{spread:g}" for spread in spreads)
        trainings = " and ".join(map(str, counts)) + (
            " trainings" if self.others else " trainings each"
        )
        if self.fixed:
            trainings = f"{self.replicates} trainings against a system without"
        more = [
            f"truly {self.ahead:g} apart" if self.ahead else "",
            "other strengths" if self.own else "",
            f"{self.places} languages together" if self.places > 1 else "",
        ]
        return ", ".join(
            [f"{self.metric}: sd between trainings {between}", trainings, *filter(None, more)]
        )


def sentences(logits: "numpy.ndarray", random: "numpy.random.Generator") -> "numpy.ndarray":
    """Return BLEU's tallies of sentences whose words are right with some chance."""
    lengths = numpy.random.default_rng(0).integers(6, 17, size=logits.shape[1])
    longest = int(lengths.max())
    there = numpy.arange(longest) < lengths[:, None]  # (sentences, words)
    chance = 1 / (1 + numpy.exp(-logits))
    right = (random.random((*logits.shape, longest)) < chance[..., None]) & there
    matches, run = [], right
    for order in range(4):
        matches.append(run.sum(-1))
        run = run[..., 1:] & right[..., order + 1 :]
    both = numpy.broadcast_to(lengths, logits.shape)
    totals = [numpy.maximum(both - order, 0) for order in range(4)]
    return numpy.stack([both, both, *matches, *totals], axis=-1).astype(float)


def labels(logits: "numpy.ndarray", random: "numpy.random.Generator") -> "numpy.ndarray":
    """Return tallies of a classifier that is right with some chance, else any other class."""
    gold = numpy.random.default_rng(0).integers(CLASSES, size=logits.shape[1])
    other = (gold + random.integers(1, CLASSES, size=logits.shape)) % CLASSES
    right = random.random(logits.shape) < 1 / (1 + numpy.exp(-logits))
    return class_tally(gold, numpy.where(right, gold, other), CLASSES)


WORLDS = {
    "BLEU": World(bleu, SENTENCES, sentences),
    "macro-F1": World(macro_f1, ITEMS, labels),
}


@cache
def logits_a_point(metric: str) -> float:
    """Return by how much a logit must move for a point of the metric: a slope over many draws."""
    world, random = WORLDS[metric], numpy.random.default_rng(1)
    gains = []
    for _ in range(100):
        items = random.normal(size=world.items)
        logits = _logits(world, items, [-STEP] * 4 + [STEP] * 4, random)
        worse, better = world.measure(world.tallies(logits, random).sum(1)).reshape(2, 4).mean(1)
        gains.append((better - worse) / (2 * STEP))
    return float(1 / numpy.mean(gains))


def _logits(world: World, items: Any, shifts: Any, random: "numpy.random.Generator") -> Any:
    """Return logits (runs, items): of the item, of the training, and of both together."""
    together = random.normal(size=(len(shifts), world.items))
    moved = numpy.asarray(shifts)[:, None]
    return MIDDLE + OF_ITEM * items + OF_TRAINING_AND_ITEM * together + moved


def experiment(cell: Cell, seed: int) -> list[tuple[Runs, Runs]]:
    """Simulate two systems on the same items, in each place."""
    world, random = WORLDS[cell.metric], numpy.random.default_rng(seed)
    point = logits_a_point(cell.metric)
    difficulty = random.normal(size=world.items)
    ids = tuple(map(str, range(world.items)))
    second = cell.spread if cell.other is None else cell.other
    sides = []
    for ahead, spread, runs, fixed in (
        (cell.ahead, cell.spread, cell.replicates, False),
        (0.0, second, cell.others or cell.replicates, cell.fixed),
    ):
        shifts = point * (ahead + spread * random.normal(size=1 if fixed else runs) * (not fixed))
        items = difficulty + cell.own * random.normal(size=world.items) / OF_ITEM
        sides.append(
            [
                Runs(ids, world.tallies(_logits(world, items, shifts, random), random))._replace(
                    random=not fixed
                )
                for _ in range(cell.places)
            ]
        )
    return list(zip(*sides, strict=True))


def alarm(cell: Cell, seed: int, *, resamples: int) -> bool:
    """Say whether the test tells the two systems apart."""
    measure = WORLDS[cell.metric].measure
    p = joint_contrast(experiment(cell, seed), measure, resamples=resamples, seed=seed).p
    assert p is not None  # noqa: S101 (there are several trainings)
    return p < SIGNIFICANT


def alarm_of_items(cell: Cell, seed: int, *, resamples: int) -> bool:
    """Say whether randomisation over items alone tells the two apart."""
    [(first, second)] = experiment(cell, seed)
    measure, random = WORLDS[cell.metric].measure, numpy.random.default_rng(seed)
    swapped = (random.random((resamples, len(first.ids))) < 0.5).astype(float)

    def apart(one: Any, other: Any) -> Any:
        return abs(measure(one).mean(-1) - measure(other).mean(-1))

    moved = numpy.tensordot(swapped, second.tallies - first.tallies, ([1], [1]))
    one, other = first.tallies.sum(1), second.tallies.sum(1)
    at_least = (apart(one + moved, other - moved) >= apart(one, other) - 1e-12).sum()
    return bool((at_least + 1) / (resamples + 1) < SIGNIFICANT)


def row_name(cell: Cell, items_alone: bool) -> str:
    """Return the name of a row of the table."""
    return f"{cell.name} (items alone, not used)" if items_alone else cell.name


def rate(cell: Cell, experiments: int, *, resamples: int, items_alone: bool = False) -> Record:
    """Return a cell's share of alarms with its 95 % interval (Clopper and Pearson 1934)."""
    test = alarm_of_items if items_alone else alarm
    hits = sum(test(cell, seed, resamples=resamples) for seed in range(1, experiments + 1))
    low = beta.ppf(0.025, hits, experiments - hits + 1) if hits else 0.0
    high = beta.ppf(0.975, hits + 1, experiments - hits) if hits < experiments else 1.0
    value = hits / experiments
    judged = not (items_alone or cell.ahead)
    return {
        "name": row_name(cell, items_alone),
        "value": round(value, 4),
        "low": round(float(low), 4),
        "high": round(float(high), 4),
        "ok": LEAST <= value <= MOST if judged else None,
    }


def cells() -> Iterator[tuple[Cell, bool]]:
    """Yield each row, and whether it is of the test that knows items alone."""
    for metric, spreads, ahead in (("BLEU", BLEU_SPREADS, 2.0), ("macro-F1", F1_SPREADS, 0.04)):
        for replicates in REPLICATES:
            for spread in spreads:
                yield Cell(metric, spread, replicates), False
            yield from ((cell, False) for cell in _unlike(metric, spreads, replicates))
            yield Cell(metric, spreads[1], replicates, ahead), False
        for spread in spreads:
            yield Cell(metric, spread, REPLICATES[0]), True


def _unlike(metric: str, spreads: Sequence[float], replicates: int) -> Iterator[Cell]:
    """Yield cells whose two systems are unlike, though equally good, and several places."""
    _, small, middle, large = spreads
    yield Cell(metric, large, replicates, other=small)
    yield Cell(metric, large, replicates, other=0.0)
    yield Cell(metric, middle, replicates, own=OWN)
    yield Cell(metric, middle, replicates, own=OWN, fixed=True)
    yield Cell(metric, middle, replicates, places=PLACES)
    if replicates == REPLICATES[0]:
        yield Cell(metric, middle, replicates, others=REPLICATES[1])


def _row(job: tuple[Cell, bool, int, int]) -> Record:
    cell, items_alone, experiments, resamples = job
    return rate(cell, experiments, resamples=resamples, items_alone=items_alone)


class Kept:
    """Rows of a run that was stopped: JSON lines beside its result, of the same code and size."""

    def __init__(self, out: Path, size: tuple[int, int]) -> None:
        self.path, self.run = out.with_suffix(".part"), [*size, _digest()]

    def rows(self) -> dict[str, Record]:
        """Return the rows that need no second simulation, by name."""
        lines = self.path.read_text(encoding="utf-8").splitlines() if self.path.exists() else []
        entries = [json.loads(line) for line in lines if line.endswith("}")]
        return {entry["row"]["name"]: entry["row"] for entry in entries if entry["run"] == self.run}

    def keep(self, row: Record) -> None:
        """Write one more row."""
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"run": self.run, "row": row}) + "\n")


def _digest() -> str:
    """Return a digest of the code whose rows these are: a change of it begins anew."""
    sources = (Path(__file__), Path(inspect.getfile(Runs)))
    return sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()


def tell(record: Record) -> None:
    """Print one row."""
    verdict = {True: "ok", False: "OFF", None: ""}[record["ok"]]
    bounds = f"[{record['low']:.1%}, {record['high']:.1%}]"
    sys.stdout.write(f"{record['value']:7.1%} {bounds:16} {verdict:4} {record['name']}\n")
    sys.stdout.flush()


def main() -> None:
    """Fill the table, print it as it grows, and write it; a stopped run goes on."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--experiments", type=int, default=3000, help="simulations a row")
    parser.add_argument("--resamples", type=int, default=500, help="of the items, in each")
    parser.add_argument("--workers", type=int, default=2, help="processes")
    parser.add_argument("--out", type=Path, default=RESULTS / "calibration.json")
    options = parser.parse_args()
    size = (options.experiments, options.resamples)
    kept = Kept(options.out, size)
    there = kept.rows()
    with ProcessPoolExecutor(options.workers, initializer=die_with_parent) as pool:
        open_rows = [
            pool.submit(_row, (*cell, *size)) for cell in cells() if row_name(*cell) not in there
        ]
        for row in as_completed(open_rows):
            kept.keep(row.result())
            tell(row.result())
    rows = kept.rows()
    records = [rows[row_name(*cell)] for cell in cells()]
    options.out.write_text(json.dumps(records, indent=1) + "\n", encoding="utf-8")
    kept.path.unlink()


if __name__ == "__main__":
    main()
