"""A few labels of the language itself: which items are drawn, and how much they weigh."""

from collections import Counter
from collections.abc import Sequence

from tasks.splitting import rank


def draw_shots(ids: Sequence[str], labels: Sequence[str], shots: int, *, draw: int) -> list[int]:
    """Return the places of so many items of each class, in file order.

    They hang on the items' ids and the number of the draw alone: every encoder sees the same ones,
    and those of a smaller number are among those of a larger.
    """
    chosen: list[int] = []
    for label in sorted(set(labels)):
        places = [place for place, found in enumerate(labels) if found == label]
        chosen += sorted(places, key=lambda place: rank(f"shot:{ids[place]}", draw))[:shots]
    return sorted(chosen)


def too_few(found: Sequence[str], labels: Sequence[str], shots: int) -> str:
    """Say which class has fewer training items than shots; nothing where all have enough."""
    counts = Counter(found)
    rarest = min(labels, key=lambda label: counts[label])
    if counts[rarest] >= shots:
        return ""
    return f"class {rarest} has {counts[rarest]} training items, {shots} are asked for"


def repeats(shots: int, beside: int) -> int:
    """Return how often shots are repeated so that they weigh as much as the text beside them.

    Half of what is learnt from is then the language itself, as in joint training of Schmidt et al.
    (2022).
    """
    return max(1, round(beside / shots)) if beside else 1
