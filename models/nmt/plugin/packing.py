"""Sentences of a batch as rows of one matrix, without the padding between them.

All of a transformer but attention looks at one position at a time. There a batch is (rows, C): its
tokens one after another, then filler. Attention alone spreads the rows over (batch, length), and
gathers them again. Filler may hold anything finite, since its gradient is always zero; positions of
padding read it.

oneDNN writes machine code for each shape of matrix product, half a millisecond a shape, and keeps a
thousand. Nearly every batch has another number of tokens, so filler ends at a multiple of 64 rows.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

ROW_MULTIPLE = 64


def full_rows(rows: int) -> int:
    """Return the next multiple of `ROW_MULTIPLE`."""
    return -(-rows // ROW_MULTIPLE) * ROW_MULTIPLE


def working_dtype(values: Tensor) -> torch.dtype:
    """Return the precision autocast would multiply in."""
    device = values.device.type
    if torch.is_autocast_enabled(device):
        return torch.get_autocast_dtype(device)
    return values.dtype


class Packing:
    """Which row each of (batch, length) positions is, and which position each row."""

    def __init__(self, real: Tensor) -> None:
        """Take the (batch, length) positions that hold a token."""
        self.real = real
        positions = real.flatten().nonzero().squeeze(1)  # (tokens)
        self.tokens = len(positions)
        rows = full_rows(self.tokens + 1)  # one row of filler at least: padding reads the last
        self.position = positions.new_zeros(rows)  # filler reads any position, say the first
        self.position[: self.tokens] = positions
        self.row = positions.new_full((real.numel(),), rows - 1)  # (batch * length)
        self.row[positions] = torch.arange(self.tokens)
        self._indices: dict[tuple[Callable[..., Tensor], int, int], Tensor] = {}

    def pack(self, values: Tensor) -> Tensor:
        """Return (batch, length, ...) values as (rows, ...)."""
        return values.flatten(0, 1).index_select(0, self.position)

    def spread(self, values: Tensor, parts: int = 1, heads: int = 1) -> Tensor:
        """Return (rows, parts * heads * D) values as (parts, batch * heads, length, D)."""
        spread: Tensor = _Spread.apply(values, self, parts, heads)
        return spread

    def gather(self, values: Tensor, heads: int) -> Tensor:
        """Return (batch * heads, length, D) values as (rows, heads * D)."""
        gathered: Tensor = _Gather.apply(values, self, heads)
        return gathered

    def index(
        self, made_by: Callable[["Packing", int, int], Tensor], parts: int, heads: int
    ) -> Tensor:
        """Return an index that all layers use, made once."""
        key = made_by, parts, heads
        if key not in self._indices:
            self._indices[key] = made_by(self, parts, heads)
        return self._indices[key]


def rows_of_positions(packing: Packing, parts: int, heads: int) -> Tensor:
    """Return which of (rows * parts * heads) each of (parts, batch, heads, length) is."""
    batch, length = packing.real.shape
    part = torch.arange(parts).view(parts, 1, 1, 1)
    head = torch.arange(heads).view(heads, 1)
    return ((packing.row.view(batch, 1, length) * parts + part) * heads + head).flatten()


def positions_of_rows(packing: Packing, parts: int, heads: int) -> Tensor:
    """Return which of (parts, batch, heads, length) each of (rows * parts * heads) is."""
    batch, length = packing.real.shape
    part, head = torch.arange(parts).view(parts, 1), torch.arange(heads)
    sentence, place = (
        each.view(-1, 1, 1) for each in (packing.position // length, packing.position % length)
    )
    return (((part * batch + sentence) * heads + head) * length + place).flatten()


def _spread(values: Tensor, packing: Packing, parts: int, heads: int) -> Tensor:
    batch, length = packing.real.shape
    pieces = values.reshape(len(values) * parts * heads, -1)
    index = packing.index(rows_of_positions, parts, heads)
    return pieces.index_select(0, index).view(parts, batch * heads, length, -1)


def _gather(values: Tensor, packing: Packing, parts: int, heads: int) -> Tensor:
    index = packing.index(positions_of_rows, parts, heads)
    pieces = values.reshape(-1, values.size(-1)).index_select(0, index)
    return pieces.view(len(packing.position), -1)


# The gradient of either is the other, an index_select, too. Left to autograd, it would be an
# index_add: as many additions into zeros, of which nearly all hit a place once.
class _Spread(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: Tensor, packing: Packing, parts: int, heads: int) -> Tensor:
        ctx.where = packing, parts, heads
        return _spread(values, packing, parts, heads)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None, None]:
        packing, parts, heads = ctx.where
        gathered = _gather(gradients[0], packing, parts, heads)
        gathered[packing.tokens :].zero_()  # filler has read a position that is a token's
        return gathered, None, None, None


class _Gather(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: Tensor, packing: Packing, heads: int) -> Tensor:
        ctx.where = packing, heads
        return _gather(values, packing, 1, heads)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        packing, heads = ctx.where
        # padding reads filler, whose gradient is zero
        return _spread(gradients[0], packing, 1, heads)[0], None, None
