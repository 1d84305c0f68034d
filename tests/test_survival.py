"""Runs that are killed, stopped, starved or crossed: nothing is lost, and what fails says why."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from models.support.errors import OutOfMemoryError
from pipeline.dag import find_stages
from pipeline.running import building
from tasks.mt import training as nmt_training
from tests.conftest import (
    COMMAND,
    TINY_EXPERIMENT,
    Study,
    skip_without_namespaces,
    write_experiment,
)
from tests.torture import contents, leftovers, manifests, table, torture

pytestmark = pytest.mark.system

KILLS = 60
SECONDS_TO_STOP = 10
Run = subprocess.Popen[str]


@contextmanager
def started(*arguments: str, store: Path, **environment: str) -> Iterator[Run]:
    """Start a command in a process group of its own; kill the group in the end."""
    with subprocess.Popen(
        [*COMMAND, *arguments],
        env={**os.environ, "SPRACHBUND_STORE": str(store), **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as run:
        try:
            yield run
        finally:
            with suppress(ProcessLookupError):
                os.killpg(run.pid, signal.SIGKILL)


def wait_for(run: Run, text: str) -> list[str]:
    """Read the run's messages up to the first that holds a text."""
    lines = []
    for line in run.stderr or ():
        lines.append(line)
        if text in line:
            return lines
    raise AssertionError(f"no {text!r} in:\n{''.join(lines)}")


def processes_of_group(group: int) -> list[int]:
    """Return the living processes of a process group."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, process_group = stat.read_text().rpartition(")")[2].split()[:3]
        except OSError:
            continue
        if int(process_group) == group and state != "Z":
            found.append(int(stat.parent.name))
    return found


def test_a_study_that_is_killed_in_every_stage_ends_the_same(
    tiny_study: Study, tmp_path: Path
) -> None:
    rows = torture(tiny_study.experiment, tiny_study.store, tmp_path / "store", kills=KILLS, seed=1)
    sys.stdout.write(table(rows))
    assert sum(row.kills for row in rows) >= KILLS
    assert all(row.kills for row in rows), table(rows)
    assert all(row.well for row in rows), table(rows)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_stops_within_seconds_when_asked(
    tiny_study: Study, tmp_path: Path, number: signal.Signals
) -> None:
    target = ("run", str(tiny_study.experiment), "--until", "TrainedModel:base-1")
    with started(*target, store=tmp_path) as run:
        wait_for(run, "epoch")
        if number is signal.SIGINT:  # a terminal sends it to the whole group
            os.killpg(run.pid, number)
        else:
            run.terminate()
        _, rest = run.communicate(timeout=SECONDS_TO_STOP)
        assert run.returncode == 128 + number
        assert "goes on from here" in rest
        assert "Traceback" not in rest
        deadline = time.monotonic() + SECONDS_TO_STOP
        while processes_of_group(run.pid) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert processes_of_group(run.pid) == []
    assert leftovers(tmp_path)["TrainedModel"]  # to go on from


def test_a_training_that_was_killed_says_from_where_it_resumes(
    tiny_study: Study, tmp_path: Path
) -> None:
    target = ("run", str(tiny_study.experiment), "--until", "TrainedModel:base-1")
    with started(*target, store=tmp_path) as run:
        wait_for(run, "validation perplexity")
        wait_for(run, "validation perplexity")  # the first one's checkpoint is on the disk
    with started(*target, store=tmp_path) as run:
        _, messages = run.communicate()
        assert run.returncode == 0, messages
    assert re.search(r"base-1  \d+%  update [12]0 of 30, epoch \d+, resumed from here", messages)
    (model,) = (m for m in manifests(tmp_path).values() if m["stage"] == "TrainedModel")
    assert model["attempt"] == 2
    assert model["seconds"] > model["seconds_before"] > 0
    (log,) = (tmp_path / ".logs" / "TrainedModel").glob("*.log")
    assert re.search(r"Loaded checkpoint .* @ [12]0 updates", log.read_text())


def test_two_runs_on_one_store_share_the_work(tiny_study: Study, tmp_path: Path) -> None:
    target = ("run", str(tiny_study.experiment), "--until", "MtScores:gloss")
    with started(*target, store=tmp_path) as one, started(*target, store=tmp_path) as two:
        messages = [run.communicate()[1] for run in (one, two)]
        assert [one.returncode, two.returncode] == [0, 0], messages
    assert any("another process is building it" in text for text in messages)
    found = contents(tmp_path)
    assert found.items() <= contents(tiny_study.store).items()
    assert sum(text.count("  done ") for text in messages) == len(found)
    assert {m["attempt"] for m in manifests(tmp_path).values()} == {1}


def test_a_worker_that_dies_takes_its_own_stage_alone(tiny_study: Study, tmp_path: Path) -> None:
    target = ("run", str(tiny_study.experiment), "--until", "MtScores:base", "--workers", "2")
    with started(*target, store=tmp_path) as run:
        wait_for(run, "epoch")
        (server, *_) = sorted(
            pid
            for pid in processes_of_group(run.pid)
            if b"models.nmt.launch" in Path(f"/proc/{pid}/cmdline").read_bytes()
        )
        os.kill(parent_of(server), signal.SIGKILL)
        _, messages = run.communicate()
    assert run.returncode == 1
    died = re.findall(r"TrainedModel (\S+): its process died", messages)
    assert len(died) == 1, messages
    assert contents(tmp_path).items() <= contents(tiny_study.store).items()
    built = {(m["stage"], m["label"]) for m in manifests(tmp_path).values()}
    assert ("SubwordModel", "joint") in built
    assert ("TrainedModel", died[0]) not in built


def parent_of(process: int) -> int:
    """Return the id of a process's parent: the first number after its name and state."""
    stat = Path(f"/proc/{process}/stat").read_text()
    return int(stat.rpartition(")")[2].split()[1])


