"""Text comes out of records by a path; what is no text is refused with its record and type."""

import json
import os
from pathlib import Path

import pytest

from models.support.errors import ContractError, SourceError, SpecError
from pipeline.drafting.pairs import PairFiles, new_pair
from tasks.records import write_records
from tasks.sources.description import Columns, Corpus, Files, HubDataset, JsonLines, RemoteFile
from tasks.sources.fetching import fetch
from tasks.sources.reading import FetchedCorpus, read_corpus
from tasks.sources.rows import Row
from tasks.sources.sniffing import sniff
from tasks.sources.values import MISSING, value_at

RECORD = {
    "translation": {"en": "a", "sw": None},
    "sides": [{"lang": "en", "text": "b"}, {"lang": "sw", "text": "c"}],
    "a.b": {"c.d": "e"},
    "a": {"b": "f"},
    "none": None,
}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("translation.en", "a"),
        ("translation.sw", None),
        ("sides.1.text", "c"),
        ("a.b.c.d", "e"),
        ("none.anything", None),
        ("translation.fr", MISSING),
        ("sides.2.text", MISSING),
        ("translation.en.deeper", MISSING),
        ("sides.text", MISSING),
    ],
)
def test_a_path_leads_into_a_record(path: str, value: object) -> None:
    assert value_at(RECORD, path) is value


def read(folder: Path, content: str, columns: Columns, key: str | None = None) -> list[Row]:
    (folder / "t.jsonl").write_text(content, encoding="utf-8")
    form = JsonLines(kind="jsonl", columns=columns, id=key)
    file = RemoteFile(name="t.jsonl")
    source = Files(kind="files", base=str(folder), files=(file,), format=form)
    fetch(source, folder / "raw", mirror=None)
    corpus = Corpus(name="korpus", source=source, licence="")
    return list(read_corpus(*FetchedCorpus(corpus, folder / "raw")))


UNITS = [
    {"en": "One.", "sw": ["Moja.", "Ni moja."], "sides": [{"x": "Un.", "y": "Une."}]},
    {"en": "Two.", "sw": "Mbili.", "sides": [{"x": "Deux.", "y": "D."}, {"x": "2.", "y": "E."}]},
    {"en": "Three.", "sw": [], "sides": None},
]


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (
            {"eng": "en", "swh": "sw.*"},
            [
                ("row-1", "One.", "Moja.", ()),
                ("row-1/2", "One.", "Ni moja.", ()),
                ("row-2", "Two.", "Mbili.", ()),
                ("row-3", "Three.", "", ("swh",)),
            ],
        ),
        (
            {"fra": "sides.*.x", "frp": "sides.*.y"},
            [
                ("row-1", "Un.", "Une.", ()),
                ("row-2", "Deux.", "D.", ()),
                ("row-2/2", "2.", "E.", ()),
                ("row-3", "", "", ("fra", "frp")),
            ],
        ),
    ],
    ids=["several translations", "side by side"],
)
def test_a_star_takes_all_of_a_list(
    tmp_path: Path, columns: Columns, expected: list[tuple[object, ...]]
) -> None:
    rows = read(tmp_path, "".join(json.dumps(unit) + "\n" for unit in UNITS), columns)
    assert [(row.key, *row.fields.values(), row.lacks) for row in rows] == expected


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"a": "sw.*", "b": "sides.*.x"}, r"has 2 in 'sw\.\*', 1 in 'sides\.\*\.x': lists that go"),
        ({"a": "sides.*.z"}, r"record 1 \(line 1\) has no column 'sides\.\*\.z'; found 'en'"),
        ({"a": "fr.*"}, r"has no column 'fr\.\*'"),
        ({"a": "sides.*"}, "is an object, not text"),
        ({"a": "sw"}, r"name one of it, as 'sw\.0', or all, as 'sw\.\*', to have a row of each"),
    ],
)
def test_a_star_that_leads_to_no_text_is_refused(
    tmp_path: Path, columns: Columns, message: str
) -> None:
    with pytest.raises(SourceError, match=message):
        read(tmp_path, json.dumps(UNITS[0]) + "\n", columns)


def test_a_name_with_a_star_is_a_name(tmp_path: Path) -> None:
    (row,) = read(tmp_path, '{"text*": "a"}\n', {"eng": "text*"})
    assert row.fields == {"eng": "a"}


def test_pair_new_takes_all_translations_of_a_unit(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    lines = [{"en": f"It is {n}.", "sw": [f"Ni {n}.", f"Hii ni {n}."]} for n in range(20)]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    files = PairFiles(parallel=[str(path)], columns={"eng": "en", "swh": "sw.*"})
    found = new_pair("eng-swh", files, out=tmp_path / "eng-swh.yaml").found
    assert "40 sentence pairs, 20 usable (dropped: 20 duplicate)" in found[1]


def test_nested_text_ids_and_labels_are_read(tmp_path: Path) -> None:
    content = "".join(
        json.dumps({"meta": {"n": n}, "translation": {"en": f"a {n}"}, "y": y}) + "\n"
        for n, y in [(7, 0), (8, True), (9, "x")]
    )
    columns = {"text": "translation.en", "label": "y"}
    rows = read(tmp_path, content, columns, "meta.n")
    assert [(row.key, *row.fields.values()) for row in rows] == [
        ("7", "a 7", "0"),
        ("8", "a 8", "true"),
        ("9", "a 9", "x"),
    ]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ('{"en": "a"}', ["an object", "'t.en'"]),
        ('["a", "b"]', ["a list of 2", "'t.0'"]),
        ("NaN", ["NaN", "null"]),
        ("5", ["a number (5)", "in quotes"]),
        ("1.5", ["a number (1.5)"]),
        ("true", ["true"]),
        ('"cut \\ud83d"', ["\\ud83d alone", "half of a character"]),
    ],
)
def test_what_is_no_text_is_refused_with_its_record_and_type(
    tmp_path: Path, value: str, words: list[str]
) -> None:
    content = f'{{"t": "good"}}\n\n{{"t": {value}}}\n'
    with pytest.raises(SourceError) as caught:
        read(tmp_path, content, {"text": "t"})
    message = str(caught.value)
    assert message.startswith("t.jsonl: record 2 (line 3): 't' ")
    assert [word for word in words if word not in message] == []
    message.encode()  # can be printed


