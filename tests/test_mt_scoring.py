"""BLEU and chrF++ with interval, signature, copy baseline and paired test."""

from collections.abc import Sequence

import pytest
import sacrebleu

from models.support.errors import ContractError
from tasks.mt.scoring import METRICS, MtScore, paired_scores, score_direction
from tasks.sandbox import SandboxRecipe, parallel

PAIRS = parallel(SandboxRecipe(pairs=60, monolingual=10), "cou")
SOURCES, REFERENCES = map(list, zip(*[(hub, text) for _, hub, text in PAIRS], strict=True))
WORSE = [" ".join(text.split()[1:]) for text in REFERENCES]
MIXED = [
    good if n % 4 else bad for n, (good, bad) in enumerate(zip(REFERENCES, WORSE, strict=True))
]


def score(hypotheses: Sequence[str], before: Sequence[str] | None = None) -> dict[str, MtScore]:
    scores = score_direction(
        hypotheses,
        sources=SOURCES,
        references=REFERENCES,
        direction=("hub", "cou"),
        engine="nmt-1",
        round=1,
        before=before,
        resamples=100,
        seed=7,
    )
    assert [s.metric for s in scores] == list(METRICS)
    return {s.metric: s for s in scores}


def test_scores_are_sacrebleus_with_its_signature() -> None:
    found = score(MIXED)
    bleu = sacrebleu.corpus_bleu(MIXED, [REFERENCES]).score
    chrf = sacrebleu.corpus_chrf(MIXED, [REFERENCES], word_order=2).score
    assert found["BLEU"].score == pytest.approx(bleu)
    assert found["chrF++"].score == pytest.approx(chrf)
    assert "tok:13a" in found["BLEU"].signature
    assert "nw:2" in found["chrF++"].signature
    for value in found.values():
        assert f"version:{sacrebleu.__version__}" in value.signature
        assert "nrefs:1" in value.signature
        assert "seed:7|" in value.signature


@pytest.mark.parametrize("hypotheses", [MIXED, WORSE, SOURCES])
def test_the_interval_holds_the_score(hypotheses: list[str]) -> None:
    for value in score(hypotheses).values():
        assert 0 <= value.low <= value.score <= value.high <= 100.001
        assert value.n == len(REFERENCES)


def test_a_perfect_translation_is_a_hundred() -> None:
    for value in score(REFERENCES).values():
        assert (value.low, value.score, value.high) == pytest.approx((100, 100, 100))


def test_no_translation_at_all_is_nothing() -> None:
    for value in score([""] * len(REFERENCES)).values():
        assert (value.low, value.score, value.high) == pytest.approx((0, 0, 0))


def test_the_baseline_copies_the_source() -> None:
    found, copied = score(MIXED), score(SOURCES)
    for metric in METRICS:
        assert found[metric].baseline == pytest.approx(copied[metric].score)
        assert copied[metric].baseline == pytest.approx(copied[metric].score)
        assert found[metric].baseline < found[metric].score


def test_without_an_earlier_round_nothing_is_tested() -> None:
    assert [value.p_value for value in score(MIXED).values()] == [None, None]


def test_the_same_translations_have_p_one() -> None:
    assert [value.p_value for value in score(MIXED, before=list(MIXED)).values()] == [1.0, 1.0]


def test_a_clear_gain_has_a_small_p() -> None:
    for value in score(REFERENCES, before=WORSE).values():
        assert value.p_value is not None
        assert value.p_value < 0.05


def test_what_it_is_tested_against_does_not_change_the_score() -> None:
    alone, tested = score(MIXED), score(MIXED, before=WORSE)
    for metric in METRICS:
        assert alone[metric].score == tested[metric].score
        assert alone[metric].baseline == tested[metric].baseline


def test_a_figure_says_where_it_comes_from() -> None:
    record = score(MIXED)["BLEU"].as_record()
    expected = {"kind": "mt", "round": 1, "engine": "nmt-1", "direction": "hub-cou"}
    assert {field: record[field] for field in expected} == expected


@pytest.mark.parametrize(
    ("system", "baseline", "words"),
    [
        (["a"], ["a", "b"], "1 hypotheses for 2 references"),
        (["a", "b", "c"], ["a", "b"], "3 hypotheses for 2 references"),
        (["a", "b"], [], "0 baseline lines for 2 references"),
    ],
)
def test_lost_lines_are_an_error(system: list[str], baseline: list[str], words: str) -> None:
    with pytest.raises(ContractError, match=words):
        paired_scores(system, baseline, ["a", "b"], resamples=100, seed=12345)
