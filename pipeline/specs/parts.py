"""Which parts (train, dev, test) a language's labelled set has, as far as its manifest tells."""

from pipeline.specs.manifests import TaskManifest
from tasks.sources.description import (
    BibleVerses,
    Corpus,
    Files,
    HubDataset,
    PlainText,
    Source,
)
from tasks.splitting import PARTS


def declared_parts(corpus: Corpus) -> set[str | None]:
    """Return the parts that a corpus's files or splits declare; None for a file without one."""
    source = corpus.source
    if isinstance(source, Files):
        return {file.split for file in source.files}
    if isinstance(source, HubDataset):
        return {*source.splits.values()} if source.splits else {None}
    return {*PARTS}


def task_parts(task: TaskManifest, language: str) -> set[str]:
    """Return the parts that a language's labelled set can have.

    Labels from a corpus of their own bring its parts; texts that declare some have those alone.
    """
    texts = task.texts[language]
    parts = _possible(task, task.labels_from or texts)
    of_texts = declared_parts(texts)
    if task.labels_from and None not in of_texts:
        parts &= of_texts
    return parts


def _possible(task: TaskManifest, corpus: Corpus) -> set[str]:
    """Return the parts that a corpus with labels declares, or that items may be drawn into."""
    if "split" in fields_of(corpus.source):
        return {*PARTS}
    declared = declared_parts(corpus)
    if None in declared and task.split:
        declared |= {"train", "test"} | ({"dev"} if task.split.dev else set())
    return {part for part in declared if part}


def fields_of(source: Source) -> set[str]:
    """Return the fields of ours that a source maps to columns."""
    if isinstance(source, HubDataset):
        return {*source.columns}
    if isinstance(source, Files) and not isinstance(source.format, PlainText | BibleVerses):
        return {*source.format.columns}
    return set()
