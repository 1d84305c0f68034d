"""Look at the DAG and at single artifacts without building anything."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.markup import escape
from rich.tree import Tree

from models.errors import StageError
from pipeline.settings import Settings
from pipeline.stage import Stage
from pipeline.stages.report import Report
from pipeline.store import MANIFEST, Artifact
from tasks.records import count_records, read_records


def plan_tree(experiment: str) -> tuple[Tree, int, int]:
    """Return the DAG as a tree below the report, and how many of its stages are done.

    A stage that several others need is written out once; later mentions end in an arrow.
    """
    seen: dict[str, bool] = {}
    report = Report(experiment=experiment)
    tree = Tree(_line(report))
    _grow(tree, report, seen)
    return tree, sum(seen.values()), len(seen)


def _grow(tree: Tree, stage: Stage[Any], seen: dict[str, bool]) -> None:
    seen[stage.task_id] = stage.complete()
    for needed in (s for stages in stage.inputs.values() for s in stages):
        if needed.task_id in seen:
            tree.add(f"[dim]{type(needed).__name__} {escape(needed.label())} ↑[/dim]")
        else:
            _grow(tree.add(_line(needed)), needed, seen)


def _line(stage: Stage[Any]) -> str:
    name = f"{type(stage).__name__} {escape(stage.label())}"
    state = "[green]done[/green]" if stage.complete() else "[yellow]missing[/yellow]"
    return f"{state}  {name}  [dim]{_shown(stage.place.artifact)}[/dim]"


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
    yield escape(json.dumps(Artifact(folder).manifest, indent=2, ensure_ascii=False))
    for path in sorted(folder.rglob("*.parquet")):
        yield f"[bold]{escape(path.name)}[/bold]  {count_records(path):,} records"
        for record, _ in zip(read_records(path), range(samples), strict=False):
            yield f"  {escape(json.dumps(record, ensure_ascii=False))}"
