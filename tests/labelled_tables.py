"""Small labelled tables for tests of drafting and checking tasks."""

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

THINGS = "film song meal match story lesson shop phone room trip book show".split()  # noqa: SIM905
VAMBO = "filamu wimbo chakula mechi hadithi somo duka simu chumba safari kitabu onyesho".split()  # noqa: SIM905
SAYINGS = {
    "good": ("the {} pleased all of us", "i would take the {} again", "what a fine {} that was"),
    "bad": ("the {} made us all tired", "never again such a {}", "what a poor {} that was"),
}
MANENO = {
    "good": ("{} kilitupendeza sisi sote", "ningechukua {} tena kesho", "{} nzuri kama nini"),
    "bad": ("{} ilituchosha sisi sote", "kamwe tena {} kama hiyo", "{} mbaya kama nini"),
}


class Labelled(NamedTuple):
    """One row of a table; the group is the thing that is spoken of."""

    id: str
    text: str
    label: str
    group: str


def english() -> list[Labelled]:
    return _rows(THINGS, SAYINGS)


def swahili() -> list[Labelled]:
    return _rows(VAMBO, MANENO)


def _rows(things: Sequence[str], sayings: dict[str, tuple[str, ...]]) -> list[Labelled]:
    return [
        Labelled(f"{label[0]}{n}x{m}", saying.format(thing), label, thing)
        for m, thing in enumerate(things)
        for label, some in sayings.items()
        for n, saying in enumerate(some)
    ]


def write_csv(path: Path, header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as stream:
        delimiter = "\t" if path.suffix == ".tsv" else ","
        writer = csv.writer(stream, delimiter=delimiter, lineterminator="\n")
        writer.writerows([header, *rows] if header else rows)
    return str(path)


def write_jsonl(path: Path, rows: Sequence[dict[str, object]]) -> str:
    lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    path.write_text("".join(lines), encoding="utf-8")
    return str(path)
