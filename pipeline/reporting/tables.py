"""Arrange figures in grids that the terminal, Markdown and HTML all print."""

from collections.abc import Container, Iterable, Iterator, Sequence
from statistics import median
from typing import NamedTuple

from pipeline.reporting.records import Contrast, MtScore, Record, TaskScore, arrow
from pipeline.reporting.trainings import Training
from pipeline.reporting.ways import decisive, way_name
from tasks.auditing import is_held_out
from tasks.transfer.catalogue import place, strategy_called
from tasks.transfer.contests import ANSWERS
from tasks.transfer.ensembles import PREFIX, Ensemble
from tasks.transfer.strategies import FEW_SHOT, ON_HUB, STRATEGIES

ONE_TRAINING = "one training each"
NOT_USABLE = "not usable"
"""Stands in the place of the interval of a dead system's score."""
SHOTS = "n labels a class of the language itself, drawn anew by each seed; +hub: and the hub's text"
"""What few shots are."""
EARLY = "↓"
"""Stands beside what was stopped too early."""
FAMILIES = {
    "mt": "by the same metric, of those over all directions and of those in single ones apart",
    "task": "of the task, of the chosen ways and of pairs of systems apart",
}
"""Which tests are corrected together, for the notes."""


class Grid(NamedTuple):
    """A table of strings with a title and a note on how to read it.

    Words first, then figures; the last columns may hold words again.
    """

    title: str
    columns: list[str]
    rows: list[list[str]]
    note: str
    columns_of_words: int = 1
    last_columns_of_words: int = 0

    def holds_words(self, column: int) -> bool:
        """Say whether a column holds words, which stand to the left, and not figures."""
        first_of_last = len(self.columns) - self.last_columns_of_words
        return column < self.columns_of_words or column >= first_of_last


def mt_grid(
    scores: Sequence[MtScore],
    contrasts: Sequence[Contrast],
    metric: str,
    unfinished: Container[str] = (),
) -> Grid | None:
    """Return one row per direction: copy, then every system with its interval.

    `unfinished`: the systems that were stopped while their dev loss still fell.
    """
    chosen = [s for s in scores if s.metric == metric]
    if not chosen:
        return None
    systems = list(dict.fromkeys(s.system for s in chosen))
    by_place = {(s.direction, s.system): s for s in chosen}
    copies = {s.direction: s.copy for s in chosen}
    rows = [
        [
            arrow(direction),
            f"{copies[direction]:.1f}",
            *(_mt_cell(by_place.get((direction, system))) for system in systems),
        ]
        for direction in copies
    ]
    tested = [c for c in contrasts if c.of == "mt" and c.metric == metric]
    note = (
        f"{_range(s.n for s in chosen)} test sentences a direction; copy: the source as it is; "
        f"{_trainings_note(chosen)}{_detectable_note(tested, '.1f')}"
    )
    early = [name for name in systems if name in unfinished]
    note += f"; {EARLY}: not converged, its dev loss still fell when the updates ended" * bool(
        early
    )
    names = [f"{name} {EARLY}" if name in early else name for name in systems]
    return Grid(metric, ["direction", "copy", *names], rows, note)


def _trainings_note(scores: Sequence[MtScore]) -> str:
    """Say what the intervals cover, and for which systems."""
    several: dict[int, list[str]] = {}
    for system, trainings in dict.fromkeys(
        (s.system, s.replicates) for s in scores if s.spread is not None
    ):
        several.setdefault(trainings, []).append(system)
    if not several:
        return f"± half the 95 % interval over sentences, {ONE_TRAINING}"
    means = ", ".join(
        f"{' and '.join(systems)} the mean of {replicates} trainings"
        for replicates, systems in several.items()
    )
    return f"± half the 95 % interval over sentences and trainings; {means}"


def _detectable_note(contrasts: Sequence[Contrast], form: str) -> str:
    """Say which difference a test in one place would find, four times of five."""
    single = [c for c in contrasts if not c.over_all]
    if not single:
        return ""
    found = [c.mdd for c in single if c.p is not None]
    alone = "" if found else " if it were not for the noise of trainings"
    least = _span(found or [c.mdd for c in single], form)
    return f"; a difference of {least} would be found in four of five repetitions{alone}"


