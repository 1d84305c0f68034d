"""Drive fairseq: build its argv, run it in a child process, read its progress."""

import json
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

from models.nmt.launch import LAUNCHED
from models.nmt.recipe import NmtRecipe
from models.support.fork_server import ForkServer, FreshProcesses
from models.support.processes import ChildRun, dying_with_parent, python_module, run_child

MAX_POSITIONS = 512
MAX_PIECES = MAX_POSITIONS - 2
"""Of a line: tag and end of sentence take two positions."""
LOG_INTERVAL = 25
LAUNCH = "models.nmt.launch"
KEEP_MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(2**25), "MALLOC_TRIM_THRESHOLD_": str(2**40)}
"""glibc keeps freed memory for the next update: to get fresh pages costs a training 3 %."""
GPU_DRIVERS = ("/proc/driver/nvidia", "/dev/kfd", "/dev/dxg")
"""Where Linux shows NVIDIA's driver, AMD's, and that of a Windows host."""
LOG_RECORD = re.compile(r"\b(?P<kind>train_inner|valid)\W*?(?P<record>\{.*\})")
RESUMED = re.compile(
    r"Loaded checkpoint .*checkpoint_last\.pt \(epoch (?P<epoch>\d+) @ (?P<updates>\d+) updates\)"
)

Direction = tuple[str, str]
"""Source and target language code."""


class TrainingProgress(NamedTuple):
    """One line of fairseq's log, as a person reads it; `resumed`: from there it goes on."""

    updates: int
    epoch: int
    perplexity: float
    tokens_per_second: float
    validation: bool
    resumed: bool = False


