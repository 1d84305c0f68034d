"""What a training computes with on this machine: the device, and the precision."""

import ctypes
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models.encoders.pretrained.folders import HUGGINGFACE
from models.nmt.precision import BF16, quicker_precision
from models.support.notes import remembered, settle_once

if TYPE_CHECKING:
    import torch

KERNELS = "ONEDNN_PRIMITIVE_CACHE_CAPACITY"
"""oneDNN's own name; it is read when the first kernel is made."""
KERNELS_KEPT = "64"
"""Kernels are made for a shape, some 20 for an update, and two updates hardly share a shape: of the
1,024 that are kept by default, 0.35 MiB each, most never run again."""


def save_memory() -> None:
    """Have this process keep no memory that the next batch cannot use; results stay the same.

    To be called before anything is computed. What the environment says of kernels holds.
    """
    os.environ.setdefault(KERNELS, KERNELS_KEPT)


def give_back_memory() -> None:
    """Give the system the pages that are free: batches of ever other shapes leave holes behind.

    glibc keeps them otherwise, and the holes of one batch seldom fit the next. Another library
    that allocates is left alone.
    """
    if trim := getattr(ctypes.CDLL(None), "malloc_trim", None):
        trim(0)


def computing_device() -> str:
    """Return `cuda` where there is a GPU, else `cpu`."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def computed_in(precision: str) -> "torch.dtype":
    """Return torch's name of a precision."""
    import torch

    return torch.bfloat16 if precision == BF16 else torch.float32


def settled_precision(asked: str, encoder: Path, note: Path, machine_notes: Path | None) -> str:
    """Return the precision that a training began with: it may resume on another machine."""
    return remembered(note, lambda: asked if asked != "auto" else _here(encoder, machine_notes))


def _here(encoder: Path, machine_notes: Path | None) -> str:
    """Return what all trainings of this size on this machine have, measured by the first."""
    from transformers import AutoConfig

    config: Any = AutoConfig.from_pretrained(encoder / HUGGINGFACE)
    width, inner = config.hidden_size, getattr(config, "intermediate_size", None)
    size = (width, inner or 4 * width)
    if machine_notes is None:
        return quicker_precision(*size)
    path = machine_notes / f"precision-{size[0]}-{size[1]}"
    return remembered(path, lambda: quicker_precision(*size), write=settle_once)
