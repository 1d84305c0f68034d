"""What is registered or replaced inside fairseq; imported only in its child process."""

from importlib import import_module

REPLACING = ("fast_collate", "fast_dropout", "fused_adam", "packed_transformer")


def load() -> None:
    """Import the plugin, which registers the criterion."""
    for name in ("fused_criterion", *REPLACING):
        import_module(f"models.nmt.plugin.{name}")


def install() -> None:
    """Swap in what is faster than fairseq's own."""
    load()
    for name in REPLACING:
        import_module(f"models.nmt.plugin.{name}").install()