def _span(amounts: Sequence[float], form: str) -> str:
    """Return the median, and the range where there is one."""
    middle, low, high = (
        f"{amount:{form}}" for amount in (median(amounts), min(amounts), max(amounts))
    )
    return middle if low == high else f"{middle} (by place {low} to {high})"


def spread_grid(scores: Sequence[MtScore], metric: str) -> Grid | None:
    """Return the standard deviation between trainings, by direction and system."""
    chosen = [s for s in scores if s.metric == metric and s.spread is not None]
    if not chosen:
        return None
    systems = list(dict.fromkeys(s.system for s in chosen))
    by_place = {(s.direction, s.system): s.spread for s in chosen}
    rows = [
        [
            arrow(direction),
            *(_spread_cell(by_place.get((direction, system))) for system in systems),
        ]
        for direction in dict.fromkeys(s.direction for s in chosen)
    ]
    trainings = max(s.replicates for s in chosen)
    note = f"standard deviation of {metric} between {trainings} trainings on the same sentences"
    return Grid(f"{metric} between trainings", ["direction", *systems], rows, note)


def _spread_cell(spread: float | None) -> str:
    return "–" if spread is None else f"{spread:.1f}"


def contrast_grids(contrasts: Sequence[Contrast]) -> Iterator[Grid]:
    """Yield the paired tests of translation, then those of each task."""
    for of, title in (("mt", "Contrasts of translation"), ("task", "Contrasts of the tasks")):
        here = [c for c in contrasts if c.of == of]
        if here:
            rows = [_contrast_row(c) for c in sorted(here, key=_overall_first)]
            columns = ["first", "second", "where", "metric", "difference", "p", "found from"]
            note = (
                "first minus second with its 95 % interval, as of a test by itself, over items and "
                f"trainings (over items alone with {ONE_TRAINING}: not tested); p corrected (Holm) "
                f"for the number of tests {FAMILIES[of]}; ahead: in how many places the first has "
                "the higher score; found from: the least difference that such a test finds in four "
                "of five repetitions"
            )
            yield Grid(title, columns, rows, note, columns_of_words=4)


def overall(contrasts: Sequence[Contrast]) -> list[Contrast]:
    """Return the tests over all places; of what was tested in one place only, that test."""
    joint = {(c.of, c.metric) for c in contrasts if c.over_all}
    return [c for c in contrasts if c.over_all or (c.of, c.metric) not in joint]


def _overall_first(contrast: Contrast) -> tuple[str, bool, str]:
    task = contrast.where.partition("/")[0] if contrast.of == "task" else ""
    return task, not contrast.over_all, contrast.family


def _contrast_row(c: Contrast) -> list[str]:
    ahead = f" (ahead in {c.better})" if c.better else ""
    low, high = (signed(c, bound) for bound in (c.low, c.high))
    difference = f"{signed(c, c.difference)} [{low}, {high}]"
    mdd = f"{c.mdd:{_form(c)}}"
    return [c.first, c.second, c.place + ahead, c.metric, difference, p_text(c.p), mdd]


def signed(contrast: Contrast, amount: float) -> str:
    """Return points of a contrast's metric as people write them: +1.2, or +0.012."""
    return f"{amount:+{_form(contrast)}}"


def _form(contrast: Contrast) -> str:
    return ".1f" if contrast.of == "mt" else ".3f"


def p_text(p: float | None) -> str:
    """Return a p-value as people write it."""
    if p is None:
        return ONE_TRAINING
    return "< .001" if p < 0.001 else f"{p:.3f}"


def task_grids(scores: Sequence[TaskScore], contrasts: Sequence[Contrast]) -> Iterator[Grid]:
    """Yield one grid per task and encoder: a row per way of transfer, a column per language."""
    chosen = decisive(scores)
    for task, encoder in dict.fromkeys((s.task, s.encoder) for s in chosen):
        here = [s for s in chosen if (s.task, s.encoder) == (task, encoder)]
        ways = sorted(dict.fromkeys((s.strategy, s.system) for s in here), key=_strategy_place)
        source = [s for s in here if not strategy_called(s.strategy).per_language]
        languages = list(dict.fromkeys(s.language for s in here if s not in source))
        by_place = {(s.language, s.strategy, s.system): s for s in here}
        rows = [
            [way_name(*way), *(_task_cell(by_place.get((lang, *way))) for lang in languages)]
            for way in ways
            if strategy_called(way[0]).per_language
        ]
        tested = [c for c in contrasts if c.family == ANSWERS and c.where.startswith(f"{task}/")]
        found = f"{_source_note(source)}{_detectable_note(tested, '.3f')}"
        yield Grid(
            f"{task}: {here[0].metric} with {encoder or 'several encoders'}",
            ["strategy (system)", *languages],
            rows,
            f"{_range(s.n for s in here)} test items, mean of {_range(s.seeds for s in here)} "
            "seeds, each with the translations of one training; ± half the 95 % interval over both"
            f"{found}; {_strategies_note(ways)}",
        )


