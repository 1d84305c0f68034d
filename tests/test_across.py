"""Several studies on the items they share: what is tested, and what is said of the rest."""

import csv
import io
import json
from pathlib import Path

import numpy
import pytest

from models.support.errors import StageError
from pipeline.looking.across import (
    CHOSEN,
    Found,
    ScoredItems,
    ScoredPlace,
    Side,
    _corrected,
    _Tests,
    _winner,
    load_study,
)
from pipeline.looking.across_tables import as_csv, as_json, as_markdown, grids, remarks
from pipeline.looking.comparing import Built, Run
from pipeline.store import Artifact
from tasks.statistics import Runs
from tests.conftest import write_experiment, write_yaml
from tests.test_commands import sprachbund

N = 60


def right(share: float, seed: int, keys: list[str]) -> Runs:
    """Return three trainings that have a share of the items right."""
    drawn = numpy.random.default_rng(seed).random((3, len(keys), 1)) < share
    return Runs(tuple(keys), drawn.astype(float))


def side(name: str, share: float, seed: int, keys: list[str]) -> Side:
    return Side(name, {"hits": right(share, seed, keys)}, {"hits": lambda t: t[..., 0] / N}, share)


def place(
    where: str, shares: dict[str, float], *, seed: int = 0, chosen: str = "", **texts: str
) -> ScoredPlace:
    keys = [f"{where}:{n}" for n in range(N)]
    sides = {
        name: side(name, share, seed + i, keys) for i, (name, share) in enumerate(shares.items())
    }
    items = ScoredItems({key: texts.get(f"k{n}", "text") for n, key in enumerate(keys)}, {})
    return ScoredPlace("task", where, items, sides, sides.get(chosen))


def held(old: list[ScoredPlace], new: list[ScoredPlace]) -> Found:
    tests = _Tests("a", "b", 200, 1)
    return Found(list(_corrected(tests.of(list(zip(old, new, strict=True))))), tests.unpaired)


def test_what_has_the_same_name_and_what_dev_data_chose_is_tested() -> None:
    old = place("t/x", {"weak": 0.2, "same": 0.5}, chosen="weak")
    new = place("t/x", {"strong": 0.9, "same": 0.5}, seed=9, chosen="strong")
    found = held([old], [new])
    chosen, same = found.paired
    assert (chosen.what, chosen.first_uses, chosen.uses) == (CHOSEN, "weak", "strong")
    assert chosen.difference == pytest.approx(chosen.score - chosen.first_score)
    assert chosen.difference > 0.5
    assert chosen.p is not None
    assert chosen.p < 0.05 < (same.p or 0)
    assert [one.reason for one in found.unpaired] == ["in a alone: weak", "in b alone: strong"]


def test_over_all_languages_is_tested_once_more() -> None:
    shares = {"way": 0.5}
    found = held(
        [place("t/x", shares), place("t/y", shares)],
        [place("t/x", shares, seed=1), place("t/y", shares, seed=2)],
    )
    assert [(t.where, t.n) for t in found.paired] == [("t/x", N), ("t/y", N), ("t/all", 2 * N)]


def test_an_item_with_another_text_is_left_out_and_counted() -> None:
    found = held([place("t/x", {"way": 0.5})], [place("t/x", {"way": 0.5}, k0="other", k7="too")])
    assert [t.n for t in found.paired] == [N - 2]
    assert [one.reason for one in found.unpaired] == [
        "58 test items are the same: 2 have another text"
    ]


def test_other_items_are_no_comparison_but_a_line() -> None:
    other = place("t/z", {"way": 0.5})
    found = held([place("t/x", {"way": 0.5})], [other])
    assert found.paired == []
    assert remarks(found) == [
        "t/x: b against a: no test item is the same: 60 of the first and 60 of the second stand "
        "there alone."
    ]


