"""Look at the DAG and at single artifacts without building anything."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.markup import escape
from rich.tree import Tree

from models.support.errors import StageError
from pipeline.console import visible
from pipeline.looking.causes import Explanation, direct_causes
from pipeline.looking.history import Forecast, History
from pipeline.reporting.words import duration, size
from pipeline.settings import Settings
from pipeline.specs.loading import load_experiment
from pipeline.stages.report import Report
from pipeline.stages.stage import Stage
from pipeline.stages.ways import left_out
from pipeline.store import MANIFEST, Artifact
from tasks.records import count_records, read_records


@dataclass(frozen=True)
class Planned:
    """A stage of a plan: whether it is done, else why it will run and what that will cost.

    `seconds` and `bytes` are estimates from earlier builds, `basis` says which; None where nothing
    tells.
    """

    stage: str
    label: str
    done: bool
    artifact: Path
    causes: list[str]
    seconds: float | None
    bytes: float | None
    basis: str
    inputs: list[str]

    @property
    def name(self) -> str:
        """The stage with its label, as `rerun` takes it."""
        return f"{self.stage}:{self.label}"

    def as_record(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {**asdict(self), "artifact": str(self.artifact)}


def plan(experiment: str) -> list[Planned]:
    """Return every stage of an experiment, the report first."""
    history = History(Settings.from_environment().store)
    return [_planned(stage, history) for stage in Report(experiment=experiment).walk()]


def _planned(stage: Stage[Any], history: History) -> Planned:
    done = stage.complete()
    estimate = Forecast(None, None) if done else history.estimate(stage)
    needed = (s for stages in stage.inputs.values() for s in stages)
    return Planned(
        stage=type(stage).__name__,
        label=stage.label(),
        done=done,
        artifact=stage.place.artifact,
        causes=[] if done else direct_causes(stage),
        seconds=estimate.seconds,
        bytes=estimate.size,
        basis=estimate.basis,
        inputs=[f"{type(s).__name__}:{s.label()}" for s in needed],
    )


def plan_tree(planned: list[Planned]) -> Tree:
    """Return the DAG as a tree below the report.

    A stage that several others need is written out once; later mentions end in an arrow.
    """
    by_name = {stage.name: stage for stage in planned}
    tree = Tree(_line(planned[0]))
    _grow(tree, planned[0], by_name, seen=set())
    return tree


def _grow(tree: Tree, stage: Planned, by_name: Mapping[str, Planned], seen: set[str]) -> None:
    seen.add(stage.name)
    for name in stage.inputs:
        if name in seen:
            tree.add(f"[dim]{escape(name.replace(':', ' ', 1))} ↑[/dim]")
        else:
            _grow(tree.add(_line(by_name[name])), by_name[name], by_name, seen)


def _line(stage: Planned) -> str:
    name = f"{stage.stage} {escape(stage.label)}"
    if stage.done:
        return f"[green]done[/green]  {name}  [dim]{_shown(stage.artifact)}[/dim]"
    cost = "" if stage.seconds is None else f"  about {duration(stage.seconds)}"
    why, *more = stage.causes
    others = f" (and {len(more)} more)" if more else ""
    return f"[yellow]to run[/yellow]  {name}  [dim]{escape(why)}{others}{cost}[/dim]"


def plan_gaps(experiment: str) -> list[str]:
    """Return a sentence for each strategy that stands in no plan for want of labelled text."""
    return list(left_out(load_experiment(experiment)))


def plan_summary(planned: list[Planned]) -> str:
    """Return how much is done, and what the rest will take as far as history tells."""
    missing = [stage for stage in planned if not stage.done]
    done = f"{len(planned) - len(missing)} of {len(planned)} stages are done"
    known = [stage for stage in missing if stage.seconds is not None]
    if not known:
        return done
    cost = duration(sum(stage.seconds or 0 for stage in known))
    disk = size(sum(stage.bytes or 0 for stage in known))
    unknown = len(missing) - len(known)
    rest = f", without {unknown} that no earlier run tells of" if unknown else ""
    bases = Counter(re.split(",? (?:from|of) ", stage.basis)[0] for stage in known)
    told = "; ".join(f"{number:,} {basis}" for basis, number in bases.most_common())
    return f"{done}; the others take about {cost} and {disk}{rest} (estimated: {told})"


def explanation_tree(found: Explanation) -> Tree:
    """Return what sets a stage and its inputs apart from their earlier artifacts."""
    tree = Tree(_explained(found))
    _grow_causes(tree, found, seen=set())
    return tree


def _grow_causes(tree: Tree, found: Explanation, seen: set[int]) -> None:
    seen.add(id(found))
    for cause in found.causes:
        again = cause.of is not None and id(cause.of) in seen
        branch = tree.add(f"{escape(cause.text)}{' ↑' if again else ''}")
        if cause.of is not None and not again:
            _grow_causes(branch, cause.of, seen)


def _explained(found: Explanation) -> str:
    state = "done" if found.stage.complete() else "to run"
    against = f"against {_shown(found.earlier)}" if found.earlier else "nothing to compare with"
    against += f" of the study {escape(found.other_study)}" if found.other_study else ""
    name = f"{type(found.stage).__name__} {escape(found.stage.label())}"
    return f"{state}  {name}  [dim]{against}[/dim]"


def _shown(path: Path) -> str:
    here = Path.cwd()
    return escape(str(path.relative_to(here) if path.is_relative_to(here) else path))


def describe_artifact(folder: Path, *, samples: int) -> Iterator[str]:
    """Yield the manifest of an artifact and a few records of each of its files."""
    folder = folder.parent if folder.name == MANIFEST else folder
    if not (folder / MANIFEST).is_file():
        store = Settings.from_environment().store
        raise StageError(f"{folder} is not an artifact (no {MANIFEST}); look below {store}")
    yield f"[bold]{escape(str(folder))}[/bold]"
    yield _as_json(Artifact(folder).manifest, indent=2)
    for path in sorted(folder.rglob("*.parquet")):
        yield f"[bold]{escape(path.name)}[/bold]  {count_records(path):,} records"
        for record, _ in zip(read_records(path), range(samples), strict=False):
            yield f"  {_as_json(record)}"


def _as_json(value: Any, *, indent: int | None = None) -> str:
    """Return a value as JSON that rich prints as it is."""
    return escape(visible(json.dumps(value, indent=indent, ensure_ascii=False)))
