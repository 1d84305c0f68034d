"""Noise filters: scores that grow with suspicion, limits apart from them, floors per corpus."""

from pathlib import Path

import pytest

from models.support.errors import ContractError
from tasks.filtering import (
    FilterLimits,
    accept,
    disagreeing_numbers,
    identical_words,
    length_ratio,
    other_script,
    pair_scorers,
    read_scores,
    repetition,
    text_scorers,
    worst_lines,
    write_scores,
)
from tasks.records import RecordWriter, read_columns, write_records
from tasks.scripts import main_script

FAIR = [f"kata nomor {i} ini biasa saja" for i in range(100)]
PARTNERS = [f"word number {i} is just usual" for i in range(100)]


def test_worst_lines_are_those_of_one_corpus(tmp_path: Path) -> None:
    text = tmp_path / "text.parquet"
    write_bitext(text, [*FAIR, "ya " * 40], [*PARTNERS, "yes"])
    scores = score(text)
    worst = worst_lines(text, ["ind", "eng"], scores, corpus="c")
    assert worst["repetition"][0].id == f"c:{len(FAIR)}"
    assert worst["length_ratio"][0].text.startswith("ya ya")
    assert not any(worst_lines(text, ["ind", "eng"], scores, corpus="other").values())


@pytest.fixture
def bitext(tmp_path: Path) -> Path:
    return tmp_path / "text.parquet"


def write_bitext(path: Path, sources: list[str], targets: list[str]) -> None:
    ids = [f"c:{i}" for i in range(len(sources))]
    write_records(path, {"id": ids, "ind": sources, "eng": targets, "origin": ["human"] * len(ids)})


def score(path: Path, script: str = "Latn") -> Path:
    scripts = {"ind": script, "eng": script}
    scorers = {**text_scorers(["ind", "eng"], scripts), **pair_scorers("ind", "eng")}
    out = path.with_name("scores.parquet")
    write_scores(path, ["ind", "eng"], scorers, out)
    return out


@pytest.mark.parametrize(
    ("first", "second", "lacking"),
    [
        ("tahun 2019", "in 2019", 0),
        ("harga १२", "price 12", 0),  # Devanagari digits
        ("007", "7", 0),
        ("3 ekor", "three", 1),
        ("10.000", "10,000", 0),
        ("1 2 2", "2 3", 3),
    ],
)
def test_numbers_that_disagree(first: str, second: str, lacking: int) -> None:
    assert disagreeing_numbers(first, second) == lacking


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("ha ha ha ha", 0),  # short: laughter
        ("satu dua tiga empat lima enam tujuh delapan", 0),
        ("beli beli beli beli beli beli beli beli beli", 7 / 8),
        ("买东西" * 10, 24 / 27),
        ("我昨天去了那个很大的市场买菜", 0),
        ("ទិញ\u200b" * 8 + "ទិញ", 7 / 8),
    ],
)
def test_repetition(text: str, share: float) -> None:
    assert repetition(text) == pytest.approx(share)


@pytest.mark.parametrize(
    ("text", "expected", "share"),
    [
        ("halo dunia", "Latn", 0),
        ("привет halo", "Latn", 0.6),
        ("हिन्दी में", "Deva", 0),
        ("123 !?", "Latn", 0),
        ("", "Latn", 0),
    ],
)
def test_letters_of_another_script(text: str, expected: str, share: float) -> None:
    assert other_script(text, expected) == pytest.approx(share)


def test_the_main_script_is_that_of_most_letters() -> None:
    assert main_script(["OK हिन्दी में एक वाक्य", "दूसरा"]) == "Deva"
    assert main_script(["12", "?"]) == "Zyyy"


def test_short_pairs_may_differ_in_length() -> None:
    assert length_ratio("Ya.", "Inggih, leres.") < FilterLimits().length_ratio
    assert length_ratio("Ya.", "Inggih, leres " * 5) > FilterLimits().length_ratio


