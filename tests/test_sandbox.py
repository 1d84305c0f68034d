"""The sandbox keeps its promises: determinism, disjoint draws, and a difficulty that is known."""

import os
import re
import subprocess
import sys
from collections import Counter, defaultdict
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import pytest
import sacrebleu
from pydantic import TypeAdapter, ValidationError
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.pipeline import Pipeline, make_pipeline

from models.support.errors import SpecError
from tasks.sandbox import LABELS, LANGUAGES, SandboxRecipe, labelled, monolingual, parallel
from tasks.sandbox.draws import PARALLEL, SPLITS, World, world
from tasks.sandbox.meaning import NEGATIVE, Clause, Concept, Grammar, Meaning, Phrase
from tasks.sandbox.phonology import SoundChange, branch, reflex

RECIPE = SandboxRecipe(pairs=600, monolingual=400)
TINY = SandboxRecipe(pairs=20, monolingual=20, task_train=30, task_dev=9, task_test=12)
GOOD, BAD, PLAIN = Concept("verb", 1), Concept("verb", 2), Concept("verb", 0)
PRINT_TINY = """
from tasks.sandbox import LANGUAGES, SandboxRecipe, labelled, monolingual, parallel
recipe = SandboxRecipe(pairs=20, monolingual=20, task_train=30, task_dev=9, task_test=12)
for draw in (labelled, parallel, monolingual):
    for language in LANGUAGES:
        print(*draw(recipe, language), sep="\\n")
"""


def texts(draw: str, language: str) -> list[str]:
    """Return the sentences that a draw publishes in a language."""
    if draw == "task":
        return [text for _, text, _, _ in labelled(RECIPE, language)]
    if draw == "parallel":
        return [text for _, _, text in parallel(RECIPE, language)]
    return [text for _, text in monolingual(RECIPE, language)]


def split(language: str, name: str) -> tuple[list[str], list[str]]:
    """Return the texts and the labels of one split of the task."""
    rows = [row for row in labelled(RECIPE, language) if row[3] == name]
    return [row[1] for row in rows], [row[2] for row in rows]


def trained(language: str) -> Pipeline:
    """Train the bag of character n-grams that knows words and no syntax."""
    features = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True)
    classifier = make_pipeline(features, LogisticRegression(C=10, max_iter=200))
    return classifier.fit(*split(language, "train"))


def macro_f1(classifier: Pipeline, language: str) -> float:
    """Score a classifier on the test split of a language."""
    sentences, labels = split(language, "test")
    return float(f1_score(labels, classifier.predict(sentences), average="macro"))


@pytest.fixture(scope="module")
def hub_classifier() -> Pipeline:
    """Train the hub's classifier once."""
    return trained("hub")


def clause(verb: Concept, *, negated: bool = False, adjective: Concept | None = None) -> Clause:
    """Make a clause about a proper name."""
    return Clause(
        subject=Phrase("Ardo"),
        verb=verb,
        object=Phrase(Concept("noun"), adjective),
        adverb=None,
        time=None,
        relation=None,
        place=None,
        past=False,
        negated=negated,
    )


def test_other_processes_print_the_same_bytes() -> None:
    def printed(hash_seed: str) -> bytes:
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONIOENCODING": "utf-8"}
        root = Path(__file__).parents[1]
        command = [sys.executable, "-c", PRINT_TINY]
        return subprocess.run(
            command, env=environment, cwd=root, check=True, stdout=subprocess.PIPE
        ).stdout

    first = printed("1")
    assert first == printed("2")
    assert first.count(b"\n") == len(LANGUAGES) * (51 + 20 + 20)


def test_another_seed_changes_every_sentence() -> None:
    other = replace(TINY, seed=2)
    assert not set(parallel(TINY, "sis")) & set(parallel(other, "sis"))


def test_sizes_of_the_corpora_do_not_change_the_task() -> None:
    larger = replace(TINY, pairs=40, monolingual=40)
    assert list(labelled(larger, "cou")) == list(labelled(TINY, "cou"))
    assert list(parallel(larger, "cou"))[:20] == list(parallel(TINY, "cou"))


def test_hub_words_do_not_depend_on_the_other_languages() -> None:
    near = replace(TINY, sister_distance=0.0, cousin_distance=0.2)
    hubs = [world(recipe).languages["hub"].lexicon for recipe in (near, TINY)]
    assert hubs[0] == hubs[1]


