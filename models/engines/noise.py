"""Noise on the words of a text: what makes synthetic sources harder than beam search leaves them.

Source: Edunov et al. 2018, after Lample et al. 2018. Words are what spaces part; the text is not
segmented yet and bears no tag.
"""

from collections.abc import Sequence
from random import Random

from models.engines.protocol import Line, Noise

BLANK = "_"
"""Stands for a word that is left blank: a piece of its own in any subword model that saw it."""


def add_noise(lines: Sequence[Line], noise: Noise, *, seed: int) -> list[Line]:
    """Return the lines with noise; a line's noise hangs on the seed and on its id alone."""
    return [(key, " ".join(_noisy(text.split(), noise, f"{seed}/{key}"))) for key, text in lines]


def _noisy(words: list[str], noise: Noise, seed: str) -> list[str]:
    draw = Random(seed)  # noqa: S311
    places = [place + draw.uniform(0, noise.shuffle) for place in range(len(words))]
    shuffled = [words[i] for i in sorted(range(len(words)), key=places.__getitem__)]
    kept = [word for word in shuffled if draw.random() >= noise.delete]
    return [BLANK if draw.random() < noise.blank else word for word in kept or shuffled[:1]]