class Batch(NamedTuple):
    """Tokens that are in memory at once, and how many such parts make up one update."""

    tokens: int
    parts: int = 1

    def halved(self) -> "Batch | None":
        """Return the same update in parts of half the size; None where a sentence may not fit."""
        if self.tokens // 2 < MAX_POSITIONS:
            return None
        return Batch(self.tokens // 2, self.parts * 2)


class Schedule(NamedTuple):
    """How long one phase trains, at which rates, and from which checkpoint's weights."""

    updates: int
    learning_rate: float
    warmup_updates: int
    start_from: Path | None = None


def main_schedule(recipe: NmtRecipe) -> Schedule:
    """Return the schedule of the first phase, from random weights."""
    return Schedule(recipe.max_updates, recipe.learning_rate, recipe.warmup_updates)


def fine_tune_schedule(recipe: NmtRecipe, done: int, *, start_from: Path) -> Schedule:
    """Return the schedule of the second phase: it goes on at the rate the first one ended with.

    `done` is how many updates the first phase made.
    """
    warm_up = min(1.0, done / recipe.warmup_updates)  # a phase may end inside of it
    ended_with = recipe.learning_rate * warm_up * min(1.0, (recipe.warmup_updates / done) ** 0.5)
    warmup_updates = max(1, min(recipe.warmup_updates, recipe.fine_tune_updates // 10))
    return Schedule(recipe.fine_tune_updates, ended_with, warmup_updates, start_from)


class Step(NamedTuple):
    """What one update is: the phase's schedule, the batch in memory, the precision."""

    schedule: Schedule
    batch: Batch
    precision: str


class PhaseFiles(NamedTuple):
    """The folders of a phase: fairseq's binary data, checkpoints, learning curves."""

    data: Path
    checkpoints: Path
    curves: Path


class TrainedText(NamedTuple):
    """The languages, whose order fixes their tags, and the directions that are trained."""

    languages: Sequence[str]
    directions: Sequence[Direction]


def training_arguments(
    recipe: NmtRecipe, *, phase: PhaseFiles, text: TrainedText, step: Step
) -> list[str]:
    """Return the argv that follows `fairseq-train`."""
    return [
        str(phase.data),
        *_task_arguments(recipe, text),
        *_model_arguments(recipe),
        *_optimizer_arguments(recipe, step.precision),
        *_batch_arguments(step.batch),
        *_schedule_arguments(step.schedule),
        *_checkpoint_arguments(recipe, phase.checkpoints),
        *("--tensorboard-logdir", str(phase.curves)),
        *("--distributed-world-size", str(recipe.processes)),
    ]


def _task_arguments(recipe: NmtRecipe, text: TrainedText) -> list[str]:
    pairs = ",".join(f"{source}-{target}" for source, target in text.directions)
    return [
        *("--task", "translation_multi_simple_epoch"),
        *("--langs", ",".join(text.languages)),
        *("--lang-pairs", pairs),
        *("--encoder-langtok", "tgt"),
        *("--sampling-method", "temperature"),
        *("--sampling-temperature", str(recipe.sampling_temperature)),
        *("--max-source-positions", str(MAX_POSITIONS)),
        *("--max-target-positions", str(MAX_POSITIONS)),
    ]


def _model_arguments(recipe: NmtRecipe) -> list[str]:
    sides = []
    for side, layers in (("encoder", recipe.encoder_layers), ("decoder", recipe.decoder_layers)):
        sides += [
            *(f"--{side}-layers", str(layers)),
            *(f"--{side}-embed-dim", str(recipe.width)),
            *(f"--{side}-ffn-embed-dim", str(recipe.feed_forward)),
            *(f"--{side}-attention-heads", str(recipe.heads)),
            f"--{side}-normalize-before",
        ]
    return [
        *("--arch", "transformer"),
        *sides,
        "--share-all-embeddings",
        *("--dropout", str(recipe.dropout)),
    ]


def _optimizer_arguments(recipe: NmtRecipe, precision: str) -> list[str]:
    return [
        *("--criterion", "fused_label_smoothed_cross_entropy"),
        *("--label-smoothing", str(recipe.label_smoothing)),
        *(["--autocast-bf16"] if precision == "bf16" else []),
        *("--optimizer", "adam"),
        *("--adam-betas", "(0.9, 0.98)"),
        *("--clip-norm", "1.0"),
        *("--seed", str(recipe.seed)),
    ]


def _batch_arguments(batch: Batch) -> list[str]:
    """Return the size of an update; fairseq drops what does not fill a multiple of 8 sentences."""
    return [
        *("--max-tokens", str(batch.tokens)),
        *("--update-freq", str(batch.parts)),
        *("--required-batch-size-multiple", "1"),
    ]


def _schedule_arguments(schedule: Schedule) -> list[str]:
    return [
        *("--lr", str(schedule.learning_rate)),
        *("--lr-scheduler", "inverse_sqrt"),
        *("--warmup-updates", str(schedule.warmup_updates)),
        *("--max-update", str(schedule.updates)),
        *(["--finetune-from-model", str(schedule.start_from)] if schedule.start_from else []),
    ]


def _checkpoint_arguments(recipe: NmtRecipe, checkpoints: Path) -> list[str]:
    never = str(10**9)
    return [
        *("--save-dir", str(checkpoints)),
        *("--validate-interval", never),
        *("--save-interval", never),
        *("--validate-interval-updates", str(recipe.validate_every)),
        *("--save-interval-updates", str(recipe.validate_every)),
        *("--keep-interval-updates", "1"),
        "--no-epoch-checkpoints",
        *("--num-workers", "0"),
        *("--log-format", "json"),
        *("--log-interval", str(LOG_INTERVAL)),
    ]


def training_server(label: Path, *, threads: int) -> ForkServer | FreshProcesses:
    """Return what runs the children of one model, where it can each as soon as it is asked for.

    fairseq counts GPUs when it is imported, and CUDA, once started, does not survive a fork.
    """
    limits = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS"), str(threads))
    environment = {**limits, "PYTHONSAFEPATH": "1"}
    environment |= KEEP_MEMORY
    if sys.platform != "linux" or any(Path(driver).exists() for driver in GPU_DRIVERS):
        return FreshProcesses(environment)
    return ForkServer([LAUNCH], label=label, environment=environment)


def train(
    recipe: NmtRecipe,
    arguments: Sequence[str],
    checkpoints: Path,
    *,
    subwords: Path,
    server: ForkServer | FreshProcesses,
    log: Path,
    on_progress: Callable[[TrainingProgress], None],
    launcher: Sequence[str] = (),
) -> ChildRun:
    """Train, or go on training from the last checkpoint, until it stops paying or updates run out.

    A `launcher` starts all processes of a distributed training, on as many nodes as it likes.
    """
    if checkpoints.exists() and not (checkpoints / "checkpoint_last.pt").exists():
        on_progress(_resumed(updates=0, epoch=1))  # begun, and interrupted before it was saved
    checkpoints.mkdir(parents=True, exist_ok=True)

    def on_line(line: str) -> None:
        progress = parse_progress(line)
        if progress is not None:
            on_progress(progress)

    history = checkpoints / "validations.json"
    options = [str(history), json.dumps(asdict(recipe.stop)), str(subwords), *arguments]
    if not launcher or recipe.processes == 1:
        return server.run(LAUNCH, options, log, on_line=on_line)
    argv = dying_with_parent([*launcher, *python_module(LAUNCH, *options)])
    environment = {**server.environment, LAUNCHED: "1"}
    return run_child(argv, log, on_line=on_line, environment=environment)


def parse_progress(line: str) -> TrainingProgress | None:
    """Read one line of fairseq's JSON log; None for a line that is about something else."""
    if found := RESUMED.search(line):
        return _resumed(updates=int(found["updates"]), epoch=int(found["epoch"]))
    match = LOG_RECORD.search(line)
    if match is None:
        return None
    validation = match["kind"] == "valid"
    prefix = "valid_" if validation else ""
    try:
        record = json.loads(match["record"])
        return TrainingProgress(
            updates=int(record[f"{prefix}num_updates"]),
            epoch=int(record["epoch"]),
            perplexity=float(record[f"{prefix}ppl"]),
            tokens_per_second=float(record.get(f"{prefix}wps", 0) or 0),
            validation=validation,
        )
    except (ValueError, KeyError):
        return None


def _resumed(*, updates: int, epoch: int) -> TrainingProgress:
    return TrainingProgress(updates, epoch, 0.0, 0.0, validation=False, resumed=True)
