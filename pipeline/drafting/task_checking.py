"""Check a task manifest against its data: every problem at once, with its line."""

import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Literal

from models.support.errors import SourceError, SprachbundError
from pipeline.drafting.checking import fetch_each, named, read_all
from pipeline.drafting.findings import Finding, Location, Written, check_manifest
from pipeline.drafting.overlaps import overlaps
from pipeline.drafting.task_words import fault_in_words, label_table, missing_parts, summary_of
from pipeline.specs.manifests import TaskManifest
from tasks.cleaning import CleaningRules
from tasks.labelled import SourceSet, prepare_labelled, read_labels
from tasks.labelled_survey import GRAVE, LabelledSurvey, between, doubts, survey
from tasks.leakage import LeakRules
from tasks.sources.description import Corpus
from tasks.sources.reading import FetchedCorpus


def check_task(
    name_or_path: str, *, fetch_corpora: bool, pairs: Sequence[str] = ()
) -> Iterator[Finding]:
    """Yield everything that is found in a task manifest and its corpora, good or bad.

    With `fetch_corpora`, every file is fetched, verified and read to its last row, and the corpora
    of `pairs` are searched for its dev and test text. Raises SpecError only for a manifest that
    does not exist.
    """

    def found(task: TaskManifest, written: Written) -> Iterator[Finding]:
        check = _TaskCheck(task, written)
        yield from written.oddities(task.name, check.listed())
        if fetch_corpora:
            with tempfile.TemporaryDirectory() as folder:
                yield from check.data(Path(folder))
            yield from check.overlaps(pairs)

    yield from check_manifest("task", name_or_path, TaskManifest, found)


class _TaskCheck:
    """The checks of one valid manifest; what could be read is remembered."""

    def __init__(self, task: TaskManifest, written: Written) -> None:
        self.task = task
        self._found = written.found
        self.surveys: list[LabelledSurvey] = []
        self.languages = [task.source_language]
        self.languages += [language for language in task.texts if language not in self.languages]

    def data(self, folder: Path) -> Iterator[Finding]:
        """Fetch and read every corpus; yield what each holds, or all that is wrong with it."""
        fetched: dict[Location, FetchedCorpus] = {}
        for number, (location, corpus) in enumerate(self.listed()):
            given = FetchedCorpus(corpus, folder / str(number))
            missing = dict(fetch_each(given))
            for place, problem in missing.items():
                where = (*location, "source", "files", place)
                yield self._found("error", where, named(corpus, problem))
            if not missing:
                fetched[location] = given
                continue
            for problem in read_all(given, str, without=missing):
                yield self._found("error", location, named(corpus, problem))
        labels = fetched.get(("labels_from",))
        if self.task.labels_from and labels is None:
            return
        for language in self.languages:
            if texts := fetched.get(("texts", language)):
                yield from self._language(language, texts, labels)
        yield from (Finding("note", line) for line in label_table(self.surveys))
        yield from self._together()
        if len(self.surveys) == len(self.languages):
            yield from self._as_a_run(fetched, labels, folder)

    def _language(
        self, language: str, texts: FetchedCorpus, labels: FetchedCorpus | None
    ) -> Iterator[Finding]:
        location = ("texts", language)
        read = partial(survey, language, texts, labels=labels, split=self.task.split)
        for found in read_all(texts, read, without=()):
            if isinstance(found, str):
                yield self._found("error", location, named(texts.corpus, found))
                continue
            self.surveys.append(found)
            yield Finding("note", f"  {summary_of(texts.corpus.name, found)}")
            for reason in found.faults:
                level: Literal["warning", "error"] = "error" if reason in GRAVE else "warning"
                text = f"{texts.corpus.name}: {fault_in_words(found, reason)}"
                yield self._found(level, location, text)
            yield from self._unknown_labels(location, found)
            yield from (Finding("warning", doubt) for doubt in doubts(found, LeakRules()))

    def _unknown_labels(self, location: Location, found: LabelledSurvey) -> Iterator[Finding]:
        known = ", ".join(self.task.labels)
        for label, counts in found.counts().items():
            if label not in self.task.labels:
                first = next(item.key for item in found.items if item.label == label)
                text = (
                    f"{found.language}: the label {label!r} of {counts.total():,} "
                    f"item{'s' * (counts.total() != 1)} (first: {first!r}) is none of the "
                    f"manifest's: {known}"
                )
                yield self._found("error", location, text)

    def _together(self) -> Iterator[Finding]:
        """Yield what the languages show side by side."""
        if not self.surveys or self.surveys[0].language != self.task.source_language:
            return
        source, *others = self.surveys
        for other in others:
            yield from (Finding("warning", doubt) for doubt in between(source, other))
        yield from (Finding("warning", doubt) for doubt in missing_parts(self.surveys))
        used = Counter(item.label for found in self.surveys for item in found.items)
        for label in self.task.labels:
            if not used[label]:
                text = f"no item has the label {label!r}, which the manifest lists"
                yield self._found("warning", ("labels",), text)

    def _as_a_run(
        self, fetched: dict[Location, FetchedCorpus], labels: FetchedCorpus | None, folder: Path
    ) -> Iterator[Finding]:
        """Prepare every language as a run does; yield what would stop it, if nothing else does."""
        if any(found.faults[reason] for found in self.surveys for reason in GRAVE):
            return
        if any({*found.counts()} - {*self.task.labels} for found in self.surveys):
            return
        source: SourceSet | None = None
        for language in self.languages:
            out = folder / f"prepared-{language}"
            out.mkdir()
            texts = fetched["texts", language]
            try:
                known = read_labels(labels or texts, self.task.labels, self.task.split)
                prepare_labelled(
                    texts,
                    known,
                    rules=CleaningRules(),
                    limits={},
                    source=source,
                    language=language,
                    out=out,
                )
            except SourceError as error:
                yield self._found("error", ("texts", language), str(error))
            else:
                source = source or SourceSet.load(out)

    def overlaps(self, pairs: Sequence[str]) -> Iterator[Finding]:
        """Yield what of the task's dev and test text stands in the corpora of some pairs."""
        try:
            yield from (Finding("warning", text) for text in overlaps(pairs, self.surveys))
        except SprachbundError as error:
            yield Finding("error", str(error))

    def listed(self) -> Iterator[tuple[Location, Corpus]]:
        """Yield every corpus with its place in the manifest, the source language's first."""
        if self.task.labels_from:
            yield ("labels_from",), self.task.labels_from
        for language in self.languages:
            yield ("texts", language), self.task.texts[language]
