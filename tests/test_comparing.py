"""Two runs side by side: what differs in recipe and data, and whether the scores do."""

import json
from pathlib import Path

import pytest

from models.support.errors import StageError
from pipeline.dag import find_stages
from pipeline.looking.comparing import (
    Built,
    Run,
    compare,
    count_changes,
    load_run,
    recipe_changes,
    score_changes,
)
from tests.conftest import write_experiment
from tests.test_commands import sprachbund


@pytest.fixture
def two(tmp_path: Path, store: Path) -> tuple[str, str]:
    """Return two experiments with their gloss scored; the second trains on half of the words."""
    experiments = (
        write_experiment(tmp_path / "one"),
        write_experiment(tmp_path / "two", cleaning={"max_words": 6}),
    )
    for experiment in experiments:
        result = sprachbund("run", str(experiment), "--until", "MtScores:gloss")
        assert result.returncode == 0, result.stderr
    return str(experiments[0]), str(experiments[1])


def test_recipe_data_and_scores_are_compared(two: tuple[str, str]) -> None:
    first, second = map(load_run, two)
    assert [c.place for c in recipe_changes(first, second)] == ["cleaning.max_words"]
    counts = {c.place: (c.first, c.second) for c in count_changes(first, second)}
    assert counts["Bitext hub-sis: dropped.too_long"][0] is None
    found = list(score_changes(first, second, resamples=100, seed=1))
    assert {(s.what, s.metric) for s in found} == {
        (f"{direction}, gloss", metric)
        for direction in ("hub -> sis", "sis -> hub")
        for metric in ("BLEU", "chrF++")
    }
    for score in found:
        assert 0 < (score.n or 0) < 40
        assert score.p_value is not None


def test_a_run_equals_itself(two: tuple[str, str]) -> None:
    first = load_run(two[0])
    assert recipe_changes(first, first) == count_changes(first, first) == []
    found = list(score_changes(first, first, resamples=100, seed=1))
    assert {(score.first == score.second, score.p_value, score.n) for score in found} == {
        (True, 1.0, 40)
    }


def test_equal_studies_are_said_to_be_equal(two: tuple[str, str], tmp_path: Path) -> None:
    result = sprachbund("diff", two[0], two[0])
    assert result.returncode == 0, result.stderr
    assert "• Nothing differs: same recipe, same counts, all 4 scores." in result.stdout
    copy = str(write_experiment(tmp_path / "copy", name="copy"))
    first, second = map(load_run, (two[0], copy))
    said = compare(first, second, resamples=100, seed=1).remarks
    assert said == ["Nothing but the name differs: same recipe, same counts, all 4 scores."]
    assert "Nothing" not in sprachbund("diff", *two).stdout


def test_what_one_run_alone_has_built_is_no_equality(two: tuple[str, str], tmp_path: Path) -> None:
    (scores,) = find_stages(two[0], "MtScores:gloss")
    first = load_run(two[0])
    scores.place.discard()
    found = compare(first, load_run(two[0]), resamples=100, seed=1)
    assert found.remarks == ["Built in the first alone: MtScores:gloss.", "Same recipe."]
    assert found.as_record()["built_in_first_alone"] == ["MtScores:gloss"]


def test_other_bytes_of_the_same_recipe_are_told(two: tuple[str, str]) -> None:
    first = load_run(two[0])
    (key,) = [key for key in first.built if key[0] == "Bitext"]
    files = {"test.parquet": {"sha256": "0", "bytes": 1}}
    other = Built(first.built[key].artifact, {**first.built[key].manifest, "files": files})
    second = Run(first.name, first.recipe, {**first.built, key: other})
    said = compare(first, second, resamples=100, seed=1).remarks
    assert said == ["Other bytes all the same: Bitext:hub-sis.", "Same recipe."]


def test_the_command_prints_tables_and_json(two: tuple[str, str]) -> None:
    tables = sprachbund("diff", *two)
    assert tables.returncode == 0, tables.stderr
    for wanted in ("cleaning.max_words", "hub -> sis, gloss", "chrF++"):
        assert wanted in tables.stdout
    record = json.loads(sprachbund("diff", *two, "--format", "json").stdout)
    assert record["recipe"] == [{"place": "cleaning.max_words", "first": 100, "second": 6}]


def test_a_run_is_told_by_its_report_alone(two: tuple[str, str]) -> None:
    (bitext,) = find_stages(two[0], "Bitext")
    with pytest.raises(StageError, match="is a Bitext; a run is told by its Report"):
        load_run(str(bitext.place.artifact))
