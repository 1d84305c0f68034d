"""Count the n-grams of a language model and fit its interpolation weights, in Thot's files.

Thot interpolates the orders (Jelinek and Mercer 1980) with a weight for each order and each bucket
of frequency.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import chain
from math import exp, log
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy

BEGIN, END, UNKNOWN = "<s>", "</s>", "<unk>"
BUCKETS, BUCKET_SIZE = 3, 10
FIRST_WEIGHT, HIGHEST_WEIGHT = 0.5, 0.99
MOST_EVALUATIONS = 100

Tokens = Sequence[str]
NGrams = dict[tuple[str, ...], int]


def train_language_model(
    lines: Sequence[Tokens], dev: Sequence[Tokens], prefix: Path, *, order: int
) -> float:
    """Write a language model of `lines`, its weights fitted to `dev`; return dev's perplexity.

    A word that occurs once is taken for an unknown one. Without dev text the perplexity is 0.
    """
    counts, total = _count(lines, order)
    _write_counts(prefix, counts, total)
    weights = [FIRST_WEIGHT] * (order * BUCKETS)
    _write_weights(prefix, order, weights)
    write_lines(prefix.with_name(f"{prefix.name}.wp"), [])
    if not any(dev):
        return 0.0
    part = prefix.with_name(f"{prefix.name}-dev")
    _write_counts(part, _of_text(counts, dev, order), total)
    weights, perplexity = _fit(part, dev, order)
    _write_weights(prefix, order, weights)
    for path in prefix.parent.glob(f"{part.name}*"):
        path.unlink()
    return perplexity


def write_lines(path: Path, lines: Iterable[str]) -> None:
    """Write lines as Thot reads them."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(f"{line}\n" for line in lines)


def _count(lines: Sequence[Tokens], order: int) -> tuple[NGrams, int]:
    """Return how often each n-gram occurs, and how many tokens there are."""
    words = Counter(chain.from_iterable(lines))
    counts: Counter[tuple[str, ...]] = Counter()
    for line in filter(None, lines):
        counts.update(_ngrams([w if words[w] > 1 else UNKNOWN for w in line], order))
    return counts, sum(count for ngram, count in counts.items() if len(ngram) == 1)


def _ngrams(line: Tokens, order: int) -> Iterable[tuple[str, ...]]:
    padded = (BEGIN, *line, END)
    for n in range(1, order + 1):
        for i in range(len(padded) - n + 1):
            yield padded[i : i + n]


def _of_text(counts: NGrams, text: Sequence[Tokens], order: int) -> dict[tuple[str, ...], int]:
    """Return all words, and the longer n-grams that a text asks for: enough for its probability."""
    wanted: set[tuple[str, ...]] = set()
    for line in text:
        known = [word if (word,) in counts else UNKNOWN for word in line]
        wanted.update(_ngrams(known, order))
    return {n: c for n, c in counts.items() if len(n) == 1 or n in wanted}


def _write_counts(prefix: Path, counts: NGrams, total: int) -> None:
    ordered = sorted(counts.items(), key=lambda item: (len(item[0]), item[0]))
    write_lines(
        prefix,
        (
            f"{' '.join(ngram)} {counts.get(ngram[:-1], total) if len(ngram) > 1 else total} {n}"
            for ngram, n in ordered
        ),
    )


def _write_weights(prefix: Path, order: int, weights: Sequence[float]) -> None:
    values = " ".join(f"{weight:.6f}" for weight in weights)
    write_lines(
        prefix.with_name(f"{prefix.name}.weights"), [f"{order} {BUCKETS} {BUCKET_SIZE} {values}"]
    )


def _fit(prefix: Path, dev: Sequence[Tokens], order: int) -> tuple[list[float], float]:
    """Return the weights under which a text is likeliest, and its perplexity."""
    from scipy.optimize import minimize

    def perplexity(weights: "numpy.ndarray") -> float:
        _write_weights(prefix, order, list(weights))
        return _perplexity(prefix, dev)

    size = order * BUCKETS
    found = minimize(
        perplexity,
        [FIRST_WEIGHT] * size,
        method="Nelder-Mead",
        bounds=[(0.0, HIGHEST_WEIGHT)] * size,
        options={"maxfev": MOST_EVALUATIONS, "xatol": 0.01, "fatol": 0.1},
    )
    return list(map(float, found.x)), float(found.fun)


def _perplexity(prefix: Path, text: Sequence[Tokens]) -> float:
    import thot.common

    model = thot.common.NGramLanguageModel()
    model.load(str(prefix))
    likelihood = sum(model.get_sentence_log_probability(list(line)) for line in text)
    model.clear()
    return exp(-likelihood * log(10) / sum(len(line) + 1 for line in text))
