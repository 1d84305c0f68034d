"""A dead model is told from one that translates, in any script, and nobody else is called dead."""

from collections.abc import Sequence

import pytest

from models.language_id import ShippedIdentifier
from tasks.mt.health import Health, Translated, diagnose
from tasks.sandbox import SandboxRecipe, parallel

PAIRS = parallel(SandboxRecipe(pairs=120, monolingual=10), "cou")
_, SOURCES, REFERENCES = map(list, zip(*PAIRS, strict=True))
ENGLISH = ["She drinks coffee every morning.", "The river is wide and deep.", "We went home late."]
INDONESIAN = ["Dia minum kopi setiap pagi.", "Sungai itu lebar dan dalam.", "Kami pulang larut."]
CHINESE = ["她每天早上喝咖啡。", "这条河又宽又深。", "我们很晚才回家。"]
KHMER = ["នាងផឹកកាហ្វេរាល់ព្រឹក។", "ទន្លេនេះធំទូលាយនិងជ្រៅ។", "យើងបានទៅផ្ទះយឺត។"]


def health(
    translations: Sequence[str],
    *,
    sources: Sequence[str] = SOURCES,
    references: Sequence[str] = REFERENCES,
) -> Health:
    return diagnose(Translated(sources, translations, sources, references))


def doubts(texts: Sequence[str]) -> list[float]:
    return ShippedIdentifier().doubts(list(texts), texts, "ind")


@pytest.mark.parametrize(
    ("translations", "ills"),
    [
        ([""] * 120, ["100% of its lines are empty"]),
        (["", " "] * 40 + REFERENCES[80:], ["67% of its lines are empty"]),
        ([REFERENCES[0]] * 120, ["only 0.8% of its lines are distinct"]),
        (["e" * 30 + str(n) for n in range(120)], ["100% of its lines repeat a few letters"]),
        ([f"{n} la la la la la la la la la" for n in range(120)],
         ["100% of its lines repeat a few letters"]),
        (SOURCES, ["100% of its lines are copies"]),
        ([text[:3] + str(n) for n, text in enumerate(REFERENCES)],
         ["its lines are 0.13 times as long as they should be"]),
    ],
)  # fmt: skip
def test_what_no_usable_system_does_is_told(translations: list[str], ills: list[str]) -> None:
    assert list(health(translations).ills) == ills


@pytest.mark.parametrize(
    ("sources", "references"),
    [
        (SOURCES, REFERENCES),
        (ENGLISH, CHINESE),
        (CHINESE, ENGLISH),
        (ENGLISH, KHMER),
        (["2019", "Rp 5.000", "WHO"], ["2019", "Rp 5.000", "WHO"]),
    ],
)
def test_human_translation_is_healthy(sources: list[str], references: list[str]) -> None:
    assert health(references, sources=sources, references=references).ills == ()


def test_a_weak_system_is_not_a_dead_one() -> None:
    halves = [" ".join(text.split()[::2]) for text in REFERENCES]
    some_copies = [
        s if n % 3 else r for n, (s, r) in enumerate(zip(SOURCES, REFERENCES, strict=True))
    ]
    assert health(halves).ills == ()
    assert health(some_copies).ills == ()


def test_a_translation_into_another_language_is_told() -> None:
    text = Translated(INDONESIAN, ENGLISH, INDONESIAN, INDONESIAN)
    (ill,) = diagnose(text, doubts).ills
    assert ill == "100% of its lines are in another language"
    assert diagnose(Translated(ENGLISH, INDONESIAN, ENGLISH, INDONESIAN), doubts).ills == ()


def test_lines_that_were_empty_before_are_not_counted() -> None:
    found = health(["", *REFERENCES], sources=["", *SOURCES], references=["", *REFERENCES])
    assert (found.lines, found.empty) == (120, 0.0)
    assert health([], sources=[], references=[]).ills == ()
