"""Draft a task manifest from a user's labelled tables; nothing half-written is left behind."""

import re
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from models.support.errors import SpecError
from pipeline.drafting.labelled import (
    DraftedTexts,
    LabelledFile,
    TaskColumns,
    draft_texts,
    names_tell_parts,
    texts_in_words,
)
from pipeline.drafting.overlaps import overlaps, pairs_near
from pipeline.drafting.publishing import must_be_new, publish
from pipeline.drafting.task_template import task_text
from pipeline.drafting.task_words import fault_in_words, label_table, missing_parts, summary_of
from pipeline.specs.loading import MANIFESTS
from pipeline.specs.manifests import TaskManifest
from tasks.labelled_survey import LabelledSurvey, between, doubts, survey
from tasks.leakage import LeakRules
from tasks.sources.description import ShareSplit
from tasks.sources.reading import FetchedCorpus
from tasks.splitting import part_by_share

MOST_LABELS = 100
SHARES = ShareSplit(rule="shares")
MOST_TEST, MOST_DEV = 2_000, 1_000
SEEDS = 20
"""How many draws are looked at for the one that has every label in every part."""


@dataclass(frozen=True, kw_only=True)
class TaskFiles:
    """What a user has: tables by language, the source language first, and the names of columns.

    `pairs` are manifests whose corpora are searched for the task's text; None searches those that
    lie beside the new manifest.
    """

    tables: Sequence[str]
    columns: TaskColumns = field(default_factory=TaskColumns)
    pairs: Sequence[str] | None = None


class DraftedTask(NamedTuple):
    """The manifest that was written, what was found for it, and what only its user can tell."""

    path: Path
    found: Sequence[str]
    doubts: Sequence[str]


def new_task(name: str, files: TaskFiles, *, out: Path | None) -> DraftedTask:
    """Write a manifest for a task from its tables.

    Raises SpecError or SourceError, and writes nothing, for a name that is none, a file that exists
    already, tables that cannot be read, and columns that cannot be told.
    """
    if not re.fullmatch(r"[a-z0-9][a-z0-9_.-]*", name):
        raise SpecError(f"{name}: expected a name of a-z, 0-9, _, . and -")
    path = out or MANIFESTS / "tasks" / f"{name}.yaml"
    must_be_new(path)
    with tempfile.TemporaryDirectory() as folder:
        texts = _texts(name, files, Path(folder))
        labels = _labels_from(texts)
        split = _split(texts, labels)
        surveys = [
            survey(d.language, d.fetched, labels=labels and labels.fetched, split=split)
            for d in texts
        ]
        known = _labels(surveys)
        unsure = list(_doubts(surveys, split))
        near = files.pairs is None
        unsure += overlaps(files.pairs or pairs_near(path.parent), surveys, here=near)
        publish(
            path,
            task_text(
                name,
                known,
                texts,
                surveys,
                labels_from=labels,
                split=split,
                doubts=unsure,
                folder=path.parent,
            ),
            TaskManifest,
        )
    own = [doubt for d in texts for doubt in (f"the licence of {d.name}", *d.doubts)]
    return DraftedTask(path, [*_found(texts, surveys, labels, split)], [*own, *unsure])


def _texts(name: str, files: TaskFiles, folder: Path) -> list[DraftedTexts]:
    """Describe the tables of each language, in the order in which the languages come first."""
    given = [LabelledFile.parse(argument) for argument in files.tables]
    if not given:
        raise SpecError("no table is given: --table LANGUAGE=FILE, the source language first")
    parts = names_tell_parts(given)
    return [
        draft_texts(
            name,
            [f for f in given if f.language == language],
            files.columns,
            parts=parts,
            of_source=language == given[0].language,
            folder=folder / language,
        )
        for language in dict.fromkeys(file.language for file in given)
    ]


