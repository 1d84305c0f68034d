"""The gloss: a lexicon from aligned words, and sentences that keep their shape."""

import re
from pathlib import Path

import pytest

from models import alignment
from models.alignment import align
from models.engines.gloss import GlossEngine, learn_lexicons, load_lexicon, save_lexicon
from models.engines.protocol import Decoding
from tasks.sandbox import SandboxRecipe, parallel

LEXICON = {
    "saya": "kula",
    "makan": "neda",
    "nasi": "sekul",
    "tao'": "ngerti",
    "ba'na": "sampeyan",
    "किताब": "buku",
}
WORDS = {"saya": "kula", "dia": "piyambakipun", "makan": "neda", "minum": "ngombe", "nasi": "sekul"}


def gloss(text: str) -> str:
    (translated,) = GlossEngine({("ind", "jav"): LEXICON}).translate(
        [("k:1", text)], source="ind", target="jav", decoding=Decoding()
    )
    assert translated[0] == "k:1"
    return translated[1]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("saya makan nasi", "kula neda sekul"),
        ("Saya makan, nasi!", "Kula neda, sekul!"),
        ("NASI", "Sekul"),
        ("makan  nasi?\t(saya)", "neda  sekul?\t(kula)"),
        ("saya makan pizza", "kula neda pizza"),
        ("Jakarta", "Jakarta"),
        ("makan-makan", "makan-makan"),
        ("ba'na tao'", "sampeyan ngerti"),
        ("यह किताब।", "यह buku।"),
        ("ฉันกินข้าว nasi", "ฉันกินข้าว sekul"),
        ("😀 nasi 😀", "😀 sekul 😀"),
    ],
)
def test_words_change_and_the_rest_stays(text: str, expected: str) -> None:
    assert gloss(text) == expected


def test_one_gloss_for_each_text_in_order() -> None:
    engine = GlossEngine({("ind", "jav"): LEXICON})
    lines = [("k:1", "nasi"), ("k:2", ""), ("k:3", "saya"), ("k:4", "nasi")]
    translated = [("k:1", "sekul"), ("k:2", ""), ("k:3", "kula"), ("k:4", "sekul")]
    for decoding in (Decoding(beam=4), Decoding(sampling=1.0, seed=7)):
        got = engine.translate(lines, source="ind", target="jav", decoding=decoding)
        assert got == translated


def test_both_lexicons_are_learnt_from_sentences() -> None:
    ind = [f"{a} {b} {c} ." for a in ("saya", "dia") for b in ("makan", "minum")
           for c in ("nasi", "saya")] * 5  # fmt: skip
    jav = [" ".join(WORDS.get(word, word) for word in text.split()) for text in ind]
    forth, back = learn_lexicons(ind, jav)
    assert forth == WORDS
    assert back == {target: source for source, target in WORDS.items()}


def test_case_and_punctuation_are_not_learnt() -> None:
    forth, back = learn_lexicons(["Nasi , nasi !"] * 5, ["Sekul , sekul !"] * 5)
    assert (forth, back) == ({"nasi": "sekul"}, {"sekul": "nasi"})


def test_empty_sentences_teach_nothing() -> None:
    assert learn_lexicons([], []) == ({}, {})
    assert learn_lexicons(["", "nasi"], ["sekul", ""]) == ({}, {})


def test_sentences_that_do_not_pair_are_refused() -> None:
    with pytest.raises(ValueError, match="shorter"):
        learn_lexicons(["nasi", "saya"], ["sekul"])


def test_a_lexicon_survives_the_disk_one_word_a_line(tmp_path: Path) -> None:
    path = tmp_path / "lexicon.json"
    save_lexicon(LEXICON, path)
    assert load_lexicon(path) == LEXICON
    assert len(path.read_text(encoding="utf-8").splitlines()) == len(LEXICON) + 2
    assert "किताब" in path.read_text(encoding="utf-8")


def test_words_align_alike_each_time() -> None:
    """fast_align's threads race when they count; one run in three was off by nats."""
    rows = list(parallel(SandboxRecipe(seed=1, pairs=2000), "iso"))

    def misalignments() -> list[float]:
        return [pair.misalignment for pair in align(lambda: ((r[1], r[2]) for r in rows))]

    first = misalignments()
    assert len(first) == len(rows) == 2000
    assert all(misalignments() == first for _ in range(4))


def test_a_large_bitext_is_learnt_in_part_and_aligned_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(alignment, "PAIRS_TO_LEARN", 50)
    pairs = list(WORDS.items()) * 40
    aligned = list(align(lambda: pairs))
    assert [(p.source, p.target) for p in aligned] == [([a], [b]) for a, b in pairs]


LEARNT = [
    ("khm", "I eat fish", "ខ្ញុំ\u200bញ៉ាំ\u200bត្រី", "ខ្ញុំ"),
    ("tha", "I eat fish", "ฉัน\u200bกิน\u200bปลา", "ฉัน"),
    ("uzn", "I see mountains", "men ko‘raman tog‘larni", "men"),
    ("sin", "I teach science", "මම උගන්වමි විද්\u200dයාව", "මම"),
    ("pes", "I want books", "من می\u200cخواهم کتاب\u200cها", "من"),
    ("haw", "I eat fish", "ʻo ‘ai i‘a", "ʻo"),
]


@pytest.mark.parametrize(("language", "english", "text", "i"), LEARNT, ids=[x[0] for x in LEARNT])
def test_lexicons_hold_whole_words_of_any_script(
    language: str, english: str, text: str, i: str
) -> None:
    """Each word alone, and all together: what aligns with what is beyond doubt."""
    words = re.split("[ \u200b]", text)
    sources = [*english.split(), english] * 5
    forth, back = learn_lexicons(sources, [*words, text] * 5)
    assert forth == dict(zip(english.lower().split(), words, strict=True))
    engine = GlossEngine({(language, "eng"): back})
    line = engine.translate([("k:1", text)], source=language, target="eng", decoding=Decoding())
    assert line == [("k:1", english.lower())]
    assert forth["i"] == i
