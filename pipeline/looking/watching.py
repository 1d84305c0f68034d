"""How a run is doing, read from the store alone: so one of another process or host is seen, too.

Reads and never writes: a stage that is being built notes every two seconds what it has taken, and
a training logs its loss. No lock is tried, since even that would write.
"""

import json
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Literal

from pipeline.dag import all_stages
from pipeline.looking.history import History
from pipeline.provenance import SECONDS_BETWEEN_NOTES
from pipeline.reporting.tables import Grid
from pipeline.reporting.words import duration
from pipeline.settings import Settings
from pipeline.stages.stage import Stage
from pipeline.store import DRAFT, Place

SILENT_AFTER = 15 * SECONDS_BETWEEN_NOTES
"""Seconds; hosts that share a store may disagree on the time, and may write late."""
TAIL = 64 * 1024
"""Bytes of a log that are looked at."""
LONGEST_MESSAGE = 120
"""Characters of an error."""
MOST_READY = 8
"""Stages that may run next, on the one screen; JSON holds all."""

State = Literal["done", "running", "stopped", "ready", "waiting"]
STATES: tuple[State, ...] = ("running", "stopped", "ready", "waiting", "done")
"""As they are shown. `stopped`: begun, and nothing is heard of it; `ready`: its inputs are done."""


@dataclass(frozen=True)
class Watched:
    """A stage of a run; None where nothing tells.

    `seconds` it has taken so far, in all attempts; `seconds_left` by earlier builds; `updates`,
    `loss` (on the training batches) and `tokens_per_second` of a training's latest line of log;
    `error` the last error in the log of a build that has stopped.
    """

    stage: str
    label: str
    state: State
    seconds: float | None = None
    seconds_left: float | None = None
    attempt: int | None = None
    updates: int | None = None
    loss: float | None = None
    tokens_per_second: float | None = None
    error: str = ""

    def as_record(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return asdict(self)


def watch(experiment: str) -> list[Watched]:
    """Return every stage of an experiment as it is now, the report first."""
    history = History(Settings.from_environment().store)
    stages = all_stages(experiment)
    return [_watched(stage, history) for stage in stages]


def _watched(stage: Stage[Any], history: History) -> Watched:
    kind, label = type(stage).__name__, stage.label()
    if stage.complete():
        return Watched(kind, label, "done")
    state = _state(stage)
    estimate = history.estimate(stage).seconds
    if state not in ("running", "stopped"):
        return Watched(kind, label, state, seconds_left=estimate)
    note, lines = _note(stage.place), _tail(stage.place.work / "log.txt")
    seconds = note.get("seconds")
    training = _training(lines)
    return Watched(
        kind,
        label,
        state,
        seconds=seconds,
        seconds_left=None if estimate is None else max(estimate - (seconds or 0), 0),
        attempt=note.get("attempts"),
        updates=None if (updates := _number(training, "num_updates")) is None else int(updates),
        loss=_number(training, "loss"),
        tokens_per_second=_number(training, "wps"),
        error=_last_error(lines) if state == "stopped" else "",
    )


def _state(stage: Stage[Any]) -> State:
    heard = _last_heard(stage.place)
    if heard is not None and (stage.place.work / DRAFT).exists():
        return "running" if time.time() - heard < SILENT_AFTER else "stopped"
    if heard is not None:
        return "stopped"
    inputs = chain(*stage.inputs.values())
    return "ready" if all(needed.complete() for needed in inputs) else "waiting"


def _last_heard(place: Place) -> float | None:
    """Return when a build that was begun last wrote a note; None if none was."""
    times = []
    for path in (place.work / "attempts", place.work / DRAFT):
        try:
            times.append(path.stat().st_mtime)
        except OSError:  # not there, or gone since: what was built has been published
            continue
    return max(times, default=None)


def _note(place: Place) -> dict[str, Any]:
    try:
        note = json.loads((place.work / "attempts").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return note if isinstance(note, dict) else {}


def _tail(path: Path) -> list[str]:
    """Return the last lines of a log; none where there is no log."""
    try:
        with path.open("rb") as log:
            log.seek(max(path.stat().st_size - TAIL, 0))
            return log.read().decode("utf-8", errors="replace").splitlines()
    except OSError:
        return []


def _training(lines: Sequence[str]) -> dict[str, Any]:
    """Return what fairseq said last of a training's loss and speed."""
    for line in reversed(lines):
        found = line.partition("train_inner:")[2]
        if found:
            try:
                said = json.loads(found)
            except ValueError:  # the line is being written
                continue
            if isinstance(said, dict):
                return said
    return {}


def _number(said: dict[str, Any], name: str) -> float | None:
    try:
        return float(said[name])
    except (KeyError, TypeError, ValueError):
        return None


def _last_error(lines: Iterable[str]) -> str:
    """Return the last line that names an error, as Python ends a traceback."""
    named = [line.strip() for line in lines if "Error" in line.partition(":")[0]]
    return named[-1][:LONGEST_MESSAGE] if named else ""


def status_grid(watched: Sequence[Watched], study: str) -> Grid:
    """Return one screen: what runs, has stopped or may run next, and how much the rest is."""
    counts = Counter(stage.state for stage in watched)
    begun = [s for state in STATES[:2] for s in watched if s.state == state]
    shown = [*begun, *[s for s in watched if s.state == "ready"][:MOST_READY]]
    more = f" (the first {MOST_READY} shown)" * (counts["ready"] > MOST_READY)
    known = [s.seconds_left for s in watched if s.seconds_left is not None]
    said = ", ".join(
        f"{counts[state]:,} {state}{more * (state == 'ready')}" for state in STATES if counts[state]
    )
    note = f"{said} of {len(watched):,} stages"
    if known:
        note += f"; about {duration(sum(known))} of work left, by earlier builds"
        untold = sum(s.state != "done" and s.seconds_left is None for s in watched)
        note += f", without {untold:,} that none tells of" * bool(untold)
    columns = ["state", "stage", "so far", "left", "updates", "loss", "tokens/s", "last error"]
    return Grid(study, columns, list(map(_row, shown)), note, 2, 1)


def _row(stage: Watched) -> list[str]:
    return [
        stage.state,
        f"{stage.stage} {stage.label}",
        "" if stage.seconds is None else duration(stage.seconds),
        "" if stage.seconds_left is None else duration(stage.seconds_left),
        "" if stage.updates is None else f"{stage.updates:,}",
        "" if stage.loss is None else f"{stage.loss:.2f}",
        "" if stage.tokens_per_second is None else f"{stage.tokens_per_second:,.0f}",
        stage.error,
    ]
