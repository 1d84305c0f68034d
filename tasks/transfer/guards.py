"""Count what came back of a task's text when it was translated."""

from typing import NamedTuple

from tasks.mt.health import Health, Translated


class Guard(NamedTuple):
    """What one training of a system made of a task's text.

    `items` were to be translated and `translated` came back with text in them. Of them, as shares:
    `empty`, `copied` (beyond what human translators leave), `distinct`, `looping` (the same few
    letters over and over) and `foreign` (surely in another language, beyond what is said of human
    text). `length` is in characters for each of the source, over that of human translation.
    """

    items: int
    translated: int
    empty: float
    copied: float
    distinct: float
    looping: float
    length: float
    foreign: float


def guard_of(text: Translated, health: Health) -> Guard:
    """Count all items; the shares are those of the lines that were looked at."""
    to_translate = [bool(source.strip()) for source in text.sources]
    came_back = [bool(line.strip()) for line in text.translations]
    shares = {name: value for name, value in health._asdict().items() if name in Guard._fields}
    both = sum(there and back for there, back in zip(to_translate, came_back, strict=True))
    return Guard(items=sum(to_translate), translated=both, **shares)
