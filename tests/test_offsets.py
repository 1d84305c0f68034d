"""Rows whose second side has slipped are found, and rows that have not are left alone."""

import re
from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml

from pipeline.drafting.checking import check_pair
from tasks.offsets import Shift, find_shifts
from tests.test_identity import sentences, translated

HUB = sentences(600)
OTHER = translated(HUB)
Lines = list[str]


def up(lines: Lines, first: int, last: int, by: int = 1) -> Lines:
    """Return lines that have lost some at one row, and got as many at another."""
    return [*lines[:first], *lines[first + by : last], *["end"] * by, *lines[last:]]


def down(lines: Lines, first: int, last: int) -> Lines:
    return [*lines[:first], "begin", *lines[first : last - 1], *lines[last:]]


def near(found: Sequence[Shift], expected: Sequence[Shift], *, rows: int = 3) -> bool:
    """Say whether blocks are those expected: a row at either end may belong to both."""
    return len(found) == len(expected) and all(
        abs(a.first - b.first) <= rows and abs(a.last - b.last) <= rows and a.by == b.by
        for a, b in zip(found, expected, strict=True)
    )


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (OTHER, []),
        (up(OTHER, 300, 340), [Shift(302, 340, -1)]),
        (up(OTHER, 300, 312), [Shift(302, 312, -1)]),
        (down(OTHER, 300, 340), [Shift(301, 339, 1)]),
        (up(OTHER, 100, 200, by=3), [Shift(104, 200, -3)]),
        (up(down(OTHER, 400, 450), 100, 140), [Shift(102, 140, -1), Shift(401, 449, 1)]),
        (up(OTHER, 300, 600), [Shift(302, 600, -1)]),
        (up(OTHER, 20, 600), [Shift(22, 600, -1)]),
    ],
    ids=["none", "up", "short", "down", "by three", "two blocks", "to the end", "nearly all"],
)
def test_rows_that_have_slipped_are_found(lines: Lines, expected: list[Shift]) -> None:
    found = list(find_shifts(zip(HUB, lines, strict=True)))
    assert near(found, expected), found


@pytest.mark.parametrize(
    "lines",
    [
        translated(sentences(600, seed=2)),
        [*OTHER[:300], *translated(sentences(100, seed=3)), *OTHER[400:]],
        [line if n % 2 else OTHER[n - 1] for n, line in enumerate(OTHER)],
        HUB,
        ["la"] * 600,
        [""] * 600,
    ],
    ids=["other text", "a block of other text", "repeats", "copies", "one word", "empty"],
)
def test_text_that_fits_nowhere_has_not_slipped(lines: Lines) -> None:
    assert list(find_shifts(zip(HUB, lines, strict=True))) == []


@pytest.mark.parametrize("rows", [0, 1, 5, 59])
def test_few_rows_tell_nothing(rows: int) -> None:
    assert list(find_shifts(zip(HUB[:rows], OTHER[1 : rows + 1], strict=True))) == []


@pytest.mark.parametrize(
    ("shift", "words"),
    [
        (Shift(1643, 1680, 1), "rows 1643 to 1680 fit one line later"),
        (Shift(2, 9, -3), "rows 2 to 9 fit 3 lines earlier"),
    ],
)
def test_a_shift_reads_well(shift: Shift, words: str) -> None:
    assert str(shift) == words


def test_pair_check_names_the_rows(tmp_path: Path) -> None:
    sides = {"ind": HUB, "jav": down(OTHER, 300, 340)}
    for language, lines in sides.items():
        (tmp_path / f"train.{language}").write_text("\n".join(lines) + "\n", encoding="utf-8")
    files = [{"name": f"train.{code}", "language": code} for code in sides]
    source = {"kind": "files", "base": ".", "files": files, "format": {"kind": "text"}}
    manifest = {
        "name": "ind-jav",
        "languages": ["ind", "jav"],
        "parallel": [{"name": "text", "licence": "CC0-1.0", "source": source}],
        "split": {"rule": "hash", "dev": 100, "test": 100},
    }
    path = tmp_path / "ind-jav.yaml"
    path.write_text(yaml.safe_dump(manifest), encoding="utf-8")
    warnings = [f.text for f in check_pair(str(path), fetch_corpora=True) if f.level == "warning"]
    assert len(warnings) == 1
    assert re.search(r"text: rows 30\d to 3[34]\d fit", warnings[0])
    assert "fit one line later in jav; align them again" in warnings[0]
