"""Whole experiments, as a user runs them: build, rerun, use the result."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from sklearn.metrics import f1_score

from tasks.auditing import audit
from tasks.leakage import HeldOutIndex, LeakRules, TextSet
from tasks.records import column_names, read_columns
from tests.conftest import Study
from tests.test_commands import LUIGI, sprachbund
from tests.torture import contents, manifests

pytestmark = pytest.mark.system


def test_a_study_leaves_artifacts_and_nothing_else(tiny_study: Study) -> None:
    _, store = tiny_study
    assert not [path for path in (store / ".work").rglob("*") if path.is_file()]
    for name, manifest in manifests(store).items():
        listed = {*manifest["files"], "manifest.json"}
        found = {
            str(path.relative_to(store / name))
            for path in (store / name).rglob("*")
            if path.is_file()
        }
        assert found == listed, name


def test_a_second_run_builds_nothing(tiny_study: Study) -> None:
    experiment, store = tiny_study
    before = manifests(store)
    result = sprachbund("run", str(experiment), SPRACHBUND_STORE=str(store))
    assert result.returncode == 0
    assert "0 stages built" in result.stderr
    assert manifests(store) == before


def test_every_kind_of_score_is_reported(tiny_study: Study) -> None:
    experiment, store = tiny_study
    result = sprachbund("scores", str(experiment), "--format", "json", SPRACHBUND_STORE=str(store))
    records = json.loads(result.stdout)
    mt = [r for r in records if r["kind"] == "mt"]
    parents = {(r["system"], *r["parents"], r["replicates"]) for r in mt}
    assert parents == {("gloss", 1), ("base", 2), ("bt", "base", 2)}
    assert {r["direction"] for r in mt} == {"hub-sis", "sis-hub"}
    for r in mt:
        assert r["signature"]
        assert r["n"] == 40
        assert 0 <= r["low"] <= r["high"] <= 100
        assert r["copy"] > 0
    task = [r for r in records if r["kind"] == "task"]
    assert {r["strategy"] for r in task} == {
        "zero-shot",
        "translate-train",
        "translate-test",
        "in-language",
        "source",
    }
    assert {r["encoder"] for r in task} == {"char-ngram", "nmt-encoder"}
    assert {r["system"] for r in task} == {"", "gloss", "base", "bt"}
    for r in task:
        language = "hub" if r["strategy"] == "source" else "sis"
        assert (r["language"], r["n"], r["seeds"]) == (language, 60, 2)
        assert 0 <= r["low"] <= r["score"] <= r["high"] <= 1


def test_contrasts_are_reported_with_what_they_could_find(tiny_study: Study) -> None:
    experiment, store = tiny_study
    result = sprachbund("scores", str(experiment), "--format", "json", SPRACHBUND_STORE=str(store))
    contrasts = [r for r in json.loads(result.stdout) if r["kind"] == "contrast"]
    mt = [r for r in contrasts if r["of"] == "mt"]
    assert {(r["first"], r["second"]) for r in mt} == {("bt", "base")}
    assert {r["where"] for r in mt} == {"all", "hub-sis", "sis-hub"}
    for r in contrasts:
        assert r["low"] <= r["difference"] <= r["high"]
        assert r["p"] is None or 0 <= r["p"] <= 1
        assert r["mdd"] >= 0
    assert {r["family"] for r in contrasts if r["of"] == "task"} == {"answers", "systems"}


def test_the_report_is_one_file_that_answers(tiny_study: Study) -> None:
    _, store = tiny_study
    (report,) = store.glob("Report/*")
    page = (report / "report.html").read_text(encoding="utf-8")
    assert page.count('<svg class="chart"') == 3
    assert "What to use for" in page
    assert not re.search(r"""(src|href)=["'](?!#)|url\(|@import""", page)
    text = (report / "report.md").read_text(encoding="utf-8")
    for wanted in ("macro-F1", "BLEU", "CC0-1.0", "TrainedModel", "ctranslate2", "noise"):
        assert wanted in text
        assert wanted in page


def test_translate_gives_a_line_for_a_line(tiny_study: Study) -> None:
    experiment, store = tiny_study
    lines = ["ba da", "", "  ", "unseen ѫ words", "last"]
    for system in ("gloss", "bt"):
        result = sprachbund(
            *("translate", str(experiment), "--from", "hub", "--to", "sis", "--system", system),
            stdin="\n".join(lines) + "\n",
            SPRACHBUND_STORE=str(store),
        )
        assert result.returncode == 0, result.stderr
        assert result.stdout.count("\n") == len(lines)


