"""Held-out sentences are found and leave the training text; nothing else does."""

import random
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.support.errors import LeakError
from tasks.auditing import Gap, audit, gaps, is_held_out, shared_training_text
from tasks.leakage import (
    HeldOut,
    HeldOutIndex,
    LeakRules,
    TextSet,
    remove_leaks,
    write_held_out,
)
from tasks.records import read_records, write_records

TRAIN = {
    "k:1": ("Saya pergi pulang.", "Kula tindak kondur."),
    "k:2": ("Dia sudah datang!", "Dheweke wis teka!"),
    "k:3": ("यह एक पुस्तक है", "Iki sawijining buku"),
    "k:4": ("Kucing tidur nyenyak", "Kucing turu angler"),
    "k:5": ("Saya pergi ke pasar besar di kota.", "Kula dhateng peken ageng ing kitha."),
}
COLUMNS = {"ind": "ind", "jav": "jav"}
RULES = LeakRules()
Pairs = dict[str, tuple[str, str]]


@pytest.fixture
def train(tmp_path: Path) -> Path:
    return write_bitext(tmp_path / "train.parquet", TRAIN)


def write_bitext(path: Path, pairs: Pairs) -> Path:
    ind, jav = zip(*pairs.values(), strict=True)
    origin = ["human"] * len(pairs)
    write_records(path, {"id": list(pairs), "ind": ind, "jav": jav, "origin": origin})
    return path


def index(folder: Path, pairs: Pairs, rules: LeakRules = RULES, name: str = "test") -> HeldOutIndex:
    held_out = TextSet(name, write_bitext(folder / f"{name}.parquet", pairs), COLUMNS)
    assert write_held_out([held_out], folder / "held-out.parquet") == 2 * len(pairs)
    return HeldOutIndex.load(folder / "held-out.parquet", rules)


def kept(train: Path, held_out: HeldOutIndex, limit: int | None = None) -> tuple[object, list[str]]:
    out = train.with_name("safe.parquet")
    counts = remove_leaks(TextSet("MT train", train, COLUMNS), held_out, out=out, limit=limit)
    records = list(read_records(out))
    assert all((r["ind"], r["jav"]) == TRAIN[r["id"]] for r in records)
    assert counts["seen"] == len(TRAIN)
    assert counts["kept"] == len(records)
    return counts.get("removed"), [r["id"] for r in records]


@pytest.mark.parametrize(
    ("leak", "gone", "match"),
    [
        ({"k:2": ("teks lain saja", "teks seje wae")}, "k:2", "id"),
        ({"k:2": ("teks", "teks")}, "k:2", "id"),
        ({"t:1": ("Saya pergi pulang.", "teks seje wae")}, "k:1", "exact"),
        ({"t:1": ("SAYA  PERGI pulang", "teks seje wae")}, "k:1", "exact"),
        ({"t:1": ("“saya pergi pulang”…", "teks seje wae")}, "k:1", "exact"),
        ({"t:1": ("Ｓaya pergi pulang", "teks seje wae")}, "k:1", "exact"),
        ({"t:1": ("teks lain saja", "iki sawijining BUKU?")}, "k:3", "exact"),
        ({"t:1": ("यह एक पुस्तक है।", "teks seje wae")}, "k:3", "exact"),
        ({"t:1": ("Saya pergi ke pasar besar di kota ini", "teks seje wae")}, "k:5", "near"),
        ({"t:1": ("teks lain saja", "Kula dhateng pekenn ageng ing kitha")}, "k:5", "near"),
    ],
)
def test_one_leak_is_removed_and_nothing_else(
    train: Path, leak: Pairs, gone: str, match: str
) -> None:
    removed, left = kept(train, index(train.parent, leak))
    assert removed == {f"{match}: test": 1}
    assert left == [i for i in TRAIN if i != gone]


@pytest.mark.parametrize(
    "text", ["Saya pergi", "Saya pergi ke sana", "Saya pérgi pulang", "sayapergipulang"]
)
def test_another_sentence_stays(train: Path, text: str) -> None:
    removed, left = kept(train, index(train.parent, {"t:1": (text, "teks seje wae")}))
    assert removed == {}
    assert left == list(TRAIN)


def test_generic_sentences_are_leaks_by_id_alone(train: Path) -> None:
    rules = LeakRules(min_words=4)
    same = {"t:1": TRAIN["k:1"], "k:4": TRAIN["k:4"]}
    removed, left = kept(train, index(train.parent, same, rules))
    assert removed == {"id: test": 1}
    assert left == ["k:1", "k:2", "k:3", "k:5"]


