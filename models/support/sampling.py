"""Take a few of many, evenly: corpora lie one after another, and each keeps its share."""

from collections.abc import Sequence
from typing import TypeVar

Item = TypeVar("Item")


def evenly(number: int, most: int | None) -> Sequence[int]:
    """Return `most` of the places 0 to `number`, equally far apart; all where there are no more."""
    if most is None or number <= most:
        return range(number)
    return [n * number // most for n in range(most)]


def spread(items: Sequence[Item], most: int | None) -> list[Item]:
    """Return so many items at most, equally far apart."""
    return [items[place] for place in evenly(len(items), most)]
