"""How an artifact came about: versions, commit, machine, and what all attempts at it took."""

import contextlib
import json
import os
import platform
import resource
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from threading import Event, Thread
from typing import Any, NamedTuple

from pipeline.settings import cores, gpu_count

TOOLS = ("sprachbund", "torch", "fairseq-fixed", "ctranslate2", "sentencepiece", "sacrebleu",
         "scikit-learn", "transformers", "datasets", "luigi", "systran-align", "numpy")  # fmt: skip
ROOT = Path(__file__).resolve().parents[1]
OWN_FILES = ("pyproject.toml", "pipeline/provenance.py")
"""What the project's own repository holds, wherever else the project is copied to."""
OTHER_REPOSITORIES = ("GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR", "GIT_INDEX_FILE")
"""Variables that a hook of git sets: they would have git ask the hook's repository."""
GPU_FACTS = "/proc/driver/nvidia/gpus"
SECONDS_BETWEEN_NOTES = 2.0


class Spent(NamedTuple):
    """What attempts at an artifact took: seconds of clock, processors and GPUs; highest memory."""

    attempts: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    gpu_seconds: float = 0.0
    peak_memory_mib: int = 0


class Meter:
    """Measure an attempt, and note every few seconds what it and those before it have taken.

    A kill leaves no time to say anything: what is lost of it are the seconds since the last note.
    """

    def __init__(self, note: Path, *, gpus: int = 0) -> None:
        self.note = note
        self.gpus = gpus
        self.before = _noted(note)
        self.attempt = self.before.attempts + 1
        self._started = time.monotonic()
        self._cpu_before = cpu_seconds()
        self._over = Event()
        self._thread = Thread(target=self._keep_noting, daemon=True)
        self._write()

    def start(self) -> None:
        """Begin to take notes."""
        self._thread.start()

    def stop(self) -> Spent:
        """Take the last note; return what all attempts took."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()
        return self._write()

    def _keep_noting(self) -> None:
        while not self._over.wait(SECONDS_BETWEEN_NOTES):
            self._write()

    def _write(self) -> Spent:
        spent = self._spent()
        draft = self.note.with_suffix(".tmp")
        with contextlib.suppress(OSError):  # a full disk: the build itself will say so
            draft.write_text(json.dumps(spent._asdict()), encoding="utf-8")
            draft.replace(self.note)
        return spent

    def _spent(self) -> Spent:
        seconds = time.monotonic() - self._started
        before = self.before
        return Spent(
            attempts=self.attempt,
            seconds=round(before.seconds + seconds, 2),
            cpu_seconds=round(before.cpu_seconds + cpu_seconds() - self._cpu_before, 2),
            gpu_seconds=round(before.gpu_seconds + seconds * self.gpus, 2),
            peak_memory_mib=max(before.peak_memory_mib, peak_memory_mib()),
        )


def counts_all_attempts(manifest: Mapping[str, Any]) -> bool:
    """Say whether the seconds in a manifest are those of all attempts, and not of the last one."""
    return manifest.get("attempt", 1) == 1 or "seconds_before" in manifest


def _noted(note: Path) -> Spent:
    """Return what earlier attempts took; nothing where there was none."""
    try:
        return Spent(**json.loads(note.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return Spent()


def cpu_seconds() -> float:
    """Return the processor time of this process and of all its children so far, ended or not."""
    import psutil

    used = [resource.getrusage(w) for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    total = sum(u.ru_utime + u.ru_stime for u in used)
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            times = child.cpu_times()
            total += times.user + times.system + times.children_user + times.children_system
    return total


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
def machine() -> str:
    """Return what stages run on: the processor, how many cores, and the GPUs that may be used."""
    gpus = [f"{number} × {name}" for name, number in Counter(_gpus()).items()]
    return ", ".join([_processor(), f"{cores()} cores", *gpus])


def _processor() -> str:
    """Return the processor's name."""
    return _fact(Path("/proc/cpuinfo"), "model name") or platform.processor() or platform.machine()


def _gpus() -> list[str]:
    """Return the name of each NVIDIA GPU that this process may use."""
    folders = sorted(Path(GPU_FACTS).glob("*"))[: gpu_count()]
    return [_fact(folder / "information", "Model") or "NVIDIA GPU" for folder in folders]


def _fact(file: Path, wanted: str) -> str | None:
    """Return the first value of a name in a file with lines like `name : value`."""
    with contextlib.suppress(OSError):
        for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == wanted and value.strip():
                return " ".join(value.split())
    return None


@lru_cache
def git_commit() -> str | None:
    """Return the commit of this code, with `+` when files differ from it."""
    return commit_of(ROOT)


def commit_of(root: Path) -> str | None:
    """Return the commit of the project in a folder, with `+` when files differ from it.

    None outside of git, and in the repository of something else that the project lies in, as in a
    virtual environment: its commit says nothing of this code.
    """
    environment = {n: v for n, v in os.environ.items() if n not in OTHER_REPOSITORIES}

    def git(*arguments: str) -> str:
        return subprocess.run(
            ["git", "-C", str(root), *arguments],
            capture_output=True,
            text=True,
            check=True,
            env=environment,
        ).stdout.strip()

    try:
        if Path(git("rev-parse", "--show-toplevel")).resolve() != root.resolve():
            return None
        git("ls-files", "--error-unmatch", *OWN_FILES)
        changed = git("status", "--porcelain", "--untracked-files=no")
        return git("rev-parse", "HEAD") + ("+" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return None


def ask_for_provenance() -> None:
    """Look up versions, commit and machine before stages fork: each fork would ask again."""
    tool_versions()
    git_commit()
    machine()
