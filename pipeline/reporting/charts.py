"""Charts as inline SVG: scores with their intervals, and learning curves.

Drawn as text: marks take the page's own colours, so that they show in the dark and in print, and
each has a title that screen readers read. Plotting libraries write one fixed look.
"""

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from math import ceil, floor, log10
from typing import NamedTuple

from pipeline.reporting.answers import best_of_strategies
from pipeline.reporting.records import MtScore, TaskScore, arrow
from pipeline.reporting.trainings import Training
from pipeline.reporting.ways import decisive, way_name
from tasks.mt.scoring import BLEU
from tasks.transfer.catalogue import strategy_called
from tasks.transfer.strategies import IN_LANGUAGE, ZERO_SHOT

WIDTH, LABELS, RIGHT = 640, 96, 16
"""Of a chart, of the names to its left, of the space to its right; in pixels."""
LANE, BAND, AXIS = 11, 12, 26
"""Heights of a mark's lane, of the space between rows, of the axis."""
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8C6D31", "#777777")
"""Told apart by people who do not see all colours (Okabe and Ito 2008), and on either ground."""
SHAPES = ("circle", "square", "diamond", "triangle")
TICKS = 6


class ScoreMark(NamedTuple):
    """A score with its interval; `series` decides colour and shape."""

    series: str
    score: float
    low: float
    high: float
    title: str


class ChartRow(NamedTuple):
    """The marks of one place, each in a lane, and values that stand as lines, by their name."""

    name: str
    marks: list[ScoreMark]
    lines: dict[str, float]


class Point(NamedTuple):
    """A place in a plane."""

    series: str
    x: float
    y: float
    title: str


class Chart(NamedTuple):
    """A chart, what its marks stand for (name and symbol as SVG), and what it says in words."""

    title: str
    svg: str
    legend: list[tuple[str, str]]
    note: str = ""