def test_translate_takes_the_system_that_is_best_on_dev_data(tiny_study: Study) -> None:
    experiment, store = tiny_study
    result = sprachbund("scores", str(experiment), "--format", "json", SPRACHBUND_STORE=str(store))
    scores = [
        r
        for r in json.loads(result.stdout)
        if (r.get("direction"), r.get("metric")) == ("hub-sis", "BLEU") and not r["ills"]
    ]
    best = max(scores, key=lambda r: float(r["dev"]))
    result = sprachbund(
        *("translate", str(experiment), "--from", "hub", "--to", "sis"),
        stdin="ba da\n",
        SPRACHBUND_STORE=str(store),
    )
    assert (
        f"translated by {best['system']} (the best on dev data: {best['dev']:.1f}" in result.stderr
    )


def test_show_prints_manifest_and_records(tiny_study: Study) -> None:
    _, store = tiny_study
    (artifact,) = store.glob("Bitext/*")
    result = sprachbund("show", str(artifact))
    assert '"stage": "Bitext"' in result.stdout
    assert '"id": "sandbox:s' in result.stdout


def test_a_finished_run_is_compared_by_its_report(tiny_study: Study) -> None:
    experiment, store = tiny_study
    (report,) = store.glob("Report/*")
    result = sprachbund(
        *("diff", str(experiment), str(report), "--format", "json", "--resamples", "100"),
        SPRACHBUND_STORE=str(store),
    )
    assert result.returncode == 0, result.stderr
    record = json.loads(result.stdout)
    assert record["recipe"] == record["counts"] == []
    assert {s["metric"] for s in record["scores"]} == {"BLEU", "chrF++", "macro-F1"}
    assert {(s["first"] == s["second"], s["p_value"]) for s in record["scores"]} == {(True, 1.0)}


def test_a_study_is_whole_and_its_cost_and_gain_are_told(tiny_study: Study) -> None:
    experiment, store = tiny_study
    assert sprachbund("verify", SPRACHBUND_STORE=str(store)).returncode == 0
    result = sprachbund("cost", str(experiment), "--format", "json", SPRACHBUND_STORE=str(store))
    record = json.loads(result.stdout)
    assert record["stages"][-1]["stages"] == len(manifests(store))
    assert {gain["what"] for gain in record["gains"]} == {
        "bt over base, BLEU",
        "bt over base, chrF++",
    }
    assert sprachbund("gc", "--keep-days", "0", SPRACHBUND_STORE=str(store)).stdout == ""


def test_rerun_rebuilds_a_stage_and_its_descendants_alone(
    tiny_study: Study, tmp_path: Path
) -> None:
    experiment, original = tiny_study
    store = tmp_path / "store"
    shutil.copytree(original, store)
    before = manifests(store)
    result = sprachbund(
        "rerun",
        str(experiment),
        "Translation:gloss-1-task-stance-hub-sis-*",
        SPRACHBUND_STORE=str(store),
    )
    assert result.returncode == 0, result.stderr
    after = manifests(store)
    assert after.keys() == before.keys()
    rebuilt = {name.partition("/")[0] for name in after if after[name] != before[name]}
    below = {"Translation", "TextHealth", "EncodedText", "Classifiers", "Predictions"}
    below |= {"TaskScores", "TaskContrasts", "Report"}
    assert rebuilt == below
    assert contents(store) == contents(original)


def test_luigi_itself_runs_the_study(tiny_study: Study) -> None:
    experiment, store = tiny_study
    result = subprocess.run(
        [*LUIGI, "--experiment", str(experiment)],
        capture_output=True,
        text=True,
        env={**os.environ, "SPRACHBUND_STORE": str(store)},
        check=False,
    )
    assert result.returncode == 0, result.stderr


def on_real_corpora(*arguments: str, store: Path) -> str:
    """Run a command on real corpora; return what it prints."""
    if "SPRACHBUND_MIRROR" not in os.environ:
        pytest.skip("needs SPRACHBUND_MIRROR: real corpora are not part of the project")
    result = sprachbund(*arguments, SPRACHBUND_STORE=str(store))
    assert result.returncode == 0, result.stderr
    return result.stdout


def scores(experiment: str, store: Path, **wanted: object) -> list[dict[str, Any]]:
    records = json.loads(on_real_corpora("scores", experiment, "--format", "json", store=store))
    return [r for r in records if all(r.get(field) == value for field, value in wanted.items())]


def test_a_slice_of_the_real_study(tmp_path: Path) -> None:
    on_real_corpora("run", "nusa-mini", store=tmp_path)
    for direction in ("jav-ind", "min-ind"):
        (gloss,) = scores(
            "nusa-mini", tmp_path, kind="mt", system="gloss", metric="BLEU", direction=direction
        )
        assert gloss["low"] > gloss["copy"]
    task = scores("nusa-mini", tmp_path, kind="task", metric="macro-F1")
    assert max(r["score"] for r in task if r["strategy"] != "in-language") > 0.3  # chance is 0.2


class Items(NamedTuple):
    """How many labelled items each part has."""

    train: int
    dev: int
    test: int


