"""The command as a user meets it: help, errors, exit codes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import COMMAND

LUIGI = [sys.executable, "-m", "luigi", "--local-scheduler", "--module", "pipeline.dag", "Study"]
HEAVY = {"torch", "transformers", "ctranslate2", "luigi", "sklearn", "pyarrow", "datasets"}
COMMANDS = [
    [],
    ["run"],
    ["rerun"],
    ["accept"],
    ["plan"],
    ["explain"],
    ["diff"],
    ["compare"],
    ["export"],
    ["status"],
    ["open"],
    ["scores"],
    ["profile"],
    ["audit"],
    ["ready"],
    ["show"],
    ["cost"],
    ["verify"],
    ["gc"],
    ["translate"],
    ["scheduler"],
    ["worker"],
    ["pair"],
    ["pair", "check"],
    ["pair", "new"],
]


def sprachbund(
    *arguments: str, stdin: str = "", cwd: Path | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        env={**os.environ, "COLUMNS": "100", **environment},
        cwd=cwd,
        check=False,
    )


@pytest.mark.parametrize("command", COMMANDS, ids=lambda c: " ".join(c) or "sprachbund")
def test_help_teaches(command: list[str]) -> None:
    result = sprachbund(*command, "--help")
    assert result.returncode == 0
    assert "Usage" in result.stdout
    if command not in ([], ["pair"]):
        assert "Example" in result.stdout


def test_help_imports_nothing_heavy() -> None:
    program = (
        "import sys, typer.testing; from pipeline.commands.app import app; "
        "typer.testing.CliRunner().invoke(app, ['run', '--help']); "
        f"print(sorted({HEAVY} & set(sys.modules)))"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "sandbix"], "did you mean 'sandbox'"),
        (["run", "sandbox", "--until", "TrainedModle"], "did you mean 'TrainedModel'"),
        (["rerun", "sandbox", "TrainedModel:base-9"], "did you mean 'base-"),
        (["show", "."], "is not an artifact"),
        (["pair", "check", "ind-jawa"], "did you mean 'ind-jav'"),
        (["pair", "new", "indonesian"], "three-letter ISO 639-3"),
        (["translate", "sandbox", "--from", "hub", "--to", "xyz"], "no direction hub-xyz"),
        (["translate", "sandbox", "--from", "hub", "--to", "sis"], "not built yet"),
    ],
)
def test_a_wrong_word_gets_a_way_out(store: Path, arguments: list[str], message: str) -> None:
    result = sprachbund(*arguments)
    assert result.returncode == 1
    assert message in result.stderr
    assert "Traceback" not in result.stderr


def test_a_pair_goes_from_files_to_a_check(tmp_path: Path) -> None:
    for name in ("train.ind", "train.ban", "a.txt", "b.txt"):
        (tmp_path / name).write_text("".join(f"{name} {n}\n" for n in range(40)))
    given = ["--parallel", "train.ind", "train.ban", "--mono", "a.txt", "--mono=b.txt"]
    made = sprachbund("pair", "new", "ind-ban", *given, "--out", "ind-ban.yaml", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    assert made.stdout.endswith("Next: sprachbund pair check ind-ban.yaml\n")
    checked = sprachbund("pair", "check", "ind-ban.yaml", cwd=tmp_path)
    assert checked.returncode == 0, checked.stdout
    assert "ban-text: 80 sentences" in checked.stdout
    (tmp_path / "train.ban").write_text("lain\n")
    (tmp_path / "a.txt").unlink()
    checked = sprachbund("pair", "check", "ind-ban.yaml", cwd=tmp_path)
    assert checked.returncode == 1
    assert "train.ban: checksum differs" in checked.stdout
    assert "a.txt: no such file" in checked.stdout
    assert "2 errors" in checked.stdout
    assert "Traceback" not in checked.stderr


def test_plan_of_an_unbuilt_experiment_says_what_is_missing(store: Path, tiny: Path) -> None:
    result = sprachbund("plan", str(tiny))
    assert result.returncode == 0
    assert "to run  TrainedModel bt-1  first build" in result.stdout
    assert "0 of " in result.stdout
    assert not store.exists()


def test_scores_of_an_unbuilt_experiment_are_an_empty_list(store: Path, tiny: Path) -> None:
    assert sprachbund("scores", str(tiny), "--format", "json").stdout == "[]\n"


def test_a_failing_stage_fails_the_command_and_luigi_too(tmp_path: Path, store: Path) -> None:
    from tests.conftest import write_experiment, write_yaml

    experiment = write_experiment(tmp_path / "manifests")
    broken = {
        "name": "hub-sis",
        "languages": ["hub", "sis"],
        "parallel": [
            {
                "name": "absent",
                "licence": "none",
                "source": {
                    "kind": "files",
                    "base": "nowhere",
                    "files": [
                        {"name": "a.hub", "language": "hub"},
                        {"name": "a.sis", "language": "sis"},
                    ],
                    "format": {"kind": "text"},
                },
            }
        ],
        "split": {"rule": "hash", "dev": 1, "test": 1},
    }
    write_yaml(tmp_path / "manifests" / "pairs" / "hub-sis.yaml", broken)
    result = sprachbund("run", str(experiment), "--until", "Bitext")
    assert result.returncode == 1
    assert "nowhere/a.hub: no such file" in result.stderr
    assert "Traceback" not in result.stderr
    luigi = subprocess.run(
        [*LUIGI, "--experiment", str(experiment)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert luigi.returncode == 30
    assert "nowhere/a.hub: no such file" in luigi.stderr
