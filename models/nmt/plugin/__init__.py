"""What is registered or replaced inside fairseq; imported only in its child process."""


def install() -> None:
    """Register the criterion and swap in what is faster than fairseq's own."""
    from models.nmt.plugin import (  # noqa: F401
        fast_attention,
        fast_dropout,
        fused_adam,
        fused_criterion,
        padded_linear,
    )

    fast_attention.install()
    fast_dropout.install()
    fused_adam.install()
    padded_linear.install()
