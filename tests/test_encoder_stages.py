"""A pretrained encoder in an experiment: fitness before it runs, vectors, what the report says."""

from pathlib import Path

import luigi
import numpy
import pytest

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
