"""Docs: the reference fits the code, links lead somewhere, commands and their options exist."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.main import get_command

from pipeline.commands.app import app
from pipeline.commands.reference import pages

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
WRITTEN = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
BLOCK = re.compile(r"^[ ]*```[^\n]*\n(.*?)^[ ]*```", re.MULTILINE | re.DOTALL)


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("name", sorted(pages()))
def test_the_reference_is_what_the_code_says(name: str) -> None:
    assert (DOCS / "reference" / name).read_text(encoding="utf-8") == pages()[name], (
        "the reference is old: make reference"
    )


def anchors(path: Path) -> set[str]:
    """Return what a link may point to on a page, as GitHub and MkDocs name headings."""
    text = BLOCK.sub("", path.read_text(encoding="utf-8"))
    words = (re.sub(r"[^\w\- ]", "", title.lower()).strip() for title in HEADING.findall(text))
    return {re.sub(r"\s+", "-", title) for title in words}


@pytest.mark.parametrize("path", WRITTEN, ids=relative)
def test_every_link_leads_somewhere(path: Path) -> None:
    broken = []
    for target in LINK.findall(BLOCK.sub("", path.read_text(encoding="utf-8"))):
        file, _, anchor = target.partition("#")
        if "://" in target or target.startswith("mailto:"):
            continue
        page = (path.parent / file).resolve() if file else path
        if not page.exists() or (anchor and anchor not in anchors(page)):
            broken.append(target)
    assert not broken


def test_every_page_can_be_found_from_the_menu_and_the_menu_leads_to_pages() -> None:
    def files(entry: object) -> Iterator[str]:
        if isinstance(entry, str):
            yield entry
        for inner in entry.values() if isinstance(entry, dict) else ():
            yield from files(inner)
        for inner in entry if isinstance(entry, list) else ():
            yield from files(inner)

    menu = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))["nav"]
    assert sorted(files(menu)) == sorted(str(p.relative_to(DOCS)) for p in DOCS.rglob("*.md"))


def commands_in(path: Path) -> Iterator[list[str]]:
    """Yield the words of each `sprachbund ...` on a page, in blocks and within sentences."""
    text = path.read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line.strip() for block in BLOCK.findall(text) for line in block.splitlines()]
    spans = re.findall(r"`(sprachbund [^`]+)`", BLOCK.sub("", text))
    for line in (*lines, *(" ".join(span.split()) for span in spans)):
        line = line.removeprefix("$ ").removeprefix(".venv/bin/")
        if line.startswith("sprachbund "):
            line = re.split(r" (?:[|>&]|2>|# )", line)[0]
            yield shlex.split(line.replace("...", ""), posix=True)[1:]


def complaint(words: list[str]) -> str:
    """Return what is wrong with a command line; nothing where all of it exists."""
    command: Any = get_command(app)
    while hasattr(command, "commands"):
        if not words or words[0].startswith(("-", "[", "<")):
            return ""
        found = command.commands.get(words[0].rstrip(",."))
        if found is None:
            return f"no command {words[0]!r}"
        command, words = found, words[1:]
    known = {"--help", *(name for p in command.params for name in (*p.opts, *p.secondary_opts))}
    given = [word.partition("=")[0] for word in words if re.match(r"--[a-z]", word)]
    return ", ".join(f"no option {name}" for name in given if name not in known)


@pytest.mark.parametrize("path", WRITTEN, ids=relative)
def test_commands_and_options_in_the_docs_exist(path: Path) -> None:
    if path.name == "CHANGELOG.md":
        pytest.skip("it tells of commands that were")
    wrong = {" ".join(words): why for words in commands_in(path) if (why := complaint(words))}
    assert not wrong