def test_a_threshold_of_one_looks_for_exact_text_alone(train: Path) -> None:
    leak = {"t:1": ("Saya pergi ke pasar besar di kota ini", "teks seje wae")}
    assert kept(train, index(train.parent, leak, LeakRules(near=1.0)))[0] == {}


def test_the_policy_decides_what_happens(train: Path) -> None:
    leak = {"k:2": ("teks lain saja", "teks seje wae")}
    found = index(train.parent, leak, LeakRules(policy="report"))
    out = train.with_name("safe.parquet")
    counts = remove_leaks(TextSet("MT train", train, COLUMNS), found, out=out)
    assert counts == {
        "seen": 5,
        "found": {"id: test": 1},
        "not_sampled": 0,
        "kept": 5,
        "corpora": {"k": {"seen": 5, "found": {"id: test": 1}, "kept": 5}},
    }
    failing = index(train.parent, leak, LeakRules(policy="fail"))
    with pytest.raises(LeakError, match="1 by id: test"):
        remove_leaks(TextSet("MT train", train, COLUMNS), failing, out=out)


@pytest.mark.parametrize("policy", ["drop", "fail"])
def test_a_text_of_which_nothing_is_left_is_an_error(train: Path, policy: str) -> None:
    everything = index(train.parent, TRAIN, LeakRules(policy=policy))  # type: ignore[arg-type]
    with pytest.raises(LeakError, match=r"MT train: .*5.*id: test"):
        kept(train, everything)


def test_a_set_may_be_left_out_by_the_beginning_of_its_name(train: Path) -> None:
    both = HeldOutIndex(
        [HeldOut(name, "ind", "k:2", "x") for name in ("MT dev a", "task dev b", "MT test a")],
        RULES,
    )
    assert [item.set for item in both.without("MT dev", "task dev").items] == ["MT test a"]


def test_a_limit_keeps_a_sample_by_id_in_file_order(train: Path) -> None:
    held_out = index(train.parent, {"k:2": ("a", "b")})
    samples = [kept(train, held_out, limit)[1] for limit in (1, 2, 3, 4, 99)]
    assert [len(sample) for sample in samples] == [1, 2, 3, 4, 4]
    assert all(set(small) < set(large) for small, large in pairwise(samples[:4]))
    assert all(sample == [i for i in TRAIN if i in sample] for sample in samples)
    backwards = write_bitext(train, dict(reversed(TRAIN.items())))
    assert set(kept(backwards, held_out, 2)[1]) == set(samples[1])


def test_the_audit_counts_held_out_texts_by_kind_and_language(train: Path) -> None:
    test = {
        "k:1": ("teks lain saja", "Kula tindak kondur"),
        "t:2": ("dia sudah datang", "teks seje wae"),
        "t:3": ("kucing tidur nyenyak", "kucing turu angler banget"),
    }
    sets = [TextSet("MT train", train, COLUMNS)]
    found = {
        (o.origin, o.to, o.language, o.match): (o.count, round(o.share, 2))
        for o in audit(sets, index(train.parent, test))
    }
    assert found == {
        ("MT train", "test", "ind", "id"): (1, 0.33),
        ("MT train", "test", "jav", "id"): (1, 0.33),
        ("MT train", "test", "ind", "exact"): (2, 0.67),
        ("MT train", "test", "jav", "exact"): (1, 0.33),
    }


def test_the_audit_finds_a_test_set_in_another_but_not_in_itself(tmp_path: Path) -> None:
    pairs: Pairs = {"t:1": ("teks lain saja", "teks seje wae")}
    one = TextSet("one", write_bitext(tmp_path / "one.parquet", pairs), COLUMNS)
    two = TextSet("two", write_bitext(tmp_path / "two.parquet", pairs), COLUMNS)
    write_held_out([one, two], tmp_path / "held-out.parquet")
    held_out = HeldOutIndex.load(tmp_path / "held-out.parquet", RULES)
    places = {(o.origin, o.to) for o in audit([one, two], held_out)}
    assert places == {("one", "two"), ("two", "one")}


