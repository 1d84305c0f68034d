"""Before a run: what there is, who knows the languages, what can be done, what it costs."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pipeline.dag import all_stages, find_stages
from pipeline.looking.abilities import Scripts, transfer
from pipeline.looking.data_tables import duration, readiness_grids, remarks, size
from pipeline.looking.history import Forecast, History
from pipeline.looking.planning import plan, plan_summary
from pipeline.looking.readiness import LanguageReadiness, Readiness, readiness
from pipeline.looking.supply import COUNTED, NOT_FETCHED, NOT_MADE
from pipeline.looking.workload import ToBuild, work_of
from pipeline.running import building
from pipeline.specs.loading import MANIFESTS, load_experiment
from pipeline.stages.corpora import Bitext
from pipeline.stages.leakage import LeakAudit
from tests.conftest import (
    TINY_EXPERIMENT,
    pair_manifest,
    task_manifest,
    write_experiment,
    write_yaml,
)

SHIPPED = sorted(path.stem for path in (MANIFESTS / "experiments").glob("*.yaml"))


def of(found: Readiness, language: str) -> LanguageReadiness:
    return next(known for known in found.languages if known.language == language)


@pytest.mark.parametrize("experiment", SHIPPED)
def test_every_shipped_experiment_is_ready(store: Path, experiment: str) -> None:
    found = readiness(experiment)
    assert found.problems == []
    assert len(found.languages) == len(load_experiment(experiment).languages) + 1
    assert json.loads(found.as_json())["experiment"] == experiment
    assert list(readiness_grids(found))
    assert not store.exists()  # it looks, it builds nothing


def test_training_items_that_mt_knows_are_a_caution_once_texts_were_compared(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert readiness("nusa").cautions == []
    overlap = {
        "from": "MT train ind-jav",
        "to": "task train nusa-emotion-ind",
        "language": "ind",
        "match": "exact",
        "count": 2310,
        "share": 2310 / 2978,
    }
    built = SimpleNamespace(manifest={"overlaps": [overlap]})
    monkeypatch.setattr(LeakAudit, "usable", lambda _: True)
    monkeypatch.setattr(LeakAudit, "artifact", built)
    (caution,) = readiness("nusa").cautions
    assert caution.startswith(
        "translate-train: 2,310 of 2,978 training items of nusa-emotion (ind)"
    )
    assert "MT training text of ind-jav" in caution


def test_nothing_fetched_is_said_and_the_split_is_known(store: Path) -> None:
    swahili = of(readiness("bible"), "swh")
    assert swahili.bitext[0].state == NOT_FETCHED
    assert swahili.bitext[0].parts == {"train": None, "dev": 200, "test": 300}
    assert swahili.monolingual.state == "none"
    assert swahili.scripts == ["Latn"]
    assert not swahili.scripts_seen


def test_invented_languages_are_known_to_no_model(tiny: Path) -> None:
    found = readiness(str(tiny))
    for language in found.languages:
        assert language.invented
        assert {known.known for known in language.families.values()} == {"no"}
        assert language.comet.possible == "no"
        assert language.scripts == []
        assert language.bitext[0].state == NOT_MADE
    assert [cost.unknown for cost in found.costs] == [cost.missing for cost in found.costs]


def test_what_is_built_is_counted_and_looked_at(tiny: Path) -> None:
    building.run([Bitext(experiment=str(tiny), pair="hub-sis")])
    found = readiness(str(tiny))
    sister = of(found, "sis")
    assert sister.bitext[0].state == COUNTED
    assert sister.bitext[0].parts == {"train": 330, "dev": 30, "test": 40}
    assert sister.scripts == ["Latn"]
    assert sister.scripts_seen
    assert sister.pieces_a_word is None
    assert sister.pieces_missing == "no subword model yet"
    costs = {cost.stage: cost for cost in found.costs}
    assert (costs["Bitext"].done, costs["Bitext"].missing) == (1, 0)


def test_subwords_are_counted_where_a_model_exists(tiny: Path) -> None:
    building.run(find_stages(str(tiny), "SubwordModel"))
    sister = of(readiness(str(tiny)), "sis")
    assert sister.pieces_a_word is not None
    assert 1 <= sister.pieces_a_word < 8
    after_the_guard = sister.bitext[0].parts["train after the guard"]
    assert after_the_guard is not None
    assert 300 < after_the_guard <= 330


def test_what_a_test_set_could_tell_is_said_once_it_is_counted(tiny: Path) -> None:
    building.run(find_stages(str(tiny), "LabelledData"))
    (said,) = [line for line in remarks(readiness(str(tiny))) if line.startswith("stance: with")]
    assert "60 test items" in said
    assert "16.2 points" in said  # 2.8 * sqrt(.2 / 60)


def test_comet_needs_both_sides(store: Path) -> None:
    world, nusa = readiness("world"), readiness("nusa")
    assert {of(world, code).comet.possible for code in ("eng", "spa", "hin", "vie")} == {"yes"}
    assert of(nusa, "jav").comet.possible == "yes"
    assert of(nusa, "min").comet.possible == "no"
    assert "has not seen min" in of(nusa, "min").comet.why
    assert of(nusa, "jav").families["mbart-50"].known == "no"


def test_licences_stand_beside_what_they_ask(store: Path) -> None:
    asked = {source.corpus: source for source in readiness("world").sources}
    assert "share alike" in asked["sib-200"].consequence
    assert "sib-topic hin" in asked["sib-200"].used_for


def test_another_script_leaves_character_ngrams_without_a_hold(store: Path) -> None:
    found = readiness("world")
    assert of(found, "spa").strategies["sib-topic"]["zero-shot"].possible == "yes"
    hindi = of(found, "hin").strategies["sib-topic"]
    assert hindi["zero-shot"].possible == "in part"
    assert hindi["translate-test"].possible == "yes"
    assert any(line.startswith("hin: no letters in common") for line in remarks(found))


def test_without_test_items_nothing_can_be_done_for_a_language() -> None:
    study = load_experiment("nusa-mini")
    task = study.task("nusa-emotion")
    abilities = transfer(study, task, "ban", scripts=Scripts([], []))
    assert {ability.possible for ability in abilities.values()} == {"no"}
    assert "nusa-emotion has no text in ban" in abilities["zero-shot"].why


def without_monolingual(folder: Path, *languages: str, **changes: object) -> str:
    experiment = write_experiment(folder, **changes)
    pair: dict[str, Any] = pair_manifest("sis")
    pair["monolingual"] = {c: t for c, t in pair["monolingual"].items() if c not in languages}
    write_yaml(folder / "pairs" / "hub-sis.yaml", pair)
    return str(experiment)


@pytest.mark.parametrize(
    ("languages", "recipe", "possible", "why"),
    [
        ([], {}, "yes", "text in sis and hub"),
        (["sis"], {}, "in part", "no monolingual text in sis; text in hub is back-translated"),
        (["hub"], {}, "in part", "no monolingual text in hub; text in sis is back-translated"),
        (["hub"], {"task_text": True}, "yes", "text in sis and hub"),
        (["sis", "hub"], {}, "no", "no monolingual text in sis or hub"),
    ],
)
def test_back_translation_needs_text(
    tmp_path: Path,
    store: Path,
    languages: list[str],
    recipe: dict[str, object],
    possible: str,
    why: str,
) -> None:
    experiment = without_monolingual(tmp_path, *languages, monolingual=recipe)
    found = of(readiness(experiment), "sis").back_translation
    assert found.possible == possible
    assert why in found.why


def test_without_a_system_that_reads_it_synthetic_text_is_not_made(
    tmp_path: Path, store: Path
) -> None:
    systems = {"gloss": {"kind": "gloss"}, "base": {"kind": "trained"}}
    encoders = {"char-ngram": {"kind": "ngrams"}}
    experiment = write_experiment(tmp_path, systems=systems, transfer={"encoders": encoders})
    found = of(readiness(str(experiment)), "sis").back_translation
    assert (found.possible, found.why) == ("no", "no system trains on synthetic text")


def local_task(folder: Path, *parts: str) -> dict[str, object]:
    """Write labelled files of some parts and return a task that reads them in both languages."""
    folder.mkdir(parents=True)
    for part in parts:
        (folder / f"{part}.csv").write_text("id,text,label\n1,baik,praise\n", encoding="utf-8")
    source = {
        "kind": "files",
        "base": str(folder),
        "files": [{"name": f"{part}.csv", "split": part} for part in parts],
        "format": {"kind": "csv", "id": "id", "columns": {"text": "text", "label": "label"}},
    }
    corpus = {"name": "local", "licence": "unknown", "source": source}
    return {**task_manifest(()), "texts": {"hub": corpus, "sis": corpus}}


def ready(experiment: Path | str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-P", "-m", "pipeline.commands.app", "ready", str(experiment)]
    return subprocess.run([*command, *arguments], capture_output=True, text=True, check=False)


def test_the_command_says_what_is_missing_and_fails(tmp_path: Path, store: Path) -> None:
    experiment = write_experiment(tmp_path)
    task = local_task(tmp_path / "data", "train", "dev")
    write_yaml(tmp_path / "tasks" / "stance.yaml", task)
    (tmp_path / "data" / "dev.csv").unlink()
    result = ready(experiment, "--format", "json")
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    problems = json.loads(result.stdout)["problems"]
    assert result.stderr == "".join(f"not ready: {problem}\n" for problem in problems)
    assert any("dev.csv: no such file" in problem for problem in problems)
    assert "task stance, sis: none of its files has `split: test`" in problems


def test_a_changed_file_is_a_problem(tmp_path: Path, store: Path) -> None:
    experiment = write_experiment(tmp_path)
    task: dict[str, Any] = local_task(tmp_path / "data", "train", "test")
    task["texts"]["hub"]["source"]["files"][0]["sha256"] = "0" * 64
    write_yaml(tmp_path / "tasks" / "stance.yaml", task)
    (problem, *_) = readiness(str(experiment)).problems
    assert problem.endswith("train.csv: checksum differs")


def test_a_full_disk_is_a_problem(tiny: Path, store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_build(store, "TrainedModel", "base-1", seconds=60, size=5_000_000)
    usage = shutil.disk_usage(tiny)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=1_000_000))
    assert any(problem.startswith("disk: about") for problem in readiness(str(tiny)).problems)


def test_the_command_prints_tables_for_people(tiny: Path) -> None:
    result = ready(tiny)
    assert result.returncode == 0, result.stderr
    for title in ("Data", "Who knows the language", "What can be done", "Licences", "Cost"):
        assert title in result.stdout
    assert "NLLB-200" in result.stdout


def test_the_command_knows_experiments_alone(store: Path) -> None:
    result = ready("sandbix")
    assert result.returncode == 1
    assert "did you mean 'sandbox'" in result.stderr


def write_build(
    store: Path, stage: str, label: str, *, seconds: float, size: int, **facts: object
) -> None:
    files = {"a": {"bytes": size - 1}, "b": {"bytes": 1}}
    name = "-".join([label, *map(str, facts.values())])
    manifest = {"stage": stage, "label": label, "seconds": seconds, "files": files, **facts}
    folder = store / stage / name
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")


def test_costs_are_those_of_the_same_stage_else_the_median_of_its_kind(
    tiny: Path, store: Path
) -> None:
    for n, seconds in enumerate((10.0, 20.0, 90.0)):
        write_build(store, "TrainedModel", "base-9", seconds=seconds, size=100, experiment=f"e{n}")
    old, new = {"finished": "2026-01-01"}, {"finished": "2026-02-01"}
    write_build(store, "TrainedModel", "base-1", seconds=7, size=50, experiment="tiny", **old)
    write_build(store, "TrainedModel", "base-1", seconds=5, size=60, experiment="tiny", **new)
    history = History(store)
    first, second = find_stages(str(tiny), "TrainedModel:base-1") + find_stages(
        str(tiny), "TrainedModel:bt-1"
    )
    assert history.estimate(first) == Forecast(5, 60, "as built earlier")
    assert history.estimate(second) == Forecast(10, 100, "median of 5 of its kind")
    (cost,) = history.costs([first, second])
    assert (cost.missing, cost.unknown, cost.seconds, cost.size) == (2, 0, 15, 160)
    assert cost.basis == "1 as built earlier; 1 median of 5 of its kind"


def test_the_seconds_of_an_interrupted_build_are_not_its_cost(tiny: Path, store: Path) -> None:
    write_build(store, "TrainedModel", "base-1", seconds=3, size=40, experiment="tiny", attempt=2)
    (stage,) = find_stages(str(tiny), "TrainedModel:base-1")
    assert History(store).estimate(stage)[:2] == (None, 40)
    write_build(store, "TrainedModel", "base-1", seconds=80, size=60, experiment="other")
    assert History(store).estimate(stage) == Forecast(80, 40, "median of 1 of its kind")
    summed = {"attempt": 3, "seconds_before": 50.0, "finished": "2026-03-01"}
    write_build(store, "TrainedModel", "base-1", seconds=70, size=41, experiment="tiny", **summed)
    assert History(store).estimate(stage) == Forecast(70, 41, "as built earlier")


RECIPE = {
    "encoder_layers": 1,
    "decoder_layers": 1,
    "width": 32,
    "feed_forward": 64,
    "batch_tokens": 1024,
    "max_updates": 20,
    "fine_tune_updates": 10,
    "processes": 1,
}
PARAMETERS = (4 * 32**2 + 2 * 32 * 64) + (8 * 32**2 + 2 * 32 * 64) + 300 * 32
"""Of the tiny experiment's models: an encoder layer, a decoder layer, 300 subwords."""


