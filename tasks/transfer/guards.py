"""Count what came back of a task's text when it was translated."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from models.encoders.pretrained.fitness import measure_fitness
from models.encoders.pretrained.folders import MOST_PIECES, read_published_tokenizer
from models.support.sampling import spread
from tasks.mt.health import LINES, Health, Translated


class Guard(NamedTuple):
    """What one training of a system made of a task's text.

    `items` were to be translated and `translated` came back with text in them. Of them, as shares:
    `empty`, `copied` (beyond what human translators leave), `distinct`, `looping` (the same few
    letters over and over) and `foreign` (surely in another language, beyond what is said of human
    text). `length` is in characters for each of the source, over that of human translation.
    `unknown_pieces` is what each published encoder does not know of it, as a share of its pieces.
    """

    items: int
    translated: int
    empty: float
    copied: float
    distinct: float
    looping: float
    length: float
    foreign: float
    unknown_pieces: tuple[float, ...] = ()


def guard_of(text: Translated, health: Health, encoders: Sequence[Path] = ()) -> Guard:
    """Count all items; the shares are those of the lines that were looked at.

    `encoders` are folders of published ones.
    """
    to_translate = [bool(source.strip()) for source in text.sources]
    came_back = [bool(line.strip()) for line in text.translations]
    shares = {name: value for name, value in health._asdict().items() if name in Guard._fields}
    both = sum(there and back for there, back in zip(to_translate, came_back, strict=True))
    unknown = tuple(_unknown(text.translations, encoder) for encoder in encoders)
    return Guard(items=sum(to_translate), translated=both, **shares, unknown_pieces=unknown)


def _unknown(texts: Sequence[str], encoder: Path) -> float:
    looked_at = spread(list(texts), LINES)
    tokenizer = read_published_tokenizer(encoder)
    found = measure_fitness(looked_at, tokenizer, prefix="", max_pieces=MOST_PIECES)
    return found.unknown_pieces
