"""Sounds: which words a language can have, and how its words change in its daughters."""

import re
from dataclasses import dataclass
from functools import cached_property
from math import ceil
from random import Random

VOWEL = "[aeiouüö]"


@dataclass(frozen=True, kw_only=True)
class Phonology:
    """List the onsets, nuclei and codas of a language's syllables, space-separated.

    Medial syllables are open; a root-final syllable ends in a coda half of the time.
    """

    onsets: str
    nuclei: str
    codas: str

    def coin(self, rng: Random, *, syllables: int) -> str:
        """Return a new well-formed root of so many syllables."""
        root = "".join(
            rng.choice(self.onsets.split()) + rng.choice(self.nuclei.split())
            for _ in range(syllables)
        )
        return root + rng.choice(self.codas.split()) if rng.random() < 0.5 else root


@dataclass(frozen=True)
class SoundChange:
    """State a regular change in the usual notation: source > target / after _ before.

    Sources and targets are space-separated and aligned; the target ``0`` is loss.
    """

    name: str
    source: str
    target: str
    after: str = ""
    before: str = ""

    def __call__(self, form: str) -> str:
        """Apply the change wherever its context is met, all places at once."""
        return self._context.sub(lambda match: self._outcome[match[0]], form)

    @cached_property
    def _outcome(self) -> dict[str, str]:
        targets = self.target.replace("0", "").split(" ")
        return dict(zip(self.source.split(" "), targets, strict=True))

    @cached_property
    def _context(self) -> re.Pattern[str]:
        sources = self.source.replace(" ", "|")
        return re.compile(f"(?<={self.after})(?:{sources})(?={self.before})")


CHANGES = (
    SoundChange("palatalisation", "s k", "š č", before="[ie]"),
    SoundChange("final raising", "e o", "i u", before="$"),
    SoundChange("intervocalic voicing", "p t k", "b d g", VOWEL, VOWEL),
    SoundChange("rhotacism", "l", "r", VOWEL, VOWEL),
    SoundChange("debuccalisation", "s f", "h h", "^", VOWEL),
    SoundChange("spirantisation", "p t k", "f th kh", "^"),
    SoundChange("umlaut", "u o", "ü ö", before="[^aeiouüö]+i"),
    SoundChange("nasal loss", "n m", "0 0", VOWEL, "$"),
    SoundChange("lowering", "i u", "e o", before="[rlh]"),
    SoundChange("lenition", "b d g", "v dh gh", VOWEL, VOWEL),
    SoundChange("apocope", "a e", "0 0", f"{VOWEL}[^aeiouüöh]", "$"),
    SoundChange("breaking", "e o", "ie uo", "[^aeiouüö]", "[lrsn]$"),
)
"""The changes known to the family; each branch takes a run of them."""


def branch(*, start: int, distance: float) -> tuple[SoundChange, ...]:
    """Return the changes of a branch that begins at ``start``: the more distant, the more."""
    rotated = CHANGES[start:] + CHANGES[:start]
    return rotated[: ceil(distance * len(CHANGES))]


def reflex(form: str, changes: tuple[SoundChange, ...]) -> str:
    """Return what a root has become after the changes, in their order."""
    for change in changes:
        form = change(form)
    return form
