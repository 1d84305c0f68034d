"""The artifact store: one folder per built thing, present means whole.

<store>/<Stage>/<label>-<fingerprint>/   the artifact; `manifest.json` is written last
<store>/.work/<Stage>/<label>-<fingerprint>/
    draft/     the artifact being built, renamed once into its place
    replaced/  an older artifact that gives way to the draft
    scratch/   what lets an interrupted build resume: checkpoints, finished shards
    log.txt    output of child processes, moved to <store>/.logs/ with success
    curves/    learning curves of a training, for TensorBoard, moved there, too
    forced     there while an artifact is to be built again (`rerun`): which one, from which inputs
    attempts   how often this build was begun, and what that has taken so far

An artifact that is to be built again stays, whole, until the new one is. It is not `complete`: what
builds on it waits. It is `usable` while its inputs are those it was built from.
"""

import contextlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryFile
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple

from models.support.errors import StageError
from models.support.processes import ChildRun
from pipeline.console import say
from pipeline.provenance import Meter, git_commit, machine, tool_versions
from tasks.progress import Progress
from tasks.sources.fetching import sha256_of

if TYPE_CHECKING:
    from filelock import BaseFileLock

MANIFEST = "manifest.json"
END_OF_MANIFEST = b"\n}\n"
FORCED = "forced"
DRAFT = "draft"
REPLACED = "replaced"
Manifest = dict[str, Any]


class Artifact(NamedTuple):
    """A finished folder and what its manifest says."""

    folder: Path

    @property
    def manifest(self) -> Manifest:
        """The parsed manifest."""
        data: Manifest = json.loads((self.folder / MANIFEST).read_text(encoding="utf-8"))
        return data

    @property
    def readable_manifest(self) -> Manifest:
        """The manifest; empty where it is missing or damaged."""
        try:
            data = self.manifest
        except (OSError, ValueError):
            return {}
        return data if isinstance(data, dict) else {}

    @property
    def store(self) -> Path:
        """The store it lies in."""
        return self.folder.parents[1]

    def path(self, name: str) -> Path:
        """Return the path of a file or folder inside the artifact, which must exist."""
        path = self.folder / name
        if not path.exists():
            raise StageError(f"artifact {self.folder} has no {name}: remove the folder and rerun")
        return path


