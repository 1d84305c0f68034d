"""Row numbers are no identity: the texts under them tell whether they name the same items."""

import random
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from models.support.errors import LeakError
from tasks.auditing import audit, shared_training_text
from tasks.cleaning import CleaningRules
from tasks.identity import doubts, item_name, likeness, same_text
from tasks.labelled import SourceSet, prepare_labelled, read_labels
from tasks.leakage import HeldOutIndex, LeakRules, TextSet, all_texts, remove_leaks
from tasks.records import read_columns, write_records
from tasks.sources.description import Corpus, Files, RemoteFile, Table
from tasks.sources.fetching import local_name
from tasks.sources.reading import FetchedCorpus

RULES = LeakRules()
VOWELS = {"a": "u", "e": "i", "i": "ee", "o": "ou", "u": "o"}


def sentences(count: int, seed: int = 1, start: int = 0) -> list[str]:
    """Return sentences of three to sixteen invented words, no two alike."""
    draw = random.Random(seed)  # noqa: S311
    syllables = [c + v for c in "bdgklmnprst" for v in "aeiou"]

    def word() -> str:
        return "".join(draw.choices(syllables, k=draw.randint(1, 4)))

    return [
        " ".join([*(word() for _ in range(draw.randint(3, 16))), f"{word()}{start + n}"])
        for n in range(count)
    ]


def translated(texts: Sequence[str]) -> list[str]:
    """Return the texts in a language with other vowels, without the figures."""
    return ["".join(VOWELS.get(c, c) for c in text if not c.isdigit()) for text in texts]


def numbered(texts: Sequence[str], part: str = "train") -> dict[str, str]:
    return {f"{part}-{n}": text for n, text in enumerate(texts, start=1)}


HUB = sentences(200)


@pytest.mark.parametrize(
    ("second", "verdict"),
    [
        (translated(HUB), "same"),
        (translated(HUB)[:12], "same"),
        (translated(sentences(200, seed=2)), "other"),
        ([*translated(HUB)[1:], "end"], "other"),
        (translated(HUB)[:3], "unknown"),
        ([], "unknown"),
    ],
    ids=["translated", "twelve", "other text", "a row later", "three", "none"],
)
def test_lengths_and_words_tell_whether_namesakes_are_the_same(
    second: Sequence[str], verdict: str
) -> None:
    assert likeness(numbered(HUB), numbered(second)).verdict == verdict


def test_files_sorted_by_length_are_no_more_alike_for_it() -> None:
    first, second = (sorted(sentences(200, seed), key=len) for seed in (1, 2))
    found = likeness(numbered(first), numbered(translated(second)))
    assert found.verdict == "unknown"
    assert found.fit is not None
    assert found.far is not None
    assert found.fit < 0.6 < found.far


def test_files_sorted_by_label_are_no_more_alike_for_it() -> None:
    """Complaints are long here and there: within a label nothing fits."""
    short, long = sentences(100, seed=3), [f"{a} {b} {b}" for a, b in zip(HUB, HUB, strict=True)]
    first = numbered([*short, *long[:100]])
    second = numbered(translated([*sentences(100, seed=4), *long[100:]]))
    labels = {key: "praise" if n < 100 else "complaint" for n, key in enumerate(first)}
    found = likeness(first, second, labels=(labels, labels))
    assert (found.labels, found.verdict) == (1.0, "other")


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("Saya pergi ke pasar.", "saya pergi ke pasar", True),
        ("Saya pergi ke pasar.", "Dia membeli ikan segar.", False),
        ("我昨天去了市场。", "他来了。", False),
    ],
)
def test_texts_of_one_language_are_compared_word_by_word(
    first: str, second: str, same: bool
) -> None:
    assert same_text({"row-1": first}, {"row-1": second}) is same


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        (("k:row-1", "Satu kalimat."), ("k:row-1", "satu kalimat"), True),
        (("k:row-1", "Satu kalimat."), ("k:row-1", "Dua kalimat."), False),
        (("k:s1", "Satu kalimat."), ("k:s1", "Dua kalimat."), True),
    ],
)
def test_a_row_number_is_the_same_item_in_two_bitexts_by_its_hub_text(
    first: tuple[str, str], second: tuple[str, str], same: bool
) -> None:
    assert (item_name(*first) == item_name(*second)) is same


def labelled(folder: Path, parts: Mapping[str, Sequence[str]], *, shift: int = 0) -> FetchedCorpus:
    """Return a labelled set without ids: its rows are numbered."""
    folder.mkdir()
    files = tuple(RemoteFile(name=f"{part}.csv", split=part) for part in parts)  # type: ignore[arg-type]
    for file, texts in zip(files, parts.values(), strict=True):
        rows = [f"{t},{'ab'[(n + shift) // 2 % 2]}" for n, t in enumerate(texts)]
        text = "\n".join(["text,label", *rows])
        (folder / local_name(file)).write_text(text, encoding="utf-8")
    form = Table(kind="csv", columns={"text": "text", "label": "label"})
    source = Files(kind="files", base="raw", files=files, format=form)
    return FetchedCorpus(Corpus(name="news", source=source, licence="CC0"), folder)


def prepared(
    out: Path, texts: FetchedCorpus, *, language: str = "", source: Path | None = None
) -> dict[str, object]:
    out.mkdir()
    return prepare_labelled(
        texts,
        read_labels(texts, ("a", "b")),
        rules=CleaningRules(),
        limits={},
        source=SourceSet.load(source) if source else None,
        language=language,
        out=out,
    )


