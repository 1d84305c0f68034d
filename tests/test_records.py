"""Records survive the disk, and no id is lost, added, repeated or moved unnoticed."""

from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from models.support.errors import ContractError
from tasks import records
from tasks.records import (
    RecordWriter,
    check_same_ids,
    count_records,
    read_columns,
    read_records,
    write_records,
)

TEXTS = ["", "a\tb\nc", "ꦲꦏ꧀ꦱꦫ", "हिन्दी", "نمی‌خواهم", "😀", '"quoted", comma']
IDS = st.lists(st.text(min_size=1, max_size=6), unique=True, min_size=1, max_size=12)


def test_round_trip(tmp_path: Path) -> None:
    path = tmp_path / "r.parquet"
    given_records = [{"id": f"k:{n}", "text": text} for n, text in enumerate(TEXTS)]
    with RecordWriter(path, ["id", "text"]) as writer:
        for record in given_records:
            writer.write(record)
    assert list(read_records(path)) == given_records
    assert read_columns(path, ("text",)) == {"text": TEXTS}
    assert count_records(path) == writer.written == len(TEXTS)


def test_rows_are_streamed_over_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import pyarrow.parquet as parquet

    monkeypatch.setattr(records, "ROWS_IN_MEMORY", 3)
    path = tmp_path / "r.parquet"
    ids = [f"k:{n}" for n in range(10)]
    write_records(path, {"id": ids, "text": ids[::-1]})
    assert parquet.ParquetFile(path).num_row_groups >= 3
    assert [r["id"] for r in read_records(path, ["id"])] == ids
    assert read_columns(path) == {"id": ids, "text": ids[::-1]}


def test_an_empty_file_has_columns_and_no_records(tmp_path: Path) -> None:
    path = tmp_path / "r.parquet"
    write_records(path, {"id": [], "text": []})
    assert list(read_records(path)) == []
    assert read_columns(path) == {"id": [], "text": []}
    assert count_records(path) == 0


def test_columns_of_different_length_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="shorter"):
        write_records(tmp_path / "r.parquet", {"id": ["a", "b"], "text": ["x"]})


@settings(deadline=None)
@given(IDS)
def test_the_same_ids_pass(ids: list[str]) -> None:
    assert check_same_ids("step", ids, tuple(ids)) is None  # it raises where they differ


@settings(deadline=None)
@given(IDS, st.data())
def test_a_lost_id_is_named(ids: list[str], data: st.DataObject) -> None:
    lost = data.draw(st.sampled_from(ids))
    with pytest.raises(ContractError) as caught:
        check_same_ids("translation ind-jav", ids, [i for i in ids if i != lost])
    assert repr(lost) in str(caught.value)
    assert "translation ind-jav" in str(caught.value)
    assert "lost" in str(caught.value)


@settings(deadline=None)
@given(IDS, st.text(min_size=7, max_size=9), st.data())
def test_an_extra_id_is_named(ids: list[str], extra: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(ids)))
    with pytest.raises(ContractError) as caught:
        check_same_ids("step", ids, [*ids[:place], extra, *ids[place:]])
    assert repr(extra) in str(caught.value)
    assert "unknown" in str(caught.value)


@settings(deadline=None)
@given(IDS, st.data())
def test_a_repeated_id_is_named(ids: list[str], data: st.DataObject) -> None:
    again = data.draw(st.sampled_from(ids))
    with pytest.raises(ContractError) as caught:
        check_same_ids("step", ids, [*ids, again])
    assert repr(again) in str(caught.value)
    assert "repeated" in str(caught.value)


@settings(deadline=None)
@given(IDS.flatmap(lambda ids: st.tuples(st.just(ids), st.permutations(ids))))
def test_a_moved_id_is_named(both: tuple[list[str], list[str]]) -> None:
    ids, moved = both
    assume(ids != moved)
    first = next(a for a, b in zip(ids, moved, strict=True) if a != b)
    with pytest.raises(ContractError) as caught:
        check_same_ids("step", ids, moved)
    assert repr(first) in str(caught.value)
    assert "order" in str(caught.value)


@settings(deadline=None)
@given(*[st.lists(st.sampled_from("abc"), max_size=5)] * 2)
def test_whatever_differs_is_a_contract_error(ids: list[str], got: list[str]) -> None:
    assume(ids != got)
    with pytest.raises(ContractError):
        check_same_ids("step", ids, got)
