"""Score every sentence for signs of noise; accept it by limits that are kept apart from the scores.

Every score grows with suspicion, and a sentence is accepted while none of its scores is above its
limit, so limits are re-tuned without computing a score again. The default limits catch only what is
plainly broken: at a few thousand lines, a strict filter costs more than the noise.
"""

import heapq
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple
from unicodedata import decimal

import regex
from annotated_types import Ge, Gt, Le

from models.support.errors import ContractError
from models.writing import comparison_key, count_words, is_unparted, pieces, words
from tasks.records import Record, RecordWriter, column_names, corpus_of, read_records
from tasks.scripts import letters_by_script

if TYPE_CHECKING:
    import numpy

NUMBER = regex.compile(r"\p{Nd}+")
SCORED_TOGETHER = 10_000
SHORT = 8
"""Words below which a text may repeat itself as it likes."""
SYLLABLES = 4
"""About as long as two words, in scripts without spaces."""
SMOOTHING = 10
"""Characters added to both sides of a length ratio: "Ya." and "Inggih, leres." are a fair pair."""
CONSISTENT_MAD = 1.4826
"""Times the median absolute deviation is a standard deviation, for normal scores."""

Scorer = Callable[[Sequence[Record]], Sequence[float]]
"""Records to scores, one for each."""


@dataclass(frozen=True, kw_only=True)
class FilterLimits:
    """The highest accepted score of each filter; None turns a filter off.

    `words`: of the longer side. `length_ratio`: longer over shorter side, in characters.
    `identical_words`: length of a sentence that stands on both sides unchanged.
    `repetition`: share of a text's word pairs that it has had before. `other_script`: share of
    letters outside of the script that the corpus is mostly in. `numbers`: numerals without a
    counterpart. `language_doubt`: 1 minus the probability of the right language over that of the
    likeliest. `misalignment`: how many deviations worse than the corpus's median the words align.

    A filter that would drop more than `max_loss` of a corpus is skipped for that corpus: then the
    filter is wrong about the language, or the corpus is what there is.
    """

    words: Annotated[float, Gt(0)] | None = 80.0
    length_ratio: Annotated[float, Gt(1)] | None = 3.0
    identical_words: Annotated[float, Ge(0)] | None = 4.0
    repetition: Annotated[float, Ge(0), Le(1)] | None = 0.5
    other_script: Annotated[float, Ge(0), Le(1)] | None = 0.5
    numbers: Annotated[float, Ge(0)] | None = 3.0
    language_doubt: Annotated[float, Ge(0), Le(1)] | None = 0.999
    misalignment: Annotated[float, Gt(0)] | None = 6.0
    max_loss: Annotated[float, Ge(0), Le(1)] = 0.05

    def of(self, scores: Sequence[str]) -> dict[str, float]:
        """Return the limits that are set, of the filters that a corpus has scores for."""
        limits: dict[str, float | None] = asdict(self)
        return {name: limit for name in scores if (limit := limits[name]) is not None}


def text_scorers(languages: Sequence[str], scripts: Mapping[str, str]) -> dict[str, Scorer]:
    """Return the scorers that look at each side of a record alone; the worst side counts."""

    def worst(score: Callable[[str, str], float]) -> Scorer:
        return lambda records: [max(score(r[x], x) for x in languages) for r in records]

    return {
        "words": worst(lambda text, _: count_words(text)),
        "repetition": worst(lambda text, _: repetition(text)),
        "other_script": worst(lambda text, language: other_script(text, scripts[language])),
    }


def pair_scorers(first: str, second: str) -> dict[str, Scorer]:
    """Return the scorers that compare the two sides of a record."""

    def both(score: Callable[[str, str], float]) -> Scorer:
        return lambda records: [score(r[first], r[second]) for r in records]

    return {
        "length_ratio": both(length_ratio),
        "identical_words": both(identical_words),
        "numbers": both(disagreeing_numbers),
    }


def length_ratio(first: str, second: str) -> float:
    """Return the longer over the shorter text, in characters, smoothed for short ones."""
    short, long = sorted((len(first), len(second)))
    return (long + SMOOTHING) / (short + SMOOTHING)


def identical_words(first: str, second: str) -> float:
    """Return the number of words of a text that is equal on both sides, else 0."""
    key = comparison_key(first)
    return count_words(key) if key == comparison_key(second) else 0


def repetition(text: str) -> float:
    """Return the share of a text's adjacent word pairs that it has had before; 0 if short.

    Where nothing parts words, four syllables are such a pair.
    """
    if count_words(text) < SHORT:
        return 0
    folded, size = text.casefold(), 2
    if is_unparted(folded):
        units, size = words(folded), SYLLABLES
    else:
        units = [word for word, _ in pieces(folded)]
    grams = list(zip(*(units[start:] for start in range(size)), strict=False))
    return 1 - len(set(grams)) / len(grams)


def disagreeing_numbers(first: str, second: str) -> float:
    """Return how many numerals of either side, whatever their digits, the other side lacks."""
    left, right = _numbers(first), _numbers(second)
    return ((left - right) + (right - left)).total()


def _numbers(text: str) -> Counter[str]:
    """Count numerals in ASCII digits, without leading zeros."""
    return Counter(
        "".join(str(decimal(digit)) for digit in number).lstrip("0")
        for number in NUMBER.findall(text)
    )


