"""Small files that tell a later process what an earlier one found out."""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path


def settle(note: Path, text: str) -> None:
    """Write what a resumed training must know of the interrupted one."""
    draft = note.with_suffix(f".{os.getpid()}.tmp")
    draft.write_text(text, encoding="utf-8")
    draft.replace(note)


def settle_once(note: Path, text: str) -> None:
    """Write a note unless another process has just written it: whoever is first decides."""
    draft = note.with_suffix(f".{os.getpid()}.tmp")
    draft.write_text(text, encoding="utf-8")
    with suppress(FileExistsError):
        os.link(draft, note)
    draft.unlink()


def remembered(
    note: Path, find: Callable[[], str], *, write: Callable[[Path, str], None] = settle
) -> str:
    """Return what a note says; where there is none, find it out and write it."""
    if not note.exists():
        note.parent.mkdir(parents=True, exist_ok=True)
        write(note, find())
    return note.read_text(encoding="utf-8")
