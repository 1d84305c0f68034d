"""Every strategy by its name: entries, those with a number in it, and ensembles."""

from tasks.transfer.ensembles import PREFIX, Ensemble
from tasks.transfer.strategies import FEW_SHOT, ON_HUB, STRATEGIES, Strategy, few_shot

AnyStrategy = Strategy | Ensemble
_ORDER = [*STRATEGIES]


def strategy_called(name: str) -> AnyStrategy:
    """Return the strategy of that name; KeyError where there is none."""
    if name.startswith(PREFIX):
        return Ensemble.called(name)
    if name.startswith(FEW_SHOT):
        shots = name.removeprefix(f"{FEW_SHOT}-").removesuffix(ON_HUB)
        return few_shot(int(shots), on_hub=name.endswith(ON_HUB))
    return STRATEGIES[name]


def place(name: str) -> tuple[int, bool, int]:
    """Return what strategies are sorted by: entries in their order, ensembles, then few shots."""
    if name in STRATEGIES:
        return _ORDER.index(name), False, 0
    found = strategy_called(name)
    return len(_ORDER), bool(found.shots), found.shots
