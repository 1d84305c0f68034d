"""Start `fairseq-train` as needed: `python -m models.nmt.launch HISTORY STOP SUBWORDS ARGS`.

`STOP` is the recipe's `stop` in JSON; `SUBWORDS`, the subword model, tells chrF the words.

With a `--distributed-world-size` above 1 it starts itself so many times with torchrun, unless a
launcher of the user's (`srun`) has done so on all nodes: then `LAUNCHED` is set.

The launcher repairs what no fairseq option reaches, then hands over to fairseq: what torch may
unpickle, the plugin's criterion and faster kernels, atomic checkpoint copies, early stopping that
survives a restart, no update more once training has ended, and no batch that memory has no room for
left out.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from models.nmt.importing import import_fairseq
from models.nmt.recipe import Stop
from models.support.processes import die_with_parent

LAUNCHED = "SPRACHBUND_LAUNCHED"
TORCHRUN = "TORCHELASTIC_RUN_ID"
FIRST_PORT = 20_000


def allow_checkpoint_types() -> None:
    """Let torch's safe loader accept the one foreign class a fairseq checkpoint holds."""
    import argparse

    import torch

    torch.serialization.add_safe_globals([argparse.Namespace])


class Look(NamedTuple):
    """What a validation saw after so many updates; chrF only where it decides."""

    updates: int
    loss: float
    chrf: float | None = None

    @property
    def cost(self) -> float:
        """What training makes small."""
        return self.loss if self.chrf is None else -self.chrf


class EarlyStopping:
    """Stop once the best validation is `patience` validations old.

    fairseq counts in memory and starts from zero after a resume, so an interrupted training would
    run longer than an undisturbed one. The history lives in a file instead; entries of the lost
    future (updates at or after the one seen now) are dropped.
    """

    def __init__(self, path: Path, patience: int) -> None:
        self.path = path
        self.patience = patience

    def observe(self, look: Look) -> bool:
        """Record one validation and say whether to stop."""
        history = [*(past for past in self._read() if past.updates < look.updates), look]
        self._write(history)
        return self._is_stale(history)

    def is_over(self, updates: int) -> bool:
        """Say whether training had reason to stop at the validation after `updates` updates."""
        return self._is_stale([past for past in self._read() if past.updates <= updates])

    def _is_stale(self, history: list[Look]) -> bool:
        best = min(range(len(history)), key=lambda i: history[i].cost, default=0)
        return len(history) - 1 - best >= self.patience

    def _read(self) -> list[Look]:
        return [Look(*of) for of in json.loads(self.path.read_text())] if self.path.exists() else []

    def _write(self, history: list[Look]) -> None:
        if rank():
            return  # all processes see the same losses; the first one keeps the record
        draft = self.path.with_suffix(".tmp")
        draft.write_text(json.dumps([[v for v in look if v is not None] for look in history]))
        draft.replace(self.path)


def copy_atomically(source: str, target: str, overwrite: bool = False) -> str:
    """Replace fairseq's plain file copy: a kill in mid-copy must not leave half a checkpoint."""
    shutil.copyfile(source, target + ".tmp")
    Path(target + ".tmp").replace(target)
    return target


def install_early_stopping(
    train: Any, stopping: EarlyStopping, chrf: Callable[[Any], float] | None = None
) -> None:
    """Route fairseq's validation results through `stopping`.

    With `chrf`, which translates the dev text, it decides which checkpoint is the best one.
    """
    validate: Callable[..., Any] = train.validate
    look: Look | None = None

    def looking(cfg: Any, trainer: Any, *rest: Any, **named: Any) -> list[float]:
        nonlocal look
        loss = float(validate(cfg, trainer, *rest, **named)[0])
        look = Look(trainer.get_num_updates(), loss, chrf(trainer) if chrf else None)
        return [look.cost]

    train.validate = looking
    train.should_stop_early = lambda cfg, cost: (
        cost is not None and look is not None and stopping.observe(look)
    )


def install_memory_errors(trainer: Any) -> None:
    """Have fairseq fail when memory runs out: it would skip the batch and go on."""
    train_step: Callable[..., Any] = trainer.train_step
    trainer.train_step = lambda self, samples, raise_oom=True: train_step(self, samples, raise_oom)


