"""The table of systems: what each is made of, what it scores and gains, what it takes."""

from collections.abc import Iterable, Iterator, Sequence
from statistics import mean

from pipeline.reporting.records import Contrast, MtScore, Record, Score
from pipeline.reporting.tables import Grid, overall, p_text, signed
from pipeline.reporting.trainings import system_of
from pipeline.reporting.words import duration, size
from pipeline.specs.experiment import Experiment
from pipeline.specs.systems import PivotSystem, System, TrainedSystem
from tasks.mt.scoring import BLEU, METRICS
from tasks.transfer.contests import SYSTEMS

NOTHING = "–"


def systems_grid(
    experiment: Experiment, scores: Sequence[Score], manifests: Iterable[Record]
) -> Grid | None:
    """Return one row a system, in the order of the experiment; None where nothing translates."""
    mt = [s for s in scores if isinstance(s, MtScore)]
    if not mt:
        return None
    contrasts = [s for s in scores if isinstance(s, Contrast)]
    trained = [m for m in manifests if m["stage"] == "TrainedModel"]
    rows = [
        [
            name,
            made_of(system),
            *(_mean_score([s for s in mt if s.system == name], metric) for metric in METRICS),
            "; ".join(_gains(name, contrasts)) or NOTHING,
            "; ".join(_task_gains(name, contrasts)) or NOTHING,
            *_price([m for m in trained if system_of(m["label"]) == name]),
        ]
        for name, system in experiment.systems.items()
    ]
    metrics = list(METRICS)
    columns = ["system", "made of", *metrics, "against", "in the tasks", "a training", "size"]
    note = (
        f"{' and '.join(metrics)}: mean over directions; against: {BLEU} over all directions as "
        "the experiment's `contrasts` ask; in the tasks: by the measure that decides each; p as "
        "below; a training and its size on disk: the mean over replicates, without its parents"
    )
    return Grid("Systems", columns, rows, note, columns_of_words=2)


def made_of(system: System) -> str:
    """Say what a system is: `trained 3 times on the bitext; target text with its translation`."""
    if isinstance(system, PivotSystem):
        return f"{system.by}, twice, through {system.via}"
    if not isinstance(system, TrainedSystem):
        return f"{system.kind}, from the bitext"
    texts = [
        f"{text.real} text with its translation by {text.by} ({text.decoding.name}"
        f"{', tagged' if text.tag else ''}"
        f"{f', at most {text.ratio:g} a human line' if text.ratio else ''})"
        for text in system.synthetic
    ]
    times = f"trained {system.replicates} times" if system.replicates > 1 else "trained once"
    return "; ".join([f"{times} on the bitext", *texts])


def _mean_score(scores: Sequence[MtScore], metric: str) -> str:
    found = [s.score for s in scores if s.metric == metric]
    ill = any(s.ills for s in scores)
    return f"{mean(found):.1f}{' (not usable in places)' * ill}" if found else NOTHING


def _gains(name: str, contrasts: Iterable[Contrast]) -> Iterator[str]:
    for c in overall([c for c in contrasts if c.of == "mt" and c.metric == BLEU]):
        if c.first == name:
            low, high = signed(c, c.low), signed(c, c.high)
            yield f"{c.second} {signed(c, c.difference)} [{low}, {high}], p {p_text(c.p)}"


def _task_gains(name: str, contrasts: Iterable[Contrast]) -> Iterator[str]:
    for c in contrasts:
        if c.family == SYSTEMS and c.over_all and c.first.endswith(f"({name})"):
            strategy = c.first.partition(" (")[0]
            yield f"{strategy} {signed(c, c.difference)}, p {p_text(c.p)}"


def _price(models: Sequence[Record]) -> tuple[str, str]:
    """Return the time of one training and the bytes of one model; nothing of what trains not."""
    if not models:
        return NOTHING, NOTHING
    weight = [sum(file["bytes"] for file in m.get("files", {}).values()) for m in models]
    return duration(mean(m["seconds"] for m in models)), size(mean(weight)) if any(
        weight
    ) else NOTHING