def test_half_a_character_in_an_id_is_refused_and_a_whole_one_read(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"record 1 \(line 1\): 'id' holds \\udc00 alone"):
        read(tmp_path, '{"id": "\\udc00", "t": "a"}\n', {"text": "t"}, "id")
    (row,) = read(tmp_path, '{"id": "1", "t": "\\ud83d\\ude00"}\n', {"text": "t"}, "id")
    assert row.fields == {"text": "😀"}


def test_half_a_character_in_a_key_or_a_file_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"line 1: the key '\\ud83d' holds half") as caught:
        read(tmp_path, '{"\\ud83d": "a"}\n', {"text": "t"})
    str(caught.value).encode()
    odd = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.txt"))
    odd.write_text("siki\n")
    with pytest.raises(SourceError, match="the name is not UTF-8") as caught:
        new_pair("eng-ban", PairFiles(mono=[str(odd)]), out=tmp_path / "eng-ban.yaml")
    str(caught.value).encode()


def test_no_file_of_records_takes_half_a_character(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match=r"'k:2': 'text' holds \\ud83d alone") as caught:
        write_records(tmp_path / "r.parquet", {"id": ["k:1", "k:2"], "text": ["a", "\ud83d"]})
    str(caught.value).encode()


@pytest.mark.parametrize(
    "line", ['{"t": "a", "t": "b"}', '{"t": {"en": "a", "en": "b"}}'], ids=["above", "below"]
)
def test_a_repeated_key_is_named(tmp_path: Path, line: str) -> None:
    with pytest.raises(SourceError, match=r"line 2: the key '(t|en)' stands there twice"):
        read(tmp_path, f'{{"t": "x"}}\n{line}\n', {"text": "t"})


def test_a_line_nested_without_end_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"line 1 is (nested too deeply|not)"):
        read(tmp_path, '{"t": ' + "[" * 100_000 + "\n", {"text": "t"})


def test_paths_are_the_columns_that_are_offered(tmp_path: Path) -> None:
    (tmp_path / "t").write_text('{"id": 3, "translation": {"en": "a b", "sw": "c d"}}\n' * 2)
    columns = dict(sniff(tmp_path / "t", "t.jsonl").columns)
    assert columns == {"id": "a number (3)", "translation.en": "a b", "translation.sw": "c d"}


def test_a_pair_is_drafted_from_nested_records(tmp_path: Path) -> None:
    lines = [json.dumps({"translation": {"en": f"a b {n}", "x": f"c d {n}"}}) for n in range(30)]
    (tmp_path / "t.jsonl").write_text("\n".join(lines) + "\n")
    files = PairFiles(
        parallel=[str(tmp_path / "t.jsonl")],
        columns={"eng": "translation.en", "ban": "translation.x"},
    )
    drafted = new_pair("eng-ban", files, out=tmp_path / "eng-ban.yaml")
    assert "30 sentence pairs, 30 usable" in "\n".join(drafted.found)
    with pytest.raises(SpecError, match=r"did you mean 'translation\.x'"):
        new_pair(
            "eng-ban",
            PairFiles(parallel=files.parallel, columns={**files.columns, "ban": "translation.y"}),
            out=tmp_path / "other.yaml",
        )


@pytest.fixture
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")


def data_set(folder: Path, columns: Columns, key: str | None = None) -> list[Row]:
    source = HubDataset(kind="dataset", name=str(folder / "ds"), columns=columns, id=key)
    fetch(source, folder / "raw", mirror=None)
    return list(read_corpus(Corpus(name="ds", source=source, licence=""), folder / "raw"))


@pytest.mark.usefixtures("_cache")
def test_tables_of_a_data_set_are_text_as_it_stands(tmp_path: Path) -> None:
    (tmp_path / "ds").mkdir()
    rows = [("007", "NA"), ("1e5", "None"), ("1.0", "null"), ("true", "nan"), ("10", "")]
    lines = ["id,text", *(",".join(row) for row in rows)]
    (tmp_path / "ds" / "train.csv").write_text("\n".join(lines) + "\n")
    found = data_set(tmp_path, {"text": "text"}, "id")
    assert [(row.key, row.fields["text"]) for row in found] == rows


@pytest.mark.usefixtures("_cache")
def test_a_data_set_has_paths_too(tmp_path: Path) -> None:
    (tmp_path / "ds").mkdir()
    lines = [json.dumps({"translation": {"en": f"a {n}", "sw": f"b {n}"}}) for n in range(3)]
    (tmp_path / "ds" / "train.jsonl").write_text("\n".join(lines) + "\n")
    found = data_set(tmp_path, {"eng": "translation.en", "swh": "translation.sw"})
    assert found[2].fields == {"eng": "a 2", "swh": "b 2"}
    with pytest.raises(SourceError, match=r"record 1: 'translation' is an object, not text"):
        list(
            read_corpus(
                Corpus(
                    name="ds",
                    source=HubDataset(kind="dataset", name="ds", columns={"text": "translation"}),
                    licence="",
                ),
                tmp_path / "raw",
            )
        )