def _strategies_note(ways: Sequence[tuple[str, str]]) -> str:
    """Say what each strategy in a table does."""
    names = dict.fromkeys(strategy for strategy, _ in ways)
    there = [strategy for name in names if (strategy := strategy_called(name)).per_language]
    told = {s.name: s.about for s in there if s.name in STRATEGIES}
    told |= {PREFIX.strip(): s.about for s in there if isinstance(s, Ensemble)}
    sides = [ON_HUB if s.name.endswith(ON_HUB) else "" for s in there if s.shots]
    told |= {f"{FEW_SHOT}-n{side}": SHOTS for side in sides}
    return "; ".join(f"{name}: {about}" for name, about in told.items())


def _source_note(source: Sequence[TaskScore]) -> str:
    """Tell the hub's own score, without which a low one cannot be read."""
    return "".join(
        f"; trained and tested in {s.language}: {s.score:.3f} ±{_half_width(s):.3f}" for s in source
    )


def _strategy_place(way: tuple[str, str]) -> tuple[int, int, str]:
    return place(way[0])


def _range(counts: Iterable[int]) -> str:
    """Return `350`, or `120 to 350` where counts differ."""
    found = set(counts)
    least, most = min(found), max(found)
    return f"{least:,}" if least == most else f"{least:,} to {most:,}"


def training_grid(trainings: Sequence[Training], scores: Sequence[MtScore] = ()) -> Grid | None:
    """Return one row per training: what it cost, and what its system scores."""
    bleu = {system: _mean_score(scores, system) for system in {t.system for t in trainings}}
    rows = [
        [
            t.label,
            " + ".join(f"{phase[-1].updates:,}" for phase in t.phases),
            t.batch,
            f"{t.lines:,}",
            f"{t.best_loss:.2f}{'' if t.converged else f' {EARLY}'}",
            t.translation,
            t.precision,
            f"{t.minutes:.1f}",
            bleu[t.system],
        ]
        for t in trainings
    ]
    columns = ["model", "updates", "tokens an update", "training lines", "best dev loss"]
    columns += ["format", "precision", "minutes", "BLEU of the system"]
    several = len({t.precision for t in trainings}) > 1
    mixed = "; trained in different precisions, so they differ by more than their seed"
    note = (
        "updates (+ on human text alone); target tokens at most, in parts (2 × 1,024) where memory "
        "was too small or several processes trained; lines of all directions; label-smoothed loss "
        f"on human dev text, in bits a subword, {EARLY}: still falling by more than 1 % at the "
        "end, so the training has not converged; number format of translation, and how the BLEU "
        f"of the faster one differs from that of float32 on dev text{mixed * several}; BLEU: on "
        "test, the mean over directions and trainings"
    )
    return Grid("NMT training", columns, rows, note) if rows else None


def _mean_score(scores: Sequence[MtScore], system: str) -> str:
    """Return a system's BLEU, the mean over its directions, where it is known."""
    found = [s.score for s in scores if (s.system, s.metric) == (system, "BLEU")]
    return f"{sum(found) / len(found):.1f}" if found else "-"


def leak_grids(overlaps: list[Record]) -> Iterator[Grid]:
    """Yield which text to train on repeats held-out text, then which other sets share text."""
    found: dict[tuple[bool, bool], list[Record]] = {}
    for o in overlaps:
        found.setdefault((is_held_out(o["from"]), is_held_out(o["to"])), []).append(o)
    leaks = found.get((False, True), [])
    tests, training = (_one_way(found.get(kind, [])) for kind in ((True, True), (False, False)))
    for title, some, note in (
        ("Leaks before the guard", leaks, "the guard removes them from MT and monolingual text"),
        ("Held-out sets that share sentences", tests, "only dev text that a test holds is removed"),
        ("Training text that is shared", training, "near-duplicates are sought for tasks alone"),
    ):
        if some:
            yield _overlap_grid(title, some, f"texts of the set that stand in the text; {note}")


