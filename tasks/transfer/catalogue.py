"""Every strategy by its name: entries, those with a number in it, and ensembles."""

import re

from tasks.transfer.ensembles import PREFIX, Ensemble
from tasks.transfer.strategies import FEW_SHOT, ON_HUB, STRATEGIES, Strategy, few_shot

AnyStrategy = Strategy | Ensemble
Translated = tuple[str, tuple[str, str]]
"""A system, and the direction that it translates in."""
_ORDER = [*STRATEGIES]
_FEW_SHOT = re.compile(rf"{FEW_SHOT}-(\d+)({re.escape(ON_HUB)})?")


def strategy_called(name: str) -> AnyStrategy:
    """Return the strategy of that name; KeyError where there is none."""
    if name.startswith(PREFIX):
        return Ensemble.called(name)
    if found := _FEW_SHOT.fullmatch(name):
        return few_shot(int(found[1]), on_hub=bool(found[2]))
    return STRATEGIES[name]


def place(name: str) -> tuple[int, int, str]:
    """Return what strategies are sorted by: entries in their order, ensembles, then few shots."""
    if name in STRATEGIES:
        return _ORDER.index(name), 0, ""
    return len(_ORDER), strategy_called(name).shots, name


def translated(name: str, system: str, *, hub: str, language: str) -> list[Translated]:
    """Return what is translated for a strategy with a system in a language, each text once."""
    found = strategy_called(name)
    ways = found.ways(system) if isinstance(found, Ensemble) else [(found, system, "")]
    hops = ((by, hop) for strategy, by, _ in ways for hop in strategy.hops(hub, language))
    return [*dict.fromkeys(hops)]