class Facts(NamedTuple):
    """What is known of a slice of real corpora.

    * ``read``: rows of the raw bitext, by pair.
    * ``labelled``: items by task and language, after those without a text are left out.
    * ``leaks``: training lines that a held-out set has by id, by pair and set.
    * ``chance``: macro-F1 of guessing.
    """

    read: dict[str, int]
    labelled: dict[str, Items]
    leaks: dict[str, dict[str, int]]
    chance: float


TICO_19, NTREX = 3071, 1997
"""Sentences of the two corpora of `world`; each is the same in all languages."""
TAXI = Items(train=860, dev=106, test=111)
"""Labelled verses of Taxi-1500 in English; a language lacks those its Bible lacks."""

REAL = {
    "bible-mini": Facts(
        read={"eng-swh": 7959, "eng-lav": 7961},  # verses of either side
        labelled={
            "taxi-topic-eng": TAXI,
            "taxi-topic-swh": Items(TAXI.train - 25, TAXI.dev - 1, TAXI.test - 2),  # lacks a book
            "taxi-topic-lav": Items(TAXI.train - 1, TAXI.dev, TAXI.test),
        },
        leaks={
            "eng-swh": {"id: task dev taxi-topic-eng": 18, "id: task test taxi-topic-eng": 16},
            "eng-lav": {"id: task dev taxi-topic-eng": 17, "id: task test taxi-topic-eng": 16},
        },
        chance=1 / 6,
    ),
    "world-mini": Facts(
        read={"eng-hin": TICO_19 + NTREX, "eng-vie": NTREX},
        labelled={f"sib-topic-{x}": Items(701, 99, 204) for x in ("eng", "hin", "vie")},
        # what Vietnamese is tested on, Hindi may not be trained on: the ids are the same
        leaks={"eng-hin": {"id: MT dev eng-vie": 50, "id: MT test eng-vie": 49}, "eng-vie": {}},
        chance=1 / 7,
    ),
    "nusax-mini": Facts(
        read={"ind-jav-nusax": 1000, "ind-min-nusax": 1000},
        labelled={f"nusax-sentiment-{x}": Items(300, 100, 200) for x in ("ind", "jav", "min")},
        # MT and task share their sentences part by part, so that none of train is in a test set
        leaks={"ind-jav-nusax": {}, "ind-min-nusax": {}},
        chance=1 / 3,
    ),
}


def leaks_left(name: str, store: Path) -> list[str]:
    """Audit what is trained on; return where held-out text still stands."""
    index = HeldOutIndex.load(next(store.glob("HeldOutText/*/held-out.parquet")), LeakRules())
    found: list[str] = []
    for path in (
        *store.glob("TrainingBitext/*/train.parquet"),
        *store.glob("MonolingualSample/*/text.parquet"),
        *store.glob("TaskText/*/text.parquet"),
    ):
        languages = {column: column for column in column_names(path)[1:-1]}
        assert languages, name
        found += [o.to for o in audit([TextSet("guarded", path, languages)], index)]
    return found


@pytest.mark.parametrize("name", REAL)
def test_a_slice_of_each_other_real_corpus(tmp_path: Path, name: str) -> None:
    """Readers, ids, guard, gloss and task, up to the training of NMT models."""
    for target in (
        "LeakAudit",
        "MtScores:gloss",
        "Predictions:*-translate-train-*-gloss-char-ngram",
    ):
        on_real_corpora("run", name, "--until", target, store=tmp_path)
    facts = REAL[name]
    counts = {(m["stage"], m["label"]): m["counts"] for m in manifests(tmp_path).values()}
    for pair, rows in facts.read.items():
        bitext = counts["Bitext", pair]
        assert bitext["read"] == rows == bitext["kept"] + sum(bitext["dropped"].values())
        guarded = counts["TrainingBitext", pair]
        found = {r: n for r, n in guarded["train"]["leaks"]["removed"].items() if r[:2] == "id"}
        assert found == facts.leaks[pair]
        assert guarded["dev"]["kept"] > 0
    assert leaks_left(name, tmp_path) == []
    for label, sizes in facts.labelled.items():
        labelled = counts["LabelledData", label]
        assert Items(labelled["train"], labelled["dev"], labelled["test"]) == sizes
    for gloss in scores(name, tmp_path, kind="mt", system="gloss", metric="BLEU"):
        assert gloss["low"] > gloss["copy"]
    predicted = [
        tmp_path / name / "predictions.parquet"
        for name, manifest in manifests(tmp_path).items()
        if manifest["stage"] == "Predictions" and "-gloss-" in manifest["label"]
    ]
    assert len(predicted) == 2
    for path in predicted:
        columns = read_columns(path, ["gold", "predicted"])
        assert f1_score(*columns.values(), average="macro") > 1.2 * facts.chance
