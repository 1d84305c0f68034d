"""Language identification: shipped where it knows the language, otherwise from the text itself."""

from pathlib import Path

import pytest

from models.language_id import OwnIdentifier, ShippedIdentifier, TextOfLanguage, shipped_code
from tasks.sandbox import SandboxRecipe, parallel


@pytest.mark.parametrize(
    ("language", "code"),
    [("ind", "id"), ("jav", "jv"), ("swh", "sw"), ("ukr", "uk"), ("mad", None), ("hub", None)],
)
def test_the_shipped_identifier_is_asked_by_its_own_code(language: str, code: str | None) -> None:
    assert shipped_code(language) == code


def test_a_text_in_another_language_is_doubted() -> None:
    texts = ["Saya pergi ke pasar bersama ibu.", "I went to the market with my mother.", "ok"]
    right, wrong, unclear = ShippedIdentifier().doubts(["1", "2", "3"], texts, "ind")
    assert right < 0.5
    assert wrong > 0.99
    assert unclear < 0.99


@pytest.fixture(scope="module")
def texts() -> list[TextOfLanguage]:
    recipe = SandboxRecipe(pairs=400, monolingual=10)
    return [
        TextOfLanguage(f"{language}:{key}", text, language)
        for language in ("cou", "iso")
        for key, _, text in parallel(recipe, language)
    ]


def test_invented_languages_are_told_apart_by_their_own_text(
    texts: list[TextOfLanguage], tmp_path: Path
) -> None:
    OwnIdentifier.train(texts, seed=1).save(tmp_path / "own.npz")
    own = OwnIdentifier.load(tmp_path / "own.npz")
    ids = [text.id for text in texts]
    doubts = own.doubts(ids, [text.text for text in texts], "cou")
    wrong = [d > 0.5 for d, text in zip(doubts, texts, strict=True) if text.language == "iso"]
    right = [d < 0.5 for d, text in zip(doubts, texts, strict=True) if text.language == "cou"]
    assert sum(wrong) / len(wrong) > 0.95
    assert sum(right) / len(right) > 0.95


def test_a_sentence_is_not_judged_by_the_model_that_learnt_it(texts: list[TextOfLanguage]) -> None:
    swapped = [texts[0]._replace(language="iso"), *texts[1:]]  # one mislabelled sentence
    own = OwnIdentifier.train(swapped, seed=1)
    assert own.doubts([texts[0].id], [texts[0].text], "iso")[0] > 0.5
