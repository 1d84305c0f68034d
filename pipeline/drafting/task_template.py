"""The text of a task manifest: of drafted tables, with what is a guess."""

from collections.abc import Sequence
from pathlib import Path
from textwrap import indent

from pipeline.drafting.corpus_text import corpus_text, yaml_line
from pipeline.drafting.labelled import DraftedTexts
from tasks.labelled_survey import LabelledSurvey
from tasks.sources.description import ShareSplit
from tasks.splitting import PARTS

HEAD = """\
# One labelled task. Check this file with: sprachbund task check THIS_FILE
name: {name}
source_language: {source}  # whose labels are transferred; the hub of the experiment
labels: {labels}  # {counts}
"""

SPLIT = """\
# Each {unit} is drawn by its own hash: test and dev get these shares of them, in every language
# alike. A file with a `split` of its own, or a column `split`, is not drawn.
split: {{rule: shares, dev: {dev}, test: {test}, seed: {seed}}}
"""


def task_text(
    name: str,
    labels: Sequence[str],
    texts: Sequence[DraftedTexts],
    surveys: Sequence[LabelledSurvey],
    *,
    labels_from: DraftedTexts | None,
    split: ShareSplit | None,
    doubts: Sequence[str],
    folder: Path,
) -> str:
    """Return the manifest of a task, as it is to stand in a file of `folder`."""
    head = HEAD.format(
        name=yaml_line(name),
        source=yaml_line(texts[0].language),
        labels=yaml_line([*labels]),
        counts=_counts(labels, surveys[0]),
    )
    unsure = "".join(f"# check this: {' '.join(doubt.split())}\n" for doubt in doubts)
    entries = "".join(
        f"  {yaml_line(drafted.language)}:\n" + indent(_entry(drafted, found, folder), " " * 4)
        for drafted, found in zip(texts, surveys, strict=True)
    )
    joined = ""
    if labels_from:
        source = corpus_text(labels_from.name, labels_from.source, [], [], folder=folder)
        joined = "# The labels of every language, joined to its texts by id.\nlabels_from:\n"
        joined += indent(_of_mapping(source), " " * 2)
    return head + unsure + joined + "texts:\n" + entries + _split_text(split, texts)


def _entry(drafted: DraftedTexts, found: LabelledSurvey, folder: Path) -> str:
    parts = ", ".join(f"{part} {len(found.of(part)):,}" for part in PARTS if found.of(part))
    remark = f"{found.read:,} rows, {len(found.items):,} items: {parts or 'in no part'}"
    text = corpus_text(drafted.name, drafted.source, [remark], drafted.doubts, folder=folder)
    return _of_mapping(text)


def _of_mapping(entry: str) -> str:
    """Return an entry of a list as the value of a field: two columns to the left, no dash."""
    return "".join(f"{line[2:]}\n" for line in entry.splitlines())


def _counts(labels: Sequence[str], found: LabelledSurvey) -> str:
    counts = found.counts()
    shown = ", ".join(f"{counts[label].total() if label in counts else 0:,}" for label in labels)
    return f"items in {found.language}: {shown}"


def _split_text(split: ShareSplit | None, texts: Sequence[DraftedTexts]) -> str:
    if split is None:
        return ""
    unit = "group" if "group" in texts[0].columns else "item"
    return SPLIT.format(unit=unit, dev=split.dev, test=split.test, seed=split.seed)