def write_training(
    store: Path, label: str, *, seconds: float, done: int | None = None, **changes: Any
) -> None:
    """Write the manifest of a training of the tiny experiment's recipe but for changes."""
    facts = {key: changes.pop(key) for key in ("experiment", "machine") if key in changes}
    subwords = store / "SubwordModel" / "joint-1"
    subwords.mkdir(parents=True, exist_ok=True)
    (subwords / "manifest.json").write_text(json.dumps({"spec": {"recipe": {"size": 300}}}))
    recipe = {**RECIPE, **changes}
    updates = done or recipe["max_updates"] + recipe["fine_tune_updates"]
    manifest = {
        "stage": "TrainedModel",
        "label": label,
        "seconds": seconds,
        "files": {"weights": {"bytes": 1000}},
        "upstream": ["SubwordModel/joint-1"],
        "spec": {"recipe": recipe},
        "training": {"phases": [{"validations": [[updates, 1.0]]}]},
        **facts,
    }
    folder = store / "TrainedModel" / f"{label}-{len(list(store.glob('*/*')))}"
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")


def training(tiny: Path) -> Any:
    (stage,) = find_stages(str(tiny), "TrainedModel:base-1")
    return stage


def test_a_training_is_estimated_by_its_parameters_tokens_and_updates(
    tiny: Path, store: Path
) -> None:
    write_training(store, "large", seconds=600, max_updates=200, fine_tune_updates=100)
    found = History(store).estimate(training(tiny))
    assert found.seconds == pytest.approx(60)
    measure = "parameters, tokens and updates"
    assert found.basis == f"scaled by {measure} from 1 of its kind"
    (cost,) = History(store).costs([training(tiny)])
    assert cost.basis == found.basis


