"""Labelled sets: text and label joined by id; whatever is in doubt is an error that names it."""

from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path

import pytest

from models.support.errors import SourceError
from tasks.cleaning import CleaningRules
from tasks.labelled import SourceSet, prepare_labelled, read_labels
from tasks.records import read_columns
from tasks.sources.description import Corpus, Files, JsonLines, RemoteFile, SplitName, Table
from tasks.sources.fetching import local_name
from tasks.sources.reading import FetchedCorpus

LABELS = ("anger", "happy")
LABELLED = Table(kind="tsv", id="id", columns={"text": "text", "label": "label"})
Rows = Sequence[tuple[str, str, str]]


def corpus(folder: Path, parts: Mapping[SplitName | None, Rows]) -> FetchedCorpus:
    folder.mkdir(exist_ok=True)
    files = tuple(RemoteFile(name=f"{split}.tsv", split=split) for split in parts)
    for file, rows in zip(files, parts.values(), strict=True):
        lines = ["id\ttext\tlabel", *("\t".join(row) for row in rows)]
        (folder / local_name(file)).write_text("\n".join(lines), encoding="utf-8")
    source = Files(kind="files", base="raw", files=files, format=LABELLED)
    return FetchedCorpus(Corpus(name="emosi", source=source, licence="CC0"), folder)


def items(prefix: str, count: int) -> list[tuple[str, str, str]]:
    return [(f"{prefix}{n}", f"ukara {prefix} {n}", LABELS[n % 2]) for n in range(count)]


PARTS: dict[SplitName | None, Rows] = {
    "train": items("a", 6),
    "dev": items("b", 2),
    "test": items("c", 4),
}


def prepare(
    out: Path,
    texts: FetchedCorpus,
    label_of: Mapping[str, tuple[str, str]],
    limits: Mapping[str, int] | None = None,
    source: SourceSet | None = None,
) -> dict[str, object]:
    return prepare_labelled(
        texts, label_of, rules=CleaningRules(), limits=limits or {}, source=source, out=out
    )


def test_labels_and_splits_are_read(tmp_path: Path) -> None:
    labels = read_labels(corpus(tmp_path, PARTS), LABELS)
    assert len(labels) == 12
    assert labels["a1"] == ("happy", "train")
    assert labels["c0"] == ("anger", "test")


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"train": [("a1", "teks", "joy")]}, ["emosi", "'a1'", "'joy'", "anger, happy"]),
        ({"train": [("a1", "teks", "")]}, ["emosi", "'a1'", "''"]),
        ({None: [("a1", "teks", "happy")]}, ["emosi", "'a1'", "no split"]),
        (
            {"train": [("a1", "x", "happy")], "test": [("a1", "y", "happy")]},
            ["emosi", "'a1'", "train", "test"],
        ),
        (
            {"train": [("a1", "x", "happy"), ("a1", "x", "anger")]},
            ["emosi", "'a1'", "happy", "anger"],
        ),
    ],
    ids=["unknown label", "no label", "no split", "in two splits", "two labels"],
)
def test_what_is_in_doubt_is_named(
    tmp_path: Path, parts: Mapping[SplitName | None, Rows], words: Sequence[str]
) -> None:
    with pytest.raises(SourceError) as caught:
        read_labels(corpus(tmp_path, parts), LABELS)
    assert [word for word in words if word not in str(caught.value)] == []


def test_numbers_are_labels_too(tmp_path: Path) -> None:
    file = RemoteFile(name="l.jsonl", split="train")
    (tmp_path / local_name(file)).write_text('{"id": 0, "label": 0}\n{"id": 1, "label": 1}\n')
    form = JsonLines(kind="jsonl", id="id", columns={"label": "label"})
    source = Files(kind="files", base="raw", files=(file,), format=form)
    fetched = FetchedCorpus(Corpus(name="emosi", source=source, licence="CC0"), tmp_path)
    assert read_labels(fetched, ("0", "1")) == {"0": ("0", "train"), "1": ("1", "train")}


def test_texts_meet_their_labels(tmp_path: Path) -> None:
    fetched = corpus(tmp_path / "raw", PARTS)
    counts = prepare(tmp_path, fetched, read_labels(fetched, LABELS))
    assert counts == {"train": 6, "dev": 2, "test": 4, "dropped": {}}
    assert read_columns(tmp_path / "dev.parquet") == {
        "id": ["emosi:b0", "emosi:b1"],
        "text": ["ukara b 0", "ukara b 1"],
        "label": ["anger", "happy"],
    }


