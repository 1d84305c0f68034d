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
    PhaseFiles,
    Schedule,
    Step,
    TrainedText,
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
from models.support.notes import remembered, settle, settle_once
from models.support.processes import ChildRun
from tasks.mt.number_format import Direction, TranslationType, choose_type
from tasks.progress import Progress

MAIN = "main"
FINE_TUNE = "fine-tune"
COUNTS = "counts.json"
PUBLISH = "models.nmt.publish"


class BitextFiles(NamedTuple):
    """Train and dev bitext of the hub and one language."""

    language: str
    train: Path
    dev: Path


class SyntheticFile(NamedTuple):
    """Synthetic bitext of one direction; `tagged` marks its sources as synthetic."""

    source: str
    target: str
    path: Path
    tagged: bool = True


class ModelData(NamedTuple):
    """All text of one training.

    * ``subwords``: the joint subword model.
    * ``hub``: the language that every pair has.
    * ``pairs``: human bitext, each in both directions.
    * ``synthetic``: synthetic bitext, each in its own direction alone.
    * ``human_repeats``: how often the human text stands beside the synthetic.
    * ``copied``: whether each direction also copies its target text.
    * ``joined_share``: of the lines that are two in a row.
    * ``validation_pairs``: of each direction's dev text, as many at most.
    """

    subwords: Path
    hub: str
    pairs: list[BitextFiles]
    synthetic: list[SyntheticFile]
    human_repeats: int
    copied: bool = False
    joined_share: float = 0.0
    validation_pairs: int | None = None

    @property
    def languages(self) -> list[str]:
        """The hub and every language: the order fixes the tags."""
        return [self.hub, *(pair.language for pair in self.pairs)]

    @property
    def directions(self) -> list[tuple[str, str]]:
        """Both directions of every pair."""
        return [direction for pair in self.pairs for direction in self._both_ways(pair)]

    def texts(self) -> list[TrainingText]:
        """Return which file feeds which direction; synthetic text feeds only its own."""
        synthetic = [
            TrainingText(
                file.path,
                "train",
                file.source,
                file.target,
                tagged=file.tagged,
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
            TrainingText(pair.dev, "valid", source, target, most=self.validation_pairs)
            for pair, source, target in self._human_directions()
        ]
        return train + dev

    def dev_directions(self) -> list[Direction]:
        """Return every direction with its dev text."""
        return [Direction(s, t, pair.dev) for pair, s, t in self._human_directions()]

    def _human_directions(self) -> list[tuple[BitextFiles, str, str]]:
        return [(pair, *direction) for pair in self.pairs for direction in self._both_ways(pair)]

    def _both_ways(self, pair: BitextFiles) -> tuple[tuple[str, str], tuple[str, str]]:
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
        """The checkpoint with the lowest validation loss, or the highest chrF."""
        return self.folder / "checkpoints" / "checkpoint_best.pt"

    @property
    def validations(self) -> list[tuple[float, ...]]:
        """Updates and label-smoothed loss, in bits a subword, of each validation.

        Where it decides, dev chrF is the third.
        """
        history = self.folder / "checkpoints" / "validations.json"
        return [tuple(entry) for entry in json.loads(history.read_text(encoding="utf-8"))]


class TrainingSite(NamedTuple):
    """Where one training works, and with what: nothing of it decides what is computed.

    * ``scratch``: survives an interruption; ``out``: becomes the artifact.
    * ``log``, ``curves``: output of the children, and learning curves for TensorBoard.
    * ``progress``: told of each line of fairseq's log.
    * ``threads``: of each process.
    * ``launcher``: a command that starts all processes of a distributed training.
    * ``machine_notes``: a folder for what was measured of this machine, shared by its trainings.
    """

    scratch: Path
    out: Path
    log: Path
    curves: Path
    progress: Progress
    threads: int = 1
    launcher: Sequence[str] = ()
    machine_notes: Path | None = None


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
    site: TrainingSite
    server: ForkServer | FreshProcesses

    def run(self, name: str, schedule: Schedule, *, done: int = 0) -> TrainedPhase:
        """Run a phase, or what is left of it; `done` updates went before."""
        folder = self.site.scratch / name
        return TrainedPhase(folder, self._train(folder, schedule, done))

    def _train(self, folder: Path, schedule: Schedule, done: int) -> ChildRun:
        """Train to the end of the schedule, in smaller parts of the batch if memory runs out."""
        batch = self.batch()
        curves = self.site.curves / folder.name
        phase = PhaseFiles(folder / "data", folder / "checkpoints", curves)
        text = TrainedText(self.data.languages, self.data.directions)
        arguments = training_arguments(
            self.recipe, phase=phase, text=text, step=Step(schedule, batch, self.precision)
        )
        try:
            return train(
                self.recipe,
                arguments,
                phase.checkpoints,
                subwords=self.data.subwords,
                server=self.server,
                log=self.site.log,
                on_progress=lambda now: self._report(now, done),
                launcher=self.site.launcher,
            )
        except OutOfMemoryError:
            smaller = batch.halved()
            if smaller is None:
                raise
        settle(self.site.scratch / "batch.json", json.dumps(smaller))
        status = f"out of memory: {smaller.parts} parts of {smaller.tokens:,} tokens an update"
        self.site.progress(done / self.recipe.all_updates, status, milestone=True)
        return self._train(folder, schedule, done)

    @property
    def precision(self) -> str:
        """The precision that this training began with: it may resume on another machine."""
        return remembered(self.site.scratch / "precision", self._precision_here)

    def _precision_here(self) -> str:
        """Return what all trainings of this size on this machine have, measured by the first."""
        recipe, folder = self.recipe, self.site.machine_notes

        def measure() -> str:
            return resolve_precision(recipe, server=self.server, log=self.site.log)

        if folder is None or recipe.precision != "auto":
            return measure()
        note = folder / f"precision-{recipe.width}-{recipe.feed_forward}"
        return remembered(note, measure, write=settle_once)

    def batch(self) -> Batch:
        """Return the batch that fits into memory, as far as this training has found out."""
        note = self.site.scratch / "batch.json"
        if not note.exists():
            return Batch(self.recipe.batch_tokens)
        return Batch(*json.loads(note.read_text(encoding="utf-8")))

    def _report(self, now: TrainingProgress, done: int) -> None:
        updates, total = done + now.updates, self.recipe.all_updates
        status = f"update {updates:,} of {total:,}, {describe(now)}"
        self.site.progress(updates / total, status, milestone=now.validation or now.resumed)


def train_and_publish(data: ModelData, recipe: NmtRecipe, site: TrainingSite) -> TrainingResult:
    """Binarize, train and publish; each step that is finished in `scratch` is not done again."""
    with training_server(site.scratch, threads=site.threads) as server:
        trainer = _Trainer(data, recipe, site, server)
        phases = _run_phases(trainer)
        last = phases[-1]
        published = server.run(PUBLISH, (last.best, last.folder / "data", site.out), site.log)
    chosen = _choose_type(data, recipe, site)
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
    _binarize(data, texts, trainer.site.scratch)
    main = trainer.run(MAIN, main_schedule(recipe))
    if not recipe.fine_tune_updates:
        return [main]
    done = int(main.validations[-1][0])
    schedule = fine_tune_schedule(recipe, done, start_from=main.best)
    return [main, trainer.run(FINE_TUNE, schedule, done=done)]


def _choose_type(data: ModelData, recipe: NmtRecipe, site: TrainingSite) -> TranslationType | None:
    """Choose what to translate in; None where the recipe fixes it."""
    if recipe.translation != "auto":
        return None
    return choose_type(
        site.out / CTRANSLATE2, data.subwords, data.dev_directions(), threads=site.threads
    )


def describe(now: TrainingProgress) -> str:
    """Return a status line for people."""
    if now.resumed:
        return f"epoch {now.epoch}, resumed from here"
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
        settle(folder / COUNTS, json.dumps(counts, indent=1))
