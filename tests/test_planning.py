"""A plan says what will run, why, and what that took before; `explain` goes down to the cause."""

import json
from pathlib import Path
from typing import Any

import pytest

from models.support.errors import StageError
from pipeline.dag import find_stages
from pipeline.looking.causes import differences, direct_causes, explain
from pipeline.looking.planning import explanation_tree, plan, plan_summary, plan_tree
from pipeline.looking.upkeep import damages
from pipeline.reporting.findings import acceptances
from pipeline.running import building
from pipeline.stages.corpora import Bitext
from tests.conftest import write_experiment
from tests.test_commands import sprachbund


def printed(renderable: Any) -> str:
    from rich.console import Console

    console = Console(width=200, record=True, file=open("/dev/null", "w"))  # noqa: PTH123, SIM115
    console.print(renderable)
    return console.export_text()


def built(folder: Path, target: str, **changes: object) -> str:
    """Write the tiny experiment with changes, build it up to a stage; return its path."""
    experiment = str(write_experiment(folder, **changes))
    building.run(find_stages(experiment, target))
    return experiment


def by_name(experiment: str) -> dict[str, Any]:
    return {stage.name: stage for stage in plan(experiment)}


def test_a_first_run_is_a_first_run_and_costs_nobody_knows_what(tiny: Path, store: Path) -> None:
    planned = plan(str(tiny))
    assert {tuple(stage.causes) for stage in planned} == {("first build",)}
    assert {stage.seconds for stage in planned} == {None}
    assert plan_summary(planned) == f"0 of {len(planned)} stages are done"


def test_a_changed_field_is_named_where_it_is_and_an_input_below(
    tmp_path: Path, store: Path
) -> None:
    built(tmp_path, "SubwordModel")
    changed = str(write_experiment(tmp_path / "changed", filters={"length_ratio": 2}))
    planned = by_name(changed)
    assert planned["Bitext:hub-sis"].done
    text = planned["TrainingBitext:hub-sis"]
    assert text.causes == ["filters.length_ratio: 3.0 -> 2.0"]
    assert planned["SubwordModel:joint"].causes == ["input changed: TrainingBitext hub-sis"]
    assert text.seconds is not None
    assert text.bytes > 0
    assert planned["TrainedModel:base-1"].causes == ["first build"]
    assert "to run  TrainingBitext hub-sis  filters.length_ratio: 3.0 -> 2.0" in printed(
        plan_tree(plan(changed))
    )
    assert "that no earlier run tells of" in plan_summary(plan(changed))


def test_a_new_pair_leaves_the_text_of_the_others(tmp_path: Path, store: Path) -> None:
    built(tmp_path, "SubwordModel")
    grown = by_name(str(write_experiment(tmp_path / "changed", ("sis", "cou"))))
    for name in ("RawCorpus:hub-sis-parallel-sandbox", "Bitext:hub-sis", "LabelledData:stance-sis"):
        assert grown[name].done
    assert "new input: TrainingBitext hub-cou" in grown["SubwordModel:joint"].causes
    assert grown["Bitext:hub-cou"].causes == ["first build"]


def test_a_chain_of_causes_ends_where_the_change_began(tmp_path: Path, store: Path) -> None:
    built(tmp_path, "SubwordModel")
    changed = str(write_experiment(tmp_path / "changed", filters={"length_ratio": 2}))
    (stage,) = find_stages(changed, "SubwordModel")
    found = explain(stage)
    (cause,) = found.causes
    assert cause.of is not None
    assert [(c.kind, c.text) for c in cause.of.causes] == [
        ("spec", "filters.length_ratio: 3.0 -> 2.0")
    ]
    text = printed(explanation_tree(found))
    assert "to run  SubwordModel joint" in text
    assert "filters.length_ratio: 3.0 -> 2.0" in text
    result = sprachbund("explain", changed, "SubwordModel", "--format", "json")
    (record,) = json.loads(result.stdout)
    assert record["causes"][0]["of"]["causes"][0]["text"] == "filters.length_ratio: 3.0 -> 2.0"


