"""What Sprachbund itself takes: start-up, a run with nothing to do, a large plan, the DAG.

`python -m benchmarks.overhead`: medians of several repetitions, in seconds. The overhead of the DAG
is the wall time of a small sandbox study without that of its stages, as a share: Luigi, forks,
imports.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import langcodes

from tests.conftest import COMMAND, write_experiment, write_yaml

REPETITIONS = 5
PAIRS = 200


def seconds(*arguments: str, store: Path) -> float:
    """Return the wall time of a command that must succeed."""
    started = time.perf_counter()
    subprocess.run(
        [*COMMAND, *arguments],
        env={**os.environ, "SPRACHBUND_STORE": str(store)},
        check=True,
        capture_output=True,
    )
    return time.perf_counter() - started


def median_seconds(*arguments: str, store: Path) -> float:
    """Return the median wall time of several runs of a command."""
    return statistics.median(seconds(*arguments, store=store) for _ in range(REPETITIONS))


def language_codes(number: int) -> list[str]:
    """Return so many codes of living languages but English."""
    codes = (f"{a}{b}{c}" for a in "abcdefg" for b in "abcdefghijk" for c in "abcdefghijklmnop")
    valid = (code for code in codes if langcodes.tag_is_valid(code) and code != "eng")
    usual = (code for code in valid if langcodes.Language.get(code).to_alpha3() == code)
    return [next(usual) for _ in range(number)]


def write_large_experiment(folder: Path, pairs: int) -> Path:
    """Write an experiment of so many pairs with remote corpora; nothing of it is ever fetched."""
    names = []
    for code in language_codes(pairs):
        files = [
            {"name": f"{code}/{side}.txt", "language": side, "sha256": "0" * 64}
            for side in ("eng", code)
        ]
        source = {
            "kind": "files",
            "base": "https://example.org/corpora",
            "files": files,
            "format": {"kind": "text"},
        }
        pair = {
            "name": f"eng-{code}",
            "languages": ["eng", code],
            "parallel": [{"name": f"bitext-{code}", "licence": "CC0-1.0", "source": source}],
            "split": {"rule": "hash"},
        }
        write_yaml(folder / "pairs" / f"eng-{code}.yaml", pair)
        names.append(pair["name"])
    experiment = {"name": "large", "hub": "eng", "pairs": names}
    return write_yaml(folder / "experiments" / "large.yaml", experiment)


def stage_seconds(store: Path) -> float:
    """Return the seconds that the stages of a store took together."""
    manifests = (json.loads(p.read_text(encoding="utf-8")) for p in store.glob("*/*/manifest.json"))
    return sum(float(manifest["seconds"]) for manifest in manifests)


def measure(folder: Path) -> list[dict[str, Any]]:
    """Return a record for each measure."""
    store = folder / "store"
    experiment = str(write_experiment(folder / "small"))
    large = str(write_large_experiment(folder / "large", PAIRS))
    wall = seconds("run", experiment, store=store)
    share = 1 - stage_seconds(store) / wall
    return [
        record("help, seconds", median_seconds("--help", store=store), 0.3),
        record(
            "run with nothing to do, seconds", median_seconds("run", experiment, store=store), 1
        ),
        record(f"plan of {PAIRS} pairs, seconds", median_seconds("plan", large, store=store), 3),
        record("share of the wall time outside of stages", share, 0.03),
    ]


def record(name: str, value: float, target: float) -> dict[str, Any]:
    """Return one measure beside what it should be at most."""
    return {"name": name, "value": round(value, 3), "target": target, "ok": value <= target}


def main() -> None:
    """Measure, print, and write JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, help="write the records as JSON here")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        records = measure(Path(name))
    for found in records:
        verdict = "ok" if found["ok"] else "too slow"
        sys.stdout.write(
            f"{found['name']:44}{found['value']:>8}  at most {found['target']:<6}{verdict}\n"
        )
    if options.out:
        options.out.write_text(json.dumps(records, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
