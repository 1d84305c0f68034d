"""Build stages with Luigi's own scheduler and workers, and tell the truth about the outcome."""

import os
import signal
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain
from socket import create_connection
from types import FrameType
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import luigi
from luigi.execution_summary import LuigiStatusCode
from luigi.rpc import RemoteScheduler, RPCError

from models.support.errors import StageError, StoppedError
from pipeline.console import Tally, say
from pipeline.dag import descendants, find_stages
from pipeline.provenance import ask_for_provenance
from pipeline.running.workers import Crew, fits, quick_scheduler
from pipeline.settings import GPUS, THREADS, Settings, gpu_count
from pipeline.stages.stage import Stage
from pipeline.store import check_writable, sweep

DEFAULT_PORT = 8082
SECONDS_TO_ANSWER = 5
SECONDS_TO_LOOK_AGAIN = 1
SUCCESS = (LuigiStatusCode.SUCCESS, LuigiStatusCode.SUCCESS_WITH_RETRY)


class Outcome(NamedTuple):
    """What a run did."""

    built: int
    already_done: int


def run(
    targets: Sequence[Stage[Any]],
    *,
    workers: int | None = None,
    scheduler: str | None = None,
    crew: Crew | None = None,
) -> Outcome:
    """Build the targets and all they need; raise StageError when any stage failed.

    `workers` stages at a time; None: as many as suit this machine. With a scheduler (HOST:PORT or
    URL), share the work with all who work for it on this store; one at a time if None.
    """
    sweep(Settings.from_environment().store)
    missing = _missing(targets)
    if missing:
        check_writable(Settings.from_environment().store)
        Tally.expect(len(missing))
        ask_for_provenance()
        crew = crew or Crew.of_this_machine()
        workers = workers or (1 if scheduler else crew.stages_at_a_time)
        with _stopping_on_signals(), _sharing_hardware(crew, workers):
            if scheduler is None:
                _build(targets, crew, workers=workers)
            else:
                _join(targets, crew, scheduler, workers=workers)
    total = {s.task_id for target in targets for s in target.walk()}
    built = sum(stage.complete() for stage in missing.values())
    return Outcome(built=built, already_done=len(total) - len(missing))


def check_inputs(stages: Sequence[Stage[Any]]) -> None:
    """Raise StageError when a stage that is to be built needs one that is not there."""
    names = {stage.task_id for stage in stages}
    for stage in stages:
        needed = chain(*stage.inputs.values())
        lacking = [s for s in needed if not s.complete() and s.task_id not in names]
        if lacking and not stage.complete():
            first = f"{type(lacking[0]).__name__}:{lacking[0].label()}"
            more = f" and {len(lacking) - 1} more" if lacking[1:] else ""
            raise StageError(
                f"{stage.title} needs {first}{more}, which is not built; "
                "take --until to build what it needs, too"
            )


def forget(experiment: str, pattern: str) -> list[Stage[Any]]:
    """Have the stages that match, and all that build on them, built again; return those.

    Their artifacts stay until the new ones are whole. A descendant that was never built is none of
    them: it is not the user's wish that it should be. What it had begun goes all the same, since it
    was begun on what is now built anew. Of two stages the one that builds on the other is marked
    first: a kill in between leaves none on what is built anew.
    """
    sweep(Settings.from_environment().store)
    matched = find_stages(experiment, pattern)
    names = {stage.task_id for stage in matched}
    affected = descendants(experiment, matched)
    doomed = [stage for stage in affected if stage.task_id in names or stage.place.whole]
    for stage in affected:
        if stage in doomed:
            stage.place.force(needed.place for needed in chain(*stage.inputs.values()))
        else:
            stage.place.discard()
    return doomed


@Stage.event_handler(luigi.Event.PROCESS_FAILURE)  # type: ignore[untyped-decorator]
def _report_death(stage: Stage[Any], message: str) -> None:
    """Say that a stage's process died: it could not do so itself (killed, out of memory)."""
    say("FAILED", f"{stage.title}: its process died: {message}")


def _join(targets: Sequence[Stage[Any]], crew: Crew, scheduler: str, *, workers: int) -> None:
    """Work for a shared scheduler until the targets are whole, whoever builds them."""
    url = _url(scheduler)
    for stages in _too_large(_missing(targets).values(), crew):
        say("leaves", f"{stages} to a worker that has it")
    shared = crew.create_remote_scheduler(url)
    try:
        _try_again(_missing(targets), shared, url)
        # Luigi's worker ends when no stage waits to be built; one that another host builds does not
        # wait. Only the store tells what is whole, and that host may die: then this one goes on.
        while missing := _missing(targets):
            result = _run_luigi(targets, crew, workers, scheduler_url=url)
            _raise_if_given_up(missing, shared)
            if result.worker._stop_requesting_work:  # asked to, by SIGUSR1 or on Luigi's page
                raise StageError("this worker was told to take no more stages")
            time.sleep(SECONDS_TO_LOOK_AGAIN)
    except RPCError as error:
        raise StageError(f"{_no_answer(scheduler)} ({error.sub_exception})") from error


