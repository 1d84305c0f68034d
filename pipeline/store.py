"""The artifact store: one folder per built thing, present means whole.

<store>/<Stage>/<label>-<fingerprint>/   the artifact; `manifest.json` is written last
<store>/.work/<Stage>/<label>-<fingerprint>/
    draft/     the artifact being built, renamed once into its place
    scratch/   what lets an interrupted build resume: checkpoints, finished shards
    log.txt    output of child processes, moved to <store>/.logs/ with success
    curves/    learning curves of a training, for TensorBoard, moved there, too
    forced     there while an artifact that `rerun` removed has not been built again
    attempts   how often this build was begun; `seconds` in the manifest are those of the last
"""

import contextlib
import json
import os
import platform
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from tempfile import TemporaryFile
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple

from models.support.errors import StageError
from models.support.processes import ChildRun
from pipeline.console import say
from tasks.progress import Progress
from tasks.sources.fetching import sha256_of

if TYPE_CHECKING:
    from filelock import BaseFileLock

MANIFEST = "manifest.json"
END_OF_MANIFEST = b"\n}\n"
FORCED = "forced"
Manifest = dict[str, Any]
TOOLS = ("torch", "fairseq-fixed", "ctranslate2", "sentencepiece", "sacrebleu", "scikit-learn",
         "transformers", "datasets", "luigi", "systran-align", "numpy")  # fmt: skip


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
    def complete(self) -> bool:
        """Whether the artifact is whole: its manifest, written last, is there to its last byte."""
        try:
            with (self.artifact / MANIFEST).open("rb") as manifest:
                manifest.seek(-len(END_OF_MANIFEST), os.SEEK_END)
                return manifest.read() == END_OF_MANIFEST
        except OSError:
            return False

    @property
    def forced(self) -> bool:
        """Whether it was removed to be built again."""
        return (self.work / FORCED).is_file()

    def force(self) -> None:
        """Note that it was removed to be built again; the next build takes the note away."""
        self.work.mkdir(parents=True, exist_ok=True)
        (self.work / FORCED).touch()

    def discard(self) -> None:
        """Remove the artifact and its work folder; a kill in between leaves no half artifact."""
        discarded = self.work / "discarded"
        if self.work.exists():
            shutil.rmtree(self.work)
        if self.artifact.exists():
            discarded.parent.mkdir(parents=True)
            self.artifact.rename(discarded)
            shutil.rmtree(self.work)


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
        self.started = time.monotonic()
        self.cpu_before = cpu_seconds()
        self.folder = place.work / "draft"  # becomes the artifact
        shutil.rmtree(self.folder, ignore_errors=True)  # whatever a killed build left there
        self.folder.mkdir(parents=True)
        self.attempt = self._count_attempt()

    def __enter__(self) -> "Draft":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave nothing of a failed build but its scratch folder and its log."""
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

    def _count_attempt(self) -> int:
        """Return which attempt at this build it is: an interrupted one leaves its work folder."""
        note = self.place.work / "attempts"
        attempt = int(note.read_text() or 0) + 1 if note.exists() else 1
        note.write_text(str(attempt))
        return attempt

    def _record(self) -> dict[str, Any]:
        seconds = round(time.monotonic() - self.started, 2)
        return {
            "counts": self.counts,
            "scores": self.scores,
            **self.facts,
            "files": {
                str(path.relative_to(self.folder)): {
                    "sha256": sha256_of(path),
                    "bytes": path.stat().st_size,
                }
                for path in sorted(self.folder.rglob("*"))
                if path.is_file()
            },
            "attempt": self.attempt,
            "seconds": seconds,
            "cpu_seconds": round(cpu_seconds() - self.cpu_before, 2),
            "gpu_seconds": round(seconds * self.gpus, 2),
            "peak_memory_mib": peak_memory_mib(),
            "children": [child._asdict() for child in self.children],
            "tools": tool_versions(),
            "commit": git_commit(),
            "finished": datetime.now(UTC).isoformat(timespec="milliseconds"),
        }


def publish(place: Place, folder: Path, manifest: Manifest) -> None:
    """Write the manifest of a finished folder and move it into its place, in one rename.

    All bytes are on the disk before the rename: neither a kill nor a loss of power leaves an
    artifact that looks whole and is not.
    """
    text = json.dumps(manifest, indent=1, ensure_ascii=False)
    (folder / MANIFEST).write_text(f"{text}\n", encoding="utf-8")
    for path in folder.rglob("*"):
        _to_disk(path)
    _to_disk(folder)
    place.artifact.parent.mkdir(parents=True, exist_ok=True)
    if place.artifact.exists():
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
    """Remove work folders of whole artifacts: leftovers of a kill after the last rename."""
    for work in (store / ".work").glob("*/*"):
        if Place(store, work.parent.name, work.name).complete:
            shutil.rmtree(work, ignore_errors=True)


def cpu_seconds() -> float:
    """Return the processor time of this process and of its finished children so far."""
    used = [resource.getrusage(w) for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in used)


def peak_memory_mib() -> int:
    """Return the highest resident memory of this process or any child so far, in MiB."""
    kib = max(
        resource.getrusage(who).ru_maxrss
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    return int(kib / 1024 / (1024 if sys.platform == "darwin" else 1))


@lru_cache
def tool_versions() -> dict[str, str]:
    """Return the versions of everything that may influence a result."""
    versions = {"python": platform.python_version()}
    for tool in TOOLS:
        with contextlib.suppress(PackageNotFoundError):
            versions[tool] = version(tool)
    return versions


@lru_cache
def git_commit() -> str | None:
    """Return the commit of this code, with `+` when files differ from it; None outside of git."""
    here = Path(__file__).parent

    def git(*arguments: str) -> str:
        return subprocess.run(
            ["git", "-C", str(here), *arguments], capture_output=True, text=True, check=True
        ).stdout.strip()

    try:
        changed = git("status", "--porcelain", "--untracked-files=no")
        return git("rev-parse", "HEAD") + ("+" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return None


def ask_for_provenance() -> None:
    """Look up versions and commit before stages fork: each fork would ask again."""
    tool_versions()
    git_commit()
