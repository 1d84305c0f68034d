"""A store is looked after: damage is mended, garbage is shown before it goes, costs add up."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from pipeline.dag import find_stages
from pipeline.looking.costs import cost_of_one, costs, total
from pipeline.looking.upkeep import damages, garbage, places, remove
from pipeline.looking.upkeep_tables import cost_grids
from pipeline.running import building
from pipeline.store import exclusive
from tests.conftest import write_experiment
from tests.test_commands import sprachbund


@pytest.fixture
def built(tiny: Path, store: Path) -> str:
    building.run(find_stages(str(tiny), "Bitext"))
    return str(tiny)


def bitext(experiment: str) -> Path:
    (stage,) = find_stages(experiment, "Bitext")
    return stage.place.artifact


def all_damages(store: Path) -> list[tuple[str, str]]:
    return [(d.file, d.problem) for place in places(store) for d in damages(place)]


def test_a_whole_store_has_no_damage(built: str, store: Path) -> None:
    assert all_damages(store) == []
    result = sprachbund("verify")
    assert result.returncode == 0
    assert result.stderr.endswith("2 artifacts, 0 damaged\n")


def test_each_kind_of_damage_is_named(built: str, store: Path) -> None:
    folder = bitext(built)
    train = (folder / "train.parquet").read_bytes()
    (folder / "train.parquet").write_bytes(b"X" + train[1:])
    (folder / "dev.parquet").write_bytes(b"short")
    (folder / "test.parquet").unlink()
    (folder / "extra").write_text("")
    found = dict(all_damages(store))
    assert found["train.parquet"] == "its content has changed"
    assert found["dev.parquet"].startswith("5 bytes, not ")
    assert found["test.parquet"] == "missing"
    assert found["extra"] == "not in the manifest"
    (folder / "manifest.json").write_text("{")
    assert all_damages(store) == [("manifest.json", "missing or unreadable")]


def test_what_is_damaged_fails_the_command_and_is_rebuilt_on_request(
    built: str, store: Path
) -> None:
    train = bitext(built) / "train.parquet"
    whole = train.read_bytes()
    train.write_bytes(whole[:-1])
    result = sprachbund("verify", "--format", "json")
    assert result.returncode == 1
    assert [d["file"] for d in json.loads(result.stdout)] == ["train.parquet"]
    assert sprachbund("verify", "--rebuild").returncode == 1
    mended = sprachbund("verify", built, "--rebuild")
    assert mended.returncode == 0, mended.stderr
    assert train.read_bytes() == whole


def old(path: Path, days: float) -> Path:
    then = path.stat().st_mtime - days * 86_400
    os.utime(path, (then, then))
    return path


def test_what_a_newer_recipe_replaced_may_go(built: str, tmp_path: Path, store: Path) -> None:
    before = old(bitext(built), 30)
    changed = str(write_experiment(tmp_path / "changed", cleaning={"max_words": 9}))
    building.run(find_stages(changed, "Bitext"))
    found = garbage(store, needed=[], keep_days=7)
    assert [(item.folder, item.kind) for item in found] == [(before, "artifact")]
    assert garbage(store, needed=[], keep_days=60) == []
    (kept,) = find_stages(built, "Bitext")
    assert garbage(store, needed=[kept.place], keep_days=7) == []
    shown = sprachbund("gc")
    assert "1 folders of" in shown.stderr
    assert before.exists()
    gone = sprachbund("gc", "--delete")
    assert gone.returncode == 0, gone.stderr
    assert not before.exists()
    assert bitext(changed).exists()
    assert garbage(store, needed=[], keep_days=0) == []


def test_an_abandoned_build_may_go_but_none_that_is_under_way(built: str, store: Path) -> None:
    (model,) = find_stages(built, "SubwordModel")
    model.place.work.mkdir(parents=True)
    assert [item.kind for item in garbage(store, needed=[], keep_days=0)] == ["work"]
    assert garbage(store, needed=[model.place], keep_days=0) == []
    with exclusive(model.place):
        assert garbage(store, needed=[], keep_days=0) == []
    remove(garbage(store, needed=[], keep_days=0))
    assert not model.place.work.exists()


def test_costs_add_up(built: str) -> None:
    found = costs(built)
    assert [(cost.stage, cost.stages) for cost in found] == [("RawCorpus", 1), ("Bitext", 1)]
    everything = total(found)
    assert everything.bytes == sum(cost.bytes for cost in found) > 0
    assert everything.cpu_seconds == pytest.approx(sum(cost.cpu_seconds for cost in found))
    assert everything.without_cpu == 0
    record = json.loads(sprachbund("cost", built, "--format", "json").stdout)
    assert record["stages"][-1]["stage"] == "total"
    assert record["gains"] == []
    assert "Bitext" in sprachbund("cost", built).stdout


def test_what_was_interrupted_or_is_old_is_counted_as_such() -> None:
    first: dict[str, Any] = {"stage": "NmtModel", "seconds": 2.0, "peak_memory_mib": 5}
    first |= {"files": {}, "attempt": 3}
    second = {**first, "attempt": 1, "cpu_seconds": 4.0}
    cost = total([cost_of_one(first), cost_of_one(second)])
    assert (cost.seconds, cost.cpu_seconds, cost.incomplete, cost.without_cpu) == (4.0, 4.0, 1, 1)
    summed = cost_of_one({**first, "seconds": 9.0, "seconds_before": 7.0})
    assert (summed.seconds, summed.interrupted, summed.incomplete) == (9.0, 1, 0)
    (table, *_) = cost_grids([summed], [])
    assert table.rows[0][-1] == "1"
    assert "last attempt" not in table.note
    (table, *_) = cost_grids([cost], [])
    assert "of 1 interrupted stages the last attempt alone is known" in table.note
