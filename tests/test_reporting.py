"""What a report says in words and tables, and that it cannot be made to say more."""

import csv
import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipeline.looking.costs import Gain
from pipeline.looking.scores import scores_csv
from pipeline.looking.upkeep_tables import cost_grids
from pipeline.reporting.answers import best_of_strategies
from pipeline.reporting.findings import Findings, cut_short, kept_out
from pipeline.reporting.guards import guard_grids, known_items, mostly_training_text
from pipeline.reporting.html import write_html
from pipeline.reporting.origins import commits, machines, origins, short_commits
from pipeline.reporting.records import (
    Contrast,
    MtScore,
    Record,
    Score,
    TaskScore,
    TextGuard,
    from_record,
)
from pipeline.reporting.tables import (
    contrast_grids,
    gap_grids,
    leak_grids,
    mt_grid,
    spread_grid,
    task_grids,
)
from pipeline.reporting.trainings import Training, Validation, not_converged, unfinished
from pipeline.reporting.verdict import mt_verdicts, task_verdicts
from pipeline.reporting.ways import way_name
from pipeline.specs.loading import load_experiment
from pipeline.stages.scores import with_ills


def mt(system: str, score: float, *, direction: str = "ind-jav", **changes: Any) -> MtScore:
    fields: dict[str, Any] = {
        "parents": (),
        "replicates": 3,
        "metric": "BLEU",
        "low": score - 1,
        "high": score + 1,
        "spread": 0.7,
        "n": 100,
        "signature": "x",
        "copy": 10.0,
    }
    return MtScore(system=system, direction=direction, score=score, **{**fields, **changes})


def task(strategy: str, system: str, score: float, *, language: str = "jav") -> TaskScore:
    return TaskScore(
        task="emotion",
        task_kind="classification",
        language=language,
        strategy=strategy,
        system=system,
        encoder="char-ngram",
        metric="macro-F1",
        score=score,
        low=score - 0.05,
        high=score + 0.05,
        dev=score,
        n=100,
        seeds=5,
        replicates=1,
    )


def guard(system: str, direction: str = "ind-jav", **changes: Any) -> TextGuard:
    fields: dict[str, Any] = {
        "task": "topic",
        "replicates": 3,
        "items": 2978,
        "translated": 2970.0,
        "empty": 0.0,
        "copied": 0.015,
        "distinct": 0.98,
        "looping": 0.0,
        "length": 1.04,
        "foreign": 0.25,
    }
    return TextGuard(system=system, direction=direction, **fields | changes)


def contrasted(
    first: str, second: str, difference: float, p: float | None, **changes: Any
) -> Contrast:
    fields: dict[str, Any] = {
        "of": "mt",
        "where": "all",
        "metric": "BLEU",
        "low": difference - 1,
        "high": difference + 1,
        "family": "all directions",
        "mdd": 1.5,
    }
    return Contrast(first=first, second=second, difference=difference, p=p, **{**fields, **changes})


TASK = [
    task("zero-shot", "", 0.40),
    task("translate-train", "gloss", 0.55),
    task("translate-train", "bt", 0.50),
    task("in-language", "", 0.60),
    task("source", "", 0.70, language="ind"),
]


def answer(p: float | None) -> Contrast:
    way = "translate-train (gloss), char-ngram"
    place = {"of": "task", "where": "emotion/jav", "metric": "macro-F1", "family": "answers"}
    return contrasted(way, "zero-shot, char-ngram", 0.15, p, **place, mdd=0.06)


@pytest.mark.parametrize(
    ("p", "said"),
    [
        (0.02, "p = 0.020: more than noise"),
        (0.0002, "p < .001: more than noise"),
        (0.4, "p = 0.400: cannot be told with these items and trainings"),
        (None, "one training each: not tested"),
    ],
)
def test_the_answer_says_how_sure_it_is(p: float | None, said: str) -> None:
    (sentence,) = task_verdicts(TASK, [answer(p)])
    assert sentence.startswith("emotion, jav: use translate-train (gloss), char-ngram, the best")
    assert "gains 0.150 macro-F1 over zero-shot, char-ngram" in sentence
    assert said in sentence
    assert "Labels of the language itself reach 0.600 with char-ngram" in sentence


