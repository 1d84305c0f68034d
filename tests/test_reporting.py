"""What a report says in words and tables, and that it cannot be made to say more."""

from pathlib import Path
from typing import Any

import pytest

from pipeline.reporting.findings import Findings
from pipeline.reporting.html import write_html
from pipeline.reporting.tables import leak_grids, mt_grid, task_grids
from pipeline.reporting.verdict import mt_verdicts, task_verdicts
from pipeline.specs.loading import load_experiment

Record = dict[str, Any]


def mt(engine: str, score: float, p_value: float | None = None, baseline: float = 10.0) -> Record:
    return {
        "kind": "mt",
        "round": None if engine == "gloss" else int(engine[-1]),
        "engine": engine,
        "direction": "ind-jav",
        "metric": "BLEU",
        "score": score,
        "low": score - 1,
        "high": score + 1,
        "n": 100,
        "signature": "x",
        "baseline": baseline,
        "p_value": p_value,
    }


def task(strategy: str, engine: str, score: float) -> Record:
    return {
        "kind": "task",
        "task": "emotion",
        "language": "jav",
        "strategy": strategy,
        "engine": engine,
        "encoder": "char-ngram",
        "metric": "macro-F1",
        "score": score,
        "low": score - 0.05,
        "high": score + 0.05,
        "n": 100,
        "seeds": 5,
    }


TASK = [
    task("zero-shot", "", 0.40),
    task("translate-train", "gloss", 0.55),
    task("translate-train", "nmt-1", 0.50),
    task("in-language", "", 0.60),
]


def comparison(p_value: float) -> list[Record]:
    first, second = ["translate-train", "gloss"], ["zero-shot", ""]
    place = {"task": "emotion", "language": "jav", "encoder": "char-ngram"}
    return [{**place, "first": first, "second": second, "p_value": p_value}]


@pytest.mark.parametrize(
    ("p_value", "said"), [(0.02, " beats zero-shot"), (0.4, " is ahead of zero-shot")]
)
def test_a_winner_beats_another_strategy_only_beyond_noise(p_value: float, said: str) -> None:
    (sentence,) = task_verdicts(TASK, comparison(p_value))
    assert sentence.startswith("emotion, jav: translate-train (gloss) with char-ngram" + said)
    assert ("may be noise" in sentence) is (p_value > 0.05)
    assert "0.550 against 0.400" in sentence
    assert "reaches 0.600" in sentence


@pytest.mark.parametrize(
    ("scores", "said"),
    [
        ([mt("nmt-0", 20.0), mt("nmt-1", 24.0, 0.01)], "raised BLEU by 4.0 (p = 0.010); nmt-1"),
        ([mt("nmt-0", 20.0), mt("nmt-1", 19.0, 0.3)], "lowered BLEU by 1.0 (p = 0.300), which may"),
        ([mt("nmt-0", 20.0), mt("nmt-1", 20.0, 1.0)], "left BLEU as it was"),
        ([mt("nmt-0", 0.2), mt("nmt-1", 0.1, 0.01)], "too little to judge back-translation"),
        ([mt("nmt-0", 0.2), mt("nmt-1", 0.1, 0.01)], "no engine beats copying the source"),
        (
            [mt("gloss", 30.0), mt("nmt-0", 20.0)],
            "ind → jav: gloss translates best, 30.0 BLEU, 20.0",
        ),
    ],
)
def test_back_translation_is_judged_as_it_is(scores: list[Record], said: str) -> None:
    (sentence,) = mt_verdicts(scores)
    assert said in sentence


def test_the_tables_hold_every_figure_once() -> None:
    grid = mt_grid([mt("gloss", 30.0), mt("nmt-0", 20.0), mt("nmt-1", 24.0, 0.01)], "BLEU")
    assert grid is not None
    assert grid.rows == [["ind → jav", "10.0", "30.0 ±1.0", "20.0 ±1.0", "24.0 ±1.0*"]]
    (tasks,) = task_grids(TASK)
    assert [row[0] for row in tasks.rows] == [
        "zero-shot",
        "translate-train (gloss)",
        "translate-train (nmt-1)",
        "in-language",
    ]
    assert tasks.rows[0][1] == "0.400 ±0.050"


def overlap(origin: str, to: str, language: str, match: str, count: int) -> Record:
    names = {"from": origin, "to": to, "language": language, "match": match}
    return {**names, "count": count, "share": count / 100}


def test_leaks_stand_apart_from_what_is_harmless() -> None:
    leaks, tests, training = leak_grids(
        [
            overlap("MT train ind-jav", "task test topic-jav", "jav", "id", 20),
            overlap("MT train ind-jav", "task test topic-jav", "jav", "exact", 19),
            overlap("MT train ind-sun", "task test topic-sun", "sun", "id", 3),
            overlap("MT test ind-jav", "MT test ind-sun", "ind", "id", 100),
            overlap("MT test ind-sun", "MT test ind-jav", "ind", "id", 100),
            overlap("monolingual ind", "task train topic-ind", "ind", "near", 7),
        ]
    )
    assert leaks.rows == [
        ["MT train", "task test topic", "ind-jav in jav, jav", "20", "19", "0", "20.0%"]
    ]
    assert [row[:2] for row in tests.rows] == [["MT test", "MT test"]]
    assert [row[:2] for row in training.rows] == [["monolingual", "task train topic"]]


def test_manifest_text_cannot_write_html(tmp_path: Path) -> None:
    experiment = load_experiment("sandbox")
    evil = "<script>alert(1)</script>"
    findings = Findings(
        experiment=experiment.model_copy(update={"name": evil}),
        scores=[],
        comparisons=[],
        manifests=[
            {
                "stage": "Bitext",
                "label": evil,
                "counts": {"read": 1},
                "seconds": 1.0,
                "attempt": 1,
                "peak_memory_mib": 1,
                "finished": "2026",
                "tools": {},
                "commit": evil,
            }
        ],
        overlaps=[],
    )
    write_html(findings, tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert page.count("&lt;script&gt;") >= 3
