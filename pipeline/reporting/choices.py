"""What dev data chose for classifiers: the strength of regularisation, the weights of classes."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from pipeline.reporting.records import Record
from pipeline.reporting.tables import Grid


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
