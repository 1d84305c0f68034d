"""Check a language-pair manifest against its data: every problem at once, with its line."""

import tempfile
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeVar

from models.support.errors import SourceError, SprachbundError
from models.writing import count_words, writes_no_ends
from pipeline.drafting.findings import Finding, Location, Written, check_manifest
from pipeline.settings import Settings
from pipeline.specs.manifests import PairManifest
from tasks.bitext import clean_rows, shipped_held_out
from tasks.cleaning import CleaningRules, Counts
from tasks.monolingual import cut_paragraphs
from tasks.offsets import Shift, ShiftFinder, cure
from tasks.sources.description import (
    Corpus,
    Files,
    HashSplit,
    HubDataset,
    PlainText,
    ShippedSplit,
    Source,
)
from tasks.sources.fetching import fetch
from tasks.sources.reading import FetchedCorpus, aligned_files, read_corpora, read_corpus
from tasks.sources.rows import Row
from tasks.splitting import PARTS

MANY_REPEATS = 0.1
MANY_COPIES = 0.3
FEW_TEST_SENTENCES = 100
SECONDS_UNTIL_PROGRESS = 3

Whole = TypeVar("Whole")


class CorpusProfile(NamedTuple):
    """What one corpus gives after cleaning: counts, words by language, texts equal on all sides.

    `parts` counts what is usable by the part that it ships in; `shifts` are rows of a bitext whose
    second side has slipped, which `cure` puts back.
    """

    corpus: str
    languages: Sequence[str]
    counts: Counts
    words: Counter[str]
    copies: int
    parts: Counter[str]
    shifts: Sequence[Shift] = ()
    cure: str = ""

    def __str__(self) -> str:
        counts = self.counts
        unit = "sentence pairs" if len(self.languages) > 1 else "sentences"
        done = "; ".join(
            f"{what}: " + ", ".join(f"{n:,} {reason}" for reason, n in sorted(reasons.items()))
            for what, reasons in counts.reasons().items()
            if reasons
        )
        length = ", ".join(
            f"{self.words[x] / counts.kept:.1f} words in {x}" for x in self.languages
        )
        return (
            f"{self.corpus}: {counts.read:,} {unit}, {counts.kept:,} usable"
            f"{f' ({done})' if done else ''}; on average {length}"
        )

    def dropped_places(self) -> Iterator[str]:
        """Yield where the first lines stand that cannot be used; repeats are no fault of theirs."""
        for reason, places in sorted(self.counts.places.items()):
            if reason != "duplicate":
                more = ", ..." if self.counts.dropped[reason] > len(places) else ""
                yield f"{reason}: {', '.join(places)}{more}"

    def doubts(self) -> Iterator[str]:
        """Yield what looks wrong in text that can be read."""
        repeats, read, kept = self.counts.dropped["duplicate"], self.counts.read, self.counts.kept
        if repeats > MANY_REPEATS * read:
            yield (
                f"{self.corpus}: {repeats:,} of {read:,} repeat an earlier text in "
                f"{self.languages[0]} and are left out"
            )
        if self.copies > MANY_COPIES * kept:
            yield (
                f"{self.corpus}: {self.copies:,} of {kept:,} are the same in "
                f"{' and '.join(self.languages)}; are the right files and columns named?"
            )
        yield from (f"{self.corpus}: {shift} in {self.languages[1]}" for shift in self.shifts)
        if self.shifts:
            yield f"{self.corpus}: to have these rows put there, write beside its name {self.cure}"