def test_a_new_version_is_a_cause(
    tmp_path: Path, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    experiment = built(tmp_path, "Bitext")
    monkeypatch.setattr(Bitext, "VERSION", Bitext.VERSION + 1)
    from luigi import Task

    Task.clear_instance_cache()
    (stage,) = find_stages(experiment, "Bitext")
    assert direct_causes(stage) == [f"VERSION {Bitext.VERSION - 1} -> {Bitext.VERSION}"]


def test_what_rerun_removed_is_forced_until_it_is_built(tmp_path: Path, store: Path) -> None:
    experiment = built(tmp_path, "TrainingBitext")
    building.forget(experiment, "BitextScores")
    planned = by_name(experiment)
    forced = {name for name, stage in planned.items() if stage.causes == ["forced by rerun"]}
    assert forced == {"BitextScores:hub-sis", "TrainingBitext:hub-sis"}
    building.run(find_stages(experiment, "TrainingBitext"))
    assert by_name(experiment)["BitextScores:hub-sis"].done
    assert not any(path.is_file() for path in (store / ".work").rglob("*"))


def test_an_input_whose_artifact_is_gone_is_said_to_be(tmp_path: Path, store: Path) -> None:
    before = built(tmp_path, "TrainingBitext")
    (text,) = find_stages(before, "Bitext")
    text.place.discard()
    changed = str(write_experiment(tmp_path / "changed", cleaning={"max_words": 50}))
    (stage,) = find_stages(changed, "TrainingBitext")
    causes = direct_causes(stage)
    assert "input changed: Bitext hub-sis (what it replaces is gone)" in causes


def test_only_builds_one_stage_or_says_what_it_lacks(tmp_path: Path, store: Path) -> None:
    experiment = built(tmp_path, "TrainingBitext")
    result = sprachbund("run", experiment, "--only", "SubwordModel")
    assert result.returncode == 0, result.stderr
    assert "1 stages built" in result.stderr
    with pytest.raises(StageError, match=r"TrainedModel bt-1 needs Synthetic:.* not built"):
        building.check_inputs(find_stages(experiment, "TrainedModel:bt-1"))
    both = sprachbund("run", experiment, "--only", "Report", "--until", "Report")
    assert both.returncode == 1
    assert "--until and --only" in both.stderr


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": {"b": 1}}, {"a": {"b": 2}}, ["a.b"]),
        ({"a": [1, {"b": 2}]}, {"a": [1, {"b": 3}]}, ["a.1.b"]),
        ({"a": [1]}, {"a": [1, 2]}, ["a"]),
        ({"a": 1}, {"b": 1}, ["a", "b"]),
        ({"a": None}, {}, ["a"]),
        ({"a": 1}, {"a": 1.5}, ["a"]),
    ],
)
def test_differences_are_found_where_they_are(old: object, new: object, expected: object) -> None:
    assert [place for place, _, _ in differences(old, new)] == expected


def test_an_old_artifact_is_accepted_with_a_reason_and_marked(tmp_path: Path, store: Path) -> None:
    before = built(tmp_path, "Bitext")
    (old,) = find_stages(before, "Bitext")
    changed = str(write_experiment(tmp_path / "changed", cleaning={"max_words": 50}))
    (stage,) = find_stages(changed, "Bitext")
    result = sprachbund("accept", changed, "Bitext", "--reason", "no line has 50 words")
    assert result.returncode == 0, result.stderr
    manifest = stage.artifact.manifest
    assert manifest["fingerprint"] == stage.fingerprint
    assert manifest["accepted"]["from"] == f"Bitext/{old.place.name}"
    assert manifest["accepted"]["differs"] == ["rules.max_words: 100 -> 50"]
    assert manifest["files"] == old.artifact.manifest["files"]
    (sentence,) = acceptances([manifest, old.artifact.manifest])
    assert "no line has 50 words" in sentence
    assert list(damages(stage.place)) == []
    again = sprachbund("accept", changed, "Bitext", "--reason", "twice")
    assert again.returncode == 1
    assert "is built; there is nothing to accept" in again.stderr
    never = sprachbund("accept", changed, "SubwordModel", "--reason", "x")
    assert "was never built in this store" in never.stderr


def test_a_study_of_its_own_is_compared_with_before_another(tmp_path: Path, store: Path) -> None:
    built(tmp_path / "mine", "Bitext", cleaning={"max_words": 20})
    near = {"max_words": 30, "max_characters": 900}
    built(tmp_path / "other", "Bitext", name="other", cleaning={**near, "max_words": 31})
    changed = str(write_experiment(tmp_path / "changed", cleaning=near))
    (stage,) = find_stages(changed, "Bitext")
    assert direct_causes(stage) == [
        "rules.max_words: 20 -> 30",
        "rules.max_characters: 1000 -> 900",
    ]
    assert explain(stage).other_study is None


def test_of_other_studies_the_nearest_is_compared_with_not_the_newest(
    tmp_path: Path, store: Path
) -> None:
    built(tmp_path / "near", "Bitext", name="near", cleaning={"max_words": 20})
    far = {"max_words": 21, "max_characters": 900, "strip_urls": False}
    built(tmp_path / "far", "Bitext", name="far", cleaning=far)
    (stage,) = find_stages(
        str(write_experiment(tmp_path / "new", cleaning={"max_words": 30})), "Bitext"
    )
    assert direct_causes(stage) == ["rules.max_words: 20 -> 30"]
    assert explain(stage).other_study == "near"
    assert "of the study near" in printed(explanation_tree(explain(stage)))
    assert explain(stage).as_record()["earlier_of"] == "near"
