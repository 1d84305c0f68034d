"""What a training computes with on this machine: the device, and the precision."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from models.encoders.pretrained.folders import HUGGINGFACE
from models.nmt.precision import BF16, quicker_precision
from models.support.notes import remembered, settle_once

if TYPE_CHECKING:
    import torch


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
