"""Pair real text with its machine translation: synthetic bitext, filtered by length."""

from collections import Counter
from collections.abc import Sequence
from math import exp, log
from pathlib import Path
from statistics import median
from typing import NamedTuple

from models.support.errors import SourceError
from tasks.records import BACK_TRANSLATED, FORWARD_TRANSLATED, Record, RecordWriter, check_same_ids


class SyntheticRules(NamedTuple):
    """What is kept of synthetic bitext.

    `max_length_ratio` is the factor by which a pair's lengths may differ from what is usual in its
    corpus; losing more than `max_lost` of the lines is an error; `most` lines are kept at most.
    """

    max_length_ratio: float
    max_lost: float
    most: int | None = None


class Sides(NamedTuple):
    """The languages of a direction, and whether its target is the real side."""

    source: str
    target: str
    real_target: bool

    @property
    def real(self) -> str:
        """The language of the real text."""
        return self.target if self.real_target else self.source

    @property
    def made(self) -> str:
        """The language of the translation."""
        return self.source if self.real_target else self.target


def write_synthetic_bitext(
    real: Sequence[Record],
    made: Sequence[Record],
    *,
    sides: Sides,
    rules: SyntheticRules,
    out: Path,
) -> dict[str, object]:
    """Write the bitext of real text and its translation; return read, kept and dropped counts.

    Both are (id, text) records in the same order; ids stay those of the real sentences. Real
    targets make back-translation (Sennrich et al. 2016), real sources forward translation.
    Raises SourceError where more is lost than the rules allow.
    """
    step = f"synthetic text {sides.source}-{sides.target}"
    check_same_ids(step, [r["id"] for r in real], [r["id"] for r in made])
    dropped: Counter[str] = Counter()
    usual = _usual_ratio(real, made)
    origin = BACK_TRANSLATED if sides.real_target else FORWARD_TRANSLATED
    with RecordWriter(out, ["id", sides.source, sides.target, "origin"]) as writer:
        for human, machine in zip(real, made, strict=True):
            reason = _reason_to_drop(machine["text"], human["text"], usual, rules)
            if reason is None and rules.most is not None and writer.written >= rules.most:
                reason = "above_ratio"
            if reason:
                dropped[reason] += 1
                continue
            texts = {sides.real: human["text"], sides.made: machine["text"]}
            writer.write({"id": human["id"], **texts, "origin": origin})
        kept = writer.written
    _check_loss(step, len(real), dropped, rules)
    return {"read": len(real), "kept": kept, "dropped": dict(dropped)}


def _usual_ratio(real: Sequence[Record], made: Sequence[Record]) -> float:
    """Return the median of length of translation to length of real text, in characters.

    Scripts differ: Chinese takes a third of the characters of English.
    """
    pairs = zip(real, made, strict=True)
    ratios = [log(len(m["text"]) / len(r["text"])) for r, m in pairs if m["text"] and r["text"]]
    return exp(median(ratios)) if ratios else 1.0


def _reason_to_drop(made: str, real: str, usual: float, rules: SyntheticRules) -> str | None:
    if not made:
        return "empty"
    off = len(made) / max(len(real), 1) / usual
    if max(off, 1 / off) > rules.max_length_ratio:
        return "length_ratio"
    return None


def _check_loss(step: str, read: int, dropped: Counter[str], rules: SyntheticRules) -> None:
    lost = {reason: n for reason, n in dropped.items() if reason != "above_ratio"}
    if sum(lost.values()) > rules.max_lost * read:
        why = ", ".join(f"{n} {reason}" for reason, n in sorted(lost.items()))
        raise SourceError(
            f"{step}: {sum(lost.values())} of {read} translations are of no use ({why}); the "
            "system that made them is too weak, or `monolingual.max_length_ratio` is too strict; "
            "`monolingual.max_lost` says how much may be lost"
        )
