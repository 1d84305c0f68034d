"""What stages cost, from the manifests of what a store holds."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from pipeline.stages.stage import Stage
from pipeline.store import MANIFEST, Artifact


class Build(NamedTuple):
    """One finished build: what it was of, its seconds (None if it was interrupted) and bytes."""

    label: str
    experiment: str
    finished: str
    seconds: float | None
    size: int


class Forecast(NamedTuple):
    """What one stage will cost: seconds and bytes of its artifact; None where nothing tells."""

    seconds: float | None
    size: float | None


@dataclass(frozen=True)
class StageCost:
    """What the missing stages of one kind will cost together.

    `unknown` of them are of a kind that was never built, so the sums leave them out; `basis` says
    what the sums come from.
    """

    stage: str
    done: int
    missing: int
    unknown: int
    seconds: float
    size: int
    basis: str


class History:
    """The finished builds of a store, by kind of stage."""

    def __init__(self, store: Path) -> None:
        self.builds: dict[str, list[Build]] = defaultdict(list)
        for path in sorted(store.glob(f"[!.]*/*/{MANIFEST}")):
            if (build := _read(Artifact(path.parent))) is not None:
                self.builds[path.parent.parent.name].append(build)

    def estimate(self, stage: Stage[Any]) -> Forecast:
        """Return what a stage will cost: its own last build, else the median of its kind."""
        own = _middle(self._own(stage)[-1:])
        kind = _middle(self.builds.get(type(stage).__name__, []))
        return Forecast(
            kind.seconds if own.seconds is None else own.seconds,
            kind.size if own.size is None else own.size,
        )

    def costs(self, stages: Iterable[Stage[Any]]) -> list[StageCost]:
        """Return the costs of stages by kind, in the order in which the kinds first come."""
        by_kind: dict[str, list[Stage[Any]]] = {}
        for stage in stages:
            by_kind.setdefault(type(stage).__name__, []).append(stage)
        return [self._cost(kind, found) for kind, found in by_kind.items()]

    def _cost(self, kind: str, stages: list[Stage[Any]]) -> StageCost:
        missing = [stage for stage in stages if not stage.complete()]
        estimates = [self.estimate(stage) for stage in missing]
        return StageCost(
            stage=kind,
            done=len(stages) - len(missing),
            missing=len(missing),
            unknown=sum(e.seconds is None for e in estimates),
            seconds=sum(e.seconds or 0.0 for e in estimates),
            size=round(sum(e.size or 0.0 for e in estimates)),
            basis=self._basis(kind, missing),
        )

    def _basis(self, kind: str, missing: list[Stage[Any]]) -> str:
        builds = self.builds.get(kind, [])
        own = sum(bool(self._own(stage)) for stage in missing)
        if not missing:
            return ""
        if not builds:
            return "never built in this store"
        if own == len(missing):
            return "as built earlier"
        others = f"median of {len(builds)} of its kind"
        return f"{own} as built earlier, else {others}" if own else others

    def _own(self, stage: Stage[Any]) -> list[Build]:
        """Return earlier builds of the very stage, the last one last: other recipe or version."""
        names = (stage.label(), stage.study.name)
        builds = self.builds.get(type(stage).__name__, [])
        found = [build for build in builds if (build.label, build.experiment) == names]
        return sorted(found, key=lambda build: build.finished)


def _middle(builds: list[Build]) -> Forecast:
    seconds = [build.seconds for build in builds if build.seconds is not None]
    sizes = [build.size for build in builds]
    return Forecast(median(seconds) if seconds else None, median(sizes) if sizes else None)


def _read(artifact: Artifact) -> Build | None:
    """Return what a manifest says of its build; None for a file that is no manifest of a stage."""
    manifest = artifact.readable_manifest
    try:
        whole = manifest.get("attempt", 1) == 1
        return Build(
            label=manifest["label"],
            experiment=manifest.get("experiment", ""),
            finished=manifest.get("finished", ""),
            seconds=float(manifest["seconds"]) if whole else None,  # else: the last attempt's only
            size=sum(file["bytes"] for file in manifest["files"].values()),
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def total(costs: list[StageCost]) -> Forecast:
    """Return the sum of all costs; what is unknown is not in it."""
    return Forecast(sum(cost.seconds for cost in costs), sum(cost.size for cost in costs))


def unknown_kinds(costs: list[StageCost]) -> Iterator[str]:
    """Yield the kinds of stage of which nothing is known."""
    return (cost.stage for cost in costs if cost.unknown)
