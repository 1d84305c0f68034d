"""A check of a task reads every row of every language and says all that is wrong, with its line."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pipeline.drafting.findings import Finding
from pipeline.drafting.task_checking import check_task
from tests.conftest import COMMAND, write_yaml
from tests.labelled_tables import english, swahili, write_csv

HEADER = ["id", "text", "label"]


def corpus(folder: Path, language: str, parts: dict[str, Any], **source: Any) -> dict[str, Any]:
    """Write a file a part; return the corpus that reads them."""
    for part, rows in parts.items():
        write_csv(folder / f"{language}-{part}.csv", HEADER, [row[:3] for row in rows])
    files = [{"name": f"{language}-{part}.csv", "split": part} for part in parts]
    form = {"kind": "csv", "id": "id", "columns": {"text": "text", "label": "label"}}
    described = {"kind": "files", "base": ".", "files": files, "format": form, **source}
    return {"name": f"opinions-{language}", "licence": "CC0-1.0", "source": described}


def task(folder: Path, eng: dict[str, Any], swh: dict[str, Any], **changes: Any) -> Path:
    data = {
        "name": "opinions",
        "source_language": "eng",
        "labels": ["good", "bad"],
        "texts": {"eng": eng, "swh": swh},
        **changes,
    }
    return write_yaml(folder / "opinions.yaml", data)


def sound(folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    first, second = english(), swahili()
    parts = {"train": first[:48], "dev": first[48:60], "test": first[60:]}
    return corpus(folder, "eng", parts), corpus(folder, "swh", {"test": second[60:]})


def check(path: Path, **options: Any) -> list[Finding]:
    return list(check_task(str(path), **{"fetch_corpora": True, **options}))


def errors(path: Path) -> list[str]:
    return [finding.text for finding in check(path) if finding.level == "error"]


def test_a_sound_task_is_described(tmp_path: Path) -> None:
    path = task(tmp_path, *sound(tmp_path))
    said = [str(finding) for finding in check(path)]
    assert said[0].endswith("opinions.yaml: the manifest is valid")
    assert "  opinions-eng: 72 rows, 72 items; train 48, dev 12, test 12" in said
    assert "  good         24        6         6         6" in said
    assert "warning: swh has no train items: in-language is left out" in said
    assert errors(path) == []


def test_all_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    eng, swh = sound(tmp_path)
    rows = [list(row[:3]) for row in english()[:48]]
    rows[0][2], rows[1][2], rows[2][2], rows[3][2] = "god", "god", "", "Bad"
    rows[5][0] = rows[4][0]
    rows[4][2], rows[5][2] = "good", "bad"
    write_csv(tmp_path / "eng-train.csv", HEADER, rows)
    (tmp_path / "swh-test.csv").write_bytes(b"id,text,label\n1,caf\xe9,good\n")
    swh["source"]["files"].append({"name": "gone.csv", "split": "dev"})
    eng["source"]["files"].append({"name": "eng-test.csv"})
    eng["licence"] = "unknown"
    path = task(tmp_path, eng, swh, labels=["good", "bad", "mixed"])
    text = path.read_text().splitlines()
    found = errors(path)
    for said in (
        "eng: the label 'god' of 2 items (first: 'g0x0') is none of the manifest's: good, bad",
        "the label 'Bad' of 1 item (first: 'b0x0')",
        "1 row with an empty label (first: 'g2x0')",
        "with an id that has another label or part elsewhere",
        "12 rows",
        "gone.csv: no such file",
        "swh-test.csv",
    ):
        assert any(said in error for error in found), said
    (gone,) = [error for error in found if "gone.csv" in error]
    assert "gone.csv" in text[int(gone.split()[1].rstrip(":")) - 1]
    warned = "\n".join(f.text for f in check(path) if f.level == "warning")
    assert "its licence is not known" in warned
    (tmp_path / "gone.csv").write_text("id,text,label\n9,a b c,good\n")
    assert [error for error in errors(path) if "gone.csv" in error] == []


@pytest.mark.parametrize(
    ("eng", "swh", "said"),
    [
        ({"dev": slice(0, 12)}, {"test": slice(60, 72)}, "the train part has no labelled item"),
        ({"train": slice(0, 48)}, {"train": slice(0, 48)}, "the test part has no labelled item"),
        ({"train": slice(0, 3)}, {"test": slice(60, 72)}, "one class only, 'good'"),
    ],
)
def test_what_would_stop_a_run_is_an_error(
    tmp_path: Path, eng: dict[str, slice], swh: dict[str, slice], said: str
) -> None:
    first = corpus(tmp_path, "eng", {part: english()[rows] for part, rows in eng.items()})
    second = corpus(tmp_path, "swh", {part: swahili()[rows] for part, rows in swh.items()})
    assert any(said in error for error in errors(task(tmp_path, first, second)))


def test_a_label_that_no_item_has_is_told(tmp_path: Path) -> None:
    path = task(tmp_path, *sound(tmp_path), labels=["good", "bad", "mixed"])
    warned = [finding.text for finding in check(path) if finding.level == "warning"]
    assert any("no item has the label 'mixed'" in text for text in warned)


def test_a_part_that_is_none_is_named(tmp_path: Path) -> None:
    eng, swh = sound(tmp_path)
    rows = [(*row[:3], ("train", "test", "holdout")[n % 3]) for n, row in enumerate(english())]
    write_csv(tmp_path / "all.csv", [*HEADER, "set"], rows)
    eng["source"]["files"] = [{"name": "all.csv"}]
    eng["source"]["format"]["columns"]["split"] = "set"
    (error,) = [e for e in errors(task(tmp_path, eng, swh)) if "in no part" in e]
    assert (
        "24 rows in no part (first: item 'g2x0' has the split 'holdout'; expected one of" in error
    )


@pytest.mark.parametrize(
    ("split", "said"),
    [
        ({"rule": "shares", "dev": 0.5, "test": 0.5}, "dev and test leave nothing to train on"),
        ({"rule": "shares", "test": 1.5}, "split.test"),
        ({"rule": "hash"}, "split.rule"),
    ],
)
def test_a_split_that_cannot_be_drawn_is_refused(
    tmp_path: Path, split: dict[str, Any], said: str
) -> None:
    path = task(tmp_path, *sound(tmp_path), split=split)
    (error,) = errors(path)
    assert said in error
    assert error.startswith("line ")


def test_the_commands_draft_and_check(tmp_path: Path) -> None:
    table = write_csv(tmp_path / "all.csv", HEADER, [row[:3] for row in english()])
    gold = write_csv(tmp_path / "gold.csv", HEADER, [row[:3] for row in swahili()])
    out = tmp_path / "opinions.yaml"
    arguments = ["--table", f"eng={table}", f"swh:test={gold}", "--out", str(out)]
    drafted = run("new", "opinions", *arguments)
    assert drafted.returncode == 0, drafted.stderr
    assert f"Next: sprachbund task check {out}" in drafted.stdout
    checked = run("check", str(out))
    assert checked.returncode == 0, checked.stdout
    assert "under `tasks` of an experiment" in checked.stdout
    out.write_text(out.read_text().replace("[bad, good]", "[bad, god]"))
    again = run("check", str(out))
    assert again.returncode == 1
    assert f"Correct them, then: sprachbund task check {out}" in again.stdout
    assert "Traceback" not in again.stderr
    assert run("new", "opinions", *arguments).stderr.startswith("error: ")


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *COMMAND[1:], "task", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)