class Axis(NamedTuple):
    """Values from `low` to `high` on the pixels from `start` to `end`."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        """Return the pixel of a value."""
        share = (value - self.low) / ((self.high - self.low) or 1.0)
        return round(self.start + share * (self.end - self.start), 1)

    def ticks(self) -> list[float]:
        """Return round values, about six."""
        step = _round_step((self.high - self.low) / TICKS or 1.0)
        first, last = ceil(self.low / step - 1e-9), floor(self.high / step + 1e-9)
        return [round(n * step, 10) for n in range(first, last + 1)]


def task_chart(scores: Sequence[TaskScore]) -> Chart:
    """Draw one task: a row a language, a mark a strategy, its best way by dev data.

    Zero-shot and in-language stand as lines: what there is without translation, and to reach.
    """
    of_strategies = ((s, strategy_called(s.strategy)) for s in decisive(scores))
    chosen = [s for s, found in of_strategies if found.per_language and not found.shots]
    rows = []
    for language in dict.fromkeys(s.language for s in chosen):
        best = best_of_strategies([s for s in chosen if s.language == language])
        lines = {s.strategy: s.score for s in best if s.strategy in (ZERO_SHOT, IN_LANGUAGE)}
        rows.append(ChartRow(language, [_task_mark(s) for s in best], lines))
    note = (
        "each strategy with the system and encoder that dev data chose for it; bars: 95 % "
        "intervals; dashed: zero-shot; dotted: labels of the language itself"
    )
    return intervals(f"{chosen[0].task}: {chosen[0].metric}", rows, note)


def _task_mark(score: TaskScore) -> ScoreMark:
    name = way_name(score.strategy, score.system, score.encoder)
    bounds = f"{score.score:.3f}, 95 % interval {score.low:.3f} to {score.high:.3f}"
    return ScoreMark(score.strategy, score.score, score.low, score.high, f"{name}: {bounds}")


def mt_charts(scores: Sequence[MtScore]) -> Iterator[Chart]:
    """Yield a chart of BLEU: a row a direction, a mark a system, a line for copying."""
    chosen = [s for s in scores if s.metric == BLEU]
    rows = []
    for direction in dict.fromkeys(s.direction for s in chosen):
        here = [s for s in chosen if s.direction == direction]
        marks = [
            ScoreMark(s.system, s.score, s.low, s.high, f"{s.system}: {s.score:.1f} {BLEU}")
            for s in here
        ]
        rows.append(ChartRow(arrow(direction), marks, {"copying": here[0].copy}))
    if rows:
        yield intervals(BLEU, rows, "bars: 95 % intervals; dashed: copying the source")


def intervals(title: str, rows: Sequence[ChartRow], note: str) -> Chart:
    """Draw marks with their intervals on one axis, a row a place."""
    values = [v for row in rows for m in row.marks for v in (m.low, m.high)]
    values += [v for row in rows for v in row.lines.values()]
    margin = 0.03 * (max(values) - min(values))
    axis = Axis(max(0.0, min(values) - margin), max(values) + margin, LABELS, WIDTH - RIGHT)
    series = list(dict.fromkeys(m.series for row in rows for m in row.marks))
    heights = [LANE * len(row.marks) + BAND for row in rows]
    height = sum(heights) + AXIS
    parts, top = list(_grid_lines(axis, height)), 0
    for row, tall in zip(rows, heights, strict=True):
        parts += _row(row, axis, series, top, tall)
        top += tall
    legend = [(name, symbol(n)) for n, name in enumerate(series)]
    return Chart(title, _svg(title, WIDTH, height, parts), legend, note)


def _row(row: ChartRow, axis: Axis, series: Sequence[str], top: int, tall: int) -> Iterator[str]:
    middle = top + tall / 2
    yield f'<line class="rule" x1="0" x2="{WIDTH}" y1="{top + tall}" y2="{top + tall}"/>'
    yield f'<text x="0" y="{middle + 4}" class="name">{escape(row.name)}</text>'
    for name, value in row.lines.items():
        x, kind = axis.at(value), "reach" if name == IN_LANGUAGE else "start"
        yield (
            f'<line class="{kind}" x1="{x}" x2="{x}" y1="{top + 2}" y2="{top + tall - 2}">'
            f"<title>{escape(name)}: {value:.3g}</title></line>"
        )
    for lane, mark in enumerate(row.marks):
        y = top + BAND / 2 + LANE * (lane + 0.5)
        place = series.index(mark.series)
        colour = COLOURS[place % len(COLOURS)]
        low, high = axis.at(mark.low), axis.at(mark.high)
        yield (
            f'<g><title>{escape(mark.title)}</title><line x1="{low}" x2="{high}" y1="{y}" y2="{y}" '
            f'stroke="{colour}" stroke-width="2"/>{_shape(place, axis.at(mark.score), y)}</g>'
        )


def curves(trained: Iterable[Training]) -> Iterator[Chart]:
    """Yield the dev loss of each training over its updates, in bits a subword."""
    lines: list[tuple[str, str, list[tuple[float, float]]]] = []
    for training in trained:
        done, points = 0, []
        for phase in training.phases:
            points += [(float(done + look.updates), look.loss) for look in phase]
            done += phase[-1].updates if phase else 0
        if len(points) > 1:
            lines.append((training.system, training.label, points))
    if not lines:
        return
    title, height = "Learning curves: dev loss, bits a subword, by update", 260
    systems = list(dict.fromkeys(system for system, _, _ in lines))
    xs, ys = zip(*(point for _, _, points in lines for point in points), strict=True)
    across = Axis(0.0, max(xs), LABELS / 2, WIDTH - RIGHT)
    up = Axis(min(ys), max(ys), height - AXIS, 8.0)
    parts = list(_grid_lines(across, height))
    parts += [
        f'<text x="{LABELS / 2 - 6}" y="{up.at(tick) + 4}" text-anchor="end">{tick:g}</text>'
        for tick in up.ticks()
    ]
    for system, label, points in lines:
        path = " ".join(f"{across.at(x)},{up.at(y)}" for x, y in points)
        colour = COLOURS[systems.index(system) % len(COLOURS)]
        parts.append(
            f'<polyline fill="none" stroke="{colour}" stroke-width="1.5" points="{path}">'
            f"<title>{escape(label)}</title></polyline>"
        )
    legend = [(name, symbol(n)) for n, name in enumerate(systems)]
    yield Chart(title, _svg(title, WIDTH, height, parts), legend, "a line a training")


def scatter(title: str, points: Sequence[Point], sides: tuple[str, str], note: str) -> Chart:
    """Draw points of several series; `sides` name what lies across and what lies up."""
    height = 280
    series = list(dict.fromkeys(point.series for point in points))
    across = _around([point.x for point in points], LABELS / 2, WIDTH - RIGHT)
    up = _around([point.y for point in points], height - 2 * AXIS, 10.0)
    parts = list(_grid_lines(across, height - AXIS))
    for tick in up.ticks():
        y = up.at(tick)
        parts.append(f'<line class="rule" x1="{LABELS / 2}" x2="{WIDTH}" y1="{y}" y2="{y}"/>')
        parts.append(f'<text x="{LABELS / 2 - 6}" y="{y + 4}" text-anchor="end">{tick:g}</text>')
    for point in points:
        shape = _shape(series.index(point.series), across.at(point.x), up.at(point.y))
        parts.append(f"<g><title>{escape(point.title)}</title>{shape}</g>")
    names = f"across: {sides[0]}; up: {sides[1]}"
    parts.append(f'<text x="{LABELS / 2}" y="{height - 4}">{escape(names)}</text>')
    legend = [(name, symbol(n)) for n, name in enumerate(series)]
    return Chart(title, _svg(title, WIDTH, height, parts), legend, note)


def _around(values: Sequence[float], start: float, end: float) -> Axis:
    """Return an axis with some room on either side of the values."""
    room = 0.05 * (max(values) - min(values)) or 1.0
    return Axis(min(values) - room, max(values) + room, start, end)


def symbol(place: int) -> str:
    """Return the mark of a series as a small picture."""
    return f'<svg width="12" height="12" aria-hidden="true">{_shape(place, 6, 6)}</svg>'


def _shape(place: int, x: float, y: float) -> str:
    colour, shape = COLOURS[place % len(COLOURS)], SHAPES[place % len(SHAPES)]
    if shape == "circle":
        return f'<circle cx="{x}" cy="{y}" r="4" fill="{colour}"/>'
    corners = {
        "square": ((-3.5, -3.5), (3.5, -3.5), (3.5, 3.5), (-3.5, 3.5)),
        "diamond": ((0, -5), (5, 0), (0, 5), (-5, 0)),
        "triangle": ((0, -4.5), (4.5, 3.5), (-4.5, 3.5)),
    }[shape]
    points = " ".join(f"{x + a:.1f},{y + b:.1f}" for a, b in corners)
    return f'<polygon points="{points}" fill="{colour}"/>'


def _grid_lines(axis: Axis, height: int) -> Iterator[str]:
    for tick in axis.ticks():
        x = axis.at(tick)
        yield f'<line class="rule" x1="{x}" x2="{x}" y1="0" y2="{height - AXIS}"/>'
        yield f'<text x="{x}" y="{height - 8}" text-anchor="middle">{tick:g}</text>'


def _svg(title: str, width: int, height: int, parts: Iterable[str]) -> str:
    drawn = "".join(parts)
    return (
        f'<svg class="chart" role="img" aria-label="{escape(title)}" '
        f'viewBox="0 0 {width} {height}" width="{width}" height="{height}">{drawn}</svg>'
    )


def _round_step(step: float) -> float:
    """Return 1, 2 or 5 times a power of ten, the next above a step."""
    power = 10.0 ** floor(log10(step))
    return next(n * power for n in (1, 2, 5, 10) if n * power >= step - 1e-12)
