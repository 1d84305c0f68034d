"""What is to be built again stays until the new one is whole; nobody reads a mixture of the two."""

import json
import shutil
from pathlib import Path

import pytest

from models.support.errors import StageError
from pipeline.dag import find_stages
from pipeline.looking.causes import direct_causes
from pipeline.looking.upkeep import garbage, remove
from pipeline.running import building
from pipeline.stages.stage import Inputs
from pipeline.store import Draft, Place, sweep
from tests.conftest import write_experiment
from tests.test_commands import sprachbund
from tests.test_planning import built
from tests.test_stage import Letter, Word, letter, word


@pytest.fixture(autouse=True)
def _own_store(store: Path) -> None:
    """Give each test a store of its own."""


def built_letter() -> Letter:
    """Return a built stage that is to be built again."""
    building.run([letter("a")])
    stage = letter("a")
    stage.place.force([])
    return stage


def test_the_old_artifact_stays_until_the_new_one_is_whole(store: Path) -> None:
    stage = built_letter()
    old = stage.artifact.manifest
    assert (stage.place.whole, stage.usable(), stage.complete()) == (True, True, False)
    assert direct_causes(stage) == ["forced by rerun"]
    building.run([stage])
    assert stage.complete()
    assert stage.artifact.manifest["finished"] > old["finished"]
    assert not stage.place.work.exists()


