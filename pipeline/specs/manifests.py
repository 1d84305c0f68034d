"""Pair and task manifests: one language pair, one labelled task."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from pipeline.specs.languages import LanguageCode
from tasks.sources.description import (
    BibleVerses,
    Corpus,
    Files,
    HubDataset,
    PlainText,
    Sandbox,
    Split,
)
from tasks.sources.fetching import is_remote

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]*$")]


class Manifest(BaseModel):
    """Base of everything that is read from YAML: unknown fields are errors, values are frozen."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class PairManifest(Manifest):
    """One language pair: its parallel and monolingual corpora and its split rule.

    The first language is the hub: repeats are recognised by its side.
    """

    name: Name
    languages: tuple[LanguageCode, LanguageCode]
    parallel: Annotated[tuple[Corpus, ...], Field(min_length=1)]
    monolingual: dict[LanguageCode, tuple[Corpus, ...]] = {}
    split: Split

    @model_validator(mode="after")
    def _check(self) -> "PairManifest":
        problems = [
            *(f"parallel corpus {c.name}: {p}" for c in self.parallel for p in self._gaps(c)),
            *(
                f"monolingual corpus {c.name}: {problem}"
                for language, corpora in self.monolingual.items()
                for c in corpora
                for problem in missing_fields(c, [language])
            ),
            *(
                f"monolingual: {language!r} is not a language of this pair"
                for language in self.monolingual
                if language not in self.languages
            ),
        ]
        if len(set(self.languages)) == 1:
            problems.append(f"languages: {self.languages[0]!r} stands there twice")
        problems += self._repeated_names()
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def _repeated_names(self) -> Iterator[str]:
        """Yield a problem for each name that two corpora of one list share."""
        lists = {"parallel": self.parallel}
        lists |= {f"monolingual {language}": found for language, found in self.monolingual.items()}
        for place, corpora in lists.items():
            names = Counter(corpus.name for corpus in corpora)
            for name in (name for name, times in names.items() if times > 1):
                yield (
                    f"{place}: two corpora are named {name!r}; a name begins the ids of its "
                    "sentences, so rename one"
                )

    def _gaps(self, corpus: Corpus) -> Iterator[str]:
        return missing_fields(corpus, self.languages)


class TaskManifest(Manifest):
    """A labelled set for sentence classification, with the same items in several languages.

    With `labels_from`, labels and splits come from that corpus and are joined to the texts by id;
    without it, each text corpus must map `label` itself.
    """

    name: Name
    kind: Literal["classification"] = "classification"
    source_language: LanguageCode
    labels: Annotated[tuple[str, ...], Field(min_length=2)]
    texts: dict[LanguageCode, Corpus]
    labels_from: Corpus | None = None

    @model_validator(mode="after")
    def _check(self) -> "TaskManifest":
        wanted = ["text"] if self.labels_from else ["text", "label"]
        problems = [
            f"texts {language}: {problem}"
            for language, corpus in self.texts.items()
            for problem in missing_fields(corpus, wanted)
        ]
        if self.labels_from:
            problems += [f"labels_from: {p}" for p in missing_fields(self.labels_from, ["label"])]
        if self.source_language not in self.texts:
            problems.append(f"texts: the source language {self.source_language!r} is missing")
        if problems:
            raise ValueError("; ".join(problems))
        return self


def missing_fields(corpus: Corpus, fields: Sequence[str]) -> Iterator[str]:
    """Yield a sentence for each field that a corpus's source does not provide."""
    source = corpus.source
    yield from _unpinned(corpus)
    given: set[str | None]
    if isinstance(source, Sandbox):
        return
    if isinstance(source, HubDataset):
        given, how = {*source.columns}, "`columns` does not map {}"
    elif isinstance(source.format, PlainText | BibleVerses):
        given, how = {file.language for file in source.files}, "no file has `language: {}`"
    else:
        given, how = {*source.format.columns}, "`columns` does not map {}"
    yield from (how.format(field) for field in fields if field not in given)


def _unpinned(corpus: Corpus) -> Iterator[str]:
    """Yield a sentence for each remote file or data set whose content may change unseen."""
    source = corpus.source
    if isinstance(source, Files) and is_remote(source.base):
        names = [file.name for file in source.files if file.sha256 is None]
        how = "write 64 zeros, and `sprachbund pair check` tells the real one"
        yield from (f"file {name} has no `sha256`; {how}" for name in names)
    if isinstance(source, HubDataset) and not source.revision and not Path(source.name).is_dir():
        yield f"data set {source.name} has no `revision`"
