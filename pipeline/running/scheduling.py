"""Serve Luigi's scheduler: on this machine alone unless told otherwise, with state and history."""

import json
import logging
import time
from ipaddress import ip_address
from pathlib import Path

import luigi.server
from luigi.scheduler import Scheduler, Task
from luigi.task_history import TaskHistory

from models.support.errors import StageError
from pipeline.console import say
from pipeline.settings import Settings
from pipeline.stages import luigi_defaults

OPTIONS = {
    "retry_delay": "10",
    "worker_disconnect_delay": "60",
    "prune_on_get_work": "true",
}


class EventLog(TaskHistory):
    """Every stage that was begun or ended, with its host: a line of JSON each.

    Luigi's own history needs a release of SQLAlchemy that is no longer kept.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def task_scheduled(self, task: Task) -> None:
        """Leave out what is merely planned."""

    def task_started(self, task: Task, worker_host: str | None) -> None:
        """Note that a worker begins a stage."""
        self._note(task, "start", worker_host)

    def task_finished(self, task: Task, successful: bool) -> None:
        """Note that a stage has ended; one that a worker found finished was not begun."""
        if task.time_running is not None:
            self._note(task, "done" if successful else "failed", None)

    def _note(self, task: Task, event: str, host: str | None) -> None:
        when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        entry = {"at": when, "event": event, "host": host, "stage": task.family}
        with self.path.open("a", encoding="utf-8") as history:
            history.write(json.dumps({**entry, "parameters": task.params}) + "\n")


def is_local(address: str) -> bool:
    """Say whether nobody outside of this machine can reach an address."""
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"


def warning(address: str) -> str:
    """Return what somebody who opens the scheduler to a network must know."""
    return (
        "WARNING ------------------------------------------------------------------------------\n"
        f"The scheduler will listen at {address}. It asks for no password and does not encrypt:\n"
        "whoever reaches that address can read and stop your work. Use it in a network that you\n"
        "trust, or keep it at 127.0.0.1 behind a proxy that asks who is there (docs/cluster.md).\n"
        "--------------------------------------------------------------------------------------\n"
    )


def serve(address: str, port: int, socket: Path | None = None) -> None:
    """Serve at an address, or at a Unix socket, until stopped; raise StageError if it is taken."""
    folder = Settings.from_environment().store / ".scheduler"
    folder.mkdir(parents=True, exist_ok=True)
    configure(folder)
    logging.basicConfig(filename=folder / "log.txt", level=logging.INFO)
    logging.getLogger("tornado.access").setLevel(logging.WARNING)  # workers ask every second
    place = str(socket) if socket else f"http://{address}:{port}"
    say("serves", f"{place}  (state, history and log: {folder})")
    try:
        luigi.server.run(
            api_port=port,
            address=address,
            unix_socket=socket and str(socket),
            scheduler=Scheduler(task_history_impl=EventLog(folder / "history.jsonl")),
        )
    except OSError as error:
        raise StageError(f"cannot listen at {place}: {error.strerror}") from error


def configure(folder: Path) -> None:
    """Set what suits stages, where the user's luigi.cfg says nothing."""
    luigi_defaults.apply({"scheduler": {**OPTIONS, "state_path": str(folder / "state.pickle")}})