@pytest.mark.parametrize(
    ("contrast", "said"),
    [
        (
            contrasted("bt", "base", 4.0, 0.01),
            "+4.0 BLEU [+3.0, +5.0] (p = 0.010: more than noise)",
        ),
        (contrasted("bt", "base", -1.0, 0.3), "-1.0 BLEU [-2.0, +0.0] (p = 0.300: cannot be told"),
        (contrasted("bt", "base", 4.0, None), "(one training each: not tested)"),
        (contrasted("bt", "base", 4.0, 0.01, better="9 of 10"), "ahead in 9 of 10 directions"),
    ],
)
def test_what_a_system_gains_is_said_as_it_is(contrast: Contrast, said: str) -> None:
    sentence, _ = mt_verdicts([mt("base", 20.0), mt("bt", 24.0)], [contrast])
    assert sentence.startswith("bt against base, over all directions: ")
    assert "too little" not in sentence
    assert said in sentence


def test_systems_that_hardly_translate_are_not_judged() -> None:
    sentence, _ = mt_verdicts([mt("base", 1.0), mt("bt", 2.0)], [contrasted("bt", "base", 1, 0.01)])
    assert sentence.endswith("Both translate too little to judge them by.")


@pytest.mark.parametrize(
    ("scores", "said"),
    [
        (
            [mt("gloss", 30.0), mt("base", 20.0)],
            "gloss scores highest, 30.0 BLEU, 20.0 above copying; base follows with 20.0",
        ),
        (
            [mt("base", 4.0, copy=1.0)],
            "base scores highest, 4.0 BLEU, 3.0 above copying; too little to use",
        ),
        ([mt("base", 0.2)], "no system beats copying the source (10.0 BLEU)"),
    ],
)
def test_who_translates_best_is_said_per_direction(scores: list[MtScore], said: str) -> None:
    (sentence,) = mt_verdicts(scores, [])
    assert sentence.startswith("ind → jav: ")
    assert said in sentence


def test_the_tables_hold_every_figure_once() -> None:
    scores = [mt("gloss", 30.0, spread=None, replicates=1), mt("base", 20.0), mt("bt", 24.0)]
    grid = mt_grid(scores, [contrasted("bt", "base", 4.0, 0.01, where="ind-jav")], "BLEU")
    assert grid is not None
    assert grid.rows == [["ind → jav", "10.0", "30.0 ±1.0", "20.0 ±1.0", "24.0 ±1.0"]]
    assert "mean of 3 trainings" in grid.note
    assert "a difference of 1.5 would be found" in grid.note
    spread = spread_grid(scores, "BLEU")
    assert spread is not None
    assert (spread.columns, spread.rows) == (
        ["direction", "base", "bt"],
        [["ind → jav", "0.7", "0.7"]],
    )
    (tasks,) = task_grids(TASK, [answer(0.02)])
    assert [row[0] for row in tasks.rows] == [
        "zero-shot",
        "translate-train (gloss)",
        "translate-train (bt)",
        "in-language",
    ]
    assert tasks.columns == ["strategy (system)", "jav"]
    assert tasks.rows[0][1] == "0.400 ±0.050"
    assert "trained and tested in ind: 0.700 ±0.050" in tasks.note


def test_what_chose_a_way_is_said_where_the_language_has_no_dev_data() -> None:
    scores = [replace(score, dev_data="translated dev") for score in TASK]
    (said, *_) = task_verdicts(scores, [answer(0.01)])
    assert "the best on translated dev data (jav has none)." in said
    zero = contrasted("zero-shot, char-ngram", "translate-train (gloss), char-ngram", -0.15, 0.01)
    zero = replace(zero, of="task", where="emotion/jav", metric="macro-F1", family="answers")
    scores = [replace(score, dev_data="source dev") for score in TASK]
    (said, *_) = task_verdicts(scores, [zero])
    assert "no way can be chosen, since jav has no dev data" in said
    assert "cannot tell zero-shot and translate-test apart. On test zero-shot, char-ngram" in said
    assert "use " not in said


