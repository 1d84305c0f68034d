"""Dropout whose random bits cost next to nothing on a CPU.

torch draws one Bernoulli number per element, which takes longer than the matrix product before it.
Here each element takes one byte of a cheap integer stream: the keep probability is a multiple of
1/256, and the rescale is its exact inverse, so the expectation stays unbiased.
"""

from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812

LEVELS = 256
SAME_WIDTH = {
    torch.bfloat16: torch.int16,
    torch.float16: torch.int16,
    torch.float32: torch.int32,
    torch.float64: torch.int64,
}


def keep_levels(rate: float) -> int:
    """Return how many of the 256 byte values keep an element."""
    return min(max(round((1 - rate) * LEVELS), 1), LEVELS - 1)


def random_mask(shape: torch.Size, levels: int) -> torch.Tensor:
    """Draw -1 (all bits set: keep) with probability levels / 256, else 0."""
    count = shape.numel()
    words = torch.empty(-(-count // 8), dtype=torch.int64).random_(-(2**63), None)
    signed = words.view(torch.int8)[:count]
    return signed.lt_(levels - LEVELS // 2).neg_().view(shape)  # int8, `shape`


def apply_mask(values: torch.Tensor, mask: torch.Tensor, scale: float) -> torch.Tensor:
    """Zero the dropped elements by their bits and rescale the rest."""
    width = SAME_WIDTH[values.dtype]
    kept = values.view(width) & mask.to(width)  # as `values`
    return kept.view(values.dtype).mul_(scale)


class _ByteDropout(torch.autograd.Function):
    """Dropout with one byte per element kept for the backward pass."""

    @staticmethod
    def forward(ctx: Any, values: torch.Tensor, levels: int) -> torch.Tensor:
        mask = random_mask(values.shape, levels)
        ctx.save_for_backward(mask)
        ctx.scale = LEVELS / levels
        return apply_mask(values, mask, ctx.scale)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, None]:
        (mask,) = ctx.saved_tensors
        return apply_mask(gradients[0], mask, ctx.scale), None


def byte_dropout(values: torch.Tensor, rate: float) -> torch.Tensor:
    """Drop elements with probability `rate`, rounded to 1/256; other devices than CPU use torch."""
    if values.device.type != "cpu":
        return F.dropout(values, rate)
    return _ByteDropout.apply(values, keep_levels(rate))


def _forward(self: Any, x: torch.Tensor, inplace: bool = False) -> torch.Tensor:
    """Stand in for `FairseqDropout.forward`."""
    active = self.p > 0 and (self.training or self.apply_during_inference)
    return byte_dropout(x, self.p) if active else x


def install() -> None:
    """Make every dropout module of fairseq use the cheap draw."""
    from fairseq.modules import FairseqDropout

    FairseqDropout.forward = _forward
