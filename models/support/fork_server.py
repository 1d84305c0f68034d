"""A process that has imported what is slow to import, and forks for each command it is given.

`python -m models.support.fork_server LABEL MODULE...` calls `prepare()` of each module, then reads
commands from its input: a JSON list of a module and its arguments. The module's `main` is run in a
fork, in the state of a fresh interpreter after its imports; no fork sees what another has done. A
fork is safe where no thread runs: `prepare()` may import, but not compute.
"""

import atexit
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path
from typing import IO, Any, cast

from models.support.processes import (
    ChildRun,
    Output,
    die_with_parent,
    python_module,
    run_child,
    running,
)

END = "\x1eended "
"""Stands before the exit code of a fork, in the output it shares with the server."""


class FreshProcesses:
    """Runs modules in a new interpreter each: what a `ForkServer` does, wherever Python runs."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = environment

    def __enter__(self) -> "FreshProcesses":
        return self

    def __exit__(self, *error: object) -> None:
        """Do nothing: no process outlives its run."""

    def run(
        self,
        module: str,
        arguments: Sequence[str | Path],
        log: Path,
        *,
        on_line: Callable[[str], None] | None = None,
    ) -> ChildRun:
        """Run a module to its end; errors as of `run_child`."""
        argv = python_module(module, *arguments)
        return run_child(argv, log, on_line=on_line, environment=self.environment)


class ForkServer:
    """Runs modules in forks of one prepared process, which is there until the block ends.

    `label` is on the server's command line, so that `ps` tells whose it is.
    """

    def __init__(
        self, modules: Sequence[str], *, label: str | Path, environment: Mapping[str, str]
    ) -> None:
        self._argv = python_module("models.support.fork_server", label, *modules)
        self.environment = environment
        self._child = ExitStack()

    def __enter__(self) -> "ForkServer":
        self._start()
        return self

    def __exit__(self, *error: Any) -> None:
        self._server.kill()  # it has nothing to finish
        self._child.__exit__(*error)

    def run(
        self,
        module: str,
        arguments: Sequence[str | Path],
        log: Path,
        *,
        on_line: Callable[[str], None] | None = None,
    ) -> ChildRun:
        """Run a module to its end as `run_child` would; the same errors."""
        argv = python_module(module, *arguments)
        output = Output(argv, log, on_line)
        if self._server.poll() is not None:  # killed, or it failed to import
            self._child.close()
            self._start()
        self._code = 0
        output.follow(self._lines([module, *map(str, arguments)]))
        return output.finish(self._code)

    def _start(self) -> None:
        self._server = self._child.enter_context(
            running(self._argv, environment=self.environment, stdin=subprocess.PIPE)
        )

    def _lines(self, command: list[str]) -> Iterator[str]:
        """Hand a command over and yield what its fork says."""
        stdin = cast("IO[str]", self._server.stdin).fileno()
        with suppress(BrokenPipeError):  # its output says why
            os.write(stdin, json.dumps(command).encode() + b"\n")
        for line in self._server.stdout or ():
            said, end, code = line.partition(END)
            if said:
                yield said
            if end:
                self._code = int(code)
                if self._code == 0:
                    return
                self._server.kill()  # what the fork has started ends, too, and has its last say
        died_of = self._server.wait()
        self._code = self._code or died_of or 1


def serve() -> None:
    """Fork for each command on the input and say how each fork ended.

    A fork of multiprocessing leaves without taking the interpreter apart, which with torch in it
    takes most of a second; nor does it call what waits for the exit, so `run` does.
    """
    for command in sys.stdin:
        fork = get_context("fork").Process(target=run, args=(os.getpid(), *json.loads(command)))
        fork.start()
        fork.join()
        os.write(sys.stdout.fileno(), f"{END}{fork.exitcode}\n".encode())


def run(server: int, module: str, *arguments: str) -> None:
    """Be the process that runs a module, unless the server has died meanwhile."""
    die_with_parent()
    if os.getppid() != server:
        return
    sys.argv = [module, *arguments]
    try:
        import_module(module).main(list(arguments))
    finally:
        atexit._run_exitfuncs()  # learning curves are flushed there


if __name__ == "__main__":
    die_with_parent()
    for name in sys.argv[2:]:
        import_module(name).prepare()
    serve()
