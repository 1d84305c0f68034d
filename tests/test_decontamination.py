"""Held-out sentences leave the training text, by id and by text; nothing else does."""

from itertools import pairwise
from pathlib import Path

import pytest

from tasks.decontamination import HeldOutSet, Protected, remove_leaks
from tasks.records import read_records, write_records

TRAIN = {
    "k:1": ("Saya pergi.", "Kula tindak."),
    "k:2": ("Dia datang!", "Dheweke teka!"),
    "k:3": ("यह पुस्तक है", "Iki buku"),
    "k:4": ("Kucing tidur", "Kucing turu"),
    "k:5": ("Saya pergi ke pasar.", "Kula dhateng peken."),
}


@pytest.fixture
def train(tmp_path: Path) -> Path:
    return write_bitext(tmp_path / "train.parquet", TRAIN)


def write_bitext(path: Path, pairs: dict[str, tuple[str, str]]) -> Path:
    ind, jav = zip(*pairs.values(), strict=True)
    origin = ["human"] * len(pairs)
    write_records(path, {"id": list(pairs), "ind": ind, "jav": jav, "origin": origin})
    return path


def protect(
    folder: Path, pairs: dict[str, tuple[str, str]], name: str = "ind-jav test"
) -> Protected:
    held_out = HeldOutSet(name, write_bitext(folder / "held-out.parquet", pairs), ("ind", "jav"))
    protected = Protected()
    protected.add(held_out)
    return protected


def kept(train: Path, protected: Protected, limit: int | None = None) -> tuple[object, list[str]]:
    out = train.with_name("safe.parquet")
    counts = remove_leaks(train, ["ind", "jav"], protected=protected, out=out, limit=limit)
    records = list(read_records(out))
    assert all((r["ind"], r["jav"]) == TRAIN[r["id"]] for r in records)
    assert counts["seen"] == len(TRAIN)
    assert counts["kept"] == len(records)
    return counts["removed"], [r["id"] for r in records]


@pytest.mark.parametrize(
    ("leak", "gone", "match"),
    [
        ({"k:2": ("teks lain", "teks seje")}, "k:2", "id"),
        ({"t:1": ("Saya pergi.", "teks seje")}, "k:1", "text"),
        ({"t:1": ("SAYA  PERGI", "teks seje")}, "k:1", "text"),
        ({"t:1": ("“saya pergi”…", "teks seje")}, "k:1", "text"),
        ({"t:1": ("Ｓaya pergi", "teks seje")}, "k:1", "text"),
        ({"t:1": ("teks lain", "iki BUKU?")}, "k:3", "text"),
        ({"t:1": ("यह पुस्तक है।", "teks seje")}, "k:3", "text"),
    ],
)
def test_one_leak_is_removed_and_nothing_else(
    train: Path, leak: dict[str, tuple[str, str]], gone: str, match: str
) -> None:
    removed, left = kept(train, protect(train.parent, leak))
    assert removed == {f"{match}: ind-jav test": 1}
    assert left == [i for i in TRAIN if i != gone]


@pytest.mark.parametrize("text", ["Saya", "Saya pergi ke", "Sáya pergi", "यह पुस्तक हैं", "sayapergi"])
def test_a_similar_sentence_stays(train: Path, text: str) -> None:
    removed, left = kept(train, protect(train.parent, {"t:1": (text, "teks seje")}))
    assert removed == {}
    assert left == list(TRAIN)


def test_leaks_are_counted_by_match_and_set(train: Path) -> None:
    protected = protect(train.parent, {"k:1": ("a", "b"), "t:1": ("kucing tidur.", "c")}, "dev")
    removed, left = kept(train, protected)
    assert removed == {"id: dev": 1, "text: dev": 1}
    assert left == ["k:2", "k:3", "k:5"]


def test_protection_survives_the_disk(train: Path) -> None:
    protected = protect(train.parent, {"k:1": ("a", "b"), "t:1": ("kucing tidur.", "c")})
    path = train.with_name("protected.parquet")
    protected.save(path)
    assert kept(train, Protected.load(path)) == kept(train, protected)


def test_no_text_of_the_held_out_sets_is_written(train: Path) -> None:
    path = train.with_name("protected.parquet")
    protect(train.parent, {"t:1": ("rahasia", "wadi")}).save(path)
    assert not [r for r in read_records(path) if r["value"] in ("rahasia", "wadi")]


def test_a_limit_keeps_a_sample_by_id_in_file_order(train: Path) -> None:
    protected = protect(train.parent, {"k:2": ("a", "b")})
    samples = [kept(train, protected, limit)[1] for limit in (1, 2, 3, 4, 99)]
    assert [len(sample) for sample in samples] == [1, 2, 3, 4, 4]
    assert all(set(small) < set(large) for small, large in pairwise(samples[:4]))
    assert all(sample == [i for i in TRAIN if i in sample] for sample in samples)
    backwards = write_bitext(train, dict(reversed(TRAIN.items())))
    assert set(kept(backwards, protected, 2)[1]) == set(samples[1])