def test_what_no_label_of_the_language_allows_is_said_to_be_left_out() -> None:
    told = list(task_verdicts([s for s in TASK if s.strategy != "in-language"], [answer(0.01)]))
    assert told[1] == "emotion, jav: in-language is left out, for want of training items in jav."
    assert "Labels of the language itself" not in told[0]
    assert not any("left out" in said for said in task_verdicts(TASK, [answer(0.01)]))


def test_one_training_is_said_to_be_one() -> None:
    grid = mt_grid([mt("base", 20.0, replicates=1, spread=None)], [], "BLEU")
    assert grid is not None
    assert "one training each" in grid.note
    assert spread_grid([mt("base", 20.0, replicates=1, spread=None)], "BLEU") is None


def test_contrasts_over_all_places_come_first() -> None:
    (grid,) = contrast_grids(
        [
            contrasted("bt", "base", 4.0, None, where="ind-jav", family="each direction"),
            contrasted("bt", "base", 3.0, 0.0004, better="9 of 10"),
        ]
    )
    assert [row[2] for row in grid.rows] == ["all (ahead in 9 of 10)", "ind → jav"]
    assert grid.rows[0][4:] == ["+3.0 [+2.0, +4.0]", "< .001", "1.5"]
    assert grid.rows[1][5] == "one training each"


@pytest.mark.parametrize(
    ("contrast", "together"),
    [
        (contrasted("bt", "base", 4.0, 0.01), "of those over all directions and of those in sing"),
        (answer(0.02), "of the task, of the chosen ways and of pairs of systems apart"),
    ],
)
def test_the_note_tells_which_tests_are_corrected_together(
    contrast: Contrast, together: str
) -> None:
    (grid,) = contrast_grids([contrast])
    assert together in grid.note


@pytest.mark.parametrize(
    ("losses", "converged"),
    [([5, 4, 3.99], True), ([5, 4, 3.9], False), ([5, 3, 3.2], True), ([5], False)],
)
def test_a_training_that_still_learns_has_not_converged(
    losses: list[float], converged: bool
) -> None:
    looks = [Validation(100 * n, loss) for n, loss in enumerate(losses, start=1)]
    training = Training("base-1", [looks], "1,024", 10, "int8", "bf16", 1.0)
    assert training.converged is converged


@pytest.mark.parametrize(
    "figure",
    [
        mt("bt", 20.0, parents=("base",)),
        TASK[0],
        answer(None),
        guard("bt", ills=("x",), unknown_pieces={"e5": 0.1}),
    ],
)
def test_a_figure_is_read_back_from_its_record(figure: Score) -> None:
    assert from_record(figure.as_record()) == figure


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


def test_what_the_guard_lets_pass_is_a_table_if_there_is_any() -> None:
    gap = {"set": "MT test a-b", "rule": "min_words: 3", "what": "short", "texts": 1200, "of": 4000}
    (grid,) = gap_grids([gap])
    assert grid.rows == [["MT test a-b", "min_words: 3", "short", "1,200", "4,000"]]
    assert "paraphrases" in grid.note
    assert list(gap_grids([])) == []


def made(stage: str, commit: str | None, torch: str, **facts: Any) -> Record:
    """Return the manifest of an artifact that a commit made with a release of torch."""
    manifest = {"stage": stage, "label": "x", "counts": {}, "seconds": 1.0, "peak_memory_mib": 1}
    tools = {"python": "3.11", "torch": torch}
    return {**manifest, "finished": "2026", "tools": tools, "commit": commit, **facts}


