"""One vector of the states of a text's pieces."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

MEAN = "mean"


def pooled(states: "torch.Tensor", kept: "torch.Tensor", pooling: str) -> "torch.Tensor":
    """Return one vector a text: states (texts, length, width) -> (texts, width), float32."""
    if pooling != MEAN:
        return states[:, 0].float()
    share = kept / kept.sum(1, keepdim=True)  # (texts, length)
    return (share.unsqueeze(1).to(states.dtype) @ states).squeeze(1).float()