def test_a_wider_model_takes_longer_and_more_disk(tmp_path: Path, store: Path) -> None:
    write_training(store, "small", seconds=10)
    nmt = {"nmt": {**TINY_EXPERIMENT["nmt"], "width": 64, "feed_forward": 128}}  # type: ignore[dict-item]
    (stage,) = find_stages(str(write_experiment(tmp_path, **nmt)), "TrainedModel:base-1")
    wider = (4 * 64**2 + 2 * 64 * 128) + (8 * 64**2 + 2 * 64 * 128) + 300 * 64
    found = History(store).estimate(stage)
    assert found.seconds == pytest.approx(10 * wider / PARAMETERS)
    assert found.size == pytest.approx(1000 * wider / PARAMETERS)


def test_updates_that_patience_saved_are_no_speed(tiny: Path, store: Path) -> None:
    write_training(store, "patient", seconds=100, done=100, max_updates=1000, fine_tune_updates=0)
    assert History(store).estimate(training(tiny)).seconds == pytest.approx(30)


def test_a_training_without_a_budget_goes_as_far_as_others_went(
    tmp_path: Path, store: Path
) -> None:
    nmt = {**TINY_EXPERIMENT["nmt"], "max_updates": 40_000}  # type: ignore[dict-item]
    (stage,) = find_stages(str(write_experiment(tmp_path, nmt=nmt)), "TrainedModel:base-1")
    write_training(store, "fixed", seconds=30)
    assert History(store).estimate(stage).seconds == pytest.approx(40_010)
    for done in (300, 500, 900):
        write_training(store, "free", seconds=done, done=done, max_updates=40_000)
    found = History(store).estimate(stage)
    assert found.seconds == pytest.approx(500)
    assert found.basis.endswith("of its kind, as far as others went")


