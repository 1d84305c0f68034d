"""What an experiment has cost, and what its augmentation has gained for that."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from statistics import mean
from typing import Any

from pipeline.dag import all_stages
from pipeline.scoring import finished_scores
from pipeline.stage import Stage
from tasks.transfer import STRATEGIES

AUGMENTATION = ("MonolingualSample", "TaskText", "SyntheticBitext")
Record = dict[str, Any]


@dataclass(frozen=True)
class Cost:
    """What finished stages took together.

    Seconds of the clock and of all processors, the highest memory of any in MiB, bytes on disk.
    `incomplete` of them were interrupted: only their last attempt is counted. `without_cpu` were
    built before processor time was recorded.
    """

    stage: str
    stages: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    peak_memory_mib: int = 0
    bytes: int = 0
    incomplete: int = 0
    without_cpu: int = 0

    def as_record(self) -> Record:
        """Return plain values for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Gain:
    """What the last round is ahead of round 0 by, on average, and the seconds that took."""

    what: str
    points: float
    seconds: float

    @property
    def seconds_a_point(self) -> float | None:
        """Return the price of a point; None if nothing was gained."""
        return self.seconds / self.points if self.points > 0 else None

    def as_record(self) -> Record:
        """Return plain values for JSON."""
        return {**asdict(self), "seconds_a_point": self.seconds_a_point}


def costs(experiment: str) -> list[Cost]:
    """Return the cost of each kind of stage, in the order of the DAG, of what is built."""
    by_kind: dict[str, list[Record]] = {}
    for stage in reversed(all_stages(experiment)):
        if stage.complete():
            by_kind.setdefault(type(stage).__name__, []).append(stage.artifact.manifest)
    return [summed(kind, manifests) for kind, manifests in by_kind.items()]


def summed(name: str, manifests: Iterable[Record]) -> Cost:
    """Return what some builds took together."""
    found = list(manifests)
    return Cost(
        stage=name,
        stages=len(found),
        seconds=round(sum(m["seconds"] for m in found), 1),
        cpu_seconds=round(sum(m.get("cpu_seconds", 0.0) for m in found), 1),
        peak_memory_mib=max((m["peak_memory_mib"] for m in found), default=0),
        bytes=sum(file["bytes"] for m in found for file in m["files"].values()),
        incomplete=sum(m.get("attempt", 1) > 1 for m in found),
        without_cpu=sum("cpu_seconds" not in m for m in found),
    )


def total(found: list[Cost]) -> Cost:
    """Return the sum of costs."""
    return Cost(
        stage="total",
        stages=sum(c.stages for c in found),
        seconds=round(sum(c.seconds for c in found), 1),
        cpu_seconds=round(sum(c.cpu_seconds for c in found), 1),
        peak_memory_mib=max((c.peak_memory_mib for c in found), default=0),
        bytes=sum(c.bytes for c in found),
        incomplete=sum(c.incomplete for c in found),
        without_cpu=sum(c.without_cpu for c in found),
    )


def gains(experiment: str) -> list[Gain]:
    """Return what back-translation and retraining gained in BLEU and in the tasks' macro-F1.

    Only what two rounds have in common counts; without two rounds there is nothing to return.
    """
    scores = finished_scores(experiment)
    rounds = sorted({r["engine"] for r in scores if r["engine"].startswith("nmt-")})
    if len(rounds) < 2:
        return []
    seconds = sum(
        stage.artifact.manifest["seconds"]
        for stage in all_stages(experiment)
        if stage.complete() and _augments(stage)
    )
    bleu = [r for r in scores if r["kind"] == "mt" and r["metric"] == "BLEU"]
    task = [r for r in scores if r["kind"] == "task" and r["metric"] == "macro-F1"]
    translated = [r for r in task if r["strategy"] in STRATEGIES]
    found = (
        ("BLEU", _ahead(bleu, rounds[0], rounds[-1], ("direction",))),
        (
            "macro-F1 of translate-train and translate-test, in points of 0.01",
            _ahead(translated, rounds[0], rounds[-1], ("task", "language", "strategy", "encoder")),
        ),
    )
    return [
        Gain(what, round(100 * points if "macro" in what else points, 2), round(seconds, 1))
        for what, points in found
        if points is not None
    ]


def _augments(stage: Stage[Any]) -> bool:
    retrained = type(stage).__name__ == "NmtModel" and stage.label() != "round-0"
    return retrained or type(stage).__name__ in AUGMENTATION


def _ahead(records: list[Record], first: str, last: str, place: tuple[str, ...]) -> float | None:
    """Return by how much one engine is ahead of another on average where both have scores."""
    by_engine: dict[str, dict[tuple[Any, ...], float]] = {first: {}, last: {}}
    for record in records:
        if record["engine"] in by_engine:
            where = tuple(record[name] for name in place)
            by_engine[record["engine"]][where] = record["score"]
    common = by_engine[first].keys() & by_engine[last].keys()
    if not common:
        return None
    return mean(by_engine[last][where] - by_engine[first][where] for where in common)
