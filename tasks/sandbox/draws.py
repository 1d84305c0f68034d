"""Draws: the disjoint sets of sentences that the sandbox publishes."""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import cycle, islice
from random import Random
from typing import NamedTuple

from models.errors import SpecError
from tasks.sandbox.language import LANGUAGES, Language, Profile
from tasks.sandbox.meaning import LABELS, Grammar, Meaning
from tasks.sandbox.recipe import SandboxRecipe, check

LENGTHS = range(4, 15)


class Sentence(NamedTuple):
    """Hold what one meaning is called in every language."""

    label: str
    texts: Mapping[str, str]


class Sampler:
    """Draw sentences that no earlier draw has published, in any language."""

    def __init__(self, grammar: Grammar, languages: Mapping[str, Language], *, seed: int) -> None:
        """Begin with nothing published."""
        self._grammar, self._languages, self._seed = grammar, languages, seed
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
            text not in self._texts[code] and text.count(" ") + 1 in LENGTHS
            for code, text in texts.items()
        )

    def _publish(self, meaning: Meaning, texts: Mapping[str, str]) -> None:
        self._meanings.add(meaning)
        for code, text in texts.items():
            self._texts[code].add(text)


class World(NamedTuple):
    """Hold everything that one recipe makes."""

    languages: Mapping[str, Language]
    task: Mapping[str, Sequence[Sentence]]
    parallel: Sequence[Sentence]
    monolingual: Mapping[str, Sequence[Sentence]]


def parallel(recipe: SandboxRecipe, language: str) -> Iterator[tuple[str, str, str]]:
    """Yield id, hub text and text; an id has the same hub text for every language."""
    for number, sentence in enumerate(_world(recipe, language).parallel):
        yield f"s{number:05}", sentence.texts["hub"], sentence.texts[language]


def monolingual(recipe: SandboxRecipe, language: str) -> Iterator[tuple[str, str]]:
    """Yield id and text of the language's own monolingual sentences."""
    for number, sentence in enumerate(_world(recipe, language).monolingual[language]):
        yield f"{language}{number:05}", sentence.texts[language]


def labelled(recipe: SandboxRecipe, language: str) -> Iterator[tuple[str, str, str, str]]:
    """Yield id, text, label and split of the task, the same ids for every language."""
    for split, sentences in _world(recipe, language).task.items():
        for number, sentence in enumerate(sentences):
            yield f"{split}{number:05}", sentence.texts[language], sentence.label, split


def _world(recipe: SandboxRecipe, language: str) -> World:
    if language not in LANGUAGES:
        expected = ", ".join(LANGUAGES)
        raise SpecError(f"the sandbox has no language {language!r}, expected one of {expected}")
    check(recipe)
    return world(recipe)


@lru_cache(maxsize=2)
def world(recipe: SandboxRecipe) -> World:
    """Make the languages, then draw: the task first, so that it depends on no other size."""
    grammar = Grammar(recipe.roots)
    languages = family(recipe, grammar)
    sampler = Sampler(grammar, languages, seed=recipe.seed)
    sizes = {"train": recipe.task_train, "dev": recipe.task_dev, "test": recipe.task_test}
    return World(
        languages=languages,
        task={
            split: sampler.draw(split, labels=_balanced(size, seed=f"{recipe.seed}/{split}"))
            for split, size in sizes.items()
        },
        parallel=sampler.draw("parallel", labels=[None] * recipe.pairs),
        monolingual={
            code: sampler.draw(code, labels=[None] * recipe.monolingual) for code in LANGUAGES
        },
    )


def family(recipe: SandboxRecipe, grammar: Grammar) -> dict[str, Language]:
    """Make the hub, and from its lexicon the other languages at their distances."""
    distances = {
        "sis": recipe.sister_distance,
        "cou": recipe.cousin_distance,
        "iso": recipe.isolate_distance,
    }
    hub = Profile.at("hub", 0.0)
    roots = hub.lexicon(grammar.concepts, Random(f"{recipe.seed}/lexicon/hub"))
    languages = {"hub": Language(hub, roots)}
    for code, distance in distances.items():
        profile, rng = Profile.at(code, distance), Random(f"{recipe.seed}/lexicon/{code}")
        lexicon = profile.lexicon(grammar.concepts, rng, ancestor=roots)
        languages[code] = Language(profile, lexicon)
    return languages


def _balanced(size: int, *, seed: str) -> list[str]:
    """Return labels in random order, each as often as the others to within one."""
    labels = list(islice(cycle(LABELS), size))
    Random(f"{seed}/labels").shuffle(labels)
    return labels