def test_a_training_with_another_recipe_is_scaled_from_its_own_last_build(
    tiny: Path, store: Path
) -> None:
    write_training(store, "other", seconds=1)
    write_training(
        store,
        "base-1",
        experiment="tiny",
        seconds=50,
        max_updates=80,
        fine_tune_updates=20,
        done=60,
    )
    found = History(store).estimate(training(tiny))
    assert found.seconds == pytest.approx(15)
    assert found.basis.startswith("as built earlier, scaled by parameters, tokens and updates")


def test_the_nearest_builds_tell_and_those_of_this_machine_first(tiny: Path, store: Path) -> None:
    write_training(store, "far", seconds=9999, max_updates=90_000)
    for seconds in (10, 11, 12):
        write_training(store, "near", seconds=seconds)
    assert History(store).estimate(training(tiny)).seconds == pytest.approx(11)
    write_training(store, "elsewhere", seconds=1, machine="a very quick one, 999 cores")
    assert History(store).estimate(training(tiny)).seconds == pytest.approx(11)


def test_builds_of_other_machines_alone_are_said_to_be_that(tiny: Path, store: Path) -> None:
    write_training(store, "elsewhere", seconds=1, machine="a very quick one, 999 cores")
    assert History(store).estimate(training(tiny)).basis.endswith("of its kind, of other machines")
    planned = {stage.name: stage for stage in plan(str(tiny))}
    assert planned["TrainedModel:base-1"].basis.endswith("of other machines")
    assert "(estimated: 4 scaled by parameters" in plan_summary(list(planned.values()))


