"""Ways to use labelled text of one language for another, as data: a new one is one more entry."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

Side = Literal["hub", "language"]


class TextVersion(NamedTuple):
    """A labelled set's text: of which language, and through which languages it was translated."""

    of: str
    to: tuple[str, ...] = ()

    @property
    def language(self) -> str:
        """The language it is in now."""
        return self.to[-1] if self.to else self.of

    @property
    def hops(self) -> tuple[tuple[str, str], ...]:
        """Source and target of each translation, the first one first."""
        return tuple(zip((self.of, *self.to), self.to, strict=False))

    def __str__(self) -> str:
        return "-".join((self.of, *self.to))

    @classmethod
    def parse(cls, text: str) -> "TextVersion":
        """Read what `str` wrote."""
        of, *to = text.split("-")
        return cls(of, tuple(to))


class Route(NamedTuple):
    """The labelled set of one side, translated hop by hop by the same system."""

    of: Side
    to: tuple[Side, ...] = ()

    def between(self, hub: str, language: str) -> TextVersion:
        """Return the text that the route leads to for a language."""
        places = {"hub": hub, "language": language}
        return TextVersion(places[self.of], tuple(places[side] for side in self.to))


@dataclass(frozen=True, kw_only=True)
class Strategy:
    """What a classifier is trained on, and on what it is tested.

    `transfers`: it needs no labelled text of the language, so it competes; the others show what
    there is to reach. `per_language`: its score hangs on the language; not so the hub's own.
    """

    name: str
    train: Route
    test: Route
    transfers: bool = True
    per_language: bool = True
    about: str

    @property
    def needs(self) -> tuple[tuple[Side, str], ...]:
        """Whose labelled set must have which part."""
        return (self.train.of, "train"), (self.test.of, "test")

    def hops(self, hub: str, language: str) -> list[tuple[str, str]]:
        """Return source and target of all that is translated for a language, each once."""
        texts = (route.between(hub, language) for route in (self.train, self.test))
        return [*dict.fromkeys(hop for text in texts for hop in text.hops)]

    @property
    def uses_system(self) -> bool:
        """Say whether anything is translated."""
        return bool(self.train.to or self.test.to)


ZERO_SHOT, TRANSLATE_TRAIN, TRANSLATE_TEST = "zero-shot", "translate-train", "translate-test"
IN_LANGUAGE, SOURCE = "in-language", "source"

STRATEGIES: dict[str, Strategy] = {
    strategy.name: strategy
    for strategy in (
        Strategy(
            name=ZERO_SHOT,
            train=Route("hub"),
            test=Route("language"),
            about="trained on the hub's text, tested on the language's",
        ),
        Strategy(
            name=TRANSLATE_TRAIN,
            train=Route("hub", ("language",)),
            test=Route("language"),
            about="trained on the hub's text translated into the language",
        ),
        Strategy(
            name=TRANSLATE_TEST,
            train=Route("hub"),
            test=Route("language", ("hub",)),
            about="trained on the hub's text, tested on text translated into the hub's language",
        ),
        Strategy(
            name=IN_LANGUAGE,
            train=Route("language"),
            test=Route("language"),
            transfers=False,
            about="trained on labelled text of the language itself: what there is to reach",
        ),
        Strategy(
            name=SOURCE,
            train=Route("hub"),
            test=Route("hub"),
            transfers=False,
            per_language=False,
            about="trained and tested in the hub's language: how hard the task is",
        ),
    )
}
