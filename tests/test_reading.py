"""Every format is read to its last row, and every problem names the file and the place."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from models.support.errors import SourceError
from tasks.sources.description import (
    Columns,
    Corpus,
    Files,
    HubDataset,
    JsonLines,
    PlainText,
    RemoteFile,
    Table,
)
from tasks.sources.fetching import local_name
from tasks.sources.reading import FetchedCorpus, read_corpora, read_corpus
from tasks.sources.rows import Row

COLUMNS: Columns = {"ind": "sumber", "mad": "tujuan"}
CSV = Table(kind="csv", columns=COLUMNS, id="id")
TSV = Table(kind="tsv", columns=COLUMNS, id="id")
NUMBERED = Table(kind="tsv", columns={"mad": "2"}, header=False)
JSONL = JsonLines(kind="jsonl", columns=COLUMNS, id="id")
Format = Table | JsonLines | PlainText


def fetched(
    folder: Path,
    form: Format,
    files: dict[RemoteFile, bytes],
    keep: str = "*",
) -> FetchedCorpus:
    for file, content in files.items():
        (folder / local_name(file)).write_bytes(content)
    source = Files(kind="files", base="raw", files=tuple(files), format=form)
    return FetchedCorpus(Corpus(name="korpus", source=source, licence="CC0", keep=keep), folder)


def read(folder: Path, form: Format, content: str | bytes, keep: str = "*") -> list[Row]:
    raw = content.encode() if isinstance(content, str) else content
    file = RemoteFile(name="berkas.dat", language="mad")
    return list(read_corpus(*fetched(folder, form, {file: raw}, keep)))


def texts(rows: Sequence[Row]) -> list[tuple[str, ...]]:
    return [(row.key, *row.fields.values()) for row in rows]


@pytest.mark.parametrize(
    ("form", "content", "expected"),
    [
        (CSV, 'id,sumber,tujuan\n1,"a, b","c ""d"""\n', [("1", "a, b", 'c "d"')]),
        (
            CSV,
            'id,sumber,tujuan\n1,"baris\nbaru",x\n2,y,z\n',
            [("1", "baris\nbaru", "x"), ("2", "y", "z")],
        ),
        (CSV, "id,sumber,tujuan\n\n1,a,b\n\n", [("1", "a", "b")]),
        (CSV, "tujuan,lain,id,sumber\nb,?,1,a\n", [("1", "a", "b")]),
        (CSV, "id,sumber,tujuan", []),
        (CSV, "", []),
        (TSV, 'id\tsumber\ttujuan\n1\t"a" b"\t\'c\n', [("1", '"a" b"', "'c")]),
        (TSV, "id\tsumber\ttujuan\n1\ta, b\t\n\n", [("1", "a, b", "")]),
        (TSV, "id\tsumber\ttujuan\n1\ta\u2028b\tc\x0bd", [("1", "a\u2028b", "c\x0bd")]),
        (NUMBERED, "a\tb\nc\td\n", [("row-1", "b"), ("row-2", "d")]),
        (JSONL, '{"id": 7, "sumber": "a\\nb", "tujuan": "ꦲ"}\n\n', [("7", "a\nb", "ꦲ")]),
        (JSONL, '{"id": 0, "sumber": "0", "tujuan": null}', [("0", "0", "")]),
        (PlainText(), "siji\n\nloro", [("row-1", "siji"), ("row-2", ""), ("row-3", "loro")]),
    ],
)
def test_formats(
    tmp_path: Path, form: Format, content: str, expected: list[tuple[str, ...]]
) -> None:
    assert texts(read(tmp_path, form, content)) == expected


@pytest.mark.parametrize(
    ("form", "content"),
    [
        (CSV, "id,sumber,tujuan\n1,a,b\n"),
        (TSV, "id\tsumber\ttujuan\n1\ta\tb\n"),
        (JSONL, '{"id": "1", "sumber": "a", "tujuan": "b"}\n'),
        (PlainText(), "a\nb\n"),
    ],
    ids=["csv", "tsv", "jsonl", "text"],
)
def test_byte_order_mark_and_windows_line_ends_change_nothing(
    tmp_path: Path, form: Format, content: str
) -> None:
    plain = read(tmp_path, form, content)
    assert plain
    assert read(tmp_path, form, b"\xef\xbb\xbf" + content.encode()) == plain
    assert read(tmp_path, form, content.replace("\n", "\r\n")) == plain


