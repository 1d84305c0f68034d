"""Choose the number format a model translates in: a faster one where its BLEU is as good."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from models.engines.nmt import FASTER_TYPE, FULL_TYPE, NmtEngine, translation_device
from models.engines.protocol import Decoding, Engine
from models.support.sampling import evenly
from tasks.mt.scoring import BLEU, bleu, tallies
from tasks.records import read_columns

MOST_LOST = 0.3
"""BLEU points that speed may cost."""
DEV_SENTENCES = 1000
DECODING = Decoding(beam=4)


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
    """Translate dev text in float32 and in the device's faster format, and compare."""
    device = translation_device()
    sentences, bleu = 0, {}
    for compute_type in (FULL_TYPE, FASTER_TYPE[device]):
        engine = NmtEngine(model, subwords, threads=threads, compute_type=compute_type)
        bleu[compute_type], sentences = dev_bleu(engine, directions)
    faster_is_as_good = bleu[FULL_TYPE] - bleu[FASTER_TYPE[device]] <= MOST_LOST
    chosen = FASTER_TYPE[device] if faster_is_as_good else FULL_TYPE
    return TranslationType(chosen, device, bleu, sentences)


def dev_bleu(engine: Engine, directions: Sequence[Direction]) -> tuple[float, int]:
    """Return one BLEU over dev sentences of all directions, and how many those are.

    It is far steadier than the BLEU of each direction. Each counts by the tokeniser of its target.
    """
    limit = max(1, DEV_SENTENCES // len(directions))
    counted = []
    for source, target, dev in directions:
        columns = read_columns(dev, [source, target])
        places = evenly(len(columns[source]), limit)
        lines = [(str(n), columns[source][n]) for n in places]
        translated = engine.translate(lines, source=source, target=target, decoding=DECODING)
        hypotheses = [text for _, text in translated]
        counted.append(tallies(BLEU, hypotheses, [columns[target][n] for n in places]))
    return float(bleu(sum(of.sum(0) for of in counted))), sum(map(len, counted))
