"""How a run is doing, from what lies in its store."""

import json
import os
import sys
import time
from pathlib import Path

import pytest

from models.support.processes import run_child
from pipeline.dag import find_stages
from pipeline.looking.watching import MOST_READY, SILENT_AFTER, Watched, status_grid, watch
from pipeline.running import building
from pipeline.store import Place
from tests.conftest import write_experiment
from tests.test_commands import sprachbund

LOG = """INFO:train_inner:{"loss": "9.5", "wps": "2900.4", "num_updates": "75"}
INFO:train_inner:{"loss": "6.25", "wps": "3012.6", "num_updates": "1100"}
INFO:train_inner:{"loss": "5
"""


@pytest.fixture
def begun(tmp_path: Path, store: Path) -> tuple[str, Place]:
    """Return an experiment and the place of a training that looks as one being built does."""
    experiment = str(write_experiment(tmp_path))
    place = find_stages(experiment, "TrainedModel:base-1")[0].place
    (place.work / "draft").mkdir(parents=True)
    (place.work / "attempts").write_text(json.dumps({"attempts": 2, "seconds": 90.0}))
    (place.work / "log.txt").write_text(LOG)
    return experiment, place


def of(found: list[Watched], stage: str, label: str) -> Watched:
    (one,) = (s for s in found if (s.stage, s.label) == (stage, label))
    return one


def age(place: Place, seconds: float) -> None:
    then = time.time() - seconds
    for name in ("draft", "attempts"):
        os.utime(place.work / name, (then, then))


def test_a_running_training_is_seen_with_loss_and_speed(begun: tuple[str, Place]) -> None:
    experiment, place = begun
    before = {p: p.stat().st_mtime_ns for p in place.store.rglob("*")}
    seen = of(watch(experiment), "TrainedModel", "base-1")
    assert (seen.state, seen.seconds, seen.attempt) == ("running", 90.0, 2)
    assert (seen.updates, seen.loss, seen.tokens_per_second) == (1100, 6.25, 3012.6)
    assert {p: p.stat().st_mtime_ns for p in place.store.rglob("*")} == before


def test_a_silent_build_has_stopped_and_says_why(begun: tuple[str, Place]) -> None:
    experiment, place = begun
    (place.work / "log.txt").write_text(f"{LOG}\nRuntimeError: [enforce fail] no memory\n")
    age(place, SILENT_AFTER + 5)
    seen = of(watch(experiment), "TrainedModel", "base-1")
    assert (seen.state, seen.error) == ("stopped", "RuntimeError: [enforce fail] no memory")


def test_a_failed_build_has_stopped_at_once(begun: tuple[str, Place]) -> None:
    experiment, place = begun
    (place.work / "draft").rmdir()
    assert of(watch(experiment), "TrainedModel", "base-1").state == "stopped"


def test_what_may_run_is_told_from_what_waits(tmp_path: Path, store: Path) -> None:
    experiment = str(write_experiment(tmp_path))
    building.run(find_stages(experiment, "RawCorpus:*"))
    found = watch(experiment)
    states = {s.stage: s.state for s in found}
    assert (states["RawCorpus"], states["Report"]) == ("done", "waiting")
    assert "ready" in states.values()
    assert found[0].stage == "Report"
    grid = status_grid(found, "tiny")
    counts = {state: sum(s.state == state for s in found) for state in ("ready", "waiting", "done")}
    said = ", ".join(f"{number} {state}" for state, number in counts.items())
    assert grid.note == f"{said} of {len(found)} stages"
    assert {row[0] for row in grid.rows} == {"ready"}


def test_one_screen_holds_few_of_many_that_may_run() -> None:
    found = [Watched("RawCorpus", str(n), "ready", seconds_left=60.0) for n in range(50)]
    grid = status_grid([Watched("Report", "x", "waiting"), *found], "x")
    assert len(grid.rows) == MOST_READY
    assert grid.note == (
        "50 ready (the first 8 shown), 1 waiting of 51 stages; about 50 min of work left, "
        "by earlier builds, without 1 that none tells of"
    )


def test_the_command_prints_one_screen_and_json(begun: tuple[str, Place]) -> None:
    experiment, _ = begun
    shown = sprachbund("status", experiment, COLUMNS="160")
    assert shown.returncode == 0, shown.stderr
    assert "TrainedModel base-1" in shown.stdout
    assert "1,100" in shown.stdout
    records = json.loads(sprachbund("status", experiment, "--format", "json").stdout)
    assert {r["loss"] for r in records if r["state"] == "running"} == {6.25}


def test_watch_and_json_say_two_things(begun: tuple[str, Place]) -> None:
    result = sprachbund("status", begun[0], "--watch", "--format", "json")
    assert result.returncode == 1
    assert result.stderr.startswith("error: --watch shows a table")


def test_a_report_that_is_not_built_cannot_be_opened(begun: tuple[str, Place]) -> None:
    result = sprachbund("open", begun[0])
    assert result.returncode == 1
    assert "is not built yet: sprachbund run" in result.stderr


def test_a_report_is_opened_or_its_path_printed(tmp_path: Path, store: Path) -> None:
    experiment = str(write_experiment(tmp_path))
    (report,) = find_stages(experiment, "Report")
    report.place.artifact.mkdir(parents=True)
    (report.place.artifact / "manifest.json").write_text("{\n}\n")
    page = report.place.artifact / "report.html"
    page.write_text("<p>")
    opened = tmp_path / "opened"
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {opened}\n')
    browser.chmod(0o755)
    printed = sprachbund("open", experiment, "--print", BROWSER=str(browser))
    assert (printed.stdout, opened.exists()) == (f"{page}\n", False)
    assert sprachbund("open", experiment, BROWSER=str(browser)).stdout == f"{page}\n"
    assert opened.read_text() == f"{page.as_uri()}\n"


def test_a_log_holds_each_line_as_soon_as_the_next_one_comes(tmp_path: Path) -> None:
    seen: list[str] = []
    log = tmp_path / "log.txt"
    run_child(
        [sys.executable, "-c", "print('one'); print('two')"],
        log,
        on_line=lambda line: seen.append(log.read_text()) if "two" in line else None,
    )
    assert "one\n" in seen[0]
