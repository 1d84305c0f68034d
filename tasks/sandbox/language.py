"""Languages: how a meaning becomes a sentence, and how close a language stays to the hub."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from random import Random

from tasks.sandbox.meaning import (
    ALTHOUGH,
    BECAUSE,
    BUT,
    FUNCTIONS,
    NEGATIVE,
    OBJECT,
    PAST,
    PLURAL,
    Clause,
    Concept,
    Meaning,
    Phrase,
)
from tasks.sandbox.phonology import Phonology, SoundChange, branch, reflex

LANGUAGES = ("hub", "sis", "cou", "iso")
SYNONYMY = 0.12  # the share of roots that have a synonym
STABILITY = 100  # how many ranks weigh as much as chance in which roots are replaced
SYNONYM_USE = 0.35  # how often the synonym is said

Lexicon = Mapping[Concept, tuple[str, ...]]


@dataclass(frozen=True, kw_only=True)
class Typology:
    """Describe a language's syntax and morphology.

    * ``order``: of subject, verb and object, such as ``SVO``.
    * ``adjective_first``: whether modifiers precede their noun.
    * ``adjuncts_first``: whether time and place open the clause or close it.
    * ``prefixing``: the side of the root on which affixes stand.
    * ``bound``: whether object, place relations and negation are affixes, not words or nothing.
    * ``fronted``: the conjunctions whose subordinate clause precedes the main clause.
    * ``conjunction_final``: whether a conjunction closes its clause or opens it.
    """

    order: str
    adjective_first: bool
    adjuncts_first: bool
    prefixing: bool
    bound: bool
    fronted: tuple[Concept, ...]
    conjunction_final: bool


ANALYTIC = Typology(
    order="SVO",
    adjective_first=True,
    adjuncts_first=False,
    prefixing=False,
    bound=False,
    fronted=(ALTHOUGH,),
    conjunction_final=False,
)
VERB_FINAL = Typology(
    order="SOV",
    adjective_first=True,
    adjuncts_first=False,
    prefixing=False,
    bound=True,
    fronted=(ALTHOUGH, BECAUSE),
    conjunction_final=True,
)
VERB_INITIAL = Typology(
    order="VOS",
    adjective_first=False,
    adjuncts_first=True,
    prefixing=True,
    bound=True,
    fronted=(),
    conjunction_final=False,
)
TYPOLOGIES = ((0.3, ANALYTIC), (0.75, VERB_FINAL), (inf, VERB_INITIAL))

FAMILIAR = Phonology(onsets="p t k b d g m n l r s v f h", nuclei="a e i o u", codas="n r l s m")
MOUNTAIN = Phonology(
    onsets="b d g z j l m n r y dr gr kh th", nuclei="a e i u ie", codas="k n z rn"
)
ISLAND = Phonology(onsets="w ŋ q ts mb nd y h x ll", nuclei="a aa i ui u oa", codas="ŋ q x")
# The sounds of a language's own coinages, and where in the family's sound changes it begins.
BRANCHES = {"hub": (FAMILIAR, 0), "sis": (FAMILIAR, 0), "cou": (MOUNTAIN, 5), "iso": (ISLAND, 9)}


@dataclass(frozen=True, kw_only=True)
class LanguageProfile:
    """Describe one language: what it keeps of the hub's roots, and how it builds sentences."""

    code: str
    phonology: Phonology
    inherited: float
    changes: tuple[SoundChange, ...]
    typology: Typology

    @classmethod
    def at(cls, code: str, distance: float) -> "LanguageProfile":
        """Derive a language's profile from its distance from the hub alone."""
        phonology, start = BRANCHES[code]
        return cls(
            code=code,
            phonology=phonology,
            inherited=1 - distance,
            changes=branch(start=start, distance=distance),
            typology=next(kind for limit, kind in TYPOLOGIES if distance < limit),
        )

    def lexicon(
        self, concepts: Iterable[Concept], rng: Random, *, ancestor: Lexicon | None = None
    ) -> Lexicon:
        """Give each concept a form of its own: an inherited one, or a coinage.

        A reflex that would clash with another root is replaced, so that roots stay distinct.
        """
        concepts = [*FUNCTIONS, *concepts]
        kept = self._kept(concepts, rng)
        taken: set[str] = set()
        lexicon = {}
        for concept in concepts:
            form = (
                reflex(ancestor[concept][0], self.changes) if ancestor and concept in kept else ""
            )
            if not form or form in taken:
                form = self._coin(concept, rng, taken=taken)
            taken.add(form)
            lexicon[concept] = (form,)
        return lexicon | self._synonyms(lexicon, rng, taken=taken)

    def _kept(self, concepts: Sequence[Concept], rng: Random) -> set[Concept]:
        """Choose what is inherited: frequent roots are replaced more slowly than rare ones."""
        turnover = {concept: rng.random() + concept.rank / STABILITY for concept in concepts}
        stable_first = sorted(concepts, key=turnover.__getitem__)
        return set(stable_first[: round(self.inherited * len(concepts))])

    def _synonyms(
        self, lexicon: Lexicon, rng: Random, *, taken: set[str]
    ) -> dict[Concept, tuple[str, ...]]:
        """Coin a second root for a share of the lexical concepts."""
        pairs = {}
        for concept in [concept for concept in lexicon if concept not in FUNCTIONS]:
            if rng.random() < SYNONYMY:
                pairs[concept] = (*lexicon[concept], self._coin(concept, rng, taken=taken))
                taken.add(pairs[concept][-1])
        return pairs

    def _coin(self, concept: Concept, rng: Random, *, taken: set[str]) -> str:
        """Return a new root; frequent ones are short, and those of affixes shortest."""
        while True:
            longest = 2 if concept.rank < 12 else 3
            syllables = 1 if concept in FUNCTIONS else rng.randint(2, longest)
            form = self.phonology.coin(rng, syllables=syllables)
            if form not in taken:
                return form


