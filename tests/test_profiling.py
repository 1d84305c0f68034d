"""Profiles are exact, hold little in memory, and are the same for a file however it is packed."""

import gzip
import json
import subprocess
import sys
import zipfile
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.subwords import SubwordRecipe, Subwords, train_subwords
from models.support.errors import SourceError, SpecError
from models.writing import comparison_key
from pipeline.looking.data_tables import profile_grids
from pipeline.looking.profiling import TextProfile, profile
from tasks.profiling import EXAMPLES, EXCERPT_CHARACTERS, Profile, Profiler

LINES = ["Satu dua.", "satu  DUA", "", "tiga", "satu dua!", "  ", "empat lima enam tujuh"]


def profiled(lines: list[str], **measures: Any) -> Profile:
    profiler = Profiler(**measures)
    for number, line in enumerate(lines, start=1):
        profiler.add(line, f"row-{number}")
    return profiler.profile()


def test_sizes_and_repeats() -> None:
    found = profiled(LINES)
    assert (found.lines, found.blank, found.words) == (7, 2, 11)
    assert found.characters == sum(len(line) for line in LINES if line.strip())
    assert (found.repeated, found.repeated_share) == (2, pytest.approx(2 / 5))
    words = found.words_a_line
    assert (words.least, words.median, words.most) == (1, 2, 4)


def test_an_empty_text_is_no_error() -> None:
    found = profiled(["", " "])
    assert (found.lines, found.blank, found.repeated_share) == (2, 2, 0.0)
    assert found.words_a_line.most == 0
    assert found.scripts == {}
    assert found.examples == {}


