"""A pretrained encoder in an experiment: fitness before it runs, vectors, what the report says."""

from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import luigi
import numpy
import pytest
import yaml

from pipeline.dag import find_stages
from pipeline.looking.data_tables import readiness_grids, remarks
from pipeline.looking.readiness import readiness
from pipeline.reporting.encoders import published_grid
from pipeline.running import building
from pipeline.stages.encoding import EncodedText
from pipeline.stages.pretrained import ModelFiles, PretrainedEncoder
from tests.conftest import write_experiment, write_yaml
from tests.test_commands import sprachbund
from tests.test_pretrained import write_folder


@pytest.fixture
def study(tmp_path: Path, store: Path) -> str:
    """Return a sandbox experiment with a small random encoder that lies in a folder."""
    write_folder(tmp_path / "weights", "xlm-r")
    manifest = {
        "name": "own",
        "title": "our own encoder",
        "kind": "pretrained",
        "licence": "CC-BY-NC-4.0",
        "weights": 30_000,
        "source": {"kind": "folder", "path": "../weights"},
        "prefix": "a ",
        "max_pieces": 20,
        "cased": True,
        "languages": ["hub"],
    }
    write_yaml(tmp_path / "models" / "own.yaml", manifest)
    encoders = {"mine": {"kind": "pretrained", "model": "own"}}
    systems = {"gloss": {"kind": "gloss"}}
    experiment = write_experiment(tmp_path, transfer={"encoders": encoders}, systems=systems)
    return str(experiment)


def test_fitness_is_told_before_anything_is_built(study: str, store: Path) -> None:
    found = readiness(study)
    assert [(fit.language, fit.listed) for fit in found.encoders] == [("hub", "yes"), ("sis", "no")]
    assert "no text yet" in found.encoders[0].remarks
    assert found.problems == []
    assert any(source.corpus == "our own encoder" for source in found.sources)
    building.run(find_stages(study, "LabelledData"))
    found = readiness(study)
    hub, sister = (fit.fitness for fit in found.encoders)
    assert hub is not None
    assert sister is not None
    assert hub.texts == sister.texts == 180
    assert sister.pieces_a_word > 2
    assert sister.unknown_pieces > 0.01
    said = [line for line in remarks(found) if "encoder own" in line]
    assert "sis, encoder own: not among the languages it has seen" in said
    assert any("of its pieces are unknown" in line for line in said)
    grid = next(grid for grid in readiness_grids(found) if grid.title == "Encoders")
    assert [row[:3] for row in grid.rows] == [["own", "hub", "yes"], ["own", "sis", "no"]]


def test_a_folder_that_is_not_there_is_a_problem_before_the_run(study: str) -> None:
    folder = Path(study).parents[1] / "weights"
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    (problem,) = readiness(study).problems
    assert problem.startswith("encoder own:")
    assert "a pickle" in problem
    assert [fit.fitness for fit in readiness(study).encoders] == [None, None]


class NoSuchModel(BaseHTTPRequestHandler):
    """Answers as the hub does for a model that it does not have."""

    def do_GET(self) -> None:
        self.send_response(404)
        self.send_header("X-Error-Code", "RepoNotFound")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Keep quiet."""


def refused(study: str, *, until: str, hub: str = "http://127.0.0.1:9", **manifest: Any) -> str:
    """Run a study with another manifest of its encoder; return what the command says of it."""
    path = Path(study).parents[1] / "models" / "own.yaml"
    write_yaml(path, {**yaml.safe_load(path.read_text(encoding="utf-8")), **manifest})
    done = sprachbund("run", study, "--until", until, HF_ENDPOINT=hub, SPRACHBUND_MIRROR="")
    said = " ".join((done.stdout + done.stderr).split())
    assert done.returncode != 0
    assert "Traceback" not in said
    return said


OF_THE_HUB = {"kind": "hub", "name": "nobody/has-this", "revision": "main"}


def test_a_hub_that_cannot_be_reached_is_told_by_the_command(study: str, store: Path) -> None:
    said = refused(study, until="ModelFiles", source=OF_THE_HUB)
    assert "nobody/has-this@main of the hub: the hub cannot be reached" in said
    assert "SPRACHBUND_MIRROR" in said


def test_a_name_that_the_hub_does_not_have_is_told_by_the_command(study: str, store: Path) -> None:
    with HTTPServer(("127.0.0.1", 0), NoSuchModel) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        hub = f"http://127.0.0.1:{server.server_port}"
        said = refused(study, until="ModelFiles", hub=hub, source=OF_THE_HUB)
        server.shutdown()
    assert "nobody/has-this@main of the hub: the hub has no such model" in said


def test_a_folder_without_tokenizer_is_told_by_the_command(study: str, store: Path) -> None:
    for path in (Path(study).parents[1] / "weights").glob("tokenizer*"):
        path.unlink()
    said = refused(study, until="ModelFiles")
    assert "no tokenizer beside the model; one of tokenizer.json" in said


def test_a_pickle_is_refused_by_the_command(study: str, store: Path) -> None:
    weights = Path(study).parents[1] / "weights" / "model.safetensors"
    weights.rename(weights.with_name("pytorch_model.bin"))
    said = refused(study, until="ModelFiles")
    assert "only pytorch_model.bin, and loading a pickle may run whatever its author wrote" in said


def test_too_few_positions_are_told_by_the_command(study: str, store: Path) -> None:
    said = refused(study, until="PretrainedEncoder", max_pieces=500)
    assert "`max_pieces` is 500, but the encoder has positions for 62 pieces" in said
    assert not list(store.glob("PretrainedEncoder/*/manifest.json"))


def test_other_weights_are_another_artifact(study: str) -> None:
    before = ModelFiles(experiment=study, model="own").fingerprint
    assert ModelFiles(experiment=study, model="own").fingerprint == before
    write_folder(Path(study).parents[1] / "weights", "xlm-r", hidden_size=16)
    luigi.Task.clear_instance_cache()
    assert ModelFiles(experiment=study, model="own").fingerprint != before


def test_vectors_are_made_and_the_report_says_how(study: str, store: Path) -> None:
    built = sprachbund("run", study, "--until", "EncodedText:stance-sis-*")
    assert built.returncode == 0, built.stderr  # a fork of one that has used torch would wait
    (text,) = find_stages(study, "EncodedText:stance-sis-1-mine")
    assert isinstance(text, EncodedText)
    vectors = numpy.load(text.artifact.path("test.npy"))
    assert vectors.shape == (60, 32)
    assert len({vector.tobytes() for vector in vectors}) > 30
    (published,) = find_stages(study, "PretrainedEncoder")
    assert isinstance(published, PretrainedEncoder)
    manifest = published.artifact.manifest
    facts = manifest["encoder"]
    assert facts["agreement"]["texts"] == 128
    assert facts["number"] in ("int8", "float32")
    assert facts["kept_pieces"] < facts["pieces"]
    assert facts["fitness"]["hub"]["texts"] == 180
    grid = published_grid([manifest], {"own": {"hub": "yes", "sis": "no"}})
    assert grid is not None
    assert [row[:3] for row in grid.rows] == [["own", "hub", "yes"], ["own", "sis", "no"]]
    assert "not among the languages it has seen" in grid.rows[1][-1]
    assert "pieces kept, run in" in grid.note
    found = readiness(study)
    assert found.encoders[0].fitness is not None
    assert found.encoders[0].fitness.texts == 180