def is_finished(last: Path, stopping: EarlyStopping, max_updates: int) -> bool:
    """Say whether the newest checkpoint is the end of training.

    fairseq makes one more update before it looks: a run killed between its last checkpoint and its
    exit would end with other weights than an undisturbed one.
    """
    import torch

    if not last.exists():
        return False
    state = torch.load(last, map_location="cpu", weights_only=True, mmap=True)
    updates = int(state["optimizer_history"][-1]["num_updates"])
    return updates >= max_updates or stopping.is_over(updates)


def rank() -> int:
    """Return the number of this process among those that train together, from 0 on."""
    if TORCHRUN in os.environ:
        return int(os.environ["RANK"])
    return int(os.environ["SLURM_PROCID"]) if LAUNCHED in os.environ else 0


def start_processes(number: int, arguments: list[str]) -> None:
    """Start this module so many times on this machine, and wait for all."""
    from torch.distributed.run import main as torchrun

    module = ["-m", "models.nmt.launch"]
    torchrun(["--standalone", "--nproc-per-node", str(number), *module, *arguments])


def communication(number: int) -> list[str]:
    """Return how so many processes find each other and exchange gradients.

    fairseq knows torchrun and srun, but takes a GPU for each process for granted.
    """
    import torch

    if number == 1:
        return []
    if TORCHRUN in os.environ:
        address, local = "env://", os.environ["LOCAL_RANK"]
        here = int(os.environ["LOCAL_WORLD_SIZE"])
    else:
        address, local = _srun_address(), os.environ["SLURM_LOCALID"]
        here = int(os.environ.get("SLURM_NTASKS_PER_NODE") or 1)
    others = [
        *("--distributed-init-method", address, "--distributed-no-spawn"),
        *("--distributed-rank", str(rank()), "--device-id", local),
    ]
    if torch.cuda.device_count() >= here:
        return others
    return [*others, "--cpu", "--distributed-backend", "gloo", "--ddp-backend", "legacy_ddp"]


def _srun_address() -> str:
    """Return where the first process of a Slurm step listens."""
    nodes = os.environ["SLURM_STEP_NODELIST"]
    command = ["scontrol", "show", "hostnames", nodes]
    listed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    port = FIRST_PORT + int(os.environ["SLURM_JOB_ID"]) % FIRST_PORT
    return f"tcp://{listed.split()[0]}:{port}"


def prepare() -> None:
    """Import what a training needs; no thread is started that a fork would miss."""
    import_fairseq()
    import_module("fairseq_cli.train")
    import_module("models.nmt.plugin").load()


def train(stopping: EarlyStopping, arguments: list[str], *, subwords: Path | None = None) -> None:
    """Train with fairseq's own entry point, unless training has ended before.

    With `subwords` the best checkpoint is that of the best chrF.
    """
    allow_checkpoint_types()
    last = Path(_option(arguments, "--save-dir")) / "checkpoint_last.pt"
    if is_finished(last, stopping, int(_option(arguments, "--max-update"))):
        return
    prepare()
    from fairseq.file_io import PathManager
    from fairseq.trainer import Trainer
    from fairseq_cli import train as fairseq_train

    from models.nmt import plugin

    plugin.install()
    PathManager.copy = staticmethod(copy_atomically)
    install_early_stopping(fairseq_train, stopping, _dev_chrf(subwords) if subwords else None)
    install_memory_errors(Trainer)
    number = int(_option(arguments, "--distributed-world-size"))
    sys.argv = ["fairseq-train", *arguments, *communication(number)]
    fairseq_train.cli_main()


def _dev_chrf(subwords: Path) -> Callable[[Any], float]:
    from models.nmt.plugin.dev_chrf import dev_chrf
    from models.subwords import Subwords

    return partial(dev_chrf, subwords=Subwords(subwords))


def main(arguments: list[str]) -> None:
    """Train in this process, or in as many as are asked for."""
    die_with_parent()
    history, written, subwords, *options = arguments
    stop = Stop(**json.loads(written))
    number = int(_option(options, "--distributed-world-size"))
    if number > 1 and not {TORCHRUN, LAUNCHED} & os.environ.keys():
        start_processes(number, arguments)
    else:
        by_chrf = Path(subwords) if stop.metric == "chrF" else None
        train(EarlyStopping(Path(history), stop.patience), options, subwords=by_chrf)


def _option(arguments: list[str], name: str) -> str:
    return arguments[arguments.index(name) + 1]


if __name__ == "__main__":
    main(sys.argv[1:])
