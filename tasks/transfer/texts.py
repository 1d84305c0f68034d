"""The texts that strategies train and test on: of which language, and how translated."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

Side = Literal["hub", "language", "every"]
"""Whose text; `every`: into each language of the task in turn."""
SHOTS, PLUS = "@", "+"


class TextVersion(NamedTuple):
    """A labelled set's text: of which language, and through which languages it was translated.

    With `shots` only so many items of each class, drawn anew by every seed.
    """

    of: str
    to: tuple[str, ...] = ()
    shots: int = 0

    @property
    def language(self) -> str:
        """The language it is in now."""
        return self.to[-1] if self.to else self.of

    @property
    def hops(self) -> tuple[tuple[str, str], ...]:
        """Source and target of each translation, the first one first."""
        return tuple(zip((self.of, *self.to), self.to, strict=False))

    @property
    def whole(self) -> "TextVersion":
        """The text that shots are drawn from."""
        return self._replace(shots=0)

    def __str__(self) -> str:
        name = "-".join((self.of, *self.to))
        return f"{name}{SHOTS}{self.shots}" if self.shots else name

    @classmethod
    def parse(cls, text: str) -> "TextVersion":
        """Read what `str` wrote."""
        name, _, shots = text.partition(SHOTS)
        of, *to = name.split("-")
        return cls(of, tuple(to), int(shots or 0))


class Mixture(NamedTuple):
    """What a classifier is trained on: one version of a text, or several, one after another."""

    versions: tuple[TextVersion, ...]

    def __str__(self) -> str:
        return PLUS.join(map(str, self.versions))

    @property
    def short(self) -> str:
        """A name that is never too long for a folder."""
        first, rest = self.versions[:3], len(self.versions[3:])
        return PLUS.join([*map(str, first), *([f"{rest}-more"] if rest else [])])

    @property
    def translated(self) -> bool:
        """Say whether any of it is."""
        return any(version.to for version in self.versions)

    @property
    def shots(self) -> int:
        """How many items of a class are drawn; 0 where all of the text is trained on."""
        return max(version.shots for version in self.versions)

    @classmethod
    def parse(cls, text: str) -> "Mixture":
        """Read what `str` wrote."""
        return cls(tuple(map(TextVersion.parse, text.split(PLUS))))


class Route(NamedTuple):
    """The labelled set of one side, translated hop by hop by the same system."""

    of: Side
    to: tuple[Side, ...] = ()
    shots: int = 0

    def between(self, hub: str, language: str) -> TextVersion:
        """Return the text that the route leads to for a language."""
        places = {"hub": hub, "language": language, "every": language}
        return TextVersion(places[self.of], tuple(places[side] for side in self.to), self.shots)

    def versions(self, hub: str, language: str, every: Sequence[str]) -> tuple[TextVersion, ...]:
        """Return the texts that the route leads to: several if it leads into every language."""
        ends = sorted(every) if "every" in self.to else [language]
        return tuple(self.between(hub, end) for end in ends)