def test_translations_are_estimated_by_their_lines_counted_or_at_most(
    tiny: Path, store: Path
) -> None:
    manifest = {
        "stage": "Translation",
        "label": "gloss-1-bitext",
        "seconds": 7.0,
        "files": {},
        "upstream": [],
        "spec": {"engine": {"kind": "gloss"}, "parts": ["dev", "test"]},
        "counts": {"dev": 30, "test": 40},
    }
    folder = store / "Translation" / "bitext-1"
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text(json.dumps(manifest))
    history = History(store)
    (task,) = find_stages(str(tiny), "Translation:gloss-1-task-stance-hub-sis-*")
    (text,) = find_stages(str(tiny), "LabelledData:stance-hub")
    found = history.estimate(task)  # its text is not built, and nothing limits it
    assert found.basis == "median of 1 of its kind"
    building.run([text])
    found = history.estimate(task)
    assert found.seconds == pytest.approx(7.0 * 120 / 70)
    assert found.basis == "scaled by lines and parameters from 1 of its kind"


def test_monolingual_text_that_is_not_drawn_yet_has_at_most_its_limit(
    tiny: Path, store: Path
) -> None:
    (text,) = find_stages(str(tiny), "Translation:base-1-real-sis-hub-*")
    work = work_of(ToBuild(text))
    assert work is not None
    assert work.kind == ("translation", "trained")
    assert work.planned == pytest.approx(200 * PARAMETERS)


def test_encodings_are_estimated_by_their_items(tiny: Path, store: Path) -> None:
    (text,) = find_stages(str(tiny), "EncodedText:stance-hub-1-nmt-encoder")
    assert work_of(ToBuild(text)) is None
    building.run(find_stages(str(tiny), "LabelledData:stance-hub"))
    work = work_of(ToBuild(text))
    assert work is not None
    assert work.planned == pytest.approx(180 * PARAMETERS)


def test_a_broken_manifest_in_the_store_is_passed_over(tiny: Path, store: Path) -> None:
    (store / "TrainedModel" / "odd").mkdir(parents=True)
    (store / "TrainedModel" / "odd" / "manifest.json").write_text("{")
    costs = History(store).costs(all_stages(str(tiny)))
    assert all(cost.unknown == cost.missing for cost in costs)


@pytest.mark.parametrize(
    ("seconds", "said"), [(4.4, "4 s"), (59.4, "59 s"), (90, "2 min"), (3900, "1 h 05 min")]
)
def test_durations_are_said_as_people_do(seconds: float, said: str) -> None:
    assert duration(seconds) == said


@pytest.mark.parametrize(
    ("count", "said"), [(0, "0 B"), (999, "999 B"), (1_500_000, "2 MB"), (2_500_000_000, "2.5 GB")]
)
def test_sizes_are_said_as_people_do(count: int, said: str) -> None:
    assert size(count) == said
