"""Figures taken elsewhere: every value is there, typed, escaped, and nothing is written half."""

import csv
import json
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Literal, get_args, get_origin

import pytest

from models.support.errors import SpecError, StageError
from pipeline.dag import find_stages
from pipeline.looking.exporting import Figures, _schema, export, figures
from pipeline.reporting.citations import bibliography
from pipeline.reporting.latex import LONGEST_FLOAT, escape, latex, slug
from pipeline.reporting.records import KINDS, Score, TextGuard
from pipeline.reporting.tables import Grid
from pipeline.running import building
from pipeline.specs.loading import load_experiment
from tests.conftest import write_experiment
from tests.test_commands import sprachbund
from tests.test_reporting import contrasted, mt, task
from tests.test_results_pages import FOUND

ILLS = ("empty lines", "repeats, often")
SCORES: list[Score] = [
    mt("base", 20.0, spread=None),
    mt("bt_2", 24.0, parents=("base", "gloss"), ills=ILLS, spread=None),
    task("zero-shot", "", 0.4),
    contrasted("bt_2", "base", -4.0, None),
]
FIGURES = Figures("a_study", SCORES, [], None)


def test_csv_holds_a_row_a_figure(tmp_path: Path) -> None:
    written = export(FIGURES, "csv", tmp_path / "x")
    assert [path.name for path in written] == [
        "mt.csv",
        "task.csv",
        "contrast.csv",
        "citations.bib",
    ]
    with (tmp_path / "x" / "mt.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["system"], row["score"], row["spread"]) for row in rows] == [
        ("base", "20.0", ""),
        ("bt_2", "24.0", ""),
    ]
    assert rows[1]["parents"] == "base; gloss"
    assert rows[1]["ills"] == "empty lines; repeats, often"


def test_parquet_has_types_even_where_all_is_empty(tmp_path: Path) -> None:
    from pyarrow import parquet

    export(FIGURES, "parquet", tmp_path)
    read = parquet.read_table(tmp_path / "mt.parquet")
    types = {field.name: str(field.type) for field in read.schema}
    assert (types["spread"], types["score"], types["n"]) == ("double", "double", "int64")
    assert read.column("spread").to_pylist() == [None, None]
    assert read.column("ills").to_pylist() == [[], list(ILLS)]
    assert str(parquet.read_table(tmp_path / "contrast.parquet").schema.field("p").type) == "double"


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_figure_has_a_type_for_each_column(kind: str) -> None:
    types = {str: "string", int: "int64", float: "double", bool: "bool"}
    for field in fields(KINDS[kind]):
        found = str(_schema(kind).field(field.name).type)
        kinds = {"list": tuple, "map<": Mapping}
        if found[:4] in kinds:
            assert get_origin(field.type) is kinds[found[:4]]
        elif get_origin(field.type) is Literal:
            assert found == "string"
        else:
            assert found in [types.get(t) for t in (field.type, *get_args(field.type))], field


def test_values_by_name_are_kept(tmp_path: Path) -> None:
    from pyarrow import parquet

    guard = TextGuard(
        task="emotion",
        direction="ind-jav",
        system="bt",
        replicates=2,
        items=90,
        translated=1.0,
        empty=0.0,
        copied=0.1,
        distinct=0.9,
        looping=0.0,
        length=1.1,
        foreign=0.0,
        unknown_pieces={"e5": 0.25, "xlm-r": 0.5},
    )
    found = replace(FIGURES, scores=[guard])
    export(found, "parquet", tmp_path / "p")
    (row,) = parquet.read_table(tmp_path / "p" / "guard.parquet").to_pylist()
    assert dict(row["unknown_pieces"]) == {"e5": 0.25, "xlm-r": 0.5}
    export(found, "csv", tmp_path / "c")
    assert ",e5=0.25; xlm-r=0.5," in (tmp_path / "c" / "guard.csv").read_text("utf-8")
    (tmp_path / "x.json").write_text(json.dumps([guard.as_record()]))
    assert figures(str(tmp_path / "x.json")).scores == [guard]


def test_latex_escapes_and_says_how_it_was_measured(tmp_path: Path) -> None:
    signed = [mt("bt_2", 24.0, signature="nrefs:1|tok:13a"), contrasted("bt_2", "base", -4.0, 0.01)]
    export(Figures("a_study", signed, [], None), "latex", tmp_path)
    text = (tmp_path / "bleu.tex").read_text(encoding="utf-8")
    assert r"direction & copy & bt\_2 \\" in text
    assert r"ind $\rightarrow$ jav & 10.0 & 24.0 $\pm$1.0 \\" in text
    assert r"\caption{a\_study, BLEU. 100 test sentences a direction" in text
    assert r"sacreBLEU nrefs:1\textbar{}tok:13a.}\label{tab:a_study-bleu}" in text
    assert "mean of 3 trainings" in text
    tests = (tmp_path / "contrasts-of-translation.tex").read_text(encoding="utf-8")
    assert r"$-$4.0 {[}$-$5.0, $-$3.0{]}" in tests


