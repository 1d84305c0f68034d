"""What an artifact says of its making: commit, machine, and the time of all attempts."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline import provenance
from pipeline.provenance import OWN_FILES, Meter, Spent, commit_of, cpu_seconds, machine

GIT = ("git", "-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")


def repository(folder: Path) -> str:
    """Commit all there is in a folder; return the commit."""
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "x", "--allow-empty"]):
        subprocess.run([*GIT, "-C", str(folder), *command], check=True)
    asked = [*GIT, "-C", str(folder), "rev-parse", "HEAD"]
    return subprocess.run(asked, check=True, capture_output=True, text=True).stdout.strip()


def project(folder: Path) -> Path:
    for name in OWN_FILES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("")
    return folder


def test_the_commit_is_that_of_the_projects_own_repository(tmp_path: Path) -> None:
    root = project(tmp_path)
    commit = repository(root)
    assert commit_of(root) == commit
    (root / "pyproject.toml").write_text("changed")
    assert commit_of(root) == f"{commit}+"


@pytest.mark.parametrize("tracked", [True, False])
def test_the_repository_around_an_installation_is_not_the_projects(
    tmp_path: Path, tracked: bool
) -> None:
    root = project(tmp_path / ".venv" / "lib" / "site-packages")
    if not tracked:
        (tmp_path / ".gitignore").write_text(".venv\n")
    repository(tmp_path)
    assert commit_of(root) is None


def test_an_untracked_copy_at_the_top_of_another_repository_has_no_commit(tmp_path: Path) -> None:
    repository(tmp_path)
    assert commit_of(project(tmp_path)) is None
    assert commit_of(tmp_path / "nowhere") is None


def test_a_hook_of_another_repository_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "other").mkdir()
    repository(tmp_path / "other")
    root = project(tmp_path / "own")
    commit = repository(root)
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "other" / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(root))
    assert commit_of(root) == commit


def test_a_machine_is_told_by_what_computes() -> None:
    assert " cores" in machine()


def test_an_attempt_that_is_killed_leaves_what_it_took(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provenance, "SECONDS_BETWEEN_NOTES", 0.01)
    note = tmp_path / "attempts"
    program = (
        "import sys; from pathlib import Path; from pipeline import provenance;"
        "provenance.SECONDS_BETWEEN_NOTES = 0.01; note = Path(sys.argv[1]);"
        "meter = provenance.Meter(note, gpus=2); meter.start()\n"
        "while any(f'\"{name}\": 0.0,' in note.read_text() for name in ('seconds', 'cpu_seconds')):"
        " pass\n"
        "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    )
    killed = subprocess.run([sys.executable, "-c", program, str(note)], check=False)
    assert killed.returncode == -9
    first = Spent(**json.loads(note.read_text()))
    assert first.attempts == 1
    assert first.seconds > 0
    assert first.gpu_seconds == pytest.approx(2 * first.seconds, abs=0.02)
    assert first.cpu_seconds > 0
    again = Meter(note)
    assert (again.attempt, again.before) == (2, first)
    assert again.stop().seconds >= first.seconds
    assert json.loads(note.read_text())["attempts"] == 2


@pytest.mark.parametrize("text", ["", "{", "2", "[]", '{"other": 1}'])
def test_a_note_that_says_nothing_counts_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "attempts").write_text(text)
    assert Meter(tmp_path / "attempts").before == Spent()


def test_the_processor_time_of_children_that_still_run_counts() -> None:
    program = (
        "import time\nwhile time.process_time() < 0.3: pass\nprint('done', flush=True); input()"
    )
    before = cpu_seconds()
    with subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stdout is not None
        child.stdout.readline()
        running = cpu_seconds()
        child.communicate("\n")
    assert running - before >= 0.25
    assert cpu_seconds() - before >= 0.25
