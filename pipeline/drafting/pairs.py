"""Draft a language-pair manifest from a user's files; nothing half-written is left behind."""

import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from models.support.errors import SourceError, SpecError
from pipeline.drafting.checking import FEW_TEST_SENTENCES
from pipeline.drafting.corpora import (
    DraftedCorpus,
    draft_monolingual,
    draft_parallel,
    files_in_words,
    unpack,
)
from pipeline.drafting.publishing import must_be_new, publish
from pipeline.drafting.sharing import known_corpus
from pipeline.drafting.template import manifest_text, split_text
from pipeline.specs.languages import check_code
from pipeline.specs.loading import MANIFESTS
from pipeline.specs.manifests import PairManifest
from tasks.sources.description import Columns, HashSplit, ShippedSplit, SplitName
from tasks.splitting import PARTS, propose


@dataclass(frozen=True, kw_only=True)
class PairFiles:
    """What a user has; a file inside an archive is written `FILE.zip:MEMBER`.

    Bitext that is to be split is `parallel`; `train`, `dev` and `test` are split already. `columns`
    says which column of a parallel table holds which language, `mono_column` which one of a
    monolingual table holds the text, where their names do not tell.
    """

    parallel: Sequence[str] = ()
    train: Sequence[str] = ()
    dev: Sequence[str] = ()
    test: Sequence[str] = ()
    mono: Sequence[str] = ()
    columns: Columns = field(default_factory=dict)
    mono_column: str | None = None


class DraftedPair(NamedTuple):
    """The manifest that was written, what was found for it, and what only its user can tell."""

    path: Path
    found: Sequence[str]
    doubts: Sequence[str]


def new_pair(name: str, files: PairFiles, *, out: Path | None) -> DraftedPair:
    """Write a manifest for the pair HUB-LANGUAGE; without parallel files, one to be filled in.

    Raises SpecError or SourceError, and writes nothing, for a name that is not two codes, a file
    that exists already, and files that cannot be read.
    """
    languages = _codes(name)
    path = out or MANIFESTS / "pairs" / f"{name.lower()}.yaml"
    must_be_new(path)
    with tempfile.TemporaryDirectory() as folder:
        parallel = _parallel(languages, files, Path(folder) / "parallel")
        monolingual = _monolingual(languages[1], files, Path(folder) / "monolingual")
    shipped = bool(files.train)
    parallel, drawn = _shared(parallel, languages[0], path.parent, shipped=shipped)
    corpora = [*parallel, *monolingual]
    parts = _parts(parallel, drawn, shipped=shipped)
    split = ShippedSplit(rule="shipped") if shipped else drawn
    few = [f"{parts['test']} test sentences say little"] if _are_few(parts) else []
    usable = parts.total() if parallel else None
    text = manifest_text(
        languages,
        parallel,
        monolingual,
        split=split_text(split, usable, doubts=few),
        folder=path.parent,
    )
    publish(path, text, PairManifest)
    doubts = [doubt for c in corpora for doubt in (f"the licence of {c.name}", *c.doubts)]
    return DraftedPair(path, [*_found(corpora, parts)], [*doubts, *few])


def _shared(
    parallel: list[DraftedCorpus], hub: str, folder: Path, *, shipped: bool
) -> tuple[list[DraftedCorpus], HashSplit]:
    """Take name and split of a corpus that another pair of the folder holds already."""
    drawn = _drawn(parallel)
    if len(parallel) != 1 or not (shared := known_corpus(parallel[0], hub, folder)):
        return parallel, drawn
    (corpus,) = parallel
    usable = corpus.profile.counts.kept
    if shipped or not shared.split or shared.split.dev + shared.split.test > usable // 2:
        shared = shared._replace(split=None)
    name = shared.name if shared.split else corpus.name
    doubts = [*corpus.doubts, shared.doubt]
    profile = corpus.profile._replace(corpus=name)
    corpus = corpus._replace(name=name, profile=profile, doubts=doubts)
    return [corpus], shared.split or drawn


def _drawn(parallel: Sequence[DraftedCorpus]) -> HashSplit:
    if not parallel:
        return HashSplit(rule="hash")
    return propose(sum(corpus.profile.counts.kept for corpus in parallel))


def _parts(parallel: Sequence[DraftedCorpus], split: HashSplit, *, shipped: bool) -> Counter[str]:
    """Return the usable pairs of each part; raise SourceError where a shipped one has none."""
    parts = sum((corpus.profile.parts for corpus in parallel), Counter[str]())
    if shipped:
        for part in PARTS:
            if not parts[part]:
                raise SourceError(f"--{part}: none of its sentence pairs is usable")
        return parts
    usable = parts.total()
    held_out = Counter(dev=split.dev, test=split.test)
    return held_out + Counter(train=usable - held_out.total()) if parallel else parts


def _are_few(parts: Counter[str]) -> bool:
    return bool(parts) and parts["test"] < FEW_TEST_SENTENCES


def _found(corpora: Sequence[DraftedCorpus], parts: Counter[str]) -> Iterator[str]:
    for corpus in corpora:
        yield from files_in_words(corpus)
        yield f"  {corpus.profile}"
        yield from (f"    {place}" for place in corpus.profile.dropped_places())
    if parts:
        yield "split: " + ", ".join(f"{part} {parts[part]:,}" for part in PARTS)


def parse_columns(text: str) -> Columns:
    """Return the columns of `ind=source,ban=target` by language."""
    pairs = [part.partition("=") for part in text.split(",") if part.strip()]
    if not all(language.strip() and column.strip() for language, _, column in pairs):
        raise SpecError(f"--columns {text}: expected LANGUAGE=COLUMN,LANGUAGE=COLUMN")
    return {language.strip(): column.strip() for language, _, column in pairs}


def _codes(name: str) -> tuple[str, str]:
    hub, _, language = name.partition("-")
    if not (hub and language) or hub == language:
        raise SpecError(
            f"{name}: expected HUB-LANGUAGE in two three-letter ISO 639-3 codes (ind-ban), where a "
            "language has several scripts with one (eng-srp_Cyrl)"
        )
    try:
        return check_code(hub), check_code(language)
    except ValueError as error:
        raise SpecError(f"{name}: {error}") from error


def _parallel(languages: tuple[str, str], files: PairFiles, folder: Path) -> list[DraftedCorpus]:
    parts: dict[SplitName, Sequence[str]] = {
        "train": files.train,
        "dev": files.dev,
        "test": files.test,
    }
    given: list[tuple[str, SplitName | None]] = [(name, None) for name in files.parallel]
    if any(parts.values()):
        missing = [f"--{part}" for part, names in parts.items() if not names]
        if files.parallel or missing:
            raise SpecError(
                "--train, --dev and --test go together, without --parallel"
                + (f"; {' and '.join(missing)} is missing" if missing else "")
                + ": give all bitext with --parallel to have dev and test drawn from it"
            )
        given = [(name, part) for part, names in parts.items() for name in names]
    if not given:
        return []
    unpacked = unpack([n for n, _ in given], folder, splits=[part for _, part in given])
    name = f"{'-'.join(languages).lower()}-text"
    return draft_parallel(name, unpacked, languages, columns=files.columns)


def _monolingual(language: str, files: PairFiles, folder: Path) -> list[DraftedCorpus]:
    if not files.mono:
        return []
    name = f"{language.lower()}-text"
    return draft_monolingual(name, unpack(files.mono, folder), language, column=files.mono_column)
