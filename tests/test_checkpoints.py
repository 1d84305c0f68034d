"""Files of pretrained models: from a folder, a package, the hub by way of a mirror."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import huggingface_hub
import pytest

from models.support.errors import SourceError
from tasks.sources.checkpoints import (
    HubModel,
    ModelFolder,
    PackagedModel,
    PinnedFile,
    fetch_model,
    local_files,
    model_files,
    packaged_file,
)

FILES = {
    "config.json": "{}",
    "model.safetensors": "weights",
    "tokenizer.json": "pieces",
    "README.md": "words",
    "pytorch_model.bin": "a pickle",
}
WANTED = {"config.json", "model.safetensors", "tokenizer.json"}
HUB = HubModel(kind="hub", name="owner/small")


def write_files(folder: Path, *leave_out: str, **more: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in {**FILES, **more}.items():
        if name not in leave_out:
            (folder / name).write_text(text, encoding="utf-8")
    return folder


def mirrored(folder: Path, revision: str = "main") -> Path:
    return folder / "huggingface.co" / "owner" / "small" / "resolve" / revision


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def test_a_folder_gives_what_is_needed_and_no_pickle(tmp_path: Path) -> None:
    source = ModelFolder(kind="folder", path=str(write_files(tmp_path / "model")))
    fetched = fetch_model(source, tmp_path / "out", mirror=None, pins=tmp_path / "pins")
    assert {path.name for path in (tmp_path / "out").iterdir()} == WANTED
    assert {Path(file["address"]).name for file in fetched} == WANTED
    assert sha256("weights") in {file["sha256"] for file in fetched}
    assert {path.name for path in local_files(source)} == WANTED


def test_shards_come_with_their_index() -> None:
    names = ["config.json", "vocab.txt", "model.safetensors.index.json"]
    shards = [f"model-0000{n}-of-00002.safetensors" for n in (1, 2)]
    assert set(model_files([*names, *shards, "notes.txt"], "m")) == {*names, *shards}


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        (["config.json"], "no config.json"),
        (["tokenizer.json"], "no tokenizer beside the model"),
        (["model.safetensors"], r"only pytorch_model.bin.*a pickle.*\{kind: folder"),
        (["model.safetensors", "pytorch_model.bin"], "no weights"),
    ],
)
def test_a_model_that_lacks_something_is_refused(
    missing: list[str], said: str, tmp_path: Path
) -> None:
    source = ModelFolder(kind="folder", path=str(write_files(tmp_path / "model", *missing)))
    with pytest.raises(SourceError, match=f"(?s){said}"):
        fetch_model(source, tmp_path / "out", mirror=None, pins=tmp_path / "pins")
    write_files(mirrored(tmp_path), *missing)
    with pytest.raises(SourceError, match=f"(?s)owner/small.*{said}"):
        fetch_model(HUB, tmp_path / "out", mirror=tmp_path, pins=tmp_path / "pins")
    assert not (tmp_path / "pins").exists()


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="nowhere: no such folder"):
        local_files(ModelFolder(kind="folder", path=str(tmp_path / "nowhere")))


def test_the_first_download_pins_the_later_ones(tmp_path: Path) -> None:
    write_files(mirrored(tmp_path))
    pins = tmp_path / "pins"
    fetched = fetch_model(HUB, tmp_path / "out", mirror=tmp_path, pins=pins)
    address = "https://huggingface.co/owner/small/resolve/main/config.json"
    assert {"address": address, "sha256": sha256("{}")} in fetched
    (pin,) = pins.iterdir()
    assert json.loads(pin.read_text())["files"]["model.safetensors"] == sha256("weights")
    assert fetch_model(HUB, tmp_path / "again", mirror=tmp_path, pins=pins) == fetched
    write_files(mirrored(tmp_path), **{"model.safetensors": "others"})
    with pytest.raises(SourceError, match="checksum differs"):
        fetch_model(HUB, tmp_path / "changed", mirror=tmp_path, pins=pins)


def test_a_manifest_with_sums_is_held_to_them(tmp_path: Path) -> None:
    commit = "c" * 40
    write_files(mirrored(tmp_path, commit))
    files = tuple(PinnedFile(name=name, sha256=sha256(FILES[name])) for name in sorted(WANTED))
    source = HubModel(kind="hub", name="owner/small", revision=commit, files=files)
    fetch_model(source, tmp_path / "out", mirror=tmp_path, pins=tmp_path / "pins")
    assert {path.name for path in (tmp_path / "out").iterdir()} == WANTED
    assert not (tmp_path / "pins").exists()
    write_files(mirrored(tmp_path, commit), **{"config.json": "{ }"})
    with pytest.raises(SourceError, match="checksum differs"):
        fetch_model(source, tmp_path / "out2", mirror=tmp_path, pins=tmp_path / "pins")


def test_a_hub_that_does_not_answer_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(*_: Any, **__: Any) -> None:
        raise ConnectionError("name or service not known")

    monkeypatch.setattr(huggingface_hub.HfApi, "model_info", unreachable)
    with pytest.raises(SourceError, match=r"(?s)cannot be reached.*SPRACHBUND_MIRROR.*owner/small"):
        fetch_model(HUB, tmp_path / "out", mirror=None, pins=tmp_path / "pins")


def install(folder: Path, monkeypatch: pytest.MonkeyPatch, content: str) -> PackagedModel:
    """Put a package on the path as an installer does; return what a manifest says of it."""
    for path, text in {
        "tinyenc/weights.bin": content,
        "tinyenc-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: tinyenc\nVersion: 1.0\n",
        "tinyenc-1.0.dist-info/RECORD": "tinyenc/weights.bin,,\n",
    }.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(str(folder))
    return PackagedModel(
        kind="package",
        name="tinyenc",
        version="1.0",
        file="tinyenc/weights.bin",
        sha256=sha256("numbers"),
        layout="e5s1",
    )


def test_an_installed_package_gives_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = install(tmp_path / "site", monkeypatch, "numbers")
    fetched = fetch_model(source, tmp_path / "out", mirror=None, pins=tmp_path / "pins")
    assert (tmp_path / "out" / "weights.bin").read_text() == "numbers"
    assert fetched == [{"address": str(source), "sha256": source.sha256}]


@pytest.mark.parametrize(
    ("changes", "content", "said"),
    [
        ({"name": "no-such"}, "numbers", "is not installed; install it with: pip install no-such"),
        ({"version": "2.0"}, "numbers", "tinyenc 1.0 is installed; .* tinyenc==2.0"),
        ({"file": "tinyenc/other.bin"}, "numbers", "no such file"),
        ({}, "other numbers", "checksum differs"),
    ],
)
def test_a_package_that_is_not_as_written_is_refused(
    changes: dict[str, str],
    content: str,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source = replace(install(tmp_path / "site", monkeypatch, content), **changes)
    with pytest.raises(SourceError, match=said):
        packaged_file(source)


def test_the_extra_that_holds_a_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "tasks.sources.checkpoints.metadata.requires",
        lambda _: ["numpy", 'tinyenc==1.0; extra == "encoders"'],
    )
    source = PackagedModel(
        kind="package", name="tinyenc", version="1.0", file="f", sha256="0", layout="e5s1"
    )
    with pytest.raises(SourceError, match=r"pip install 'sprachbund\[encoders\]'"):
        packaged_file(source)
