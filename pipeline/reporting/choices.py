"""What dev data chose: hyperparameters of classifiers, and the way to use in each language."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pipeline.reporting.records import Record, Selection
from pipeline.reporting.tables import Grid
from tasks.transfer.strategies import SOURCE_DEV, TARGET_DEV, TRANSLATED_DEV


def choices_grid(manifests: Iterable[Record]) -> Grid | None:
    """Return one row for the classifiers of each training text; None where nothing was chosen."""
    rows = [
        [m["label"], _summary(m["chosen"])]
        for m in manifests
        if m["stage"] == "Classifiers" and any(m.get("chosen", ()))
    ]
    note = "on the dev set of the training text, by cross-validation where it has none"
    columns = ["task, text, system, encoder", "chosen"]
    return Grid("Chosen on dev data", columns, rows, note, 2) if rows else None


def selection_grid(selections: Sequence[Selection]) -> Grid | None:
    """Return a row a language: the way that each kind of dev data would choose, and its score."""
    names = {SOURCE_DEV: "hub's dev", TRANSLATED_DEV: "translated dev", TARGET_DEV: "own dev"}
    rows = []
    for task, language in dict.fromkeys((s.task, s.language) for s in selections):
        here = {s.by: s for s in selections if (s.task, s.language) == (task, language)}
        cells = [f"{here[by].way}: {here[by].test:.3f}" if by in here else "–" for by in names]
        rows.append([task, language, *cells])
    note = (
        "the way with the highest score on the hub's dev set, on its translation, and on the "
        "language's own dev set - an oracle for who has no labels there - with what it does on "
        "test; a way without dev data of a kind is judged by the hub's other one"
    )
    columns = ["task", "language", *names.values()]
    return Grid("Chosen ways by dev data", columns, rows, note, len(columns)) if rows else None


def _summary(chosen: Iterable[Mapping[str, Any]]) -> str:
    """Return `strength 4, class weights none`, with counts where replicates' texts differ."""
    counts = Counter(
        ", ".join(
            f"{name.replace('_', ' ')} {value:g}"
            if isinstance(value, float)
            else f"{name.replace('_', ' ')} {value}"
            for name, value in choice.items()
        )
        for choice in chosen
    )
    if len(counts) == 1:
        return next(iter(counts))
    return "; ".join(f"{words} ({n} of {counts.total()})" for words, n in counts.most_common())