def other_script(text: str, expected: str) -> float:
    """Return the share of letters that are not in the expected script (ISO 15924)."""
    found = letters_by_script(Counter(text))
    return 1 - found[expected] / found.total() if found else 0


def write_scores(text: Path, columns: Sequence[str], scorers: dict[str, Scorer], out: Path) -> int:
    """Write `id` and one score a filter for each record of `text`; return how many."""
    with RecordWriter(out, ["id"], numbers=list(scorers)) as writer:
        for some in batched_records(text, columns):
            scored = {name: scorer(some) for name, scorer in scorers.items()}
            for number, record in enumerate(some):
                own = {name: float(scores[number]) for name, scores in scored.items()}
                writer.write({"id": record["id"], **own})
        return writer.written


def batched_records(text: Path, columns: Sequence[str]) -> Iterator[list[Record]]:
    """Yield the records in lists of a size that keeps memory small."""
    records = read_records(text, ["id", *columns])
    while some := list(islice(records, SCORED_TOGETHER)):
        yield some


class Acceptance(NamedTuple):
    """Which limits hold for a corpus, and the share that each skipped filter would have dropped."""

    limits: dict[str, float]
    skipped: dict[str, float]


def acceptance(scores: Path, wanted: FilterLimits) -> dict[str, Acceptance]:
    """Turn limits into those that hold for each corpus: relative ones in its units, floors kept."""
    import numpy

    numbers: dict[str, int] = {}
    ids = (record["id"] for record in read_records(scores, ["id"]))
    corpora = numpy.fromiter((numbers.setdefault(corpus_of(i), len(numbers)) for i in ids), "int16")
    found = {corpus: Acceptance({}, {}) for corpus in numbers}
    for name, limit in wanted.of(score_names(scores)).items():
        values = read_scores(scores, name)
        for corpus, (limits, skipped) in found.items():
            own = values[corpora == numbers[corpus]]
            absolute = _deviations_above_median(own, limit) if name == "misalignment" else limit
            absolute = float(numpy.float32(absolute))  # precise as scores are: equal is equal
            loss = float((own > absolute).mean())
            if loss > wanted.max_loss:
                skipped[name] = loss
            else:
                limits[name] = absolute
    return found


def accept(text: Path, scores: Path, wanted: FilterLimits, out: Path) -> dict[str, object]:
    """Copy the records that no filter rejects to `out`; return what was dropped and skipped."""
    accepting = acceptance(scores, wanted)
    dropped: Counter[str] = Counter()
    pairs = zip(read_records(text), read_scores_by_line(scores), strict=True)
    with RecordWriter(out, column_names(text)) as writer:
        for record, own in pairs:
            if record["id"] != own["id"]:
                raise ContractError(f"{text}: {record['id']!r} has the scores of {own['id']!r}")
            limits = accepting[corpus_of(record["id"])].limits
            reason = next((name for name, limit in limits.items() if own[name] > limit), None)
            if reason:
                dropped[reason] += 1
            else:
                writer.write(record)
        kept = writer.written
    return {
        "seen": kept + dropped.total(),
        "dropped": dict(sorted(dropped.items())),
        "skipped": {corpus: skipped for corpus, (_, skipped) in accepting.items() if skipped},
        "kept": kept,
    }


class WorstLine(NamedTuple):
    """A line that a filter finds suspicious: score, id, and its sides."""

    score: float
    id: str
    text: str


def worst_lines(
    text: Path, columns: Sequence[str], scores: Path, *, corpus: str, wanted: int = 3
) -> dict[str, list[WorstLine]]:
    """Return a corpus's lines with the highest scores of each filter, the worst first."""
    worst: dict[str, list[WorstLine]] = {name: [] for name in score_names(scores)}
    pairs = zip(read_records(text, ["id", *columns]), read_scores_by_line(scores), strict=True)
    for record, own in pairs:
        if corpus_of(record["id"]) != corpus:
            continue
        for name, heap in worst.items():
            if own[name] > (heap[0].score if len(heap) == wanted else 0):
                line = WorstLine(own[name], record["id"], " ||| ".join(record[c] for c in columns))
                (heapq.heappushpop if len(heap) == wanted else heapq.heappush)(heap, line)
    return {name: sorted(heap, reverse=True) for name, heap in worst.items() if heap}


def score_names(scores: Path) -> list[str]:
    """Return the filters that a corpus has scores for."""
    return column_names(scores)[1:]


def read_scores_by_line(scores: Path) -> Iterator[dict[str, Any]]:
    """Yield `id` and the scores of each line."""
    return read_records(scores)


def read_scores(scores: Path, name: str) -> "numpy.ndarray":
    """Return one filter's scores (lines, float32)."""
    import pyarrow.parquet as parquet

    with parquet.ParquetFile(scores) as file:
        values: numpy.ndarray = file.read([name])[name].to_numpy()
    return values


def _deviations_above_median(values: "numpy.ndarray", limit: float) -> float:
    """Return the value that lies so many robust standard deviations above the median."""
    import numpy

    if not len(values):
        return 0.0
    median = numpy.median(values)
    deviation = CONSISTENT_MAD * numpy.median(numpy.abs(values - median))
    return float(median + limit * deviation)
