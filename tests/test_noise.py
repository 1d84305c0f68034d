"""Noise in a user's files is found by the stages that look for it, and the manifest says so."""

from pathlib import Path
from typing import Any

import pytest

from pipeline.dag import find_stages
from pipeline.running import building
from tasks.sandbox import SandboxRecipe, parallel
from tests.conftest import write_experiment, write_yaml

NOISY = 5


@pytest.fixture
def noisy(tmp_path: Path) -> Path:
    """Return an experiment of 600 sentence pairs and some of each kind of noise."""
    recipe = SandboxRecipe(seed=3, pairs=1500, roots=400, longest=14)
    rows = [(hub, iso) for _, hub, iso in parallel(recipe, "iso")]
    pairs, others = rows[:600], rows[600:]
    for number in range(NOISY):
        hub, iso = others[number]
        pairs.append((hub, others[-1 - number][0]))  # the hub's language on both sides
        pairs.append((f"{hub} 1848 1871 1919 1945", iso))
        pairs.append((f"{hub} Слава Україні героям слава", iso.translate(CYRILLIC)))
    for side, name in enumerate(("hub", "iso")):
        text = "".join(f"{pair[side]}\n" for pair in pairs)
        (tmp_path / f"text.{name}").write_text(text, encoding="utf-8")
    experiment = write_experiment(tmp_path, ("iso",), filters={"language_doubt": 0.9})
    files = [{"name": f"text.{name}", "language": name} for name in ("hub", "iso")]
    source = {"kind": "files", "base": "..", "files": files, "format": {"kind": "text"}}
    manifest = {
        "name": "hub-iso",
        "languages": ["hub", "iso"],
        "parallel": [{"name": "web", "licence": "CC0-1.0", "source": source}],
        "split": {"rule": "hash", "dev": 30, "test": 40},
    }
    write_yaml(tmp_path / "pairs" / "hub-iso.yaml", manifest)
    return experiment


CYRILLIC = str.maketrans("aeioubdgklmnprst", "аеиоубдгклмнпрст")


def manifest_of(experiment: Path, stage: str) -> dict[str, Any]:
    (found,) = find_stages(str(experiment), stage)
    return dict(found.artifact.manifest)


def test_noise_leaves_the_training_text_and_little_else(noisy: Path, store: Path) -> None:
    building.run(find_stages(str(noisy), "TrainingBitext"))
    counts = manifest_of(noisy, "TrainingBitext")["counts"]["train"]["filters"]
    dropped = counts["dropped"]
    assert set(dropped) <= {"language_doubt", "numbers", "other_script", "misalignment"}
    assert {"language_doubt", "numbers", "other_script"} <= set(dropped)
    assert sum(dropped.values()) <= 3 * NOISY + 5
    assert counts["skipped"] == {}
    identifiers = manifest_of(noisy, "Identifier")["identifiers"]
    assert identifiers == dict.fromkeys(("hub", "iso"), "trained on this experiment's text")