def test_every_row_is_kept_or_counted(tmp_path: Path) -> None:
    texts: list[tuple[str, str, str]] = [
        *chain.from_iterable(PARTS.values()),
        ("z9", "tanpa label", ""),
        ("a0", "ukara a 0", ""),
    ]
    texts[3] = ("a3", "@budi #", "")
    label_of = read_labels(corpus(tmp_path / "labels", PARTS), LABELS)
    counts = prepare(tmp_path, corpus(tmp_path / "raw", {None: texts}), label_of)
    assert counts["dropped"] == {"no_label": 1, "empty": 1, "repeated_id": 1}
    assert (counts["train"], counts["dev"], counts["test"]) == (5, 2, 4)


def test_languages_line_up_whatever_the_order_of_their_files(tmp_path: Path) -> None:
    label_of = read_labels(corpus(tmp_path / "labels", PARTS), LABELS)
    found = []
    for name, parts in (("ind", PARTS), ("jav", {k: v[::-1] for k, v in PARTS.items()})):
        out = tmp_path / name
        out.mkdir()
        prepare(out, corpus(tmp_path / f"raw-{name}", parts), label_of, {"train": 3})
        found.append({p: read_columns(out / f"{p}.parquet")["id"] for p in ("train", "test")})
    assert found[0] == found[1]
    assert len(found[0]["train"]) == 3


def test_equal_test_texts_are_not_deduplicated(tmp_path: Path) -> None:
    rows = [(f"c{n}", "iya", LABELS[n % 2]) for n in range(4)]
    fetched = corpus(tmp_path / "raw", {**PARTS, "test": rows})
    assert prepare(tmp_path, fetched, read_labels(fetched, LABELS))["test"] == 4


HUB = SourceSet((), LABELS)


@pytest.mark.parametrize(("part", "source"), [("train", None), ("test", HUB)])
def test_the_part_that_a_language_cannot_do_without_is_named(
    tmp_path: Path, part: SplitName, source: SourceSet | None
) -> None:
    fetched = corpus(tmp_path / "raw", {k: v for k, v in PARTS.items() if k != part})
    with pytest.raises(SourceError, match=f"emosi: the {part} part has no labelled item"):
        prepare(tmp_path, fetched, read_labels(fetched, LABELS), source=source)


@pytest.mark.parametrize(
    ("parts", "source", "counts"),
    [
        (("test",), HUB, {"train": 0, "dev": 0, "test": 4}),
        (("dev", "test"), HUB, {"train": 0, "dev": 2, "test": 4}),
        (("train", "test"), HUB, {"train": 6, "dev": 0, "test": 4}),
        (("train",), None, {"train": 6, "dev": 0, "test": 0}),
    ],
)
def test_a_part_that_a_language_can_do_without_may_be_missing(
    tmp_path: Path, parts: Sequence[SplitName], source: SourceSet | None, counts: dict[str, int]
) -> None:
    fetched = corpus(tmp_path / "raw", {part: PARTS[part] for part in parts})
    found = prepare(tmp_path, fetched, read_labels(fetched, LABELS), source=source)
    assert found == {**counts, "dropped": {}}
    assert len(read_columns(tmp_path / "train.parquet")["id"]) == counts["train"]


def test_without_train_items_of_its_own_a_language_is_taught_by_the_source(tmp_path: Path) -> None:
    fetched = corpus(tmp_path / "raw", {"test": PARTS["test"]})
    label_of = read_labels(fetched, LABELS)
    with pytest.raises(
        SourceError, match="2 test items have the class 'anger', which no train item of the source"
    ):
        prepare(tmp_path, fetched, label_of, source=SourceSet((), ["happy"]))


def test_train_items_that_repeat_a_text_are_left_out_in_every_language(tmp_path: Path) -> None:
    parts: dict[SplitName | None, Rows] = {
        "train": [*items("a", 4), ("a8", "UKARA c 1!", "happy"), ("a9", "ukara a 2.", "anger")],
        "dev": items("b", 2),
        "test": [*items("c", 4), ("c9", "ukara c 0", "anger")],
    }
    source = corpus(tmp_path / "source", parts)
    label_of = read_labels(source, LABELS)
    (tmp_path / "ind").mkdir()
    counts = prepare(tmp_path / "ind", source, label_of)
    assert read_columns(tmp_path / "ind" / "train.parquet")["id"] == [
        f"emosi:a{n}" for n in range(4)
    ]
    assert counts == {"train": 4, "dev": 2, "test": 5, "dropped": {"repeated_text": 2}}
    repeated = read_columns(tmp_path / "ind" / "repeated.parquet")["key"]
    assert repeated == ["a8", "a9"]
    other = {
        split: [(i, f"{i} liyane", label) for i, _, label in rows] for split, rows in parts.items()
    }
    (tmp_path / "jav").mkdir()
    prepare_labelled(
        corpus(tmp_path / "target", other),
        label_of,
        rules=CleaningRules(),
        limits={},
        source=SourceSet(repeated, LABELS),
        out=tmp_path / "jav",
    )
    assert read_columns(tmp_path / "jav" / "train.parquet")["id"] == [
        f"emosi:a{n}" for n in range(4)
    ]
