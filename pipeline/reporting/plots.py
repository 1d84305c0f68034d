"""Plots as inline SVG: BLEU by round and direction, task scores by strategy and language."""

import io
from collections.abc import Iterator

from pipeline.reporting.tables import Record, way_name
from tasks.statistics import MACRO_F1
from tasks.transfer.contests import STRATEGIES


def mt_plot(scores: list[Record]) -> Iterator[str]:
    """Yield a bar chart of BLEU: a group per direction, a bar per engine, a tick for copying."""
    chosen = [r for r in scores if r["kind"] == "mt" and r["metric"] == "BLEU"]
    if chosen:
        directions = list(dict.fromkeys(r["direction"] for r in chosen))
        series = list(dict.fromkeys(r["engine"] for r in chosen))
        values = {(r["direction"], r["engine"]): r for r in chosen}
        baseline = {r["direction"]: r["baseline"] for r in chosen}
        yield _grouped_bars(directions, series, values, "BLEU (line: copying the source)", baseline)


def task_plots(scores: list[Record]) -> Iterator[str]:
    """Yield a bar chart of macro-F1 per task and encoder: a group per language."""
    chosen = [r for r in scores if r["kind"] == "task" and r["metric"] == MACRO_F1]
    for task, encoder in dict.fromkeys((r["task"], r["encoder"]) for r in chosen):
        here = [r for r in chosen if (r["task"], r["encoder"]) == (task, encoder)]
        here.sort(key=lambda r: (STRATEGIES.index(r["strategy"]), r["engine"]))
        languages = list(dict.fromkeys(r["language"] for r in here))
        series = list(dict.fromkeys(way_name(r["strategy"], r["engine"]) for r in here))
        values = {(r["language"], way_name(r["strategy"], r["engine"])): r for r in here}
        yield _grouped_bars(languages, series, values, f"macro-F1: {task}, {encoder}", {})


def _grouped_bars(
    groups: list[str],
    series: list[str],
    values: dict[tuple[str, str], Record],
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
        heights = [r["score"] for r in records]
        spread = [
            [max(0.0, r["score"] - r["low"]) for r in records],
            [max(0.0, r["high"] - r["score"]) for r in records],
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
