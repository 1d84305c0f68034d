"""AdamW over all trainable weights as a few long vectors, in float32 whatever is computed in."""

from collections.abc import Sequence
from typing import Any, NamedTuple

FIRST, SECOND, WEIGHTS = "first_moment", "second_moment", "weights"


class Group(NamedTuple):
    """Parameters that share a peak learning rate and a weight decay."""

    parameters: list[Any]
    rate: float
    decay: float


class FlatAdamW:
    """Holds float32 weights and moments of all parameters in a row (elements,).

    The parameters become views of one vector in the type that is computed in: they and their
    gradients are converted in two passes, not once for each layer that multiplies with them.
    """

    def __init__(self, groups: Sequence[Group], dtype: Any) -> None:
        import torch

        self.groups = [group for group in groups if group.parameters]
        self.parameters = [p for group in self.groups for p in group.parameters]
        with torch.no_grad():
            self.weights = torch.cat([p.detach().float().reshape(-1) for p in self.parameters])
            exact = dtype == torch.float32
            self._computed = self.weights if exact else self.weights.to(dtype)
            for parameter, part in zip(self.parameters, self._split(self._computed), strict=True):
                parameter.data = part.view(parameter.shape)
        self.first, self.second, self.gradient = (torch.zeros_like(self.weights) for _ in range(3))
        self._gradients = self._split(self.gradient)
        self.updates = 0

    def _split(self, row: Any) -> list[Any]:
        return list(row.split([p.numel() for p in self.parameters]))

    def gather(self, *, more: bool) -> None:
        """Take the parameters' gradients; `more` adds them to those that were taken before."""
        import torch

        with torch.no_grad():
            for parameter, sum_ in zip(self.parameters, self._gradients, strict=True):
                found, parameter.grad = parameter.grad, None
                if found is None:
                    sum_.mul_(float(more))
                elif more:
                    sum_.add_(found.reshape(-1))
                else:
                    sum_.copy_(found.reshape(-1))

    def step(self, share: float, clip: float) -> None:
        """Update at a share of the peak rates, the gradient's norm cut to `clip`."""
        import torch

        with torch.no_grad():
            norm = self.gradient.norm()
            self.gradient.mul_((clip / (norm + 1e-6)).clamp(max=1.0))
            self.updates += 1
            start = 0
            for group in self.groups:
                end = start + sum(p.numel() for p in group.parameters)
                rows = (self.weights, self.gradient, self.first, self.second)
                _adamw(
                    [row[start:end] for row in rows],
                    rate=group.rate * share,
                    decay=group.decay,
                    updates=self.updates,
                )
                start = end
        self.publish()

    def publish(self) -> None:
        """Have the parameters be what the float32 weights say."""
        if self._computed is not self.weights:
            self._computed.copy_(self.weights)

    def unfold(self) -> None:
        """Have the parameters be the float32 weights themselves: nothing is trained any more."""
        for parameter, part in zip(self.parameters, self._split(self.weights), strict=True):
            parameter.data = part.view(parameter.shape)

    def state(self) -> dict[str, Any]:
        """Return the vectors that a resumed training needs."""
        return {WEIGHTS: self.weights, FIRST: self.first, SECOND: self.second}

    def resume(self, state: dict[str, Any], updates: int) -> None:
        """Go on from `state`."""
        for name, row in self.state().items():
            row.copy_(state[name])
        self.updates = updates
        self.publish()


def _adamw(rows: Sequence[Any], *, rate: float, decay: float, updates: int) -> None:
    """Update a stretch of weights in one kernel: weights, gradient and both moments (elements,)."""
    import torch

    weights, gradient, first, second = rows
    torch._fused_adamw_(  # what torch.optim.AdamW calls, too
        [weights],
        [gradient],
        [first],
        [second],
        [],
        [torch.tensor(float(updates), device=weights.device)],
        lr=rate,
        beta1=0.9,
        beta2=0.999,
        weight_decay=decay,
        eps=1e-8,
        amsgrad=False,
        maximize=False,
    )


def groups_of(part: Any, rate: float, decay: float) -> list[Group]:
    """Share a module's trainable parameters out: matrices decay, embeddings and vectors do not."""
    import torch

    kept = {
        id(module.weight) for module in part.modules() if isinstance(module, torch.nn.Embedding)
    }

    def chosen(*, decays: bool) -> list[Any]:
        return [
            p
            for p in part.parameters()
            if p.requires_grad and (p.dim() > 1 and id(p) not in kept) == decays
        ]

    return [Group(chosen(decays=True), rate, decay), Group(chosen(decays=False), rate, 0.0)]


def rate_share(update: int, total: int, warmup: float) -> float:
    """Return the share of the peak rate at an update from 0 on: up, then down on a line."""
    rising = max(1, round(warmup * total))
    if update < rising:
        return (update + 1) / rising
    return (total - update) / max(1, total - rising)
