"""Score translations: BLEU and chrF++ with signature, bootstrap interval and paired significance."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, NamedTuple

from models.errors import ContractError

if TYPE_CHECKING:
    from sacrebleu.metrics.base import Metric

METRICS = ("BLEU", "chrF++")


class Score(NamedTuple):
    """One metric of one system: value, 95 % bootstrap interval, number of sentences, signature."""

    metric: str
    score: float
    low: float
    high: float
    n: int
    signature: str


def build_metric(name: str) -> "Metric":
    """Return a sacreBLEU metric by the name users know."""
    from sacrebleu.metrics import BLEU, CHRF

    return BLEU() if name == "BLEU" else CHRF(word_order=2)


def score_system(
    hypotheses: Sequence[str], references: Sequence[str], *, resamples: int
) -> list[Score]:
    """Score one system against single references (Post 2018; Koehn 2004 for the interval).

    Raises ContractError when the lengths differ, which sacreBLEU itself lets pass.
    """
    if len(hypotheses) != len(references):
        raise ContractError(f"{len(hypotheses)} hypotheses for {len(references)} references")
    return [_score(build_metric(name), name, hypotheses, references, resamples) for name in METRICS]


def _score(
    metric: "Metric", name: str, hypotheses: Sequence[str], references: Sequence[str], resamples: int
) -> Score:
    result = metric.corpus_score(hypotheses, [references], n_bootstrap=resamples)
    fields = json.loads(result.format(width=4, is_json=True))
    mean, half_width = fields["confidence_mean"], fields["confidence_var"]
    return Score(
        metric=name,
        score=result.score,
        low=mean - half_width,
        high=mean + half_width,
        n=len(references),
        signature=str(metric.get_signature()),
    )


def paired_p_values(
    system: Sequence[str], baseline: Sequence[str], references: Sequence[str], *, resamples: int
) -> dict[str, float]:
    """Return, per metric, the p-value of a paired bootstrap test of `system` against `baseline`."""
    from sacrebleu.significance import PairedTest

    if list(system) == list(baseline):
        return dict.fromkeys(METRICS, 1.0)
    test = PairedTest(
        [("baseline", list(baseline)), ("system", list(system))],
        {name: build_metric(name) for name in METRICS},
        [list(references)],
        test_type="bs",
        n_samples=resamples,
    )
    _, results = test()
    return {name: float(results[name][1].p_value) for name in METRICS}


@dataclass(frozen=True)
class MtScore:
    """One figure of the MT table. `p_value` tests against the same direction of round 0."""

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
) -> list[MtScore]:
    """Score one direction of one engine; the baseline is the score of copying the source."""
    p_values = paired_p_values(hypotheses, before, references, resamples=resamples) if before else {}
    return [
        MtScore(
            round=round,
            engine=engine,
            direction="-".join(direction),
            baseline=build_metric(value.metric).corpus_score(list(sources), [list(references)]).score,
            p_value=p_values.get(value.metric),
            **value._asdict(),
        )
        for value in score_system(hypotheses, references, resamples=resamples)
    ]
