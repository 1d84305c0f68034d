"""Output projection and label-smoothed cross-entropy with their gradients, in one pass.

The plain way writes (tokens, V) matrices of logits, log-probabilities and their gradients to memory
about ten times. Here the logits are read in chunks that stay in the processor's cache and are
replaced by their own gradient, so that only matrix products see the whole matrix.
"""

from typing import Any, NamedTuple

import torch

from models.nmt.plugin.packing import full_rows, working_dtype

CHUNK_ROWS = 128


class ChunkLoss(NamedTuple):
    """Sums over the rows of one chunk."""

    loss: torch.Tensor
    nll: torch.Tensor


def chunk_loss(logits: torch.Tensor, target: torch.Tensor, smoothing: float) -> ChunkLoss:
    """Return the loss of some rows and overwrite their logits with its gradient.

    With s = smoothing / (V - 1) on each wrong class, the gradient is softmax - s everywhere and
    1 - smoothing - s lower still at the target.
    """
    scores = logits.float()  # (rows, V): a sum over V needs more digits than bfloat16 has
    share = smoothing / (scores.size(1) - 1)
    confidence = 1 - smoothing - share
    column = target.unsqueeze(1)  # (rows, 1)
    total, top = scores.sum(1), scores.amax(1)  # (rows), (rows)
    chosen = scores.gather(1, column).squeeze(1)  # (rows)
    probability = torch.softmax(scores, 1)  # (rows, V)
    # p = exp(score - log_norm) for any class. The likeliest has 1 / V at least, so its logarithm is
    # finite, and no second pass of exp over all classes is needed.
    log_norm = top - probability.amax(1).log()  # (rows)
    nll = log_norm - chosen
    rest = scores.size(1) * log_norm - total  # the sum of -log p over all classes
    probability.sub_(share)  # from here on, the gradient, in the same memory
    probability.scatter_add_(1, column, torch.full_like(column, -confidence, dtype=scores.dtype))
    logits.copy_(probability)
    return ChunkLoss((confidence * nll + share * rest).sum(), nll.sum())


def filled_up(rows: torch.Tensor) -> torch.Tensor:
    """Add zeros up to a number of rows that matrix products meet often."""
    return torch.nn.functional.pad(rows, (0, 0, 0, full_rows(len(rows)) - len(rows)))


class _ProjectedCrossEntropy(torch.autograd.Function):
    """Compute the gradients along with the loss: the backward pass only scales them."""

    @staticmethod
    def forward(
        ctx: Any,
        features: torch.Tensor,
        weight: torch.Tensor,
        target: torch.Tensor,
        smoothing: float,
        training: bool,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        dtype = working_dtype(features)
        inputs, matrix = filled_up(features.to(dtype)), weight.to(dtype)  # (rows, C), (V, C)
        logits = inputs @ matrix.t()  # (rows, V)
        real = logits[: len(features)]
        parts = [
            chunk_loss(rows, wanted, smoothing)
            for rows, wanted in zip(real.split(CHUNK_ROWS), target.split(CHUNK_ROWS), strict=True)
        ]
        if training:
            logits[len(features) :].zero_()
            by_input = (logits @ matrix)[: len(features)].to(features.dtype)  # (rows, C)
            by_weight = (logits.t() @ inputs).to(weight.dtype)  # (V, C)
            ctx.save_for_backward(by_input, by_weight)
        loss, nll = (torch.stack(column).sum() for column in zip(*parts, strict=True))
        ctx.mark_non_differentiable(nll)
        return loss, nll

    @staticmethod
    def backward(
        ctx: Any, *gradients: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, None, None, None]:
        by_input, by_weight = ctx.saved_tensors
        return by_input * gradients[0], by_weight * gradients[0], None, None, None


def projected_cross_entropy(
    features: torch.Tensor,
    weight: torch.Tensor,
    target: torch.Tensor,
    *,
    smoothing: float,
    padding: int,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return summed smoothed loss and summed NLL of (batch, length, C) features."""
    flat = target.flatten()  # (batch * length)
    real = flat.ne(padding).nonzero().squeeze(1)  # (rows)
    rows = features.flatten(0, 1).index_select(0, real)  # (rows, C)
    # autograd runs `forward` with gradients off, so the mode has to be read out here
    return _ProjectedCrossEntropy.apply(
        rows, weight, flat[real], smoothing, torch.is_grad_enabled()
    )
