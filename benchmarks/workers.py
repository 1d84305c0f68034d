"""Wall time of back-translation by 1, 2 and 4 workers of one shared scheduler.

`python -m benchmarks.workers`: the sandbox's monolingual text, by each training of `base`, in four
shards a direction. Every worker has one thread and a process of its own, as on so many hosts with
one core each; on a machine with fewer cores they share those. Each number of workers starts from
the same store, in which all but the back-translation is built. Prints a table and writes it as
JSON.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

from tests.conftest import COMMAND, free_port

WORKERS = (1, 2, 4)
STAGE = "Translation:base-*-real-*"
RECIPE = {
    "nmt": {
        "width": 128,
        "feed_forward": 256,
        "heads": 2,
        "max_updates": 300,
        "validate_every": 150,
    },
    "monolingual": {"max_sentences": 1000, "shards": 4, "max_lost": 1.0},
}


def write_experiment(folder: Path) -> Path:
    """Copy the manifests and write the sandbox experiment with a short training."""
    manifests = Path(__file__).parents[1] / "data_manifests"
    shutil.copytree(manifests, folder / "manifests")
    path = folder / "manifests" / "experiments" / "sandbox.yaml"
    experiment = {**yaml.safe_load(path.read_text(encoding="utf-8")), **RECIPE, "name": "workers"}
    path.write_text(yaml.safe_dump(experiment), encoding="utf-8")
    return path


def start(*arguments: str, store: Path) -> subprocess.Popen[bytes]:
    """Start a command on a store, with one thread."""
    environment = {**os.environ, "SPRACHBUND_STORE": str(store), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen([*COMMAND, *arguments], env=environment, stderr=subprocess.DEVNULL)


def measure(experiment: Path, store: Path, workers: int) -> float:
    """Return the seconds in which so many workers back-translate everything."""
    port = free_port()
    scheduler = start("scheduler", "--port", port, store=store)
    time.sleep(3)
    try:
        join = ("run", str(experiment), "--until", STAGE, "--scheduler", f"127.0.0.1:{port}")
        started = time.perf_counter()
        running = [start(*join, store=store) for _ in range(workers)]
        codes = [process.wait() for process in running]
        seconds = time.perf_counter() - started
    finally:
        scheduler.terminate()
        scheduler.wait()
    if any(codes):
        raise SystemExit(f"a worker failed: {codes}")
    return seconds


def main() -> None:
    """Build what back-translation needs, then measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, help="write the records as JSON here")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        experiment = write_experiment(folder)
        for stage in ("TrainedModel:base-*", "MonolingualSample"):
            built = start("run", str(experiment), "--until", stage, store=folder / "store")
            if built.wait():
                raise SystemExit("the model could not be built")
        records = []
        for workers in WORKERS:
            store = folder / f"store-{workers}"
            shutil.copytree(folder / "store", store)
            records.append({"workers": workers, "seconds": measure(experiment, store, workers)})
    alone = records[0]["seconds"]
    sys.stdout.write(f"{os.cpu_count()} cores\n{'workers':>8}{'seconds':>9}{'speed-up':>10}\n")
    for record in records:
        record["speed_up"] = round(alone / record["seconds"], 2)
        record["seconds"] = round(record["seconds"], 1)
        sys.stdout.write(f"{record['workers']:>8}{record['seconds']:>9}{record['speed_up']:>10}\n")
    if options.out:
        options.out.write_text(json.dumps(records, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
