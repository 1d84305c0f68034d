"""Where things lie on this machine; nothing here may change a result."""

import os
import platform
import shlex
from pathlib import Path
from typing import NamedTuple

from models.support.errors import SourceError

THREADS = "OMP_NUM_THREADS"
"""The variable that torch, numpy and scikit-learn read, too."""
GPUS = "CUDA_VISIBLE_DEVICES"


def cores() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def gpu_count() -> int:
    """Return how many NVIDIA GPUs this process may use, without loading any library."""
    visible = os.environ.get(GPUS)
    if visible is not None:
        return len([number for number in visible.split(",") if number.strip() not in ("", "-1")])
    return len(list(Path("/proc/driver/nvidia/gpus").glob("*")))


class Settings(NamedTuple):
    """Folders, threads and commands, from the environment.

    `SPRACHBUND_STORE` (default `./artifacts`) holds everything that is built, `SPRACHBUND_MIRROR`
    an optional copy of remote files, laid out as `<host>/<path>`, that is asked before the network.
    `OMP_NUM_THREADS` (default: all processors) is how many threads a stage may use.
    `SPRACHBUND_LAUNCHER` (`srun ...`) starts the processes of a training on several nodes.
    """

    store: Path
    mirror: Path | None
    threads: int
    launcher: tuple[str, ...]

    @property
    def machine_notes(self) -> Path:
        """A folder for what was measured of this machine, beside what is built on it."""
        return self.store / ".machine" / platform.node()

    @property
    def pins(self) -> Path:
        """A folder that remembers what models without a commit were when they first came."""
        return self.store / ".pins"

    @classmethod
    def from_environment(cls) -> "Settings":
        """Read the settings that hold now."""
        mirror = os.environ.get("SPRACHBUND_MIRROR")
        if mirror and not Path(mirror).is_dir():
            raise SourceError(f"SPRACHBUND_MIRROR is {mirror}, which is no folder")
        return cls(
            store=Path(os.environ.get("SPRACHBUND_STORE") or "artifacts").absolute(),
            mirror=Path(mirror).absolute() if mirror else None,
            threads=int(os.environ.get(THREADS, "").partition(",")[0] or cores()),
            launcher=tuple(shlex.split(os.environ.get("SPRACHBUND_LAUNCHER", ""))),
        )
