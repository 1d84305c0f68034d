"""What a labelled set holds, in words and numbers, as `task new` and `task check` tell it."""

from collections import Counter
from collections.abc import Iterator, Sequence

from tasks.labelled_survey import GRAVE, LabelledSurvey
from tasks.splitting import PARTS


def summary_of(name: str, found: LabelledSurvey) -> str:
    """Return how many items of each part a labelled set has, and what is left out."""
    parts = ", ".join(f"{part} {len(found.of(part)):,}" for part in PARTS if found.of(part))
    faults = ", ".join(f"{n:,} {reason}" for reason, n in found.faults.items())
    return (
        f"{name}: {found.read:,} rows, {len(found.items):,} items"
        f"{f' ({faults})' if faults else ''}; {parts or 'in no part'}"
    )


def fault_in_words(found: LabelledSurvey, reason: str) -> str:
    """Return how many rows are such, and the first one."""
    number = found.faults[reason]
    rows = "row" if number == 1 else "rows"
    after = "" if reason in GRAVE else ", left out"
    return f"{number:,} {rows} {reason}{after} (first: {found.examples[reason]})"


def label_table(surveys: Sequence[LabelledSurvey]) -> Iterator[str]:
    """Yield a line a label with its items in each part of each language."""
    places = [(found.language, part, found.counts()) for found in surveys for part in found.parts]
    rows = [["", *(f"{language} {part}" for language, part, _ in places)]]
    for label in sorted({label for *_, counts in places for label in counts}):
        cells = (counts.get(label, Counter())[part] for _, part, counts in places)
        rows.append([label, *(f"{cell:,}" for cell in cells)])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for first, *rest in rows:
        numbers = (text.rjust(width) for text, width in zip(rest, widths[1:], strict=True))
        yield "  " + "  ".join([first.ljust(widths[0]), *numbers])


def missing_parts(surveys: Sequence[LabelledSurvey]) -> Iterator[str]:
    """Yield what cannot be done for want of a part."""
    source, *others = surveys
    if "train" not in source.parts:
        yield (
            f"{source.language} has no train items, so there is nothing to transfer; is it the "
            "source language, which is given first?"
        )
    if "test" not in source.parts:
        yield f"{source.language} has no test items: how hard the task is cannot be told"
    if not others:
        yield (
            f"{source.language} is the only language: add at least a test set of another, "
            "--table LANGUAGE=FILE"
        )
    for found in others:
        if "test" not in found.parts:
            yield f"{found.language} has no test items, so nothing can be said of it"
        if "train" not in found.parts:
            yield f"{found.language} has no train items: in-language is left out"
        if "dev" not in found.parts:
            yield f"{found.language} has no dev items, by which a way would be chosen"