def test_all_that_artifacts_were_made_with_is_told_not_the_newest_alone() -> None:
    manifests = [
        made("RawCorpus", "a" * 40, "2.9", machine="one, 2 cores"),
        made("Bitext", "a" * 40, "2.9", machine="one, 2 cores"),
        made("TrainedModel", "b" * 40 + "+", "2.10", machine="two, 8 cores"),
        made("MtScores", None, "2.10"),
    ]
    found = origins(manifests)
    assert list(found) == ["python", "torch", "commit", "machine"]
    assert found["python"] == "3.11"
    assert found["torch"] == "2.9 (2 artifacts), 2.10 (2)"
    assert found["commit"].startswith(f"{'a' * 40} (2 artifacts), {'b' * 40}+ (1), unknown (not")
    assert found["machine"] == "one, 2 cores (2 artifacts), two, 8 cores (1)"
    assert commits(manifests) == f"{'a' * 40}, {'b' * 40}+"
    assert short_commits(commits(manifests)) == f"`{'a' * 12}` and `{'b' * 12}+`"
    assert machines(manifests) == "one, 2 cores; two, 8 cores"
    assert short_commits("") == "unknown"


def test_a_report_adds_up_the_attempts_and_says_where_it_cannot(tmp_path: Path) -> None:
    manifests = [
        made("TrainedModel", None, "2.9", attempt=3, seconds=90.0, seconds_before=60.0),
        made("Translation", None, "2.9", attempt=2, seconds=5.0),
    ]
    findings = Findings(load_experiment("sandbox"), [], [], [], [*manifests[1:], manifests[0]])
    for manifest in manifests:
        manifest["stage"] = "Bitext"
    stages = next(grid for grid in findings.grids if grid.title == "Stages")
    assert [row[2] for row in stages.rows] == ["5.0 (attempt 2)", "90.0 (3 attempts)"]
    assert stages.note.startswith("95 seconds in all, of all attempts; of 1 resumed stages")


