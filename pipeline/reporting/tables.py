"""Arrange score records in grids that the terminal, Markdown and HTML all print."""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from tasks.auditing import is_held_out
from tasks.statistics import MACRO_F1
from tasks.transfer.contests import IN_LANGUAGE, SIGNIFICANT, STRATEGIES

Record = dict[str, Any]


class Grid(NamedTuple):
    """A table of strings with a title and a note on how to read it; words first, then figures."""

    title: str
    columns: list[str]
    rows: list[list[str]]
    note: str
    columns_of_words: int = 1


def mt_grid(records: list[Record], metric: str) -> Grid | None:
    """Return one row per direction: copy, then every engine with its interval."""
    chosen = [r for r in records if r["kind"] == "mt" and r["metric"] == metric]
    if not chosen:
        return None
    engines = list(dict.fromkeys(r["engine"] for r in chosen))
    by_place = {(r["direction"], r["engine"]): r for r in chosen}
    baseline = {r["direction"]: r["baseline"] for r in chosen}
    rows = [
        [
            direction.replace("-", " → "),
            f"{baseline[direction]:.1f}",
            *(_mt_cell(by_place.get((direction, engine))) for engine in engines),
        ]
        for direction in baseline
    ]
    note = (
        f"{_range(r['n'] for r in chosen)} test sentences a direction; ± half the 95 % bootstrap "
        f"interval; * differs from nmt-0 (paired bootstrap, p < {SIGNIFICANT} in this direction "
        "alone)"
    )
    return Grid(metric, ["direction", "copy", *engines], rows, note)


def task_grids(records: list[Record], metric: str = MACRO_F1) -> Iterator[Grid]:
    """Yield one grid per task and encoder: a row per way of transfer, a column per language."""
    chosen = [r for r in records if r["kind"] == "task" and r["metric"] == metric]
    for task, encoder in dict.fromkeys((r["task"], r["encoder"]) for r in chosen):
        of_encoder = [r for r in chosen if (r["task"], r["encoder"]) == (task, encoder)]
        ways = sorted({(r["strategy"], r["engine"]) for r in of_encoder}, key=_way_order)
        languages = list(dict.fromkeys(r["language"] for r in of_encoder))
        by_place = {(r["language"], r["strategy"], r["engine"]): r for r in of_encoder}
        rows = [
            [way_name(*way), *(_task_cell(by_place.get((lang, *way))) for lang in languages)]
            for way in ways
        ]
        first = of_encoder[0]
        yield Grid(
            f"{task}: {metric} with {encoder}",
            ["strategy (engine)", *languages],
            rows,
            f"{_range(r['n'] for r in of_encoder)} test items, mean of {first['seeds']} seeds; "
            f"± half the 95 % interval over both; {IN_LANGUAGE} is the upper bound",
        )


def _range(counts: Iterable[int]) -> str:
    """Return `350`, or `120 to 350` where counts differ."""
    found = set(counts)
    least, most = min(found), max(found)
    return f"{least:,}" if least == most else f"{least:,} to {most:,}"


def training_grid(manifests: list[Record]) -> Grid | None:
    """Return one row per round from the manifests of its models."""
    rows = [
        [
            m["label"],
            " + ".join(f"{p['validations'][-1][0]:,}" for p in m["training"]["phases"]),
            _batch(m["training"].get("batch")),
            f"{sum(c['sentences'] for n, c in m['counts'].items() if n.startswith('train.')):,}",
            f"{min(loss for _, loss in m['training']['phases'][-1]['validations']):.2f}",
            _translation(m["training"].get("translation")),
            f"{m['seconds'] / 60:.1f}",
        ]
        for m in manifests
        if m["stage"] == "NmtModel"
    ]
    columns = [
        "round",
        "updates",
        "tokens an update",
        "training lines",
        "best dev loss",
        "format",
        "minutes",
    ]
    note = (
        "updates (+ on human text alone); target tokens at most, in parts (2 × 1,024) where memory "
        "was too small or several processes trained; lines of all directions; label-smoothed loss "
        "on human dev text, in bits a subword; number format of translation, and how the BLEU of "
        "the faster one differs from that of float32 on dev text"
    )
    return Grid("NMT training", columns, rows, note) if rows else None


def _batch(batch: Record | None) -> str:
    """Return `2,048`, or `2 × 1,024` in parts, of one process or all of them."""
    if batch is None:
        return "–"
    times = batch["parts"] * batch["processes"]
    return f"{times} × {batch['tokens']:,}" if times > 1 else f"{batch['tokens']:,}"


def _translation(chosen: Record | None) -> str:
    """Return `int8 (-0.12)`: the format, and the BLEU of the faster one minus that of float32."""
    if chosen is None:
        return "float32"
    scores = dict(chosen["bleu"])
    full = scores.pop("float32")
    (faster,) = scores.values()
    return f"{chosen['compute_type']} ({faster - full:+.2f})"


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
    return Grid("Training text", columns, rows, note)


def _reasons(counts: dict[str, int]) -> str:
    return ", ".join(f"{n:,} {reason}" for reason, n in counts.items())


def comparison_grids(comparisons: list[Record]) -> Iterator[Grid]:
    """Yield one grid of paired tests per task and encoder."""
    for task, encoder in dict.fromkeys((c["task"], c["encoder"]) for c in comparisons):
        here = [c for c in comparisons if (c["task"], c["encoder"]) == (task, encoder)]
        rows = [
            [
                c["language"],
                way_name(*c["first"]),
                way_name(*c["second"]),
                f"{c['difference']:+.3f}",
                f"{c['p_value']:.3f}",
            ]
            for c in here
        ]
        columns = ["language", "first", "second", "macro-F1 of first - second", "p"]
        yield Grid(
            f"{task}: paired tests with {encoder}",
            columns,
            rows,
            "approximate randomisation over items; p corrected (Holm) for the "
            f"{here[0]['comparisons']} comparisons of a language with this encoder",
        )


def way_name(strategy: str, engine: str) -> str:
    """Return how people call a strategy with its engine."""
    return f"{strategy} ({engine})" if engine else strategy


def _way_order(way: tuple[str, str]) -> tuple[int, str]:
    return STRATEGIES.index(way[0]), way[1]


def _mt_cell(record: Record | None) -> str:
    if record is None:
        return "–"
    star = "*" if record["p_value"] is not None and record["p_value"] < SIGNIFICANT else ""
    return f"{record['score']:.1f} ±{_half_width(record):.1f}{star}"


def _task_cell(record: Record | None) -> str:
    return "–" if record is None else f"{record['score']:.3f} ±{_half_width(record):.3f}"


def _half_width(record: Record) -> float:
    return (float(record["high"]) - float(record["low"])) / 2