def test_a_rebuild_that_fails_leaves_the_old_artifact(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = built_letter()
    old = stage.artifact.manifest

    def fail(spec: object, inputs: Inputs, out: Draft) -> None:
        out.path("letter.txt").write_text("half")
        raise StageError("no more ink")

    with monkeypatch.context() as patch:
        patch.setattr(Letter, "build", staticmethod(fail))
        with pytest.raises(StageError, match="did not finish"):
            building.run([stage])
    assert stage.artifact.manifest == old
    assert stage.artifact.path("letter.txt").read_text() == "a"
    assert not stage.complete()  # it is still to be built again
    assert building.run([stage]).built == 1


class Killed(BaseException):
    """Stands for a kill."""


def kill_at_rename(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """End the process, so to speak, when it has made so many renames of a publication."""
    made: list[Path] = []
    rename = Path.rename

    def renaming(path: Path, target: Path) -> Path:
        if len(made) == number:
            raise Killed
        made.append(path)
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", renaming)


def half_replaced(monkeypatch: pytest.MonkeyPatch, renames: int) -> Letter:
    """Return a stage whose rebuild was killed after so many of the two renames."""
    stage = built_letter()
    with monkeypatch.context() as patch:
        kill_at_rename(patch, renames)
        draft = stage.place.work / "draft"
        with pytest.raises(Killed):  # noqa: PT012
            shutil.copytree(stage.place.artifact, draft)
            (draft / "letter.txt").write_text("new")
            from pipeline.store import publish

            publish(stage.place, draft, {**stage.artifact.manifest, "finished": "later"})
            raise Killed
    return stage


def test_a_kill_before_the_replacement_leaves_the_old_one(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = half_replaced(monkeypatch, 0)
    assert stage.artifact.path("letter.txt").read_text() == "a"
    assert (stage.usable(), stage.complete()) == (True, False)


@pytest.mark.parametrize("found_by", ["sweep", "run", "stage"])
def test_a_kill_between_the_renames_is_mended_and_nothing_built_twice(
    monkeypatch: pytest.MonkeyPatch, store: Path, found_by: str
) -> None:
    stage = half_replaced(monkeypatch, 1)
    assert not stage.place.artifact.exists()
    assert not stage.usable()
    if found_by == "sweep":
        sweep(store)
    elif found_by == "run":
        assert building.run([stage]) == building.Outcome(built=0, already_done=1)
    else:
        stage.run()
    assert stage.complete()
    assert stage.artifact.path("letter.txt").read_text() == "new"
    assert not stage.place.work.exists()


def test_a_kill_after_the_replacement_builds_nothing_again(
    monkeypatch: pytest.MonkeyPatch, store: Path
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", lambda *_, **__: None)
        stage = half_replaced(monkeypatch, 2)
    assert (stage.place.work / "forced").exists()
    assert stage.complete()
    sweep(store)
    assert not stage.place.work.exists()
    assert stage.artifact.path("letter.txt").read_text() == "new"


def outdated_word() -> Word:
    """Return a word that is to be built again, one of whose letters was."""
    building.run([word("a,b")])
    first, second = (letter(name) for name in "ab")
    stage = word("a,b")
    stage.place.force([first.place, second.place])
    first.place.force([])
    assert stage.usable()
    building.run([first])
    return stage


def test_what_was_built_from_a_replaced_input_is_read_no_more() -> None:
    stage = outdated_word()
    assert (stage.place.whole, stage.usable(), stage.complete()) == (True, False, False)
    letter("a").place.force([])  # a second rerun: what the word was built from is long gone
    stage.place.force([letter(name).place for name in "ab"])
    assert not stage.usable()
    building.run([stage])
    assert stage.complete()


def test_gc_leaves_an_artifact_that_waits_for_its_replacement(store: Path) -> None:
    stage = outdated_word()
    remove(garbage(store, needed=[], keep_days=0))
    assert stage.place.whole
    assert not stage.usable()
    assert not stage.complete()


def test_a_discarded_artifact_does_not_come_back_as_up_to_date(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stage = outdated_word()
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", lambda *_, **__: None)  # killed before anything else goes
        stage.place.discard()
    assert not stage.usable()
    assert not stage.complete()


def test_rerun_forgets_what_an_earlier_one_had_begun() -> None:
    stage = built_letter()
    scratch = stage.place.work / "scratch"
    scratch.mkdir()
    (scratch / "checkpoint").write_text("of the first rerun")
    stage.place.force([])
    assert not scratch.exists()
    assert stage.usable()
    assert not stage.complete()


def test_of_two_stages_the_one_that_builds_on_the_other_is_marked_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    experiment = built(tmp_path, "Lexicon")
    marked: list[str] = []
    force = Place.force

    def noting(place: Place, inputs: list[Place]) -> None:
        marked.append(place.stage)
        force(place, inputs)

    monkeypatch.setattr(Place, "force", noting)
    building.forget(experiment, "RawCorpus:hub-sis-parallel-*")
    assert set(marked) >= {"RawCorpus", "Bitext", "BitextScores", "TrainingBitext", "Lexicon"}
    order = {stage: marked.index(stage) for stage in marked}
    assert order["Lexicon"] < order["TrainingBitext"] < order["BitextScores"]
    assert order["TrainingBitext"] < order["HeldOutText"] < order["Bitext"] < order["RawCorpus"]


def test_a_rerun_that_is_repeated_covers_what_the_first_one_did(tmp_path: Path) -> None:
    experiment = built(tmp_path, "TrainingBitext")
    first = building.forget(experiment, "BitextScores")
    assert {stage.title for stage in building.forget(experiment, "BitextScores")} == {
        stage.title for stage in first
    }


def test_the_old_system_translates_until_the_new_one_is_built(tmp_path: Path) -> None:
    experiment = built(tmp_path, "Lexicon")
    command = ("translate", experiment, "--from", "hub", "--to", "sis", "--system", "gloss")
    before = sprachbund(*command, stdin="kula lunga\n")
    building.forget(experiment, "Lexicon")
    after = sprachbund(*command, stdin="kula lunga\n")
    assert (after.returncode, after.stdout) == (0, before.stdout), after.stderr
    assert "Lexicon hub-sis is to be built again; until then the old one" in after.stderr
    building.forget(experiment, "TrainingBitext")
    building.run(find_stages(experiment, "TrainingBitext"))
    mixed = sprachbund(*command, stdin="kula lunga\n")
    assert mixed.returncode == 1
    assert "Lexicon hub-sis is not built yet" in mixed.stderr


def test_what_is_to_be_built_again_may_be_accepted_instead(tmp_path: Path) -> None:
    experiment = built(tmp_path, "Bitext")
    building.forget(experiment, "Bitext")
    result = sprachbund("accept", experiment, "Bitext", "--reason", "it was right after all")
    assert result.returncode == 0, result.stderr
    (stage,) = find_stages(experiment, "Bitext")
    assert stage.complete()
    assert stage.artifact.manifest["accepted"]["differs"] == ["forced by rerun"]
    assert not stage.place.work.exists()


def test_another_study_keeps_what_it_shares_and_plans_the_same_rebuild(tmp_path: Path) -> None:
    experiment = built(tmp_path / "one", "BitextScores")
    other = str(write_experiment(tmp_path / "two", name="other"))
    building.forget(experiment, "Bitext")
    record = json.loads(sprachbund("plan", other, "--format", "json").stdout)
    causes = {stage["stage"]: stage["causes"] for stage in record if stage["stage"] == "Bitext"}
    assert causes == {"Bitext": ["forced by rerun"]}
