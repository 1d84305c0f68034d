"""Assemble human and synthetic bitext, train the multilingual model on it, publish it."""

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from models.nmt.binarize import TrainingText, binarize
from models.nmt.precision import resolve_precision
from models.nmt.publish import CTRANSLATE2
from models.nmt.recipe import NmtRecipe
from models.nmt.training import (
    MAX_PIECES,
    Batch,
    Schedule,
    TrainingProgress,
    fine_tune_schedule,
    main_schedule,
    train,
    training_arguments,
    training_server,
)
from models.subwords import Subwords
from models.support.errors import OutOfMemoryError
from models.support.fork_server import ForkServer, FreshProcesses
from models.support.processes import ChildRun
from tasks.mt.number_format import Direction, TranslationType, choose_type
from tasks.progress import Progress

MAIN = "main"
FINE_TUNE = "fine-tune"
COUNTS = "counts.json"
PUBLISH = "models.nmt.publish"


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
    direction, its target text as its own source; `joined_share` of the lines are two in a row.
    """

    subwords: Path
    hub: str
    pairs: list[PairFiles]
    synthetic: list[SyntheticFile]
    human_repeats: int
    copied: bool = False
    joined_share: float = 0.0

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
        synthetic = [
            TrainingText(
                file.path,
                "train",
                file.source,
                file.target,
                tagged=True,
                joined_share=self.joined_share,
            )
            for file in self.synthetic
        ]
        copies = [
            TrainingText(
                pair.train,
                "train",
                source,
                target,
                copied=True,
                joined_share=self.joined_share,
            )
            for pair, source, target in self._human_directions()
            if self.copied
        ]
        return self.human_texts(self.human_repeats) + synthetic + copies

    def human_texts(self, repeats: int = 1) -> list[TrainingText]:
        """Return the human text alone, train and dev."""
        train = [
            TrainingText(
                pair.train,
                "train",
                source,
                target,
                repeat=repeats,
                joined_share=self.joined_share,
            )
            for pair, source, target in self._human_directions()
        ]
        dev = [
            TrainingText(pair.dev, "valid", source, target)
            for pair, source, target in self._human_directions()
        ]
        return train + dev

    def dev_directions(self) -> list[Direction]:
        """Return every direction with its dev text."""
        return [Direction(s, t, pair.dev) for pair, s, t in self._human_directions()]

    def _human_directions(self) -> list[tuple[PairFiles, str, str]]:
        return [(pair, *direction) for pair in self.pairs for direction in self._both_ways(pair)]

    def _both_ways(self, pair: PairFiles) -> tuple[tuple[str, str], tuple[str, str]]:
        return (self.hub, pair.language), (pair.language, self.hub)


class TrainedPhase(NamedTuple):
    """A finished phase: where it lies, what it read, what ran."""

    folder: Path
    training: ChildRun

    @property
    def counts(self) -> dict[str, Any]:
        """How many sentences and pieces of each direction it read."""
        found: dict[str, Any] = json.loads((self.folder / COUNTS).read_text(encoding="utf-8"))
        return found

    @property
    def best(self) -> Path:
        """The checkpoint with the lowest validation loss."""
        return self.folder / "checkpoints" / "checkpoint_best.pt"

    @property
    def validations(self) -> list[tuple[int, float]]:
        """Updates and label-smoothed loss, in bits a subword, of each validation."""
        history = self.folder / "checkpoints" / "validations.json"
        return [tuple(entry) for entry in json.loads(history.read_text(encoding="utf-8"))]


class TrainingResult(NamedTuple):
    """What is worth recording of a training."""

    counts: dict[str, Any]
    facts: dict[str, Any]
    children: list[ChildRun]


@dataclass(frozen=True)
class _Trainer:
    """One model's phases: each trains on its binarized text in a folder of its own."""

    data: ModelData
    recipe: NmtRecipe
    scratch: Path
    log: Path
    curves: Path
    launcher: Sequence[str]
    progress: Progress
    server: ForkServer | FreshProcesses

    def run(self, name: str, schedule: Schedule, *, done: int = 0) -> TrainedPhase:
        """Run a phase, or what is left of it; `done` updates went before."""
        folder = self.scratch / name
        return TrainedPhase(folder, self._train(folder, schedule, done))

    def _train(self, folder: Path, schedule: Schedule, done: int) -> ChildRun:
        """Train to the end of the schedule, in smaller parts of the batch if memory runs out."""
        batch = self.batch()
        arguments = training_arguments(
            self.recipe,
            schedule,
            data=folder / "data",
            checkpoints=folder / "checkpoints",
            languages=self.data.languages,
            directions=self.data.directions,
            precision=self.precision,
            batch=batch,
            curves=self.curves / folder.name,
        )
        try:
            return train(
                self.recipe,
                arguments,
                folder / "checkpoints",
                server=self.server,
                log=self.log,
                on_progress=lambda now: self._report(now, done),
                launcher=self.launcher,
            )
        except OutOfMemoryError:
            smaller = batch.halved()
            if smaller is None:
                raise
        _settle(self.scratch / "batch.json", json.dumps(smaller))
        status = f"out of memory: {smaller.parts} parts of {smaller.tokens:,} tokens an update"
        self.progress(done / self.recipe.all_updates, status, milestone=True)
        return self._train(folder, schedule, done)

    @property
    def precision(self) -> str:
        """The precision that this training began with: it may resume on another machine."""
        note = self.scratch / "precision"
        if not note.exists():
            _settle(note, resolve_precision(self.recipe, server=self.server, log=self.log))
        return note.read_text(encoding="utf-8")

    def batch(self) -> Batch:
        """Return the batch that fits into memory, as far as this training has found out."""
        note = self.scratch / "batch.json"
        if not note.exists():
            return Batch(self.recipe.batch_tokens)
        return Batch(*json.loads(note.read_text(encoding="utf-8")))

    def _report(self, now: TrainingProgress, done: int) -> None:
        updates, total = done + now.updates, self.recipe.all_updates
        status = f"update {updates:,} of {total:,}, {describe(now)}"
        self.progress(updates / total, status, milestone=now.validation)


