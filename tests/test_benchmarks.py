"""Benchmarks import, compare neighbours, fit what they plot, and make studies that are valid."""

from importlib import import_module
from pathlib import Path

import pytest

from benchmarks.growth import exponent, write_study
from benchmarks.measuring import at_most, ratio
from benchmarks.quality import crossing
from benchmarks.rivals.joey import smoothed_entropy
from pipeline.specs.loading import load_experiment

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


def test_a_growth_study_is_a_valid_experiment(tmp_path: Path) -> None:
    study = load_experiment(str(write_study(tmp_path, pairs=2, scale=1)))
    assert len(study.pairs) == 2


def test_the_entropy_that_a_divergence_lacks_is_that_of_the_smoothed_target() -> None:
    import torch

    smoothed = torch.full((50,), 0.1 / 48)
    smoothed[7], smoothed[0] = 0.9, 0.0  # the target, and padding, which gets nothing
    entropy = -(smoothed * smoothed.clamp_min(1e-30).log()).sum().item()
    assert smoothed_entropy(0.1, 50) == pytest.approx(entropy, rel=1e-4)
