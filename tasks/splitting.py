"""Divide a corpus into train, dev and test by a rule that depends on ids alone."""

import heapq
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from pathlib import Path

from tasks.sources.description import HashSplit, ShareSplit, SplitName

PARTS = ("train", "dev", "test")
HELD_OUT_PARTS = ("dev", "test")
RANKS = 2**64
NAMED_PARTS: Mapping[str, SplitName] = {
    **dict.fromkeys(("train", "training", "trn"), "train"),
    **dict.fromkeys(("dev", "devel", "development", "val", "valid", "validation"), "dev"),
    **dict.fromkeys(("test", "testing", "tst"), "test"),
}
"""What people call the parts, in lower case."""


def part_files(folder: Path) -> dict[str, Path]:
    """Return the file of each part that a folder has, in their order."""
    files = {part: folder / f"{part}.parquet" for part in PARTS}
    return {part: path for part, path in files.items() if path.exists()}


def rank(sentence_id: str, seed: int) -> int:
    """Return the place of an id in a fixed pseudo-random order."""
    return int.from_bytes(blake2b(f"{seed}:{sentence_id}".encode(), digest_size=8).digest())


def assign(ids: Iterable[str], split: HashSplit) -> dict[str, str]:
    """Return the part of each id that does not fall into the split's `rest`.

    The lowest ranks are the test set, the next ones dev, then train where it is limited. Memory
    grows with these parts, not with the corpus.
    """
    bounds = {
        "test": split.test,
        "dev": split.test + split.dev,
        "train": split.test + split.dev + (split.train or 0),
    }
    chosen = heapq.nsmallest(bounds["train"], ((rank(i, split.seed), i) for i in ids))
    return {
        sentence_id: next(part for part, bound in bounds.items() if place < bound)
        for place, (_, sentence_id) in enumerate(chosen)
    }


def part_by_share(group: str, split: ShareSplit) -> SplitName:
    """Return the part of a group: it hangs on the group alone, not on what else there is."""
    place = rank(group, split.seed) / RANKS
    if place < split.test:
        return "test"
    return "dev" if place < split.test + split.dev else "train"


def propose(usable: int) -> HashSplit:
    """Return a split for so many sentences: dev and test a tenth each, at most the usual sizes."""
    tenth = usable // 10
    return HashSplit(rule="hash", dev=min(HashSplit.dev, tenth), test=min(HashSplit.test, tenth))


def rest(split: HashSplit) -> str:
    """Return the part of every id that `assign` does not name."""
    return "unused" if split.train else "train"
