"""From raw rows to train, dev and test: what is kept, what is dropped, which ids come out."""

from collections.abc import Sequence
from itertools import chain
from pathlib import Path

import pytest

from models.support.errors import SourceError
from tasks.bitext import prepare_bitext
from tasks.cleaning import CleaningRules
from tasks.records import read_columns, read_records
from tasks.sources.description import (
    Corpus,
    Files,
    HashSplit,
    RemoteFile,
    ShippedSplit,
    Split,
    SplitName,
    Table,
)
from tasks.sources.fetching import local_name
from tasks.sources.reading import FetchedCorpus

RULES = CleaningRules(max_words=5)
FORM = Table(kind="tsv", id="id", columns={"ind": "ind", "mad": "mad"})
HASHED = HashSplit(rule="hash", dev=3, test=4)
PAIRS = [(f"s-{n}", f"kalimat nomor {n}", f"okara nomer {n}") for n in range(20)]
Rows = Sequence[tuple[str, str, str]]


def corpus(
    folder: Path, name: str, rows: Rows, split: SplitName | None = None, keep: str = "*"
) -> FetchedCorpus:
    file = RemoteFile(name=f"{name}-{split}.tsv", split=split)
    lines = ["id\tind\tmad", *("\t".join(row) for row in rows)]
    folder.mkdir(exist_ok=True)
    (folder / local_name(file)).write_text("\n".join(lines) + "\n", encoding="utf-8")
    source = Files(kind="files", base="raw", files=(file,), format=FORM)
    return FetchedCorpus(Corpus(name=name, source=source, licence="CC0", keep=keep), folder)


def prepare(
    out: Path,
    corpora: Sequence[FetchedCorpus],
    split: Split = HASHED,
    rules: CleaningRules = RULES,
) -> dict[str, object]:
    return prepare_bitext(corpora, ("ind", "mad"), rules=rules, split=split, out=out)


def ids(out: Path) -> dict[str, list[str]]:
    return {p: read_columns(out / f"{p}.parquet")["id"] for p in ("train", "dev", "test")}


def test_counts_add_up_and_every_reason_is_named(tmp_path: Path) -> None:
    messy = [
        ("e-1", "", "kosong"),
        ("e-2", "@budi #", "kosong"),
        ("e-3", "hanya tanda", "..."),
        ("l-1", "a b c d e f", "terlalu panjang"),
        ("d-1", "KALIMAT, nomor 1!", "okara laen"),
        ("d-2", "ｋalimat nomor 2", "okara laen"),
    ]
    counts = prepare(tmp_path, [corpus(tmp_path / "raw", "korpus", [*PAIRS, *messy])])
    assert counts["read"] == 26
    assert counts["kept"] == 20
    assert counts["dropped"] == {"duplicate": 2, "empty": 3, "too_long": 1}
    assert (counts["train"], counts["dev"], counts["test"]) == (13, 3, 4)


def test_ids_are_born_with_corpus_and_key(tmp_path: Path) -> None:
    corpora = [
        corpus(tmp_path / "a", "satu", PAIRS[:12]),
        corpus(tmp_path / "b", "dua", PAIRS[12:]),
    ]
    prepare(tmp_path, corpora)
    found = ids(tmp_path)
    born = [f"satu:s-{n}" for n in range(12)] + [f"dua:s-{n}" for n in range(12, 20)]
    assert sorted(chain.from_iterable(found.values())) == sorted(born)
    (first,) = (r for r in read_records(tmp_path / "train.parquet") if r["id"] == found["train"][0])
    number = first["id"].partition("s-")[2]
    assert first == {
        "id": first["id"],
        "ind": f"kalimat nomor {number}",
        "mad": f"okara nomer {number}",
        "origin": "human",
    }


