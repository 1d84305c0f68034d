"""Luigi's scheduler and workers, fitted to stages: what they import, what they have room for."""

import gc
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from luigi.rpc import RemoteScheduler
from luigi.scheduler import Scheduler
from luigi.worker import TaskStatusReporter, Worker
from tenacity import RetryCallState, Retrying, stop_after_delay, wait_fixed

from models.support.errors import SpecError
from pipeline.console import say
from pipeline.settings import cores, gpu_count

Capacity = Mapping[str, int]
"""What a worker has, or a stage needs: cpu, gpu, or any other name, and how many of it."""

SECONDS_FOR_A_MESSAGE = 2.0
SECONDS_TO_TELL = 0.5
SECONDS_TO_ASK_AGAIN = 5
SECONDS_OF_PATIENCE = 3600
NEVER = 10**9
MOST_STAGES = 4
OF_ALL_STAGES = ("pyarrow.parquet", "pandas")
"""All artifacts are Parquet, and pyarrow looks whether what it writes is of pandas."""


def fits(needs: Capacity, capacity: Capacity) -> bool:
    """Say whether a worker has what a stage needs."""
    return all(capacity.get(name, 0) >= amount for name, amount in needs.items())


def load(libraries: Sequence[str]) -> None:
    """Import what is missing of libraries; tell where that takes a while."""
    missing = [library for library in libraries if library not in sys.modules]
    started = time.monotonic()
    for library in missing:
        import_module(library)
    seconds = time.monotonic() - started
    if seconds >= SECONDS_TO_TELL:
        say("loaded", f"{', '.join(missing)}  {seconds:.1f} s")


class PatientScheduler(RemoteScheduler):
    """A shared scheduler that is asked again when the network is down, and says so once.

    A worker that is cut off goes on with its stage, and reports it when the network is back.
    """

    lost = False

    def _get_retryer(self) -> Retrying:
        return Retrying(
            wait=wait_fixed(SECONDS_TO_ASK_AGAIN),
            stop=stop_after_delay(SECONDS_OF_PATIENCE),
            after=self._say_once,
            reraise=True,
        )

    def _say_once(self, state: RetryCallState) -> None:
        if not self.lost and state.outcome:
            self.lost = True
            cause = state.outcome.exception()
            say("lost", f"the scheduler at {self._url}: {cause}; asking again for an hour")

    def _fetch(self, url_suffix: str, body: Any) -> Any:
        answer = super()._fetch(url_suffix, body)
        self.lost = False
        return answer


def quick_scheduler(url: str) -> RemoteScheduler:
    """Return a proxy that asks once: for what may be lost, but must not hold up a stage."""
    quick = RemoteScheduler(url, connect_timeout=SECONDS_FOR_A_MESSAGE)
    quick._rpc_retry_attempts = 1
    quick._rpc_log_retries = False
    return quick