def _try_again(missing: Mapping[str, Stage[Any]], shared: RemoteScheduler, url: str) -> None:
    """Have stages tried that were given up before: whoever starts a run may have mended the cause.

    A quick proxy asks first, so that a scheduler that is mute is told at once, not after an hour.
    """
    given_up = quick_scheduler(url).task_list("DISABLED", "").keys()
    for task_id in given_up & missing.keys():
        shared.re_enable_task(task_id)


def _raise_if_given_up(missing: Mapping[str, Stage[Any]], shared: RemoteScheduler) -> None:
    """Raise StageError where a stage has failed too often, on whichever host: nobody builds it."""
    given_up = missing.keys() & shared.task_list("DISABLED", "").keys()
    if given_up:
        names = ", ".join(sorted(missing[task_id].title for task_id in given_up))
        raise StageError(f"the run did not finish; given up: {names}")


def _missing(targets: Sequence[Stage[Any]]) -> dict[str, Stage[Any]]:
    """Return the stages that are to be built, by Luigi's id."""
    return {s.task_id: s for target in targets for s in target.walk() if not s.complete()}


def _too_large(missing: Iterable[Stage[Any]], crew: Crew) -> list[str]:
    """Return what the stages to build need that a crew does not have, by kind."""
    found = {(type(s).__name__, tuple(s.needs().items())) for s in missing}
    return [
        f"{kind}, which needs {', '.join(f'{name}={amount}' for name, amount in needs)},"
        for kind, needs in sorted(found)
        if not fits(dict(needs), crew.capacity)
    ]


def _build(targets: Sequence[Stage[Any]], crew: Crew, *, workers: int) -> None:
    result = _run_luigi(targets, crew, workers, local_scheduler=True)
    if result.status not in SUCCESS:
        raise StageError(f"the run did not finish: {result.status.value[1]}")


def _run_luigi(targets: Sequence[Stage[Any]], crew: Crew, workers: int, **scheduler: Any) -> Any:
    """Have Luigi build the targets with a scheduler; return its account of it."""
    return luigi.build(
        list(targets),
        worker_scheduler_factory=crew,
        workers=workers,
        detailed_summary=True,
        log_level="CRITICAL",  # stages report their own failures
        **scheduler,
    )


@contextmanager
def _sharing_hardware(crew: Crew, workers: int) -> Iterator[None]:
    """Give each stage its share of the processors, and of the GPUs those of the crew alone.

    Where the user has said how many threads, that holds.
    """
    share = {}
    if THREADS not in os.environ:
        share[THREADS] = str(max(1, crew.capacity["cpu"] // workers))
    if crew.capacity["gpu"] < gpu_count():
        gpus = os.environ.get(GPUS) or ",".join(map(str, range(gpu_count())))
        share[GPUS] = ",".join(gpus.split(",")[: crew.capacity["gpu"]])
    before = {name: os.environ.get(name) for name in share}
    os.environ.update(share)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def _stopping_on_signals() -> Iterator[None]:
    """Raise StoppedError at Ctrl-C and SIGTERM; Luigi ends its workers on the way out."""
    received: list[int] = []
    signals = (signal.SIGINT, signal.SIGTERM)

    def stop(number: int, frame: FrameType | None) -> None:
        del frame
        received.append(number)
        for later in signals:  # the workers are on their way out
            signal.signal(later, signal.SIG_IGN)
        raise KeyboardInterrupt  # the one exception that Luigi lets pass everywhere

    before = [signal.signal(number, stop) for number in signals]
    try:
        yield
    except KeyboardInterrupt:
        raise StoppedError(*received[:1]) from None
    finally:
        for number, handler in zip(signals, before, strict=True):
            signal.signal(number, handler)


def _url(scheduler: str) -> str:
    """Return the address of a scheduler that answers."""
    parts = urlsplit(scheduler if "://" in scheduler else f"http://{scheduler}")
    try:
        port = parts.port or (DEFAULT_PORT if "://" not in scheduler else None)
    except ValueError:
        port = -1
    if parts.scheme not in ("http", "https") or not parts.hostname or port == -1:
        raise StageError(f"{scheduler!r} is not HOST:PORT or a URL, for instance localhost:8082")
    if parts.username or parts.password:
        raise StageError("a password in the scheduler's address would be logged; ~/.netrc keeps it")
    place = (parts.hostname, port or {"http": 80, "https": 443}[parts.scheme])
    try:  # Luigi itself retries for long before it says so
        create_connection(place, SECONDS_TO_ANSWER).close()
    except OSError as error:
        raise StageError(_no_answer(scheduler)) from error
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}:{place[1]}{parts.path}"


def _no_answer(scheduler: str) -> str:
    return f"no scheduler answers at {scheduler}; start one with: sprachbund scheduler"
