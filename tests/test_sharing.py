"""A corpus that another pair holds already gets that pair's name and split."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.drafting.pairs import DraftedPair, PairFiles, new_pair
from tests.test_identity import sentences, translated

HUB = sentences(300)


@pytest.fixture(autouse=True)
def _no_mirror(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SPRACHBUND_MIRROR", raising=False)


def draft(folder: Path, language: str, hub: Sequence[str]) -> tuple[DraftedPair, dict[str, Any]]:
    """Draft a pair of a folder of its own, its manifest beside those of others."""
    names = []
    for code, lines in (("ind", hub), (language, translated(hub))):
        path = folder / language / f"train.{code}"
        path.parent.mkdir(exist_ok=True)
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        names.append(str(path))
    out = folder / f"ind-{language}.yaml"
    drafted = new_pair(f"ind-{language}", PairFiles(parallel=names), out=out)
    return drafted, yaml.safe_load(out.read_text(encoding="utf-8"))


def test_the_same_hub_sentences_share_name_and_split(tmp_path: Path) -> None:
    draft(tmp_path, "jav", HUB)
    manifest = tmp_path / "ind-jav.yaml"
    text = manifest.read_text(encoding="utf-8")
    manifest.write_text(text.replace("dev: 30, test: 30}", "dev: 20, test: 40, seed: 7}"), "utf-8")
    drafted, data = draft(tmp_path, "sun", HUB[:280])
    assert data["parallel"][0]["name"] == "ind-jav-text"
    assert data["split"] == {"rule": "hash", "dev": 20, "test": 40, "seed": 7}
    assert "split: train 220, dev 20, test 40" in drafted.found
    assert (
        "280 of 280 hub sentences are those of ind-jav-text in ind-jav.yaml; its name and split "
        "are taken, so that both hold out the same sentences"
    ) in drafted.doubts


def test_the_same_sentences_under_other_ids_are_told(tmp_path: Path) -> None:
    draft(tmp_path, "jav", HUB)
    drafted, data = draft(tmp_path, "sun", HUB[10:])
    assert data["parallel"][0]["name"] == "ind-sun-text"
    (doubt,) = (doubt for doubt in drafted.doubts if "hub sentences" in doubt)
    assert doubt.startswith("290 of 290 hub sentences are those of ind-jav-text in ind-jav.yaml")
    assert "under other ids; give both a column of ids" in doubt


def test_other_sentences_share_nothing(tmp_path: Path) -> None:
    draft(tmp_path, "jav", HUB)
    (tmp_path / "notes.yaml").write_text("this: is no pair\n", encoding="utf-8")
    drafted, data = draft(tmp_path, "sun", sentences(300, seed=2))
    assert data["parallel"][0]["name"] == "ind-sun-text"
    assert data["split"] == {"rule": "hash", "dev": 30, "test": 30}
    assert not [doubt for doubt in drafted.doubts if "hub sentences" in doubt]


def test_another_pair_that_cannot_be_read_is_passed_over(tmp_path: Path) -> None:
    draft(tmp_path, "jav", HUB)
    (tmp_path / "jav/train.ind").unlink()
    _, data = draft(tmp_path, "sun", HUB)
    assert data["parallel"][0]["name"] == "ind-sun-text"


def test_a_split_that_is_too_large_is_not_taken(tmp_path: Path) -> None:
    draft(tmp_path, "jav", [*HUB, *sentences(2000, seed=4)])
    drafted, data = draft(tmp_path, "sun", HUB)
    assert data["split"]["test"] == 30
    assert any("give both the same name and one split" in doubt for doubt in drafted.doubts)