@pytest.mark.parametrize(
    ("form", "content", "words"),
    [
        (CSV, b"id,sumber,tujuan\n1,a,b\n2,caf\xe9,c\n", ["line 3", "UTF-8", "byte 6", "0xe9"]),
        (PlainText(), "halo".encode("utf-16"), ["line 1", "UTF-8"]),
        (CSV, b"id,sumber\n1,a\n", ["record 1", "'tujuan'", "'id', 'sumber'"]),
        (CSV, b"id,sumber,tujuan\n1,a,b\n2,a,b,c\n", ["record 2", "4 columns", "has 3"]),
        (TSV, b"id\tsumber\ttujuan\n1\ta\n", ["record 1", "2 columns", "has 3"]),
        (NUMBERED, b"a\tb\nc\n", ["record 2 (line 2)", "has 1 columns", "first row has 2"]),
        (CSV, b'id,sumber,tujuan\n1,a,b\n2,c,"never closed\n3,d,e\n', ["after record 1"]),
        (CSV, b'id,sumber,tujuan\n1,a,"b" c\n', ["after record 0"]),
        (CSV, b"id,sumber,tujuan\n1,a,b\n ,c,d\n", ["record 2", "'id'"]),
        (JSONL, b'{"id": null, "sumber": "a", "tujuan": "b"}\n', ["record 1", "'id'"]),
        (JSONL, b'{"id": 1, "sumber": "a", "tujuan": "b"}\n{"id": 2,\n', ["line 2", "JSON"]),
        (JSONL, b'["a"]\n', ["line 1", "JSON object"]),
        (JSONL, b'{"id": 1, "sumber": "a"}\n', ["record 1", "'tujuan'"]),
    ],
)
def test_a_problem_names_file_and_place(
    tmp_path: Path, form: Format, content: bytes, words: Sequence[str]
) -> None:
    with pytest.raises(SourceError) as caught:
        read(tmp_path, form, content)
    message = str(caught.value)
    assert message.startswith("berkas.dat")
    assert [word for word in words if word not in message] == []


def aligned(folder: Path, *files: tuple[str, str, str | None, str]) -> list[Row]:
    contents = {
        RemoteFile(name=name, language=language, split=split): text.encode()  # type: ignore[arg-type]
        for name, language, split, text in files
    }
    return list(read_corpus(*fetched(folder, PlainText(), contents)))


def test_aligned_text_stands_side_by_side_split_after_split(tmp_path: Path) -> None:
    rows = aligned(
        tmp_path,
        ("t.ind", "ind", "train", "satu\ndua\n"),
        ("e.ind", "ind", "test", "tiga\n"),
        ("t.mad", "mad", "train", "settong\nduwa'\n"),
        ("e.mad", "mad", "test", "tello'\n"),
    )
    assert rows == [
        Row("train-1", "train", {"ind": "satu", "mad": "settong"}, place="t.ind: line 1"),
        Row("train-2", "train", {"ind": "dua", "mad": "duwa'"}, place="t.ind: line 2"),
        Row("test-1", "test", {"ind": "tiga", "mad": "tello'"}, place="e.ind: line 1"),
    ]


def test_several_aligned_files_of_one_language_follow_each_other(tmp_path: Path) -> None:
    rows = aligned(
        tmp_path,
        ("1.ind", "ind", None, "satu\ndua\n"),
        ("2.ind", "ind", None, "tiga\n"),
        ("1.mad", "mad", None, "settong\nduwa'\n"),
        ("2.mad", "mad", None, "tello'\n"),
    )
    assert texts(rows) == [
        ("row-1", "satu", "settong"),
        ("row-2", "dua", "duwa'"),
        ("row-3", "tiga", "tello'"),
    ]


@pytest.mark.parametrize(
    ("ind", "mad", "short", "lines", "longer"),
    [
        ("a\nb\nc\n", "x\n", "t.mad", 1, "t.ind"),
        ("", "x\n", "t.ind", 0, "t.mad"),
    ],
)
def test_unequal_line_counts_name_both_files(
    tmp_path: Path, ind: str, mad: str, short: str, lines: int, longer: str
) -> None:
    with pytest.raises(SourceError, match=f"{short} ends after {lines} lines, {longer} goes on"):
        aligned(tmp_path, ("t.ind", "ind", None, ind), ("t.mad", "mad", None, mad))


