"""The text of a pair manifest: of drafted corpora, with examples of what is not given."""

from collections.abc import Sequence
from pathlib import Path
from textwrap import indent

from pipeline.drafting.corpora import DraftedCorpus
from pipeline.drafting.corpus_text import corpus_text, yaml_line
from tasks.sources.description import HashSplit, Split
from tasks.splitting import propose

HEAD = """\
# One language pair. Check this file with: sprachbund pair check THIS_FILE
name: {name}
languages: {languages}  # the hub first
"""

SIZES = """\
# Dev and test are a tenth of the {usable:,} usable pairs each, at most {dev} and {test}, so never
# more than a fifth together; {left:,} are left to train on.
"""

SPLIT = """\
# Drawn by the hash of the sentence id; `rule: shipped` takes the `split` that each file says.
{reasons}split: {{rule: hash, dev: {dev}, test: {test}{more}}}
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
    hub, language = map(yaml_line, languages)
    examples = {"hub": hub, "language": language, "zeros": "0" * 64}
    head = HEAD.format(
        name=yaml_line("-".join(languages).lower()), languages=yaml_line([*languages])
    )
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
    if usable is not None and split == propose(usable):
        left = usable - split.dev - split.test
        sizes = SIZES.format(usable=usable, dev=HashSplit.dev, test=HashSplit.test, left=left)
        reasons = sizes + reasons
    more = {"train": split.train, "seed": split.seed or None}
    given = "".join(f", {name}: {value}" for name, value in more.items() if value is not None)
    return SPLIT.format(reasons=reasons, dev=split.dev, test=split.test, more=given)


def _corpus(drafted: DraftedCorpus, folder: Path) -> str:
    return corpus_text(
        drafted.name, drafted.source, [str(drafted.profile)], drafted.doubts, folder=folder
    )