def _labels_from(texts: Sequence[DraftedTexts]) -> DraftedTexts | None:
    """Return the source language's table as a corpus of labels, where another language has none.

    Raises SpecError where no ids join the two.
    """
    source, *others = texts
    bare = [d for d in others if "label" not in d.columns]
    if not bare:
        return None
    for drafted in (source, *bare):
        if drafted.key is None:
            raise SpecError(
                f"{bare[0].language} has no labels of its own, and {drafted.language} no ids to "
                "join them by; say the column with --id COLUMN, or with --label that of the label"
            )
    columns = {f: c for f, c in source.columns.items() if f != "text"}
    return source.with_columns(columns)._replace(name=f"{source.name}-labels")


def _split(texts: Sequence[DraftedTexts], labels: DraftedTexts | None) -> ShareSplit | None:
    """Return how to draw the parts of tables that say none; None where all of them do."""
    labelled = [labels] if labels else texts
    undrawn = [d for d in labelled if not _says_parts(d)]
    if not undrawn:
        return None
    found = survey(undrawn[0].language, _labelled(undrawn[0]), split=SHARES)
    total = len(found.items)
    test = min(SHARES.test, round(MOST_TEST / max(total, 1), 3))
    dev = min(SHARES.dev, round(MOST_DEV / max(total, 1), 3))
    split = replace(SHARES, dev=dev, test=test)
    return min((replace(split, seed=seed) for seed in range(SEEDS)), key=lambda s: _skew(found, s))


def _labelled(drafted: DraftedTexts) -> FetchedCorpus:
    """Return a set as it is read for its labels alone, where it has no text of its own."""
    text = drafted.columns.get("text", drafted.columns["label"])
    return drafted.with_columns({**drafted.columns, "text": text}).fetched


def _says_parts(drafted: DraftedTexts) -> bool:
    return "split" in drafted.columns or all(file.split for file in drafted.source.files)


def _skew(found: LabelledSurvey, split: ShareSplit) -> float:
    """Return how far a draw is from giving each part its share of each label."""
    drawn: dict[str, Counter[str]] = {label: Counter() for label in found.counts()}
    for item in found.items:
        drawn[item.label][part_by_share(item.group, split)] += 1
    shares = {"test": split.test, "dev": split.dev, "train": 1 - split.test - split.dev}
    return sum(
        abs(counts[part] / counts.total() - share)
        for counts in drawn.values()
        for part, share in shares.items()
    )


def _labels(surveys: Sequence[LabelledSurvey]) -> list[str]:
    labels = sorted({label for found in surveys for label in found.counts()})
    if len(labels) < 2:
        shown = f"{labels[0]!r} alone" if labels else "none"
        raise SpecError(
            f"labels found: {shown}; a task needs two at least. Is it the right column?"
        )
    if len(labels) > MOST_LABELS:
        raise SpecError(
            f"{len(labels):,} different labels ({', '.join(map(repr, labels[:3]))}, ...); the "
            "column does not look like one of labels: say it with --label COLUMN"
        )
    return labels


def _doubts(surveys: Sequence[LabelledSurvey], split: ShareSplit | None) -> Iterator[str]:
    """Yield what only a user can judge, in the order of the languages."""
    for found in surveys:
        for reason in found.faults:
            yield f"{found.language}: {fault_in_words(found, reason)}"
        yield from doubts(found, LeakRules())
    for other in surveys[1:]:
        yield from between(surveys[0], other)
    yield from missing_parts(surveys)


def _found(
    texts: Sequence[DraftedTexts],
    surveys: Sequence[LabelledSurvey],
    labels: DraftedTexts | None,
    split: ShareSplit | None,
) -> Iterator[str]:
    for drafted, found in zip(texts, surveys, strict=True):
        yield from texts_in_words(drafted)
        yield f"  {summary_of(drafted.name, found)}"
    if labels:
        yield f"labels of every language: those of {labels.language}, by id"
    yield from label_table(surveys)
    if split:
        yield (
            f"split: drawn by {'group' if 'group' in texts[0].columns else 'id'}: "
            f"test {split.test:.1%}, dev {split.dev:.1%}"
        )
