"""Attention for short sentences on a CPU: one matrix product where fairseq makes two or three.

A sentence has a few dozen positions. The flash kernel's tiles are made for thousands, so the plain
product, softmax, product is several times sooner backwards; and projecting query, key and value by
one product of three times the width keeps the processor busier than three narrow ones.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from models.nmt.plugin.packing import Packing

MASKED = -1e9
"""Added to a score whose key is not to be seen; its weight is exactly zero."""


class Attention(NamedTuple):
    """Who attends to whom: `bias` (batch, 1, length or 1, keys' length) is added to the scores."""

    queries: Packing
    keys: Packing
    bias: Tensor


def attention(queries: Packing, keys: Packing, dtype: torch.dtype) -> Attention:
    """Let each position attend to every token of a sentence."""
    bias = torch.zeros(keys.real.shape, dtype=dtype).masked_fill_(~keys.real, MASKED)
    return Attention(queries, keys, bias[:, None, None, :])


def causal_attention(packing: Packing, dtype: torch.dtype) -> Attention:
    """Let each position attend to itself and the tokens before it."""
    every = attention(packing, packing, dtype)
    future = torch.full((packing.real.size(1),) * 2, MASKED, dtype=dtype).triu_(1)
    return every._replace(bias=every.bias.minimum(future))


def project(inputs: Tensor, layers: Sequence[Any]) -> Tensor:
    """Apply several linear layers of equal width to (rows, C) inputs: (rows, layers * C)."""
    weight = torch.cat([layer.weight for layer in layers])  # (layers * C, C)
    bias = torch.cat([layer.bias for layer in layers])  # (layers * C)
    return torch.nn.functional.linear(inputs, weight, bias)


def attend(module: Any, query: Tensor, key: Tensor, who: Attention) -> Tensor:
    """Return what a fairseq attention module makes of (rows, C) queries and keys."""
    heads = module.num_heads
    if key is query:
        made = project(query, (module.q_proj, module.k_proj, module.v_proj))
        queries, keys, values = who.queries.spread(made, 3, heads)
    else:
        (queries,) = who.queries.spread(module.q_proj(query), 1, heads)
        keys, values = who.keys.spread(project(key, (module.k_proj, module.v_proj)), 2, heads)
    scores = torch.bmm(queries * module.scaling, keys.transpose(1, 2))
    scores.view(-1, heads, *scores.shape[1:]).add_(who.bias)
    weights = module.dropout_module(torch.softmax(scores, dim=-1))
    return module.out_proj(who.queries.gather(torch.bmm(weights, values), heads))


def _replacement(stock: Callable[..., Any]) -> Callable[..., Any]:
    def forward(self: Any, query: Tensor, key: Tensor, value: Tensor, **options: Any) -> Any:
        """Stand in for `MultiheadAttention.forward` where the mask is an `Attention`."""
        who = options.get("key_padding_mask")
        if isinstance(who, Attention):
            return attend(self, query, key, who), None
        return stock(self, query, key, value, **options)

    return forward


def install() -> None:
    """Make fairseq's attention take rows without padding."""
    from fairseq.modules import MultiheadAttention

    MultiheadAttention.forward = _replacement(MultiheadAttention.forward)