class StageWorker(Worker):
    """Runs stages in forks. On a shared scheduler it takes those alone that it has room for.

    A local scheduler counts the processors that running stages use: trainings that need a part of
    them each run side by side. A shared one knows no hosts: there each worker tells which stages it
    is able to run, and runs one at a time.
    """

    def __init__(self, *, capacity: Capacity, messenger: RemoteScheduler | None, **options: Any):
        self.capacity = capacity
        self.messenger = messenger
        super().__init__(**options)

    def __enter__(self) -> "StageWorker":
        """Let the thread that says "alive" ask once each time: a stop waits for its end."""
        super().__enter__()
        if self.messenger:
            self._keep_alive_thread._scheduler = self.messenger
        return self

    def _get_work_task_id(self, get_work_response: Mapping[str, Any]) -> str | None:
        """Take what this worker has asked for alone; Luigi would import whatever it is told."""
        task_id = get_work_response.get("task_id")
        return task_id if task_id in self._scheduled_tasks else None

    def _add_task(self, *args: Any, **kwargs: Any) -> None:
        """Tell the scheduler about a stage, with what it needs of this machine.

        Luigi's own `resources` of a task are one number for all hosts.
        """
        stage = self._scheduled_tasks.get(kwargs["task_id"])
        if stage is not None and self.messenger:
            # The scheduler would take one host's processors for everybody's. A stage that does not
            # fit here is told all the same, for others to take: as known, but not runnable by us.
            kwargs["resources"] = {}
            if kwargs.get("runnable") and not fits(stage.needs(), self.capacity):
                kwargs["runnable"] = False
        elif stage is not None:
            kwargs["resources"] = self._share_of(stage)
        super()._add_task(*args, **kwargs)

    def _share_of(self, stage: Any) -> Capacity:
        """Return what a stage occupies of this machine while it runs.

        Nobody else will ever take it: a stage that wants more processors than there are gets all.
        One that computes on a GPU has all GPUs to itself, since each takes the first it sees.
        """
        share = {"cpu": min(stage.needs()["cpu"], self.capacity["cpu"])}
        return {**share, "gpu": self.capacity["gpu"]} if stage.gpus() else share

    def _create_task_process(self, task: Any) -> Any:
        """Import what the stage needs before the fork: once, not in each stage again.

        Nor has each stage to search for garbage among all that was there before it.
        """
        load((*OF_ALL_STAGES, *task.LIBRARIES))
        gc.freeze()
        process = super()._create_task_process(task)
        if self.messenger:
            process.status_reporter = TaskStatusReporter(
                self.messenger, task.task_id, self._id, scheduler_messages=None
            )
        return process


@dataclass(frozen=True)
class Crew:
    """Makes the scheduler and the worker of a run, as `luigi.build` asks for them."""

    capacity: Capacity

    @classmethod
    def of_this_machine(cls) -> "Crew":
        """Return a crew with all processors there are."""
        return cls({"cpu": cores(), "gpu": gpu_count()})

    @classmethod
    def described(cls, resources: str) -> "Crew":
        """Return a crew with what `cpu=2,gpu=1` says; raise SpecError for anything else."""
        capacity = dict(cls.of_this_machine().capacity)
        for part in resources.split(","):
            name, _, amount = part.strip().partition("=")
            if not name or not amount.isdecimal():
                raise SpecError(f"{resources!r} does not name resources as in cpu=2,gpu=1")
            capacity[name] = int(amount)
        if not capacity["cpu"]:
            raise SpecError(f"{resources!r}: a worker needs a processor")
        return cls(capacity)

    @property
    def stages_at_a_time(self) -> int:
        """How many stages suit this crew: one a processor, but few; a GPU is not shared."""
        return 1 if self.capacity["gpu"] else min(self.capacity["cpu"], MOST_STAGES)

    def create_local_scheduler(self) -> Scheduler:
        """Return a scheduler for this process alone.

        Its worker cannot be lost: a clock that jumps, as after a sleep, must not look like that.
        """
        return Scheduler(
            resources=dict(self.capacity),
            worker_disconnect_delay=NEVER,
            remove_delay=NEVER,
            prune_on_get_work=True,
            record_task_history=False,
        )

    def create_remote_scheduler(self, url: str) -> RemoteScheduler:
        """Return a proxy of the shared scheduler."""
        return PatientScheduler(url)

    def create_worker(
        self,
        scheduler: Scheduler | RemoteScheduler,
        worker_processes: int,
        assistant: bool = False,
    ) -> StageWorker:
        """Return a worker; on a shared scheduler it stays while anything is left to do."""
        options: dict[str, Any] = {"scheduler": scheduler, "worker_processes": worker_processes}
        messenger = None
        if isinstance(scheduler, RemoteScheduler):
            options |= {"keep_alive": True, "wait_interval": 1.0, "wait_jitter": 1.0}
            messenger = quick_scheduler(scheduler._url)
        return StageWorker(
            capacity=self.capacity, messenger=messenger, assistant=assistant, **options
        )
