"""Fixtures: a store of its own, and a sandbox experiment small enough for a test."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from socket import socket
from typing import NamedTuple

import pytest
import yaml

COMMAND = [sys.executable, "-P", "-m", "pipeline.commands.app"]
TINY_RECIPE = {"pairs": 400, "monolingual": 300, "task_train": 90, "task_dev": 30, "task_test": 60}

TINY_EXPERIMENT = {
    "name": "tiny",
    "hub": "hub",
    "pairs": ["hub-sis"],
    "tasks": ["stance"],
    "subwords": {"size": 300},
    "nmt": {
        "encoder_layers": 1,
        "decoder_layers": 1,
        "width": 32,
        "feed_forward": 64,
        "heads": 2,
        "warmup_updates": 10,
        "batch_tokens": 1024,
        "max_updates": 20,
        "fine_tune_updates": 10,
        "joined_share": 0.2,
        "validate_every": 10,
    },
    "monolingual": {"max_sentences": 200, "max_lost": 1.0},
    "systems": {
        "gloss": {"kind": "gloss"},
        "base": {"kind": "trained", "replicates": 2},
        "bt": {"like": "base", "synthetic": [{"by": "base", "decoding": {"beam": 1}}]},
    },
    "transfer": {
        "encoders": {
            "char-ngram": {"kind": "ngrams"},
            "nmt-encoder": {"kind": "nmt", "system": "bt"},
        },
        "classifier": {"seeds": 2, "strengths": [4.0]},
        "decoding": {"beam": 1},
    },
    "evaluation": {"resamples": 100, "decoding": {"beam": 1}},
}


def sandbox_corpus(name: str, part: str, language: str) -> dict[str, object]:
    source = {"kind": "sandbox", "part": part, "language": language, "recipe": TINY_RECIPE}
    return {"name": name, "licence": "CC0-1.0", "source": source}


def pair_manifest(language: str) -> dict[str, object]:
    return {
        "name": f"hub-{language}",
        "languages": ["hub", language],
        "parallel": [sandbox_corpus("sandbox", "parallel", language)],
        "monolingual": {
            code: [sandbox_corpus(f"mono-{code}", "monolingual", code)]
            for code in ("hub", language)
        },
        "split": {"rule": "hash", "dev": 30, "test": 40},
    }


def task_manifest(languages: tuple[str, ...]) -> dict[str, object]:
    return {
        "name": "stance",
        "source_language": "hub",
        "labels": ["complaint", "neutral", "praise"],
        "texts": {code: sandbox_corpus("task", "labelled", code) for code in languages},
    }


def write_yaml(path: Path, data: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")
    return path


def write_experiment(
    folder: Path, languages: tuple[str, ...] = ("sis",), **changes: object
) -> Path:
    """Write a tiny experiment with its manifests; return the experiment's path."""
    for language in languages:
        write_yaml(folder / "pairs" / f"hub-{language}.yaml", pair_manifest(language))
    write_yaml(folder / "tasks" / "stance.yaml", task_manifest(("hub", *languages)))
    pairs = [f"hub-{language}" for language in languages]
    experiment = {**TINY_EXPERIMENT, "pairs": pairs, **changes}
    return write_yaml(folder / "experiments" / "tiny.yaml", experiment)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Point the artifact store at a folder of this test's own."""
    folder = tmp_path / "store"
    monkeypatch.setenv("SPRACHBUND_STORE", str(folder))
    return folder


@pytest.fixture
def tiny(tmp_path: Path, store: Path) -> Path:
    """Return the path of a tiny sandbox experiment."""
    return write_experiment(tmp_path / "manifests")


def free_port() -> str:
    """Return a port that nobody listens at."""
    with socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def skip_without_namespaces(option: str, *tools: str) -> None:
    """Skip a test where `unshare` with an option is refused, or a tool is missing."""
    there = all(map(shutil.which, ("unshare", *tools)))
    if not there or subprocess.run(["unshare", option, "true"]).returncode:
        pytest.skip("this machine lets nobody make namespaces")


class Study(NamedTuple):
    """A finished run: the path of its experiment, and the store."""

    experiment: Path
    store: Path


@pytest.fixture(scope="session")
def tiny_study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """Return a tiny sandbox study that ran without disturbance; nobody may change its store."""
    folder = tmp_path_factory.mktemp("study")
    study = Study(write_experiment(folder / "manifests"), folder / "store")
    result = subprocess.run(
        [*COMMAND, "run", str(study.experiment)],
        env={**os.environ, "SPRACHBUND_STORE": str(study.store)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return study
