"""What all benchmarks share: records, their table, the machine, children with both processors."""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Sequence
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from models.support.processes import dying_with_parent
from pipeline.settings import cores
from tests.conftest import COMMAND
from tests.torture import manifests

Record = dict[str, Any]
ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
TOOLS = ("torch", "fairseq-fixed", "ctranslate2", "transformers")
MOST_PIECES = 256
"""Of a translation: where the pipeline stops, and so all that it is compared with."""
INSTRUCTIONS = {"avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16", "amx_int8"}
"""What tells processors of one name apart."""


def ratio(name: str, ours: Sequence[float], other: Sequence[float], target: float) -> Record:
    """Compare speeds measured in turn: the median of the ratios of neighbours, at least `target`.

    A machine shared with others is faster in some minutes than in others; neighbours share them.
    """
    found = round(statistics.median(a / b for a, b in zip(ours, other, strict=True)), 2)
    return {
        "name": name,
        "ratio": found,
        "target": target,
        "ok": found >= target,
        "ours": [float(f"{speed:.5g}") for speed in ours],
        "other": [float(f"{speed:.5g}") for speed in other],
    }


def at_most(name: str, value: float, target: float) -> Record:
    """Return one measure beside what it may be at most."""
    return {"name": name, "value": round(value, 4), "target": target, "ok": value <= target}


def measured(name: str, value: float) -> Record:
    """Return one measure that has no target."""
    return {"name": name, "value": round(value, 4), "target": None, "ok": True}


def machine() -> Record:
    """Name the processor, its cores and the versions that decide speed."""
    model, flags = platform.processor() or platform.machine(), ""
    information = Path("/proc/cpuinfo")
    if information.exists():
        pairs = (line.partition(":") for line in information.read_text("utf-8").splitlines())
        facts = {name.strip(): value.strip() for name, _, value in pairs}
        model, flags = facts.get("model name", model), facts.get("flags", "")
    return {
        "processor": model,
        "instructions": sorted(INSTRUCTIONS & set(flags.split())),
        "cores": cores(),
        **{tool: version(tool) for tool in TOOLS},
    }


def all_cores() -> dict[str, str]:
    """Return the environment in which a process computes on all cores."""
    return dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS"), str(cores()))


def seconds_with_stages(store: Path) -> float:
    """Return the seconds in which a stage of a store was at work, one or several at a time."""
    ends = [
        (datetime.fromisoformat(manifest["finished"]).timestamp(), float(manifest["seconds"]))
        for manifest in manifests(store).values()
    ]
    busy, until = 0.0, 0.0
    for start, end in sorted((end - seconds, end) for end, seconds in ends):
        busy += max(0.0, end - max(start, until))
        until = max(until, end)
    return busy


def run(argv: Sequence[str | Path]) -> str:
    """Run another system, with all cores; return what it printed."""
    return _run(argv, **all_cores())


def run_study(experiment: str | Path, store: Path, *options: str) -> str:
    """Run an experiment as a user does: it shares the cores out itself; return what it printed."""
    return _run([*COMMAND, "run", experiment, *options], SPRACHBUND_STORE=str(store))


def _run(argv: Sequence[str | Path], **environment: str) -> str:
    """Run a command that must succeed, and that ends with a benchmark that is killed."""
    done = subprocess.run(
        dying_with_parent([str(part) for part in argv]),
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, argv[:8]))} failed:\n{done.stdout[-4000:]}")
    return done.stdout


def say(text: str) -> None:
    """Tell what goes on, beside the results."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def show(records: Sequence[Record]) -> None:
    """Print a table."""
    for found in records:
        value = f"{found['ratio']:.2f}x" if "ratio" in found else f"{found['value']:g}"
        at = "" if found["target"] is None else f"{found['target']:g}"
        verdict = "ok" if found["ok"] else "MISSED"
        sides = [statistics.median(found[side]) for side in ("ours", "other") if side in found]
        against = " against ".join(f"{side:,.5g}" for side in sides)
        sys.stdout.write(f"{found['name']:76}{value:>9}  {at:>5}  {verdict:7}{against}\n")
    sys.stdout.flush()


def write(records: Sequence[Record], path: Path) -> None:
    """Write records and the machine as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    found = {"machine": machine(), "records": list(records)}
    path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    say(f"written: {path}")


def arguments(description: str | None) -> argparse.ArgumentParser:
    """Return a parser with the option that every benchmark has."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--out", type=Path, help="write the records as JSON here")
    return parser


def finish(records: Sequence[Record], out: Path | None) -> None:
    """Print the table, and write it where that is asked for."""
    show(records)
    if out:
        write(records, out)
