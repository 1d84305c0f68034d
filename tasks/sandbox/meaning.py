"""Meanings: what a sentence says before any language says it, and which label follows from it."""

from collections.abc import Sequence
from itertools import accumulate
from random import Random
from typing import NamedTuple

LABELS = ("complaint", "neutral", "praise")
VALENCES = (0, 1, -1, 0, -1, 1)  # by rank: no class has the frequent words to itself

# Named tuples, not dataclasses: tens of thousands of meanings are hashed to keep draws disjoint.


class Concept(NamedTuple):
    """Identify one meaning by its kind and its frequency rank within the kind."""

    kind: str
    rank: int = 0

    @property
    def valence(self) -> int:
        """Return +1 for good, -1 for bad, 0 for neutral; each has the same share of use."""
        return VALENCES[self.rank % len(VALENCES)] if self.kind in ("verb", "adjective") else 0


PLURAL, PAST, OBJECT = Concept("plural"), Concept("past"), Concept("object")
NEGATIVE = Concept("negative")
RELATIONS = (Concept("in"), Concept("near"), Concept("from"))
BUT, ALTHOUGH, BECAUSE = Concept("but"), Concept("although"), Concept("because")
FUNCTIONS = (PLURAL, PAST, OBJECT, NEGATIVE, *RELATIONS, BUT, ALTHOUGH, BECAUSE)

LEXICAL_SHARES = {
    "noun": 0.48,
    "verb": 0.15,
    "adjective": 0.21,
    "adverb": 0.06,
    "time": 0.04,
    "place": 0.06,
}
GIVEN_NAMES = ("Ardo", "Belisa", "Corvan", "Dunya", "Elmer", "Fiora", "Gundar", "Ilmo", "Selma")
FAMILY_NAMES = ("Hestorin", "Jaskel", "Kasparo", "Lunet", "Mirkov", "Orsolo", "Quillan", "Tibor")
NUMERALS = tuple(str(number) for number in (2, 3, 4, 5, 6, 7, 8, 10, 12, 20, 40, 100))


class Phrase(NamedTuple):
    """Name a participant: a noun, or a proper name that takes neither number nor modifiers."""

    head: Concept | str
    adjective: Concept | None = None
    numeral: str | None = None
    plural: bool = False


class Clause(NamedTuple):
    """State one event."""

    subject: Phrase
    verb: Concept
    object: Phrase | None
    adverb: Concept | None
    time: Concept | None
    relation: Concept | None
    place: Phrase | None
    past: bool
    negated: bool

    @property
    def polarity(self) -> int:
        """Return the verb's valence, else that of the object's adjective, negation applied."""
        adjective = self.object.adjective if self.object else None
        valence = self.verb.valence or (adjective.valence if adjective else 0)
        return -valence if self.negated else valence


class Meaning(NamedTuple):
    """State a main clause, and perhaps a clause linked to it."""

    main: Clause
    link: Concept | None = None
    other: Clause | None = None

    @property
    def label(self) -> str:
        """Return the label of the main clause, whatever the other one says."""
        return LABELS[self.main.polarity + 1]


class Grammar:
    """Draw meanings at random, the concepts of each kind by Zipf's law."""

    def __init__(self, roots: int) -> None:
        """Share the lexical roots out among the kinds."""
        self.kinds = {
            kind: tuple(Concept(kind, rank) for rank in range(round(share * roots)))
            for kind, share in LEXICAL_SHARES.items()
        }
        self._weights = {kind: _zipf(concepts) for kind, concepts in self.kinds.items()}

    @property
    def concepts(self) -> tuple[Concept, ...]:
        """Return all lexical concepts, in a fixed order."""
        return tuple(concept for concepts in self.kinds.values() for concept in concepts)

    def meaning(self, rng: Random) -> Meaning:
        """Draw a sentence's meaning: one clause, or two shorter ones."""
        if rng.random() < 0.75:
            return Meaning(self._clause(rng, detail=1.0))
        link = rng.choice((BUT, ALTHOUGH, BECAUSE))
        return Meaning(self._clause(rng, detail=0.5), link, self._clause(rng, detail=0.5))

    def _clause(self, rng: Random, *, detail: float) -> Clause:
        """Draw an event; the less detail, the fewer modifiers and adjuncts."""
        transitive, placed = rng.random() < 0.9, rng.random() < 0.35 * detail
        return Clause(
            subject=self._participant(rng, detail=detail, described=0.2 * detail),
            verb=self._pick("verb", rng),
            object=self._participant(rng, detail=detail, described=0.5) if transitive else None,
            adverb=self._maybe("adverb", rng, chance=0.3 * detail),
            time=self._maybe("time", rng, chance=0.4 * detail),
            relation=rng.choice(RELATIONS) if placed else None,
            place=Phrase(self._pick("place", rng)) if placed else None,
            past=rng.random() < 0.4,
            negated=rng.random() < 0.12,
        )

    def _participant(self, rng: Random, *, detail: float, described: float) -> Phrase:
        """Draw a participant that has an adjective with the chance ``described``."""
        if rng.random() < 0.15:
            return Phrase(_name(rng))
        numeral = NUMERALS[_skewed(len(NUMERALS), rng)] if rng.random() < 0.15 * detail else None
        return Phrase(
            head=self._pick("noun", rng),
            adjective=self._maybe("adjective", rng, chance=described),
            numeral=numeral,
            plural=numeral is not None or rng.random() < 0.25,
        )

    def _maybe(self, kind: str, rng: Random, *, chance: float) -> Concept | None:
        return self._pick(kind, rng) if rng.random() < chance else None

    def _pick(self, kind: str, rng: Random) -> Concept:
        return rng.choices(self.kinds[kind], cum_weights=self._weights[kind])[0]


def _zipf(concepts: Sequence[Concept]) -> list[float]:
    """Return cumulative Zipf weights."""
    return list(accumulate(1 / (concept.rank + 1) for concept in concepts))


def _skewed(size: int, rng: Random) -> int:
    """Return an index below ``size``, low ones more often."""
    return int(size * rng.random() ** 2)


def _name(rng: Random) -> str:
    """Return a given name, in half of the cases with a family name."""
    given = GIVEN_NAMES[_skewed(len(GIVEN_NAMES), rng)]
    return f"{given} {rng.choice(FAMILY_NAMES)}" if rng.random() < 0.5 else given
