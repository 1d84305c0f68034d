"""`versions.lock`: which code each stage's `VERSION` stands for.

`python -m pipeline.looking.versions` writes it anew, unless the code of a stage changed and its
`VERSION` did not; with `--same REASON` such changes are marked as of the same results. With
`--check` it writes nothing, and ends with 1 where the lock does not fit the code.
"""

import argparse
import json
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from models.support.errors import SprachbundError, StageError
from pipeline.looking.reach import Key, Project, StageCode

ROOT = Path(__file__).parents[2]
LOCK = "versions.lock"
MOST_NAMED = 8
HEADER = """\
# What the VERSION of each stage stands for: digests of the code that its `build` reaches.
# Written by `make lock`, see CONTRIBUTING.md; a test compares it with the code.
"""
WAYS_OUT = """\
Where results may change, raise the stage's VERSION, say so in CHANGELOG.md, and run `make lock`.
Where they are the same to the last byte, run `make lock SAME="why they are"`.
"""


class Locked(NamedTuple):
    """A stage as it was locked."""

    version: int
    code: str


class Mark(NamedTuple):
    """Stages whose code changed last without another result, and why so."""

    reason: str
    stages: tuple[str, ...]


class Lock(NamedTuple):
    """Stages, marks, and the digest of every piece of code that a stage reaches."""

    stages: Mapping[str, Locked] = {}
    same: tuple[Mark, ...] = ()
    code: Mapping[Key, str] = {}


class CodeChange(NamedTuple):
    """How a stage differs from its lock; `unsettled`: its code does, its version does not."""

    stage: str
    what: str
    unsettled: bool = False

    def __str__(self) -> str:
        return f"{self.stage}: {self.what}"


def changes(lock: Lock, now: Mapping[str, StageCode]) -> Iterator[CodeChange]:
    """Yield the stages that differ from their lock."""
    for name in sorted({*lock.stages, *now}):
        if name not in now:
            yield CodeChange(name, "is no stage any more")
        elif name not in lock.stages:
            yield CodeChange(name, "is a new stage")
        elif now[name].version != lock.stages[name].version:
            yield CodeChange(name, f"VERSION {lock.stages[name].version} -> {now[name].version}")
        elif now[name].digest != lock.stages[name].code:
            pieces = _changed_pieces(lock, now[name])
            what = f"VERSION is still {now[name].version}, but its code changed: {pieces}"
            yield CodeChange(name, what, unsettled=True)


def _changed_pieces(lock: Lock, now: StageCode) -> str:
    changed = [
        key.dotted if key in lock.code else f"{key.dotted} (new)"
        for key, digest in sorted(now.pieces.items())
        if lock.code.get(key) != digest
    ]
    if not changed:
        return "it reaches other pieces than before"
    more = len(changed) - MOST_NAMED
    return ", ".join(changed[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def renewed(lock: Lock, now: Mapping[str, StageCode], *, same: str = "") -> Lock:
    """Return the lock of the code as it is now.

    Raises StageError, which names stages and functions, where code changed without its version and
    no reason says why the results are the `same`. A stage's last mark stays until its next version.
    """
    found = list(changes(lock, now))
    unsettled = [change for change in found if change.unsettled]
    if unsettled and not same:
        raise StageError("\n".join(map(str, unsettled)) + f"\n{WAYS_OUT}".rstrip())
    outdated = {change.stage for change in found}
    kept = [Mark(mark.reason, _without(mark.stages, outdated)) for mark in lock.same]
    if unsettled:
        kept.append(Mark(same, tuple(change.stage for change in unsettled)))
    return Lock(
        stages={name: Locked(code.version, code.digest) for name, code in now.items()},
        same=tuple(mark for mark in kept if mark.stages),
        code={key: digest for code in now.values() for key, digest in code.pieces.items()},
    )


def _without(names: Sequence[str], others: set[str]) -> tuple[str, ...]:
    return tuple(name for name in names if name not in others)


def check(lock: Lock, now: Mapping[str, StageCode]) -> None:
    """Raise StageError where the lock does not fit the code."""
    found = list(changes(lock, now))
    renewed(lock, now)
    if found:
        raise StageError("\n".join(map(str, found)) + "\nRun `make lock`, and commit the lock.")


def read_lock(path: Path) -> Lock:
    """Read a lock; an empty one where there is none. Raises StageError for what is no lock."""
    if not path.exists():
        return Lock()
    try:
        read = tomllib.loads(path.read_text(encoding="utf-8"))
        return Lock(
            {name: Locked(**stage) for name, stage in read["stages"].items()},
            tuple(Mark(mark["reason"], tuple(mark["stages"])) for mark in read.get("same", ())),
            {
                Key(module, name): digest
                for module, pieces in read["code"].items()
                for name, digest in pieces.items()
            },
        )
    except (tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise StageError(
            f"{path}: not a lock ({error}); take it from the commit before, then run `make lock`"
        ) from error


def lock_text(lock: Lock) -> str:
    """Return a lock as TOML, a line for each stage and each piece, so that merges stay small."""
    lines = [HEADER, "[stages]"]
    for name, stage in sorted(lock.stages.items()):
        lines.append(f"{name} = {{ version = {stage.version}, code = {_quoted(stage.code)} }}")
    for mark in lock.same:
        stages = ", ".join(map(_quoted, sorted(mark.stages)))
        lines += ["", "[[same]]", f"reason = {_quoted(mark.reason)}", f"stages = [{stages}]"]
    module = ""
    for key, digest in sorted(lock.code.items()):
        if key.module != module:
            module = key.module
            lines += ["", f"[code.{_quoted(module)}]"]
        lines.append(f"{_key(key.name)} = {_quoted(digest)}")
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _quoted(name)


def main(arguments: Sequence[str], *, root: Path = ROOT) -> int:
    """Check or write the lock; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m pipeline.looking.versions")
    parser.add_argument("--check", action="store_true", help="write nothing; 1 if it does not fit")
    parser.add_argument("--same", default="", metavar="REASON", help="why results are the same")
    options = parser.parse_args(arguments)
    path = root / LOCK
    try:
        lock, now = read_lock(path), Project(root).stages()
        if options.check:
            check(lock, now)
        else:
            path.write_text(lock_text(renewed(lock, now, same=options.same)), encoding="utf-8")
    except SprachbundError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    said = [str(change) for change in changes(lock, now)] or [f"{LOCK} fits the code"]
    sys.stdout.write("\n".join(said) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
