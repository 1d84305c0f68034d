"""What speaks against a task's translated text: what came back, and what the system had seen."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from pipeline.reporting.records import Record, TaskScore, TextGuard, arrow
from pipeline.reporting.tables import NOT_USABLE, Grid
from tasks.transfer.catalogue import strategy_called
from tasks.transfer.ensembles import Ensemble

MOST = 0.5
"""Share of the training items that are MT training text, above which it is worth a word."""


def guard_grids(guards: Sequence[TextGuard]) -> Iterator[Grid]:
    """Yield one grid a task: what each system made of its text, by direction."""
    for task in dict.fromkeys(g.task for g in guards):
        here = [g for g in guards if g.task == task]
        columns = ["text", "system", "items in", "out", "empty", "copied", "distinct", "repeating"]
        encoders = list(dict.fromkeys(name for g in here for name in g.unknown_pieces))
        columns += ["length", "wrong language", *(f"unknown to {name}" for name in encoders)]
        columns += ["remark"]
        note = (
            "items to translate, and those that came back with text in them; copied: beyond what "
            "human translators leave; repeating: the same few letters over and over; length: over "
            "that of human translation; wrong language: for sure, beyond what is said of human "
            "text; unknown: pieces that an encoder's vocabulary lacks; means over trainings, the "
            "shares of up to 2,000 items"
        )
        yield Grid(
            f"{task}: translated text",
            columns,
            [_row(g, encoders) for g in here],
            note,
            columns_of_words=2,
            last_columns_of_words=1,
        )


def _row(g: TextGuard, encoders: Sequence[str]) -> list[str]:
    shares = (g.empty, g.copied, g.distinct, g.looping)
    return [
        arrow(g.direction),
        g.system,
        f"{g.items:,}",
        f"{g.translated:,.0f}",
        *(f"{share:.1%}" for share in shares),
        f"{g.length:.2f}",
        f"{g.foreign:.1%}",
        *(f"{g.unknown_pieces[name]:.2%}" for name in encoders),
        f"{NOT_USABLE}: {', '.join(g.ills)}" if g.ills else "",
    ]


def mostly_training_text(
    overlaps: Iterable[Record], hub: str, scores: Iterable[TaskScore]
) -> Iterator[str]:
    """Yield a caution for each task that trains on translations of mostly MT training text."""
    tasks = dict.fromkeys(
        s.task for s in scores if any(hop[0] == hub for hop in _training_hops(s, hub))
    )
    yield from known_items(overlaps, hub, tasks)


def known_items(overlaps: Iterable[Record], hub: str, tasks: Iterable[str]) -> Iterator[str]:
    """Yield a caution for each task most of whose training items in the hub are MT training text.

    A text that is found by id and by its words counts once: at least so many are known.
    """
    counts = _known(overlaps, hub)
    for task in tasks:
        by_pair = {pair: found for (of, pair), found in counts.items() if of == task}
        worst = max(by_pair, key=lambda pair: by_pair[pair][0], default=None)
        if worst is not None and by_pair[worst][0] > MOST * by_pair[worst][1]:
            known, of = by_pair[worst]
            others = f" of {worst}" if len(by_pair) == 1 else f" of {worst}, the most of all pairs"
            yield (
                f"translate-train: {known:,} of {of:,} training items of {task} ({hub}) are MT "
                f"training text{others}: their translations are better than those of new text."
            )


def _training_hops(score: TaskScore, hub: str) -> Sequence[tuple[str, str]]:
    found = strategy_called(score.strategy)
    strategies = [m.of for m in found.members] if isinstance(found, Ensemble) else [found]
    texts = [s.training_text(hub, score.language, [score.language]) for s in strategies]
    return [hop for text in texts for version in text.versions for hop in version.hops]


def _known(overlaps: Iterable[Record], hub: str) -> Mapping[tuple[str, str], tuple[int, int]]:
    """Return by task and pair how many hub training items MT trains on, and of how many."""
    found: dict[tuple[str, str], dict[str, int]] = {}
    sizes: dict[str, int] = {}
    for o in overlaps:
        kind, _, pair = o["from"].partition("MT train ")
        name, ending = o["to"].removeprefix("task train "), f"-{hub}"
        if kind or not pair or o["language"] != hub or name == o["to"] or o["share"] <= 0:
            continue
        if name.endswith(ending):
            task = name.removesuffix(ending)
            found.setdefault((task, pair), {})[o["match"]] = o["count"]
            sizes[task] = round(o["count"] / o["share"])
    return {
        (task, pair): (
            max(by.get("id", 0), by.get("exact", 0) + by.get("near", 0)),
            sizes[task],
        )
        for (task, pair), by in found.items()
    }
