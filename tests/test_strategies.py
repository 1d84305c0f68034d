"""Strategies of a study as a user asks for them: named, refused, run, and told of."""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from models.support.errors import SpecError
from pipeline.reporting.choices import selection_grid
from pipeline.reporting.labels import equivalent, worth_grid, worths
from pipeline.reporting.records import Selection, TaskScore
from pipeline.specs.loading import load_experiment
from pipeline.stages.ways import task_ways, translated_texts
from tasks.records import read_records
from tasks.transfer.strategies import DEFAULT_STRATEGIES, STRATEGIES
from tests.conftest import write_experiment
from tests.test_commands import sprachbund

GLOSS: dict[str, Any] = {"gloss": {"kind": "gloss"}}
NGRAMS: dict[str, Any] = {"letters": {"kind": "ngrams"}, "words": {"kind": "ngrams", "words": True}}
MEAN = "ensemble of translate-train and translate-test"


def study(folder: Path, **transfer: object) -> Path:
    fields = {"encoders": NGRAMS, "classifier": {"seeds": 2, "strengths": [4.0]}, **transfer}
    return write_experiment(folder, ("sis", "cou"), systems=GLOSS, transfer=fields)


# What is named


def test_the_plain_strategies_are_compared_where_none_is_named(tmp_path: Path) -> None:
    experiment = load_experiment(str(study(tmp_path)))
    assert experiment.transfer.all_strategies == [*DEFAULT_STRATEGIES]


def test_strategies_few_shots_and_ensembles_stand_in_one_order(tmp_path: Path) -> None:
    path = study(
        tmp_path,
        strategies=["translate-test", "round-trip", "zero-shot"],
        few_shot={"shots": [32, 8], "draws": 3, "on_hub": False},
        ensembles=[["translate-train", "translate-test"]],
        strategies_of={"words": ["zero-shot", "few-shot-8", MEAN]},
    )
    transfer = load_experiment(str(path)).transfer
    every = ["zero-shot", "translate-test", "round-trip", MEAN, "few-shot-8", "few-shot-32"]
    assert transfer.all_strategies == every
    assert transfer.of_encoder("words") == ["zero-shot", MEAN, "few-shot-8"]
    assert transfer.of_encoder("letters") == every
    assert transfer.budget(8).seeds == 3
    assert transfer.budget(8).train_share == 1
    assert transfer.budget(0) == transfer.classifier


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"strategies": ["zero-shot", "translate-tset"]}, "did you mean 'translate-test'"),
        ({"strategies": ["translate-test"]}, "zero-shot is missing"),
        ({"few_shot": {"shots": []}}, "shots"),
        ({"few_shot": {"shots": [1]}}, "greater than or equal to 2"),
        ({"few_shot": {"draws": 1}}, "draws"),
        ({"few_shot": {"kk": 1}}, "kk: unknown field"),
        ({"ensembles": [["translate-train"]]}, "at least 2"),
        ({"ensembles": [["zero-shot", "zero-shot"]]}, "a member is listed twice"),
        ({"ensembles": [["zero-shot", "translate-tain"]]}, "did you mean 'translate-train'"),
        ({"ensembles": [["zero-shot", "source"]]}, "source has no text in the language"),
        ({"ensembles": [["zero-shot by gloss", "in-language"]]}, "translates nothing"),
        ({"ensembles": [["zero-shot", "translate-test by glos"]]}, "did you mean 'gloss'"),
        ({"ensembles": [["zero-shot", "round-trip with lettrs"]]}, "did you mean 'letters'"),
        ({"strategies_of": {"wrds": ["zero-shot"]}}, "did you mean 'words'"),
        ({"strategies_of": {"words": ["few-shot-8"]}}, "no strategy 'few-shot-8' in this"),
    ],
)
def test_a_wrong_name_is_told_with_its_line_and_a_way_out(
    fields: dict[str, Any], message: str, tmp_path: Path
) -> None:
    with pytest.raises(SpecError, match=r"line \d+: transfer") as error:
        load_experiment(str(study(tmp_path, **fields)))
    assert message in str(error.value)


def test_trainings_of_an_ensembles_systems_go_together(tmp_path: Path) -> None:
    systems = {
        "gloss": {"kind": "gloss"},
        "one": {"kind": "trained", "replicates": 2},
        "two": {"kind": "trained", "replicates": 3},
    }

    def load(*members: str) -> list[int]:
        transfer = {"encoders": NGRAMS, "ensembles": [members]}
        path = write_experiment(tmp_path, ("sis",), systems=systems, transfer=transfer)
        experiment = load_experiment(str(path))
        ways = task_ways(experiment, "stance")
        return [way.replicates for way in ways if way.strategy.startswith("ensemble")]

    assert load("translate-train by gloss", "translate-test by two") == [3, 3]  # two encoders
    assert load("translate-train", "translate-test by gloss") == [1, 2, 3] * 2
    for member in ("translate-train by one", "translate-train"):
        with pytest.raises(SpecError, match="two has 3 trainings") as error:
            load(member, "translate-test by two")
        assert "one has 2 trainings" in str(error.value)


def test_every_text_that_a_strategy_needs_is_translated_once(tmp_path: Path) -> None:
    path = study(tmp_path, strategies=[*STRATEGIES], ensembles=[["zero-shot", "translate-test"]])
    found = list(translated_texts(load_experiment(str(path)), "stance"))
    assert Counter(found) == {
        ("gloss", hop): 1
        for language in ("sis", "cou")
        for hop in (("hub", language), (language, "hub"))
    }


# What is run