class Language:
    """Say meanings in one language."""

    def __init__(self, profile: LanguageProfile, lexicon: Lexicon) -> None:
        """Take the lexicon that the profile made."""
        self.profile, self.lexicon = profile, lexicon
        self._typology = profile.typology

    def sentence(self, meaning: Meaning, rng: Random) -> str:
        """Say a meaning, choosing freely among synonyms."""
        main = self._clause(meaning.main, rng)
        if meaning.link is None or meaning.other is None:
            return " ".join(main) + "."
        other = self._clause(meaning.other, rng)
        # The conjunction belongs to the subordinate clause, but 'but' to the main one.
        holder = main if meaning.link == BUT else other
        conjunction = self._root(meaning.link, rng)
        holder.insert(len(holder) if self._typology.conjunction_final else 0, conjunction)
        fronted = meaning.link in (BUT, *self._typology.fronted)
        first, second = (other, main) if fronted else (main, other)
        return f"{' '.join(first)}, {' '.join(second)}."

    def _clause(self, clause: Clause, rng: Random) -> list[str]:
        typology = self._typology
        parts = {
            "S": self._phrase(clause.subject, rng),
            "V": self._verb(clause, rng),
            "O": self._phrase(clause.object, rng, case=OBJECT) if clause.object else [],
        }
        core = [word for role in typology.order for word in parts[role]]
        adjuncts = [self._root(clause.time, rng)] if clause.time else []
        if clause.place and clause.relation:
            adjuncts += self._adposition(clause.relation, rng)
            adjuncts += self._phrase(clause.place, rng, case=clause.relation)
        return adjuncts + core if typology.adjuncts_first else core + adjuncts

    def _phrase(self, phrase: Phrase, rng: Random, *, case: Concept | None = None) -> list[str]:
        """Say a participant; names and numerals are the same everywhere and take no affix."""
        if isinstance(phrase.head, str):
            return phrase.head.split()
        bound_case = case if self._typology.bound else None
        affixes = (PLURAL if phrase.plural else None, bound_case)
        noun = self._inflected(phrase.head, affixes, rng)
        numeral = [phrase.numeral] if phrase.numeral else []
        adjective = [self._root(phrase.adjective, rng)] if phrase.adjective else []
        if self._typology.adjective_first:
            return [*numeral, *adjective, noun]
        return [noun, *adjective, *numeral]

    def _verb(self, clause: Clause, rng: Random) -> list[str]:
        """Say the verb with its tense, its negation and its adverb."""
        bound_negative = NEGATIVE if clause.negated and self._typology.bound else None
        affixes = (PAST if clause.past else None, bound_negative)
        verb = self._inflected(clause.verb, affixes, rng)
        adverb = [self._root(clause.adverb, rng)] if clause.adverb else []
        particle = self._adposition(NEGATIVE, rng) if clause.negated else []
        return [*particle, *adverb, verb]

    def _adposition(self, concept: Concept, rng: Random) -> list[str]:
        """Say a grammatical meaning as a word of its own where it is not an affix."""
        return [] if self._typology.bound else [self._root(concept, rng)]

    def _inflected(self, concept: Concept, affixes: Iterable[Concept | None], rng: Random) -> str:
        """Attach the affixes to a root, the first one next to it."""
        form = self._root(concept, rng)
        for affix in affixes:
            if affix:
                marker = self._root(affix, rng)
                form = marker + form if self._typology.prefixing else form + marker
        return form

    def _root(self, concept: Concept, rng: Random) -> str:
        forms = self.lexicon[concept]
        return forms[-1] if len(forms) > 1 and rng.random() < SYNONYM_USE else forms[0]
