"""The training itself: updates, checkpoints, what is kept of it; the same seed, the same weights.

Dropout draws by seed and update, so a training that goes on from a checkpoint is the one that was
killed.
"""

import json
import math
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

from models.support.batches import parts_of
from models.support.errors import OutOfMemoryError
from models.tuning.computing import give_back_memory
from models.tuning.optimizer import FlatAdamW, rate_share

if TYPE_CHECKING:
    import torch

PART_PIECES = {"cpu": 2_048, "cuda": 16_384}
"""Pieces, padding included, that are in memory at once; an update may have several parts."""
CHECKPOINT = "checkpoint.safetensors"
SECONDS_BETWEEN = 60.0
UPDATES_TO_TIDY = 10
"""After so many is free memory given back: more often costs time, more seldom memory."""
SHARE_OF_WRITING = 0.05
"""Of the time, at most, goes into checkpoints."""
NO_MEMORY = re.compile(r"out of memory|can't allocate memory|not enough memory", re.IGNORECASE)
SEEDS = 2**20
"""Updates of a seed that have dropout of their own."""
SUM, BEST = "sum", "best"


class Course(NamedTuple):
    """How a training goes.

    * ``updates``: the items of each; rates rise over the share ``warmup`` of them, then fall to 0.
    * ``keep``, ``looks``, ``averaged``, ``patience``: which weights, as in `FineTuning`.
    * ``stop``: after how many updates it ends, if before the last.
    """

    updates: list[list[int]]
    warmup: float
    clip: float
    keep: Literal["average", "best", "last"]
    looks: int = 1
    averaged: int = 1
    patience: int = 1
    stop: int | None = None

    def look_points(self) -> list[int]:
        """Return after how many updates weights are looked at; the last ones are among them."""
        total = len(self.updates)
        return sorted({max(1, round(total * (n + 1) / self.looks)) for n in range(self.looks)})


class Objective(Protocol):
    """What a training makes small."""

    @property
    def lengths(self) -> Sequence[int]:
        """How many pieces each item has."""
        ...

    def loss(self, part: Sequence[int], update: Sequence[int]) -> "torch.Tensor":
        """Return what some items of an update add to its loss; all its parts make the mean."""
        ...


@dataclass
class Kept:
    """What is kept of the points that were looked at."""

    looked: int = 0
    summed: int = 0
    best_score: float = -math.inf
    best_look: int = 0
    dev: list[float] = field(default_factory=list)


