"""Text of somebody's data cannot command a terminal, and what people write stays readable."""

import io
import json
import os
import pty
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from models.support.errors import SourceError
from pipeline.commands.answers import print_grids
from pipeline.console import Reporter, in_a_line, say, terminal, visible
from pipeline.reporting.tables import Grid
from tasks.records import RecordWriter
from tests.conftest import COMMAND
from tests.test_commands import sprachbund

SAFE = [
    "plain text, tab\tand\nnewline",
    "می‌خواهم",  # Persian: ZWNJ inside of a word
    "ශ්‍රී ලංකා",  # Sinhala: ZWJ between virama and letter
    "അവന്‍.",  # Malayalam: ZWJ at the end of a word
    "👨‍👩‍👧 👩🏽‍🚀",  # emoji: ZWJ after a sign, after a skin tone
    "ខ្ញុំ\u200bញ៉ាំ",  # Khmer: zero width space
    "e\u0301 co\u00adoperate שלום \ue000",
]
UNSAFE = {
    "\x1b[31mred\x1b[0m": "\\u001b[31mred\\u001b[0m",
    "a\x9b2Jb": "a\\u009b2Jb",
    "x\rOK": "x\\u000dOK",
    "\x07\x08\x7f\x85\x00": "\\u0007\\u0008\\u007f\\u0085\\u0000",
    "\u202eevil\u202c": "\\u202eevil\\u202c",
    "\u2066a\u2069 \u061c\u200e\u200f": "\\u2066a\\u2069 \\u061c\\u200e\\u200f",
    "a\u2028b\u2029\ufeff": "a\\u2028b\\u2029\\ufeff",
    "\u200dstart \u200cspace \u200d\u200d": "\\u200dstart \\u200cspace \\u200d\\u200d",
    "half \ud83d": "half \\ud83d",
}


@pytest.mark.parametrize("text", SAFE)
def test_what_people_write_is_shown_as_it_is(text: str) -> None:
    assert visible(text) == text
    assert in_a_line(text.replace("\t", "").replace("\n", "")) == visible(text).replace(
        "\t", ""
    ).replace("\n", "")


@pytest.mark.parametrize("text", UNSAFE)
def test_what_commands_a_terminal_is_escaped(text: str) -> None:
    assert visible(text) == UNSAFE[text]
    assert visible(visible(text)) == visible(text)


@pytest.mark.parametrize("text", [*SAFE, *UNSAFE])
def test_json_that_is_shown_still_means_the_same(text: str) -> None:
    shown = visible(json.dumps({"text": text}, ensure_ascii=False))
    assert json.loads(shown) == {"text": text}
    shown.encode()


def test_a_cell_stays_in_its_line() -> None:
    assert in_a_line("a\nb\tc\x1b") == "a\\nb\\tc\\u001b"


def test_lines_of_a_run_and_failures_are_escaped(capsys: pytest.CaptureFixture[str]) -> None:
    say("FAILED", "row '\x1b]0;title\x07'")
    with pytest.raises(SourceError), Reporter(SimpleNamespace(title="Bitext \u202ex")):
        raise SourceError("a.csv line 3: '\x9bH'")
    with pytest.raises(ValueError, match="x"), Reporter(SimpleNamespace(title="y")):
        raise ValueError("x\x1b")
    said = capsys.readouterr().err
    assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(said)
    assert "a.csv line 3: '\\u009bH'" in said
    assert "ValueError: x\\u001b" in said


def test_whatever_rich_prints_is_escaped_and_its_own_colours_stay() -> None:
    sink = io.StringIO()
    console = terminal(file=sink, force_terminal=True, color_system="standard", width=60)
    console.print("[red]warning[/red] \x1b[2J\u202e می‌خواهم", highlight=False)
    assert "\x1b[31mwarning\x1b[0m \\u001b[2J\\u202e می‌خواهم" in sink.getvalue()


def test_a_table_of_data_is_escaped_and_keeps_its_shape(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [["\x1b[31m", "می‌خواهم"], ["\u202eab", "ශ්‍රී"]]
    print_grids([Grid("T", ["a", "b"], rows, "", 2)], remarks=["x\x9b"])
    printed = capsys.readouterr().out
    assert "\\u001b[31m" in printed
    assert "می‌خواهم" in printed
    assert "ශ්‍රී" in printed
    assert "• x\\u009b" in printed
    assert not {"\x1b", "\x9b", "\u202e"} & set(printed)


def test_show_escapes_records_and_their_json_stays_exact(tmp_path: Path) -> None:
    texts = [*UNSAFE, *SAFE]
    texts = [text for text in texts if "\ud83d" not in text]
    with RecordWriter(tmp_path / "train.parquet", ["id", "text"]) as writer:
        for number, text in enumerate(texts):
            writer.write({"id": str(number), "text": text})
    manifest = {"stage": "Bitext", "label": "x\u202ey"}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest, ensure_ascii=False) + "\n")
    shown = sprachbund("show", str(tmp_path), "--records", "99")
    assert shown.returncode == 0, shown.stderr
    assert not {"\x1b", "\x9b", "\u202e", "\x85", "\u2028"} & set(shown.stdout)
    lines = [line for line in shown.stdout.split("\n") if line.startswith('  {"id"')]
    assert [json.loads(line)["text"] for line in lines] == texts


def test_profile_shows_odd_lines_of_any_script_without_their_controls(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("می‌خواهم بروم \x1b[2J\u202e\n" * 3, encoding="utf-8")
    table = sprachbund("profile", str(tmp_path / "a.txt"), COLUMNS="200")
    assert table.returncode == 0, table.stderr
    assert "می‌خواهم بروم \\u001b[2J\\u202e" in table.stdout
    assert not {"\x1b", "\u202e"} & set(table.stdout)
    record = json.loads(sprachbund("profile", str(tmp_path / "a.txt"), "--format", "json").stdout)
    excerpts = {e["excerpt"] for kind in record[0]["examples"].values() for e in kind}
    assert "می‌خواهم بروم \x1b[2J\u202e" in excerpts


def test_an_error_message_is_escaped_on_a_terminal(tmp_path: Path) -> None:
    master, slave = pty.openpty()
    name = "no\u202e\x9b such"
    run = subprocess.run(
        [*COMMAND, "profile", name, "--column", "a"],
        stderr=slave,
        stdout=subprocess.DEVNULL,
        check=False,
    )
    os.close(slave)
    said = os.read(master, 4096).decode()
    os.close(master)
    assert run.returncode == 1
    assert "error: no\\u202e\\u009b such: --column" in said