def train_and_publish(
    data: ModelData,
    recipe: NmtRecipe,
    *,
    scratch: Path,
    out: Path,
    log: Path,
    curves: Path,
    progress: Progress,
    launcher: Sequence[str] = (),
) -> TrainingResult:
    """Binarize, train and publish; each step that is finished in `scratch` is not done again.

    `curves` becomes a folder of learning curves for TensorBoard; `launcher` is a command that
    starts all processes of a distributed training.
    """
    with training_server(recipe, scratch) as server:
        trainer = _Trainer(data, recipe, scratch, log, curves, launcher, progress, server)
        phases = _run_phases(trainer)
        last = phases[-1]
        published = server.run(PUBLISH, (last.best, last.folder / "data", out), log)
    chosen = _choose_type(data, recipe, out)
    facts = {
        "precision": trainer.precision,
        "translation": chosen._asdict() if chosen else None,
        "batch": {**trainer.batch()._asdict(), "processes": recipe.processes},
        "phases": [{"phase": p.folder.name, "validations": p.validations} for p in phases],
    }
    children = [*(phase.training for phase in phases), published]
    return TrainingResult(phases[0].counts, facts, children)


def _run_phases(trainer: _Trainer) -> list[TrainedPhase]:
    """Train on all text, then on the human text alone where the recipe says so."""
    data, recipe = trainer.data, trainer.recipe
    texts = {MAIN: data.texts()}
    if recipe.fine_tune_updates:
        texts[FINE_TUNE] = data.human_texts()
    _binarize(data, texts, trainer.scratch)
    main = trainer.run(MAIN, main_schedule(recipe))
    if not recipe.fine_tune_updates:
        return [main]
    done = main.validations[-1][0]
    schedule = fine_tune_schedule(recipe, done, start_from=main.best)
    return [main, trainer.run(FINE_TUNE, schedule, done=done)]


def _choose_type(data: ModelData, recipe: NmtRecipe, out: Path) -> TranslationType | None:
    """Choose what to translate in; None where the recipe fixes it."""
    if recipe.translation != "auto":
        return None
    return choose_type(
        out / CTRANSLATE2, data.subwords, data.dev_directions(), threads=recipe.threads
    )


def _settle(note: Path, text: str) -> None:
    """Write what a resumed training must know of the interrupted one."""
    draft = note.with_suffix(".tmp")
    draft.write_text(text, encoding="utf-8")
    draft.replace(note)


def describe(now: TrainingProgress) -> str:
    """Return a status line for people."""
    what = "validation perplexity" if now.validation else "perplexity"
    speed = "" if now.validation else f", {now.tokens_per_second:,.0f} tokens/s"
    return f"epoch {now.epoch}, {what} {now.perplexity:.1f}{speed}"


def _binarize(data: ModelData, texts: Mapping[str, list[TrainingText]], scratch: Path) -> None:
    """Write fairseq's binary data of each phase; its counts, written last, mean it is whole."""
    subwords = Subwords(data.subwords)
    for phase, wanted in texts.items():
        folder = scratch / phase
        if (folder / COUNTS).exists():
            continue
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        counts = binarize(subwords, wanted, data.languages, folder / "data", max_pieces=MAX_PIECES)
        _settle(folder / COUNTS, json.dumps(counts, indent=1))
