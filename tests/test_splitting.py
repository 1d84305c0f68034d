"""Parts depend on ids alone."""

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.sources.description import HashSplit, ShareSplit
from tasks.splitting import NAMED_PARTS, PARTS, assign, part_by_share, propose, rank, rest

IDS = st.lists(st.text(min_size=1, max_size=8), unique=True, max_size=60)
SIZES = st.integers(min_value=0, max_value=20)
MANY = [f"korpus:{number}" for number in range(500)]
SPLIT = HashSplit(rule="hash", dev=30, test=40)


def parts(ids: list[str], split: HashSplit) -> dict[str, str]:
    assigned = assign(ids, split)
    return {i: assigned.get(i, rest(split)) for i in ids}


@settings(deadline=None)
@given(IDS, SIZES, SIZES, st.none() | st.integers(1, 20))
def test_sizes_are_exact(ids: list[str], dev: int, test: int, train: int | None) -> None:
    found = Counter(parts(ids, HashSplit(rule="hash", dev=dev, test=test, train=train)).values())
    left = len(ids)
    for part, size in (("test", test), ("dev", dev)):
        assert found[part] == min(size, left)
        left -= found[part]
    assert found["train"] == (left if train is None else min(train, left))


@settings(deadline=None)
@given(IDS.flatmap(lambda ids: st.tuples(st.just(ids), st.permutations(ids))), SIZES, SIZES)
def test_order_of_input_is_irrelevant(both: tuple[list[str], list[str]], d: int, t: int) -> None:
    split = HashSplit(rule="hash", dev=d, test=t)
    assert parts(both[0], split) == parts(both[1], split)


@settings(deadline=None)
@given(IDS, st.text(min_size=9, max_size=10))
def test_one_more_id_never_moves_text_from_train_to_test(ids: list[str], new: str) -> None:
    split = HashSplit(rule="hash", dev=5, test=5)
    before, after = parts(ids, split), parts([*ids, new], split)
    assert not [i for i in ids if before[i] == "train" and after[i] != "train"]


def test_seed_draws_another_test_set() -> None:
    first, second = (parts(MANY, replace(SPLIT, seed=seed)) for seed in (0, 1))
    assert first != second
    assert Counter(first.values()) == Counter(second.values())


def test_a_train_limit_leaves_dev_and_test_alone() -> None:
    whole, cut = parts(MANY, SPLIT), parts(MANY, replace(SPLIT, train=100))
    assert Counter(cut.values()) == {"test": 40, "dev": 30, "train": 100, "unused": 330}
    assert {i: part for i, part in cut.items() if part not in ("train", "unused")} == {
        i: part for i, part in whole.items() if part != "train"
    }


def test_parts_are_stable_over_releases() -> None:
    assert rank("korpus:1", 0) == 8113535865024849527


@settings(deadline=None)
@given(st.integers(0, 10_000))
def test_a_proposal_holds_out_a_fifth_at_most(usable: int) -> None:
    split = propose(usable)
    assert 5 * (split.dev + split.test) <= usable
    assert split.dev <= split.test <= 350


def test_a_proposal_for_much_text_is_the_usual_split() -> None:
    assert propose(3_500) == HashSplit(rule="hash")


def test_a_share_of_the_groups_is_drawn_and_more_groups_move_none() -> None:
    split = ShareSplit(rule="shares", dev=0.1, test=0.2, seed=3)
    drawn = {f"g{n}": part_by_share(f"g{n}", split) for n in range(2000)}
    shares = {part: [*drawn.values()].count(part) / 2000 for part in PARTS}
    assert shares == {
        "train": pytest.approx(0.7, abs=0.03),
        "dev": pytest.approx(0.1, abs=0.03),
        "test": pytest.approx(0.2, abs=0.03),
    }
    none = ShareSplit(rule="shares", dev=0, test=0.2, seed=3)
    tests = {group for group, part in drawn.items() if part == "test"}
    assert tests == {group for group in drawn if part_by_share(group, none) == "test"}
    assert "dev" not in {part_by_share(group, none) for group in drawn}


@pytest.mark.parametrize(
    ("word", "part"),
    [("Validation", "dev"), ("TRAINING", "train"), ("devel", "dev"), ("holdout", None)],
)
def test_parts_are_known_by_what_people_call_them(word: str, part: str | None) -> None:
    assert NAMED_PARTS.get(word.casefold()) == part
