"""Several workers on one scheduler: each takes what it has room for, no stage is built twice."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from socket import create_connection, socket

import luigi
import pytest

from models.support.errors import SpecError
from pipeline.dag import find_stages
from pipeline.running.scheduling import is_local
from pipeline.running.workers import Crew, fits
from pipeline.stages.stage import Stage
from tests.conftest import (
    COMMAND,
    TINY_EXPERIMENT,
    free_port,
    skip_without_namespaces,
    write_experiment,
)
from tests.test_commands import sprachbund
from tests.torture import contents, leftovers, manifests


@pytest.mark.parametrize(
    ("needs", "capacity", "expected"),
    [
        ({"cpu": 1}, {"cpu": 1, "gpu": 0}, True),
        ({"cpu": 2}, {"cpu": 1}, False),
        ({"cpu": 1, "gpu": 1}, {"cpu": 4}, False),
        ({"cpu": 1, "gpu": 1}, {"cpu": 1, "gpu": 2}, True),
    ],
)
def test_a_stage_goes_to_a_worker_that_has_what_it_needs(
    needs: dict[str, int], capacity: dict[str, int], expected: bool
) -> None:
    assert fits(needs, capacity) is expected


def test_resources_are_described_in_words() -> None:
    assert Crew.described("cpu=3,gpu=1").capacity == {"cpu": 3, "gpu": 1}
    assert Crew.described("gpu=0").capacity["cpu"] >= 1
    for nonsense in ("cpu", "cpu=two", "=1", "cpu=1;gpu=1"):
        with pytest.raises(SpecError, match="cpu=2,gpu=1"):
            Crew.described(nonsense)
    with pytest.raises(SpecError, match="needs a processor"):
        Crew.described("cpu=0")


@pytest.mark.parametrize(
    ("hardware", "expected"),
    [
        ({"threads": 3}, {"cpu": 6}),
        ({"threads": 3, "gpu": True}, {"cpu": 6, "gpu": 2}),
    ],
)
def test_a_training_needs_threads_for_each_process_and_a_gpu_where_the_study_says_so(
    tmp_path: Path, store: Path, hardware: dict[str, object], expected: dict[str, int]
) -> None:
    recipe = {**TINY_EXPERIMENT["nmt"], "processes": 2}  # type: ignore[dict-item]
    experiment = str(write_experiment(tmp_path, nmt=recipe, hardware=hardware))
    (model, *_) = find_stages(experiment, "TrainedModel:base-1")
    assert model.needs() == expected


@dataclass(frozen=True)
class WorkSpec:
    number: int


class Work(Stage[WorkSpec]):
    """A stage that needs so many processors, and computes on so many GPUs."""

    number = luigi.IntParameter()
    processors = luigi.IntParameter()
    graphics = luigi.IntParameter()

    def spec(self) -> WorkSpec:
        return WorkSpec(int(self.number))

    def label(self) -> str:
        return str(self.number)

    def needs(self) -> dict[str, int]:
        return {"cpu": int(self.processors)}

    def gpus(self) -> int:
        return int(self.graphics)


def taken_at_once(capacity: dict[str, int], stages: list[tuple[int, int]]) -> int:
    """Return how many stages of so many processors and GPUs a worker gets before one ends."""
    crew = Crew(capacity)
    scheduler = crew.create_local_scheduler()
    worker = crew.create_worker(scheduler, len(stages))
    for number, (processors, graphics) in enumerate(stages):
        worker.add(Work(experiment="x", number=number, processors=processors, graphics=graphics))
    answers = [scheduler.get_work(worker=worker._id) for _ in stages]
    return sum(answer["task_id"] is not None for answer in answers)


@pytest.mark.parametrize(
    ("capacity", "stages", "expected"),
    [
        ({"cpu": 2, "gpu": 0}, [(1, 0), (1, 0)], 2),  # two replicates with a thread each
        ({"cpu": 2, "gpu": 0}, [(1, 0), (1, 0), (1, 0)], 2),
        ({"cpu": 2, "gpu": 0}, [(2, 0), (2, 0)], 1),
        ({"cpu": 2, "gpu": 0}, [(8, 0), (8, 0)], 1),  # more than there is: all of it
        ({"cpu": 8, "gpu": 1}, [(1, 1), (1, 1)], 1),
        ({"cpu": 8, "gpu": 1}, [(1, 1), (1, 0)], 2),
        ({"cpu": 8, "gpu": 2}, [(1, 1), (1, 1)], 1),  # both would take the first one
    ],
)
def test_stages_run_side_by_side_while_there_is_room(
    store: Path, capacity: dict[str, int], stages: list[tuple[int, int]], expected: int
) -> None:
    assert taken_at_once(capacity, stages) == expected


def test_a_worker_takes_nothing_that_it_has_not_asked_for(tiny: Path, store: Path) -> None:
    (stage,) = find_stages(str(tiny), "SubwordModel")
    crew = Crew({"cpu": 1, "gpu": 0})
    worker = crew.create_worker(crew.create_local_scheduler(), 1)
    worker.add(stage)
    assert worker._get_work_task_id({"task_id": stage.task_id}) == stage.task_id
    strange = {"task_id": "Shell_1", "task_module": "os", "task_family": "Shell", "task_params": {}}
    assert worker._get_work_task_id(strange) is None
    assert worker._get_work_task_id({"task_id": None, "batch_id": "b", **strange}) is None


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),  # noqa: S104
        ("10.0.0.1", False),
        ("gpu-node-7", False),
    ],
)
def test_the_own_machine_is_told_from_others(address: str, expected: bool) -> None:
    assert is_local(address) is expected


def wait_for_port(address: str, port: str) -> None:
    for _ in range(100):
        try:
            create_connection((address, int(port)), 1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError(f"nobody listens at {address}:{port}")


@pytest.mark.parametrize(("address", "warned"), [("127.0.0.1", False), ("0.0.0.0", True)])  # noqa: S104
def test_a_scheduler_warns_of_strangers_and_keeps_its_state(
    store: Path, address: str, warned: bool
) -> None:
    port = free_port()
    with subprocess.Popen(
        [*COMMAND, "scheduler", "--address", address, "--port", port],
        stderr=subprocess.PIPE,
        text=True,
    ) as scheduler:
        lines = []
        for line in scheduler.stderr or ():
            lines.append(line)
            if "serves" in line:
                break
        wait_for_port(address, port)
        time.sleep(0.5)  # Luigi listens a moment before it heeds signals
        scheduler.send_signal(signal.SIGTERM)
        _, rest = scheduler.communicate(timeout=10)
    assert scheduler.returncode == 0, rest
    assert ("WARNING" in "".join(lines)) is warned
    assert {"state.pickle", "log.txt"} <= {path.name for path in (store / ".scheduler").iterdir()}


def test_a_port_that_is_taken_and_a_scheduler_that_is_not_there_are_named(
    tiny: Path, store: Path
) -> None:
    with socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        result = sprachbund("scheduler", "--port", port)
        mute = sprachbund("worker", str(tiny), "--scheduler", f"127.0.0.1:{port}")
    assert mute.returncode == 1  # it takes the call and never answers
    assert f"no scheduler answers at 127.0.0.1:{port}" in mute.stderr
    assert result.returncode == 1
    assert result.stderr.endswith(
        f"error: cannot listen at http://127.0.0.1:{port}: Address already in use\n"
    )
    nobody = f"127.0.0.1:{free_port()}"
    result = sprachbund("worker", str(tiny), "--scheduler", nobody)
    assert result.returncode == 1
    assert (
        f"no scheduler answers at {nobody}; start one with: sprachbund scheduler" in result.stderr
    )


@pytest.mark.system
def test_a_host_that_is_cut_off_and_comes_back_loses_and_repeats_nothing(tmp_path: Path) -> None:
    skip_without_namespaces("-rmn", "ip")
    recipe = {**TINY_EXPERIMENT["nmt"], "max_updates": 100}  # type: ignore[dict-item]
    experiment = write_experiment(
        tmp_path / "manifests",
        tasks=[],
        nmt=recipe,
        systems={"base": {"kind": "trained"}},
        transfer={"encoders": {"nmt-encoder": {"kind": "nmt"}}},
    )
    store = tmp_path / "store"
    result = subprocess.run(
        ["unshare", "-rmn", sys.executable, "-m", "tests.hosts", str(experiment), str(store)],
        capture_output=True,
        text=True,
        env={**os.environ},
        check=False,
    )
    assert result.returncode == 0, result.stderr
    told = json.loads(result.stdout)
    assert told["codes"] == [0, 0], told
    done = Counter(
        line.partition("  done ")[2].strip().partition("  ")[0]
        for worker in ("near", "far")
        for line in told[worker]
        if "  done " in line
    )
    assert set(done.values()) == {1}, done
    assert done.total() == len(contents(store))
    assert {m["attempt"] for m in manifests(store).values()} == {1}
    assert any("found  TrainedModel" in line for line in told["near"])
    history = (store / ".scheduler" / "history.jsonl").read_text().splitlines()
    events = [e["event"] for e in map(json.loads, history) if e["stage"] == "TrainedModel"]
    assert events[0] == "start"
    assert events[-1] == "done"
    assert not leftovers(store)