def test_a_clock_that_jumps_changes_nothing(tiny_study: Study, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import time\n"
        "real, begin = time.time, time.monotonic()\n"
        "def jumping():\n"
        "    seconds = time.monotonic() - begin\n"
        "    return real() + (86400 if 3 < seconds < 6 else -86400 if seconds >= 6 else 0)\n"
        "time.time = jumping\n"
    )
    target = ("run", str(tiny_study.experiment), "--until", "MtScores:gloss")
    with started(*target, store=tmp_path / "store", PYTHONPATH=str(tmp_path)) as run:
        _, messages = run.communicate()
        assert run.returncode == 0, messages
    assert contents(tmp_path / "store").items() <= contents(tiny_study.store).items()


def in_small_world(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a shell script where it may mount file systems that nobody else sees."""
    skip_without_namespaces("-rm")
    return subprocess.run(
        ["unshare", "-rm", "sh", "-c", script, "sh", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_full_disk_is_named_and_what_is_finished_stays(tiny_study: Study, tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    result = in_small_world(
        'store=$1; shift; mount -t tmpfs -o size=100k tmpfs "$store" || exit 99;'
        'SPRACHBUND_STORE="$store" "$@"; echo "code $?";'
        'ls "$store"; find "$store/.work" -path "*/draft/*";'
        'mount -o remount,size=100m "$store"; SPRACHBUND_STORE="$store" "$@"; echo "code $?"',
        str(tmp_path / "store"),
        *(*COMMAND, "run", str(tiny_study.experiment), "--until", "MtScores:gloss"),
    )
    assert result.returncode == 0, result.stderr
    before, full, enlarged = result.stdout.split("code ")
    assert (before, full[:2], enlarged) == ("", "1\n", "0\n"), result.stdout + result.stderr
    assert "no space left on the disk; free some and run again" in result.stderr
    assert "Traceback" not in result.stderr
    assert "RawCorpus\n" in full
    assert "/draft/" not in full


def test_a_store_that_cannot_be_written_is_named(tiny_study: Study, tmp_path: Path) -> None:
    result = in_small_world(
        'store=$1; shift; mount -t tmpfs -o ro tmpfs "$store" || exit 99;'
        'SPRACHBUND_STORE="$store" "$@"',
        str(tmp_path),
        *(*COMMAND, "run", str(tiny_study.experiment)),
    )
    assert result.returncode == 1
    assert "error: " in result.stderr
    assert f"{tmp_path}" in result.stderr
    assert "cannot be written" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_training_without_enough_memory_takes_smaller_steps_and_says_so(
    tmp_path: Path,
    store: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    train = nmt_training.train

    def starved(recipe: object, arguments: Sequence[str], *rest: object, **named: object) -> object:
        if arguments[list(arguments).index("--max-tokens") + 1] == "1024":
            raise OutOfMemoryError("out of memory")
        return train(recipe, arguments, *rest, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(nmt_training, "train", starved)
    recipe = {**TINY_EXPERIMENT["nmt"], "fine_tune_updates": 0}  # type: ignore[dict-item]
    (stage,) = find_stages(str(write_experiment(tmp_path, nmt=recipe)), "TrainedModel:base-1")
    building.run([stage])
    training = stage.artifact.manifest["training"]
    assert training["batch"] == {"tokens": 512, "parts": 2, "processes": 1}
    assert training["phases"][0]["validations"][-1][0] == 20
    assert "out of memory: 2 parts of 512 tokens an update" in capfd.readouterr().err
