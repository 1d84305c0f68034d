"""Take a few of many, evenly: corpora lie one after another, and each keeps its share."""

from collections.abc import Sequence


def evenly(number: int, most: int | None) -> Sequence[int]:
    """Return `most` of the places 0 to `number`, equally far apart; all where there are no more."""
    if most is None or number <= most:
        return range(number)
    return [n * number // most for n in range(most)]
