"""Score translations with BLEU and chrF++: sentence tallies whose sums are sacreBLEU's scores."""

import logging
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from models.support.errors import ContractError
from models.writing import WITHOUT_WHITE_SPACE
from tasks.scripts import main_script
from tasks.statistics import Measure

if TYPE_CHECKING:
    import numpy

BLEU, CHRF = "BLEU", "chrF++"
METRICS = (BLEU, CHRF)
ORDERS = 4
"""Of BLEU's n-grams."""
BETA_SQUARED = 4.0
"""chrF weighs recall twice as much as precision."""
NOTHING = 1e-300
LATIN = frozenset({"Latn", "Zyyy"})
BY_SCRIPT = {
    "Hani": ("zh", "char"),
    "Hira": ("ja-mecab", "char"),
    "Kana": ("ja-mecab", "char"),
    "Hang": ("ko-mecab", "intl"),
}
"""The tokeniser that is made for a script, and what serves where it is not installed."""


def tokeniser_for(references: Sequence[str]) -> str:
    """Return the name of sacreBLEU's tokeniser that suits the script of the references.

    Chinese by character, and so every script without spaces; Japanese and Korean by MeCab where it
    is installed; Latin as mteval's 13a does, other scripts by Unicode's punctuation (`intl`).
    """
    script = main_script(references)
    if script in BY_SCRIPT:
        wanted, otherwise = BY_SCRIPT[script]
        return wanted if _is_installed(wanted) else otherwise
    if script in WITHOUT_WHITE_SPACE:
        return "char"
    return "13a" if script in LATIN else "intl"


@lru_cache
def _is_installed(tokeniser: str) -> bool:
    try:
        _metric(BLEU, tokeniser)
    except RuntimeError:  # what sacreBLEU says without the further package
        return False
    return True


def tallies(metric: str, hypotheses: Sequence[str], references: Sequence[str]) -> "numpy.ndarray":
    """Return what each sentence adds to a metric: (sentences, 10) of BLEU, (sentences, 24) of chrF.

    Counted by sacreBLEU (Post 2018). Raises ContractError when the lengths differ, which sacreBLEU
    itself lets pass.
    """
    import numpy

    if len(hypotheses) != len(references):
        raise ContractError(f"{len(hypotheses)} hypotheses for {len(references)} references")
    counting = _metric(metric, tokeniser_for(references))
    found = counting._extract_corpus_statistics(list(hypotheses), [list(references)])
    return numpy.array(found, dtype=float).reshape(len(references), -1)


@lru_cache
def _metric(metric: str, tokeniser: str) -> Any:
    from sacrebleu.metrics import bleu as bleu_metric
    from sacrebleu.metrics import chrf as chrf_metric

    logging.getLogger("sacrebleu").setLevel(logging.WARNING)
    if metric == BLEU:
        return bleu_metric.BLEU(tokenize=tokeniser)
    return chrf_metric.CHRF(word_order=2)


@lru_cache
def signature(metric: str, tokeniser: str = "13a") -> str:
    """Return sacreBLEU's signature of how a metric is computed."""
    found = _metric(metric, tokeniser)
    found.corpus_score(["x"], [["x"]])
    return str(found.get_signature())


def bleu(sums: "numpy.ndarray") -> "numpy.ndarray":
    """Return BLEU, 0 to 100, of summed tallies (..., 10): lengths, then matches and n-grams.

    Papineni et al. 2002, with the exponential smoothing of mteval, as sacreBLEU's default.
    """
    import numpy

    lengths, references = sums[..., 0], sums[..., 1]
    right, total = sums[..., 2 : 2 + ORDERS], sums[..., 2 + ORDERS :]
    halved = 2.0 ** -numpy.cumsum((right == 0) & (total > 0), axis=-1)
    precision = numpy.where(right > 0, right, halved) / numpy.maximum(total, NOTHING)
    logs = numpy.log(numpy.where(total > 0, precision, NOTHING))
    brevity = numpy.where(
        lengths < references, 1 - references / numpy.maximum(lengths, NOTHING), 0.0
    )
    scores = 100 * numpy.exp(numpy.maximum(brevity, -700) + logs.mean(-1))
    matched: numpy.ndarray = numpy.where(right.sum(-1) > 0, scores, 0.0)
    return matched


def chrf(sums: "numpy.ndarray") -> "numpy.ndarray":
    """Return chrF, 0 to 100, of summed tallies (..., 3 * orders): hypothesis, reference, matches.

    Popovic 2017; orders that neither side has do not count.
    """
    import numpy

    of_order = sums.reshape(*sums.shape[:-1], -1, 3)
    hypothesis, reference, match = (of_order[..., i] for i in range(3))  # (..., orders)
    there = (hypothesis > 0) & (reference > 0)
    orders = numpy.maximum(there.sum(-1), 1)
    precision = (there * match / numpy.maximum(hypothesis, 1)).sum(-1) / orders
    recall = (there * match / numpy.maximum(reference, 1)).sum(-1) / orders
    both = numpy.maximum(BETA_SQUARED * precision + recall, NOTHING)
    scores: numpy.ndarray = 100 * (1 + BETA_SQUARED) * precision * recall / both
    return scores


MEASURES: dict[str, Measure] = {BLEU: bleu, CHRF: chrf}