def test_training_texts_are_compared_by_id_and_exact_text(tmp_path: Path) -> None:
    bitext = {
        "k:1": ("Saya pergi pulang.", "Kula tindak kondur."),
        "k:2": ("Dia sudah datang!", "Dheweke wis teka!"),
        "k:3": ("Halo!", "Halo!"),
    }
    mono = {
        "id": ["k:2#1", "k:3", "m:1", "m:2"],
        "jav": ["seje", "halo", "KULA tindak kondur", "x"],
    }
    write_records(tmp_path / "mono.parquet", mono)
    sets = [
        TextSet("MT train", write_bitext(tmp_path / "train.parquet", bitext), COLUMNS),
        TextSet("monolingual jav", tmp_path / "mono.parquet", {"jav": "jav"}, by_corpus=True),
    ]
    found = {
        (o.origin, o.to, o.language, o.match): (o.count, round(o.share, 2))
        for o in shared_training_text(sets, RULES)
    }
    assert found == {
        ("MT train", "monolingual jav k", "jav", "id"): (2, 1.0),
        ("monolingual jav k", "MT train", "ind", "id"): (2, 0.67),
        ("monolingual jav k", "MT train", "jav", "id"): (2, 0.67),
        ("MT train", "monolingual jav m", "jav", "exact"): (1, 0.5),
        ("monolingual jav m", "MT train", "jav", "exact"): (1, 0.33),
    }


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("MT dev ind-jav", True),
        ("task test topic-jav", True),
        ("MT train ind-jav", False),
        ("monolingual dev leipzig", False),
    ],
)
def test_a_set_is_held_out_by_its_part_not_by_its_language(name: str, expected: bool) -> None:
    assert is_held_out(name) is expected


LONG = "Kula dhateng peken ageng ing kitha"


def matches(held_out: str, text: str, *, ids: tuple[str, str] = ("t:1", "k:1")) -> list[str]:
    found = HeldOutIndex([HeldOut("test", "jav", ids[0], held_out)], RULES)
    return [match.kind for match in found.find({"id": ids[1], "jav": text}, ["jav"])]


@pytest.mark.parametrize(
    ("held_out", "text"),
    [
        (f"{LONG}. Menika rame sanget, kathah tiyang.", LONG),
        (LONG, f"Menika rame sanget. {LONG.upper()}! Kathah tiyang."),
        ("ฉันรักเธอมากที่สุดในโลกนี้", "ฉันรักเธอ มากที่สุด ในโลกนี้"),
        ("我昨天去了市场。", "我昨天去了市场"),
        ("我昨天去了那个很大的市场买菜。", "他来了。我昨天去了那个很大的市场买菜。真好！"),
    ],
)
def test_a_sentence_is_found_however_a_corpus_is_cut(held_out: str, text: str) -> None:
    assert matches(held_out, text) == ["exact"]


@pytest.mark.parametrize(
    ("held_out", "text"),
    [
        (f"{LONG}. Menika rame sanget.", f"Dereng wonten tiyang teka. {LONG}."),
        ("Nggih. Menika rame sanget, kathah tiyang.", "Nggih."),
        ("我爱你", "我爱你。"),
    ],
)
def test_a_sentence_that_two_texts_share_is_no_leak(held_out: str, text: str) -> None:
    """A refrain of both, a part too short, a whole too generic."""
    assert matches(held_out, text) == []


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        (("k:9", "k:9#2"), ["id"]),
        (("k:40001002", "k:40001001-40001003"), ["id"]),
        (("k:40001001-40001003", "k:40001003"), ["id"]),
        (("k:40001004", "k:40001001-40001003"), []),
        (("k:9", "k:90"), []),
        (("k:2", "k:1-3"), []),
    ],
)
def test_an_id_is_found_in_what_it_was_cut_from_or_merged_into(
    ids: tuple[str, str], expected: list[str]
) -> None:
    assert matches("teks lain saja", "ora padha babar pisan", ids=ids) == expected


def test_the_audit_finds_near_duplicates_in_sets_it_also_looks_for(tmp_path: Path) -> None:
    texts = {"train": f"{LONG} menika", "test": LONG, "again": LONG}
    sets = [
        TextSet(
            name, write_bitext(tmp_path / f"{name}.parquet", {f"{name}:1": ("x", text)}), COLUMNS
        )
        for name, text in texts.items()
    ]
    write_held_out(sets, tmp_path / "held-out.parquet")
    found = audit(sets, HeldOutIndex.load(tmp_path / "held-out.parquet", RULES))
    assert {(o.origin, o.to, o.match) for o in found if o.language == "jav"} == {
        ("train", "test", "near"),
        ("train", "again", "near"),
        ("test", "train", "near"),
        ("again", "train", "near"),
        ("test", "again", "exact"),
        ("again", "test", "exact"),
    }
    assert found[0].examples == ((f"x | {LONG} menika", LONG),)


