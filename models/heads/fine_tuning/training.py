"""The training itself: updates, checkpoints, what is kept of it; the same seed, the same weights.

Dropout draws by seed and update, so a training that goes on from a checkpoint is the one that was
killed.
"""

import json
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from models.encoders.fine_tuning import FineTuning
from models.heads.fine_tuning.batches import plan_updates
from models.heads.fine_tuning.network import Network
from models.heads.fine_tuning.optimizer import FlatAdamW, groups_of, rate_share
from models.support.batches import parts_of
from models.support.errors import OutOfMemoryError

if TYPE_CHECKING:
    import torch

PART_PIECES = {"cpu": 2_048, "cuda": 16_384}
"""Pieces, padding included, that are in memory at once; an update may have several parts."""
CHECKPOINT = "checkpoint.safetensors"
SECONDS_BETWEEN = 60.0
SHARE_OF_WRITING = 0.05
"""Of the time, at most, goes into checkpoints."""
NO_MEMORY = re.compile(r"out of memory|can't allocate memory|not enough memory", re.IGNORECASE)
SEEDS = 2**20
"""Updates of a seed that have dropout of their own."""
SUM, BEST = "sum", "best"


class Items(NamedTuple):
    """Texts as ids of pieces, with the number of the class of each."""

    ids: list[list[int]]
    classes: list[int]


@dataclass
class Kept:
    """What is kept of the points that were looked at."""

    looked: int = 0
    summed: int = 0
    best_score: float = -1.0
    best_look: int = 0
    dev: list[float] = field(default_factory=list)


class TuningRun:
    """One training of a network on labelled texts; `score` is asked at each look for `best`.

    `scratch` holds its checkpoint. `on_update` is told updates, their number and the loss.
    """

    def __init__(
        self,
        network: Network,
        items: Items,
        recipe: FineTuning,
        *,
        seed: int,
        dtype: "torch.dtype",
        scratch: Path,
        score: Callable[[], float] | None = None,
        on_update: Callable[[int, int, float], None] = lambda *_: None,
    ) -> None:
        self.network, self.items, self.recipe, self.seed = network, items, recipe, seed
        self.scratch, self.on_update = scratch, on_update
        self.score = score if recipe.keep == "best" else None
        self.lengths = [len(ids) for ids in items.ids]
        self.updates = plan_updates(self.lengths, recipe, seed)
        self.weights = _class_weights(items.classes, network.head.out_features, recipe)
        self.optimizer = FlatAdamW(groups_of(network, recipe), dtype)
        self.part_pieces = PART_PIECES[network.device]
        self.losses: list[float] = []
        self.kept = Kept()
        self._rows: dict[str, Any] = {}

    def run(self) -> None:
        """Train to the end, or what is left of it; the network then has the weights to keep."""
        self._resume()
        saved, writing = time.monotonic(), 0.0
        looks = self._looks()
        while self.optimizer.updates < len(self.updates) and not self._over():
            done = self.optimizer.updates
            self.losses.append(self._update(done))
            self.on_update(done + 1, len(self.updates), self.losses[-1])
            if done + 1 in looks:
                self._look()
            due = max(SECONDS_BETWEEN, writing / SHARE_OF_WRITING)
            if time.monotonic() - saved > due:
                started = time.monotonic()
                self.save()
                saved = time.monotonic()
                writing = saved - started
        self._finish()

    def _looks(self) -> set[int]:
        """Return after how many updates the weights are looked at; the last ones are among them."""
        total, looks = len(self.updates), self.recipe.looks
        return {max(1, round(total * (n + 1) / looks)) for n in range(looks)}

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
        share = rate_share(number, len(self.updates), self.recipe.warmup)
        self.optimizer.step(share, self.recipe.clip)
        return loss

    def _halve(self, items: Sequence[int], error: str) -> None:
        import torch

        for parameter in self.optimizer.parameters:
            parameter.grad = None
        longest = max(self.lengths[item] for item in items)
        if self.part_pieces <= longest:
            raise OutOfMemoryError(
                f"no memory to fine-tune on a single text of {longest} pieces: take a smaller "
                f"encoder, a lower max_pieces, or frozen_layers ({error.splitlines()[0]})"
            )
        largest = longest * len(items)
        self.part_pieces = min(self.part_pieces, largest) // 2
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def _gradients(self, items: Sequence[int], number: int) -> float:
        import torch

        weights = self.weights[[self.items.classes[item] for item in items]].sum()
        total = 0.0
        for place, part in enumerate(parts_of(items, self.lengths, self.part_pieces)):
            torch.manual_seed((self.seed * SEEDS + number) * 1024 + place)
            classes = [self.items.classes[item] for item in part]
            logits = self.network.logits([self.items.ids[item] for item in part], train=True)
            wanted = torch.tensor(classes, device=logits.device)
            losses = torch.nn.functional.cross_entropy(logits, wanted, reduction="none")
            loss: Any = (losses * self.weights[classes].to(losses.device)).sum() / weights.item()
            loss.backward()
            self.optimizer.gather(more=place > 0)
            total += float(loss.detach())
        return total

    def _look(self) -> None:
        """Note the weights as one of those to average, or as the best."""
        kept = self.kept
        kept.looked += 1
        if self.score:
            kept.dev.append(self.score())
            if kept.dev[-1] > kept.best_score:
                kept.best_score, kept.best_look = kept.dev[-1], kept.looked
                self._rows[BEST] = self.optimizer.weights.clone()
        elif self.recipe.keep != "last" and kept.looked > self._looked_at - self.recipe.averaged:
            kept.summed += 1
            before = self._rows.get(SUM)
            weights = self.optimizer.weights
            self._rows[SUM] = weights.clone() if before is None else before.add_(weights)

    @property
    def _looked_at(self) -> int:
        return len(self._looks())

    def _over(self) -> bool:
        """Say whether patience has ended."""
        stale = self.kept.looked - self.kept.best_look
        return bool(self.score) and stale >= self.recipe.patience

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
        with safe_open(path, "pt", device=self.network.device) as file:
            said = json.loads(file.metadata()["training"])
            rows = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        self._rows = {name: rows[name] for name in (SUM, BEST) if name in rows}
        self.optimizer.resume(rows, said["updates"])
        self.part_pieces, self.losses = said["part_pieces"], said["losses"]
        self.kept = Kept(**said["kept"])


def _class_weights(classes: Sequence[int], count: int, recipe: FineTuning) -> "torch.Tensor":
    """Return the weight of each class (classes,); balanced ones make the classes' sums alike."""
    import torch

    if recipe.class_weights == "none":
        return torch.ones(count)
    found = torch.bincount(torch.tensor(classes), minlength=count)
    return len(classes) / (count * found.float())
