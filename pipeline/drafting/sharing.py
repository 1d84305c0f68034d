"""Recognise a corpus that another pair holds already: the same hub sentences in another language.

Pairs of one corpus must share its name and one split: else each holds out what others train on.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from models.support.errors import SprachbundError
from pipeline.drafting.corpora import DraftedCorpus
from pipeline.drafting.overlaps import lies_here
from pipeline.settings import Settings
from pipeline.specs.loading import load_manifest
from pipeline.specs.manifests import PairManifest
from tasks.cleaning import key_digest
from tasks.sources.description import Corpus, HashSplit
from tasks.sources.fetching import fetch
from tasks.sources.reading import read_corpus

SAME_CORPUS = 0.8
"""Least share of a corpus that must stand in another to be called the same."""
FEW = 10

Keys = dict[bytes, str]
"""The key of each hub sentence, by its digest."""


class KnownCorpus(NamedTuple):
    """A corpus of another pair that holds the hub sentences of a new one.

    `split` is that pair's where ids are shared, too; None where they are not, or nothing is drawn.
    """

    name: str
    manifest: Path
    split: HashSplit | None
    sentences: int
    of: int
    same_keys: bool

    @property
    def doubt(self) -> str:
        """What a user must look at."""
        seen = (
            f"{self.sentences:,} of {self.of:,} hub sentences are those of {self.name} in "
            f"{self.manifest.name}"
        )
        if self.split:
            return f"{seen}; its name and split are taken, so that both hold out the same sentences"
        if self.same_keys:
            return f"{seen}; give both the same name and one split, or each holds out its own"
        return (
            f"{seen} under other ids; give both a column of ids, the same name and one split, or "
            "each pair holds out what the other trains on"
        )


def known_corpus(drafted: DraftedCorpus, hub: str, folder: Path) -> KnownCorpus | None:
    """Return the corpus of a pair in a folder that holds most hub sentences of a new one, if any.

    What is not on this machine, or cannot be read, is passed over.
    """
    manifests = [path for path in sorted(folder.glob("*.yaml")) if not path.name.startswith(".")]
    if not manifests:
        return None
    ours = _keys(Corpus(name=drafted.name, source=drafted.source, licence=""), hub)
    found = [
        shared
        for path in manifests
        for pair, corpus in _corpora(path, hub)
        if (shared := _compared(ours, _keys(corpus, hub), pair, corpus, path))
    ]
    return max(found, key=lambda shared: (shared.same_keys, shared.sentences), default=None)


def _corpora(path: Path, hub: str) -> Iterator[tuple[PairManifest, Corpus]]:
    try:
        pair = load_manifest(path, PairManifest)
    except SprachbundError:
        return
    for corpus in pair.parallel if hub in pair.languages else ():
        if lies_here(corpus.source):
            yield pair, corpus


def _keys(corpus: Corpus, hub: str) -> Keys:
    try:
        with tempfile.TemporaryDirectory() as folder:
            fetch(corpus.source, Path(folder), mirror=Settings.from_environment().mirror)
            rows = read_corpus(corpus, Path(folder))
            return {key_digest(row.fields[hub]): row.key for row in rows if row.fields[hub]}
    except (SprachbundError, OSError):
        return {}


def _compared(
    ours: Keys, theirs: Keys, pair: PairManifest, corpus: Corpus, path: Path
) -> KnownCorpus | None:
    common = ours.keys() & theirs.keys()
    if len(common) < max(FEW, SAME_CORPUS * len(ours)):
        return None
    same_keys = sum(ours[text] == theirs[text] for text in common) >= SAME_CORPUS * len(common)
    split = pair.split if same_keys and isinstance(pair.split, HashSplit) else None
    return KnownCorpus(corpus.name, path, split, len(common), len(ours), same_keys)
