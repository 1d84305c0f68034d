"""Import fairseq without scikit-learn and scipy.stats, which its other tasks ask for.

fairseq imports all its tasks and criteria, also for translation: scikit-learn, scipy.stats and
pandas were half of the start of each child process.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType

UNUSED = {
    "scipy.stats": ("pearsonr", "spearmanr"),
    "sklearn": ("metrics",),
    "sklearn.metrics": ("f1_score", "matthews_corrcoef"),
}
"""What fairseq's speech and classification modules take from modules that are slow to import."""


@contextmanager
def _with_empty_modules() -> Iterator[None]:
    """Put empty modules in the place of those, unless imported already; take them away after."""
    added = [name for name in UNUSED if name not in sys.modules]
    for name in added:
        module = ModuleType(name)
        vars(module).update(dict.fromkeys(UNUSED[name]))
        sys.modules[name] = module
    try:
        yield
    finally:
        for name in added:
            del sys.modules[name]


def import_fairseq() -> None:
    """Import fairseq's tasks, criteria and models; whoever needs a part imports it afterwards."""
    with _with_empty_modules():
        import_module("fairseq.criterions")