@pytest.mark.system
def test_a_study_of_every_strategy(tmp_path: Path, store: Path) -> None:
    path = study(
        tmp_path,
        strategies=[*STRATEGIES],
        few_shot={"shots": [4, 8, 400], "draws": 3},
        ensembles=[
            ["translate-train", "translate-test"],
            ["zero-shot", "translate-test by gloss"],
            ["round-trip with letters", "translate-test with words"],
        ],
        strategies_of={"words": ["zero-shot", "translate-test"]},
    )
    ran = sprachbund("run", str(path), SPRACHBUND_STORE=str(store))
    assert ran.returncode == 0, ran.stderr
    printed = sprachbund("scores", str(path), "--format", "json", SPRACHBUND_STORE=str(store))
    records = json.loads(printed.stdout)
    tasks = [r for r in records if r["kind"] == "task" and r["metric"] == "macro-F1"]
    shots = [f"few-shot-{n}{side}" for n in (4, 8) for side in ("", "+hub")]
    means = [MEAN, "ensemble of zero-shot and translate-test by gloss"]
    seen = Counter(r["strategy"] for r in tasks if r["encoder"] == "letters")
    assert seen == {**dict.fromkeys([*STRATEGIES, *shots, *means], 2), "source": 1}
    assert {r["strategy"] for r in tasks if r["encoder"] == "words"} == {
        "zero-shot",
        "translate-test",
    }
    assert {r["seeds"] for r in tasks if r["strategy"] in shots} == {3}
    assert {r["seeds"] for r in tasks if r["strategy"] not in shots} == {2}
    assert {r["system"] for r in tasks if r["strategy"] == means[1]} == {""}
    over_encoders = [r for r in tasks if r["encoder"] == ""]
    assert {r["strategy"] for r in over_encoders} == {
        "ensemble of round-trip with letters and translate-test with words"
    }
    assert {(r["language"], r["system"]) for r in over_encoders} == {
        ("sis", "gloss"),
        ("cou", "gloss"),
    }

    chosen = [r for r in records if r["kind"] == "selection"]
    assert Counter(r["by"] for r in chosen) == {
        "source dev": 2,
        "translated dev": 2,
        "target dev": 2,
    }
    scores = {(r["language"], _way(r)): r["score"] for r in tasks}
    assert all(r["test"] == pytest.approx(scores[r["language"], r["way"]]) for r in chosen)

    (report,) = store.glob("Report/*")
    text = (report / "report.md").read_text(encoding="utf-8")
    assert "What translation is worth in labels" in text
    assert "Chosen ways by dev data" in text
    assert "macro-F1 with several encoders" in text
    assert re.search(r"few-shot-400\S* .*400 are asked for", text)
    again = sprachbund("run", str(path), SPRACHBUND_STORE=str(store))
    assert "0 stages built" in again.stderr

    for folder in store.glob("EnsemblePredictions/*"):
        rows = list(read_records(folder / "predictions.parquet"))
        assert {r["part"] for r in rows} == {"target dev", "source dev", "test"}
        assert all(sum(r[f"p({c})"] for c in _classes(r)) == pytest.approx(1) for r in rows[:20])


def _way(record: dict[str, Any]) -> str:
    system = f" ({record['system']})" if record["system"] else ""
    return f"{record['strategy']}{system}" + (f", {record['encoder']}" if record["encoder"] else "")


def _classes(row: dict[str, Any]) -> list[str]:
    return [name[2:-1] for name in row if name.startswith("p(")]


# What is told


def score(strategy: str, value: float, **changes: Any) -> TaskScore:
    fields: dict[str, Any] = {
        "task": "emotion", "task_kind": "classification", "language": "jav", "strategy": strategy,
        "system": "", "encoder": "e5", "metric": "macro-F1", "score": value, "low": value - 0.05,
        "high": value + 0.05, "dev": value, "n": 100, "seeds": 5, "replicates": 1,
    }  # fmt: skip
    return TaskScore(**fields | changes)


@pytest.mark.parametrize(
    ("reached", "said"),
    [(0.3, "at most 8"), (0.4, "at most 8"), (0.5, "about 16"), (0.65, "about 64"),
     (0.7, "about 128"), (0.71, "more than 128")],
)  # fmt: skip
def test_translation_is_worth_the_labels_that_do_as_well(reached: float, said: str) -> None:
    assert equivalent({128: 0.7, 8: 0.4, 32: 0.6}, reached) == said


def test_worth_is_told_of_the_best_translated_way_by_dev_data() -> None:
    scores = [
        score("zero-shot", 0.9),
        score("translate-test", 0.5, system="gloss", dev=0.6),
        score("translate-train", 0.7, system="bt", dev=0.5),
        score("few-shot-8", 0.4),
        score("few-shot-32", 0.6),
        score("few-shot-32", 0.99, encoder="other", dev=0.1),
        score("few-shot-8+hub", 0.6),
    ]
    (worth,) = worths(scores)
    assert worth.sentence == (
        "emotion, jav: translate-test (gloss), e5 (0.500) is worth about 16 labels a class alone "
        "and at most 8 labels a class beside the hub's text."
    )
    grid = worth_grid([worth])
    assert grid is not None
    assert grid.columns[2:4] == ["8 alone", "32 alone"]
    assert grid.rows[0][2:5] == ["0.400", "0.600", "0.600"]
    assert list(worths([s for s in scores if "few" not in s.strategy])) == []


def test_the_three_selections_stand_side_by_side() -> None:
    fields: dict[str, Any] = {"task": "emotion", "metric": "macro-F1", "dev": 0.5}
    first = Selection(language="jav", by="source dev", way="zero-shot, e5", test=0.4, **fields)
    oracle = Selection(language="jav", by="target dev", way="round-trip, e5", test=0.6, **fields)
    grid = selection_grid([first, oracle])
    assert grid is not None
    assert grid.rows == [["emotion", "jav", "zero-shot, e5: 0.400", "–", "round-trip, e5: 0.600"]]
