"""Translation keeps ids and resumes after a crash; a faster number format must cost little."""

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from models.engines.protocol import Decoding, Engine, Line, Noise
from models.support.errors import ContractError
from models.support.instructions import INSTRUCTIONS, use_wide_vectors
from tasks.mt import number_format, translation
from tasks.mt.number_format import Direction, TranslationType, choose_type
from tasks.mt.translation import (
    Order,
    as_texts,
    shard,
    stream_translation,
    write_texts,
)
from tasks.records import Record, write_records

BEAM = Decoding(beam=4)
RECORDS = [{"id": f"k:{n}", "text": f"okara {n}"} for n in range(10)]


class Upper:
    """Answer in capitals; note each call; fail at the call that `fails_at` names."""

    def __init__(self, *, fails_at: int | None = None) -> None:
        self.calls: list[list[str]] = []
        self.seeds: list[int] = []
        self.fails_at = fails_at

    def translate(
        self, lines: Sequence[Line], *, source: str, target: str, decoding: Decoding
    ) -> list[Line]:
        self.calls.append([text for _, text in lines])
        self.seeds.append(decoding.seed)
        if len(self.calls) == self.fails_at:
            raise KeyboardInterrupt
        return [(key, f"{target}: {text.upper()}") for key, text in lines]


class Scripted:
    """Answer with prepared texts."""

    def __init__(self, answers: Sequence[str]) -> None:
        self.answers = answers

    def translate(
        self, lines: Sequence[Line], *, source: str, target: str, decoding: Decoding
    ) -> list[Line]:
        return [(key, answer) for (key, _), answer in zip(lines, self.answers, strict=True)]


@pytest.fixture(autouse=True)
def _small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(translation, "SHARD_RECORDS", 4)


def translate(
    engine: Engine,
    shards: Path,
    records: Sequence[Record] = RECORDS,
    decoding: Decoding = BEAM,
) -> list[Record]:
    return list(stream_translation(records, engine, Order("mad", "ind", decoding), shards=shards))


def test_ids_and_order_are_kept(tmp_path: Path) -> None:
    engine = Upper()
    translated = translate(engine, tmp_path)
    assert translated == [{"id": f"k:{n}", "text": f"ind: OKARA {n}"} for n in range(10)]
    assert [len(call) for call in engine.calls] == [4, 4, 2]