REPEATING = {"train": [*HUB[:100], *HUB[:10]], "test": sentences(40, seed=5)}


def test_row_numbers_of_other_items_are_not_dropped_for_repeats_in_the_hub(tmp_path: Path) -> None:
    """`train-101` to `train-110` repeat in the hub's file, and are other items here."""
    prepared(tmp_path / "hub", labelled(tmp_path / "a", REPEATING))
    other = {"train": translated(sentences(110, 6)), "test": translated(sentences(40, 7))}
    texts = labelled(tmp_path / "b", other, shift=1)
    counts = prepared(tmp_path / "jav", texts, language="jav", source=tmp_path / "hub")
    assert (counts["train"], counts["dropped"]) == (110, {})
    ids = read_columns(tmp_path / "jav" / "train.parquet")["id"]
    assert ids[0] == "news:jav/train-1"
    assert not {*ids} & {*read_columns(tmp_path / "hub" / "train.parquet")["id"]}
    (doubt,) = doubts(**counts["ids"])  # type: ignore[arg-type]
    assert doubt.startswith("the 140 ids that it shares with the source language name other items")
    assert "50% of them have the same label" in doubt


def test_row_numbers_of_the_same_items_are_shared(tmp_path: Path) -> None:
    prepared(tmp_path / "hub", labelled(tmp_path / "a", REPEATING))
    other = {part: translated(texts) for part, texts in REPEATING.items()}
    other["train"][100:] = translated(HUB[100:110])  # translated anew, so no repeats in themselves
    texts = labelled(tmp_path / "b", other)
    counts = prepared(tmp_path / "jav", texts, language="jav", source=tmp_path / "hub")
    assert (counts["train"], counts["dropped"]) == (100, {"repeated_text": 10})
    assert read_columns(tmp_path / "jav" / "train.parquet")["id"][0] == "news:train-1"
    assert not [*doubts(**counts["ids"])]  # type: ignore[arg-type]


def test_labels_that_differ_between_languages_are_told(tmp_path: Path) -> None:
    parts = {"train": HUB[:100], "test": HUB[100:140]}
    prepared(tmp_path / "hub", labelled(tmp_path / "a", parts))
    texts = labelled(tmp_path / "b", {p: translated(t) for p, t in parts.items()}, shift=1)
    counts = prepared(tmp_path / "jav", texts, language="jav", source=tmp_path / "hub")
    assert [*doubts(**counts["ids"])] == [  # type: ignore[arg-type]
        "140 ids are those of items of the source language, but 50% of them have the same label"
    ]


def bitext(path: Path, name: str, texts: Mapping[str, Sequence[str]], *, first: int = 1) -> TextSet:
    keys = [f"text:row-{first + n}" for n in range(len(next(iter(texts.values()))))]
    write_records(path, {"id": keys, **texts, "origin": ["human"] * len(keys)})
    return TextSet(name, path, {language: language for language in texts})


def guarded(text: TextSet, held_out: TextSet, out: Path) -> dict[str, int]:
    counts = remove_leaks(text, HeldOutIndex(all_texts([held_out]), RULES), out=out)
    return counts["removed"]  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("language", "held_out", "removed"),
    [
        ("ind", HUB[:50], {"id: MT test": 50}),
        ("ind", sentences(50, seed=8), {}),
        ("jav", translated(HUB[:50]), {"id: MT test": 50}),
        ("jav", translated(sentences(50, seed=8)), {}),
    ],
    ids=["same text", "other text", "translations", "no translations"],
)
def test_the_guard_takes_row_numbers_for_the_same_only_where_texts_say_so(
    tmp_path: Path, language: str, held_out: list[str], removed: dict[str, int]
) -> None:
    test = bitext(tmp_path / "test.parquet", "MT test", {language: held_out})
    train = bitext(tmp_path / "train.parquet", "MT train", {"ind": HUB})
    assert guarded(train, test, tmp_path / "safe.parquet") == removed
    index = HeldOutIndex(all_texts([test]), RULES)
    by_id = sum(o.count for o in audit([train], index) if o.match == "id")
    assert by_id == sum(removed.values())


def test_an_id_that_a_source_gave_is_a_leak_whatever_the_text(tmp_path: Path) -> None:
    for name in ("test", "train"):
        ids = [f"text:s{n}" for n in range(50)]
        texts = {"id": ids, "ind": sentences(50, seed=len(name)), "origin": ["human"] * 50}
        write_records(tmp_path / f"{name}.parquet", texts)
    test, train = (
        TextSet(f"MT {n}", tmp_path / f"{n}.parquet", {"ind": "ind"}) for n in ("test", "train")
    )
    with pytest.raises(LeakError, match="no sentence is left of 50"):
        guarded(train, test, tmp_path / "safe.parquet")


def test_training_texts_share_no_row_numbers_of_other_sentences(tmp_path: Path) -> None:
    one = bitext(tmp_path / "one.parquet", "MT train one", {"ind": HUB[:50]})
    two = bitext(tmp_path / "two.parquet", "MT train two", {"ind": HUB[:50]})
    other = bitext(tmp_path / "other.parquet", "MT train other", {"ind": sentences(50, seed=9)})
    found = shared_training_text([one, two, other], RULES)
    assert {(o.origin, o.to, o.match, o.count) for o in found} == {
        ("MT train one", "MT train two", "id", 50),
        ("MT train one", "MT train two", "exact", 50),
        ("MT train two", "MT train one", "id", 50),
        ("MT train two", "MT train one", "exact", 50),
    }
