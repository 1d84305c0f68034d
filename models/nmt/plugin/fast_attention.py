"""Attention for short sentences on a CPU: one matrix product where fairseq makes two or three.

A sentence has a few dozen positions. The flash kernel's tiles are made for thousands, so the plain
product, softmax, product is several times sooner backwards; and projecting query, key and value by
one product of three times the width keeps the processor busier than three narrow ones.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from models.nmt.plugin.padded_linear import linear, working_dtype


def project(inputs: Tensor, layers: Sequence[Any]) -> tuple[Tensor, ...]:
    """Apply several linear layers of equal width to (length, batch, C) inputs at once."""
    weight = torch.cat([layer.weight for layer in layers])  # (layers * C, C)
    bias = torch.cat([layer.bias for layer in layers])  # (layers * C)
    return linear(inputs, weight, bias).chunk(len(layers), dim=2)


def by_head(values: Tensor, heads: int) -> Tensor:
    """Return (length, batch, C) values as (batch * heads, length, C / heads)."""
    length, batch, width = values.shape
    return values.reshape(length, batch * heads, width // heads).transpose(0, 1)


def attention_scores(
    query: Tensor, key: Tensor, padding: Tensor | None, future: Tensor | None
) -> Tensor:
    """Return scores of shape (batch * heads, target length, source length), -inf where masked.

    `padding` is true at padded (batch, source length); `future` is added to each score.
    """
    scores = torch.bmm(query, key.transpose(1, 2))
    if future is not None:
        scores += future.to(scores.dtype)
    if padding is not None and padding.any():
        heads = scores.size(0) // padding.size(0)
        masked = padding.bool().repeat_interleave(heads, dim=0).unsqueeze(1)
        scores = scores.masked_fill(masked, float("-inf"))
    return scores


def attend(
    module: Any,
    query: Tensor,
    key: Tensor,
    padding: Tensor | None,
    future: Tensor | None,
) -> Tensor:
    """Return what a fairseq attention module makes of (length, batch, C) queries and keys."""
    if key is query:
        parts = project(query, (module.q_proj, module.k_proj, module.v_proj))
    else:
        parts = (module.q_proj(query), *project(key, (module.k_proj, module.v_proj)))
    queries, keys, values = (by_head(part, module.num_heads) for part in parts)
    scores = attention_scores(queries * module.scaling, keys, padding, future)
    weights = module.dropout_module(torch.softmax(scores, dim=-1))
    return module.out_proj(torch.bmm(weights, values).transpose(0, 1).reshape(query.shape))


def _replacement(stock: Callable[..., Any]) -> Callable[..., Any]:
    def forward(self: Any, query: Tensor, key: Tensor, value: Tensor, **options: Any) -> Any:
        """Stand in for `MultiheadAttention.forward` in training; the weights are not returned."""
        if query.device.type == "cpu" and options.get("incremental_state") is None:
            masks = options.get("key_padding_mask"), options.get("attn_mask")
            return attend(self, query, key, *masks), None
        return stock(self, query, key, value, **options)

    return forward


def working_form(values: Tensor) -> Tensor:
    """Return values in the order of memory and, under autocast, in its precision.

    fairseq hands its layers a transposed view, which is slow to walk. Sums of few layers lose
    nothing that matters in bfloat16, and half the bytes move.
    """
    if values.device.type == "cpu":
        values = values.to(working_dtype(values))
    return values.contiguous()


def _on_working_form(stock: Callable[..., Any]) -> Callable[..., Any]:
    def forward(self: Any, x: Tensor, *others: Any, **options: Any) -> Any:
        """Stand in for the forward pass of a transformer layer."""
        return stock(self, working_form(x), *others, **options)

    return forward


def install() -> None:
    """Make fairseq's transformer layers use this attention, on values in working form."""
    from fairseq.modules import MultiheadAttention
    from fairseq.modules.transformer_layer import (
        TransformerDecoderLayerBase,
        TransformerEncoderLayerBase,
    )

    MultiheadAttention.forward = _replacement(MultiheadAttention.forward)
    for layer in (TransformerEncoderLayerBase, TransformerDecoderLayerBase):
        layer.forward = _on_working_form(layer.forward)
