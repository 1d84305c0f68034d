"""Plots as inline SVG: BLEU by system and direction, task scores by strategy and language."""

import io
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from pipeline.reporting.records import MtScore, TaskScore
from pipeline.reporting.ways import decisive, way_name
from tasks.mt.scoring import BLEU
from tasks.transfer.strategies import STRATEGIES


def mt_plot(scores: Sequence[MtScore]) -> Iterator[str]:
    """Yield a bar chart of BLEU: a group per direction, a bar per system, a line for copying."""
    chosen = [s for s in scores if s.metric == BLEU]
    if chosen:
        directions = list(dict.fromkeys(s.direction for s in chosen))
        series = list(dict.fromkeys(s.system for s in chosen))
        values = {(s.direction, s.system): Bar(s.score, s.low, s.high) for s in chosen}
        copies = {s.direction: s.copy for s in chosen}
        yield _grouped_bars(directions, series, values, "BLEU (line: copying the source)", copies)


def task_plots(scores: Sequence[TaskScore]) -> Iterator[str]:
    """Yield a bar chart per task and encoder: a group per language, a bar per way."""
    chosen = [s for s in decisive(scores) if STRATEGIES[s.strategy].per_language]
    order = list(STRATEGIES)
    for task, encoder in dict.fromkeys((s.task, s.encoder) for s in chosen):
        here = [s for s in chosen if (s.task, s.encoder) == (task, encoder)]
        here.sort(key=lambda s: order.index(s.strategy))
        languages = list(dict.fromkeys(s.language for s in here))
        series = list(dict.fromkeys(way_name(s.strategy, s.system) for s in here))
        values = {
            (s.language, way_name(s.strategy, s.system)): Bar(s.score, s.low, s.high) for s in here
        }
        yield _grouped_bars(languages, series, values, f"{here[0].metric}: {task}, {encoder}", {})


class Bar(NamedTuple):
    """A score with its interval."""

    score: float
    low: float
    high: float


def _grouped_bars(
    groups: list[str],
    series: list[str],
    values: dict[tuple[str, str], Bar],
    title: str,
    baseline: dict[str, float],
) -> str:
    """Draw bars with 95 % intervals and return SVG without time stamps or random ids."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    matplotlib.rcParams["svg.hashsalt"] = "sprachbund"
    figure, axes = pyplot.subplots(figsize=(max(6.0, 0.28 * len(groups) * len(series) + 3), 3.6))
    width = 0.8 / len(series)
    for n, name in enumerate(series):
        found = [values.get((group, name)) for group in groups]
        places = [g + (n + 0.5) * width - 0.4 for g, r in enumerate(found) if r]
        records = [r for r in found if r]
        heights = [r.score for r in records]
        spread = [
            [max(0.0, r.score - r.low) for r in records],
            [max(0.0, r.high - r.score) for r in records],
        ]
        axes.bar(places, heights, width * 0.9, yerr=spread, label=name, error_kw={"lw": 0.8})
    for g, group in enumerate(groups):
        if group in baseline:
            axes.plot([g - 0.42, g + 0.42], [baseline[group]] * 2, color="black", lw=1.2)
    axes.set_xticks(range(len(groups)), groups)
    axes.set_title(title, loc="left", fontsize=10)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(fontsize=7, frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
    sink = io.StringIO()
    figure.savefig(sink, format="svg", bbox_inches="tight", metadata={"Date": None})
    pyplot.close(figure)
    return sink.getvalue()[sink.getvalue().index("<svg") :]
