"""Which sentences a direction is scored on."""

import json
from pathlib import Path

from pipeline.stages.stage import Inputs
from pipeline.stages.texts import bitext_sides
from pipeline.store import Artifact
from tasks.records import write_records


def bitext(folder: Path, language: str, ids: list[str]) -> Artifact:
    """Write the test part of a pair with the hub."""
    place = folder / language
    place.mkdir()
    texts = {
        code: [f"{code} of {key} in hub-{language}" for key in ids] for code in ("hub", language)
    }
    write_records(place / "test.parquet", {"id": ids, **texts})
    spec = {"spec": {"languages": ["hub", language]}}
    (place / "manifest.json").write_text(json.dumps(spec), encoding="utf-8")
    return Artifact(place)


def test_a_direction_has_the_sentences_of_its_own_pair(tmp_path: Path) -> None:
    first = bitext(tmp_path, "sis", ["a", "b", "c"])
    second = bitext(tmp_path, "cou", ["b", "c", "d", "e"])
    inputs = Inputs({"test": [first, second]})
    sides = bitext_sides(inputs, "test", ("hub", "cou"))
    assert list(sides) == ["b", "c", "d", "e"]
    assert sides["d"] == ("hub of d in hub-cou", "cou of d in hub-cou")
    assert list(bitext_sides(inputs, "test", ("sis", "hub"))) == ["a", "b", "c"]


def test_two_languages_of_the_hub_share_the_sentences_that_both_have(tmp_path: Path) -> None:
    first = bitext(tmp_path, "sis", ["a", "b", "c"])
    second = bitext(tmp_path, "cou", ["c", "b", "d"])
    sides = bitext_sides(Inputs({"test": [first, second]}), "test", ("sis", "cou"))
    assert sides == {
        "b": ("sis of b in hub-sis", "cou of b in hub-cou"),
        "c": ("sis of c in hub-sis", "cou of c in hub-cou"),
    }
