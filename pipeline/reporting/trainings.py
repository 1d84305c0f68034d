"""What the manifest of a trained model tells, as a typed value."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from pipeline.reporting.words import percent

FLAT = 0.01
"""A dev loss that falls by less than this share from one look to the next has converged."""


class Validation(NamedTuple):
    """A look at the dev loss, in bits a subword, after so many updates of the phase.

    Where chrF says when to stop, there is the dev text's chrF, too.
    """

    updates: int
    loss: float
    chrf: float | None = None

    @property
    def cost(self) -> float:
        """What training makes small: the loss, or what chrF lacks to 100."""
        return self.loss if self.chrf is None else 100 - self.chrf


class Training(NamedTuple):
    """One training of a system."""

    label: str
    phases: list[list[Validation]]
    batch: str
    lines: int
    translation: str
    precision: str
    minutes: float

    @property
    def best_loss(self) -> float:
        """The loss of the checkpoint that was kept."""
        return min(self.phases[-1], key=lambda look: look.cost).loss

    @property
    def system(self) -> str:
        """The system that it is one training of."""
        return system_of(self.label)

    @property
    def falling(self) -> float | None:
        """The share by which the last look's loss is below the best one before.

        Where chrF says when to stop, what it lacks to 100 is the loss. None where there was one
        look at most.
        """
        looks = [look.cost for phase in self.phases for look in phase]
        return 1 - looks[-1] / min(looks[:-1]) if len(looks) > 1 else None

    @property
    def converged(self) -> bool:
        """Whether the loss had stopped falling when the training ended."""
        return self.falling is not None and self.falling < FLAT


def system_of(label: str) -> str:
    """Return the system of a training by its label, `bt-2`."""
    return label.rpartition("-")[0]


def unfinished(trained: Iterable[Training]) -> dict[str, list[Training]]:
    """Return by system its trainings, where any of them stopped while its loss still fell."""
    found: dict[str, list[Training]] = {}
    for training in trained:
        found.setdefault(training.system, []).append(training)
    return {name: some for name, some in found.items() if not all(t.converged for t in some)}


def not_converged(trained: Iterable[Training]) -> Iterator[str]:
    """Yield a sentence for each system that was stopped too early: by how much it got better."""
    for name, some in unfinished(trained).items():
        late = [t for t in some if not t.converged]
        fell = max((t.falling for t in late if t.falling is not None), default=None)
        slope = "" if fell is None else f", by up to {percent(fell)} from one look to the next"
        by_chrf = any(look.chrf is not None for t in late for phase in t.phases for look in phase)
        what, went = ("dev chrF", "rose") if by_chrf else ("dev loss", "fell")
        if by_chrf and slope:
            slope += " of what it lacks to 100"
        yield (
            f"{name} has not converged: when the updates ended, the {what} of {len(late)} of "
            f"{len(some)} trainings still {went}{slope}. More `max_updates` may change its scores."
        )


def trainings(manifests: Iterable[Mapping[str, Any]]) -> Iterator[Training]:
    """Yield the training behind each manifest of a trained model."""
    for m in manifests:
        if m["stage"] != "TrainedModel":
            continue
        facts = m["training"]
        yield Training(
            label=m["label"],
            phases=[[Validation(*look) for look in p["validations"]] for p in facts["phases"]],
            batch=_batch(facts["batch"]),
            lines=sum(c["sentences"] for n, c in m["counts"].items() if n.startswith("train.")),
            translation=_translation(facts["translation"]),
            precision=facts["precision"],
            minutes=m["seconds"] / 60,
        )


def _batch(batch: Mapping[str, int]) -> str:
    """Return `2,048`, or `2 × 1,024` in parts, of one process or all of them."""
    times = batch["parts"] * batch["processes"]
    return f"{times} × {batch['tokens']:,}" if times > 1 else f"{batch['tokens']:,}"


def _translation(chosen: Mapping[str, Any] | None) -> str:
    """Return `int8 (-0.12)`: the format, and the BLEU of the faster one minus that of float32."""
    if chosen is None:
        return "float32"
    scores = dict(chosen["bleu"])
    full = scores.pop("float32")
    (faster,) = scores.values()
    return f"{chosen['compute_type']} ({faster - full:+.2f})"
