"""Build stages with Luigi's own scheduler and workers, and tell the truth about the outcome."""

import shutil
from collections.abc import Sequence
from importlib import import_module
from typing import Any, NamedTuple

import luigi
from luigi.execution_summary import LuigiStatusCode
from luigi.rpc import RPCError

from models.errors import StageError
from pipeline.dag import descendants, find_stages
from pipeline.settings import Settings
from pipeline.stage import Stage
from pipeline.store import sweep

SUCCESS = (LuigiStatusCode.SUCCESS, LuigiStatusCode.SUCCESS_WITH_RETRY)


class Outcome(NamedTuple):
    """What a run did."""

    built: int
    already_done: int


def run(
    targets: Sequence[Stage[Any]], *, workers: int = 1, scheduler: str | None = None
) -> Outcome:
    """Build the targets and all they need; raise StageError when any stage failed."""
    sweep(Settings.from_environment().store)
    missing = {s.task_id: s for target in targets for s in target.walk() if not s.complete()}
    if missing:
        for library in {name for stage in missing.values() for name in stage.LIBRARIES}:
            import_module(library)
        _build(targets, workers=workers, scheduler=scheduler)
    total = {s.task_id for target in targets for s in target.walk()}
    return Outcome(built=len(missing), already_done=len(total) - len(missing))


def forget(experiment: str, pattern: str) -> list[Stage[Any]]:
    """Remove the artifacts of the stages that match and of all their descendants."""
    doomed = descendants(experiment, find_stages(experiment, pattern))
    for stage in doomed:
        shutil.rmtree(stage.place.work, ignore_errors=True)
        shutil.rmtree(stage.place.artifact, ignore_errors=True)
    return doomed


def _build(targets: Sequence[Stage[Any]], *, workers: int, scheduler: str | None) -> None:
    host, _, port = (scheduler or "").partition(":")
    options = {"scheduler_host": host, "scheduler_port": int(port or 8082)} if scheduler else {}
    try:
        result = luigi.build(
            list(targets),
            workers=workers,
            local_scheduler=scheduler is None,
            detailed_summary=True,
            log_level="CRITICAL",  # stages report their own failures
            **options,
        )
    except RPCError as error:
        raise StageError(
            f"no scheduler answers at {scheduler}; start one with: luigid --address 127.0.0.1"
        ) from error
    if result.status not in SUCCESS:
        raise StageError(f"the run did not finish: {result.status.value[1]}")
