"""Languages whose labelled set lacks a part: what can be done is done, the rest is left out."""

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from pipeline.dag import all_stages, find_stages
from pipeline.looking.data_tables import readiness_grids, remarks
from pipeline.looking.planning import plan, plan_gaps
from pipeline.looking.readiness import readiness
from pipeline.running import building
from pipeline.specs.manifests import TaskManifest
from pipeline.specs.parts import task_parts
from pipeline.stages.report import Report
from tasks import sandbox
from tasks.sandbox.recipe import SandboxRecipe
from tests.conftest import TINY_RECIPE, task_manifest, write_experiment, write_yaml

ALL = ("train", "dev", "test")
QUICK: dict[str, Any] = {
    "systems": {"gloss": {"kind": "gloss"}},
    "transfer": {"encoders": {"char-ngram": {"kind": "ngrams"}}, "classifier": {"seeds": 2}},
}


def labelled_files(folder: Path, language: str, parts: Sequence[str]) -> dict[str, Any]:
    """Write the sandbox's labelled text as a file a part; return the corpus of some parts."""
    rows = list(sandbox.labelled(SandboxRecipe(**TINY_RECIPE), language))
    folder.mkdir(exist_ok=True)
    for part in parts:
        with (folder / f"{language}-{part}.csv").open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream, lineterminator="\n")
            writer.writerow(["id", "text", "label"])
            writer.writerows((key, text, label) for key, text, label, p in rows if p == part)
    source = {
        "kind": "files",
        "base": str(folder),
        "files": [{"name": f"{language}-{part}.csv", "split": part} for part in parts],
        "format": {"kind": "csv", "id": "id", "columns": {"text": "text", "label": "label"}},
    }
    return {"name": f"stance-{language}", "licence": "CC0-1.0", "source": source}


def experiment(folder: Path, hub: Sequence[str], sis: Sequence[str], **changes: Any) -> str:
    path = write_experiment(folder, **{**QUICK, **changes})
    parts = {"hub": hub, "sis": sis}
    texts = {x: labelled_files(folder / "data", x, parts[x]) for x in parts}
    write_yaml(folder / "tasks" / "stance.yaml", {**task_manifest(()), "texts": texts})
    return str(path)


def said(study: str) -> str:
    (report,) = find_stages(study, "Report")
    return "\n".join(report.artifact.manifest["verdicts"])


def scored(study: str) -> set[tuple[str, str]]:
    (report,) = find_stages(study, "Report")
    records = json.loads(report.artifact.path("scores.json").read_text(encoding="utf-8"))
    return {(r["language"], r["strategy"]) for r in records if r["kind"] == "task"}


TRANSFER = {("sis", name) for name in ("zero-shot", "translate-train", "translate-test")}


def test_a_language_with_a_test_set_alone_is_studied(tmp_path: Path, store: Path) -> None:
    study = experiment(tmp_path, hub=ALL, sis=("test",))
    gap = "stance, sis: in-language is left out: sis has no train part"
    assert plan_gaps(study) == [gap]
    assert not any("in-language" in stage.label for stage in plan(study))
    found = readiness(study)
    assert found.problems == []
    (sister,) = [known for known in found.languages if known.language == "sis"]
    possible = {name: ability.possible for name, ability in sister.strategies["stance"].items()}
    assert possible == {
        "zero-shot": "yes",
        "translate-train": "yes",
        "translate-test": "yes",
        "in-language": "no",
    }
    assert "sis: sis has no train part (stance, in-language: no)" in list(remarks(found))
    assert list(readiness_grids(found))
    building.run(all_stages(study))
    assert scored(study) == {*TRANSFER, ("hub", "source")}
    assert "stance, sis: in-language is left out, for want of training items in sis." in said(study)
    assert "sis has no dev data" in said(study) or "(sis has none)" in said(study)


def test_without_any_dev_part_nothing_is_chosen_and_all_is_scored(
    tmp_path: Path, store: Path
) -> None:
    study = experiment(tmp_path, hub=("train", "test"), sis=("train", "test"))
    assert plan_gaps(study) == []
    building.run(all_stages(study))
    assert scored(study) == {*TRANSFER, ("hub", "source"), ("sis", "in-language")}
    assert "stance, sis: no way was chosen, for want of dev data." in said(study)


def test_a_hub_without_a_test_part_has_no_score_of_its_own(tmp_path: Path, store: Path) -> None:
    study = experiment(tmp_path, hub=("train", "dev"), sis=("dev", "test"))
    assert plan_gaps(study) == [
        "stance, sis: in-language is left out: sis has no train part",
        "stance, hub: source is left out: hub has no test part",
    ]
    found = readiness(study)
    assert found.problems == []
    assert "hub: hub has no test part (stance, source: no)" in list(remarks(found))
    building.run(all_stages(study))
    assert scored(study) == TRANSFER


def test_labels_of_their_own_whose_train_items_have_no_text_leave_out_the_same(
    tmp_path: Path, store: Path
) -> None:
    """No manifest tells that the language's file has the test items alone."""
    study = experiment(tmp_path, hub=ALL, sis=("test",))
    texts = {
        x: labelled_files(tmp_path / "data", x, p) for x, p in (("hub", ALL), ("sis", ["test"]))
    }
    labels = {**texts["hub"], "name": "stance-labels"}
    for corpus in texts.values():
        corpus["source"] = {
            **corpus["source"],
            "files": [{"name": file["name"]} for file in corpus["source"]["files"]],
        }
    task = {**task_manifest(()), "texts": texts, "labels_from": labels}
    write_yaml(tmp_path / "tasks" / "stance.yaml", task)
    assert plan_gaps(study) == []
    building.run(all_stages(study))
    assert scored(study) == {*TRANSFER, ("hub", "source")}
    assert "in-language is left out, for want of training items in sis" in said(study)


@pytest.mark.parametrize(
    ("labels", "texts", "expected"),
    [
        (None, ["test"], {"test"}),
        (None, ["dev", "test"], {"dev", "test"}),
        (None, [None], set()),
        (["train", "test"], [None], {"train", "test"}),
        (["train", "test"], ["test"], {"test"}),
        (["train", "test"], ["test", None], {"train", "test"}),
    ],
)
def test_the_parts_of_a_language_are_those_its_files_declare(
    labels: list[str] | None, texts: list[str | None], expected: set[str]
) -> None:
    def corpus(parts: Sequence[str | None]) -> dict[str, Any]:
        files = [{"name": f"{n}.csv", "split": part} for n, part in enumerate(parts)]
        form = {"kind": "csv", "columns": {"text": "t", "label": "l"}}
        source = {"kind": "files", "base": "/x", "files": files, "format": form}
        return {"name": "c", "licence": "CC0", "source": source}

    task = TaskManifest.model_validate(
        {
            "name": "t",
            "source_language": "ind",
            "labels": ["a", "b"],
            "texts": {"ind": corpus(texts)},
            "labels_from": corpus(labels) if labels else None,
        }
    )
    assert task_parts(task, "ind") == expected


def test_a_language_without_a_test_part_is_no_use(tmp_path: Path, store: Path) -> None:
    study = experiment(tmp_path, hub=("dev", "test"), sis=("train", "dev"))
    assert readiness(study).problems == [
        "task stance, hub: none of its files has `split: train`",
        "task stance, sis: none of its files has `split: test`",
    ]
    assert Report(experiment=study).complete() is False