def test_a_split_without_one_of_its_sides_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"split test: .*1 in ind, 0 in mad"):
        aligned(
            tmp_path,
            ("t.ind", "ind", "train", "a"),
            ("t.mad", "mad", "train", "b"),
            ("e.ind", "ind", "test", "c"),
        )


def test_keep_is_a_glob_on_ids_with_case(tmp_path: Path) -> None:
    content = "id,sumber,tujuan\nemot-1,a,b\nEmot-2,a,b\nindolem-3,a,b\n"
    assert [r.key for r in read(tmp_path, CSV, content, "emot-*")] == ["emot-1"]
    assert [r.key for r in read(tmp_path, CSV, content, "*-[23]")] == ["Emot-2", "indolem-3"]
    assert read(tmp_path, CSV, content, "none") == []


def test_rows_without_ids_are_numbered_through_the_files_of_a_split(tmp_path: Path) -> None:
    form = JsonLines(kind="jsonl", columns={"mad": "t"})
    lines = b'{"t": "x"}\n{"t": "y"}\n'
    files = {
        RemoteFile(name="1.jsonl"): lines,
        RemoteFile(name="2.jsonl"): lines,
        RemoteFile(name="3.jsonl", split="dev"): lines,
    }
    rows = list(read_corpus(*fetched(tmp_path, form, files)))
    assert [r.key for r in rows] == ["row-1", "row-2", "row-3", "row-4", "dev-1", "dev-2"]
    assert [r.split for r in rows] == [None] * 4 + ["dev"] * 2


def test_corpora_follow_each_other_under_their_names(tmp_path: Path) -> None:
    first = fetched(tmp_path, PlainText(), {RemoteFile(name="a"): b"x\n"})
    second = first._replace(corpus=Corpus(name="lain", source=first.corpus.source, licence=""))
    assert [name for name, _ in read_corpora([first, second])] == ["korpus", "lain"]


def test_data_set_splits_are_named_or_left_out(tmp_path: Path) -> None:
    import pyarrow
    import pyarrow.parquet as parquet

    for split, values in (("train", [0, 1]), ("validation", [None]), ("extra", [5])):
        parquet.write_table(pyarrow.table({"y": values}), tmp_path / f"{split}.parquet")
    source = HubDataset(
        kind="dataset",
        name="toy",
        columns={"label": "y"},
        splits={"train": "train", "validation": "dev"},
    )
    rows = list(read_corpus(Corpus(name="toy", source=source, licence="CC0"), tmp_path))
    assert rows == [
        Row("train-1", "train", {"label": "0"}, place="data set toy, split train: record 1"),
        Row("train-2", "train", {"label": "1"}, place="data set toy, split train: record 2"),
        Row("dev-1", "dev", {"label": ""}, place="data set toy, split validation: record 1"),
    ]
    everything = Corpus(
        name="toy",
        source=HubDataset(kind="dataset", name="toy", columns={"label": "y"}),
        licence="",
    )
    keys = [row.key for row in read_corpus(everything, tmp_path)]
    assert keys == ["row-1", "row-2", "row-3", "row-4"]


def test_a_data_set_without_the_column_is_named(tmp_path: Path) -> None:
    import pyarrow
    import pyarrow.parquet as parquet

    parquet.write_table(pyarrow.table({"y": [1]}), tmp_path / "train.parquet")
    source = HubDataset(kind="dataset", name="toy", columns={"mad": "teks"})
    with pytest.raises(SourceError, match=r"toy, split train: record 1 .*'teks'; found 'y'"):
        list(read_corpus(Corpus(name="toy", source=source, licence=""), tmp_path))


def test_long_fields_do_not_stop_the_reader(tmp_path: Path) -> None:
    long = "a" * 200_000
    line = json.dumps({"id": "1", "sumber": "x", "tujuan": long})
    assert texts(read(tmp_path, JSONL, line)) == [("1", "x", long)]
    assert texts(read(tmp_path, CSV, f"id,sumber,tujuan\n1,x,{long}\n")) == [("1", "x", long)]