def test_manifest_text_cannot_write_html(tmp_path: Path) -> None:
    experiment = load_experiment("sandbox")
    evil = "<script>alert(1)</script>"
    findings = Findings(
        experiment=experiment.model_copy(update={"name": evil}),
        scores=[],
        overlaps=[],
        gaps=[],
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
    )
    write_html(findings, tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert page.count("<script") == 1  # the page's own
    assert "<script>alert" not in page
    assert page.count("&lt;script&gt;") >= 3


def test_a_dead_model_is_neither_starred_nor_named_the_best() -> None:
    dead = mt("base", 30.0, ills=("100% of its lines are empty (2 of 3 trainings)",))
    scores = [dead, mt("gloss", 20.0)]
    grid = mt_grid(scores, [], "BLEU")
    assert grid
    assert grid.rows[0][2:] == ["30.0 not usable", "20.0 ±1.0"]
    best, why = mt_verdicts(scores, [])
    assert best.startswith("ind → jav: gloss scores highest")
    assert why == (
        "base is not usable in ind → jav (100% of its lines are empty (2 of 3 trainings))."
    )
    assert mt_verdicts([dead], []).__next__() == "ind → jav: no system is usable."


def test_the_report_tells_which_text_was_kept_out_and_which_lines_were_lost() -> None:
    synthetic = {"stage": "Synthetic", "label": "base-1-x", "counts": {"kept": 0}, "ills": ["ill"]}
    forced = {**synthetic, "label": "base-2-x", "counts": {"kept": 9}}
    whole = {
        "stage": "Translation",
        "label": "whole",
        "counts": {"dev": 9},
        "cut_short": {"dev": 0},
    }
    cut = {**whole, "label": "cut", "cut_short": {"dev": 4}}
    manifests = [synthetic, forced, whole, cut, {**synthetic, "ills": []}]
    assert list(kept_out(manifests)) == [
        "Synthetic text base-1-x is not usable and not trained on: ill.",
        "Synthetic text base-2-x is not usable and trained on all the same (`force`): ill.",
    ]
    assert list(cut_short(manifests)) == ["Translation cut: 4 of 9 lines came back far too short."]


def test_a_system_that_was_stopped_too_early_is_marked_everywhere() -> None:
    def training(label: str, *losses: float) -> Training:
        looks = [Validation(500 * (n + 1), loss) for n, loss in enumerate(losses)]
        return Training(label, [looks], "1", 1, "", "fp32", 1.0)

    trained = [
        training("base-1", 5.0, 4.0, 3.99),
        training("bt-1", 5.0, 4.0, 3.99),
        training("bt-2", 5.0, 4.0, 3.8),
    ]
    grid = mt_grid([mt("base", 20.0), mt("bt", 24.0)], [], "BLEU", unfinished(trained))
    assert grid
    assert grid.columns == ["direction", "copy", "base", "bt ↓"]
    assert grid.note.endswith("↓: not converged, its dev loss still fell when the updates ended")
    assert list(not_converged(trained)) == [
        "bt has not converged: when the updates ended, the dev loss of 1 of 2 trainings still "
        "fell, by up to 5.0 % from one look to the next. More `max_updates` may change its scores."
    ]
    assert list(not_converged(trained[:1])) == []


def test_a_way_of_a_dead_system_is_marked_and_never_recommended() -> None:
    ill = ("ind → jav: 100% of its lines are empty",)
    scores = [replace(s, ills=ill if s.system == "gloss" else ()) for s in TASK]
    (grid,) = task_grids(scores, [])
    cells = {row[0]: row[1] for row in grid.rows}
    assert cells["translate-train (gloss)"] == "0.550 not usable"
    assert cells["translate-train (bt)"] == "0.500 ±0.050"
    (sentence,) = task_verdicts(scores, [answer(0.01)])
    assert "use translate-train" not in sentence
    assert "its system is not usable (ind → jav: 100% of its lines are empty)" in sentence
    best = {s.strategy: s.system for s in best_of_strategies(scores)}
    assert best["translate-train"] == "bt"


def test_a_gain_over_a_dead_system_is_said_to_be_one() -> None:
    ill = ("ind → jav: 100% of its lines are empty",)
    tested = answer(0.01)
    dead = [
        replace(s, ills=ill) if way_name(s.strategy, s.system, s.encoder) == tested.second else s
        for s in TASK
    ]
    (sentence,) = task_verdicts(dead, [tested])
    assert f"over {tested.second}, whose system is not usable (p" in sentence
    assert "whose system is not usable" not in next(iter(task_verdicts(TASK, [tested])))


def test_a_comparison_with_a_dead_system_says_so() -> None:
    scores = [mt("bt", 20.0), mt("base", 0.0, ills=("empty",))]
    tested = replace(answer(0.01), of="mt", first="bt", second="base", where="ind-jav")
    tested = replace(tested, metric="BLEU", family="each direction")
    said, *_ = mt_verdicts(scores, [tested])
    assert said.endswith(" base is not usable in places.")
    ways = replace(
        answer(0.01), first="translate-train (bt)", second="translate-train (gloss)",
        where=f"{TASK[0].task}/all", family="systems",
    )  # fmt: skip
    dead = [replace(s, ills=("empty",)) if s.system == "gloss" else s for s in TASK]
    *_, marked = task_verdicts(dead, [ways])
    *_, plain = task_verdicts(TASK, [ways])
    assert marked == f"{plain} translate-train (gloss) is not usable in places."


def test_a_gain_by_a_dead_system_has_no_price() -> None:
    gain = Gain("bt over base, BLEU", 2.0, 60.0)
    dead = replace(gain, not_usable=("base",))
    _, grid = cost_grids([], [gain, dead])
    assert [row[-1] for row in grid.rows] == ["30 s", "base not usable"]


@pytest.mark.parametrize(
    ("strategy", "ill"),
    [("translate-train", True), ("translate-test", False), ("zero-shot", False)],
)
def test_a_way_is_ill_where_it_needs_a_direction_that_is(strategy: str, ill: bool) -> None:
    dead = [
        mt("bt", 0.0, direction="ind-jav", ills=("empty",)),
        mt("bt", 20.0, direction="jav-ind"),
    ]
    way = task(strategy, "" if strategy == "zero-shot" else "bt", 0.5)
    assert with_ills(way, "ind", dead).ills == (("ind → jav: empty",) if ill else ())
    assert with_ills(replace(way, language="sun"), "ind", dead).ills == ()


def test_a_tasks_own_text_tells_whether_a_way_is_usable_and_else_the_test_set() -> None:
    way = replace(task("translate-train", "bt", 0.5), task="topic")
    dead = [mt("bt", 0.0, direction="ind-jav", ills=("empty",))]
    ill = guard("bt", ills=("99% of its lines are copies",))
    assert with_ills(way, "ind", dead, [guard("bt")]).ills == ()
    assert with_ills(way, "ind", [], [ill]).ills == ("ind → jav: 99% of its lines are copies",)
    for other in (replace(ill, task="other"), replace(ill, system="base"), guard("bt", "jav-ind")):
        assert with_ills(way, "ind", dead, [other]).ills == ("ind → jav: empty",)


def test_what_came_back_of_a_tasks_text_is_a_table() -> None:
    ill = guard("bt", "jav-ind", translated=0.0, empty=1.0, ills=("all empty",))
    (grid, other) = guard_grids([guard("bt"), ill, guard("bt", task="stance")])
    assert grid.title == "topic: translated text"
    assert grid.rows == [
        ["ind → jav", "bt", "2,978", "2,970", "0.0%", "1.5%", "98.0%", "0.0%", "1.04", "25.0%", ""],
        ["jav → ind", "bt", "2,978", "0", "100.0%", "1.5%", "98.0%", "0.0%", "1.04", "25.0%",
         "not usable: all empty"],
    ]  # fmt: skip
    assert other.title == "stance: translated text"
    (read,) = guard_grids([guard("bt", unknown_pieces={"e5": 0.0123})])
    assert dict(zip(read.columns, read.rows[0], strict=True))["unknown to e5"] == "1.23%"


def known(match: str, count: int, *, pair: str = "ind-jav", to: str = "topic-ind") -> Record:
    return overlap(f"MT train {pair}", f"task train {to}", "ind", match, count)


@pytest.mark.parametrize(
    ("overlaps", "said"),
    [
        ([known("id", 80), known("exact", 70), known("near", 5)], "80 of 100"),
        ([known("id", 20), known("exact", 60), known("near", 15)], "75 of 100"),
        ([known("exact", 60), known("exact", 90, pair="ind-sun")], "90 of 100"),
        ([known("exact", 50)], ""),
        ([known("exact", 90, to="topic-jav")], ""),
        ([overlap("monolingual ind", "task train topic-ind", "ind", "exact", 90)], ""),
        ([overlap("MT train ind-jav", "task test topic-ind", "ind", "exact", 90)], ""),
        ([], ""),
    ],
)
def test_training_items_that_mt_knows_are_counted_once_each(
    overlaps: list[Record], said: str
) -> None:
    found = list(known_items(overlaps, "ind", ["topic", "stance"]))
    assert len(found) == bool(said)
    if said:
        assert found[0].startswith(f"translate-train: {said} training items of topic (ind) are MT ")


def test_only_who_trains_on_translations_is_cautioned() -> None:
    overlaps = [known("exact", 90)]
    for strategy, cautions in (("translate-train", 1), ("translate-test", 0), ("zero-shot", 0)):
        score = replace(task(strategy, "" if strategy == "zero-shot" else "bt", 0.5), task="topic")
        assert len([*mostly_training_text(overlaps, "ind", [score])]) == cautions


def test_figures_as_csv_hold_lists_that_people_and_spreadsheets_read() -> None:
    score = mt("bt", 20.0, parents=("base", "gloss"), ills=("empty", "copied"))
    rows = list(csv.DictReader(io.StringIO(scores_csv([score, mt("gloss", 10.0)]))))
    assert [(r["parents"], r["ills"]) for r in rows] == [("base; gloss", "empty; copied"), ("", "")]
    looked_at = guard("bt", unknown_pieces={"e5": 0.1, "mbert": 0.0})
    (row,) = csv.DictReader(io.StringIO(scores_csv([looked_at])))
    assert row["unknown_pieces"] == "e5: 0.1; mbert: 0.0"
