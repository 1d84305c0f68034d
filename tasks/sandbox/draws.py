"""Draws: the disjoint sets of sentences that the sandbox publishes."""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import cycle, islice
from random import Random
from typing import NamedTuple

from models.support.errors import SpecError
from tasks.sandbox.language import LANGUAGES, Language, LanguageProfile
from tasks.sandbox.meaning import LABELS, Grammar, Meaning
from tasks.sandbox.recipe import SandboxRecipe, check

SHORTEST = 4
SPLITS = ("train", "dev", "test")
PARALLEL = "parallel"


class Sentence(NamedTuple):
    """Hold what one meaning is called in every language."""

    label: str
    texts: Mapping[str, str]


class Sampler:
    """Draw sentences that no earlier draw has published, in any language."""

    def __init__(
        self, grammar: Grammar, languages: Mapping[str, Language], recipe: SandboxRecipe
    ) -> None:
        """Begin with nothing published."""
        self._grammar, self._languages, self._seed = grammar, languages, recipe.seed
        self._lengths = range(SHORTEST, recipe.longest + 1)
        self._meanings: set[Meaning] = set()
        self._texts: dict[str, set[str]] = {code: set() for code in languages}

    def draw(self, name: str, *, labels: Sequence[str | None]) -> list[Sentence]:
        """Draw one sentence for each label asked for; ``None`` takes any."""
        rng = Random(f"{self._seed}/draw/{name}")
        # Each language has a stream of its own, so that one's synonyms do not shift another's.
        styles = {code: Random(f"{self._seed}/draw/{name}/{code}") for code in self._languages}
        return [self._fresh(label, rng, styles=styles) for label in labels]

    def _fresh(self, label: str | None, rng: Random, *, styles: Mapping[str, Random]) -> Sentence:
        """Draw meanings until one has the label, fits and is new; publish it."""
        while True:
            meaning = self._grammar.meaning(rng)
            if label not in (None, meaning.label) or meaning in self._meanings:
                continue
            texts = {
                code: language.sentence(meaning, styles[code])
                for code, language in self._languages.items()
            }
            if self._fits(texts):
                self._publish(meaning, texts)
                return Sentence(meaning.label, texts)

    def _fits(self, texts: Mapping[str, str]) -> bool:
        return all(
            text not in self._texts[code] and text.count(" ") + 1 in self._lengths
            for code, text in texts.items()
        )

    def _publish(self, meaning: Meaning, texts: Mapping[str, str]) -> None:
        self._meanings.add(meaning)
        for code, text in texts.items():
            self._texts[code].add(text)


class World:
    """What one recipe makes: the languages at once, a draw and those before it when asked for."""

    def __init__(self, recipe: SandboxRecipe) -> None:
        """Make the languages."""
        grammar = Grammar(recipe.roots)
        self.languages = family(recipe, grammar)
        self._sampler = Sampler(grammar, self.languages, recipe)
        self._to_draw = iter(_draws(recipe).items())
        self._drawn: dict[str, Sequence[Sentence]] = {}

    def sentences(self, draw: str) -> Sequence[Sentence]:
        """Return the sentences of a split of the task, of `parallel` or of a language."""
        while draw not in self._drawn:
            name, labels = next(self._to_draw)
            self._drawn[name] = self._sampler.draw(name, labels=labels)
        return self._drawn[draw]


def parallel(recipe: SandboxRecipe, language: str) -> Iterator[tuple[str, str, str]]:
    """Yield id, hub text and text; an id has the same hub text for every language."""
    for number, sentence in enumerate(_world(recipe, language).sentences(PARALLEL)):
        yield f"s{number:05}", sentence.texts["hub"], sentence.texts[language]


def monolingual(recipe: SandboxRecipe, language: str) -> Iterator[tuple[str, str]]:
    """Yield id and text of the language's own monolingual sentences."""
    for number, sentence in enumerate(_world(recipe, language).sentences(language)):
        yield f"{language}{number:05}", sentence.texts[language]


def labelled(recipe: SandboxRecipe, language: str) -> Iterator[tuple[str, str, str, str]]:
    """Yield id, text, label and split of the task, the same ids for every language."""
    for split in SPLITS:
        for number, sentence in enumerate(_world(recipe, language).sentences(split)):
            yield f"{split}{number:05}", sentence.texts[language], sentence.label, split


def _world(recipe: SandboxRecipe, language: str) -> World:
    if language not in LANGUAGES:
        expected = ", ".join(LANGUAGES)
        raise SpecError(f"the sandbox has no language {language!r}, expected one of {expected}")
    check(recipe)
    return world(recipe)


@lru_cache(maxsize=2)
def world(recipe: SandboxRecipe) -> World:
    """Return the world of a recipe, with what has been drawn of it so far."""
    return World(recipe)


def _draws(recipe: SandboxRecipe) -> dict[str, Sequence[str | None]]:
    """Return the labels of each draw, in order: the task first, so that no other size moves it."""
    sizes = (recipe.task_train, recipe.task_dev, recipe.task_test)
    return {
        **{
            split: _balanced(size, seed=f"{recipe.seed}/{split}")
            for split, size in zip(SPLITS, sizes, strict=True)
        },
        PARALLEL: [None] * recipe.pairs,
        **{code: [None] * recipe.monolingual for code in LANGUAGES},
    }


def family(recipe: SandboxRecipe, grammar: Grammar) -> dict[str, Language]:
    """Make the hub, and from its lexicon the other languages at their distances."""
    distances = {
        "sis": recipe.sister_distance,
        "cou": recipe.cousin_distance,
        "iso": recipe.isolate_distance,
    }
    hub = LanguageProfile.at("hub", 0.0)
    roots = hub.lexicon(grammar.concepts, Random(f"{recipe.seed}/lexicon/hub"))
    languages = {"hub": Language(hub, roots)}
    for code, distance in distances.items():
        profile, rng = LanguageProfile.at(code, distance), Random(f"{recipe.seed}/lexicon/{code}")
        lexicon = profile.lexicon(grammar.concepts, rng, ancestor=roots)
        languages[code] = Language(profile, lexicon)
    return languages


def _balanced(size: int, *, seed: str) -> list[str]:
    """Return labels in random order, each as often as the others to within one."""
    labels = list(islice(cycle(LABELS), size))
    Random(f"{seed}/labels").shuffle(labels)
    return labels