def test_progress_is_reported_up_to_the_end(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    translated = stream_translation(
        RECORDS,
        Upper(),
        Order("mad", "ind", BEAM),
        shards=tmp_path,
        report=lambda done, total: seen.append((done, total)),
    )
    assert len(list(translated)) == len(RECORDS)
    assert seen == [(4, 10), (8, 10), (10, 10)]


def test_nothing_to_translate_is_no_error(tmp_path: Path) -> None:
    assert translate(Upper(), tmp_path, []) == []


def test_a_translation_is_one_line(tmp_path: Path) -> None:
    records = [{"id": "k:0", "text": "x"}, {"id": "k:1", "text": "y"}]
    translated = translate(Scripted([" satu\n dua\t", ""]), tmp_path, records)
    assert [r["text"] for r in translated] == ["satu dua", ""]


def test_an_interrupted_run_goes_on_where_it_was(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        translate(Upper(fails_at=2), tmp_path)
    second, third = Upper(), Upper()
    translated = translate(second, tmp_path)
    assert [call[0] for call in second.calls] == ["okara 4", "okara 8"]
    assert translated == translate(third, tmp_path)
    assert third.calls == []


def test_shards_of_other_records_are_not_taken_for_these(tmp_path: Path) -> None:
    translate(Upper(), tmp_path)
    others = [{"id": f"other:{n}", "text": "x"} for n in range(10)]
    with pytest.raises(ContractError, match="'other:0'"):
        translate(Upper(), tmp_path, others)


def test_a_stream_gives_what_is_done_and_goes_no_further_than_asked(tmp_path: Path) -> None:
    engine = Upper()
    stream = stream_translation(RECORDS, engine, Order("mad", "ind", BEAM), shards=tmp_path)
    assert next(stream) == {"id": "k:0", "text": "ind: OKARA 0"}
    assert len(engine.calls) == 1
    out = tmp_path / "rest.parquet"
    assert write_texts(out, stream) == 9
    assert [record["id"] for record in as_texts(out, "text")] == [f"k:{n}" for n in range(1, 10)]


def test_each_shard_draws_with_a_seed_of_its_own_that_a_later_run_has_again(
    tmp_path: Path,
) -> None:
    sampling = Decoding(sampling=1.0)
    whole, other, beam = Upper(), Upper(), Upper()
    translate(whole, tmp_path / "whole", decoding=sampling)
    translate(other, tmp_path / "other", decoding=Decoding(sampling=1.0, seed=2))
    translate(beam, tmp_path / "beam", decoding=Decoding(beam=2, seed=3))
    assert len({*whole.seeds, *other.seeds}) == 6
    assert all(0 <= seed < 2**32 for seed in whole.seeds)
    assert beam.seeds == [3, 3, 3]
    with pytest.raises(KeyboardInterrupt):
        translate(Upper(fails_at=2), tmp_path / "cut", decoding=sampling)
    rest = Upper()
    translate(rest, tmp_path / "cut", decoding=sampling)
    assert rest.seeds == whole.seeds[1:]


def test_noise_falls_on_the_translation_alike_however_it_is_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    noised = Decoding(beam=4, noise=Noise(delete=0.3, blank=0.3))
    records = [{"id": f"k:{n}", "text": f"यह किताब {n} अच्छी है"} for n in range(10)]
    translated = translate(Upper(), tmp_path / "fours", records, noised)
    clean = translate(Upper(), tmp_path / "clean", records)
    assert [r["id"] for r in translated] == [r["id"] for r in records]
    assert [r["text"] for r in translated] != [r["text"] for r in clean]
    for noisy, whole in zip(translated, clean, strict=True):
        assert set(noisy["text"].split()) <= {*whole["text"].split(), "_"}
    monkeypatch.setattr(translation, "SHARD_RECORDS", 3)
    assert translate(Upper(), tmp_path / "threes", records, noised) == translated


@pytest.mark.parametrize("of", [1, 3, 4, 12])
def test_shards_put_together_are_the_text(of: int) -> None:
    parts = [shard(RECORDS, number, of) for number in range(of)]
    assert [record for part in parts for record in part] == RECORDS
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


def test_one_column_is_read_with_its_ids(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    write_records(path, {"id": ["k:1"], "mad": ["oreng"], "ind": ["orang"]})
    assert as_texts(path, "ind") == [{"id": "k:1", "text": "orang"}]


class Formats:
    """Stand in for the NMT engine: repeats its input, in int8 with some lines spoilt."""

    spoilt = 0

    def __init__(self, *_: object, compute_type: str, **__: object) -> None:
        self.spoils = self.spoilt if compute_type == "int8" else 0

    def translate(self, lines: Sequence[Line], **_: object) -> list[Line]:
        return [(k, "wrong" if i < self.spoils else text) for i, (k, text) in enumerate(lines)]


@pytest.mark.parametrize(("spoilt", "expected"), [(0, "int8"), (1, "int8"), (40, "float32")])
def test_a_model_translates_in_int8_only_where_that_costs_little_bleu(
    spoilt: int, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(number_format, "NmtEngine", Formats)
    monkeypatch.setattr(number_format, "translation_device", lambda: "cpu")
    monkeypatch.setattr(Formats, "spoilt", spoilt)
    dev = tmp_path / "dev.parquet"
    same = [f"one of {n} sentences that are the same on both sides" for n in range(500)]
    write_records(dev, {"id": [str(n) for n in range(500)], "hub": same, "sis": same})
    directions = [Direction("hub", "sis", dev), Direction("sis", "hub", dev)]
    chosen = choose_type(tmp_path, tmp_path, directions, threads=1)
    assert chosen.compute_type == expected
    assert chosen.sentences == 1000
    assert chosen.bleu["float32"] == pytest.approx(100)


def test_a_format_counts_only_on_the_device_it_was_measured_on() -> None:
    chosen = TranslationType("int8", "cpu", {"float32": 30.0, "int8": 29.9}, 1000)
    assert chosen.on("cpu") == "int8"
    assert chosen.on("cuda") == "float32"


@pytest.mark.parametrize(
    ("flags", "chosen", "used"),
    [
        ("avx2 avx512f avx512_bf16", "", "AVX512"),
        ("avx2 avx512f", "", None),
        ("avx2 avx512f avx512_bf16", "AVX2", "AVX2"),
    ],
)
def test_recent_processors_translate_with_wide_vectors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flags: str, chosen: str, used: str | None
) -> None:
    (tmp_path / "cpuinfo").write_text(f"flags\t\t: fpu {flags} fsrm\n")
    monkeypatch.setenv(INSTRUCTIONS, chosen)
    if not chosen:
        monkeypatch.delenv(INSTRUCTIONS)
    use_wide_vectors(tmp_path / "cpuinfo")
    assert os.environ.get(INSTRUCTIONS) == used
    use_wide_vectors(tmp_path / "no such file")
    assert os.environ.get(INSTRUCTIONS) == used
