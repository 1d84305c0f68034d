"""The text of a pair manifest: of drafted corpora, with examples of what is not given."""

import math
import os
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from textwrap import indent

import yaml

from pipeline.drafting.corpora import DraftedCorpus
from pipeline.specs.formats import Format
from tasks.sources.description import BibleVerses, HashSplit, RemoteFile, Split

HEAD = """\
# One language pair. Check this file with: sprachbund pair check THIS_FILE
name: {name}
languages: {languages}  # the hub first
"""

CORPUS = """\
- name: {name}  # begins every sentence id made from it
  licence: unknown  # check this: what the text may be used for
  citation: ""  # who to cite
  # {profile}
{doubts}  source:
    kind: files
    base: {base}  # relative to this file
    files:
{files}    format: {format}  # as sniffed
"""

SIZES = """\
# Dev and test are a tenth of the {usable:,} usable pairs each, at most {dev} and {test}, so never
# more than a fifth together; {left:,} are left to train on.
"""

SPLIT = """\
# Drawn by the hash of the sentence id; `rule: shipped` takes the `split` that each file says.
{reasons}split: {{rule: hash, dev: {dev}, test: {test}}}
"""

SHIPPED = """\
# As the files say with `split`; dev and test stay whole, what repeats them in train is left out.
{reasons}split: {{rule: shipped}}
"""

REMOTE_PARALLEL = """\
parallel:
  - name: my-corpus              # begins every sentence id made from it
    licence: CC-BY-4.0
    citation: who to cite
    source:
      kind: files                # or: dataset (Hugging Face, by name and revision)
      base: https://example.org/corpus/v1   # or a folder, relative to this file
      files:
        - name: train.csv
          sha256: "{zeros}"
      format: {{kind: csv, id: id, columns: {{{hub}: source_text, {language}: target_text}}}}
"""

REMOTE_MONOLINGUAL = """\
monolingual:
  {language}:
    - name: my-text
      licence: CC-BY-4.0
      source:
        kind: files
        base: https://example.org/text/v1
        files:
          - {{name: text.txt.gz, language: {language}, sha256: "{zeros}"}}
        format: {{kind: text}}   # one sentence or paragraph a line
"""


def manifest_text(
    languages: tuple[str, str],
    parallel: Sequence[DraftedCorpus],
    monolingual: Sequence[DraftedCorpus],
    *,
    split: str,
    folder: Path,
) -> str:
    """Return the manifest of a pair, as it is to stand in a file of `folder`.

    Without parallel text, a remote source stands there as an example.
    """
    hub, language = map(_yaml, languages)
    examples = {"hub": hub, "language": language, "zeros": "0" * 64}
    head = HEAD.format(name=_yaml("-".join(languages).lower()), languages=_yaml([*languages]))
    if parallel:
        bitexts = "".join(_corpus(corpus, folder) for corpus in parallel)
        bitext = "parallel:\n" + indent(bitexts, " " * 2)
    else:
        bitext = REMOTE_PARALLEL.format(**examples)
    if monolingual:
        corpora = "".join(_corpus(corpus, folder) for corpus in monolingual)
        texts = f"monolingual:\n  {language}:\n" + indent(corpora, " " * 4)
    else:
        texts = "" if parallel else REMOTE_MONOLINGUAL.format(**examples)
    return head + bitext + texts + split


def split_text(split: Split, usable: int | None, *, doubts: Sequence[str]) -> str:
    """Return the split rule, and why it is so where the number of usable pairs is known."""
    reasons = "".join(f"# check this: {doubt}\n" for doubt in doubts)
    if not isinstance(split, HashSplit):
        return SHIPPED.format(reasons=reasons)
    if usable is not None:
        left = usable - split.dev - split.test
        sizes = SIZES.format(usable=usable, dev=HashSplit.dev, test=HashSplit.test, left=left)
        reasons = sizes + reasons
    return SPLIT.format(reasons=reasons, dev=split.dev, test=split.test)


def _corpus(drafted: DraftedCorpus, folder: Path) -> str:
    source = drafted.source
    return CORPUS.format(
        name=_yaml(drafted.name),
        profile=drafted.profile,
        doubts="".join(f"  # check this: {' '.join(doubt.split())}\n" for doubt in drafted.doubts),
        base=_yaml(_relative(Path(source.base), folder)),
        files="".join(f"      - {_yaml(_given(file))}\n" for file in source.files),
        format=_yaml(_given(source.format)),
    )


def _given(value: RemoteFile | Format | BibleVerses) -> dict[str, object]:
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


def _yaml(value: object) -> str:
    """Return a value on one line of YAML, quoted where it must be."""
    dumped = yaml.safe_dump(
        [value], default_flow_style=True, sort_keys=False, allow_unicode=True, width=math.inf
    )
    return dumped.strip()[1:-1]
