"""The first screen of a report: what to use, what it gains, how sure that is, and its charts."""

import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from pipeline.reporting.answers import Against, Answer, answers, best_of_strategies
from pipeline.reporting.charts import Axis, ChartRow, curves, intervals, mt_charts, task_chart
from pipeline.reporting.choices import choices_grid
from pipeline.reporting.examples import compared, side_by_side
from pipeline.reporting.records import Record
from pipeline.reporting.systems import systems_grid
from pipeline.reporting.trainings import Training, Validation
from pipeline.reporting.usefulness import (
    rank_correlations,
    usefulness_charts,
    usefulness_grid,
    usefulness_sentence,
    uses,
)
from pipeline.specs.loading import load_experiment
from tasks.mt.examples import ShownLine
from tests.test_reporting import TASK, answer, contrasted, mt, task

BY_SECOND = {
    "zero-shot, char-ngram": 0.15,
    "translate-test (bt), char-ngram": -0.01,
}


def one_answer(p: float | None) -> Answer:
    against = [
        replace(answer(p), second=second, difference=gain) for second, gain in BY_SECOND.items()
    ]
    scores = [*TASK, task("translate-test", "bt", 0.56)]
    (found,) = answers(scores, against)
    return found


def test_an_answer_names_the_way_its_gains_and_what_own_labels_reach() -> None:
    found = one_answer(0.01)
    assert found.way == "translate-train (gloss), char-ngram"
    assert [c.contrast.difference for c in found.comparisons] == [0.15, -0.01]
    assert found.own
    assert found.own.score == 0.60


@pytest.mark.parametrize(
    ("p", "words"),
    [
        (0.01, "sure"),
        (0.1, "likely"),
        (0.9, "cannot be told with 100 items, perhaps with about 3,600"),
        (None, "not tested: one training each"),
    ],
)
def test_certainty_is_said_in_plain_words(p: float | None, words: str) -> None:
    found = one_answer(p).over_next
    assert found
    assert found.words == words


@pytest.mark.parametrize("difference", [0.0, 1e-6])
def test_a_difference_that_no_test_set_finds_is_called_so(difference: float) -> None:
    found = Against(replace(answer(0.9), difference=difference), 100)
    assert found.words == "cannot be told with any test set that people label"


def test_a_strategy_is_shown_by_the_way_that_dev_data_chose() -> None:
    better_on_test = replace(task("translate-train", "bt", 0.9), dev=0.1)
    best = best_of_strategies([*TASK[:2], better_on_test])
    assert [(s.strategy, s.system) for s in best] == [
        ("zero-shot", ""),
        ("translate-train", "gloss"),
    ]


def test_charts_are_sound_svg_with_a_title_to_each_mark() -> None:
    evil = mt("<b>&amp;", 20.0)
    trained = [
        Training("bt-1", [[Validation(10, 9.0), Validation(20, 4.0)]], "1", 1, "", "fp32", 1.0),
        Training("bt-2", [[Validation(10, 9.0)]], "1", 1, "", "fp32", 1.0),
    ]
    for chart in (task_chart(TASK), *mt_charts([evil, mt("bt", 30.0)]), *curves(trained)):
        tree = ElementTree.fromstring(chart.svg)  # noqa: S314 (our own)
        assert tree.get("role") == "img"
        for _, symbol in chart.legend:
            ElementTree.fromstring(symbol)  # noqa: S314
    titles = re.findall("<title>(.*?)</title>", task_chart(TASK).svg)
    assert "translate-train (gloss), char-ngram: 0.550, 95 % interval 0.500 to 0.600" in titles
    assert "zero-shot: 0.4" in titles
    (curve,) = curves(trained)
    assert [name for name, _ in curve.legend] == ["bt"]


def test_an_axis_has_round_ticks_within_its_values() -> None:
    axis = Axis(0.437, 0.863, 100, 600)
    assert axis.ticks() == [0.5, 0.6, 0.7, 0.8]
    assert axis.at(0.437) == 100
    assert axis.at(0.863) == 600
    assert intervals("none apart", [ChartRow("a", [], {"copying": 1.0})], "").legend == []


