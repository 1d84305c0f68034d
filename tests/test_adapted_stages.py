"""Adapted encoders in an experiment: as nodes with a parent, what they read, what is refused."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy
import pytest
from transformers import AutoModel, AutoTokenizer

from models.support.errors import SpecError
from pipeline.dag import all_stages, find_stages
from pipeline.looking.history import History
from pipeline.reporting.encoders import adapted_grid
from pipeline.running import building
from pipeline.settings import Settings
from pipeline.specs.adaptations import first_of_same
from pipeline.specs.loading import load_experiment
from pipeline.stages.adapted import AdaptedEncoder, text_files
from pipeline.stages.classifiers import Classifiers
from pipeline.stages.encoding import EncodedText
from pipeline.stages.pretrained import PretrainedEncoder
from tests.conftest import pair_manifest, write_experiment, write_yaml
from tests.test_commands import sprachbund
from tests.test_pretrained import TEXTS, write_folder

MINE: dict[str, Any] = {"kind": "pretrained", "model": "own"}
DISTILLED: dict[str, Any] = {
    "kind": "distilled",
    "parent": "mine",
    "steps": 12,
    "batch": 8,
    "patience": 9,
    "precision": "fp32",
}
LIKE: dict[str, Any] = {"like": "distilled", "fine_tune": {"epochs": 1}}
ENCODERS = {"mine": MINE, "distilled": DISTILLED}


def write_study(folder: Path, encoders: dict[str, Any], **changes: Any) -> str:
    """Write a sandbox experiment with a small random encoder that lies in a folder."""
    if not (folder / "weights").exists():
        write_folder(folder / "weights", "xlm-r")
    manifest = {
        "name": "own",
        "title": "our own encoder",
        "kind": "pretrained",
        "licence": "MIT",
        "weights": 30_000,
        "source": {"kind": "folder", "path": "../weights"},
        "prefix": "a ",
        "cased": True,
        "languages": ["hub"],
    }
    write_yaml(folder / "models" / "own.yaml", manifest)
    systems = {"gloss": {"kind": "gloss"}}
    chosen = {"systems": systems, **changes}
    return str(write_experiment(folder, transfer={"encoders": encoders}, **chosen))


def adapted(study: str, name: str) -> AdaptedEncoder:
    (stage,) = find_stages(study, f"AdaptedEncoder:{name}")
    assert isinstance(stage, AdaptedEncoder)
    return stage


# Nodes


def test_a_control_stands_beside_each_adapted_encoder(tmp_path: Path, store: Path) -> None:
    study = write_study(tmp_path, ENCODERS)
    assert [*load_experiment(study).transfer.encoders] == ["mine", "distilled", "distilled-control"]
    control = adapted(study, "distilled-control")
    assert [type(s) for s in control.inputs["parent"]] == [PretrainedEncoder]
    assert control.inputs["controlled"] == [adapted(study, "distilled")]
    assert adapted(study, "distilled").inputs["controlled"] == []


@pytest.mark.parametrize(
    ("encoders", "names"),
    [
        ({"d": {**DISTILLED, "control": False}}, ["mine", "d"]),
        ({"d": DISTILLED, "c": {"kind": "control", "of": "d"}}, ["mine", "d", "c"]),
    ],
    ids=["none wanted", "named by hand"],
)
def test_a_control_may_be_left_out_or_named(
    encoders: dict[str, Any], names: list[str], tmp_path: Path, store: Path
) -> None:
    study = write_study(tmp_path, {"mine": MINE, **encoders})
    assert [*load_experiment(study).transfer.encoders] == names


def test_names_are_in_no_fingerprint_and_the_same_is_made_once(tmp_path: Path, store: Path) -> None:
    one = write_study(tmp_path / "1", ENCODERS)
    renamed = {"theirs": MINE, "taught": {**DISTILLED, "parent": "theirs"}}
    two = write_study(tmp_path / "2", renamed)
    assert adapted(one, "distilled").fingerprint == adapted(two, "taught").fingerprint
    assert adapted(one, "distilled-control").place.name == adapted(two, "taught-control").place.name
    three = write_study(tmp_path / "3", {**ENCODERS, "tuned": LIKE})
    encoders = load_experiment(three).transfer.encoders
    assert first_of_same(encoders, "tuned") == "distilled"
    assert first_of_same(encoders, "tuned-control") == "distilled-control"
    assert len(find_stages(three, "AdaptedEncoder")) == 2


def test_values_of_the_recipe_decide_the_encoder_and_nothing_before_it(
    tmp_path: Path, store: Path
) -> None:
    def prints(folder: Path, **changes: Any) -> dict[str, set[str]]:
        encoders = {**ENCODERS, "distilled": {**DISTILLED, **changes}}
        found: dict[str, set[str]] = {}
        for stage in all_stages(write_study(folder, encoders)):
            found.setdefault(type(stage).__name__, set()).add(stage.fingerprint)
        return found

    one, two = prints(tmp_path / "1"), prints(tmp_path / "2", steps=13)
    assert not one["AdaptedEncoder"] & two["AdaptedEncoder"]
    assert one["PretrainedEncoder"] == two["PretrainedEncoder"]
    assert one["TrainingBitext"] == two["TrainingBitext"]
    assert len(one["EncodedText"] & two["EncodedText"]) == len(one["EncodedText"]) / 3


def test_an_adapted_encoder_can_be_adapted_again(tmp_path: Path, store: Path) -> None:
    again = {**DISTILLED, "parent": "distilled", "seed": 2, "control": False}
    study = write_study(tmp_path, {**ENCODERS, "again": again})
    assert adapted(study, "again").inputs["parent"] == [adapted(study, "distilled")]


def test_frozen_and_fine_tuned_use_read_the_adapted_encoder(tmp_path: Path, store: Path) -> None:
    study = write_study(tmp_path, {**ENCODERS, "tuned": LIKE})
    stages = all_stages(study)
    encoded = [s for s in stages if isinstance(s, EncodedText) and s.encoder == "distilled"]
    tuned = [s for s in stages if isinstance(s, Classifiers) and s.encoder == "tuned"]
    assert encoded
    assert tuned
    for stage in (*encoded, *tuned):
        assert stage.inputs["encoder"] == [adapted(study, "distilled")]
    assert not [s for s in stages if isinstance(s, EncodedText) and s.encoder == "tuned"]


def test_synthetic_bitext_of_a_system_is_read_where_there_is_text(
    tmp_path: Path, store: Path
) -> None:
    encoders = {"mine": MINE, "distilled": {**DISTILLED, "synthetic": ["gloss"]}}
    study = write_study(tmp_path, encoders)
    (synthetic,) = adapted(study, "distilled").inputs["synthetic"]
    assert synthetic.label() == "gloss-1-hub-sis-real-target-beam4"


# What is refused


@pytest.mark.parametrize(
    ("encoders", "message"),
    [
        ({"d": {**DISTILLED, "parent": "mime"}}, r"d\.parent: no encoder 'mime'.*mine"),
        (
            {"n": {"kind": "ngrams"}, "d": {**DISTILLED, "parent": "n"}},
            r"d\.parent: 'n' is of kind 'ngrams'; only pretrained encoders can be adapted",
        ),
        (
            {"d": {**DISTILLED, "parent": "e"}, "e": {**DISTILLED, "parent": "d"}},
            r"d\.parent: it is made of 'e', which is made of 'd'",
        ),
        ({"d": {**DISTILLED, "parent": "d"}}, r"d\.parent: it is made of 'd'"),
        (
            {"t": {**MINE, "fine_tune": {}}, "d": {**DISTILLED, "parent": "t"}},
            r"d\.parent: 't' is fine-tuned on labels",
        ),
        (
            {"d": DISTILLED, "e": {**DISTILLED, "parent": "d-control"}},
            r"e\.parent: 'd-control' is a control",
        ),
        ({"c": {"kind": "control", "of": "mine"}}, r"c\.of: 'mine' is no adapted encoder"),
        ({"c": {"kind": "control", "of": "d"}}, r"c\.of: no encoder 'd'"),
        ({"d": {**DISTILLED, "dropout": 0}}, r"d\.dropout: .*greater than 0"),
        ({"d": {**DISTILLED, "synthetic": ["glos"]}}, r"d\.synthetic: no system 'glos'.*gloss"),
        ({"d": {"like": "mime"}}, r"d\.like: no encoder 'mime'.*mine"),
        (
            {"d": {"like": "e"}, "e": {"like": "d"}},
            r"'e' is like 'd' itself",
        ),
        (
            {"p": {**MINE, "model": "e5-small"}, "d": {"kind": "mlm", "parent": "p"}},
            r"e5-small is one packed file, without a head.*`head: tied`",
        ),
        ({"d": {"kind": "mlm", "parent": "mine", "head": "other"}}, r"d\.head: .*'own' or 'tied'"),
        ({"d": DISTILLED, "d-control": MINE}, r"d-control: the control of 'd' has this name"),
        ({"d": {**DISTILLED, "step": 3}}, r"d\.step: unknown field.*steps"),
        ({"d": {**DISTILLED, "kind": "destilled"}}, r"no kind 'destilled'.*distilled"),
    ],
)
def test_what_cannot_be_is_told_with_its_line(
    encoders: dict[str, Any], message: str, tmp_path: Path, store: Path
) -> None:
    with pytest.raises(SpecError, match=rf"(?s)line \d+: .*{message}"):
        load_experiment(write_study(tmp_path, {"mine": MINE, **encoders}))


@pytest.mark.parametrize(
    ("monolingual", "message"),
    [((), "no pair lists any under `monolingual`"), (("sis",), "of the hub 'hub'.*control: false")],
)
def test_what_reads_monolingual_text_needs_some(
    monolingual: tuple[str, ...], message: str, tmp_path: Path, store: Path
) -> None:
    encoders = {"mine": MINE, "d": {"kind": "mlm", "parent": "mine", "head": "tied"}}
    study = write_study(tmp_path, encoders)
    pair = pair_manifest("sis")
    corpora = pair["monolingual"]
    assert isinstance(corpora, dict)
    pair["monolingual"] = {code: corpora[code] for code in monolingual}
    write_yaml(tmp_path / "pairs" / "hub-sis.yaml", pair)
    with pytest.raises(SpecError, match=rf"(?s)line \d+: transfer\.encoders\.d: .*{message}"):
        load_experiment(study)


def test_every_way_reads_what_it_needs_and_no_more(tmp_path: Path, store: Path) -> None:
    ways = {
        "masked": {"kind": "mlm", "parent": "mine"},
        "tied": {"kind": "mlm", "parent": "mine", "head": "tied"},
        "adjusted": {"kind": "adjusted", "parent": "mine", "synthetic": ["gloss"]},
    }
    study = write_study(tmp_path, {"mine": MINE, **ways})
    found = {name: adapted(study, name).inputs for name in (*ways, "masked-control")}
    read = {
        name: [of for of in ("files", "own", "synthetic", "controlled") if inputs[of]]
        for name, inputs in found.items()
    }
    assert read == {
        "masked": ["files", "own"],
        "tied": ["own"],
        "adjusted": ["synthetic"],
        "masked-control": ["files", "own", "controlled"],
    }
    assert {stage.label() for stage in found["masked"]["own"]} == {"hub", "sis"}
    assert all(type(s).__name__ == "MonolingualSample" for s in found["masked"]["own"])
    assert all(type(s).__name__ == "TrainingBitext" for s in found["masked"]["bitext"])


def test_a_mistake_is_told_once(tmp_path: Path, store: Path) -> None:
    encoders = {"mine": MINE, "d": {**DISTILLED, "fine_tune": {"epoch": 3}}}
    with pytest.raises(SpecError, match=r"1 problem\n.*d\.fine_tune\.epoch: unknown field"):
        load_experiment(write_study(tmp_path, encoders))


# Built


PLANTED = "rahasia"
TEXT_INPUTS = ("bitext", "synthetic", "own")
PLAIN = ("ora", "apik", "Aku", "pas", "sais", "ne")


def planted_study(folder: Path) -> str:
    """Write a study whose bitext and monolingual text hold test sentences of the task."""
    draw = numpy.random.default_rng(1)
    lines = [" ".join(draw.choice(PLAIN, 5)) + f" {number}" for number in range(90)]
    tests = [f"{PLANTED} {' '.join(draw.choice(PLAIN, 5))} {number}" for number in range(12)]
    text = folder / "text"
    text.mkdir(parents=True)
    for language in ("hub", "sis"):
        (text / f"t.{language}").write_text("\n".join([*lines, *tests]) + "\n", "utf-8")
        rows = [
            json.dumps({"text": item, "label": ("good", "bad")[n % 2]})
            for n, item in enumerate([*lines[:24], *tests])
        ]
        for part, some in (("train", rows[:16]), ("dev", rows[16:24]), ("test", rows[24:])):
            (text / f"{language}.{part}.jsonl").write_text("\n".join(some) + "\n", "utf-8")

    def corpus(name: str, files: list[dict[str, str]], form: dict[str, Any]) -> dict[str, Any]:
        source = {"kind": "files", "base": "../text", "files": files, "format": form}
        return {"name": name, "licence": "CC0-1.0", "source": source}

    def plain(*languages: str) -> dict[str, Any]:
        files = [{"name": f"t.{language}", "language": language} for language in languages]
        return corpus(f"plain-{'-'.join(languages)}", files, {"kind": "text"})

    form = {"kind": "jsonl", "columns": {"text": "text", "label": "label"}}
    labelled = {
        language: corpus(
            f"labelled-{language}",
            [{"name": f"{language}.{p}.jsonl", "split": p} for p in ("train", "dev", "test")],
            form,
        )
        for language in ("hub", "sis")
    }
    masked = {"kind": "mlm", "parent": "mine", "head": "tied"}
    taught = {**DISTILLED, "synthetic": ["gloss"]}
    study = write_study(folder, {"mine": MINE, "distilled": taught, "masked": masked})
    pair = {
        "name": "hub-sis",
        "languages": ["hub", "sis"],
        "parallel": [plain("hub", "sis")],
        "monolingual": {"hub": [plain("hub")], "sis": [plain("sis")]},
        "split": {"rule": "hash", "dev": 10, "test": 10},
    }
    write_yaml(folder / "pairs" / "hub-sis.yaml", pair)
    task = {"name": "stance", "source_language": "hub", "labels": ["bad", "good"]}
    write_yaml(folder / "tasks" / "stance.yaml", {**task, "texts": labelled})
    return study


def test_a_planted_test_sentence_is_not_trained_on(tmp_path: Path, store: Path) -> None:
    study = planted_study(tmp_path)
    stages = [adapted(study, name) for name in ("distilled", "masked")]
    building.run([s for of in stages for name in TEXT_INPUTS for s in of.inputs[name]])
    read = []
    for stage in stages:
        text = text_files(stage.spec(), stage.built_inputs).read()
        read += [line for of in (*text.train, *text.dev) for line in (*of.hub, *of.texts)]
        read += [line for of in (text.own, text.own_dev) for some in of.values() for line in some]
    assert len(read) > 400
    assert not [line for line in read if PLANTED in line]
    (given,) = find_stages(study, "Bitext")
    assert given.artifact.manifest["counts"]["kept"] == 102  # it was there before the guard


def assert_estimated_by_what_was_built(folder: Path, seconds: float) -> None:
    """Assert that twice as many steps with the same model are expected to take twice as long."""
    shutil.copytree(folder.parent / "weights", folder / "weights")
    longer = {**ENCODERS, "distilled": {**DISTILLED, "steps": 24, "control": False}}
    stage = adapted(write_study(folder, longer), "distilled")
    found = History(Settings.from_environment().store).estimate(stage)
    assert found.basis == "as built earlier, scaled by texts and updates"
    assert found.seconds == pytest.approx(2 * seconds)


def test_it_is_published_used_and_told(tmp_path: Path, store: Path) -> None:
    study = write_study(tmp_path, ENCODERS)
    texts = "EncodedText:stance-sis-1-distilled*"
    wanted = find_stages(study, texts)
    assert len(wanted) == 2
    built = sprachbund("run", study, "--until", texts)  # no fork of one that has used torch
    assert built.returncode == 0, built.stderr
    one, other = (numpy.load(stage.artifact.path("test.npy")) for stage in wanted)
    assert one.shape == other.shape == (60, 32)
    assert not numpy.allclose(one, other)
    folder = adapted(study, "distilled").artifact.path("huggingface")
    assert AutoTokenizer.from_pretrained(folder)(TEXTS[0])["input_ids"]
    assert AutoModel.from_pretrained(folder).config.hidden_size == 32
    manifests = [
        adapted(study, name).artifact.manifest for name in ("distilled", "distilled-control")
    ]
    facts, control = (manifest["adaptation"] for manifest in manifests)
    assert facts["updates"] == 12
    assert control["updates"] == facts["kept_at"]
    assert {*facts["losses"]} == {*facts["retrieval"]} == {"sis"}
    assert manifests[0]["encoder"]["agreement"]["texts"] > 50
    grid = adapted_grid(manifests)
    assert grid is not None
    assert [row[:3] for row in grid.rows] == [
        ["distilled", "distilled", "sis"],
        ["distilled-control", "distilled, control", "sis"],
    ]
    assert grid.rows[1][3] == str(facts["kept_at"])
    assert grid.rows[0][4] == grid.rows[1][4] == f"{facts['losses']['sis'][0]:.3f}"
    assert_estimated_by_what_was_built(tmp_path / "other", manifests[0]["seconds"])