def test_no_text_is_a_command() -> None:
    assert escape(r"50 % of \input{x} & $y_1^2 #~") == (
        r"50 \% of \textbackslash{}input\{x\} \& \$y\_1\textasciicircum{}2 \#\textasciitilde{}"
    )
    assert escape("ꦗꦮ Українська") == "ꦗꦮ Українська"
    assert escape("nmt-1, -1") == "nmt-1, $-$1"
    assert (slug("chrF++"), slug("a.b: c_d"), slug("../..")) == ("chrfpp", "a.b-c_d", "table")


def test_a_long_table_breaks_over_pages() -> None:
    rows = [["a", "1"]] * (LONGEST_FLOAT + 1)
    text = latex(Grid("t", ["x", "y"], rows, ""), "s")
    assert r"\begin{longtable}{lr}" in text
    assert text.count(r"a & 1 \\") == LONGEST_FLOAT + 1
    assert r"\begin{table}" in latex(Grid("t", ["x", "y"], rows[1:], ""), "s")


def test_markdown_is_one_page(tmp_path: Path) -> None:
    export(FIGURES, "markdown", tmp_path)
    assert "| ind → jav | 10.0 | 20.0 ±1.0 |" in (tmp_path / "tables.md").read_text("utf-8")


def test_a_folder_with_other_files_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("mine")
    with pytest.raises(SpecError, match=r"holds other files \(thesis\.tex\).*--out"):
        export(FIGURES, "csv", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_an_export_takes_the_place_of_an_earlier_one(tmp_path: Path) -> None:
    export(FIGURES, "csv", tmp_path)
    export(replace(FIGURES, scores=[mt("base", 21.5), *SCORES[2:]]), "csv", tmp_path)
    assert "21.5" in (tmp_path / "mt.csv").read_text(encoding="utf-8")
    assert len(list(tmp_path.iterdir())) == 4


def test_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(SpecError, match="out: cannot be written"):
        export(FIGURES, "csv", tmp_path / "out")


def test_snapshots_and_lists_of_figures_are_read(tmp_path: Path) -> None:
    FOUND.write(tmp_path / "x.json")
    assert figures(str(tmp_path / "x.json")).scores == FOUND.scores
    bare = tmp_path / "scores.json"
    bare.write_text(json.dumps([score.as_record() for score in SCORES]), encoding="utf-8")
    assert figures(str(bare)).scores == SCORES


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "cannot be read as JSON"),
        ("{}", "expected a list of records"),
        ("[]", "expected a list of records"),
        ('"x"', "expected a list of records"),
        ("[1]", "record 1: kind None; known: mt, task, "),
        ('[{"kind": "ner"}]', "record 1: kind 'ner'"),
        ('[{"kind": "mt", "system": "a"}]', "record 1: parents: "),
    ],
)
def test_a_broken_file_is_named(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(StageError, match=message):
        figures(str(path))


def test_a_score_that_is_no_number_is_named(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text(json.dumps([{**SCORES[0].as_record(), "score": "high"}]), encoding="utf-8")
    with pytest.raises(StageError, match="record 1: score: "):
        figures(str(path))


def test_data_and_methods_are_cited() -> None:
    cited = bibliography(
        [mt("bt", 20.0), contrasted("bt", "base", 4.0, 0.01)], load_experiment("nusa")
    )
    assert "@misc{data-nusa-kalimat,\n  title = {{nusa-kalimat}},\n" in cited
    assert "note = {Cahyawijaya et al. 2023, NusaWrites (IJCNLP-AACL). Licence: " in cited
    for key in ("post-2018", "papineni-2002", "holm-1979", "vaswani-2017", "sennrich-2016"):
        assert f"{{{key}," in cited
    assert "popovic-2017" not in cited  # no chrF++ among these figures
    keys = [line for line in cited.splitlines() if line.startswith("@")]
    assert len(keys) == len(set(keys))


def test_without_tests_or_translation_nothing_of_theirs_is_cited() -> None:
    assert bibliography([task("zero-shot", "", 0.4)], None) == ""


def test_the_command_exports_what_a_store_has(tmp_path: Path, store: Path) -> None:
    experiment = str(write_experiment(tmp_path))
    result = sprachbund("export", experiment, "--format", "csv", cwd=tmp_path)
    assert (result.returncode, "has no scores yet" in result.stderr) == (1, True)
    building.run(find_stages(experiment, "MtScores:gloss"))
    result = sprachbund("export", experiment, "--format", "csv", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert result.stdout.split() == [
        f"exports/tiny/csv/{name}" for name in ("mt.csv", "citations.bib")
    ]
    assert "Licence: CC0-1.0" in (tmp_path / "exports/tiny/csv/citations.bib").read_text("utf-8")


def test_the_command_says_what_a_file_of_figures_cannot_give(tmp_path: Path) -> None:
    FOUND.write(tmp_path / "x.json")
    result = sprachbund("export", str(tmp_path / "x.json"), "--format", "parquet", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert "names methods only" in result.stderr
    assert (tmp_path / "exports/x/parquet/mt.parquet").stat().st_size > 0
