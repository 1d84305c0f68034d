"""A corpus of local files as it stands in a manifest of any kind."""

import math
import os
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

import yaml

from pipeline.specs.formats import Format
from tasks.sources.description import Files, RemoteFile

CORPUS = """\
- name: {name}  # begins every sentence id made from it
  licence: unknown  # check this: what the text may be used for
  citation: ""  # who to cite
{remarks}{doubts}  source:
    kind: files
    base: {base}  # relative to this file
    files:
{files}    format: {format}  # as sniffed
"""


def corpus_text(
    name: str, source: Files, remarks: Sequence[str], doubts: Sequence[str], *, folder: Path
) -> str:
    """Return an entry of a list of corpora, as it is to stand in a file of `folder`."""
    return CORPUS.format(
        name=yaml_line(name),
        remarks="".join(f"  # {remark}\n" for remark in remarks),
        doubts="".join(f"  # check this: {' '.join(doubt.split())}\n" for doubt in doubts),
        base=yaml_line(_relative(Path(source.base), folder)),
        files="".join(f"      - {yaml_line(_given(file))}\n" for file in source.files),
        format=yaml_line(_given(source.format)),
    )


def _given(value: RemoteFile | Format) -> dict[str, object]:
    """Return the fields that differ from their defaults: an id that is none, a header there is."""
    return {
        field.name: getattr(value, field.name)
        for field in fields(value)
        if field.name == "kind" or getattr(value, field.name) != field.default
    }


def _relative(base: Path, folder: Path) -> str:
    """Return a folder as seen from another; the dot keeps one called `https:` from being remote."""
    path = Path(os.path.relpath(base, folder.resolve())).as_posix()
    return path if path.startswith(".") else f"./{path}"


def yaml_line(value: object) -> str:
    """Return a value on one line of YAML, quoted where it must be."""
    dumped = yaml.safe_dump(
        [value], default_flow_style=True, sort_keys=False, allow_unicode=True, width=math.inf
    )
    return dumped.strip()[1:-1]
