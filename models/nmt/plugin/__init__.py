"""What is registered or replaced inside fairseq; imported only in its child process."""


def install() -> None:
    """Register the criterion and swap in the faster dropout and optimizer."""
    from models.nmt.plugin import fast_dropout, fused_adam, fused_criterion  # noqa: F401

    fast_dropout.install()
    fused_adam.install()
