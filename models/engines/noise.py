"""Noise on the words of a text: what makes synthetic sources harder than beam search leaves them.

Source: Edunov et al. 2018, after Lample et al. 2018. The text is not segmented yet and bears no
tag. Words are what spaces part, or U+200B, the Ethiopic word space and the Tibetan tsheg. Noise
breaks no word: where nothing parts words, it hits clauses.
"""

from collections.abc import Sequence
from itertools import zip_longest
from random import Random

from models.engines.protocol import Line, Noise
from models.writing import pieces

BLANK = "_"
"""Stands for a word that is left blank: plain text, so that it passes through cleaning and casing.

Control pieces cannot come from text; a subword model that never saw this sign reads `<unk>`.
"""


def add_noise(lines: Sequence[Line], noise: Noise, *, seed: int) -> list[Line]:
    """Return the lines with noise; a line's noise hangs on the seed and on its id alone.

    No text loses its last word to deletion or to blanks.
    """
    return [(key, _noisy_text(text, noise, f"{seed}/{key}")) for key, text in lines]


def _noisy_text(text: str, noise: Noise, seed: str) -> str:
    """Return a text with noise; what stands between two places stays there, whatever words come."""
    parts = pieces(text)
    noisy = _noisy([word for word, _ in parts], noise, seed)
    between = [space for _, space in parts[: len(noisy) - 1]]
    return "".join(map("".join, zip_longest(noisy, between, fillvalue="")))


def _noisy(words: list[str], noise: Noise, seed: str) -> list[str]:
    draw = Random(seed)  # noqa: S311
    places = [place + draw.uniform(0, noise.shuffle) for place in range(len(words))]
    shuffled = [words[i] for i in sorted(range(len(words)), key=places.__getitem__)]
    kept = [word for word in shuffled if draw.random() >= noise.delete] or shuffled[:1]
    blanked = [BLANK if draw.random() < noise.blank else word for word in kept]
    return blanked if any(word != BLANK for word in blanked) else kept[:1] + blanked[1:]
