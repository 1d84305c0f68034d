"""The pages of results say what the records say: nothing in them is typed by hand."""

from pathlib import Path

import pytest

from pipeline.reporting.results_page import Snapshot, block, page, write_blocks
from tests.test_reporting import contrasted, mt, task

ROOT = Path(__file__).parents[1]
SNAPSHOTS = sorted((ROOT / "docs" / "results").glob("*.json"))
FOUND = Snapshot(
    study="x",
    commit="0123456789abcdef",
    machine="a processor, 2 cores",
    minutes=12.4,
    date="2026-01-01",
    scores=[
        mt("base", 20.0),
        mt("bt", 24.0, parents=("base",)),
        task("zero-shot", "", 0.4),
        contrasted("bt", "base", 4.0, 0.01),
    ],
    models=[],
)


@pytest.mark.parametrize("path", SNAPSHOTS, ids=lambda p: p.stem)
def test_a_page_is_what_its_records_give(path: Path) -> None:
    assert path.with_suffix(".md").read_text(encoding="utf-8") == page(Snapshot.read(path))


def test_readme_holds_what_the_records_give(tmp_path: Path) -> None:
    copy = tmp_path / "README.md"
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    copy.write_text(text, encoding="utf-8")
    write_blocks(copy, list(map(Snapshot.read, SNAPSHOTS)))
    assert copy.read_text(encoding="utf-8") == text


def test_a_snapshot_is_read_back(tmp_path: Path) -> None:
    FOUND.write(tmp_path / "x.json")
    assert Snapshot.read(tmp_path / "x.json") == FOUND


def test_a_page_begins_with_where_it_comes_from_and_the_answer() -> None:
    text = page(FOUND)
    for wanted in ("2026-01-01", "`0123456789ab`", "a processor, 2 cores", "12 minutes"):
        assert wanted in text
    assert "bt against base, over all directions: +4.0 BLEU" in text
    assert "| ind → jav | 10.0 | 20.0 ±1.0 | 24.0 ±1.0 |" in text


def test_only_marked_blocks_are_written(tmp_path: Path) -> None:
    document = tmp_path / "a.md"
    document.write_text("a\n<!-- results: x -->\nold 99.9\n<!-- end -->\nb 1.0\n")
    write_blocks(document, [FOUND])
    text = document.read_text()
    assert block(FOUND) in text
    assert "old" not in text
    assert (text[:2], text[-6:]) == ("a\n", "b 1.0\n")


def test_a_study_that_has_not_run_is_said_to_be_missing(tmp_path: Path) -> None:
    document = tmp_path / "a.md"
    document.write_text("<!-- results: y -->\n<!-- end -->\n")
    write_blocks(document, [FOUND])
    assert "(not run yet)" in document.read_text()
