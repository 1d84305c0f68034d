"""What an experiment has cost, and what its augmentation has gained for that."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import mean
from typing import Any

from pipeline.dag import built_stages
from pipeline.looking.scores import finished_scores
from pipeline.specs.experiment import engine_round
from pipeline.stages.stage import Stage
from pipeline.store import Manifest
from tasks.statistics import MACRO_F1

AUGMENTATION = ("MonolingualSample", "TaskText", "BackTranslation", "SyntheticBitext")
Record = dict[str, Any]


@dataclass(frozen=True)
class Cost:
    """What finished stages took together.

    Seconds of the clock, all processors and all GPUs, the highest memory of any in MiB, bytes.
    `incomplete` of them were interrupted: only their last attempt is counted. `without_cpu` were
    built before processor time was recorded.
    """

    stage: str
    stages: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    gpu_seconds: float = 0.0
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
    by_kind: dict[str, list[Cost]] = {}
    for stage in reversed(built_stages(experiment)):
        kind = type(stage).__name__
        by_kind.setdefault(kind, []).append(cost_of_one(stage.artifact.manifest))
    return [total(found, kind) for kind, found in by_kind.items()]


def cost_of_one(manifest: Manifest) -> Cost:
    """Return what one build took."""
    return Cost(
        stage=manifest["stage"],
        stages=1,
        seconds=manifest["seconds"],
        cpu_seconds=manifest.get("cpu_seconds", 0.0),
        gpu_seconds=manifest.get("gpu_seconds", 0.0),
        peak_memory_mib=manifest["peak_memory_mib"],
        bytes=sum(file["bytes"] for file in manifest["files"].values()),
        incomplete=int(manifest.get("attempt", 1) > 1),
        without_cpu=int("cpu_seconds" not in manifest),
    )


def total(found: Sequence[Cost], name: str = "total") -> Cost:
    """Return the sum of costs."""
    return Cost(
        stage=name,
        stages=sum(c.stages for c in found),
        seconds=round(sum(c.seconds for c in found), 1),
        cpu_seconds=round(sum(c.cpu_seconds for c in found), 1),
        gpu_seconds=round(sum(c.gpu_seconds for c in found), 1),
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
    bleu = [r for r in scores if r["kind"] == "mt" and r["metric"] == "BLEU"]
    trained = {r["engine"] for r in bleu if engine_round(r["engine"]) is not None}
    rounds = sorted(trained, key=lambda engine: engine_round(engine) or 0)
    if len(rounds) < 2:
        return []
    built = built_stages(experiment)
    seconds = round(sum(s.artifact.manifest["seconds"] for s in built if _augments(s)), 1)
    task = [r for r in scores if r["kind"] == "task" and r["metric"] == MACRO_F1]
    ahead = (
        ("BLEU", _ahead(bleu, rounds[0], rounds[-1], ("direction",)), 1),
        (
            "macro-F1 of translate-train and translate-test, in points of 0.01",
            _ahead(task, rounds[0], rounds[-1], ("task", "language", "strategy", "encoder")),
            100,
        ),
    )
    return [
        Gain(what, round(scale * points, 2), seconds)
        for what, points, scale in ahead
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