def gap_grids(gaps: list[Record]) -> Iterator[Grid]:
    """Yield what the guard does not look for, by set and rule, if there is anything."""
    note = (
        "held-out texts, by the rule of `leaks` that lets them pass; besides, the index finds 95 % "
        "of texts that are just near enough, paraphrases are not found, MT dev text may repeat dev "
        "text of a task, and what published models were trained on nobody here knows"
    )
    rows = [[g["set"], g["rule"], g["what"], f"{g['texts']:,}", f"{g['of']:,}"] for g in gaps]
    if rows:
        columns = ["set", "rule", "not looked for", "texts", "of"]
        yield Grid("What the leak guard lets pass", columns, rows, note, columns_of_words=3)


def _one_way(overlaps: list[Record]) -> list[Record]:
    """Return the overlaps of two sets in one of the two directions."""
    return [o for o in overlaps if o["from"] < o["to"]]


def _overlap_grid(title: str, overlaps: list[Record], note: str) -> Grid:
    """Return one row for each two kinds of sets, with the counts of those that share most."""
    found: dict[tuple[str, str], list[Record]] = {}
    for o in overlaps:
        found.setdefault((_kind(o["from"]), _kind(o["to"])), []).append(o)
    rows = []
    for kinds, some in sorted(found.items()):
        worst = max(some, key=lambda o: o["share"])
        same = ("from", "to", "language")
        counts = {o["match"]: o["count"] for o in some if all(o[f] == worst[f] for f in same)}
        rows.append(
            [
                *kinds,
                f"{_of_kind(worst['from'])} in {_of_kind(worst['to'])}, {worst['language']}",
                *(f"{counts.get(match, 0):,}" for match in ("id", "exact", "near")),
                f"{worst['share']:.1%}",
            ]
        )
    columns = ["text", "set", "most", "by id", "exact", "near", "share"]
    return Grid(title, columns, rows, note, columns_of_words=3)


def _kind(name: str) -> str:
    """Return `MT train` of `MT train ind-jav`, `task test topic` of `task test topic-jav`."""
    if name.startswith("task"):
        return name.rpartition("-")[0] or name
    return " ".join(name.split()[:2]) if name.startswith("MT") else name.split()[0]


def _of_kind(name: str) -> str:
    return name.removeprefix(_kind(name)).strip(" -")


def training_text_grid(manifests: list[Record]) -> Grid:
    """Return one row per text that is trained on: what filters and guard left of it."""
    rows = [
        [
            f"{m['stage']} {m['label']}",
            f"{seen:,}",
            f"{counted['leaks']['kept']:,}",
            _reasons(counted["filters"]["dropped"]),
            _reasons(counted["leaks"].get("removed", {})),
            ", ".join(
                f"{name} in {corpus} ({loss:.0%})"
                for corpus, skipped in counted["filters"]["skipped"].items()
                for name, loss in skipped.items()
            ),
        ]
        for m in manifests
        if m["stage"] in ("TrainingBitext", "MonolingualSample")
        for counted in [m["counts"].get("train", m["counts"])]
        for seen in [counted["filters"]["seen"]]
    ]
    columns = ["text", "seen", "kept", "noise", "leaks", "skipped filters"]
    note = (
        "noise by filter, leaks by how and where they were found; a filter is skipped where it "
        "would drop more than `filters.max_loss` of a corpus (what it would drop in brackets)"
    )
    return Grid("Training text", columns, rows, note, last_columns_of_words=3)


def _reasons(counts: dict[str, int]) -> str:
    return ", ".join(f"{n:,} {reason}" for reason, n in counts.items())


def _mt_cell(score: MtScore | None) -> str:
    if score is None:
        return "–"
    return f"{score.score:.1f} {NOT_USABLE if score.ills else f'±{_half_width(score):.1f}'}"


def _task_cell(score: TaskScore | None) -> str:
    if score is None:
        return "–"
    return f"{score.score:.3f} {NOT_USABLE if score.ills else f'±{_half_width(score):.3f}'}"


def _half_width(score: MtScore | TaskScore) -> float:
    return (score.high - score.low) / 2
