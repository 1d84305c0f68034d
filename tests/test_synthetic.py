"""Real text paired with its translation: what is kept, which side is real, what is an error."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from models.support.errors import ContractError, SourceError
from tasks.mt.synthetic import Sides, SyntheticRules, write_synthetic_bitext
from tasks.records import Record, read_records

BACK = Sides("ind", "mad", real_target=True)
FORWARD = Sides("mad", "ind", real_target=False)
RULES = SyntheticRules(max_length_ratio=2.0, max_lost=1.0)


def texts(values: Sequence[str]) -> list[Record]:
    return [{"id": f"mono:{n}", "text": text} for n, text in enumerate(values)]


def pair(
    folder: Path,
    real: Sequence[str],
    made: Sequence[str],
    *,
    sides: Sides = BACK,
    rules: SyntheticRules = RULES,
) -> tuple[Any, list[Record]]:
    """Pair texts; return the counts and the rows written."""
    out = folder / "synthetic.parquet"
    counts = write_synthetic_bitext(texts(real), texts(made), sides=sides, rules=rules, out=out)
    return counts, list(read_records(out))


@pytest.mark.parametrize(
    ("sides", "mad", "ind", "origin"),
    [
        (BACK, "okara", "kalimat", "synthetic:back-translation"),
        (FORWARD, "okara", "kalimat", "synthetic:forward-translation"),
    ],
)
def test_the_translation_is_on_the_side_that_is_not_real(
    tmp_path: Path, sides: Sides, mad: str, ind: str, origin: str
) -> None:
    _, rows = pair(tmp_path, [mad], [ind], sides=sides)
    assert rows == [{"id": "mono:0", "mad": mad, "ind": ind, "origin": origin}]


def test_lines_of_unusual_length_and_empty_ones_are_dropped(tmp_path: Path) -> None:
    made = ["wxyz", "wxyz", "wxyzwxyz", "wxyzwxyz!", "", "w", "wx"]
    counts, rows = pair(tmp_path, ["abcd"] * 7, made)
    assert counts == {"read": 7, "kept": 4, "dropped": {"length_ratio": 2, "empty": 1}}
    assert [row["id"] for row in rows] == ["mono:0", "mono:1", "mono:2", "mono:6"]


EAT_AT_HOME = {
    "eng": ["I eat rice at home.", "She drinks coffee every day.", "We read many good books.",
            "The children play outside.", "It rained all night."],
    "zho": ["我在家吃饭。", "她每天喝咖啡。", "我们读很多好书。", "孩子们在外面玩。",
            "下了一夜雨。"],
    "hin": ["मैं घर पर चावल खाता हूँ।", "वह रोज़ कॉफ़ी पीती है।", "हम कई अच्छी किताबें पढ़ते हैं।",
            "बच्चे बाहर खेलते हैं।", "रात भर बारिश हुई।"],
    "tha": ["ฉันกินข้าวที่บ้าน", "เธอดื่มกาแฟทุกวัน", "เราอ่านหนังสือดีๆ หลายเล่ม", "เด็กๆ เล่นอยู่ข้างนอก",
            "ฝนตกทั้งคืน"],
}  # fmt: skip


@pytest.mark.parametrize("real", EAT_AT_HOME)
@pytest.mark.parametrize("made", EAT_AT_HOME)
def test_scripts_that_take_more_or_fewer_characters_lose_nothing(
    tmp_path: Path, real: str, made: str
) -> None:
    counts, _ = pair(tmp_path, EAT_AT_HOME[real], EAT_AT_HOME[made])
    assert (counts["kept"], counts["dropped"]) == (5, {})


def test_in_such_a_script_too_what_runs_on_is_dropped(tmp_path: Path) -> None:
    made = [*EAT_AT_HOME["zho"][:4], "下雨" * 15]
    counts, rows = pair(tmp_path, EAT_AT_HOME["eng"], made)
    assert counts["dropped"] == {"length_ratio": 1}
    assert [row["id"] for row in rows] == [f"mono:{n}" for n in range(4)]


def test_the_real_side_is_untouched(tmp_path: Path) -> None:
    real = ["ba'na ta' tao", "ꦲꦏ꧀ꦱꦫ ꦗꦮ", "  spasi  tetep "]
    for sides, made in ((BACK, "mad"), (FORWARD, "mad")):
        _, rows = pair(tmp_path, real, ["x" * len(text) for text in real], sides=sides)
        assert [row[made] for row in rows] == real


def test_a_limit_takes_lines_from_all_of_the_text(tmp_path: Path) -> None:
    rules = RULES._replace(most=5)
    made = ["kalimat"] * 19 + [""]
    counts, rows = pair(tmp_path, ["okara"] * 20, made, rules=rules)
    assert counts == {"read": 20, "kept": 5, "dropped": {"empty": 1, "above_ratio": 14}}
    numbers = [int(row["id"].removeprefix("mono:")) for row in rows]
    assert numbers == sorted(set(numbers))
    assert [n // 4 for n in numbers] == [0, 0, 1, 2, 3]


@pytest.mark.parametrize("most", [3, 4, None])
def test_a_limit_that_is_not_reached_drops_nothing(tmp_path: Path, most: int | None) -> None:
    rules = RULES._replace(most=most)
    counts, _ = pair(tmp_path, ["okara"] * 3, ["kalimat"] * 3, rules=rules)
    assert counts == {"read": 3, "kept": 3, "dropped": {}}


def test_losing_more_than_allowed_says_where_why_and_what_to_do(tmp_path: Path) -> None:
    real = ["okara panjhang"] * 6
    made = ["", "", "", "x" * 90, "kalimat panjang", "kalimat panjang"]
    allowed = SyntheticRules(max_length_ratio=2.0, max_lost=0.7)
    counts, _ = pair(tmp_path, real, made, rules=allowed)
    assert counts["kept"] == 2
    with pytest.raises(SourceError) as caught:
        pair(tmp_path, real, made, rules=allowed._replace(max_lost=0.5))
    for told in ("ind-mad", "4 of 6", "3 empty", "1 length_ratio", "max_length_ratio", "max_lost"):
        assert told in str(caught.value)


def test_a_limit_counts_as_no_loss(tmp_path: Path) -> None:
    rules = SyntheticRules(max_length_ratio=2.0, max_lost=0.1, most=1)
    counts, _ = pair(tmp_path, ["okara"] * 9, ["kalimat"] * 9, rules=rules)
    assert counts["dropped"] == {"above_ratio": 8}


def test_a_translation_of_another_text_is_refused(tmp_path: Path) -> None:
    real, made = texts(["satu", "dua"]), texts(["one", "two"])[::-1]
    with pytest.raises(ContractError, match="ind-mad"):
        write_synthetic_bitext(real, made, sides=BACK, rules=RULES, out=tmp_path / "s.parquet")


def test_no_text_makes_no_bitext(tmp_path: Path) -> None:
    assert pair(tmp_path, [], []) == ({"read": 0, "kept": 0, "dropped": {}}, [])


def test_nothing_is_kept_of_a_translation_that_is_not_usable(tmp_path: Path) -> None:
    ill = RULES._replace(max_lost=0.2, ills=("100% of its lines are empty",))
    counts, rows = pair(tmp_path, ["abcd"] * 3, ["", "", "abcd"], rules=ill)
    assert counts == {"read": 3, "kept": 0, "dropped": {"not_usable": 3}}
    assert rows == []