class Place(NamedTuple):
    """Where one artifact, its work folder and its log lie in a store."""

    store: Path
    stage: str
    name: str

    @property
    def key(self) -> str:
        """What manifests call the artifact."""
        return f"{self.stage}/{self.name}"

    @property
    def artifact(self) -> Path:
        return self.store / self.stage / self.name

    @property
    def work(self) -> Path:
        return self.store / ".work" / self.stage / self.name

    @property
    def log(self) -> Path:
        return self.store / ".logs" / self.stage / f"{self.name}.log"

    @property
    def curves(self) -> Path:
        return self.store / ".logs" / self.stage / self.name

    @property
    def whole(self) -> bool:
        """Whether it is there and whole: its manifest, written last, is there to its last byte."""
        try:
            with (self.artifact / MANIFEST).open("rb") as manifest:
                manifest.seek(-len(END_OF_MANIFEST), os.SEEK_END)
                return manifest.read() == END_OF_MANIFEST
        except OSError:
            return False

    @property
    def complete(self) -> bool:
        """Whether it is whole and need not be built again."""
        return self.whole and not self.forced

    @property
    def usable(self) -> bool:
        """Whether it may be read: one that is to be built again, while its inputs are the same."""
        if not self.whole:
            return False
        inputs = self._forced.get("inputs", {}) if self.forced else {}
        return all(self._beside(key).identity == noted for key, noted in inputs.items())

    @property
    def forced(self) -> bool:
        """Whether what is there now, if anything, is to be built again."""
        return self._forced.get("artifact") == self.identity

    @property
    def identity(self) -> str:
        """The sha256 of the manifest, which no two builds share; empty if there is no artifact."""
        return sha256_of(self.artifact / MANIFEST) if self.whole else ""

    def force(self, inputs: Iterable["Place"]) -> None:
        """Note that it is to be built again, and forget what of that was begun.

        What is there stays until the new artifact is whole. Where it waited for that already, the
        inputs that it was built from are those noted then.
        """
        again = self.forced
        self.work.mkdir(parents=True, exist_ok=True)
        for left in self.work.iterdir():
            if left.name != FORCED:
                _remove(left)
        if not again:
            note = {"artifact": self.identity, "inputs": {i.key: i.identity for i in inputs}}
            draft = self.work / f"{FORCED}.tmp"
            draft.write_text(json.dumps(note), encoding="utf-8")
            draft.replace(self.work / FORCED)

    def discard(self) -> None:
        """Remove the artifact and its work folder; a kill in between leaves no half artifact.

        The artifact goes first: without the note in its work folder it would seem up to date.
        """
        discarded = self.work / "discarded"
        shutil.rmtree(discarded, ignore_errors=True)
        if self.artifact.exists():
            self.work.mkdir(parents=True, exist_ok=True)
            self.artifact.rename(discarded)
        if self.work.exists():
            shutil.rmtree(self.work)

    def finish_replacing(self) -> None:
        """Put the new artifact in its place where a kill came when the old one had just left it."""
        if (self.work / REPLACED).exists():
            if not self.artifact.exists():
                new = self.work / DRAFT
                (new if new.exists() else self.work / REPLACED).rename(self.artifact)
            shutil.rmtree(self.work)

    @property
    def _forced(self) -> dict[str, Any]:
        """The note of what is to be built again; empty if there is none."""
        try:
            note = json.loads((self.work / FORCED).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return note if isinstance(note, dict) else {}

    def _beside(self, key: str) -> "Place":
        """Return another place of the same store."""
        stage, _, name = key.partition("/")
        return Place(self.store, stage, name)


def _remove(path: Path) -> None:
    """Remove a file, or a folder with all that is in it."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()


class Share(NamedTuple):
    """What a build has of the machine: processors, and GPUs that it uses."""

    cpus: int = 1
    gpus: int = 0


class Draft:
    """An artifact being built: its folder, its scratch space and what to record of it."""

    def __init__(self, place: Place, progress: Progress, share: Share | None = None) -> None:
        self.place = place
        self.progress = progress
        self.cpus, self.gpus = share or Share()
        self.counts: dict[str, Any] = {}
        self.scores: list[dict[str, Any]] = []
        self.facts: dict[str, Any] = {}
        self.children: list[ChildRun] = []
        self.folder = place.work / DRAFT  # becomes the artifact
        shutil.rmtree(self.folder, ignore_errors=True)  # whatever a killed build left there
        self.folder.mkdir(parents=True)
        self.meter = Meter(place.work / "attempts", gpus=self.gpus)

    def __enter__(self) -> "Draft":
        self.meter.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave nothing of a failed build but its scratch folder, its log and what it took."""
        if error is not None:
            self.meter.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    @cached_property
    def scratch(self) -> Path:
        """A folder that survives an interruption of this very build."""
        folder = self.place.work / "scratch"
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    @property
    def log(self) -> Path:
        """The log of child processes."""
        return self.place.work / "log.txt"

    @property
    def curves(self) -> Path:
        """The folder of learning curves, for TensorBoard."""
        return self.place.work / "curves"

    def path(self, name: str) -> Path:
        """Return the path of a file to write."""
        return self.folder / name

    def lines_done(self, done: int, total: int) -> None:
        """Report progress in lines."""
        self.progress(done / max(total, 1), f"{done:,} of {total:,} lines")

    def publish(self, identity: dict[str, Any]) -> None:
        """Write the manifest and move the folder into its place, in one rename."""
        self._keep(self.log, self.place.log)
        self._keep(self.curves, self.place.curves)
        publish(self.place, self.folder, {**identity, **self._record()})

    @staticmethod
    def _keep(made: Path, place: Path) -> None:
        """Move a log beside the logs of other stages, in the place of an earlier one."""
        if not made.exists():
            return
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(place, ignore_errors=True)
        made.replace(place)

    def _record(self) -> dict[str, Any]:
        files = {
            str(path.relative_to(self.folder)): {
                "sha256": sha256_of(path),
                "bytes": path.stat().st_size,
            }
            for path in sorted(self.folder.rglob("*"))
            if path.is_file()
        }
        spent = self.meter.stop()
        return {
            "counts": self.counts,
            "scores": self.scores,
            **self.facts,
            "files": files,
            "attempt": spent.attempts,
            "seconds": spent.seconds,
            "seconds_before": self.meter.before.seconds,
            "cpu_seconds": spent.cpu_seconds,
            "gpu_seconds": spent.gpu_seconds,
            "peak_memory_mib": spent.peak_memory_mib,
            "children": [child._asdict() for child in self.children],
            "tools": tool_versions(),
            "commit": git_commit(),
            "machine": machine(),
            "finished": datetime.now(UTC).isoformat(timespec="milliseconds"),
        }


def publish(place: Place, folder: Path, manifest: Manifest) -> None:
    """Write the manifest of a finished folder and move it into its place, in one rename.

    All bytes are on the disk before the rename: neither a kill nor a loss of power leaves an
    artifact that looks whole and is not. An older one gives way to it: what a kill between the two
    renames leaves, `finish_replacing` mends.
    """
    text = json.dumps(manifest, indent=1, ensure_ascii=False)
    (folder / MANIFEST).write_text(f"{text}\n", encoding="utf-8")
    for path in folder.rglob("*"):
        _to_disk(path)
    _to_disk(folder)
    place.artifact.parent.mkdir(parents=True, exist_ok=True)
    if place.whole:
        place.work.mkdir(parents=True, exist_ok=True)
        place.artifact.rename(place.work / REPLACED)
    elif place.artifact.exists():
        say("broken", f"{place.artifact} was not whole: its manifest is missing or cut off")
        shutil.rmtree(place.artifact)
    folder.rename(place.artifact)
    _to_disk(place.artifact.parent)
    shutil.rmtree(place.work, ignore_errors=True)


def _to_disk(path: Path) -> None:
    """Have the system write a file, or a folder's list of names, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def lineage(artifacts: Iterable[Artifact]) -> dict[Artifact, Manifest]:
    """Return artifacts and all they were built from, upstream first, with their manifests.

    Raises StageError where one of them was removed.
    """
    found: dict[Artifact, Manifest] = {}

    def visit(artifact: Artifact) -> None:
        if artifact in found:
            return
        manifest = _manifest_of_ancestor(artifact)
        for key in manifest["upstream"]:
            visit(Artifact(artifact.store / key))
        found[artifact] = manifest

    for artifact in artifacts:
        visit(artifact)
    return found


def _manifest_of_ancestor(artifact: Artifact) -> Manifest:
    try:
        return artifact.manifest
    except FileNotFoundError as error:
        stage, name = artifact.folder.parent.name, artifact.folder.name
        raise StageError(
            f"{artifact.folder} was removed; a report tells how every figure came about and needs "
            f"its manifest: sprachbund rerun EXPERIMENT {stage}:{name.rpartition('-')[0]}"
        ) from error


@contextlib.contextmanager
def exclusive(place: Place) -> Iterator[None]:
    """Hold the right to build one artifact; the lock falls with the process that holds it."""
    from filelock import Timeout

    lock = _lock(place)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        say("waits", f"{place.stage} {place.name}: another process is building it")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def in_use(place: Place) -> bool:
    """Say whether a process is building an artifact."""
    from filelock import Timeout

    try:
        with _lock(place).acquire(timeout=0):
            return False
    except Timeout:
        return True


def _lock(place: Place) -> "BaseFileLock":
    from filelock import FileLock

    locks = place.store / ".locks"
    locks.mkdir(parents=True, exist_ok=True)
    return FileLock(locks / f"{place.stage}-{place.name}.lock")


def check_writable(store: Path) -> None:
    """Raise StageError, before anything is begun, when nothing can be written to a store."""
    try:
        store.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=store):
            pass
    except OSError as error:
        raise StageError(
            f"the store {store} cannot be written: {error.strerror}; "
            "SPRACHBUND_STORE names another folder"
        ) from error


def sweep(store: Path) -> None:
    """Finish what a kill cut off at its end: a replacement, the removal of a work folder."""
    for work in (store / ".work").glob("*/*"):
        place = Place(store, work.parent.name, work.name)
        if (work / REPLACED).exists() and not in_use(place):
            with exclusive(place):
                place.finish_replacing()
        if place.complete:
            shutil.rmtree(work, ignore_errors=True)