def test_nothing_but_the_three_parts_is_written(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    prepare(out, [corpus(tmp_path / "raw", "korpus", PAIRS)])
    assert sorted(p.name for p in out.iterdir()) == ["dev.parquet", "test.parquet", "train.parquet"]


def test_the_first_of_a_repeat_stays_across_corpora(tmp_path: Path) -> None:
    corpora = [
        corpus(tmp_path / "a", "satu", PAIRS),
        corpus(tmp_path / "b", "dua", [("x", "Kalimat nomor 7.", "laen"), ("y", "baru", "anyar")]),
    ]
    counts = prepare(tmp_path, corpora)
    everything = list(chain.from_iterable(ids(tmp_path).values()))
    assert counts["dropped"] == {"duplicate": 1}
    assert "satu:s-7" in everything
    assert "dua:x" not in everything
    assert "dua:y" in everything


def test_repeats_stay_where_they_are_asked_for(tmp_path: Path) -> None:
    repeated = [*PAIRS, ("again", PAIRS[0][1], "translated otherwise")]
    corpora = [corpus(tmp_path / "a", "satu", repeated)]
    counts = prepare(tmp_path, corpora, rules=CleaningRules(drop_repeats=False))
    assert counts["kept"] == len(repeated)


def test_same_target_for_two_hub_sentences_is_no_repeat(tmp_path: Path) -> None:
    rows = [(i, source, "okara padha") for i, source, _ in PAIRS]
    assert prepare(tmp_path, [corpus(tmp_path / "raw", "korpus", rows)])["dropped"] == {}


def test_a_repeated_id_with_another_text_is_an_error(tmp_path: Path) -> None:
    rows = [*PAIRS, ("s-3", "kalimat lain", "okara laen")]
    with pytest.raises(SourceError, match=r"korpus.*'s-3'"):
        prepare(tmp_path, [corpus(tmp_path / "raw", "korpus", rows)])


def test_keep_selects_by_the_sources_own_ids(tmp_path: Path) -> None:
    rows = [*PAIRS, ("emot-1", "lain", "laen")]
    counts = prepare(tmp_path, [corpus(tmp_path / "raw", "korpus", rows, keep="s-*")])
    assert counts["read"] == 20


def test_parts_do_not_depend_on_the_order_of_rows(tmp_path: Path) -> None:
    parts = []
    for name, rows in (("forth", PAIRS), ("back", PAIRS[::-1])):
        out = tmp_path / name
        out.mkdir()
        prepare(out, [corpus(tmp_path / f"raw-{name}", "korpus", rows)])
        parts.append({part: set(found) for part, found in ids(out).items()})
    assert parts[0] == parts[1]


def test_shipped_splits_are_kept(tmp_path: Path) -> None:
    corpora = [
        corpus(tmp_path / "raw", "korpus", PAIRS[:10], "train"),
        corpus(tmp_path / "raw", "korpus", PAIRS[10:12], "dev"),
        corpus(tmp_path / "raw", "korpus", PAIRS[12:15], "test"),
    ]
    counts = prepare(tmp_path, corpora, ShippedSplit(rule="shipped"))
    assert (counts["train"], counts["dev"], counts["test"]) == (10, 2, 3)
    assert ids(tmp_path)["test"] == ["korpus:s-12", "korpus:s-13", "korpus:s-14"]


def test_a_shipped_test_set_stays_whole_and_train_gives_way(tmp_path: Path) -> None:
    long = ("long", " ".join(["kata"] * 200), "panjang")
    test = [("t-1", PAIRS[0][1], "one"), ("t-2", PAIRS[0][1], "two"), long, ("t-3", "", "x")]
    corpora = [
        corpus(tmp_path / "raw", "korpus", PAIRS[:10], "train"),
        corpus(tmp_path / "raw", "korpus", PAIRS[10:12], "dev"),
        corpus(tmp_path / "raw", "korpus", test, "test"),
    ]
    counts = prepare(tmp_path, corpora, ShippedSplit(rule="shipped"))
    assert ids(tmp_path)["test"] == ["korpus:t-1", "korpus:t-2", "korpus:long"]
    assert ids(tmp_path)["train"] == [f"korpus:{row[0]}" for row in PAIRS[1:10]]
    assert counts["dropped"] == {"duplicate": 1, "empty": 1}


def test_a_part_without_a_sentence_is_an_error(tmp_path: Path) -> None:
    corpora = [corpus(tmp_path / "raw", "korpus", PAIRS, "train")]
    with pytest.raises(SourceError, match="no sentence pair is left for dev and test"):
        prepare(tmp_path, corpora, ShippedSplit(rule="shipped"))


def test_a_row_without_a_shipped_split_is_named(tmp_path: Path) -> None:
    corpora = [
        corpus(tmp_path / "raw", "korpus", PAIRS[:10], "train"),
        corpus(tmp_path / "raw", "korpus", PAIRS[10:]),
    ]
    with pytest.raises(SourceError, match="korpus:s-10 is in no split"):
        prepare(tmp_path, corpora, ShippedSplit(rule="shipped"))


def test_nothing_left_to_train_on_is_an_error_with_the_counts(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"ind-mad: no sentence pair.*kept 5 of 5"):
        prepare(tmp_path, [corpus(tmp_path / "raw", "korpus", PAIRS[:5])])


def test_an_empty_side_of_a_shipped_pair_goes_however_long_the_other_is(tmp_path: Path) -> None:
    long = " ".join(["kata"] * 200)
    test = [("t-1", long, ""), ("t-2", "", long), ("t-3", long, "x"), ("t-4", "x", "y")]
    corpora = [
        corpus(tmp_path / "raw", "korpus", PAIRS[:10], "train"),
        corpus(tmp_path / "raw", "korpus", PAIRS[10:12], "dev"),
        corpus(tmp_path / "raw", "korpus", test, "test"),
    ]
    counts = prepare(tmp_path, corpora, ShippedSplit(rule="shipped"))
    assert ids(tmp_path)["test"] == ["korpus:t-3", "korpus:t-4"]
    assert counts["dropped"] == {"empty": 2}
