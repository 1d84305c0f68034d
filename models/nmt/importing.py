"""Import fairseq without scikit-learn, which its speech and classification modules ask for.

fairseq imports all its tasks and criteria, also for translation: scikit-learn, scipy.stats and
pandas were two fifths of the start of each child process.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType


@contextmanager
def _without_scikit_learn() -> Iterator[None]:
    """Put empty modules in its place, unless it is imported already; take them away at the end."""
    if "sklearn" in sys.modules:
        yield
        return
    package, metrics = ModuleType("sklearn"), ModuleType("sklearn.metrics")
    unused = {"f1_score": None, "matthews_corrcoef": None}
    vars(metrics).update(unused)
    vars(package)["metrics"] = metrics
    sys.modules |= {"sklearn": package, "sklearn.metrics": metrics}
    try:
        yield
    finally:
        del sys.modules["sklearn"], sys.modules["sklearn.metrics"]


def import_fairseq() -> None:
    """Import fairseq's tasks, criteria and models; whoever needs a part imports it afterwards."""
    with _without_scikit_learn():
        import_module("fairseq.criterions")
