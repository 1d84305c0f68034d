"""BLEU and chrF++ by tallies, with interval, signature, copy baseline and paired test."""

from collections.abc import Sequence

import numpy
import pytest
import sacrebleu
from hypothesis import given, settings
from hypothesis import strategies as st

from models.support.errors import ContractError
from tasks.mt.contests import (
    ALL,
    DirectionScore,
    MtContest,
    PairTest,
    compare_systems,
    correct,
    load_tallies,
    save_tallies,
    score_direction,
    tally_direction,
)
from tasks.mt.scoring import MEASURES, METRICS, signature, tallies, tokeniser_for
from tasks.sandbox import SandboxRecipe, parallel
from tasks.statistics import Runs

PAIRS = parallel(SandboxRecipe(pairs=60, monolingual=10), "cou")
KEYS, SOURCES, REFERENCES = map(list, zip(*PAIRS, strict=True))
SIDES = dict(zip(KEYS, zip(SOURCES, REFERENCES, strict=True), strict=True))
WORSE = [" ".join(text.split()[1:]) for text in REFERENCES]
MIXED = [
    good if n % 4 else bad for n, (good, bad) in enumerate(zip(REFERENCES, WORSE, strict=True))
]
DIRECTION = ("hub", "cou")
WORDS = st.lists(st.sampled_from(["a", "b", "rumah", "ไทย", "!"]), max_size=7).map(" ".join)


def score(*replicates: Sequence[str], random: bool = True) -> dict[str, DirectionScore]:
    hypotheses = [dict(zip(KEYS, lines, strict=True)) for lines in replicates]
    part = tally_direction(SIDES, hypotheses)
    contest = MtContest(random, resamples=100, seed=7)
    scores = score_direction(DIRECTION, {"dev": part, "test": part}, contest)
    assert [s.metric for s in scores] == list(METRICS)
    return {s.metric: s for s in scores}


def runs(*replicates: Sequence[str]) -> dict[str, Runs]:
    return {
        metric: Runs(
            tuple(KEYS), numpy.stack([tallies(metric, lines, REFERENCES) for lines in replicates])
        )
        for metric in METRICS
    }


def compare(first: dict[str, Runs], second: dict[str, Runs]) -> list[PairTest]:
    return compare_systems({DIRECTION: (first, second)}, resamples=100, seed=7)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(WORDS, WORDS.filter(bool)), min_size=1, max_size=8))
def test_sums_of_tallies_score_as_sacrebleu_does(pairs: list[tuple[str, str]]) -> None:
    hypotheses, references = map(list, zip(*pairs, strict=True))
    tokeniser = tokeniser_for(references)
    expected = {
        "BLEU": sacrebleu.corpus_bleu(hypotheses, [references], tokenize=tokeniser).score,
        "chrF++": sacrebleu.corpus_chrf(hypotheses, [references], word_order=2).score,
    }
    for metric, measure in MEASURES.items():
        found = measure(tallies(metric, hypotheses, references).sum(0))
        assert float(found) == pytest.approx(expected[metric], abs=1e-9)


def test_scores_are_sacrebleus_with_its_signature() -> None:
    found = score(MIXED)
    assert found["BLEU"].score == pytest.approx(sacrebleu.corpus_bleu(MIXED, [REFERENCES]).score)
    assert "tok:13a" in signature("BLEU")
    assert "nw:2" in signature("chrF++")
    for value in found.values():
        assert f"version:{sacrebleu.__version__}" in value.signature
        assert "nrefs:1" in value.signature


@pytest.mark.parametrize("hypotheses", [MIXED, WORSE, SOURCES])
def test_the_interval_holds_the_score(hypotheses: list[str]) -> None:
    for value in score(hypotheses).values():
        assert 0 <= value.low <= value.score <= value.high
        assert value.n == len(REFERENCES)


def test_a_perfect_translation_is_a_hundred() -> None:
    for value in score(REFERENCES).values():
        assert (value.low, value.score, value.high) == pytest.approx((100, 100, 100))


def test_no_translation_at_all_is_nothing() -> None:
    for value in score([""] * len(REFERENCES)).values():
        assert (value.low, value.score, value.high) == pytest.approx((0, 0, 0))


def test_a_score_is_the_mean_over_replicates() -> None:
    one, other, both = score(MIXED), score(WORSE), score(MIXED, WORSE)
    for metric in METRICS:
        assert both[metric].score == pytest.approx((one[metric].score + other[metric].score) / 2)
        assert both[metric].spread == pytest.approx(
            abs(one[metric].score - other[metric].score) / 2**0.5
        )
        assert one[metric].spread is None
        assert both[metric].high - both[metric].low > one[metric].high - one[metric].low


def test_copying_the_source_stands_beside() -> None:
    found, copied = score(MIXED), score(SOURCES)
    for metric in METRICS:
        assert found[metric].copy == pytest.approx(copied[metric].score)
        assert found[metric].copy < found[metric].score


