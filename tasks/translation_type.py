"""Choose the number format a model translates in: a faster one where its BLEU is as good."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from models.translator import FASTER_TYPE, FULL_TYPE, NmtEngine, translation_device
from tasks.records import read_columns

MOST_LOST = 0.3
"""BLEU points that speed may cost."""
DEV_SENTENCES = 1000
BEAM = 4


class Direction(NamedTuple):
    """A direction and the dev bitext that holds both of its sides."""

    source: str
    target: str
    dev: Path


class TranslationType(NamedTuple):
    """What was chosen for a device, and the BLEU over `sentences` dev sentences by format."""

    compute_type: str
    device: str
    bleu: dict[str, float]
    sentences: int

    def on(self, device: str) -> str:
        """Return the format for a device; what was measured on another one does not count."""
        return self.compute_type if device == self.device else FULL_TYPE


def choose_type(
    model: Path, subwords: Path, directions: Sequence[Direction], *, threads: int
) -> TranslationType:
    """Translate dev text in float32 and in the device's faster format; compare over all directions.

    One BLEU over the sentences of all directions: it is far steadier than one of each.
    """
    device = translation_device()
    types = (FULL_TYPE, FASTER_TYPE[device])
    share = max(1, DEV_SENTENCES // len(directions))
    sample = [(d, *_dev_text(d, share)) for d in directions]
    references = [line for _, _, target in sample for line in target]
    bleu = {}
    for compute_type in types:
        engine = NmtEngine(model, subwords, beam=BEAM, threads=threads, compute_type=compute_type)
        bleu[compute_type] = _bleu(_translate(engine, sample), references)
    lost = bleu[types[0]] - bleu[types[1]]
    return TranslationType(types[lost <= MOST_LOST], device, bleu, len(references))


def _dev_text(direction: Direction, limit: int) -> tuple[list[str], list[str]]:
    columns = read_columns(direction.dev, [direction.source, direction.target])
    return columns[direction.source][:limit], columns[direction.target][:limit]


def _translate(
    engine: NmtEngine, sample: Sequence[tuple[Direction, list[str], list[str]]]
) -> Iterator[str]:
    for direction, texts, _ in sample:
        lines = [(str(number), text) for number, text in enumerate(texts)]
        translated = engine.translate(lines, source=direction.source, target=direction.target)
        yield from (text for _, text in translated)


def _bleu(hypotheses: Iterator[str], references: list[str]) -> float:
    from sacrebleu.metrics.bleu import BLEU

    return float(BLEU().corpus_score(list(hypotheses), [references]).score)