def test_counts_add_up_for_each_corpus(train: Path) -> None:
    rows = {**TRAIN, "other:1": TRAIN["k:1"], "other:2": ("baru sama sekali", "anyar")}
    text = TextSet("MT train", write_bitext(train, rows), COLUMNS)
    held_out = index(train.parent, {"k:4": ("a", "b"), "t:1": TRAIN["k:1"]})
    counts = remove_leaks(text, held_out, out=train.with_name("safe.parquet"), limit=3)
    assert counts["corpora"]["k"]["removed"] == {"exact: test": 1, "id: test": 1}  # type: ignore[index]
    assert counts["corpora"]["other"]["removed"] == {"exact: test": 1}  # type: ignore[index]
    assert (counts["seen"], counts["not_sampled"], counts["kept"]) == (7, 1, 3)


@pytest.mark.parametrize("near", [0.3, 0.5, 0.7, 0.9])
def test_near_means_what_it_says(near: float) -> None:
    """Texts that share just more shingles than the threshold are nearly always found."""
    found = 0
    for seed in range(60):
        letters = random.Random(seed)  # noqa: S311
        text = "".join(letters.choices("abcdefghijklmnopqrstuvwxyz", k=300))
        changed = text[: round(300 * (2 * near + 0.06) / (1 + near))] + "9" * 20
        rules = LeakRules(near=near, min_words=1)
        held_out = HeldOutIndex([HeldOut("test", "x", "t:1", text)], rules)
        found += any(held_out.find({"id": "k:1", "x": changed}, ["x"]))
    assert found >= 54


WORDS = st.lists(st.text("abcdef", min_size=2, max_size=6), min_size=3, max_size=20)


@given(words=WORDS, data=st.data())
def test_a_text_is_always_found_again_however_it_is_written(
    words: list[str], data: st.DataObject
) -> None:
    text = " ".join(words)
    found = HeldOutIndex([HeldOut("test", "ind", "t:1", text)], RULES)
    marks = data.draw(st.lists(st.sampled_from([" ", ", ", "  ", " - "]), min_size=len(words)))
    again = "".join(word.upper() + mark for word, mark in zip(words, marks, strict=False))
    matches = [m.kind for m in found.find({"id": "k:1", "ind": again}, ["ind"])]
    assert matches == ["exact"]


@pytest.mark.parametrize(
    ("held_out", "text"),
    [
        ("O‘g‘il kitobni ko‘radi", "o'g'il kitobni ko'radi."),
        ("قرأتُ ١٢ كتـــابا اليوم", "قرأتُ 12 كتابا اليوم"),
        ("I&#39;m late &amp; sorry", "I'm late & sorry"),
        ("ខ្ញុំ\u200bទៅ\u200bសាលារៀន\u200bថ្ងៃនេះ", "ខ្ញុំទៅសាលារៀនថ្ងៃនេះ"),
        ("می\u200cخواهم کتاب بخوانم", "میخواهم کتاب بخوانم"),
    ],
)
def test_another_spelling_is_the_same_text(held_out: str, text: str) -> None:
    assert matches(held_out, text) == ["exact"]


def test_an_exact_match_in_any_column_comes_before_a_near_one_in_another() -> None:
    held_out = [
        HeldOut("near", "ind", "t:1", "Saya pergi ke pasar besar di kota ini"),
        HeldOut("exact", "jav", "t:2", LONG),
    ]
    record = {"id": "k:1", "ind": "Saya pergi ke pasar besar di kota.", "jav": f"{LONG}!"}
    found = HeldOutIndex(held_out, RULES).find(record, ["ind", "jav"])
    assert [(match.kind, match.held_out.set) for match in found] == [
        ("exact", "exact"),
        ("near", "near"),
    ]


def test_what_the_guard_does_not_look_for_is_counted() -> None:
    held_out = [
        HeldOut("MT test a-b", "a", "t:1", "Nggih."),
        HeldOut("MT test a-b", "b", "t:1", f"Nggih. {LONG}."),
        HeldOut("MT test a-b", "a", "t:2", LONG),
        HeldOut("task train x-a", "a", "u:1", "Ya."),
        HeldOut("task test x-a", "a", "u:2", "我爱你"),
    ]
    assert gaps(HeldOutIndex(held_out, RULES)) == [
        Gap("MT test a-b", "min_words: 3", "shorter texts are found by id alone", 1, 3),
        Gap("MT test a-b", "min_part_words: 6", "shorter sentences of a text alone", 1, 2),
        Gap("task test x-a", "min_words: 3", "shorter texts are found by id alone", 1, 1),
    ]
    weak = LeakRules(near=1.0, min_words=1, min_part_words=1, policy="report")
    assert [(gap.rule, gap.texts) for gap in gaps(HeldOutIndex(held_out[-1:], weak))] == [
        ("near: 1", 1),
        ("policy: report", 1),
    ]
