"""Linear layers that meet few shapes.

oneDNN writes machine code for each shape of matrix product, 0.8 ms a shape, and keeps a thousand.
Nearly every batch has another number of tokens, so that was a tenth of the training. Here the rows
are filled up to a multiple of 64 with zeros, which add nothing to any gradient.
"""

from typing import Any

import torch
from torch import Tensor

ROW_MULTIPLE = 64


def working_dtype(values: Tensor) -> torch.dtype:
    """Return the precision autocast would multiply in."""
    device = values.device.type
    if torch.is_autocast_enabled(device):
        return torch.get_autocast_dtype(device)
    return values.dtype


def padded_rows(values: Tensor, dtype: torch.dtype) -> Tensor:
    """Return (..., C) values as (rows, C), the rows filled up with zeros, in a precision."""
    width = values.size(-1)
    rows = values.numel() // width
    filled = torch.empty(-(-rows // ROW_MULTIPLE) * ROW_MULTIPLE, width, dtype=dtype)
    filled[:rows].copy_(values.reshape(rows, width))
    filled[rows:].zero_()
    return filled


class _PaddedLinear(torch.autograd.Function):
    """A linear layer that casts, pads and multiplies at once."""

    @staticmethod
    def forward(ctx: Any, inputs: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        dtype = working_dtype(inputs)
        rows, matrix = padded_rows(inputs, dtype), weight.to(dtype)  # (rows, C), (D, C)
        ctx.save_for_backward(rows, matrix)
        ctx.shape, ctx.dtypes = inputs.shape, (inputs.dtype, weight.dtype)
        made = torch.addmm(bias.to(dtype), rows, matrix.t())  # (rows, D)
        return made[: inputs.shape[:-1].numel()].view(*inputs.shape[:-1], -1)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        rows, matrix = ctx.saved_tensors
        of_inputs, of_weight = ctx.dtypes
        gradient = padded_rows(gradients[0], matrix.dtype)  # (rows, D)
        by_input = (gradient @ matrix)[: ctx.shape[:-1].numel()].view(ctx.shape)
        by_weight = gradient.t() @ rows
        by_bias = gradient.sum(0, dtype=of_weight)
        return by_input.to(of_inputs), by_weight.to(of_weight), by_bias


def linear(inputs: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Apply a linear layer with bias to (..., C) inputs on a CPU."""
    made: Tensor = _PaddedLinear.apply(inputs, weight, bias)
    return made


def _forward(self: Any, inputs: Tensor) -> Tensor:
    """Stand in for `Linear.forward`."""
    if inputs.device.type != "cpu" or self.bias is None:
        return torch.nn.functional.linear(inputs, self.weight, self.bias)
    return linear(inputs, self.weight, self.bias)


def install() -> None:
    """Make every linear layer with a bias pad its rows."""
    torch.nn.Linear.forward = _forward  # type: ignore[method-assign,assignment]
