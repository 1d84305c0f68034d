"""What stages cost, from the manifests of what a store holds."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import log
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from pipeline.looking.workload import Done, ToBuild, Work, work_of
from pipeline.provenance import counts_all_attempts, machine
from pipeline.stages.stage import Stage
from pipeline.store import MANIFEST, Artifact

NEAREST = 3
NEVER_BUILT = "never built in this store"
AS_BEFORE = "as built earlier"


class Build(NamedTuple):
    """One finished build: of what, on which machine (None: not recorded), how much it had to do.

    `seconds` are None where only those of its last attempt are known.
    """

    label: str
    experiment: str
    finished: str
    machine: str | None
    seconds: float | None
    size: int
    work: Work | None


class Forecast(NamedTuple):
    """What one stage will cost: seconds and bytes of its artifact; None where nothing tells.

    `basis` says in words what that rests on.
    """

    seconds: float | None
    size: float | None
    basis: str = ""


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
        """Return what a stage will cost, by the nearest that was built, scaled to its size.

        That is its own last build. Else, where it is known how much it has to do, those of its kind
        that had most nearly as much to do; else the median of its kind. Builds of this machine come
        before those of others.
        """
        builds = self.builds.get(type(stage).__name__, [])
        if not builds:
            return Forecast(None, None, NEVER_BUILT)
        here = [build for build in builds if build.machine in (None, machine())]
        elsewhere = "" if here else ", of other machines"
        builds, work = here or builds, work_of(ToBuild(stage))
        alike = [b for b in builds if work and b.work and b.work.kind == work.kind]
        own = self._own(stage, builds)
        if own:
            found = _as_before(own, work)
            if found.seconds is not None:
                return found._replace(basis=found.basis + elsewhere)
        size = _as_before(own, work).size if own else None
        timed = [build for build in alike if build.seconds is not None]
        found = _scaled(work, timed) if work and timed else _middle(builds)
        return found._replace(
            size=found.size if size is None else size, basis=found.basis + elsewhere
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
            basis=_bases(estimates),
        )

    def _own(self, stage: Stage[Any], builds: Iterable[Build]) -> Build | None:
        """Return the last earlier build of the very stage: of another recipe or version."""
        names = (stage.label(), stage.study.name)
        found = [build for build in builds if (build.label, build.experiment) == names]
        return max(found, key=lambda build: build.finished, default=None)


def _bases(estimates: list[Forecast]) -> str:
    """Return what estimates rest on, and how many on each."""
    found = Counter(estimate.basis for estimate in estimates)
    if len(found) == 1:
        return next(iter(found))
    return "; ".join(f"{number:,} {basis}" for basis, number in found.items())


def _as_before(own: Build, work: Work | None) -> Forecast:
    """Return what a stage's last build took, scaled where it has now more or less to do.

    What ended early will again: both are taken as planned.
    """
    before = own.work
    if not work or not before or before.kind != work.kind or work.planned == before.planned:
        return Forecast(own.seconds, own.size, AS_BEFORE)
    ratio = work.planned / before.planned
    return Forecast(
        None if own.seconds is None else own.seconds * ratio,
        own.size * work.size / before.size,
        f"{AS_BEFORE}, scaled by {work.measure}",
    )


def _scaled(work: Work, builds: Sequence[Build]) -> Forecast:
    """Return the median of the builds that had most nearly as much to do, scaled to the work.

    A training goes no further than those that ended before they had to.
    """
    amounts = [(build, build.work.done, build.work.size) for build in builds if build.work]
    ended = [build.work.done for build in builds if build.work and _ended_early(build.work)]
    amount = min(work.planned, median(ended)) if ended else work.planned
    nearest = sorted(amounts, key=lambda found: abs(log(amount / found[1])))[:NEAREST]
    until = ", as far as others went" if amount < work.planned else ""
    return Forecast(
        median((build.seconds or 0.0) * amount / done for build, done, _ in nearest),
        median(build.size * work.size / size for build, _, size in nearest),
        f"scaled by {work.measure} from {len(nearest)} of its kind{until}",
    )


def _ended_early(work: Work) -> bool:
    return work.done < work.planned


def _middle(builds: Sequence[Build]) -> Forecast:
    seconds = [build.seconds for build in builds if build.seconds is not None]
    size = median(build.size for build in builds)
    if not seconds:
        return Forecast(None, size, "unknown: of its kind only last attempts are known")
    return Forecast(median(seconds), size, f"median of {len(seconds)} of its kind")


def _read(artifact: Artifact) -> Build | None:
    """Return what a manifest says of its build; None for a file that is no manifest of a stage."""
    manifest = artifact.readable_manifest
    try:
        return Build(
            label=manifest["label"],
            experiment=manifest.get("experiment", ""),
            finished=manifest.get("finished", ""),
            machine=manifest.get("machine"),
            seconds=float(manifest["seconds"]) if counts_all_attempts(manifest) else None,
            size=sum(file["bytes"] for file in manifest["files"].values()),
            work=work_of(Done(artifact)),
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def total(costs: list[StageCost]) -> Forecast:
    """Return the sum of all costs; what is unknown is not in it."""
    return Forecast(sum(cost.seconds for cost in costs), sum(cost.size for cost in costs))


def unknown_kinds(costs: list[StageCost]) -> Iterator[str]:
    """Yield the kinds of stage of which nothing is known."""
    return (cost.stage for cost in costs if cost.unknown)