def profile_corpus(
    fetched: FetchedCorpus, languages: Sequence[str], *, shipped: bool = False
) -> CorpusProfile:
    """Read a fetched corpus to its last row; raise SourceError where nothing of it can be used.

    Of a `shipped` corpus, dev and test stay whole.
    """
    from tqdm import tqdm

    name = fetched.corpus.name
    counts, words, copies = Counts(), Counter[str](), 0
    rows, rules = read_corpora([fetched]), CleaningRules()
    finder = ShiftFinder()
    if len(languages) == 1:
        endless = rules if writes_no_ends(languages[0]) else None
        rows = cut_paragraphs(rows, languages[0], clauses=endless)
    else:
        rows = _watched(rows, languages, finder)
    seen = tqdm(rows, desc=name, unit=" rows", delay=SECONDS_UNTIL_PROGRESS, leave=False)
    parts = Counter[str]()
    held_out = shipped_held_out([fetched], languages, rules) if shipped else frozenset()
    for record in clean_rows(seen, languages, rules=rules, counts=counts, held_out=held_out):
        parts[record["part"]] += 1
        texts = [record[language] for language in languages]
        words.update(dict(zip(languages, map(count_words, texts), strict=True)))
        copies += len(set(texts)) < len(texts)
    shifts = finder.shifts()
    way_out = cure(shifts, languages[-1], fetched.corpus.realign)
    profile = CorpusProfile(name, languages, counts, words, copies, parts, shifts, way_out)
    if not counts.read:
        raise SourceError(f"corpus {name}: there is no row in it")
    if not counts.kept:
        dropped = ", ".join(f"{n:,} {reason}" for reason, n in sorted(counts.dropped.items()))
        raise SourceError(f"corpus {name}: none of its {counts.read:,} rows is usable ({dropped})")
    return profile


def _watched(
    rows: Iterator[tuple[str, Row]], languages: Sequence[str], finder: ShiftFinder
) -> Iterator[tuple[str, Row]]:
    """Yield rows as they are, and have both sides looked at for what has slipped."""
    hub, language = languages
    for corpus, row in rows:
        finder.add((row.fields[hub], row.fields[language]))
        yield corpus, row


def check_pair(name_or_path: str, *, fetch_corpora: bool) -> Iterator[Finding]:
    """Yield everything that is found in a manifest and its corpora, good or bad.

    With `fetch_corpora`, every file is fetched, verified and read to its last row. Raises SpecError
    only for a manifest that does not exist.
    """

    def found(pair: PairManifest, written: Written) -> Iterator[Finding]:
        check = _PairCheck(pair, written)
        yield from written.oddities(pair.name, check.listed())
        if fetch_corpora:
            yield from check.data()
        yield from check.split()

    yield from check_manifest("pair", name_or_path, PairManifest, found)


