"""A prepared process forks for each command, and what happens in a fork stays there."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from models.support.errors import OutOfMemoryError, ProcessError
from models.support.fork_server import ForkServer, FreshProcesses

MODULE = """
import atexit, os, signal, sys
state = []

def prepare():
    state.append("prepared")

def main(arguments):
    state.append(arguments[0])
    print(os.getpid(), *state, sys.stdin.read())
    if arguments[0] == "fail":
        raise ValueError("no such thing")
    if arguments[0] == "starve":
        raise MemoryError
    if arguments[0] == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if arguments[0] == "die with server":
        os.kill(os.getppid(), signal.SIGKILL)
    if arguments[0] == "exit":
        atexit.register(print, "left")
        sys.exit(0)
    if arguments[0] == "unended":
        sys.stdout.write("no end of line")
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ForkServer]:
    (tmp_path / "working.py").write_text(MODULE)
    with ForkServer(["working"], label="here", environment={"PYTHONPATH": str(tmp_path)}) as server:
        yield server


def said(server: ForkServer, word: str, log: Path) -> list[str]:
    lines: list[str] = []
    server.run("working", [word], log, on_line=lines.append)
    return lines


def test_each_fork_begins_where_the_preparation_ended(server: ForkServer, tmp_path: Path) -> None:
    first, second = (said(server, word, tmp_path / "log") for word in ("one", "two"))
    assert first[0].split()[1:] == ["prepared", "one"]
    assert second[0].split()[1:] == ["prepared", "two"]
    assert first[0].split()[0] != second[0].split()[0]
    assert (tmp_path / "log").read_text() == first[0] + second[0]


def test_a_run_is_recorded_as_the_command_that_would_repeat_it(
    server: ForkServer, tmp_path: Path
) -> None:
    run = server.run("working", ["one", tmp_path], tmp_path / "log")
    assert run.argv[-4:] == ["-m", "working", "one", str(tmp_path)]
    assert run.seconds >= 0


def test_an_unended_line_is_said_too(server: ForkServer, tmp_path: Path) -> None:
    assert said(server, "unended", tmp_path / "log")[-1] == "no end of line"
    assert len(said(server, "one", tmp_path / "log")) == 1


def test_what_waits_for_the_exit_of_a_fork_is_called(server: ForkServer, tmp_path: Path) -> None:
    assert said(server, "exit", tmp_path / "log")[1:] == ["left\n"]


def test_fresh_processes_do_the_same(server: ForkServer, tmp_path: Path) -> None:
    (tmp_path / "working.py").write_text(MODULE + "prepare()\nmain(sys.argv[1:])\n")
    with FreshProcesses(server.environment) as fresh:
        said: list[str] = []
        run = fresh.run("working", ["one"], tmp_path / "log", on_line=said.append)
        assert said[0].split()[1:] == ["prepared", "one"]
        assert run.argv[-3:] == ["-m", "working", "one"]
        with pytest.raises(ProcessError, match="no such thing"):
            fresh.run("working", ["fail"], tmp_path / "log")


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("fail", r"exited with 1[\s\S]*ValueError: no such thing"),
        ("die", "was killed by signal 9"),
        ("die with server", "was killed by signal 9"),
    ],
)
def test_a_fork_that_fails_is_reported_and_the_next_one_runs(
    server: ForkServer, tmp_path: Path, word: str, message: str
) -> None:
    with pytest.raises(ProcessError, match=message):
        said(server, word, tmp_path / "log")
    assert said(server, "one", tmp_path / "log")[0].split()[1:] == ["prepared", "one"]


def test_want_of_memory_in_a_fork_is_known(server: ForkServer, tmp_path: Path) -> None:
    with pytest.raises(OutOfMemoryError):
        said(server, "starve", tmp_path / "log")


def test_a_module_that_cannot_be_prepared_is_reported(tmp_path: Path) -> None:
    with (
        ForkServer(["not_there"], label="here", environment={}) as server,
        pytest.raises(ProcessError, match="No module named 'not_there'"),
    ):
        said(server, "one", tmp_path / "log")


def test_an_error_while_following_ends_server_and_fork(tmp_path: Path) -> None:
    (tmp_path / "endless.py").write_text(
        "import os, time\nprepare = dict\n"
        "def main(arguments):\n"
        "    print(os.getppid(), os.getpid(), flush=True)\n    time.sleep(60)\n"
    )
    pids: list[int] = []

    def stop(line: str) -> None:
        pids.extend(map(int, line.split()))
        raise KeyboardInterrupt

    def run() -> None:
        environment = {"PYTHONPATH": str(tmp_path)}
        with ForkServer(["endless"], label="here", environment=environment) as server:
            server.run("endless", [], tmp_path / "log", on_line=stop)

    with pytest.raises(KeyboardInterrupt):
        run()
    wait_until_gone(pids)


def test_a_killed_server_is_started_again(server: ForkServer, tmp_path: Path) -> None:
    (child,) = (  # others may be ending: those have no command line
        process
        for process in psutil.process_iter(["ppid", "cmdline"])
        if process.info["ppid"] == os.getpid()
        and "models.support.fork_server" in (process.info["cmdline"] or ())
    )
    child.kill()
    child.wait()
    assert said(server, "one", tmp_path / "log")[0].split()[1:] == ["prepared", "one"]


def wait_until_gone(pids: list[int]) -> None:
    until = time.monotonic() + 10
    while any(map(goes_on, pids)):
        assert time.monotonic() < until, f"{pids} go on"
        time.sleep(0.05)


def goes_on(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