class TrainingRun:
    """One training; `score` is asked at each look for `best`, the higher the better.

    `scratch` holds its checkpoint. `on_update` is told updates, their number and the loss.
    """

    def __init__(
        self,
        objective: Objective,
        course: Course,
        optimizer: FlatAdamW,
        *,
        seed: int,
        device: str,
        scratch: Path,
        score: Callable[[], float] | None = None,
        on_update: Callable[[int, int, float], None] = lambda *_: None,
    ) -> None:
        self.objective, self.course, self.optimizer = objective, course, optimizer
        self.seed, self.device = seed, device
        self.scratch, self.on_update = scratch, on_update
        self.score = score if course.keep == "best" else None
        self.lengths, self.updates = objective.lengths, course.updates
        self.last = min(course.stop or len(self.updates), len(self.updates))
        self.part_pieces = PART_PIECES[device]
        self.losses: list[float] = []
        self.kept = Kept()
        self._rows: dict[str, Any] = {}

    def run(self) -> None:
        """Train to the end, or what is left of it; the network then has the weights to keep."""
        self._resume()
        saved, writing = time.monotonic(), 0.0
        looks = self.course.look_points()
        while self.optimizer.updates < self.last and not self._over():
            done = self.optimizer.updates
            self.losses.append(self._update(done))
            self.on_update(done + 1, self.last, self.losses[-1])
            if done % UPDATES_TO_TIDY == 0:
                give_back_memory()
            if done + 1 in looks:
                self._look()
            due = max(SECONDS_BETWEEN, writing / SHARE_OF_WRITING)
            if time.monotonic() - saved > due:
                started = time.monotonic()
                self.save()
                saved = time.monotonic()
                writing = saved - started
        self._finish()

    @property
    def kept_at(self) -> int:
        """After how many updates the weights were those that are kept; the last for a mean."""
        looked = self.kept.best_look
        return self.course.look_points()[looked - 1] if looked else self.optimizer.updates

    def _update(self, number: int) -> float:
        """Make one update, in smaller parts if memory runs out; return its mean loss."""
        import torch

        items = self.updates[number]
        while True:
            try:
                loss = self._gradients(items, number)
                break
            except RuntimeError as error:
                short = isinstance(error, torch.OutOfMemoryError) or NO_MEMORY.search(str(error))
                if not short:
                    raise
                self._halve(items, str(error))
        share = rate_share(number, len(self.updates), self.course.warmup)
        self.optimizer.step(share, self.course.clip)
        return loss

    def _halve(self, items: Sequence[int], error: str) -> None:
        import torch

        for parameter in self.optimizer.parameters:
            parameter.grad = None
        longest = max(self.lengths[item] for item in items)
        if self.part_pieces <= longest:
            raise OutOfMemoryError(
                f"no memory to train on a single text of {longest} pieces: take a smaller "
                f"encoder, a lower max_pieces, or frozen_layers ({error.splitlines()[0]})"
            )
        largest = longest * len(items)
        self.part_pieces = min(self.part_pieces, largest) // 2
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def _gradients(self, items: Sequence[int], number: int) -> float:
        import torch

        total = 0.0
        for place, part in enumerate(parts_of(items, self.lengths, self.part_pieces)):
            torch.manual_seed((self.seed * SEEDS + number) * 1024 + place)
            loss: Any = self.objective.loss(part, items)
            loss.backward()
            self.optimizer.gather(more=place > 0)
            total += float(loss.detach())
        return total

    def _look(self) -> None:
        """Note the weights as one of those to average, or as the best."""
        kept, averaged_from = self.kept, len(self.course.look_points()) - self.course.averaged
        kept.looked += 1
        if self.score:
            kept.dev.append(self.score())
            if kept.dev[-1] > kept.best_score:
                kept.best_score, kept.best_look = kept.dev[-1], kept.looked
                self._rows[BEST] = self.optimizer.weights.clone()
        elif self.course.keep != "last" and kept.looked > averaged_from:
            kept.summed += 1
            before = self._rows.get(SUM)
            weights = self.optimizer.weights
            self._rows[SUM] = weights.clone() if before is None else before.add_(weights)

    def _over(self) -> bool:
        """Say whether patience has ended."""
        stale = self.kept.looked - self.kept.best_look
        return bool(self.score) and stale >= self.course.patience

    def _finish(self) -> None:
        """Give the network the best weights, the mean, or leave it the last ones."""
        if BEST in self._rows:
            self.optimizer.weights.copy_(self._rows[BEST])
        elif SUM in self._rows:
            self.optimizer.weights.copy_(self._rows[SUM] / self.kept.summed)
        self.optimizer.publish()

    def save(self) -> None:
        """Write a checkpoint, whole or not at all."""
        from safetensors.torch import save_file

        self.scratch.mkdir(parents=True, exist_ok=True)
        said = {
            "updates": self.optimizer.updates,
            "part_pieces": self.part_pieces,
            "losses": self.losses,
            "kept": vars(self.kept),
        }
        draft = self.scratch / f"{CHECKPOINT}.tmp"
        rows = {**self.optimizer.state(), **self._rows}
        save_file(rows, draft, {"training": json.dumps(said)})
        draft.replace(self.scratch / CHECKPOINT)

    def _resume(self) -> None:
        from safetensors import safe_open

        path = self.scratch / CHECKPOINT
        if not path.exists():
            return
        with safe_open(path, "pt", device=self.device) as file:
            said = json.loads(file.metadata()["training"])
            rows = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        self._rows = {name: rows[name] for name in (SUM, BEST) if name in rows}
        self.optimizer.resume(rows, said["updates"])
        self.part_pieces, self.losses = said["part_pieces"], said["losses"]
        self.kept = Kept(**said["kept"])