def test_a_file_shows_the_worst_lines_of_the_filters_that_need_text_alone(tmp_path: Path) -> None:
    lines = ["satu dua tiga empat lima"] * 3 + ["ya ya " * 6, "satu два dua", "три"]
    (tmp_path / "text.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (found,) = profile(str(tmp_path / "text.txt"))
    examples = found.profile.examples
    assert [e.excerpt.strip() for e in examples["filter repetition"]] == ["ya ya " * 5 + "ya ya"]
    assert [(e.key, e.excerpt) for e in examples["filter other_script"]] == [
        ("row-6", "три"),
        ("row-5", "satu два dua"),
    ]


@given(st.lists(st.text("ab 1.", max_size=6), max_size=60))
def test_repeats_and_lengths_are_those_of_the_whole_text(lines: list[str]) -> None:
    found = profiled(lines)
    told = [line for line in lines if line.split()]
    times = Counter(map(comparison_key, told))
    assert found.repeated == len(told) - len(times)
    most = sorted((n for n in times.values() if n > 1), reverse=True)[:EXAMPLES]
    assert [e.size for e in found.examples.get("most repeated", [])] == most
    lengths = sorted(map(len, told))
    if lengths:
        seen = found.characters_a_line
        assert (seen.least, seen.most) == (lengths[0], lengths[-1])
        assert seen.median == lengths[(len(lengths) - 1) // 2]


def test_odd_lines_are_named_and_cut() -> None:
    found = profiled(["aa", "b" * 500, "cccc", "d", "d", "eee"])
    longest = found.examples["longest"]
    assert [(e.key, e.size) for e in longest] == [("row-2", 500), ("row-3", 4), ("row-6", 3)]
    assert len(longest[0].excerpt) == EXCERPT_CHARACTERS
    assert [e.excerpt for e in found.examples["shortest"]] == ["d", "aa", "eee"]
    assert [(e.excerpt, e.size) for e in found.examples["most repeated"]] == [("d", 2)]


def test_scripts_count_letters_alone() -> None:
    found = profiled(["abc 12,.!", "мир"])
    assert found.scripts == {"Latn": 0.5, "Cyrl": 0.5}
    assert profiled(["ꦲꦏ꧀ꦱꦫ"]).scripts == {"Java": 1.0}


@pytest.mark.parametrize("odd", ["\ufffd", "\x00", "\ue000", "\u0378", "\x9d"])
def test_characters_that_stand_for_nothing_are_counted(odd: str) -> None:
    assert profiled([f"ab{odd}\tc", "abcde"]).unknown_characters_share == pytest.approx(0.1)


def test_an_identifier_is_asked_for_each_line_that_says_something() -> None:
    found = profiled(["a", "b", "", "a", "a"], identify={"a": "ind", "b": "jav"}.__getitem__)
    assert found.languages == {"ind": 0.75, "jav": 0.25}
    assert profiled(["a"]).languages is None


def test_subwords_are_counted_beyond_a_batch(tmp_path: Path) -> None:
    lines = [f"kata {'dan' * (n % 3)} lagi" for n in range(2500)]
    train_subwords(lines, ["ind"], SubwordRecipe(size=100, inline_case=False), tmp_path / "m")
    subwords = Subwords(tmp_path / "m")
    found = profiled([*lines, "漢"], subwords=subwords)
    pieces = sum(map(len, subwords.encode_ids([*lines, "漢"])))
    assert found.pieces_a_word == pytest.approx(pieces / found.words)
    assert found.unknown_pieces_share == pytest.approx(1 / pieces)


def test_nothing_but_the_index_of_repeats_grows_with_the_lines() -> None:
    profiler = Profiler()
    for n in range(3000):
        profiler.add(f"kalimat {n % 1000}", str(n))
    assert len(profiler.repeats.seen) == 1000
    assert len(profiler.repeats.top) == EXAMPLES
    assert len(profiler.longest.heap) == EXAMPLES
    assert max(len(profiler.words), len(profiler.lengths)) < 5
    assert len(profiler.characters) < 30


def only(path: Path, column: str | None = None) -> TextProfile:
    (found,) = profile(str(path), column=column)
    return found


def test_a_file_is_read_as_its_name_says(tmp_path: Path) -> None:
    rows = [("1", "satu dua"), ("2", "tiga, empat")]
    contents = {
        "a.txt": "".join(f"{text}\n" for _, text in rows),
        "b.csv": "id,teks\n" + "".join(f'{n},"{text}"\n' for n, text in rows),
        "c.tsv": "id\tteks\n" + "".join(f"{n}\t{text}\n" for n, text in rows),
        "d.jsonl": "".join(f"{json.dumps({'id': n, 'teks': text})}\n" for n, text in rows),
    }
    for name, content in contents.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    packed = tmp_path / "e.txt.gz"
    packed.write_bytes(gzip.compress(contents["a.txt"].encode()))
    bare = tmp_path / "f.tsv"
    bare.write_text("".join(f"{n}\t{text}\n" for n, text in rows), encoding="utf-8")
    expected = only(tmp_path / "a.txt").profile
    assert (expected.lines, expected.words) == (2, 4)
    for name in ("b.csv", "c.tsv", "d.jsonl"):
        assert only(tmp_path / name, "teks").profile == expected
    assert only(packed).profile == expected
    assert only(bare, "2").profile == expected


@pytest.mark.parametrize(
    ("name", "column", "error", "message"),
    [
        ("a.csv", None, SpecError, "--column text"),
        ("a.txt", "text", SpecError, "plain text, which has no --column"),
        ("a.csv", "teks", SpecError, "no column 'teks'; there are: id, text"),
        ("gone.txt", None, SourceError, "gone.txt: no such file"),
        ("latin.txt", None, SourceError, "line 1 is not UTF-8"),
    ],
)
def test_a_file_that_cannot_be_read_is_an_error(
    tmp_path: Path, name: str, column: str | None, error: type[Exception], message: str
) -> None:
    (tmp_path / "a.csv").write_text("id,text\n1,satu\n")
    (tmp_path / "a.txt").write_text("satu\n")
    (tmp_path / "latin.txt").write_bytes("caf\xe9\n".encode("latin-1"))
    with pytest.raises(error, match=message):
        only(tmp_path / name, column)


def test_an_experiment_has_a_profile_of_each_of_its_texts(tiny: Path) -> None:
    found = list(profile(str(tiny)))
    assert [(p.kind, p.language, p.profile.lines) for p in found] == [
        ("bitext", "hub", 400),
        ("bitext", "sis", 400),
        ("monolingual", "hub", 300),
        ("monolingual", "sis", 300),
        ("labelled", "hub", 180),
        ("labelled", "sis", 180),
    ]
    assert found[0].profile.pieces_a_word is None
    assert "--until SubwordModel" in found[0].missing["pieces_a_word"]
    assert found[0].profile.languages


def sprachbund(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-P", "-m", "pipeline.commands.app", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_command_prints_json_and_tables(tmp_path: Path) -> None:
    text = tmp_path / "a.txt"
    text.write_text("[bold]satu[/oops]\ndua\x07 \n", encoding="utf-8")
    result = sprachbund("profile", str(text), "--format", "json")
    assert result.returncode == 0, result.stderr
    (record,) = json.loads(result.stdout)
    assert record["lines"] == 2
    assert record["examples"]["longest"][0]["excerpt"] == "[bold]satu[/oops]"
    assert record["pieces_a_word"] is None
    assert record["missing"]["pieces_a_word"]
    table = sprachbund("profile", str(text))
    assert table.returncode == 0, table.stderr
    assert "[bold]satu[/oops]" in table.stdout
    assert "\x07" not in table.stdout


def test_the_command_fails_without_a_traceback() -> None:
    result = sprachbund("profile", "nowhere/text.txt")
    assert result.returncode == 1
    assert (
        result.stderr == "error: nowhere/text.txt: no such file, and no experiment of that name\n"
    )


ENGLISH = ["The river is wide.", "My sister sells mangoes."]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("UPPER.CSV", "\ufeff eng , note\r\n{0},\r\n{1},\r\n"),
        ("t.ndjson", '{{"eng": "{0}"}}\n{{"eng": "{1}"}}\n'),
        ("t.json", '{{"eng": "{0}"}}\n{{"eng": "{1}"}}\n'),
        ("t.csv", "eng;note\n{0};a, b\n{1};c\n"),
        ("t.TSV", 'eng\tnote\n"{0}"\t"a ""b"""\n"{1}"\t"c"\n'),
        ("t.dat", "eng\tnote\n{0}\tx\n{1}\ty\n"),
    ],
)
def test_a_file_is_read_as_it_looks_whatever_its_suffix(
    tmp_path: Path, name: str, content: str
) -> None:
    (tmp_path / name).write_bytes(content.format(*ENGLISH).encode())
    found = only(tmp_path / name, "eng").profile
    assert (found.lines, found.words) == (2, 8)
    with pytest.raises(SpecError, match=r"--column eng; it has:\n  eng: 'The river is wide\.'"):
        only(tmp_path / name)


def test_files_inside_archives_are_profiled(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("d/t.csv", "eng,swh\n" + "".join(f"{line},x\n" for line in ENGLISH))
    assert only(path, "eng").profile.words == 8
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("d/u.txt", "siki\n")
    (found,) = profile(f"{path}:d/t.csv", column="eng")
    assert found.profile.words == 8
    with pytest.raises(SourceError, match=r"a\.zip:d/u\.txt"):
        only(path)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("array.json", b'[\n {"eng": "a"}\n]\n', r"jq -c .* array\.json > array\.jsonl"),
        ("latin.txt", "Où ça, Noël ?\n".encode("cp1252"), "CP1252"),
        ("cr.csv", b"eng,swh\ra,b\r", r"tr '\\r' '\\n' < cr\.csv > cr\.lf\.csv"),
        ("half.jsonl", b'{"eng": "\\ud83d"}\n', r"record 1 \(line 1\): 'eng' holds \\ud83d alone"),
        ("t.parquet", b"PAR1", "kind: dataset"),
    ],
)
def test_what_is_no_text_has_no_profile(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    (tmp_path / name).write_bytes(content)
    column = "eng" if name.endswith(("jsonl", "csv")) else None
    with pytest.raises(SourceError, match=message):
        only(tmp_path / name, column)


@pytest.mark.parametrize(
    ("language", "lines", "said"),
    [
        (None, {"id": 0.9, "ms": 0.1}, "id 90.0 %, ms 10.0 %"),
        ("ind", {"id": 0.4, "ms": 0.3, "jv": 0.3}, "unknown: id 40.0 %, ms 30.0 %, jv 30.0 %"),
        (None, {"ln": 0.3, "sw": 0.3, "rw": 0.2, "xh": 0.2},
         "unknown: ln 30.0 %, sw 30.0 %, rw 20.0 %, 1 more"),
        ("ban", {"jv": 0.8, "ln": 0.2}, "ban is unknown to it: jv 80.0 %, ln 20.0 %"),
        ("ban", None, "–"),
    ],
)  # fmt: skip
def test_a_language_that_no_identifier_knows_is_said_to_be_unknown(
    language: str | None, lines: dict[str, float] | None, said: str
) -> None:
    text = TextProfile("file", "", "x.txt", language, profiled(["a b"]), {})
    text = replace(text, profile=replace(text.profile, languages=lines))
    (_, make_up, _) = profile_grids([text])
    assert make_up.rows[0][2] == said
