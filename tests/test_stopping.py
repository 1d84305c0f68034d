"""When a training ends: it has stopped paying by loss or chrF, or its updates are over."""

import json
import os
import re
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest
from pydantic_core import to_jsonable_python

from models.engines.nmt import NmtEngine
from models.engines.protocol import Decoding
from models.nmt.launch import EarlyStopping, Look
from models.nmt.publish import CTRANSLATE2
from models.nmt.recipe import NmtRecipe, Stop
from models.support.errors import SpecError
from pipeline.dag import find_stages
from pipeline.reporting.trainings import Training, Validation, not_converged
from pipeline.specs.loading import load_experiment
from pipeline.specs.systems import TrainedSystem
from pipeline.stages.stage import canonical_spec
from pipeline.stages.subwords import SUBWORDS
from pipeline.store import Artifact
from tasks.records import read_columns
from tests.conftest import COMMAND, TINY_EXPERIMENT, write_experiment
from tests.test_commands import sprachbund

GREEDY = Decoding(beam=1, max_pieces=50)
LOSSES = [3.0, 2.0, 2.5, 1.9, 1.95, 2.0, 1.8, 1.9, 2.0, 2.1, 1.0]


def looks(history: Path, values: list[tuple[float, float | None]], patience: int) -> int:
    """Return after how many looks a training stops that is stopped and begun again at each."""
    for number, (loss, chrf) in enumerate(values, start=1):
        if EarlyStopping(history, patience).observe(Look(100 * number, loss, chrf)):
            return number
    return 0


@pytest.mark.parametrize("patience", [1, 2, 3, 20])
@pytest.mark.parametrize("by_chrf", [False, True])
def test_a_training_that_is_resumed_stops_where_an_unbroken_one_does(
    tmp_path: Path, patience: int, by_chrf: bool
) -> None:
    values = [(9.0 if by_chrf else loss, 50 - loss if by_chrf else None) for loss in LOSSES]
    unbroken = EarlyStopping(tmp_path / "unbroken.json", patience)
    stops = [unbroken.observe(Look(100 * n, *value)) for n, value in enumerate(values, start=1)]
    end = stops.index(True) + 1 if any(stops) else 0
    assert end == {1: 3, 2: 6, 3: 10, 20: 0}[patience]
    assert looks(tmp_path / "resumed.json", values, patience) == end
    for lost in range(2, end):  # killed after a look, before its checkpoint is on the disk
        history = tmp_path / f"lost-{lost}.json"
        assert not looks(history, values[:lost], patience)
        again = EarlyStopping(history, patience)
        told = [again.observe(Look(100 * n, *values[n - 1])) for n in range(lost, end + 1)]
        assert told.index(True) + lost == end


def test_what_is_not_said_trains_until_it_stops_paying(tmp_path: Path) -> None:
    experiment = {"tasks": [], "transfer": {}, "nmt": {}}
    base = load_experiment(str(write_experiment(tmp_path, **experiment))).systems["base"]
    assert isinstance(base, TrainedSystem)
    assert base.nmt.stop == Stop(patience=5, metric="loss")
    assert base.nmt.max_updates >= 40_000


def test_a_child_changes_one_part_of_its_parents_stop(tmp_path: Path) -> None:
    systems = {
        "base": {"kind": "trained", "nmt": {"stop": {"patience": 3}}},
        "by-chrf": {"like": "base", "nmt": {"stop": {"metric": "chrF"}}},
        "other": {"like": "by-chrf", "nmt": {"stop": {"patience": 9}}},
    }
    grids = {"g": {"like": "base", "over": {"stop": [{"patience": 2, "metric": "chrF"}]}}}
    path = write_experiment(
        tmp_path, tasks=[], transfer={}, nmt={"stop": {"patience": 7}}, systems=systems, grids=grids
    )
    found = load_experiment(str(path)).systems
    stops = {name: s.nmt.stop for name, s in found.items() if isinstance(s, TrainedSystem)}
    assert stops == {
        "base": Stop(patience=3),
        "by-chrf": Stop(patience=3, metric="chrF"),
        "other": Stop(patience=9, metric="chrF"),
        "g-stop-2-chrf": Stop(patience=2, metric="chrF"),
    }


@pytest.mark.parametrize(
    ("nmt", "said"),
    [
        ({"stop": {"patience": 0}}, "nmt.stop.patience"),
        ({"stop": {"metric": "BLEU"}}, "nmt.stop.metric"),
        ({"stop": {"patienc": 3}}, "nmt.stop.patienc"),
        ({"stop": 3}, "nmt.stop"),
        ({"stop": None}, "nmt.stop"),
        ({"patience": 3}, "nmt.patience"),
    ],
)
def test_a_wrong_stop_is_told_with_its_line(tmp_path: Path, nmt: Any, said: str) -> None:
    with pytest.raises(SpecError) as error:
        load_experiment(str(write_experiment(tmp_path, tasks=[], transfer={}, nmt=nmt)))
    assert said in str(error.value)
    assert "line" in str(error.value)


