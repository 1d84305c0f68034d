"""The known leaks of real corpora are found, each with its count."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

LEAKS = Path(__file__).parent / "leaks"


def audit(name: str, store: Path) -> list[dict[str, Any]]:
    if "SPRACHBUND_MIRROR" not in os.environ:
        pytest.skip("needs SPRACHBUND_MIRROR: real corpora are not part of the project")
    command = [sys.executable, "-m", "pipeline.commands.app", "audit", str(LEAKS / name)]
    result = subprocess.run(
        [*command, "--format", "json"],
        env={**os.environ, "SPRACHBUND_STORE": str(store)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    records: list[dict[str, Any]] = json.loads(result.stdout)
    return records


def count(records: list[dict[str, Any]], **wanted: str) -> int:
    """Return the summed count of the records whose fields begin as wanted."""
    return sum(
        r["count"]
        for r in records
        if all(r[field.rstrip("_")].startswith(value) for field, value in wanted.items())
    )


def test_nusa_translation_as_shipped_leaks_its_own_tests(tmp_path: Path) -> None:
    found = audit("nusa-shipped.yaml", tmp_path)
    in_train = {"from_": "MT train", "language": "jav"}
    for task, low, high in (("sentiment", 830, 834), ("emotion", 617, 619)):
        to = f"task test nusa-{task}"
        assert low <= count(found, **in_train, to=to, match="exact") <= high
        assert low - 5 <= count(found, **in_train, to=to, match="id") <= high


def test_nusax_was_drawn_from_smsa(tmp_path: Path) -> None:
    found = audit("smsa-nusax.yaml", tmp_path)
    parts = {"from_": "monolingual ind", "to": "task", "language": "ind"}
    exact, near = (count(found, **parts, match=match) for match in ("exact", "near"))
    assert 530 <= exact <= 549 <= exact + near


def test_nusax_tests_mt_and_sentiment_on_the_same_sentences(tmp_path: Path) -> None:
    found = audit("nusax.yaml", tmp_path)
    for language in ("ind", "jav", "min"):
        shared = {"from_": "MT test", "to": "task test", "language": language, "match": "exact"}
        assert count(found, **shared) >= 390


def test_tico_and_sib_share_sentences(tmp_path: Path) -> None:
    found = audit("tico-sib.yaml", tmp_path)
    shared = {"from_": "MT", "to": "task", "language": "eng"}
    assert count(found, **shared) == 2


def test_taxi_verses_stand_in_every_bitext(tmp_path: Path) -> None:
    found = audit("bible-taxi.yaml", tmp_path)
    for language in ("eng", "swh", "lav", "ukr"):
        shares = [
            r["share"]
            for r in found
            if r["from"].startswith("MT train")
            and r["to"] == f"task test taxi-topic-{language}"
            and r["match"] == "id"
        ]
        assert shares
        assert min(shares) > 0.7
