"""Benchmarks import, compare neighbours, fit what they plot, and make studies that are valid."""

from importlib import import_module
from pathlib import Path

import pytest

from benchmarks.by_hand import model_of
from benchmarks.encoders import write_study as write_encoder_study
from benchmarks.growth import TEXT_STAGES, exponent, write_study
from benchmarks.measuring import at_most, ratio
from benchmarks.quality import crossing
from benchmarks.rivals.joey import smoothed_entropy
from benchmarks.workers import STAGE
from benchmarks.workers import write_experiment as write_workers_experiment
from pipeline.dag import all_stages, find_stages
from pipeline.specs.loading import load_experiment
from pipeline.stages.systems.trained import TrainedModel
from pipeline.stages.translations import Translation
from tests.conftest import TINY_EXPERIMENT, write_experiment

MODULES = sorted(path.stem for path in Path("benchmarks").glob("[a-z]*.py"))


@pytest.mark.parametrize("name", MODULES)
def test_every_benchmark_imports_without_the_systems_it_compares_with(name: str) -> None:
    assert import_module(f"benchmarks.{name}").__doc__


def test_a_ratio_is_the_median_of_neighbours_and_knows_its_target() -> None:
    found = ratio("speed", [2.0, 30.0, 4.0], [1.0, 10.0, 1.0], 3.0)
    assert found["ratio"] == 3.0  # of 2, 3 and 4; the ratio of the medians would be 4
    assert found["ok"]
    assert not at_most("seconds", 1.2, 1.0)["ok"]


def test_a_power_law_gives_its_exponent() -> None:
    assert exponent({1: 3.0, 4: 12.0, 16: 48.0}) == pytest.approx(1)
    assert exponent({2: 5.0, 8: 5.0, 32: 5.0}) == pytest.approx(0)


def test_a_quality_is_reached_between_two_validations() -> None:
    assert crossing([10, 20, 30], [4.0, 1.0, -1.0]) == 25
    assert crossing([10, 20], [-1.0, -2.0]) == 10
    assert crossing([10, 20], [2.0, 1.0]) == float("inf")


def test_a_growth_study_holds_every_stage_whose_memory_has_a_target(tmp_path: Path) -> None:
    experiment = str(write_study(tmp_path, pairs=2, scale=1))
    assert len(load_experiment(experiment).pairs) == 2
    assert {type(stage).__name__ for stage in all_stages(experiment)} >= {*TEXT_STAGES}


def test_an_encoder_study_publishes_an_encoder(tmp_path: Path) -> None:
    (stage,) = find_stages(str(write_encoder_study(tmp_path)), "PretrainedEncoder")
    assert stage.label() == "e5-small"


def test_workers_share_the_back_translation_by_every_model_that_was_trained(tmp_path: Path) -> None:
    experiment = str(write_workers_experiment(tmp_path))
    shards = find_stages(experiment, STAGE)
    models = find_stages(experiment, "TrainedModel:base-*")
    assert len(shards) == len(models) * len(load_experiment(experiment).directions) * 4


def test_by_hand_are_trained_systems_alone_and_all_of_their_translations(tmp_path: Path) -> None:
    piv = {"kind": "pivot", "by": "base", "via": "hub"}
    systems = {**TINY_EXPERIMENT["systems"], "piv": piv}  # type: ignore[dict-item]
    experiment = write_experiment(tmp_path, ("sis", "iso"), systems=systems)
    stages = all_stages(str(experiment))
    by_hand = [stage for stage in stages if model_of(stage)]
    models = {model_of(stage) for stage in by_hand if isinstance(stage, TrainedModel)}
    assert models == {("base", 0), ("base", 1), ("bt", 0), ("bt", 1)}
    left = {s.system for s in stages if isinstance(s, Translation) and s not in by_hand}
    assert left == {"gloss", "piv"}
    translated = {stage.system for stage in by_hand if isinstance(stage, Translation)}
    assert translated == {"base", "bt"}


def test_the_entropy_that_a_divergence_lacks_is_that_of_the_smoothed_target() -> None:
    import torch

    smoothed = torch.full((50,), 0.1 / 48)
    smoothed[7], smoothed[0] = 0.9, 0.0  # the target, and padding, which gets nothing
    entropy = -(smoothed * smoothed.clamp_min(1e-30).log()).sum().item()
    assert smoothed_entropy(0.1, 50) == pytest.approx(entropy, rel=1e-4)
