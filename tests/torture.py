"""Kill a run again and again, resume it, and compare the end with that of an undisturbed run.

`python -m tests.torture --kills 60`, or `make torture KILLS=60`: a small sandbox study in a store
of its own. Each kind of stage gets its share of the kills; each kill is a SIGKILL to the whole
process group at a random moment of a stage. Prints a table; ends with 1 on any difference.
"""

import argparse
import itertools
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Timer
from typing import Any, NamedTuple

from tests.conftest import COMMAND, write_experiment

LATEST = 0.9
"""Share of a stage's usual time by which the kill comes: it should find the stage at work."""


QUICK = 0.1
"""Seconds of a stage that the undisturbed run has not timed."""


class Fate(NamedTuple):
    """What became of the artifacts of one kind of stage."""

    stage: str
    kills: int
    artifacts: int
    resumed: int
    equal: int
    leftovers: int

    @property
    def well(self) -> bool:
        """Say whether nothing differs and nothing is left over."""
        return self.equal == self.artifacts and not self.leftovers


def manifests(store: Path) -> dict[str, dict[str, Any]]:
    """Return the manifest of every artifact by its key."""
    return {
        str(path.parent.relative_to(store)): json.loads(path.read_text(encoding="utf-8"))
        for path in store.glob("[!.]*/*/manifest.json")
    }


def contents(store: Path) -> dict[str, Any]:
    """Return counts, scores and the sha256 of every file of every artifact.

    A report prints seconds and memory, which differ from run to run: of it, the scores count.
    """
    return {
        name: {
            "counts": manifest["counts"],
            "scores": manifest["scores"],
            **{
                file: facts["sha256"]
                for file, facts in manifest["files"].items()
                if manifest["stage"] != "Report" or file == "scores.json"
            },
        }
        for name, manifest in manifests(store).items()
    }


def leftovers(store: Path) -> Counter[str]:
    """Count the files of unfinished builds by kind of stage."""
    works = store / ".work"
    files = (path for path in works.rglob("*") if path.is_file())
    return Counter(path.relative_to(works).parts[0] for path in files)


def shares(kinds: Sequence[str], kills: int) -> Counter[str]:
    """Deal kills out to kinds of stage in turn."""
    return Counter(itertools.islice(itertools.cycle(kinds), kills))


class Message(NamedTuple):
    """What a run says of a stage: `12:00:01  start  Bitext  hub-sis`."""

    event: str
    stage: str
    label: str

    @classmethod
    def parse(cls, line: str) -> "Message":
        """Read a line; what is missing of it is empty."""
        event, stage, label = [*line.split()[1:], "", "", ""][:3]
        return cls(event, stage, label)

    @property
    def title(self) -> str:
        """The stage and its label."""
        return f"{self.stage} {self.label}"