def test_the_table_of_systems_says_what_each_is_made_of_and_costs() -> None:
    experiment = load_experiment("sandbox")
    scores = [mt("gloss", 20.0), mt("base", 30.0), mt("bt", 34.0, ills=("empty",))]
    models: list[Record] = [
        {
            "stage": "TrainedModel",
            "label": f"bt-{n}",
            "seconds": 60.0 * n,
            "files": {"m": {"bytes": n}},
        }
        for n in (1_000_000, 3_000_000)
    ]
    grid = systems_grid(experiment, [*scores, contrasted("bt", "base", 4.0, 0.01)], models)
    assert grid
    rows = {row[0]: row[1:] for row in grid.rows}
    assert rows["gloss"][:2] == ["gloss, from the bitext", "20.0"]
    assert rows["bt"][0].startswith("trained ")
    assert "translation by base" in rows["bt"][0]
    assert rows["bt"][1] == "34.0 (not usable in places)"
    assert rows["bt"][3] == "base +4.0 [+3.0, +5.0], p 0.010"
    assert rows["bt"][-1] == "2 MB"
    assert rows["base"][-2:] == ["–", "–"]
    assert systems_grid(experiment, [], []) is None


@pytest.mark.parametrize(
    ("reference", "hypothesis", "other"),
    [
        ("aku lunga ing pasar", "aku lunga menyang  pasar.", [" menyang", "."]),
        ("Sugeng enjang", "sugeng enjang", []),
        ("我去市场买菜", "我去超市买菜", ["超"]),
        ("ذهبت إلى السوق", "ذهبت السوق", []),
        ("a", "", []),
    ],
)
def test_what_a_reference_has_not_is_marked_and_nothing_is_lost(
    reference: str, hypothesis: str, other: list[str]
) -> None:
    runs = list(compared(reference, hypothesis))
    assert "".join(run.text for run in runs) == hypothesis
    assert [run.text for run in runs if not run.there][: len(other)] == other


def test_examples_of_systems_stand_side_by_side() -> None:
    first = ShownLine("ind-jav", "7", "saya", "aku", "aku", 100.0)
    second = replace(first, hypothesis="kula", score=0.0)
    found = side_by_side({"base": [first], "bt": [second]})
    (sentence,) = found["ind-jav"]
    assert sentence.source == "saya"
    assert [(t.system, t.score, t.runs[0].there) for t in sentence.translations] == [
        ("base", 100.0, True),
        ("bt", 0.0, False),
    ]


def test_quality_stands_beside_use_and_is_ranked_over_systems() -> None:
    systems = {"gloss": (10.0, 0.4), "base": (20.0, 0.5), "bt": (30.0, 0.6)}
    translated = [mt(name, bleu, direction="ind-jav") for name, (bleu, _) in systems.items()]
    back = [mt(name, 50 - bleu, direction="jav-ind") for name, (bleu, _) in systems.items()]
    ways = [task("translate-train", name, score) for name, (_, score) in systems.items()]
    ways += [task("translate-test", name, score) for name, (_, score) in systems.items()]
    ways += [task("zero-shot", "", 0.9), replace(ways[0], encoder="weak", dev=0.1, score=0.95)]
    found = uses("ind", [*translated, *back], ways)
    assert found["emotion", "jav", "translate-train"][0].score == 0.4
    assert rank_correlations(found) == pytest.approx([1.0, -1.0])
    assert list(usefulness_sentence(found)) == [
        "BLEU and the task score it leads to: mean rank correlation over systems +0.00, positive "
        "in 1 of 2 places (a task, a language and a strategy each)."
    ]
    grid = usefulness_grid(found)
    assert grid
    assert grid.rows[0] == [
        *("emotion", "jav", "translate-train"),
        *("10.0 / 0.400", "20.0 / 0.500", "30.0 / 0.600"),
    ]
    (chart,) = usefulness_charts(found)
    assert len(re.findall("<title>", chart.svg)) == 6
    ElementTree.fromstring(chart.svg)  # noqa: S314
    assert usefulness_grid(uses("ind", translated[:1], ways)) is None


def test_the_report_shows_what_dev_data_chose_for_classifiers() -> None:
    weighed = {"strength": 4.0, "class_weights": "balanced"}
    plain = {"strength": 0.5, "class_weights": "none"}
    manifests: list[Record] = [
        {"stage": "Classifiers", "label": "emotion-ind-x", "chosen": [weighed, weighed]},
        {"stage": "Classifiers", "label": "emotion-jav-x", "chosen": [weighed, plain, weighed]},
        {"stage": "Classifiers", "label": "emotion-ind-tuned", "chosen": [{}]},
    ]
    grid = choices_grid(manifests)
    assert grid
    assert grid.rows == [
        ["emotion-ind-x", "strength 4, class weights balanced"],
        [
            "emotion-jav-x",
            "strength 4, class weights balanced (2 of 3); "
            "strength 0.5, class weights none (1 of 3)",
        ],
    ]
    assert choices_grid(manifests[2:]) is None
