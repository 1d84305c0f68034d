"""Which scripts a text is written in."""

from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache

SHARED = frozenset({"Zyyy", "Zinh", "Zzzz"})
"""Codes for what all scripts share, and for what is in none."""


def letters_by_script(characters: Mapping[str, int]) -> Counter[str]:
    """Count letters by script (ISO 15924), given how often each character stands there."""
    found: Counter[str] = Counter()
    for character, times in characters.items():
        if (script := _script_of_letter(character)) not in SHARED:
            found[script] += times
    return found


def main_script(texts: Iterable[str]) -> str:
    """Return the script (ISO 15924) that most letters of the texts are in; `Zyyy` without any."""
    characters: Counter[str] = Counter()
    for text in texts:
        characters.update(text)
    found = letters_by_script(characters)
    return found.most_common(1)[0][0] if found else "Zyyy"


@cache
def _script_of_letter(character: str) -> str:
    from fontTools.unicodedata import script

    return str(script(character)) if character.isalpha() else "Zyyy"
