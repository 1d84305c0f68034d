"""The transformer's forward pass over rows without padding.

fairseq's layers are run as they are: all but their attention takes (rows, C) values like any other.
Under autocast the rows are cast once, before the first layer: sums of few layers lose nothing that
matters in bfloat16, and half the bytes move.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from models.nmt.plugin import fast_attention
from models.nmt.plugin.fast_attention import attention, causal_attention
from models.nmt.plugin.packing import Packing, working_dtype

LENGTH_MULTIPLE = 4


def embed(stack: Any, tokens: Tensor, packing: Packing) -> Tensor:
    """Return what the layers of an encoder or decoder take: (rows, C) embeddings of tokens."""
    values = stack.embed_scale * stack.embed_tokens(packing.pack(tokens))
    if stack.embed_positions is not None:
        values = values + packing.pack(stack.embed_positions(tokens))
    if stack.layernorm_embedding is not None:
        values = stack.layernorm_embedding(values)
    return stack.dropout_module(values.to(working_dtype(values)))


def normalized(stack: Any, values: Tensor) -> Tensor:
    """Apply the norm that ends a stack of pre-norm layers."""
    return values if stack.layer_norm is None else stack.layer_norm(values)


def encode(encoder: Any, tokens: Tensor, packing: Packing) -> Tensor:
    """Return the encoder's (rows, C) output for (batch, length) tokens."""
    values = embed(encoder, tokens, packing)
    everywhere = attention(packing, packing, values.dtype)
    for layer in encoder.layers:
        values = layer(values, everywhere)
    return normalized(encoder, values)


def decode(
    decoder: Any, tokens: Tensor, packing: Packing, encoded: Tensor, of_source: Packing
) -> Tensor:
    """Return the decoder's (rows, C) features for (batch, length) tokens."""
    values = embed(decoder, tokens, packing)
    past = causal_attention(packing, values.dtype)
    to_source = attention(packing, of_source, values.dtype)
    for layer in decoder.layers:
        values, *_ = layer(values, encoded, to_source, self_attn_padding_mask=past)
    return normalized(decoder, values)


def lengthened(tokens: Tensor, padding: int) -> Tensor:
    """Fill (batch, length) tokens so that attention, too, meets fewer shapes."""
    return torch.nn.functional.pad(tokens, (0, -tokens.size(1) % LENGTH_MULTIPLE), value=padding)


def features(model: Any, source: Tensor, previous: Tensor) -> Tensor:
    """Return a model's (batch, length, C) features for (batch, length) tokens."""
    padding, length = model.encoder.padding_idx, previous.size(1)
    source, previous = lengthened(source, padding), lengthened(previous, padding)
    of_source, of_target = Packing(source.ne(padding)), Packing(previous.ne(padding))
    encoded = encode(model.encoder, source, of_source)
    decoded = decode(model.decoder, previous, of_target, encoded, of_source)
    return of_target.spread(decoded)[0, :, :length]


def _replacement(stock: Callable[..., Any]) -> Callable[..., Any]:
    def forward(
        self: Any,
        src_tokens: Tensor,
        src_lengths: Tensor,
        prev_output_tokens: Tensor,
        **options: Any,
    ) -> Any:
        """Stand in for the model's forward pass where the criterion asks for features."""
        if src_tokens.device.type == "cpu" and options == {"features_only": True}:
            return features(self, src_tokens, prev_output_tokens), {}
        return stock(self, src_tokens, src_lengths, prev_output_tokens, **options)

    return forward


def install() -> None:
    """Make fairseq's transformer skip padding."""
    from fairseq.models.transformer import TransformerModelBase

    fast_attention.install()
    TransformerModelBase.forward = _replacement(TransformerModelBase.forward)
