"""Rows whose second side has slipped are found, and rows that have not are left alone."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from pydantic_core import to_jsonable_python

from pipeline.drafting.checking import check_pair
from pipeline.specs.loading import load_manifest
from pipeline.specs.manifests import PairManifest
from pipeline.stages.leakage import LeakAudit, _slipped_rows
from pipeline.stages.stage import Inputs, canonical_spec
from pipeline.store import Artifact
from tasks.offsets import Shift, cure, find_shifts
from tasks.sources.description import Corpus, Files, PlainText, Slip
from tasks.sources.fetching import fetch
from tasks.sources.reading import read_corpus
from tests.conftest import write_yaml
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
    found = find_shifts(zip(HUB, lines, strict=True))
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
    assert find_shifts(zip(HUB, lines, strict=True)) == []


@pytest.mark.parametrize("rows", [0, 1, 5, 59])
def test_few_rows_tell_nothing(rows: int) -> None:
    assert find_shifts(zip(HUB[:rows], OTHER[1 : rows + 1], strict=True)) == []


@pytest.mark.parametrize(
    ("shift", "words"),
    [
        (Shift(1643, 1680, 1), "rows 1643 to 1680 fit one line later"),
        (Shift(2, 9, -3), "rows 2 to 9 fit 3 lines earlier"),
    ],
)
def test_a_shift_reads_well(shift: Shift, words: str) -> None:
    assert str(shift) == words


def write_pair(folder: Path, lines: Lines, **more: object) -> Path:
    """Write a bitext, 600 rows of it, and a manifest with more fields of its corpus."""
    sides = {"ind": HUB, "jav": lines}
    for language, texts in sides.items():
        (folder / f"train.{language}").write_text("\n".join(texts) + "\n", encoding="utf-8")
    files = [{"name": f"train.{code}", "language": code} for code in sides]
    source = {"kind": "files", "base": ".", "files": files, "format": {"kind": "text"}}
    manifest = {
        "name": "ind-jav",
        "languages": ["ind", "jav"],
        "parallel": [{"name": "text", "licence": "CC0-1.0", "source": source, **more}],
        "split": {"rule": "hash", "dev": 100, "test": 100},
    }
    path = folder / "ind-jav.yaml"
    path.write_text(yaml.safe_dump(manifest, sort_keys=False), encoding="utf-8")
    return path


def check(path: Path) -> tuple[str, list[str]]:
    """Return what a check says of the corpus, and its warnings and errors."""
    found = list(check_pair(str(path), fetch_corpora=True))
    return found[1].text, [finding.text for finding in found if finding.level != "note"]


def test_pair_check_names_the_rows_and_what_it_prints_mends_them(tmp_path: Path) -> None:
    seen, (slipped, way_out) = check(write_pair(tmp_path, down(OTHER, 300, 340)))
    assert "600 sentence pairs, 600 usable" in seen
    assert re.search(r"line 6: text: rows 30\d to 3[34]\d fit one line later in jav$", slipped)
    printed = yaml.safe_load(way_out[way_out.index("realign: ") :])
    seen, warnings = check(write_pair(tmp_path, down(OTHER, 300, 340), **printed))
    assert warnings == []
    assert "600 sentence pairs, 599 usable (dropped: 1 without_partner)" in seen


@pytest.mark.parametrize(
    ("lines", "slips", "usable"),
    [
        (up(OTHER, 100, 200, by=3), [(104, 200, -3)], 597),
        (up(down(OTHER, 400, 450), 100, 140), [(102, 140, -1), (401, 449, 1)], 598),
        (up(OTHER, 20, 600), [(22, 600, -1)], 599),
    ],
    ids=["by three", "two blocks", "nearly all"],
)
def test_rows_are_put_beside_their_own_text(
    tmp_path: Path, lines: Lines, slips: list[tuple[int, int, int]], usable: int
) -> None:
    realign = [{"language": "jav", "rows": [a, b], "by": by} for a, b, by in slips]
    path = write_pair(tmp_path, lines, realign=realign)
    (corpus,) = load_manifest(path, PairManifest).parallel
    fetch(corpus.source, tmp_path / "raw", mirror=None)
    rows = list(read_corpus(corpus, tmp_path / "raw"))
    assert len(rows) == 600
    together = [row for row in rows if not row.alone]
    assert len(together) == usable
    right = dict(zip(HUB, OTHER, strict=True))
    assert [row for row in together if row.fields["jav"] != right[row.fields["ind"]]] == []
    assert [row.key for row in rows] == [f"row-{n}" for n in range(1, 601)]


def test_rows_that_slip_further_are_told_of_the_file_as_it_is(tmp_path: Path) -> None:
    """What a manifest says of the first rows of a block alone is completed."""
    lines = down(OTHER, 300, 400)
    realign = [{"language": "jav", "rows": [301, 350], "by": 1}]
    _, (slipped, way_out) = check(write_pair(tmp_path, lines, realign=realign))
    assert re.search(r"rows 35\d to (39|40)\d fit one line later in jav", slipped)
    (entry,) = yaml.safe_load(way_out[way_out.index("realign: ") :])["realign"]
    assert entry["rows"][0] == 301
    assert entry["rows"][1] in range(396, 402)
    assert entry["by"] == 1


def test_what_is_moved_already_stays_in_the_cure() -> None:
    known = [
        Slip(language="ind", rows=(3, 5), by=2),
        Slip(language="jav", rows=(10, 20), by=1),
    ]
    assert cure([Shift(21, 30, 1), Shift(40, 41, -2)], "jav", known) == (
        "realign: [{language: ind, rows: [3, 5], by: 2}, {language: jav, rows: [10, 30], by: 1}, "
        "{language: jav, rows: [40, 41], by: -2}]"
    )


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ({"language": "mad", "rows": [1, 2], "by": 1}, "'mad' is not a language of this bitext"),
        ({"language": "jav", "rows": [9, 2], "by": 1}, "rows 9 to 2 run backwards"),
        ({"language": "jav", "rows": [1, 2], "by": 0}, "by 0 rows: nothing would move"),
        ({"language": "jav", "rows": [1], "by": 1}, "realign, entry 1, rows, entry 2: "),
        ({"language": "jav", "rows": [0, 2], "by": 1}, "realign, entry 1, rows, entry 1: "),
        ({"language": "jav", "rows": [1, 2], "by": 5000}, "less than or equal to 1000"),
        ({"language": "jav", "rows": [1, 601], "by": 1}, "names row 601, there are 600"),
        ({"language": "jav", "rows": [1, 2]}, "realign, entry 1, by: "),
    ],
)
def test_rows_that_cannot_be_moved_are_refused(
    tmp_path: Path, entry: dict[str, object], problem: str
) -> None:
    path = write_pair(tmp_path, OTHER, realign=[entry])
    errors = [f.text for f in check_pair(str(path), fetch_corpora=True) if f.level == "error"]
    assert len(errors) == 1, errors
    assert problem in errors[0]


def test_blocks_of_one_language_stand_in_order(tmp_path: Path) -> None:
    blocks = [{"language": "jav", "rows": [a, b], "by": 1} for a, b in ((5, 9), (9, 12))]
    path = write_pair(tmp_path, OTHER, realign=blocks)
    errors = [f.text for f in check_pair(str(path), fetch_corpora=False) if f.level == "error"]
    (error,) = errors
    assert "realign, entry 2, rows: corpus text: rows up to 9 stand in an earlier entry" in error


def test_a_manifest_that_moves_nothing_keeps_its_fingerprint() -> None:
    slip = Slip(language="jav", rows=(1, 2), by=1)
    source = Files(kind="files", base="/x", files=(), format=PlainText())
    plain = Corpus(name="text", licence="", source=source)
    moved = replace(plain, realign=(slip,))
    specs = [canonical_spec(to_jsonable_python([corpus]))[0] for corpus in (plain, moved)]
    assert "realign" not in specs[0]
    assert specs[1] == {**specs[0], "realign": [{"language": "jav", "rows": [1, 2], "by": 1}]}


def test_audit_names_the_rows_and_the_cure(tmp_path: Path, store: Path) -> None:
    (tmp_path / "pairs").mkdir()
    write_pair(tmp_path / "pairs", down(OTHER, 300, 340))
    study = {"name": "x", "hub": "ind", "pairs": ["ind-jav"]}
    path = write_yaml(tmp_path / "experiments" / "x.yaml", study)
    spec = LeakAudit(experiment=str(path)).spec()
    (corpus,) = load_manifest(tmp_path / "pairs" / "ind-jav.yaml", PairManifest).parallel
    fetch(corpus.source, tmp_path / "fetched" / "raw", mirror=None)
    (said,) = _slipped_rows(spec, Inputs({"raw": [Artifact(tmp_path / "fetched")]}))
    assert re.match(r"ind-jav, text: rows 30\d to 3[34]\d fit one line later in jav; write", said)
    assert re.search(r"realign: \[{language: jav, rows: \[30\d, 3[34]\d\], by: 1}\]$", said)
