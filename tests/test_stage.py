"""What every stage owes its users: built once, whole or absent, rebuilt exactly when it must be."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import luigi
import pytest

from models.support.errors import SourceError, StageError
from pipeline.dag import descendants, find_stages
from pipeline.provenance import Spent
from pipeline.running import building
from pipeline.stages.stage import Inputs, Requirements, Stage
from pipeline.store import Draft, Place, publish, sweep
from tests.conftest import TINY_EXPERIMENT, pair_manifest, write_experiment, write_yaml


def log_build(name: str) -> None:
    """Note a build in a file: each stage runs in a process of its own."""
    with build_log().open("a") as log:
        log.write(f"{name}\n")


def build_log() -> Path:
    return Path(os.environ["SPRACHBUND_STORE"]).with_name("built.txt")


def built() -> list[str]:
    """Return what was built since the last call, sorted."""
    names = sorted(build_log().read_text().split()) if build_log().exists() else []
    build_log().unlink(missing_ok=True)
    return names


@dataclass(frozen=True)
class LetterSpec:
    letter: str


class OfNamedStudy(Stage[LetterSpec]):
    """A stage whose experiment is nothing but a name: there is no manifest to read."""

    @property
    def study(self) -> Any:
        return SimpleNamespace(name="x")


class Letter(OfNamedStudy):
    letter = luigi.Parameter()

    def spec(self) -> LetterSpec:
        return LetterSpec(str(self.letter))

    def label(self) -> str:
        return str(self.letter)

    @staticmethod
    def build(spec: LetterSpec, inputs: Inputs, out: Draft) -> None:
        if spec.letter == "bad":
            out.path("half").write_text("half")
            raise SourceError("nothing good comes of this letter")
        log_build(spec.letter)
        out.path("letter.txt").write_text(spec.letter)
        out.counts = {"letters": 1}


class Word(OfNamedStudy):
    letters = luigi.Parameter()

    def spec(self) -> LetterSpec:
        return LetterSpec("-")

    def label(self) -> str:
        return "word"

    def requires(self) -> Requirements:
        names = str(self.letters).split(",")
        return {"letters": [Letter(experiment="x", letter=name) for name in names]}

    @staticmethod
    def build(spec: LetterSpec, inputs: Inputs, out: Draft) -> None:
        texts = [a.path("letter.txt").read_text() for a in inputs.many("letters")]
        log_build("word")
        out.path("word.txt").write_text(spec.letter.join(texts))


def word(letters: str = "a,b") -> Word:
    luigi.Task.clear_instance_cache()
    return Word(experiment="x", letters=letters)


def letter(name: str) -> Letter:
    luigi.Task.clear_instance_cache()
    return Letter(experiment="x", letter=name)


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(autouse=True)
def _own_store(store: Path) -> None:
    """Give each test a store of its own."""


def test_everything_is_built_once_and_then_nothing(store: Path) -> None:
    assert building.run([word()]).built == 3
    assert built() == ["a", "b", "word"]
    assert building.run([word()]) == building.Outcome(built=0, already_done=3)
    assert built() == []


def test_a_store_holds_exactly_what_was_asked_for(store: Path) -> None:
    building.run([word()])
    stage = word()
    a, b = stage.inputs["letters"]
    expected = {
        f"Letter/{a.place.name}/letter.txt",
        f"Letter/{a.place.name}/manifest.json",
        f"Letter/{b.place.name}/letter.txt",
        f"Letter/{b.place.name}/manifest.json",
        f"Word/{stage.place.name}/word.txt",
        f"Word/{stage.place.name}/manifest.json",
    }
    assert {name for name in files(store) if not name.startswith(".locks/")} == expected


def test_a_manifest_tells_where_its_artifact_came_from() -> None:
    building.run([word()])
    stage = word()
    manifest = stage.artifact.manifest
    assert manifest["fingerprint"] == stage.fingerprint
    assert manifest["spec"] == {"letter": "-"}
    assert manifest["upstream"] == [f"Letter/{s.place.name}" for s in stage.inputs["letters"]]
    assert manifest["files"]["word.txt"]["bytes"] == 3
    assert manifest["tools"]["python"]


def test_a_failure_leaves_no_artifact_and_spares_the_rest() -> None:
    with pytest.raises(StageError, match="did not finish"):
        building.run([word("a,bad")])
    good, bad = word("a,bad").inputs["letters"]
    assert good.complete()
    assert not bad.place.artifact.exists()
    assert not word("a,bad").complete()


def test_a_half_built_draft_is_not_mistaken_for_an_artifact() -> None:
    stage = word().inputs["letters"][0]
    draft = stage.place.work / "draft"
    draft.mkdir(parents=True)
    (draft / "letter.txt").write_text("from a killed run")
    (draft / "leftover").write_text("from a killed run")
    building.run([word()])
    assert stage.artifact.path("letter.txt").read_text() == "a"
    assert not (stage.place.artifact / "leftover").exists()
    assert not stage.place.work.exists()


def test_work_left_by_a_kill_after_publishing_is_swept(store: Path) -> None:
    building.run([word()])
    work = word().place.work
    work.mkdir(parents=True)
    sweep(store)
    assert not work.exists()


def test_a_new_version_rebuilds_the_stage_and_its_descendants(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    building.run([word()])
    built()
    monkeypatch.setattr(Word, "VERSION", 2)
    building.run([word()])
    assert built() == ["word"]
    monkeypatch.setattr(Letter, "VERSION", 2)
    building.run([word()])
    assert built() == ["a", "b", "word"]


def test_a_changed_input_rebuilds_only_what_needs_it() -> None:
    building.run([word("a,b")])
    built()
    building.run([word("a,c")])
    assert built() == ["c", "word"]


@pytest.mark.parametrize("workers", [1, 3])
def test_the_number_of_workers_changes_nothing(store: Path, workers: int) -> None:
    building.run([word("a,b,c,d")], workers=workers)
    stage = word("a,b,c,d")
    assert stage.artifact.path("word.txt").read_text() == "a-b-c-d"


GLOSS = {"kind": "gloss"}
BASE = {"kind": "trained", "replicates": 2}


def synthetic(by: str, **fields: object) -> dict[str, object]:
    """Return a system that also trains on what another one translates."""
    return {"like": "base", "synthetic": [{"by": by}], **fields}


@pytest.mark.parametrize(
    ("section", "fields", "expected"),
    [
        (
            "evaluation",
            {"resamples": 200, "decoding": {"beam": 1}},
            {"MtScores", "MtContrasts", "TaskScores", "TaskContrasts", "Report"},
        ),
        ("hardware", {"threads": 7, "gpu": True}, set()),
    ],
)
def test_changing_a_field_touches_only_its_descendants(
    tmp_path: Path, store: Path, section: str, fields: dict[str, object], expected: set[str]
) -> None:
    before = str(write_experiment(tmp_path / "one"))
    after = str(write_experiment(tmp_path / "two", **{section: fields}))  # type: ignore[arg-type]
    assert {type(s).__name__ for s in all_of(after)} - same_kinds(before, after) == expected


@pytest.mark.parametrize("order", [("words", "human", "more"), ("more", "human", "words")])
def test_names_of_systems_and_their_order_rebuild_nothing(
    tmp_path: Path, store: Path, order: tuple[str, ...]
) -> None:
    before = {"gloss": GLOSS, "base": BASE, "bt": synthetic("base")}
    named = {"words": GLOSS, "human": BASE, "more": {**synthetic("human"), "like": "human"}}
    encoders = {"characters": {"kind": "ngrams"}, "own": {"kind": "nmt", "system": "base"}}
    renamed = {**encoders, "own": {"kind": "nmt", "system": "human"}}
    one, two = (
        str(
            write_experiment(
                tmp_path / folder,
                systems=systems,
                contrasts=[contrast],
                transfer={"encoders": encoders},
            )
        )
        for folder, systems, contrast, encoders in (
            ("one", before, ["bt", "base"], encoders),
            ("two", {name: named[name] for name in order}, ["more", "human"], renamed),
        )
    )
    changed = {stage.place for stage in all_of(two)} - {stage.place for stage in all_of(one)}
    assert {place.stage for place in changed} <= {"Report"}  # which prints them


def test_other_limits_score_and_clean_nothing_again(tmp_path: Path, store: Path) -> None:
    before = str(write_experiment(tmp_path / "one"))
    kept = {"RawCorpus", "Bitext", "Monolingual", "LabelledData", "Identifier", "HeldOutText"}
    for changes in ({"filters": {"length_ratio": 2}}, {"leaks": {"near": 0.9}}):
        after = str(write_experiment(tmp_path / "two", **changes))
        same = same_kinds(before, after)
        assert kept | {"BitextScores", "MonolingualScores"} <= same
        assert "TrainingBitext" not in same


def test_forgetting_a_stage_forgets_what_its_descendants_had_begun(
    tmp_path: Path, store: Path
) -> None:
    experiment = str(write_experiment(tmp_path))
    building.run(find_stages(experiment, "Bitext"))
    (model,) = find_stages(experiment, "SubwordModel")
    (model.place.work / "scratch").mkdir(parents=True)
    forgotten = building.forget(experiment, "Bitext")
    assert [type(stage).__name__ for stage in forgotten] == ["Bitext"]
    assert not model.place.work.exists()


def test_mixing_in_more_human_text_translates_no_real_text_again(
    tmp_path: Path, store: Path
) -> None:
    before, after = (
        str(write_experiment(tmp_path / name, systems={"base": BASE, "bt": bt}))
        for name, bt in (
            ("one", synthetic("base")),
            ("two", synthetic("base", human_repeats=3)),
        )
    )
    kept = {s.place for s in all_of(before) if type(s).__name__ == "Synthetic"}
    assert kept
    assert kept <= {stage.place for stage in all_of(after)}


def test_each_training_has_text_by_its_own_replicate_and_a_gloss_makes_it_once(
    tmp_path: Path, store: Path
) -> None:
    systems = {"gloss": GLOSS, "base": BASE, "bt": synthetic("base"), "words": synthetic("gloss")}
    stages = all_of(str(write_experiment(tmp_path, systems=systems)))
    made = [s.label() for s in stages if type(s).__name__ == "Synthetic"]
    assert sorted(made) == sorted(
        f"{engine}-{direction}-real-target-beam4"
        for engine in ("gloss-1", "base-1", "base-2")
        for direction in ("hub-sis", "sis-hub")
    )


def local_text_places(folder: Path, text: str) -> set[Place]:
    """Return the places of an experiment whose monolingual text lies beside its manifest."""
    source = {
        "kind": "files",
        "base": "text",
        "files": [{"name": "sis.txt", "language": "sis"}],
        "format": {"kind": "text"},
    }
    experiment = write_experiment(folder)
    mine = {"sis": [{"name": "mine", "licence": "CC0-1.0", "source": source}]}
    write_yaml(folder / "pairs/hub-sis.yaml", pair_manifest("sis") | {"monolingual": mine})
    (folder / "pairs/text").mkdir()
    (folder / "pairs/text/sis.txt").write_text(text)
    return {stage.place for stage in all_of(str(experiment))}


def test_a_local_folder_may_move_but_not_change(tmp_path: Path, store: Path) -> None:
    before = local_text_places(tmp_path / "one", "kula lunga\n")
    assert local_text_places(tmp_path / "two", "kula lunga\n") == before
    changed = {p.stage for p in before - local_text_places(tmp_path / "three", "kula mulih\n")}
    assert {"RawCorpus", "Synthetic"} <= changed
    assert "TrainingBitext" not in changed


def test_a_discarded_artifact_leaves_nothing_and_is_built_again() -> None:
    building.run([letter("a")])
    stage = letter("a")
    (stage.place.artifact / "letter.txt").unlink()
    stage.place.discard()
    assert not stage.place.artifact.exists()
    assert not stage.place.work.exists()
    building.run([stage])
    assert stage.artifact.path("letter.txt").read_text() == "a"


def test_the_manifest_sums_the_attempts() -> None:
    stage = letter("a")
    killed = Spent(2, seconds=50.0, cpu_seconds=70.0, gpu_seconds=1.0, peak_memory_mib=10**6)
    stage.place.work.mkdir(parents=True)
    (stage.place.work / "attempts").write_text(json.dumps(killed._asdict()))
    building.run([stage])
    manifest = stage.artifact.manifest
    assert (manifest["attempt"], manifest["seconds_before"]) == (3, 50.0)
    assert 50.0 <= manifest["seconds"] < 60.0
    assert 70.0 <= manifest["cpu_seconds"] < 80.0
    assert (manifest["gpu_seconds"], manifest["peak_memory_mib"]) == (1.0, 10**6)
    assert letter("b").place.complete is False
    building.run([letter("b")])
    assert letter("b").artifact.manifest["attempt"] == 1


def test_half_an_artifact_is_replaced_by_a_whole_one() -> None:
    stage = letter("a")
    building.run([stage])
    (stage.place.artifact / "manifest.json").unlink()
    assert building.run([stage]).built == 1
    assert stage.complete()


@pytest.mark.parametrize("left", [0, 1, 40])
def test_an_artifact_whose_manifest_was_cut_off_is_built_again(
    left: int, capfd: pytest.CaptureFixture[str]
) -> None:
    """As a disk may leave it that lost power: the name is there, the bytes are not."""
    stage = letter("a")
    building.run([stage])
    manifest = stage.place.artifact / "manifest.json"
    manifest.write_bytes(manifest.read_bytes()[:left])
    assert not stage.complete()
    building.run([stage])
    assert stage.complete()
    assert "was not whole: its manifest is missing or cut off" in capfd.readouterr().err


def test_all_bytes_are_on_the_disk_before_an_artifact_has_its_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    place = Place(tmp_path, "Letter", "a-1")
    draft = tmp_path / "draft"
    (draft / "deeper").mkdir(parents=True)
    (draft / "deeper" / "text").write_text("a")
    synced: list[tuple[int, bool]] = []
    fsync = os.fsync

    def note(descriptor: int) -> None:
        synced.append((os.fstat(descriptor).st_ino, place.artifact.exists()))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", note)
    publish(place, draft, {"stage": "Letter"})
    before = {inode for inode, named in synced if not named}
    assert {path.stat().st_ino for path in place.artifact.rglob("*")} <= before
    assert (place.artifact.parent.stat().st_ino, True) in synced


def test_a_failed_build_leaves_no_draft() -> None:
    stage = letter("bad")
    with pytest.raises(StageError):
        building.run([stage])
    assert not (stage.place.work / "draft").exists()


@pytest.mark.parametrize("scheduler", ["localhost:http", ":8082", "a:b:c", "ftp://host", "http://"])
def test_a_scheduler_is_host_and_port(scheduler: str) -> None:
    with pytest.raises(StageError, match="is not HOST:PORT"):
        building.run([letter("a")], scheduler=scheduler)


def all_of(experiment: str) -> list[Stage[Any]]:
    from pipeline.dag import all_stages

    return all_stages(experiment)


def same_kinds(one: str, two: str) -> set[str]:
    """Return the kinds of stage whose artifacts are the same in both experiments."""
    places = {stage.place for stage in all_of(one)}
    return {type(stage).__name__ for stage in all_of(two) if stage.place in places}


def test_adding_a_pair_leaves_the_text_of_the_others_alone(tmp_path: Path, store: Path) -> None:
    one = str(write_experiment(tmp_path / "one"))
    two = str(write_experiment(tmp_path / "two", languages=("sis", "cou")))
    kept = same_kinds(one, two)
    assert {"RawCorpus", "Bitext", "Monolingual", "LabelledData"} <= kept
    assert not {"SubwordModel", "TrainedModel", "Report"} & kept


def test_a_gloss_needs_the_lexicons_of_its_own_direction_alone(tmp_path: Path, store: Path) -> None:
    piv = {"kind": "pivot", "by": "gloss", "via": "hub"}
    systems = {**TINY_EXPERIMENT["systems"], "piv": piv}  # type: ignore[dict-item]
    study = str(write_experiment(tmp_path, languages=("sis", "cou", "iso"), systems=systems))
    for label, wanted in (("gloss-1-bitext-hub-cou-cou-hub-*", ["hub-cou"]),
                          ("piv-1-bitext-hub-sis-sis-iso-*", ["hub-sis", "hub-iso"])):  # fmt: skip
        (translation,) = find_stages(study, f"Translation:{label}")
        assert [stage.label() for stage in translation.inputs["lexicons"]] == wanted


def test_stages_are_found_by_name_and_label(tiny: Path) -> None:
    experiment = str(tiny)
    assert {s.label() for s in find_stages(experiment, "MtScores:b*")} == {"base", "bt"}
    with pytest.raises(StageError, match="did you mean 'MtScores'"):
        find_stages(experiment, "MtScore")
    with pytest.raises(StageError, match="no MtScores has the label 'gloss-1'"):
        find_stages(experiment, "MtScores:gloss-1")


def test_descendants_are_exactly_what_builds_on_a_stage(tiny: Path) -> None:
    task_texts = find_stages(str(tiny), "Translation:gloss-1-task-*")
    found = descendants(str(tiny), task_texts)
    names = sorted({type(stage).__name__ for stage in found})
    assert names == [
        *("Classifiers", "EncodedText", "Predictions", "Report"),
        *("TaskContrasts", "TaskScores", "TextHealth", "Translation"),
    ]
    assert {s.label() for s in found if type(s).__name__ == "Translation"} == {
        stage.label() for stage in task_texts
    }


@pytest.mark.parametrize(
    ("task_text", "expected"), [(False, []), (True, ["base-1-sis-hub-real-target-beam4"])]
)
def test_task_text_is_back_translated_from_the_hub_language_alone(
    tmp_path: Path, store: Path, task_text: bool, expected: list[str]
) -> None:
    systems = {"base": {"kind": "trained"}, "bt": synthetic("base")}
    experiment = write_experiment(tmp_path, systems=systems, monolingual={"task_text": task_text})
    write_yaml(tmp_path / "pairs" / "hub-sis.yaml", pair_manifest("sis") | {"monolingual": {}})
    made = [s.label() for s in all_of(str(experiment)) if type(s).__name__ == "Synthetic"]
    assert made == expected
