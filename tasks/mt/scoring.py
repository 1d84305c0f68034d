"""Score translations: BLEU and chrF++ with signature, bootstrap interval and paired test."""

import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from models.support.errors import ContractError

METRICS = ("BLEU", "chrF++")


class PairedScore(NamedTuple):
    """One metric of a system and of the baseline it is resampled with.

    `low` and `high` bound the system's 95 % bootstrap interval, `p_value` is that of the paired
    bootstrap test against the baseline.
    """

    metric: str
    score: float
    low: float
    high: float
    baseline: float
    p_value: float
    signature: str


@dataclass(frozen=True)
class MtScore:
    """One figure of the MT table.

    `baseline` is the score of copying the source; `p_value` tests against round 0, where there is
    a round 0 to test against.
    """

    round: int | None
    engine: str
    direction: str
    metric: str
    score: float
    low: float
    high: float
    n: int
    signature: str
    baseline: float
    p_value: float | None

    def as_record(self) -> dict[str, object]:
        """Return the figure as plain values for JSON."""
        return {"kind": "mt", **asdict(self)}


def paired_scores(
    system: Sequence[str],
    baseline: Sequence[str],
    references: Sequence[str],
    *,
    resamples: int,
    seed: int,
) -> list[PairedScore]:
    """Score a system beside a baseline on single references.

    Source: Post 2018 (signatures), Koehn 2004 (paired bootstrap). Raises ContractError when the
    lengths differ, which sacreBLEU itself lets pass. Equal outputs get p = 1, not 1 / (n + 1).
    """
    from sacrebleu.metrics.bleu import BLEU
    from sacrebleu.metrics.chrf import CHRF
    from sacrebleu.significance import PairedTest

    for name, lines in (("hypotheses", system), ("baseline lines", baseline)):
        if len(lines) != len(references):
            raise ContractError(f"{len(lines)} {name} for {len(references)} references")
    logging.getLogger("sacrebleu").setLevel(logging.WARNING)
    test = PairedTest(
        [("baseline", list(baseline)), ("system", list(system))],
        dict(zip(METRICS, (BLEU(), CHRF(word_order=2)), strict=True)),
        [list(references)],
        test_type="bs",
        n_samples=resamples,
    )
    test._seed = seed  # sacreBLEU itself takes it from the environment alone
    signatures, results = test()
    for named in signatures.values():
        named.update("seed", str(seed))
    found: list[list[Any]] = [results[name] for name in results if name != "System"]
    same = list(system) == list(baseline)
    return [
        _paired_score(metric, before, after, str(signature), same)
        for metric, (before, after), signature in zip(
            METRICS, found, signatures.values(), strict=True
        )
    ]


def _paired_score(metric: str, before: Any, after: Any, signature: str, same: bool) -> PairedScore:
    mean, half_width = float(after.mean), float(after.ci)
    return PairedScore(
        metric=metric,
        score=float(after.score),
        low=max(0.0, mean - half_width),
        high=min(100.0, mean + half_width),
        baseline=float(before.score),
        p_value=1.0 if same else float(after.p_value),
        signature=signature,
    )


def score_direction(
    hypotheses: Sequence[str],
    *,
    sources: Sequence[str],
    references: Sequence[str],
    direction: tuple[str, str],
    engine: str,
    round: int | None,
    before: Sequence[str] | None,
    resamples: int,
    seed: int,
) -> list[MtScore]:
    """Score one direction of one engine beside copying, and test it against `before`."""
    resampling = {"resamples": resamples, "seed": seed}
    tested = paired_scores(hypotheses, before, references, **resampling) if before else []
    p_values = {score.metric: score.p_value for score in tested}
    return [
        MtScore(
            round=round,
            engine=engine,
            direction="-".join(direction),
            metric=score.metric,
            score=score.score,
            low=score.low,
            high=score.high,
            n=len(references),
            signature=score.signature,
            baseline=score.baseline,
            p_value=p_values.get(score.metric),
        )
        for score in paired_scores(hypotheses, sources, references, **resampling)
    ]
