"""What makes an encoder quicker on a CPU without another result: attention and dropout.

Texts have a few dozen pieces; kernels that are made for thousands cost more than they save there.
"""

from typing import Any

SHORT = "sprachbund_short"


def choose_attention(body: Any, device: str) -> None:
    """Have an encoder attend by plain batched products on a CPU, where it allows to choose."""
    from transformers.masking_utils import AttentionMaskInterface, eager_mask
    from transformers.modeling_utils import AttentionInterface

    if device != "cpu" or not getattr(type(body), "_supports_attention_backend", False):
        return
    AttentionInterface.register(SHORT, attend)
    AttentionMaskInterface.register(SHORT, eager_mask)
    body.set_attn_implementation(SHORT)


def attend(
    module: Any,
    query: Any,
    key: Any,
    value: Any,
    attention_mask: Any,
    *,
    scaling: float | None = None,
    dropout: float = 0.0,
    **_: Any,
) -> tuple[Any, None]:
    """Return (texts, length, heads, width) from (texts, heads, length, width) of each."""
    import torch

    from models.nmt.plugin.fast_dropout import byte_dropout

    texts, heads, length, width = query.shape
    scale = width**-0.5 if scaling is None else scaling
    rows = (texts * heads, length, width)
    weights = torch.bmm((query * scale).reshape(rows), key.reshape(rows).transpose(1, 2))
    if attention_mask is not None:
        weights.view(texts, heads, length, length).add_(attention_mask)
    weights = torch.softmax(weights, -1)
    if dropout:
        weights = byte_dropout(weights, dropout)
    mixed = torch.bmm(weights, value.reshape(rows)).view(texts, heads, length, width)
    return mixed.transpose(1, 2), None


def install_dropout(body: Any) -> None:
    """Have every dropout of an encoder draw cheap random bits (on a CPU)."""
    import torch

    for module in body.modules():
        if isinstance(module, torch.nn.Dropout):
            module.forward = _Dropping(module)  # type: ignore[assignment, method-assign]


class _Dropping:
    """Stands in for the `forward` of a dropout module."""

    def __init__(self, module: Any) -> None:
        self.module = module

    def __call__(self, values: Any) -> Any:
        from models.nmt.plugin.fast_dropout import byte_dropout

        active = self.module.training and self.module.p > 0
        return byte_dropout(values, self.module.p) if active else values
