"""A check visits every file of every corpus and says all that is wrong, each with its line."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from models.support.errors import SpecError
from pipeline.drafting.checking import check_pair
from pipeline.drafting.findings import Finding, summary
from tests.conftest import write_yaml

IND = ["satu", "dua dua", "tiga"]
BAN = ["siki", "kalih kalih", "telu"]
ZEROS = "0" * 64


@pytest.fixture(autouse=True)
def _no_mirror(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SPRACHBUND_MIRROR", raising=False)


def write(path: Path, content: str | bytes) -> None:
    path.write_bytes(content.encode() if isinstance(content, str) else content)


def corpus(name: str, *files: Mapping[str, str], **others: Any) -> dict[str, Any]:
    form = others.pop("format", {"kind": "text"})
    source = {"kind": "files", "base": ".", "files": [dict(file) for file in files], "format": form}
    return {"name": name, "licence": "CC0-1.0", "source": source, **others}


def aligned(folder: Path, name: str, ind: str | bytes, ban: str | bytes) -> dict[str, Any]:
    write(folder / f"{name}.ind", ind)
    write(folder / f"{name}.ban", ban)
    sides = [{"name": f"{name}.{code}", "language": code} for code in ("ind", "ban")]
    return corpus(name, *sides)


def lines(texts: list[str]) -> str:
    return "".join(f"{text}\n" for text in texts)


def pair(folder: Path, *parallel: dict[str, Any], stem: str = "ind-ban", **others: Any) -> Path:
    data = {
        "name": "ind-ban",
        "languages": ["ind", "ban"],
        "parallel": list(parallel),
        "split": {"rule": "hash", "dev": 1, "test": 1},
        **others,
    }
    return write_yaml(folder / f"{stem}.yaml", data)


def check(path: Path, *, fetch_corpora: bool = True) -> list[Finding]:
    return list(check_pair(str(path), fetch_corpora=fetch_corpora))


def errors(path: Path) -> list[str]:
    return [finding.text for finding in check(path) if finding.level == "error"]


def said(path: Path) -> str:
    return "\n".join(map(str, check(path)))


def test_a_sound_pair_is_described(tmp_path: Path) -> None:
    path = pair(
        tmp_path,
        aligned(tmp_path, "teks", lines([*IND, "satu", ""]), lines([*BAN, "besik", "kosong"])),
    )
    found = said(path)
    assert f"{path}: the manifest is valid" in found
    assert "teks: 5 sentence pairs, 3 usable (dropped: 1 duplicate, 1 empty)" in found
    assert "1.3 words in ind, 1.3 words in ban" in found
    assert errors(path) == []


def test_all_files_of_all_corpora_are_visited(tmp_path: Path) -> None:
    wrong = aligned(tmp_path, "sum", lines(IND), "besik né\n".encode("latin-1"))
    wrong["source"]["files"][0]["sha256"] = ZEROS
    tables = corpus(
        "tabel",
        {"name": "a.csv"},
        {"name": "b.csv"},
        {"name": "gone.csv"},
        format={"kind": "csv", "columns": {"ind": "ind", "ban": "ban"}},
    )
    write(tmp_path / "a.csv", "ind,teks\nsatu,siki\n")
    write(tmp_path / "b.csv", "ind,ban\nsatu\n")
    short = aligned(tmp_path, "pendek", lines(IND), lines(BAN[:2]))
    write(tmp_path / "mono.txt", b"siki\n\xff\n")
    mono = corpus("mono", {"name": "mono.txt", "language": "ban"})
    path = pair(tmp_path, wrong, tables, short, monolingual={"ban": [mono]})
    text = path.read_text().splitlines()
    found = errors(path)
    for name, message in [
        ("sum", "sum.ind: checksum differs"),
        ("sum", "sum.ban: line 1 is not UTF-8"),
        ("tabel", "a.csv: record 1 (line 2) has no column 'ban'"),
        ("tabel", "b.csv: record 1 (line 2) has 1 columns"),
        ("tabel", "gone.csv: no such file"),
        ("pendek", "pendek.ban ends after 2 lines, pendek.ind goes on"),
        ("mono", "mono.txt: line 2 is not UTF-8"),
    ]:
        (problem,) = [p for p in found if message in p]
        place, _, rest = problem.removeprefix("line ").partition(": ")
        assert rest.startswith(f"{name}: ")
        line = text[int(place) - 1]
        file = message.partition(":")[0]
        assert f"name: {name}" in line or f"name: {file}" in line
    assert len(found) == 7


def test_two_files_of_one_language_are_both_compared(tmp_path: Path) -> None:
    first = aligned(tmp_path, "a", lines(IND), lines(BAN[:2]))
    second = aligned(tmp_path, "b", lines(IND[:1]), lines(BAN))
    first["source"]["files"] += second["source"]["files"]
    found = "\n".join(errors(pair(tmp_path, first)))
    assert "a.ban ends after 2 lines" in found
    assert "b.ind ends after 1 lines" in found


def test_rows_with_one_id_are_named(tmp_path: Path) -> None:
    write(tmp_path / "t.csv", "id,ind,ban\n1,satu,siki\n1,dua,kalih\n")
    form = {"kind": "csv", "id": "id", "columns": {"ind": "ind", "ban": "ban"}}
    (problem,) = errors(pair(tmp_path, corpus("tabel", {"name": "t.csv"}, format=form)))
    assert "line 6: tabel: two different rows have the id '1'; name another column" in problem


@pytest.mark.parametrize(
    ("content", "word"), [("", "is empty"), ("...\n\n", "none of its 2 rows is usable (2 empty)")]
)
def test_a_corpus_without_a_usable_row_is_an_error(tmp_path: Path, content: str, word: str) -> None:
    found = errors(pair(tmp_path, aligned(tmp_path, "kosong", content, content)))
    assert found
    assert all("kosong: " in problem and word in problem for problem in found)


def test_corpora_with_one_name_are_an_error(tmp_path: Path) -> None:
    one, two = (aligned(tmp_path, name, lines(IND), lines(BAN)) for name in ("a", "b"))
    path = pair(tmp_path, one, {**two, "name": "a"})
    assert any("two corpora are named 'a'" in problem for problem in errors(path))


@pytest.mark.parametrize("licence", ["unknown", " TODO", "?"])
def test_an_unknown_licence_is_a_warning_with_its_line(tmp_path: Path, licence: str) -> None:
    made = aligned(tmp_path, "teks", lines(IND), lines(BAN))
    path = pair(tmp_path, {**made, "licence": licence})
    (warning,) = [f for f in check(path) if "its licence" in f.text]
    line = int(warning.text.removeprefix("line ").partition(":")[0])
    assert warning.level == "warning"
    assert "licence:" in path.read_text().splitlines()[line - 1]


def test_repeats_and_copies_are_doubted(tmp_path: Path) -> None:
    repeated = aligned(tmp_path, "ulang", lines([*IND, *IND]), lines([*BAN, *BAN]))
    copied = aligned(tmp_path, "salin", lines(IND), lines(IND))
    found = said(pair(tmp_path, repeated, copied))
    assert "ulang: 3 of 6 repeat an earlier text in ind" in found
    assert "salin: 3 of 3 are the same in ind and ban" in found


def test_a_split_that_leaves_nothing_to_train_on_is_an_error(tmp_path: Path) -> None:
    made = aligned(tmp_path, "teks", lines(IND), lines(BAN))
    path = pair(tmp_path, made, split={"rule": "hash", "dev": 1, "test": 2})
    (problem,) = errors(path)
    assert "dev 1 and test 2 leave 0 of 3 usable pairs to train on" in problem
    assert "split:" in path.read_text().splitlines()[int(problem.split()[1][:-1]) - 1]


def test_shipped_splits_must_be_there(tmp_path: Path) -> None:
    made = aligned(tmp_path, "teks", lines(IND), lines(BAN))
    made["source"]["files"][0]["split"] = "test"
    found = "\n".join(errors(pair(tmp_path, made, split={"rule": "shipped"})))
    assert "teks: teks.ban has no `split`" in found
    assert "no file has `split: train`" in found


def test_each_problem_of_the_manifest_is_an_error(tmp_path: Path) -> None:
    made = aligned(tmp_path, "teks", lines(IND), lines(BAN))
    path = pair(tmp_path, {**made, "license": "x"}, split={"rule": "hash", "dev": -1})
    found = check(path)
    assert [f.level for f in found] == ["note", "error", "error"]
    assert "did you mean 'licence'" in found[1].text
    assert found[2].text.startswith("line ")


def test_a_file_that_is_named_otherwise_is_doubted(tmp_path: Path) -> None:
    path = pair(tmp_path, aligned(tmp_path, "teks", lines(IND), lines(BAN)), stem="other")
    assert "warning: line 1: the pair is named 'ind-ban', its file 'other'" in said(path)


def test_an_unknown_pair_gets_a_way_out() -> None:
    with pytest.raises(SpecError, match="did you mean 'ind-jav'"):
        list(check_pair("ind-jva", fetch_corpora=False))


def test_an_offline_check_does_not_need_the_files(tmp_path: Path) -> None:
    path = pair(tmp_path, aligned(tmp_path, "teks", lines(IND), lines(BAN)))
    (tmp_path / "teks.ban").unlink()
    assert [f.level for f in check(path, fetch_corpora=False)] == ["note"]
    (problem,) = errors(path)
    assert "teks.ban: no such file" in problem


def test_paths_below_the_working_folder_are_shown_from_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = pair(
        tmp_path,
        corpus(
            "teks",
            {"name": "gone.csv"},
            format={"kind": "csv", "columns": {"ind": "a", "ban": "b"}},
        ),
    )
    assert str(tmp_path) not in said(path)


def test_the_summary_counts_and_says_what_is_next() -> None:
    note, warning, error = (Finding(x, "x") for x in ("note", "warning", "error"))  # type: ignore[arg-type]
    assert summary([note], "pair", "p.yaml").startswith("0 errors, 0 warnings\nNext: ")
    assert "sprachbund plan" in summary([note, warning], "pair", "p.yaml")
    assert summary([error, warning, error], "pair", "p.yaml") == (
        "2 errors, 1 warning\nCorrect them, then: sprachbund pair check p.yaml"
    )
