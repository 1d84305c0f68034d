"""Systems, grids and contrasts as users write them: what they expand to, what is said of errors."""

from pathlib import Path

import pytest

from models.support.errors import SpecError
from pipeline.dag import find_stages
from pipeline.specs.experiment import Experiment
from pipeline.specs.loading import MANIFESTS, load_experiment
from pipeline.specs.systems import TrainedSystem
from tests.conftest import write_experiment

BASE = {"kind": "trained", "replicates": 3, "nmt": {"dropout": 0.25}}
BT = {"like": "base", "synthetic": [{"by": "base"}]}


def study(folder: Path, **changes: object) -> Experiment:
    return load_experiment(str(write_experiment(folder, **changes)))


def trained(found: Experiment, name: str) -> TrainedSystem:
    system = found.systems[name]
    assert isinstance(system, TrainedSystem)
    return system


def problem(folder: Path, **changes: object) -> str:
    with pytest.raises(SpecError) as error:
        study(folder, **changes)
    return str(error.value)


def test_without_systems_there_are_gloss_base_and_bt(tmp_path: Path) -> None:
    path = write_experiment(tmp_path)
    lines = path.read_text().splitlines(keepends=True)
    start = next(n for n, line in enumerate(lines) if line.startswith("systems:"))
    end = next(n for n in range(start + 1, len(lines)) if not lines[n].startswith(" "))
    transfer = "transfer: {encoders: {char-ngram: {kind: ngrams}}}\n"
    left = "".join(lines[:start] + lines[end:]).split("transfer:")[0]
    path.write_text(left + transfer)
    found = load_experiment(str(path))
    assert list(found.systems) == ["gloss", "base", "bt"]
    assert found.systems["bt"].parents == ("base",)
    assert found.tested_contrasts == (("bt", "base"),)


def test_like_takes_over_what_is_not_written(tmp_path: Path) -> None:
    slow = {"like": "bt", "nmt": {"max_updates": 99}}
    found = study(tmp_path, systems={"base": BASE, "bt": BT, "slow": slow}, transfer={})
    assert trained(found, "bt").replicates == 3
    assert trained(found, "slow").synthetic == trained(found, "bt").synthetic
    assert trained(found, "slow").nmt.max_updates == 99
    assert trained(found, "slow").nmt.dropout == 0.25
    assert trained(found, "slow").nmt.width == found.nmt.width == 32


def test_a_grid_has_a_system_for_each_combination(tmp_path: Path) -> None:
    over = {
        "decoding": [{"beam": 4}, {"sampling": 1.0}, {"top_k": 10}, {"beam": 4, "noise": {}}],
        "tag": [True, False],
    }
    grids = {"d": {"like": "bt", "over": over}, "r": {"like": "bt", "over": {"ratio": [1, 3.5]}}}
    found = study(tmp_path, systems={"base": BASE, "bt": BT}, grids=grids, transfer={})
    cells = [name for name in found.systems if name not in ("base", "bt")]
    assert cells == [
        "d-beam4-tag",
        "d-beam4-no-tag",
        "d-sampling1-tag",
        "d-sampling1-no-tag",
        "d-top_k10-tag",
        "d-top_k10-no-tag",
        "d-beam4-noised-tag",
        "d-beam4-noised-no-tag",
        "r-ratio1",
        "r-ratio3.5",
    ]
    (text,) = trained(found, "d-top_k10-no-tag").synthetic
    assert (text.by, text.decoding.top_k, text.tag) == ("base", 10, False)
    assert trained(found, "r-ratio3.5").synthetic[0].ratio == 3.5
    assert trained(found, "r-ratio3.5").replicates == 3
    assert found.canonical("d-beam4-tag") == "bt"  # it is the same thing
    assert found.canonical("d-beam4-no-tag") == "d-beam4-no-tag"


