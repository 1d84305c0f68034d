"""Pair real text with its machine translation: synthetic bitext, filtered by length."""

from collections import Counter
from collections.abc import Sequence
from math import exp, log
from pathlib import Path
from statistics import median
from typing import NamedTuple

from models.support.errors import SourceError
from models.support.sampling import spread
from tasks.records import BACK_TRANSLATED, FORWARD_TRANSLATED, Record, RecordWriter, check_same_ids


class SyntheticRules(NamedTuple):
    """What is kept of synthetic bitext.

    `max_length_ratio` is the factor by which a pair's lengths may differ from what is usual in its
    corpus; losing more than `max_lost` of the lines is an error; `most` lines are kept at most;
    nothing is kept of a translation with `ills`.
    """

    max_length_ratio: float
    max_lost: float
    most: int | None = None
    ills: tuple[str, ...] = ()


NOT_USABLE = "not_usable"


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
    reasons = _reasons_to_drop(real, made, rules)
    dropped = Counter(reason for reason in reasons if reason)
    if not rules.ills:
        _check_loss(step, len(real), dropped, rules)
    usable = [n for n, reason in enumerate(reasons) if reason is None]
    kept = spread(usable, rules.most)
    if len(kept) < len(usable):
        dropped["above_ratio"] = len(usable) - len(kept)
    origin = BACK_TRANSLATED if sides.real_target else FORWARD_TRANSLATED
    with RecordWriter(out, ["id", sides.source, sides.target, "origin"]) as writer:
        for n in kept:
            texts = {sides.real: real[n]["text"], sides.made: made[n]["text"]}
            writer.write({"id": real[n]["id"], **texts, "origin": origin})
    return {"read": len(real), "kept": len(kept), "dropped": dict(dropped)}


def _usual_ratio(real: Sequence[Record], made: Sequence[Record]) -> float:
    """Return the median of length of translation to length of real text, in characters.

    Scripts differ: Chinese takes a third of the characters of English.
    """
    pairs = zip(real, made, strict=True)
    ratios = [log(len(m["text"]) / len(r["text"])) for r, m in pairs if m["text"] and r["text"]]
    return exp(median(ratios)) if ratios else 1.0


def _reasons_to_drop(
    real: Sequence[Record], made: Sequence[Record], rules: SyntheticRules
) -> list[str | None]:
    """Return why each line is dropped; None where it is kept."""
    if rules.ills:
        return [NOT_USABLE] * len(real)
    usual = _usual_ratio(real, made)
    pairs = zip(real, made, strict=True)
    return [_reason_to_drop(m["text"], r["text"], usual, rules) for r, m in pairs]


def _reason_to_drop(made: str, real: str, usual: float, rules: SyntheticRules) -> str | None:
    if not made:
        return "empty"
    off = len(made) / max(len(real), 1) / usual
    if max(off, 1 / off) > rules.max_length_ratio:
        return "length_ratio"
    return None


def _check_loss(step: str, read: int, dropped: Counter[str], rules: SyntheticRules) -> None:
    if dropped.total() > rules.max_lost * read:
        why = ", ".join(f"{n} {reason}" for reason, n in sorted(dropped.items()))
        raise SourceError(
            f"{step}: {dropped.total()} of {read} translations are of no use ({why}); the "
            "system that made them is too weak, or `monolingual.max_length_ratio` is too strict; "
            "`monolingual.max_lost` says how much may be lost"
        )