class _PairCheck:
    """The checks of one valid manifest; usable pairs are remembered for the split."""

    def __init__(self, pair: PairManifest, written: Written) -> None:
        self.pair = pair
        self._found = written.found
        self.usable: list[int] = []

    def listed(self) -> Iterator[tuple[Location, Corpus]]:
        """Yield every corpus with its place in the manifest."""
        return ((location, corpus) for location, corpus, _ in self._corpora())

    def data(self) -> Iterator[Finding]:
        """Fetch and read every corpus; yield what each holds, or all that is wrong with it."""
        for location, corpus, languages in self._corpora():
            with tempfile.TemporaryDirectory() as folder:
                yield from self._corpus(location, FetchedCorpus(corpus, Path(folder)), languages)

    def _corpus(
        self, location: Location, fetched: FetchedCorpus, languages: Sequence[str]
    ) -> Iterator[Finding]:
        missing = dict(fetch_each(fetched))
        for number, problem in missing.items():
            place = (*location, "source", "files", number)
            yield self._found("error", place, named(fetched.corpus, problem))
        shipped = len(languages) > 1 and isinstance(self.pair.split, ShippedSplit)
        read = partial(profile_corpus, fetched, languages, shipped=shipped)
        for result in read_all(fetched, read, without=missing):
            if isinstance(result, str):
                yield self._found("error", location, named(fetched.corpus, result))
                continue
            if len(languages) > 1:
                self.usable.append(result.counts.kept)
            yield Finding("note", f"  {result}")
            yield from (Finding("note", f"    {place}") for place in result.dropped_places())
            yield from (self._found("warning", location, doubt) for doubt in result.doubts())

    def split(self) -> Iterator[Finding]:
        """Yield what keeps the split rule from working on this text."""
        split = self.pair.split
        if isinstance(split, ShippedSplit):
            yield from self._shipped_split()
        elif len(self.usable) == len(self.pair.parallel):  # all could be read
            yield from self._hash_split(split, sum(self.usable))

    def _hash_split(self, split: HashSplit, usable: int) -> Iterator[Finding]:
        held_out = split.dev + split.test
        left = max(0, usable - held_out)
        if left < held_out:
            yield self._found(
                "warning" if left else "error",
                ("split",),
                f"dev {split.dev} and test {split.test} leave {left:,} of {usable:,} usable pairs "
                "to train on",
            )
        if split.test < FEW_TEST_SENTENCES:
            text = f"{split.test} test sentences say little about a system"
            yield self._found("warning", ("split",), text)

    def _shipped_split(self) -> Iterator[Finding]:
        parts: set[str | None] = set()
        for number, corpus in enumerate(self.pair.parallel):
            place: Location = ("parallel", number, "source")
            source = corpus.source
            if isinstance(source, Files):
                parts.update(file.split for file in source.files)
                for n, file in enumerate(source.files):
                    if file.split is None:
                        text = f"{corpus.name}: {file.name} has no `split`, but the rule is shipped"
                        yield self._found("error", (*place, "files", n), text)
            elif isinstance(source, HubDataset) and source.splits:
                parts.update(source.splits.values())
            else:
                text = f"{corpus.name}: says no split of its own, but the rule is shipped"
                yield self._found("error", place, text)
        for part in PARTS:
            if part not in parts:
                yield self._found("error", ("split",), f"no file has `split: {part}`")

    def _corpora(self) -> Iterator[tuple[Location, Corpus, Sequence[str]]]:
        """Yield every corpus with its place in the manifest and the languages asked of it."""
        for number, corpus in enumerate(self.pair.parallel):
            yield ("parallel", number), corpus, self.pair.languages
        for language, corpora in self.pair.monolingual.items():
            for number, corpus in enumerate(corpora):
                yield ("monolingual", language, number), corpus, [language]


def named(corpus: Corpus, problem: str) -> str:
    """Return a problem with the name of its corpus, once."""
    return f"{corpus.name}: {problem.removeprefix(f'corpus {corpus.name}: ')}"


def fetch_each(fetched: FetchedCorpus) -> Iterator[tuple[int, str]]:
    """Fetch a corpus file by file; yield place and problem of each that cannot be had."""
    mirror, source = Settings.from_environment().mirror, fetched.corpus.source
    one_by_one = (
        [replace(source, files=(file,)) for file in source.files]
        if isinstance(source, Files)
        else [source]
    )
    for number, part in enumerate(one_by_one):
        try:
            fetch(part, fetched.folder, mirror=mirror)
        except (SprachbundError, OSError) as error:
            yield number, str(error)


def read_all(
    fetched: FetchedCorpus, read: Callable[[], Whole], *, without: Collection[int]
) -> Iterator[Whole | str]:
    """Yield what reading a whole corpus gives, or a problem for each file that cannot be read.

    `without` are the places of files that could not be fetched.
    """
    problems = []
    if not without:
        try:
            yield read()
            return
        except (SprachbundError, OSError) as error:
            problems.append(str(error))
    for piece in _pieces(fetched.corpus.source, without):
        part = replace(fetched.corpus, source=piece, realign=())
        try:
            deque(read_corpus(part, fetched.folder), maxlen=0)
        except (SprachbundError, OSError) as error:
            problems.append(str(error))
    yield from dict.fromkeys(problems)  # what stopped reading them all stops one, too


def _pieces(source: Source, without: Collection[int]) -> Iterator[Files]:
    """Yield the files of a source one by one, then those that are aligned with each other."""
    if not isinstance(source, Files):
        return
    for number, file in enumerate(source.files):
        if number not in without:
            yield replace(source, files=(file,))
    if isinstance(source.format, PlainText) and not without:
        with suppress(SourceError):  # reading them all has said it
            for sides in aligned_files(source.files):
                yield replace(source, files=sides)
