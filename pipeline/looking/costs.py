"""What an experiment has cost, and what its augmentation has gained for that."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pipeline.dag import built_stages
from pipeline.looking.scores import finished_scores
from pipeline.provenance import counts_all_attempts
from pipeline.reporting.records import Contrast, MtScore
from pipeline.stages.mt_scores import mt_scores
from pipeline.stages.report import Report
from pipeline.store import Manifest
from tasks.mt.contests import ALL

Record = dict[str, Any]


@dataclass(frozen=True)
class Cost:
    """What finished stages took together.

    Seconds of the clock, all processors and all GPUs, the highest memory of any in MiB, bytes.
    `interrupted` of them took several attempts, which are all in the sums; but of `incomplete`,
    from before attempts were added up, the last one alone. `without_cpu` were built before
    processor time was recorded.
    """

    stage: str
    stages: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    gpu_seconds: float = 0.0
    peak_memory_mib: int = 0
    bytes: int = 0
    interrupted: int = 0
    incomplete: int = 0
    without_cpu: int = 0

    def as_record(self) -> Record:
        """Return plain values for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Gain:
    """By how much one system is ahead of another, and the seconds that took.

    `not_usable`: those of the two whose translations are of no use in some direction.
    """

    what: str
    points: float
    seconds: float
    not_usable: tuple[str, ...] = ()

    @property
    def seconds_a_point(self) -> float | None:
        """Return the price of a point; None if nothing was gained, or by a system of no use."""
        priced = self.points > 0 and not self.not_usable
        return self.seconds / self.points if priced else None

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
        interrupted=int(manifest.get("attempt", 1) > 1),
        incomplete=int(not counts_all_attempts(manifest)),
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
        interrupted=sum(c.interrupted for c in found),
        incomplete=sum(c.incomplete for c in found),
        without_cpu=sum(c.without_cpu for c in found),
    )


def gains(experiment: str) -> list[Gain]:
    """Return what each contrast gained over all directions, or the one there is, and its price.

    The price is of what the first system was made from and the second was not.
    """
    scores = finished_scores(experiment)
    ill = {s.system for s in scores if isinstance(s, MtScore) and s.ills}
    tested = [s for s in scores if isinstance(s, Contrast) and s.of == "mt"]
    everywhere = {(c.first, c.second, c.metric) for c in tested if c.where == ALL}
    chosen = [
        c for c in tested if c.where == ALL or (c.first, c.second, c.metric) not in everywhere
    ]
    return [
        Gain(
            what=f"{c.first} over {c.second}, {c.metric}",
            points=round(c.difference, 2),
            seconds=_seconds_beyond(experiment, c.first, c.second),
            not_usable=tuple(name for name in (c.first, c.second) if name in ill),
        )
        for c in chosen
    ]


def _seconds_beyond(experiment: str, first: str, second: str) -> float:
    """Return the seconds of what makes one system and not the other."""
    made = [
        {stage.place: stage for stage in mt_scores(Report(experiment=experiment), name).walk()}
        for name in (first, second)
    ]
    extra = [stage for place, stage in made[0].items() if place not in made[1]]
    seconds = [float(s.artifact.manifest["seconds"]) for s in extra if s.usable()]
    return round(sum(seconds), 1)