def test_the_same_translations_have_p_one() -> None:
    same = runs(MIXED, WORSE)
    assert [test.p for test in compare(same, same)] == [1.0, 1.0]


def test_a_clear_gain_has_a_small_p() -> None:
    good, bad = runs(REFERENCES, REFERENCES), runs(WORSE, WORSE)
    for test in compare(good, bad):
        assert test.difference > 5
        assert test.p is not None
        assert test.p < 0.05


def test_one_training_claims_no_p() -> None:
    assert [test.p for test in compare(runs(REFERENCES), runs(WORSE))] == [None, None]


def test_several_directions_are_also_tested_together() -> None:
    pair = runs(REFERENCES, REFERENCES), runs(WORSE, WORSE)
    tests = compare_systems({("a", "b"): pair, ("b", "a"): pair[::-1]}, resamples=100, seed=7)
    whole = {test.metric: test for test in tests if test.where == ALL}
    assert whole["BLEU"].difference == pytest.approx(0)
    assert whole["BLEU"].better == (1, 2)
    assert {test.where for test in tests} == {ALL, "a-b", "b-a"}


def test_p_values_are_corrected_over_the_contrasts_of_a_list() -> None:
    once = compare(runs(MIXED, MIXED), runs(WORSE, WORSE))
    twice = correct([once, once])
    for before, after in zip(once, twice[0], strict=True):
        assert after.p == pytest.approx(min(1, 2 * before.p))
    assert correct([once]) == [once]


def test_tallies_are_read_back(tmp_path: object) -> None:
    part = tally_direction(SIDES, [dict(zip(KEYS, MIXED, strict=True))])
    save_tallies(part, part.ids, tmp_path / "x.npz")
    for metric, found in load_tallies(tmp_path / "x.npz", random=False).items():
        assert found.ids == tuple(KEYS)
        assert numpy.array_equal(found.tallies, part.systems[metric])
        assert not found.random


@pytest.mark.parametrize(
    ("reference", "hypothesis", "tokeniser"),
    [
        ("他昨天在市场买了三条鱼。", "他昨天在市场买了两条鱼。", "zh"),
        ("เมื่อวานเขาซื้อปลาสามตัวที่ตลาด", "เมื่อวานเขาซื้อปลาสองตัวที่ตลาด", "char"),
        ("きのう彼はいちばで魚をかいました。", "きのう彼はいちばで肉をかいました。", "char"),
        ("ម្សិលមិញគាត់ទិញត្រីបីក្បាល", "ម្សិលមិញគាត់ទិញត្រីពីរក្បាល", "char"),
        ("ᥖᥤᥴ ᥑᥨᥢᥰᥙᥣᥒᥲᥓᥣᥭᥰᥛᥣᥰᥓᥫᥰ", "ᥖᥤᥴ ᥑᥨᥢᥰᥙᥣᥒᥲᥓᥣᥭᥰᥛᥣᥰᥘᥫᥰ", "char"),
        ("ཁོས་ཁ་སང་ཁྲོམ་ལ་ཉ་གསུམ་ཉོས།", "ཁོས་ཁ་སང་ཁྲོམ་ལ་ཉ་གཉིས་ཉོས།", "char"),
        ("उसने कल बाज़ार में तीन मछलियाँ खरीदीं।", "उसने कल बाज़ार में दो मछलियाँ खरीदीं।", "intl"),
        (
            "Kemarin dia membeli tiga ikan di pasar.",
            "Kemarin dia membeli dua ikan di pasar.",
            "13a",
        ),
    ],
)
def test_one_word_changed_leaves_most_of_bleu_in_every_script(
    reference: str, hypothesis: str, tokeniser: str
) -> None:
    if tokeniser == "char" and "mecab" in tokeniser_for([reference]):
        pytest.skip("MeCab is installed")
    assert tokeniser_for([reference]) == tokeniser
    found = float(MEASURES["BLEU"](tallies("BLEU", [hypothesis], [reference]).sum(0)))
    assert 25 < found < 95
    assert f"tok:{tokeniser}" in signature("BLEU", tokeniser)


def test_a_sentence_without_translation_is_an_error() -> None:
    lines = dict(zip(KEYS, MIXED, strict=True))
    del lines[KEYS[5]]
    with pytest.raises(ContractError, match=f"1 sentences have no translation, as '{KEYS[5]}'"):
        tally_direction(SIDES, [lines])


@pytest.mark.parametrize(
    ("hypotheses", "words"),
    [(["a"], "1 hypotheses for 2 references"), (["a", "b", "c"], "3 hypotheses for 2 references")],
)
def test_lost_lines_are_an_error(hypotheses: list[str], words: str) -> None:
    with pytest.raises(ContractError, match=words):
        tallies("BLEU", hypotheses, ["a", "b"])
