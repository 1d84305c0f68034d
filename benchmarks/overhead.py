"""What Sprachbund itself takes: start-up, a run with nothing to do, a large plan, the DAG.

`python -m benchmarks.overhead`: medians of several repetitions, in seconds. The overhead of the DAG
is the wall time of a study without that of its stages, as a share: Luigi, forks, imports. A tiny
study shows it at its worst; the one that counts is in `benchmarks.by_hand`, of the sandbox.
"""

import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import langcodes

from benchmarks.measuring import Record, arguments, at_most, finish, measured, seconds_with_stages
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


def share_outside(experiment: str, store: Path) -> float:
    """Run a study in an empty store; return the share of the time in which no stage worked."""
    wall = seconds("run", experiment, store=store)
    return 1 - seconds_with_stages(store) / wall


def measure(folder: Path) -> list[Record]:
    """Return a record for each measure."""
    store = folder / "store"
    experiment = str(write_experiment(folder / "small"))
    large = str(write_large_experiment(folder / "large", PAIRS))
    tiny = share_outside(experiment, store)
    nothing = median_seconds("run", experiment, store=store)
    plan = median_seconds("plan", large, store=store)
    return [
        at_most("--help, seconds", median_seconds("--help", store=store), 0.3),
        at_most("run with nothing to do, seconds", nothing, 1),
        at_most(f"plan of {PAIRS} pairs, seconds", plan, 3),
        measured("tiny study: share of the wall time outside of stages", tiny),
    ]


def main(arguments_: Sequence[str] | None = None) -> None:
    """Measure, print, and write JSON."""
    options = arguments(__doc__).parse_args(arguments_)
    with tempfile.TemporaryDirectory() as name:
        records = measure(Path(name))
    finish(records, options.out)


if __name__ == "__main__":
    main()
