"""Whether better translation makes better classifiers: BLEU beside the task score it leads to."""

from collections.abc import Iterator, Sequence
from statistics import mean
from typing import NamedTuple

from pipeline.reporting.charts import Chart, Point, scatter
from pipeline.reporting.records import MtScore, TaskScore
from pipeline.reporting.tables import Grid
from pipeline.reporting.ways import decisive, merit
from tasks.mt.scoring import BLEU
from tasks.transfer.catalogue import translated

FEWEST_SYSTEMS = 3
"""Two systems are always ranked alike or the other way round."""


class Use(NamedTuple):
    """What a system translates like where a strategy needs it, and what it leads to there."""

    system: str
    bleu: float
    score: float
    encoder: str


Place = tuple[str, str, str]
"""Task, language, strategy."""


def uses(hub: str, mt: Sequence[MtScore], tasks: Sequence[TaskScore]) -> dict[Place, list[Use]]:
    """Return by place every system's mean BLEU of the directions used, and its task score.

    The score is that of the encoder with the best score on dev data (on test where there are none).
    """
    bleu = {(s.system, s.direction): s.score for s in mt if s.metric == BLEU}
    best: dict[tuple[Place, str], TaskScore] = {}
    for s in decisive(tasks):
        if not s.system or s.ills:
            continue
        key = (s.task, s.language, s.strategy), s.system
        if key not in best or merit(s) > merit(best[key]):
            best[key] = s
    found: dict[Place, list[Use]] = {}
    for (place, system), s in best.items():
        hops = translated(s.strategy, system, hub=hub, language=s.language)
        scores = [bleu.get((by, "-".join(hop))) for by, hop in hops]
        known = [score for score in scores if score is not None]
        if known and len(known) == len(scores):
            found.setdefault(place, []).append(Use(system, mean(known), s.score, s.encoder))
    return {place: some for place, some in found.items() if len(some) > 1}


def rank_correlations(found: dict[Place, list[Use]]) -> list[float]:
    """Return Spearman's rank correlation of BLEU and task score over the systems of each place.

    Places of fewer than three systems, or where all are equal, have none.
    """
    from scipy.stats import spearmanr

    correlations = []
    for some in found.values():
        bleu, scores = [use.bleu for use in some], [use.score for use in some]
        if len(some) >= FEWEST_SYSTEMS and len({*bleu}) > 1 and len({*scores}) > 1:
            correlations.append(float(spearmanr(bleu, scores).statistic))
    return correlations


def usefulness_sentence(found: dict[Place, list[Use]]) -> Iterator[str]:
    """Yield what the rank correlations say, if there are any."""
    if correlations := rank_correlations(found):
        positive = sum(value > 0 for value in correlations)
        yield (
            f"BLEU and the task score it leads to: mean rank correlation over systems "
            f"{mean(correlations):+.2f}, positive in {positive} of {len(correlations)} places (a "
            f"task, a language and a strategy each)."
        )


def usefulness_grid(found: dict[Place, list[Use]]) -> Grid | None:
    """Return one row a place: BLEU and task score of each system."""
    systems = list(dict.fromkeys(use.system for some in found.values() for use in some))
    rows = []
    for (task, language, strategy), some in found.items():
        by_system = {use.system: use for use in some}
        cells = [
            f"{by_system[name].bleu:.1f} / {by_system[name].score:.3f}"
            if name in by_system
            else "–"
            for name in systems
        ]
        rows.append([task, language, strategy, *cells])
    note = (
        f"{BLEU} in the direction that the strategy needs (the mean of several) / score of the "
        "task with the encoder that dev data chose; "
        + (next(usefulness_sentence(found), "") or "too few systems to rank")
    ).rstrip(".")
    columns = ["task", "language", "strategy", *systems]
    return Grid("Quality and use", columns, rows, note, columns_of_words=3) if rows else None


def usefulness_charts(found: dict[Place, list[Use]]) -> Iterator[Chart]:
    """Yield one chart: each system's BLEU and task score against the mean of its place."""
    points = []
    for place, some in found.items():
        bleu, score = mean(use.bleu for use in some), mean(use.score for use in some)
        for use in some:
            title = f"{use.system}, {', '.join(place)}: {use.bleu:.1f} {BLEU}, {use.score:.3f}"
            points.append(Point(use.system, use.bleu - bleu, use.score - score, title))
    if points:
        note = "a mark a system and place; both against the mean over systems of the same place"
        sides = (f"{BLEU}", "score of the task")
        yield scatter("Quality and use", points, sides, note)