class Tormentor:
    """Run commands on a store and kill them in the stages that still have kills to come.

    * ``owed``: kills to come, by kind of stage; ``kills``: those that hit.
    * ``usual``: the seconds of each stage when nobody disturbs it, by its title.
    """

    def __init__(
        self, store: Path, owed: Counter[str], usual: Mapping[str, float], *, seed: int
    ) -> None:
        self.store = store
        self.owed = owed
        self.usual = usual
        self.kills: Counter[str] = Counter()
        self.commands: Counter[str] = Counter()
        self.random = random.Random(seed)  # noqa: S311
        self.timers: dict[str, Timer] = {}

    def run(self, *arguments: str) -> bool:
        """Run a command; say whether it came to its end. Raises RuntimeError where it failed."""
        self.commands[arguments[0]] += 1
        lines: list[str] = []
        with self._started(arguments) as process:
            for line in process.stderr or ():
                lines.append(line)
                self._heed(Message.parse(line), process)
        for title in [*self.timers]:
            self._spare(title)
        if process.returncode not in (0, -signal.SIGKILL):
            said = "".join(lines[-20:])
            raise RuntimeError(f"{' '.join(arguments)} ended with {process.returncode}:\n{said}")
        return process.returncode == 0

    def _started(self, arguments: Sequence[str]) -> subprocess.Popen[str]:
        """Start a command in a process group of its own."""
        return subprocess.Popen(
            [*COMMAND, *arguments],
            env={**os.environ, "SPRACHBUND_STORE": str(self.store)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def _heed(self, told: Message, process: subprocess.Popen[str]) -> None:
        """Choose when to kill a stage that begins and is owed a kill; spare one that has ended."""
        if told.event == "start" and self.owed[told.stage] > 0:
            latest = LATEST * self.usual.get(told.title, QUICK)
            when = self.random.uniform(0, latest)
            self.timers[told.title] = Timer(when, self._kill, (process, told.stage))
            self.timers[told.title].start()
        elif told.event in ("done", "FAILED"):
            self._spare(told.title)

    def _spare(self, title: str) -> None:
        """Call off the kill of a stage, if there is one to come."""
        if timer := self.timers.pop(title, None):
            timer.cancel()

    def _kill(self, process: subprocess.Popen[str], stage: str) -> None:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            return
        self.kills[stage] += 1
        self.owed[stage] -= 1


def torture(
    experiment: Path, undisturbed: Path, store: Path, *, kills: int, seed: int
) -> list[Fate]:
    """Build an experiment in `store` under kills; compare with the undisturbed store."""
    expected = manifests(undisturbed)
    in_order = sorted(expected.values(), key=lambda manifest: str(manifest["finished"]))
    kinds = list(dict.fromkeys(str(manifest["stage"]) for manifest in in_order))
    usual = {f"{m['stage']} {m['label']}": float(m["seconds"]) for m in in_order}
    tormentor = Tormentor(store, shares(kinds, kills), usual, seed=seed)
    while not tormentor.run("run", str(experiment)):
        pass
    while owed := [kind for kind in kinds if tormentor.owed[kind] > 0]:  # too quick to be hit
        done = tormentor.run("rerun", str(experiment), owed[0])
        while not done:
            done = tormentor.run("run", str(experiment))
    sys.stdout.write(f"commands: {dict(tormentor.commands)}\n")
    return compare(undisturbed, store, tormentor.kills, kinds)


def compare(
    undisturbed: Path, store: Path, kills: Counter[str], kinds: Sequence[str]
) -> list[Fate]:
    """Return a row for each kind of stage."""
    expected, found = contents(undisturbed), contents(store)
    attempts = {name: m["attempt"] for name, m in manifests(store).items()}
    left = leftovers(store)
    rows = []
    for kind in kinds:
        names = [name for name in expected | found if name.startswith(f"{kind}/")]
        rows.append(
            Fate(
                stage=kind,
                kills=kills[kind],
                artifacts=len(names),
                resumed=sum(attempts.get(name, 1) > 1 for name in names),
                equal=sum(expected.get(name) == found.get(name) for name in names),
                leftovers=left[kind],
            )
        )
    return rows


def table(rows: Sequence[Fate]) -> str:
    """Return rows as text, their sums last."""
    sums = Fate("all", *(sum(column) for column in list(zip(*rows, strict=True))[1:]))
    lines = [
        f"{'stage':20}{'kills':>6}{'artifacts':>10}{'resumed':>8}{'equal':>6}{'left over':>10}"
    ]
    lines += [
        f"{r.stage:20}{r.kills:>6}{r.artifacts:>10}{r.resumed:>8}{r.equal:>6}{r.leftovers:>10}"
        for r in [*rows, sums]
    ]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Run a small study undisturbed, then under kills; return 1 on any difference."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        experiment = write_experiment(folder / "manifests")
        untouched = Tormentor(folder / "undisturbed", Counter(), {}, seed=0)
        untouched.run("run", str(experiment))
        rows = torture(
            experiment,
            folder / "undisturbed",
            folder / "killed",
            kills=options.kills,
            seed=options.seed,
        )
    sys.stdout.write(table(rows))
    return 0 if all(row.well for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
