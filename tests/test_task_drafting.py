"""A new task from labelled tables: columns, labels and parts are found, doubts are told."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from models.support.errors import SourceError, SpecError
from pipeline.drafting.labelled import LabelledFile, TaskColumns
from pipeline.drafting.task_checking import check_task
from pipeline.drafting.tasks import DraftedTask, TaskFiles, new_task
from tests.conftest import write_yaml
from tests.labelled_tables import english, swahili, write_csv, write_jsonl

HEADER = ["id", "text", "label"]


@pytest.fixture(autouse=True)
def _no_mirror(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SPRACHBUND_MIRROR", raising=False)


def new(folder: Path, *tables: str, pairs: Any = (), **columns: str) -> DraftedTask:
    files = TaskFiles(tables=tables, columns=TaskColumns(**columns), pairs=pairs)
    return new_task("opinions", files, out=folder / "tasks" / "opinions.yaml")


def manifest(drafted: DraftedTask) -> dict[str, Any]:
    """Return what stands in a drafted file, after a check that finds no error."""
    found = list(check_task(str(drafted.path), fetch_corpora=True))
    assert [str(f) for f in found if f.level == "error"] == []
    data: dict[str, Any] = yaml.safe_load(drafted.path.read_text(encoding="utf-8"))
    return data


def refused(folder: Path, *tables: str, **columns: str) -> str:
    """Return the message with which tables are refused; nothing is left behind."""
    before = sorted(folder.rglob("*"))
    with pytest.raises((SourceError, SpecError)) as caught:
        new(folder, *tables, **columns)
    assert sorted(folder.rglob("*")) == before
    return str(caught.value)


def shipped(folder: Path) -> list[str]:
    """Write English train, dev and test files and a Swahili test file; return the arguments."""
    rows = [row[:3] for row in english()]
    parts = {"train": rows[:48], "valid": rows[48:60], "test": rows[60:]}
    tables = [
        f"eng={write_csv(folder / f'eng_{part}.csv', HEADER, some)}" for part, some in parts.items()
    ]
    gold = write_csv(folder / "maoni.csv", HEADER, [row[:3] for row in swahili()[60:]])
    return [*tables, f"swh:test={gold}"]


def test_files_that_are_named_for_parts_are_the_parts(tmp_path: Path) -> None:
    drafted = new(tmp_path, *shipped(tmp_path))
    data = manifest(drafted)
    assert (data["source_language"], data["labels"]) == ("eng", ["bad", "good"])
    files = {lang: text["source"]["files"] for lang, text in data["texts"].items()}
    assert [f["split"] for f in files["eng"]] == ["train", "dev", "test"]
    assert [f["split"] for f in files["swh"]] == ["test"]
    assert "split" not in data
    form = data["texts"]["eng"]["source"]["format"]
    assert form == {"kind": "csv", "columns": {"text": "text", "label": "label"}, "id": "id"}
    found = "\n".join(drafted.found)
    assert "opinions-eng: 72 rows, 72 items; train 48, dev 12, test 12" in found
    assert "good         24        6         6         6" in found
    assert "swh has no train items: in-language is left out" in drafted.doubts
    assert "# items in eng: 36, 36" in drafted.path.read_text()


def test_parts_are_drawn_where_nothing_says_them_and_keep_groups_together(tmp_path: Path) -> None:
    header = ["text", "label", "thing"]
    rows = [row[1:] for row in english()]
    table = f"eng={write_csv(tmp_path / 'all.csv', header, rows)}"
    drafted = new(tmp_path, table, f"swh={table[4:]}", group="thing")
    data = manifest(drafted)
    assert data["split"]["rule"] == "shares"
    assert data["texts"]["eng"]["source"]["format"]["columns"]["group"] == "thing"
    assert any("drawn by group" in line for line in drafted.found)
    assert not any("groups stand in several parts" in doubt for doubt in drafted.doubts)
    (line,) = [x for x in drafted.found if "opinions-eng:" in x]
    sizes = Counter({w.split()[0]: int(w.split()[1]) for w in line.split("; ")[1].split(", ")})
    assert sizes.total() == 72
    assert all(count % 6 == 0 and count for count in sizes.values())  # six items a thing
    assert {*sizes} == {"train", "dev", "test"}


def test_a_column_may_say_the_part(tmp_path: Path) -> None:
    rows = [
        (*row[:3], ("training", "Validation", "TEST")[n % 3]) for n, row in enumerate(english())
    ]
    table = write_csv(tmp_path / "all.tsv", [*HEADER, "subset"], rows)
    drafted = new(tmp_path, f"eng={table}", f"swh={table}")
    data = manifest(drafted)
    columns = data["texts"]["eng"]["source"]["format"]["columns"]
    assert columns == {"text": "text", "label": "label", "split": "subset"}
    assert any("train 24, dev 24, test 24" in line for line in drafted.found)


def test_groups_that_shipped_parts_tear_are_told(tmp_path: Path) -> None:
    rows = [(*row[1:], ("train", "test")[n % 2]) for n, row in enumerate(english())]
    table = write_csv(tmp_path / "all.csv", ["text", "label", "thing", "split"], rows)
    doubts = "\n".join(new(tmp_path, f"eng={table}", group="thing").doubts)
    assert "12 of 12 groups stand in several parts (first: 'book')" in doubts


@pytest.mark.parametrize("name", ["t.csv", "t.tsv"])
def test_a_table_without_a_header_is_known_by_what_stands_in_it(tmp_path: Path, name: str) -> None:
    rows = [(row.id, row.label, f"{row.text}.") for row in english()]
    table = write_csv(tmp_path / name, [], rows)
    drafted = new(tmp_path, f"eng={table}", f"swh={table}")
    form = manifest(drafted)["texts"]["eng"]["source"]["format"]
    assert form["columns"] == {"text": "3", "label": "2"}
    assert (form["id"], form["header"]) == ("1", False)
    assert sum("that the column" in doubt for doubt in drafted.doubts) == 6


def test_json_lines_with_numbers_as_labels(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [
        {"tweet": row.text, "sentiment": int(row.label == "good")} for row in english()
    ]
    table = write_jsonl(tmp_path / "t.jsonl", rows)
    data = manifest(new(tmp_path, f"eng={table}", f"swh={table}"))
    assert data["labels"] == ["0", "1"]
    columns = data["texts"]["eng"]["source"]["format"]["columns"]
    assert columns == {"text": "tweet", "label": "sentiment"}


def test_labels_may_lie_deeper_in_json(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [
        {"text": row.text, "label": {"name": row.label}} for row in english()
    ]
    table = write_jsonl(tmp_path / "t.jsonl", rows)
    data = manifest(new(tmp_path, f"eng={table}", f"swh={table}"))
    assert data["texts"]["eng"]["source"]["format"]["columns"]["label"] == "label.name"


def test_labels_that_yaml_would_change_stay_what_they_are(tmp_path: Path) -> None:
    names = {"good": "yes", "bad": "no"}
    rows = [(row.text, names[row.label]) for row in english()]
    table = write_csv(tmp_path / "t.csv", ["text", "label"], rows)
    assert manifest(new(tmp_path, f"eng={table}", f"swh={table}"))["labels"] == ["no", "yes"]


def test_one_table_may_hold_both_languages(tmp_path: Path) -> None:
    rows = [(a.id, a.text, b.text, a.label) for a, b in zip(english(), swahili(), strict=True)]
    table = write_csv(tmp_path / "t.csv", ["id", "english", "swahili", "label"], rows)
    texts = manifest(new(tmp_path, f"eng={table}", f"swh={table}"))["texts"]
    columns = {code: text["source"]["format"]["columns"]["text"] for code, text in texts.items()}
    assert columns == {"eng": "english", "swh": "swahili"}


def test_columns_that_are_named_need_stand_in_the_source_table_alone(tmp_path: Path) -> None:
    first = write_csv(tmp_path / "a.csv", ["key", "said", "view", "who"], english())
    second = write_csv(tmp_path / "b.tsv", ["text", "label"], [row[1:3] for row in swahili()])
    named = {"text": "said", "label": "view", "group": "who", "id": "key"}
    texts = manifest(new(tmp_path, f"eng={first}", f"swh:test={second}", **named))["texts"]
    forms = {code: text["source"]["format"] for code, text in texts.items()}
    assert forms["eng"]["columns"] == {"text": "said", "label": "view", "group": "who"}
    assert forms["eng"]["id"] == "key"
    assert forms["swh"] == {"kind": "tsv", "columns": {"text": "text", "label": "label"}}


def test_texts_without_labels_take_those_of_the_source_by_id(tmp_path: Path) -> None:
    first = write_csv(tmp_path / "eng.csv", HEADER, [row[:3] for row in english()])
    bare = write_csv(tmp_path / "swh.csv", ["id", "text"], [row[:2] for row in swahili()[:60]])
    drafted = new(tmp_path, f"eng={first}", f"swh={bare}")
    data = manifest(drafted)
    assert data["labels_from"]["source"]["format"]["columns"] == {"label": "label"}
    assert data["texts"]["swh"]["source"]["format"]["columns"] == {"text": "text"}
    assert "swh: 12 rows whose label has no text, left out (first: 'b0x10')" in drafted.doubts
    numbered = write_csv(tmp_path / "n.csv", ["text"], [[row[1]] for row in swahili()])
    drafted.path.unlink()
    assert "no ids to join them by" in refused(tmp_path, f"eng={first}", f"swh={numbered}")


def test_what_looks_wrong_in_the_items_is_told(tmp_path: Path) -> None:
    rows = [list(row[:3]) for row in english()]
    train, test = rows[:60], rows[60:]
    test[0][1] = train[0][1].upper()  # the same sentence, and in another class:
    test[0][2] = "bad"
    train[7][1] = "on the whole i would take the very same song again"
    test[1][1] = "On the whole, I would take the very same song again now"  # nearly the same
    train[3][2] = "Good"
    test[2][2] = "so-so"
    train[5][1] = "  "
    train[9][1], test[5][1] = train[8][1], test[4][1]
    tables = [
        f"eng:{part}={write_csv(tmp_path / f'{part}.csv', HEADER, some)}"
        for part, some in (("train", train), ("test", test))
    ]
    doubts = "\n".join(new(tmp_path, *tables).doubts)
    for said in (
        "1 of 59 train texts stands in test, too, and is left out of train",
        "59 train texts are nearly the same as one in test (first: item 'g1x1')",
        "2 texts have several labels (one bad and good)",
        "eng: 1 of 59 train texts repeats an earlier one, and is left out",
        "eng: 1 of 12 test texts repeats an earlier one",
        "the labels 'Good' and 'good' look like one",
        "the label 'so-so' stands in test alone (1 item)",
        "1 row without text, left out (first: 'b2x0')",
        "eng is the only language",
    ):
        assert said in doubts, said


def test_held_out_text_that_translation_would_train_on_is_counted(tmp_path: Path) -> None:
    arguments = shipped(tmp_path)
    known = [row.text for row in english()[60:]]
    (tmp_path / "a.eng").write_text("\n".join([known[0], f"{known[1]}!", *"xyz"]))
    (tmp_path / "a.swh").write_text("\n".join("abcde"))
    sides = [{"name": f"a.{code}", "language": code} for code in ("eng", "swh")]
    source = {"kind": "files", "base": "..", "files": sides, "format": {"kind": "text"}}
    pair = {
        "name": "eng-swh",
        "languages": ["eng", "swh"],
        "parallel": [{"name": "mine", "licence": "CC0-1.0", "source": source}],
        "split": {"rule": "hash", "dev": 1, "test": 1},
    }
    write_yaml(tmp_path / "pairs" / "eng-swh.yaml", pair)
    said = "2 test texts of eng stand in eng-swh: mine;"
    assert said in "\n".join(new(tmp_path, *arguments, pairs=None).doubts)  # found beside
    path = tmp_path / "tasks" / "opinions.yaml"
    checked = check_task(
        str(path), fetch_corpora=True, pairs=[str(tmp_path / "pairs/eng-swh.yaml")]
    )
    assert said in "\n".join(map(str, checked))
    pair["parallel"][0]["source"] |= {"base": "https://example.org/x"}  # type: ignore[index]
    for side in sides:
        side["sha256"] = "0" * 64
    write_yaml(tmp_path / "pairs" / "eng-swh.yaml", pair)
    path.unlink()
    doubts = "\n".join(new(tmp_path, *arguments, pairs=None).doubts)
    assert "eng-swh: mine is not on this machine and was not searched" in doubts


def test_items_that_are_trained_on_in_the_source_and_tested_in_another_are_told(
    tmp_path: Path,
) -> None:
    first, second = ([row[:3] for row in rows] for rows in (english(), swahili()))
    tables = [
        f"eng:train={write_csv(tmp_path / 'a.csv', HEADER, first[:60])}",
        f"eng:test={write_csv(tmp_path / 'b.csv', HEADER, first[60:])}",
        f"swh:test={write_csv(tmp_path / 'c.csv', HEADER, second[48:])}",
    ]
    doubts = "\n".join(new(tmp_path, *tables).doubts)
    assert "eng and swh: 12 test items of swh are train items of eng by their id" in doubts


def test_parts_and_labels_that_nothing_can_be_done_without_are_asked_for(tmp_path: Path) -> None:
    rows = [row[:3] for row in english()]
    mixed = [(*row[:2], "so-so" if n % 4 == 0 else row[2]) for n, row in enumerate(swahili())]
    tables = {
        name: write_csv(tmp_path / f"{name}.csv", HEADER, some)
        for name, some in (("first", rows), ("second", mixed))
    }
    drafted = new(tmp_path, f"eng:test={tables['first']}", f"swh:train={tables['second']}")
    doubts = "\n".join(drafted.doubts)
    assert "eng has no train items, so there is nothing to transfer" in doubts
    assert "swh has no test items, so nothing can be said of it" in doubts
    drafted.path.unlink()
    drafted = new(tmp_path, f"eng:train={tables['first']}", f"swh:test={tables['second']}")
    doubts = "\n".join(drafted.doubts)
    assert "swh: 18 items with the label 'so-so', which no train item of eng has" in doubts
    assert "eng has no test items: how hard the task is cannot be told" in doubts


@pytest.mark.parametrize(
    ("header", "columns", "words"),
    [
        (["a", "b"], {"text": "a"}, ["which holds the label", "b: 'x0'", "--label COLUMN"]),
        (["text", "label"], {"label": "text"}, ["different labels"]),
        (["text", "label"], {"text": "tekst"}, ["no column 'tekst'", "did you mean 'text'"]),
        (["text", "label"], {"group": "who"}, ["no column 'who'"]),
        (["text", "label"], {"id": "label", "label": "label"}, ["--id label", "there twice"]),
    ],
)
def test_columns_that_cannot_be_told_are_asked_for(
    tmp_path: Path, header: list[str], columns: dict[str, str], words: list[str]
) -> None:
    rows = [(f"{n} {row.text}", row.label if "label" in header else f"x{n}")
            for n, row in enumerate(english() * 2)]  # fmt: skip
    message = refused(tmp_path, f"eng={write_csv(tmp_path / 't.csv', header, rows)}", **columns)
    assert [word for word in words if word not in message] == []


def test_other_files_are_refused(tmp_path: Path) -> None:
    text = tmp_path / "t.txt"
    text.write_text("one\ntwo\n")
    assert "expected a table" in refused(tmp_path, f"eng={text}")
    one = write_csv(tmp_path / "one.csv", ["text", "label"], [("a b", "x"), ("c d", "x")])
    assert "labels found: 'x' alone" in refused(tmp_path, f"eng={one}")
    other = write_csv(tmp_path / "other.tsv", ["label", "text"], [("x", "a b"), ("y", "c d")])
    assert "must have one form" in refused(tmp_path, f"eng={one}", f"eng={other}")
    assert "no such file" in refused(tmp_path, "eng=gone.csv")
    with pytest.raises(SpecError, match="expected a name of a-z"):
        new_task("Über", TaskFiles(tables=[f"eng={one}"]), out=None)


@pytest.mark.parametrize(
    ("argument", "words"),
    [
        ("train.csv", "expected LANGUAGE=FILE"),
        ("eng:gold=x.csv", "no part 'gold'"),
        ("xxx=x.csv", "ISO 639-3"),
    ],
)
def test_arguments_of_another_form_are_named(argument: str, words: str) -> None:
    with pytest.raises(SpecError, match=words):
        LabelledFile.parse(argument)


@pytest.mark.parametrize(
    ("path", "part"),
    [
        ("data/eng_train.csv", "train"),
        ("Test.tsv", "test"),
        ("x.zip:swh/validation.jsonl", "dev"),
        ("train_test.csv", None),
        ("latest.csv", None),
        ("train/part.csv", None),
    ],
)
def test_the_part_of_a_file_is_the_one_its_name_says(path: str, part: str | None) -> None:
    assert LabelledFile("eng", None, path).named_part == part