def test_every_form_tells_of_both() -> None:
    old = place("t/x", {"way": 0.2, "old": 0.5})
    found = held([old], [place("t/x", {"way": 0.9}, seed=5)])
    (grid,) = grids(found)
    assert grid.title == "b against a: hits"
    assert grid.rows[0][:2] == ["t/x", "way"]
    assert "* t/x: b against a: in a alone: old." in as_markdown(found)
    record = json.loads(as_json(found))
    assert record["paired"][0]["difference"] == found.paired[0].difference
    rows = list(csv.DictReader(io.StringIO(as_csv(found))))
    assert [row["reason"] for row in rows] == ["", "in a alone: old"]
    assert float(rows[0]["score"]) == found.paired[0].score


def report(store: Path, study: str, finished: str) -> Path:
    folder = store / "Report" / f"{study}-{finished}"
    manifest = {
        "stage": "Report",
        "label": study,
        "finished": finished,
        "upstream": [],
        "spec": {"experiment": {"name": study, "hub": "h"}},
    }
    write_yaml(folder / "x", {})
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return folder


def test_a_store_is_told_by_its_newest_report(tmp_path: Path) -> None:
    report(tmp_path, "a", "2026-02-01")
    newest = report(tmp_path, "a", "2026-03-01")
    for name in (str(tmp_path), f"{tmp_path}:a"):
        run = load_study(name)
        assert run.name == name
        assert run.built["Report", "a"].artifact.folder == newest
    with pytest.raises(StageError, match="no finished report of 'c'; finished there: a"):
        load_study(f"{tmp_path}:c")
    report(tmp_path, "b", "2026-03-01")
    with pytest.raises(StageError, match="not the report of one study; finished there: a, b"):
        load_study(str(tmp_path))


def test_the_way_that_a_study_chose_is_found_by_its_predictions(tmp_path: Path) -> None:
    ways = [["zero-shot", None, 0], ["translate-train", 0, 0]]
    contrasts = {
        "spec": {"languages": ["x", "y"], "ways": ways},
        "winners": [{"language": "y", "way": ways[1], "dev": 0.9}],
        "inputs": {"predictions 0": ["p0x", "p0y"], "predictions 1": ["p1x", "p1y"]},
    }
    manifests = {
        ("TaskContrasts", "t"): contrasts,
        ("TaskScores", "t-zero-shot-n"): {"inputs": {"predictions": ["p0x", "p0y"]}},
        ("TaskScores", "t-translate-train-bt-n"): {"inputs": {"predictions": ["p1x", "p1y"]}},
    }
    built = {key: Built(Artifact(tmp_path), manifest) for key, manifest in manifests.items()}
    run = Run("a", {}, built)
    assert _winner(run, "t", "y") == "translate-train-bt-n"
    assert _winner(run, "t", "x") is None
    assert _winner(run, "u", "y") is None


def test_the_command_compares_systems_on_the_sentences_both_have(
    tmp_path: Path, store: Path
) -> None:
    experiments = [
        str(write_experiment(tmp_path / "one")),
        str(write_experiment(tmp_path / "two", cleaning={"max_words": 6})),
    ]
    for experiment in experiments:
        result = sprachbund("run", experiment, "--until", "MtScores:gloss")
        assert result.returncode == 0, result.stderr
    result = sprachbund("compare", *experiments, "--format", "json")
    assert result.returncode == 0, result.stderr
    found = json.loads(result.stdout)
    assert {(t["where"], t["what"], t["metric"]) for t in found["paired"]} == {
        (where, what, metric)
        for where, what in [
            ("hub → sis", CHOSEN),
            ("sis → hub", CHOSEN),
            ("hub → sis", "gloss"),
            ("sis → hub", "gloss"),
            ("all", "gloss"),
        ]
        for metric in ("BLEU", "chrF++")
    }
    assert all(0 < t["n"] < 80 and t["p"] is not None for t in found["paired"])
    assert {one["where"] for one in found["unpaired"]} == {"hub → sis", "sis → hub"}
    assert "stand there alone" in found["unpaired"][0]["reason"]
    alone = sprachbund("compare", experiments[0])
    assert alone.returncode != 0
    assert "compare needs two studies or more" in alone.stderr
