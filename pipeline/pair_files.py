"""Check a language-pair manifest against its data, and scaffold a new one."""

import json
import os
import re
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from models.errors import SourceError, SpecError
from pipeline.settings import Settings
from pipeline.specs.languages import check_code
from pipeline.specs.loading import MANIFESTS, find_manifest, load_manifest
from pipeline.specs.manifests import PairManifest
from tasks.bitext import clean_rows
from tasks.cleaning import CleaningRules, Counts
from tasks.monolingual import cut_paragraphs
from tasks.sources.description import Corpus
from tasks.sources.fetching import fetch, sha256_of
from tasks.sources.reading import FetchedCorpus, read_corpora


def check_pair(name_or_path: str, *, fetch_corpora: bool) -> Iterator[str]:
    """Yield what is found in a manifest and its corpora; raise on the first thing that is wrong.

    With `fetch_corpora`, every file is fetched, verified and read to its last row.
    """
    path = find_manifest("pairs", name_or_path)
    pair = load_manifest(path, PairManifest)
    yield f"{path}: the manifest is valid"
    if pair.name != path.stem:
        raise SpecError(f"{path}: the pair is named {pair.name!r}, its file {path.stem!r}")
    if not fetch_corpora:
        return
    for corpus in pair.parallel:
        yield _describe(corpus, pair.languages, "sentence pairs")
    for language, corpora in pair.monolingual.items():
        for corpus in corpora:
            yield _describe(corpus, [language], "sentences")


def _describe(corpus: Corpus, languages: Sequence[str], unit: str) -> str:
    with tempfile.TemporaryDirectory() as folder:
        fetch(corpus.source, Path(folder), mirror=Settings.from_environment().mirror)
        counts = Counts()
        rows = read_corpora([FetchedCorpus(corpus, Path(folder))])
        if len(languages) == 1:
            rows = cut_paragraphs(rows, languages[0])
        words: Counter[str] = Counter()
        for record in clean_rows(rows, languages, rules=CleaningRules(), counts=counts):
            for language in languages:
                words[language] += len(record[language].split())
    if not counts.kept:
        raise SourceError(f"corpus {corpus.name}: none of its {counts.read} {unit} can be used")
    dropped = ", ".join(f"{n} {reason}" for reason, n in sorted(counts.dropped.items()))
    length = ", ".join(f"{words[x] / counts.kept:.1f} words in {x}" for x in languages)
    return (
        f"  {corpus.name}: {counts.read:,} {unit}, {counts.kept:,} usable"
        f"{f' (dropped: {dropped})' if dropped else ''}; on average {length}"
    )


def new_pair(
    name: str, *, parallel: Sequence[Path], mono: Sequence[Path], out: Path | None
) -> Path:
    """Write a manifest for the pair `hub-language`; without files, a template to fill in.

    Raises SpecError for a name that is not two codes, or a file that exists already.
    """
    hub, _, language = name.partition("-")
    codes_fit = all(re.fullmatch("[a-z]{3}", code) for code in (hub, language))
    if codes_fit:
        _check_codes(name, hub, language)
    if len(parallel) not in (0, 2) or not codes_fit or hub == language:
        raise SpecError(
            f"{name}: expected HUB-LANGUAGE in two three-letter ISO 639-3 codes (ind-ban), "
            "and either no --parallel or two of them (hub first)"
        )
    path = out or MANIFESTS / "pairs" / f"{name}.yaml"
    if path.exists():
        raise SpecError(f"{path} exists already")
    path.parent.mkdir(parents=True, exist_ok=True)
    sections = [
        HEAD.format(name=name, hub=hub, language=language),
        _parallel_section(name, hub, language, parallel),
        _mono_section(language, mono, template=not parallel),
        SPLIT,
    ]
    path.write_text("".join(sections), encoding="utf-8")
    return path


def _check_codes(name: str, *codes: str) -> None:
    try:
        for code in codes:
            check_code(code)
    except ValueError as error:
        raise SpecError(f"{name}: {error}") from error


HEAD = """\
# One language pair. Check this file with: sprachbund pair check THIS_FILE
name: {name}
languages: [{hub}, {language}]  # the hub first
"""

SPLIT = """\
# Draw dev and test by the hash of the sentence id; `rule: shipped` takes each file's own `split`.
split: {rule: hash, dev: 300, test: 350}
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

REMOTE_MONO = """\
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


def _parallel_section(name: str, hub: str, language: str, files: Sequence[Path]) -> str:
    if not files:
        return REMOTE_PARALLEL.format(hub=hub, language=language, zeros="0" * 64)
    base = _common_folder(files)
    listed = "".join(
        _file_line(file, base, code, "        ")
        for file, code in zip(files, (hub, language), strict=True)
    )
    return (
        f"parallel:\n  - name: {name}-text\n    licence: unknown  # say it before you publish\n"
        f"    source:\n      kind: files\n      base: {_quoted(base)}\n"
        f"      files:\n{listed}      format: {{kind: text}}  # aligned by line\n"
    )


def _mono_section(language: str, files: Sequence[Path], *, template: bool) -> str:
    if not files:
        return REMOTE_MONO.format(language=language, zeros="0" * 64) if template else ""
    base = _common_folder(files)
    listed = "".join(_file_line(file, base, language, "          ") for file in files)
    return (
        f"monolingual:\n  {language}:\n    - name: {language}-text\n      licence: unknown\n"
        f"      source:\n        kind: files\n        base: {_quoted(base)}\n"
        f"        files:\n{listed}        format: {{kind: text}}\n"
    )


def _common_folder(files: Sequence[Path]) -> Path:
    return Path(os.path.commonpath([file.resolve().parent for file in files]))


def _quoted(path: Path) -> str:
    """Return a path as a YAML string, whatever its characters."""
    return json.dumps(path.as_posix(), ensure_ascii=False)


def _file_line(file: Path, base: Path, language: str, indent: str) -> str:
    if not file.is_file():
        raise SpecError(f"{file}: no such file")
    digest = sha256_of(file)
    name = _quoted(file.resolve().relative_to(base))
    return f"{indent}- {{name: {name}, language: {language}, sha256: {digest}}}\n"