def test_a_grid_may_go_over_hyperparameters(tmp_path: Path) -> None:
    grids = {"w": {"like": "base", "over": {"width": [32, 64], "human_repeats": [2]}}}
    found = study(tmp_path, systems={"base": BASE}, grids=grids, transfer={})
    assert trained(found, "w-width64-human_repeats2").nmt.width == 64
    assert trained(found, "w-width64-human_repeats2").nmt.dropout == 0.25
    assert trained(found, "w-width64-human_repeats2").human_repeats == 2


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"systems": {"base": {"kind": "trian"}}}, ["systems.base", "did you mean 'trained'"]),
        ({"systems": {"base": BASE, "bt": {"like": "bas"}}}, ["bt.like", "did you mean 'base'"]),
        ({"systems": {"a": {"like": "b"}, "b": {"like": "a"}}}, ["is like", "itself"]),
        (
            {"systems": {"base": BASE, "bt": {"like": "base", "synthetic": [{"by": "bse"}]}}},
            ["systems.bt", "no system 'bse' to translate by; did you mean 'base'"],
        ),
        (
            {
                "systems": {
                    "a": {"kind": "trained", "synthetic": [{"by": "b"}]},
                    "b": {"kind": "trained", "synthetic": [{"by": "a"}]},
                }
            },
            ["systems.a", "made from 'b', which is made from 'a'"],
        ),
        (
            {"systems": {"base": BASE, "p": {"kind": "pivot", "by": "base", "via": "sis"}}},
            ["systems.p.via", "'sis' is not the hub"],
        ),
        (
            {"systems": {"base": {**BASE, "replicats": 2}}},
            ["systems.base.replicats", "did you mean 'replicates'"],
        ),
        (
            {
                "systems": {
                    "base": BASE,
                    "bt": {
                        "like": "base",
                        "synthetic": [{"by": "base", "decoding": {"beam": 2, "top_k": 5}}],
                    },
                }
            },
            ["systems.bt.synthetic, entry 1, decoding", "two ways to search"],
        ),
        ({"contrasts": [["bt", "bace"]]}, ["contrasts", "did you mean 'base'"]),
        ({"grids": {"g": {"like": "bt"}}}, ["grids.g", "over: {FIELD: [VALUE, ...]}"]),
        ({"grids": {"g": {"like": "b", "over": {"tag": [True]}}}}, ["grids.g.like", "no system"]),
        (
            {"grids": {"g": {"like": "bt", "over": {"decoding": [{"beam": 1, "top_k": 3}]}}}},
            ["grids.g.over.decoding", "two ways to search"],
        ),
        (
            {"grids": {"g": {"like": "bt", "over": {"decoding": [{"seed": 1}, {"seed": 2}]}}}},
            ["grids.g", "two systems would be named 'g-beam4'"],
        ),
        (
            {
                "systems": {
                    "base": BASE,
                    "x": {
                        "like": "base",
                        "synthetic": [{"by": "base", "real": "source", "decoding": {"noise": {}}}],
                    },
                }
            },
            ["systems.x.synthetic, entry 1", "noise on the target side"],
        ),
        ({"transfer": {"systems": ["glos"]}}, ["transfer.systems", "did you mean 'gloss'"]),
        ({"transfer": {"encoders": {}}}, ["transfer.encoders", "at least 1"]),
        (
            {"transfer": {"encoders": {"x": {"kind": "ngram"}}}},
            ["transfer.encoders.x", "did you mean 'ngrams'"],
        ),
        (
            {"systems": {"gloss": {"kind": "gloss"}}, "transfer": {}},
            ["'nmt-encoder' needs a trained system"],
        ),
        ({"transfer": {"classifier": {"strengths": []}}}, ["strengths", "at least 1"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_is_wrong_is_said_with_its_place(
    tmp_path: Path, changes: dict[str, object], words: list[str]
) -> None:
    said = problem(tmp_path, **changes)
    assert [word for word in words if word not in said] == [], said


def test_rounds_of_old_are_shown_as_the_systems_they_were(tmp_path: Path) -> None:
    old = {"rounds": 2, "engines": ["nmt", "gloss"], "beam": 2, "max_sentences": 50}
    said = problem(tmp_path, back_translation=old, retrain={"max_updates": 7})
    assert "an experiment names its systems" in said
    shown = said.partition("Write\n")[2]
    path = write_experiment(tmp_path / "new", systems=None, monolingual=None, transfer={})
    lines = [x for x in path.read_text().splitlines() if not x.startswith(("systems", "monol"))]
    path.write_text("\n".join([*lines, *(line[2:] for line in shown.splitlines())]))
    found = load_experiment(str(path))
    assert list(found.systems) == ["gloss", "base", "bt", "bt-2"]
    assert found.systems["bt-2"].parents == ("bt", "gloss")
    assert trained(found, "bt").nmt.max_updates == 7
    assert trained(found, "bt").synthetic[0].decoding.beam == 2
    assert found.monolingual.max_sentences == 50


BT_GRIDS = sorted(f"bt/{path.stem}" for path in (MANIFESTS / "experiments" / "bt").glob("*.yaml"))


@pytest.mark.parametrize("name", BT_GRIDS)
def test_a_grid_of_back_translation_tests_what_it_trains(name: str, store: Path) -> None:
    found = load_experiment(name)
    assert found.name == name.replace("/", "-")
    tested = {system for contrast in found.contrasts or () for system in contrast}
    trained = {name for name, of in found.systems.items() if isinstance(of, TrainedSystem)}
    named_twice = {n for n in trained if n != found.canonical(n)}
    made_from = {parent for of in found.systems.values() for parent in of.parents}
    assert trained - named_twice - made_from <= {*map(found.canonical, tested)}
    assert {found.systems[n].nmt.max_updates for n in trained} == {40_000}
    assert {found.replicates(n) for n in trained} == {3}


def test_grids_of_back_translation_share_their_first_trainings(store: Path) -> None:
    shared = ("backward", "decoding", "forward", "ratio", "schedule", "tag")
    keys = {find_stages(f"bt/{name}", "TrainedModel:base-1")[0].place.key for name in shared}
    assert len(keys) == 1
