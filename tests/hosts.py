"""Two hosts work for one scheduler; one is cut off in the middle of a stage and comes back.

`unshare -rmn python -m tests.hosts EXPERIMENT STORE`: the second host is a network namespace with
an address of its own; both see the store. Prints a JSON record of what each process said.
"""

import json
import os
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from threading import Thread

import psutil

from tests.conftest import COMMAND

PORT = "8099"
HERE, THERE = "10.77.0.1", "10.77.0.2"
LUIGI = "[scheduler]\nworker_disconnect_delay = 4\nretry_delay = 1\n"
LONGEST_WAIT = 300


def shell(*argv: str) -> None:
    """Run a command that must succeed."""
    subprocess.run(argv, check=True)


def make_hosts() -> None:
    """Make a network namespace that reaches this one over a cable of its own."""
    shell("mount", "-t", "tmpfs", "tmpfs", "/run")
    shell("ip", "netns", "add", "other")
    shell("ip", "link", "add", "here", "type", "veth", "peer", "name", "there", "netns", "other")
    shell("ip", "addr", "add", f"{HERE}/24", "dev", "here")
    shell("ip", "link", "set", "here", "up")
    shell("ip", "link", "set", "lo", "up")
    for device in ("there", "lo"):
        shell("ip", "-n", "other", "link", "set", device, "up")
    shell("ip", "-n", "other", "addr", "add", f"{THERE}/24", "dev", "there")


class Process:
    """A command of one of the hosts; its messages are collected as they come."""

    def __init__(self, host: tuple[str, ...], store: Path, *arguments: str) -> None:
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            [*host, *COMMAND, *arguments],
            env={**os.environ, "SPRACHBUND_STORE": str(store)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for line in self.process.stderr or ():
            self.lines.append(line)

    def wait_for(self, text: str) -> None:
        """Wait until the process has said something."""
        deadline = time.monotonic() + LONGEST_WAIT
        while not any(text in line for line in self.lines):
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise RuntimeError(f"no {text!r} in:\n{''.join(self.lines)}")
            time.sleep(0.1)

    def end(self) -> int:
        """Wait for the end; return the exit code."""
        return self.process.wait(LONGEST_WAIT)

    def stop(self) -> None:
        """End the process and all that it has started."""
        with suppress(psutil.NoSuchProcess):
            parent = psutil.Process(self.process.pid)
            for process in (*parent.children(recursive=True), parent):
                process.kill()
        self.process.wait()


def training_of(store: Path) -> psutil.Process:
    """Return the one process that trains below a store: the fork of the server."""
    (server,) = (
        process
        for process in psutil.process_iter(["cmdline"])
        if "models.nmt.launch" in (process.info["cmdline"] or ())
        and any(str(store) in part for part in process.info["cmdline"])
        and process.children()
    )
    (training,) = server.children()
    return training


def main(experiment: str, store: Path) -> None:
    """Play the scene and print what happened."""
    make_hosts()
    store.mkdir(parents=True, exist_ok=True)
    (store / "luigi.cfg").write_text(LUIGI, encoding="utf-8")
    os.environ["LUIGI_CONFIG_PATH"] = str(store / "luigi.cfg")
    scheduler = Process((), store, "scheduler", "--address", HERE, "--port", PORT)
    started = [scheduler]
    try:
        scheduler.wait_for("serves")
        work = ("worker", experiment, "--scheduler", f"{HERE}:{PORT}")
        started.append(far := Process(("ip", "netns", "exec", "other"), store, *work))
        far.wait_for("epoch")
        training = training_of(store)
        training.suspend()  # so that it surely lasts until the other worker is asked
        started.append(near := Process((), store, *work))
        shell("ip", "link", "set", "here", "down")
        near.wait_for("waits")  # the scheduler has given up on the far worker and asks this one
        training.resume()
        near.wait_for("found  TrainedModel")
        shell("ip", "link", "set", "here", "up")
        codes = [near.end(), far.end()]
    finally:
        for process in started:
            process.stop()
    record = {"codes": codes, "near": near.lines, "far": far.lines, "scheduler": scheduler.lines}
    sys.stdout.write(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
