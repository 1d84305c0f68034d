"""Assemble human and synthetic bitext, train the multilingual model on it, publish it."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from models.nmt.binarize import BinarizePlan, TrainingText
from models.nmt.recipe import NmtRecipe
from models.nmt.training import (
    MAX_POSITIONS,
    TrainingProgress,
    resolve_precision,
    train,
    training_arguments,
)
from models.processes import ChildRun, python_module, run_child


class PairFiles(NamedTuple):
    """Train and dev bitext of the hub and one language."""

    language: str
    train: Path
    dev: Path


class SyntheticFile(NamedTuple):
    """Synthetic bitext of one direction."""

    source: str
    target: str
    path: Path


class ModelData(NamedTuple):
    """All text of one training.

    `human_repeats` upsamples the human text beside the synthetic; `copied` adds, for each
    direction, its target text as its own source.
    """

    subwords: Path
    hub: str
    pairs: list[PairFiles]
    synthetic: list[SyntheticFile]
    human_repeats: int
    copied: bool = False

    @property
    def languages(self) -> list[str]:
        """The hub and every language: the order fixes the tags."""
        return [self.hub, *(pair.language for pair in self.pairs)]

    @property
    def directions(self) -> list[tuple[str, str]]:
        """Both directions of every pair."""
        return [direction for pair in self.pairs for direction in self._both_ways(pair)]

    def texts(self) -> list[TrainingText]:
        """Return which file feeds which direction; synthetic text feeds only its own, tagged."""
        human = [
            text
            for pair in self.pairs
            for source, target in self._both_ways(pair)
            for text in (
                TrainingText(str(pair.train), "train", source, target, repeat=self.human_repeats),
                TrainingText(str(pair.dev), "valid", source, target),
            )
        ]
        synthetic = [
            TrainingText(str(file.path), "train", file.source, file.target, tagged=True)
            for file in self.synthetic
        ]
        copies = [
            TrainingText(str(pair.train), "train", source, target, copied=True)
            for pair in self.pairs
            for source, target in self._both_ways(pair)
            if self.copied
        ]
        return human + synthetic + copies

    def _both_ways(self, pair: PairFiles) -> tuple[tuple[str, str], tuple[str, str]]:
        return (self.hub, pair.language), (pair.language, self.hub)


class TrainingResult(NamedTuple):
    """What is worth recording of a training."""

    counts: dict[str, Any]
    facts: dict[str, Any]
    children: list[ChildRun]


def train_and_publish(
    data: ModelData,
    recipe: NmtRecipe,
    *,
    scratch: Path,
    out: Path,
    log: Path,
    progress: Callable[[float, str], None],
) -> TrainingResult:
    """Binarize, train and publish; each step that is finished in `scratch` is not done again."""
    binary, checkpoints = scratch / "data", scratch / "checkpoints"
    counts, binarized = _binarize(data, binary, scratch, log)
    precision = resolve_precision(recipe)
    arguments = training_arguments(
        recipe,
        data=binary,
        checkpoints=checkpoints,
        languages=data.languages,
        directions=data.directions,
        precision=precision,
    )

    def on_progress(now: TrainingProgress) -> None:
        progress(now.updates / recipe.max_updates, describe(now, recipe.max_updates))

    trained = train(recipe, arguments, checkpoints, log=log, on_progress=on_progress)
    published = run_child(
        python_module("models.nmt.publish", checkpoints / "checkpoint_best.pt", binary, out), log
    )
    history = json.loads((checkpoints / "validations.json").read_text(encoding="utf-8"))
    (out / "validations.json").write_text(json.dumps(history), encoding="utf-8")
    facts = {"precision": precision, "validations": history}
    return TrainingResult(counts, facts, [*binarized, trained, published])


def describe(now: TrainingProgress, max_updates: int) -> str:
    """Return a status line for people."""
    what = "validation perplexity" if now.validation else "perplexity"
    speed = "" if now.validation else f", {now.tokens_per_second:,.0f} tokens/s"
    return f"update {now.updates:,} of {max_updates:,}, {what} {now.perplexity:.1f}{speed}"


def _binarize(
    data: ModelData, binary: Path, scratch: Path, log: Path
) -> tuple[dict[str, Any], list[ChildRun]]:
    """Write fairseq's binary data; its counts are written last and mean that it is whole."""
    counts = scratch / "counts.json"
    children = []
    if not counts.exists():
        shutil.rmtree(binary, ignore_errors=True)
        plan = scratch / "binarize.json"
        BinarizePlan(
            subwords=str(data.subwords),
            folder=str(binary),
            languages=data.languages,
            max_pieces=MAX_POSITIONS - 2,
            texts=data.texts(),
        ).save(plan)
        children = [run_child(python_module("models.nmt.binarize", plan, counts), log)]
    found: dict[str, Any] = json.loads(counts.read_text(encoding="utf-8"))
    return found, children
