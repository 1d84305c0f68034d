"""Two runs side by side: what differs in recipe and data, and whether the scores do."""

import json
from pathlib import Path

import pytest

from models.support.errors import StageError
from pipeline.dag import find_stages
from pipeline.looking.comparing import count_changes, load_run, recipe_changes, score_changes
from pipeline.running import building
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
        building.run(find_stages(str(experiment), "MtScores:gloss"))
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
