"""Adam in one kernel over all parameters instead of ten small operations for each.

torch wraps an optimiser's methods for its compiler, which their first call imports. That takes more
than a second, for nothing: the methods are taken out of their wrappers.
"""

import inspect
from collections.abc import Iterable

import torch


class FusedAdam(torch.optim.AdamW):
    """torch's fused AdamW with the interface fairseq expects of its own Adam."""

    supports_memory_efficient_fp16 = True
    supports_flat_params = True

    add_param_group = inspect.unwrap(torch.optim.AdamW.add_param_group)
    load_state_dict = inspect.unwrap(torch.optim.AdamW.load_state_dict)
    state_dict = inspect.unwrap(torch.optim.AdamW.state_dict)
    zero_grad = inspect.unwrap(torch.optim.AdamW.zero_grad)
    step = torch.no_grad()(inspect.unwrap(torch.optim.AdamW.step))

    def __init__(
        self,
        params: Iterable[torch.Tensor],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(params, lr, betas, eps, weight_decay, fused=True)


def install() -> None:
    """Make fairseq's `--optimizer adam` step with the fused kernel."""
    from fairseq.optim import adam

    adam.Adam = FusedAdam
