"""Compare systems by their translations of test sets: scores, and paired tests between two."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from models.support.errors import ContractError
from tasks.mt.health import Doubts, Translated, diagnose, ills_of_all
from tasks.mt.scoring import MEASURES, METRICS, signature, tallies, tokeniser_for
from tasks.statistics import Runs, estimate, holm, joint_contrast

if TYPE_CHECKING:
    import numpy

ALL = "all"
"""Where a contrast over all directions stands."""
Direction = tuple[str, str]


class DirectionTallies(NamedTuple):
    """What a system's replicates got in one direction, and copying the source, by metric.

    Systems (replicates, sentences, stats), copying (1, sentences, stats); BLEU by a tokeniser.
    """

    ids: tuple[str, ...]
    systems: "Mapping[str, numpy.ndarray]"
    copying: "Mapping[str, numpy.ndarray]"
    tokeniser: str


class MtContest(NamedTuple):
    """How scores are judged; `random` where another training would give another system."""

    random: bool
    resamples: int
    seed: int


@dataclass(frozen=True)
class DirectionScore:
    """One metric of a system in one direction, without the system's name.

    `copy` is the score of copying the source, `dev` the system's on the dev set; `ills` say why its
    translations are not usable.
    """

    direction: str
    metric: str
    score: float
    low: float
    high: float
    spread: float | None
    copy: float
    dev: float
    n: int
    signature: str
    ills: tuple[str, ...] = ()


class PairTest(NamedTuple):
    """A paired difference between two systems in a direction, or over all."""

    where: str
    metric: str
    difference: float
    low: float
    high: float
    p: float | None
    mdd: float
    better: tuple[int, int] | None


def tally_direction(
    sides: Mapping[str, tuple[str, str]], hypotheses: Sequence[Mapping[str, str]]
) -> DirectionTallies:
    """Count what each replicate's hypotheses get; sides are source and reference by id.

    Raises ContractError where a sentence has no hypothesis.
    """
    import numpy

    for translated in hypotheses:
        missing = [key for key in sides if key not in translated]
        if missing:
            raise ContractError(f"{len(missing)} sentences have no translation, as {missing[0]!r}")
    sources, references = (list(column) for column in zip(*sides.values(), strict=True))
    found = {
        metric: numpy.stack(
            [tallies(metric, [lines[key] for key in sides], references) for lines in hypotheses]
        )
        for metric in METRICS
    }
    copying = {metric: tallies(metric, sources, references)[None] for metric in METRICS}
    return DirectionTallies(tuple(sides), found, copying, tokeniser_for(references))


def ills_of(
    sides: Mapping[str, tuple[str, str]],
    hypotheses: Sequence[Mapping[str, str]],
    doubts: Doubts | None = None,
) -> Iterator[str]:
    """Yield why translations are not usable: of the first replicate that is ill, and of how many.

    Sides are source and reference by id; `doubts` judges the language.
    """
    sources, references = (list(column) for column in zip(*sides.values(), strict=True))
    yield from ills_of_all(
        [
            diagnose(
                Translated(sources, [lines[key] for key in sides], sources, references), doubts
            )
            for lines in hypotheses
        ]
    )


def score_direction(
    direction: Direction,
    parts: Mapping[str, DirectionTallies],
    contest: MtContest,
    *,
    ills: Sequence[str] = (),
) -> list[DirectionScore]:
    """Score the test part; the dev part gives a score to choose by."""
    test, dev = parts["test"], parts["dev"]
    found = []
    for metric in METRICS:
        measure = MEASURES[metric]
        runs = Runs(test.ids, test.systems[metric], random=contest.random)
        value = estimate(runs, measure, resamples=contest.resamples, seed=contest.seed)
        found.append(
            DirectionScore(
                direction="-".join(direction),
                metric=metric,
                **value._asdict(),
                copy=float(measure(test.copying[metric].sum(1)).mean()),
                dev=float(measure(dev.systems[metric].sum(1)).mean()),
                n=len(test.ids),
                signature=signature(metric, test.tokeniser),
                ills=tuple(ills),
            )
        )
    return found


def save_tallies(of: DirectionTallies, items: Sequence[str], path: Path) -> None:
    """Write tallies of a direction for contrasts, each sentence by a name it has everywhere."""
    import numpy

    numpy.savez_compressed(path, allow_pickle=False, ids=numpy.array(items), **of.systems)


def load_tallies(path: Path, random: bool) -> dict[str, Runs]:
    """Read a direction's runs back by metric."""
    import numpy

    with numpy.load(path) as file:
        ids = tuple(file["ids"].tolist())
        return {metric: Runs(ids, file[metric], random=random) for metric in METRICS}


def compare_systems(
    tallied: Mapping[Direction, tuple[Mapping[str, Runs], Mapping[str, Runs]]],
    *,
    resamples: int,
    seed: int,
) -> list[PairTest]:
    """Test the first system against the second over all directions, then in each; p as found."""
    found = []
    for metric in METRICS:
        measure = MEASURES[metric]
        pairs = {where: (a[metric], b[metric]) for where, (a, b) in tallied.items()}
        if len(pairs) > 1:
            test = joint_contrast([*pairs.values()], measure, resamples=resamples, seed=seed)
            found.append(PairTest(ALL, metric, *test))
        for where, pair in pairs.items():
            test = joint_contrast([pair], measure, resamples=resamples, seed=seed)
            found.append(PairTest("-".join(where), metric, *test))
    return found


def correct(tests: Sequence[Sequence[PairTest]]) -> list[list[PairTest]]:
    """Correct the p-values of several pairs of systems for their number (Holm 1979).

    Of each metric, the tests over all directions are one family, those of each direction another.
    """
    flat = [(n, i) for n, of_pair in enumerate(tests) for i in range(len(of_pair))]
    families: dict[tuple[str, bool], list[tuple[int, int]]] = {}
    for n, i in flat:
        test = tests[n][i]
        families.setdefault((test.metric, test.where == ALL), []).append((n, i))
    corrected = [list(of_pair) for of_pair in tests]
    for places in families.values():
        for (n, i), p in zip(places, holm([tests[n][i].p for n, i in places]), strict=True):
            corrected[n][i] = tests[n][i]._replace(p=p)
    return corrected
