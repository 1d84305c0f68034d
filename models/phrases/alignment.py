"""Word alignment by hidden Markov models (Vogel et al. 1996), symmetrised, with Thot."""

from collections.abc import Iterator, Sequence
from math import log
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import thot.alignment

Tokens = Sequence[str]
EMPTY_WORD = 0.1
LEXICAL_SMOOTHING, JUMP_SMOOTHING = 0.1, 0.3
"""As Thot's authors set them for a few thousand sentence pairs."""
RAREST_TRANSLATION = 1e-5
LEXICON_ENTRY = [("source", "u4"), ("target", "u4"), ("numerator", "f4"), ("denominator", "f4")]
"""Of Thot's lexicon files: word numbers, and logarithms whose difference is a probability's."""


def train_aligner(
    sources: Sequence[Tokens], targets: Sequence[Tokens], *, iterations: int
) -> "thot.alignment.AlignmentModel":
    """Return an HMM that explains target by source words, begun with IBM model 1."""
    import thot.alignment

    first = thot.alignment.Ibm1AlignmentModel()
    model = thot.alignment.HmmAlignmentModel(first)
    model.hmm_p0 = EMPTY_WORD
    model.lexical_smoothing_factor = LEXICAL_SMOOTHING
    model.hmm_alignment_smoothing_factor = JUMP_SMOOTHING
    for source, target in zip(sources, targets, strict=True):
        model.add_sentence_pair(list(source), list(target), 1)
    for stage in (first, model):
        stage.start_training()
        for _ in range(iterations):
            stage.train()
        stage.end_training()
    return model


def save_aligner(model: "thot.alignment.AlignmentModel", prefix: Path) -> None:
    """Write an aligner's tables, without translations that hardly ever occur."""
    import numpy

    model.print(str(prefix))
    path = prefix.with_name(f"{prefix.name}.hmm_lexnd")
    table = numpy.fromfile(path, dtype=LEXICON_ENTRY)
    table[table["numerator"] - table["denominator"] >= log(RAREST_TRANSLATION)].tofile(path)


def symmetrise(
    direct: "thot.alignment.AlignmentModel",
    inverse: "thot.alignment.AlignmentModel",
    pairs: Sequence[tuple[Tokens, Tokens]],
) -> Iterator[list[list[bool]]]:
    """Yield the links of each pair: for each target word, whether it belongs to each source word.

    Both directions are joined by grow-diag-final-and (Koehn et al. 2005).
    """

    for source, target in pairs:
        links = inverse.get_best_alignment(list(target), list(source))[1]
        back = direct.get_best_alignment(list(source), list(target))[1]
        back.transpose()
        links.grow_diag_final_and(back)
        yield links.to_numpy().tolist()
