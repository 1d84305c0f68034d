"""Which parts (train, dev, test) a language's labelled set has, as far as its manifest tells."""

from pipeline.specs.manifests import TaskManifest
from tasks.sources.description import Corpus, Files, HubDataset
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
    parts = declared_parts(task.labels_from or texts)
    of_texts = declared_parts(texts)
    if task.labels_from and None not in of_texts:
        parts &= of_texts
    return {part for part in parts if part}