def test_a_training_that_its_loss_stops_is_what_it_was_before_there_was_a_choice() -> None:
    def spec(**stop: Any) -> Any:
        return canonical_spec(to_jsonable_python({"recipe": NmtRecipe(stop=Stop(**stop))}))

    assert spec(patience=7)["recipe"]["patience"] == 7
    assert "stop" not in spec(patience=7)["recipe"]
    assert spec(patience=7, metric="chrF") != spec(patience=7) != spec(patience=8)


def test_a_system_whose_chrf_still_rose_is_said_to_have_been_stopped_early() -> None:
    def training(label: str, *chrf: float) -> Training:
        seen = [Validation(500 * (n + 1), 3.0, value) for n, value in enumerate(chrf)]
        return Training(label, [seen], "1", 1, "", "fp32", 1.0)

    late = [training("base-1", 20.0, 40.0, 60.0), training("bt-1", 50.0, 60.0, 59.0)]
    (said,) = not_converged(late)
    assert said.startswith("base has not converged")
    assert "the dev chrF of 1 of 1 trainings still rose" in said
    assert late[1].converged


NMT: dict[str, Any] = {**TINY_EXPERIMENT["nmt"]}  # type: ignore[dict-item]


def training(folder: Path, **nmt: Any) -> tuple[str, str]:
    """Write an experiment of one training; return its path, and the stage."""
    systems = {"base": {"kind": "trained"}}
    recipe = {**NMT, "fine_tune_updates": 0, **nmt}
    options = {"systems": systems, "nmt": recipe, "tasks": [], "transfer": {}}
    return str(write_experiment(folder, **options)), "TrainedModel:base-1"


def trained(path: str, stage: str) -> Artifact:
    (found,) = find_stages(path, stage)
    assert found.complete()
    return Artifact(found.place.artifact)


@pytest.mark.system
def test_chrf_of_the_dev_text_decides_when_to_stop(tmp_path: Path, store: Path) -> None:
    from sacrebleu.metrics import chrf

    stop = {"patience": 2, "metric": "chrF"}
    sizes = {"width": 64, "feed_forward": 128, "copied_text": True, "dropout": 0.0}
    path, stage = training(tmp_path, stop=stop, max_updates=120, validate_every=60, **sizes)
    result = sprachbund("run", path, "--until", stage)
    assert result.returncode == 0, result.stderr
    model = trained(path, stage)
    (phase,) = model.manifest["training"]["phases"]
    seen = [Look(*look) for look in phase["validations"]]
    best = max(range(len(seen)), key=lambda n: seen[n].chrf or 0)
    assert seen[-1].updates == 120 or len(seen) - 1 - best == 2
    subwords = Artifact(find_stages(path, "SubwordModel")[0].place.artifact)
    (bitext,) = find_stages(path, "TrainingBitext")
    dev = read_columns(Artifact(bitext.place.artifact).path("dev.parquet"), ["hub", "sis"])
    engine = NmtEngine(model.path(CTRANSLATE2), subwords.path(SUBWORDS), threads=1)
    made, wanted = [], []
    for source, target in (("hub", "sis"), ("sis", "hub")):
        lines = [(str(n), text) for n, text in enumerate(dev[source])]
        found = engine.translate(lines, source=source, target=target, decoding=GREEDY)
        made += [text for _, text in found]
        wanted += dev[target]
    by_hand = chrf.CHRF().corpus_score(made, [wanted]).score
    assert seen[best].chrf == pytest.approx(by_hand, abs=0.5)  # of the checkpoint that was kept
    assert by_hand > 2


@pytest.mark.system
def test_a_killed_training_stops_at_the_same_update(tmp_path: Path) -> None:
    stop = {"patience": 1, "metric": "chrF"}
    nmt = {"stop": stop, "max_updates": 400, "learning_rate": 0.05}
    path, stage = training(tmp_path, **nmt)
    seen = {}
    for name, kills in (("unbroken", 0), ("killed", 1)):
        environment = {**os.environ, "SPRACHBUND_STORE": str(tmp_path / name)}
        for _ in range(kills):
            _kill_in_training(path, stage, environment)
        command = [*COMMAND, "run", path, "--until", stage]
        result = subprocess.run(command, env=environment, capture_output=True, check=False)
        assert result.returncode == 0, result.stderr
        (folder,) = (tmp_path / name / "TrainedModel").iterdir()
        manifest = json.loads((folder / "manifest.json").read_text())
        assert manifest["attempt"] == kills + 1
        (phase,) = manifest["training"]["phases"]
        seen[name] = phase["validations"]
    assert seen["unbroken"] == seen["killed"]
    assert 20 <= seen["killed"][-1][0] < 400


def _kill_in_training(path: str, stage: str, environment: dict[str, str]) -> None:
    """Start a training; kill it once it has made updates after the last look it had kept."""
    command = [*COMMAND, "run", path, "--until", stage]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, env=environment, stderr=pipe, text=True, start_new_session=True
    ) as run:
        for line in run.stderr or ():
            if re.search("validation perplexity", line):
                break
        os.killpg(run.pid, signal.SIGKILL)
