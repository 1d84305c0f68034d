"""Word alignment of a bitext: fast_align (Dyer et al. 2013), trained on the text it aligns."""

import tempfile
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from models.writing import words_and_signs

if TYPE_CHECKING:
    import systran_align

BATCH = 10_000
PAIRS_TO_LEARN = 200_000
"""Sentence pairs to train on: more cost memory and hours, and tell little more of noise."""
WORST = 100.0
"""Misalignment of a pair that has a side without any token, in nats a token."""

SentencePairs = Callable[[], Iterable[tuple[str, str]]]
"""Opens the sentence pairs anew: they are read to count, to train and to align."""


class AlignedPair(NamedTuple):
    """Tokens of both sides, their links (source place, target place), and how ill they fit.

    `misalignment` is the negative log probability of each side given the other, in nats a token,
    averaged over both directions.
    """

    source: list[str]
    target: list[str]
    links: list[tuple[int, int]]
    misalignment: float


def tokens(text: str) -> list[str]:
    """Return the words and signs of a text in lower case."""
    return words_and_signs(text.lower())


def align(pairs: SentencePairs) -> Iterator[AlignedPair]:
    """Yield each pair aligned, in the order given; nothing is yielded where nothing is given.

    Of a large bitext, evenly spread pairs are trained on, and all are aligned.
    """
    import systran_align
    from threadpoolctl import threadpool_limits

    with tempfile.TemporaryDirectory() as folder:
        text, forward, backward = (str(Path(folder) / n) for n in ("text", "forward", "backward"))
        step = ceil(sum(1 for _ in pairs()) / PAIRS_TO_LEARN)
        if not _write_training_text(islice(pairs(), 0, None, max(1, step)), Path(text)):
            yield from (AlignedPair(tokens(s), tokens(t), [], WORST) for s, t in pairs())
            return
        with threadpool_limits(1, user_api="openmp"):  # its threads race for the expected counts
            systran_align.generate_alignment_probabilities(text, forward, backward)
        aligner = systran_align.Aligner(forward, backward)
        left = ((tokens(source), tokens(target)) for source, target in pairs())
        while batch := list(islice(left, BATCH)):
            yield from _align_batch(aligner, batch)


def _write_training_text(pairs: Iterable[tuple[str, str]], path: Path) -> int:
    written = 0
    with path.open("w", encoding="utf-8") as file:
        for source, target in pairs:
            if (s := tokens(source)) and (t := tokens(target)):
                file.write(f"{' '.join(s)} ||| {' '.join(t)}\n")
                written += 1
    return written


def _align_batch(
    aligner: "systran_align.Aligner", batch: list[tuple[list[str], list[str]]]
) -> Iterator[AlignedPair]:
    filled = [pair for pair in batch if all(pair)]
    results = iter(aligner.align_batch([s for s, _ in filled], [t for _, t in filled]))
    for source, target in batch:
        if not (source and target):
            yield AlignedPair(source, target, [], WORST)
            continue
        result = next(results)
        forward = -result["forward_log_prob"] / len(target)
        backward = -result["backward_log_prob"] / len(source)
        yield AlignedPair(source, target, result["alignments"], (forward + backward) / 2)