def test_identical_sides_count_their_words() -> None:
    assert identical_words("Jakarta!", "jakarta") == 1
    assert identical_words("belum diterjemahkan sama sekali ini", "lain") == 0


NOISE = {
    "length_ratio": ("ya", "this is a very much longer sentence that cannot be the same"),
    "identical_words": (
        "ini belum diterjemahkan sama sekali",
        "Ini belum diterjemahkan sama sekali!",
    ),
    "repetition": ("beli " * 20, "purchase one " * 9),
    "other_script": ("ini kalimat bahasa Indonesia", "это предложение по русски"),
    "numbers": ("pada 1 2 3 4 hari", "on 5 6 7 8 days it is"),
    "words": ("kata " * 45 + "lain " * 45, "word " * 45 + "other " * 45),
}


@pytest.mark.parametrize("reason", NOISE)
def test_noise_is_dropped_by_name_and_the_rest_kept_in_order(bitext: Path, reason: str) -> None:
    source, target = NOISE[reason]
    write_bitext(bitext, [*FAIR, source], [*PARTNERS, target])
    out = bitext.with_name("accepted.parquet")
    off = dict.fromkeys(set(NOISE) - {reason})
    counts = accept(bitext, score(bitext), FilterLimits(**off), out)
    assert counts == {"seen": 101, "dropped": {reason: 1}, "skipped": {}, "kept": 100}
    assert read_columns(out)["ind"] == FAIR


def test_a_filter_that_would_drop_too_much_is_skipped(bitext: Path) -> None:
    write_bitext(bitext, FAIR, [*FAIR[:10], *PARTNERS[10:]])  # a tenth is not translated
    scores, out = score(bitext), bitext.with_name("accepted.parquet")
    careful = accept(bitext, scores, FilterLimits(max_loss=0.05), out)
    assert careful["kept"] == 100
    assert careful["skipped"] == {"c": {"identical_words": pytest.approx(0.1)}}
    strict = accept(bitext, scores, FilterLimits(max_loss=0.2), out)
    assert strict["dropped"] == {"identical_words": 10}


def test_one_corpus_does_not_decide_for_another(tmp_path: Path) -> None:
    text = tmp_path / "text.parquet"
    corpora = ["copies"] * 10 + ["web"] * 91
    sides = {"ind": [*FAIR, FAIR[0]], "eng": [*FAIR[:10], *PARTNERS[10:], FAIR[0]]}
    ids = [f"{corpus}:{i}" for i, corpus in enumerate(corpora)]
    write_records(text, {"id": ids, **sides, "origin": ["human"] * len(ids)})
    counts = accept(text, score(text), FilterLimits(), text.with_name("accepted.parquet"))
    assert counts["skipped"] == {"copies": {"identical_words": 1.0}}
    assert counts["dropped"] == {"identical_words": 1}


def test_misalignment_is_judged_relative_to_the_corpus(tmp_path: Path) -> None:
    text, scores = tmp_path / "t.parquet", tmp_path / "s.parquet"
    values = [2.0 + i / 100 for i in range(50)] + [9.0]
    ids = [f"c:{i}" for i in range(len(values))]
    write_records(text, {"id": ids})
    with RecordWriter(scores, ["id"], numbers=["misalignment"]) as writer:
        for record_id, value in zip(ids, values, strict=True):
            writer.write({"id": record_id, "misalignment": value})
    counts = accept(text, scores, FilterLimits(), tmp_path / "out.parquet")
    assert counts["dropped"] == {"misalignment": 1}
    assert read_scores(scores, "misalignment")[-1] == 9.0


def test_scores_of_another_text_are_an_error(tmp_path: Path) -> None:
    write_records(tmp_path / "text.parquet", {"id": ["a:1", "a:2"]})
    write_records(tmp_path / "scores.parquet", {"id": ["a:1", "a:3"]})
    with pytest.raises(ContractError, match=r"'a:2' has the scores of 'a:3'"):
        accept(
            tmp_path / "text.parquet",
            tmp_path / "scores.parquet",
            FilterLimits(),
            tmp_path / "out.parquet",
        )