def test_a_draw_is_the_same_whatever_is_asked_for_first() -> None:
    draws = [*SPLITS, PARALLEL, *LANGUAGES]
    forwards, backwards = World(TINY), World(TINY)
    assert {draw: forwards.sentences(draw) for draw in draws} == {
        draw: backwards.sentences(draw) for draw in reversed(draws)
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_draws_are_disjoint_and_free_of_repeats(language: str) -> None:
    everything = [*SPLITS, PARALLEL, *LANGUAGES]
    published = [
        sentence.texts[language]
        for draw in everything
        for sentence in world(RECIPE).sentences(draw)
    ]
    assert len(set(published)) == len(published)


def test_public_draws_are_disjoint() -> None:
    for language in LANGUAGES:
        draws = [set(texts(draw, language)) for draw in ("task", "parallel", "monolingual")]
        assert not any(one & other for one, other in combinations(draws, 2))


@pytest.mark.parametrize("language", LANGUAGES)
def test_sentences_have_four_to_fourteen_words(language: str) -> None:
    for draw in ("task", "parallel", "monolingual"):
        assert {len(text.split()) for text in texts(draw, language)} <= set(range(4, 15))


def test_ids_are_shared_by_parallel_draws_and_unique() -> None:
    hubs = {language: [row[:2] for row in parallel(TINY, language)] for language in LANGUAGES}
    keys = {language: [row[::2] for row in labelled(TINY, language)] for language in LANGUAGES}
    assert all(rows == hubs["hub"] for rows in hubs.values())
    assert all(rows == keys["hub"] for rows in keys.values())
    assert len({identifier for identifier, _ in keys["hub"]}) == 51
    assert next(parallel(TINY, "sis"))[0] == "s00000"


@pytest.mark.parametrize(("name", "size"), [("train", 600), ("dev", 200), ("test", 400)])
def test_labels_are_balanced(name: str, size: int) -> None:
    counts = Counter(split("hub", name)[1])
    assert counts.total() == size
    assert set(counts) == set(LABELS)
    assert max(counts.values()) - min(counts.values()) <= 1


@pytest.mark.parametrize(
    ("meaning", "label"),
    [
        (Meaning(clause(GOOD)), "praise"),
        (Meaning(clause(GOOD, negated=True)), "complaint"),
        (Meaning(clause(BAD, negated=True)), "praise"),
        (Meaning(clause(PLAIN, negated=True)), "neutral"),
        (Meaning(clause(PLAIN, adjective=Concept("adjective", 2))), "complaint"),
        (Meaning(clause(BAD, adjective=Concept("adjective", 1))), "complaint"),
        (Meaning(clause(GOOD), Concept("although"), clause(BAD)), "praise"),
        (Meaning(clause(PLAIN), Concept("but"), clause(BAD)), "neutral"),
    ],
)
def test_label_follows_from_the_main_clause(meaning: Meaning, label: str) -> None:
    assert meaning.label == label


def test_every_root_has_a_kind() -> None:
    assert len(Grammar(400).concepts) == 400


def test_no_word_gives_the_label_away() -> None:
    labels_of_word: dict[str, Counter[str]] = defaultdict(Counter)
    for _, text, label, _ in labelled(RECIPE, "hub"):
        for word in set(re.findall(r"\w+", text)):
            labels_of_word[word][label] += 1
    frequent = [counts for counts in labels_of_word.values() if counts.total() >= 20]
    assert len(frequent) > 50
    assert all(max(counts.values()) / counts.total() < 0.9 for counts in frequent)


@pytest.mark.parametrize("language", ["hub", "iso"])
def test_words_alone_help_but_do_not_solve_the_task(language: str) -> None:
    assert 0.55 < macro_f1(trained(language), language) < 0.85


def test_zero_shot_transfer_decays_with_distance(hub_classifier: Pipeline) -> None:
    hub, sis, cou, iso = (macro_f1(hub_classifier, language) for language in LANGUAGES)
    assert hub + 0.05 > sis > cou > iso
    assert iso < 0.42


def test_copying_the_hub_scores_by_distance() -> None:
    def copy_bleu(language: str) -> float:
        pairs = list(parallel(RECIPE, language))
        return sacrebleu.corpus_bleu([row[1] for row in pairs], [[row[2] for row in pairs]]).score

    sis, cou, iso = (copy_bleu(language) for language in LANGUAGES[1:])
    assert sis > 10 > cou > iso > 0


def test_names_and_numerals_are_the_same_everywhere() -> None:
    invariant = re.compile(r"\b(?:[A-Z]\w+|\d+)\b")
    for language in LANGUAGES:
        for _, hub, text in parallel(TINY, language):
            assert sorted(invariant.findall(hub)) == sorted(invariant.findall(text))


@pytest.mark.parametrize("language", LANGUAGES)
def test_roots_are_distinct(language: str) -> None:
    forms = [form for forms in world(TINY).languages[language].lexicon.values() for form in forms]
    assert len(set(forms)) == len(forms)


def test_a_language_at_distance_zero_keeps_the_hubs_roots_and_order() -> None:
    twin = world(replace(TINY, sister_distance=0.0)).languages
    hub, sis = twin["hub"].lexicon, twin["sis"].lexicon
    assert all(hub[concept][0] == sis[concept][0] for concept in hub)
    assert twin["hub"].profile.typology == twin["sis"].profile.typology


def test_the_isolate_inherits_nothing() -> None:
    languages = world(TINY).languages
    hub, iso = languages["hub"].lexicon, languages["iso"].lexicon
    assert sum(hub[concept][0] == iso[concept][0] for concept in hub) <= 2
    assert hub[NEGATIVE] != iso[NEGATIVE]


def test_sound_changes_are_regular() -> None:
    voicing = SoundChange("voicing", "p t", "b d", "[aeiou]", "[aeiou]")
    loss = SoundChange("loss", "a", "0", before="$")
    assert voicing("patapta") == "padapta"
    assert reflex("pata", (voicing, loss)) == "pad"
    assert branch(start=0, distance=0.0) == ()
    assert len(branch(start=9, distance=0.5)) == 6


def test_bad_parameters_are_reported_together() -> None:
    wrong = replace(TINY, roots=3, cousin_distance=float("nan"))
    with pytest.raises(SpecError, match=r"roots is 3.*cousin_distance is nan"):
        next(parallel(wrong, "sis"))
    with pytest.raises(SpecError, match="no language 'xyz'"):
        next(monolingual(TINY, "xyz"))


def test_the_recipe_validates_with_pydantic() -> None:
    adapter = TypeAdapter(SandboxRecipe)
    assert adapter.validate_python({"seed": 3}) == SandboxRecipe(seed=3)
    with pytest.raises(ValidationError, match="roots"):
        adapter.validate_python({"roots": 1})
