"""What decides a corpus is in its fingerprint: whose it is, its bytes, the names of its files."""

from pathlib import Path

from pipeline.dag import find_stages
from pipeline.stages.corpora import Bitext, RawCorpus, local_digests
from pipeline.stages.stage import Stage
from tasks.sources.description import HashSplit, HubDataset, Sandbox
from tests.conftest import pair_manifest, task_manifest, write_experiment, write_yaml


def raws(stage: Stage[object]) -> list[RawCorpus]:
    found = [s for listed in stage.inputs.values() for s in listed if isinstance(s, RawCorpus)]
    assert found
    return found


def test_a_task_named_like_a_pair_has_corpora_of_its_own(tmp_path: Path, store: Path) -> None:
    path = write_experiment(tmp_path, tasks=["hub-sis"])
    task = {**task_manifest(("hub", "sis")), "name": "hub-sis"}
    task["texts"]["sis"]["name"] = "mono-sis"  # type: ignore[index]
    write_yaml(tmp_path / "tasks" / "hub-sis.yaml", task)
    (text,) = find_stages(str(path), "Monolingual:sis")
    (labelled,) = find_stages(str(path), "LabelledData:hub-sis-sis")
    (mono,), (texts,) = raws(text), raws(labelled)
    parts = [s.spec().source.part for s in (mono, texts) if isinstance(s.spec().source, Sandbox)]
    assert parts == ["monolingual", "labelled"]
    assert mono.label() != texts.label()
    assert mono.task_id != texts.task_id


def test_a_renamed_file_of_a_local_data_set_is_another_source(tmp_path: Path) -> None:
    source = HubDataset(kind="dataset", name=str(tmp_path), columns={"text": "text"})
    (tmp_path / "train.jsonl").write_text('{"text": "siki"}\n')
    (tmp_path / "test.jsonl").write_text('{"text": "kalih"}\n')
    before = local_digests(source)
    (tmp_path / "train.jsonl").rename(tmp_path / "u")
    (tmp_path / "test.jsonl").rename(tmp_path / "train.jsonl")
    (tmp_path / "u").rename(tmp_path / "test.jsonl")
    assert local_digests(source) != before
    moved = tmp_path.with_name("moved")
    tmp_path.rename(moved)
    assert local_digests(HubDataset(kind="dataset", name=str(moved), columns={})) == local_digests(
        HubDataset(kind="dataset", name=f"{moved}/", columns={})
    )


def test_a_slice_cuts_and_never_enlarges(tmp_path: Path, store: Path) -> None:
    def train_of(limit: int | None, slices: dict[str, int], folder: Path) -> int | None:
        path = write_experiment(folder, slice=slices)
        split = {"rule": "hash", "dev": 30, "test": 40, **({"train": limit} if limit else {})}
        write_yaml(folder / "pairs" / "hub-sis.yaml", {**pair_manifest("sis"), "split": split})
        (stage,) = find_stages(str(path), "Bitext:hub-sis")
        assert isinstance(stage, Bitext)
        found = stage.spec().split
        assert isinstance(found, HashSplit)
        return found.train

    cases = [(100, {"train": 200}), (200, {"train": 100}), (None, {"train": 50}), (100, {})]
    assert [train_of(*case, tmp_path / str(n)) for n, case in enumerate(cases)] == [
        100,
        100,
        50,
        100,
    ]
    assert train_of(None, {"dev": 10}, tmp_path / "none") is None
