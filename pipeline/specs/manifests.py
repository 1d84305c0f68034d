"""Pair and task manifests: one language pair, one labelled task."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, model_validator

from pipeline.specs.languages import LanguageCode
from tasks.sources.description import (
    BibleVerses,
    Corpus,
    Files,
    HubDataset,
    PlainText,
    Sandbox,
    ShareSplit,
    Split,
)
from tasks.sources.fetching import is_remote

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]*$")]


Location = tuple[str | int, ...]
"""The way to a field: names of fields and places in lists."""
Problem = tuple[Location, str]


class FieldsError(ValueError):
    """What is wrong with a manifest across its fields: each problem with its place."""

    def __init__(self, found: Sequence[Problem]) -> None:
        super().__init__("; ".join(text for _, text in found))
        self.found = found


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
        problems = [*self._gaps(), *self._repeated_names()]
        problems += [
            (("monolingual", language), f"{language!r} is not a language of this pair")
            for language in self.monolingual
            if language not in self.languages
        ]
        if len(set(self.languages)) == 1:
            problems.append((("languages",), f"{self.languages[0]!r} stands there twice"))
        if problems:
            raise FieldsError(problems)
        return self

    def _lists(self) -> dict[Location, tuple[Corpus, ...]]:
        """Return each list of corpora with its place."""
        lists: dict[Location, tuple[Corpus, ...]] = {("parallel",): self.parallel}
        return lists | {("monolingual", code): found for code, found in self.monolingual.items()}

    def _gaps(self) -> Iterator[Problem]:
        """Yield what each corpus does not provide."""
        for place, corpora in self._lists().items():
            languages = [str(place[1])] if place[1:] else list(self.languages)
            if not set(languages) <= set(self.languages):
                continue
            for number, corpus in enumerate(corpora):
                for within, text in missing_fields(corpus, languages):
                    yield (*place, number, *within), f"corpus {corpus.name}: {text}"

    def _repeated_names(self) -> Iterator[Problem]:
        """Yield a problem for each corpus that is named like an earlier one of its list."""
        for place, corpora in self._lists().items():
            names = [corpus.name for corpus in corpora]
            for number, name in enumerate(names):
                if name in names[:number]:
                    yield (
                        (*place, number, "name"),
                        f"two corpora are named {name!r}; a name begins the ids of its sentences, "
                        "so rename one",
                    )


class TaskManifest(Manifest):
    """A labelled set for sentence classification, with the same items in several languages.

    With `labels_from`, labels and splits come from that corpus and are joined to the texts by id;
    without it, each text corpus must map `label` itself. An item is in the part that its column
    `split` names, if `columns` maps one, else in that of its file, else `split` draws one.
    """

    name: Name
    kind: Literal["classification"] = "classification"
    source_language: LanguageCode
    labels: Annotated[tuple[str, ...], Field(min_length=2)]
    texts: dict[LanguageCode, Corpus]
    labels_from: Corpus | None = None
    split: ShareSplit | None = None

    @model_validator(mode="after")
    def _check(self) -> "TaskManifest":
        wanted = ["text"] if self.labels_from else ["text", "label"]
        places: dict[Location, tuple[Corpus, list[str]]] = {
            ("texts", language): (corpus, wanted) for language, corpus in self.texts.items()
        }
        if self.labels_from:
            places["labels_from",] = self.labels_from, ["label"]
        problems: list[Problem] = [
            ((*place, *within), text)
            for place, (corpus, fields) in places.items()
            for within, text in missing_fields(corpus, fields)
        ]
        if self.source_language not in self.texts:
            text = f"the source language {self.source_language!r} is missing"
            problems.append((("texts",), text))
        if self.split and self.split.dev + self.split.test >= 1:
            problems.append((("split",), "dev and test leave nothing to train on"))
        if problems:
            raise FieldsError(problems)
        return self


def missing_fields(corpus: Corpus, fields: Sequence[str]) -> Iterator[Problem]:
    """Yield a problem for each field that a corpus's source does not provide."""
    source = corpus.source
    yield from _unpinned(corpus)
    yield from _unsafe(corpus)
    yield from _misplaced(corpus, fields)
    given: set[str | None]
    if isinstance(source, Sandbox):
        return
    if isinstance(source, HubDataset):
        given, how = {*source.columns}, "`columns` does not map {}"
    elif isinstance(source.format, PlainText | BibleVerses):
        given, how = {file.language for file in source.files}, "no file has `language: {}`"
    else:
        given, how = {*source.format.columns}, "`columns` does not map {}"
    yield from ((("source",), how.format(field)) for field in fields if field not in given)


def _unpinned(corpus: Corpus) -> Iterator[Problem]:
    """Yield a problem for each remote file or data set whose content may change unseen."""
    source = corpus.source
    if isinstance(source, Files) and is_remote(source.base):
        how = "write 64 zeros, and `sprachbund pair check` tells the real one"
        for number, file in enumerate(source.files):
            if file.sha256 is None:
                yield ("source", "files", number), f"file {file.name} has no `sha256`; {how}"
    if isinstance(source, HubDataset) and not source.revision and not Path(source.name).is_dir():
        yield ("source",), f"data set {source.name} has no `revision`"


def _unsafe(corpus: Corpus) -> Iterator[Problem]:
    """Yield a problem for an address of another kind, or with a secret that would be kept."""
    if not isinstance(corpus.source, Files) or "://" not in corpus.source.base:
        return
    if not is_remote(corpus.source.base):
        kind = corpus.source.base.partition("://")[0]
        yield ("source", "base"), f"{kind} addresses are not fetched; use http(s) or a folder"
    elif "@" in urlsplit(corpus.source.base).netloc:
        yield (
            ("source", "base"),
            "an address may hold no user name or password: manifests are kept and shared; write "
            "them to ~/.netrc",
        )


def _misplaced(corpus: Corpus, fields: Sequence[str]) -> Iterator[Problem]:
    """Yield a problem for each block of rows that cannot be put beside other rows."""
    done = dict.fromkeys(fields, 0)
    for number, slip in enumerate(corpus.realign):
        place = ("realign", number)
        first, last = slip.rows
        if len(fields) == 1 or slip.language not in fields or "text" in fields:
            yield (*place, "language"), f"{slip.language!r} is not a language of this bitext"
        elif first > last:
            yield (*place, "rows"), f"rows {first} to {last} run backwards"
        elif first <= done[slip.language]:
            yield (*place, "rows"), f"rows up to {done[slip.language]} stand in an earlier entry"
        elif not slip.by:
            yield (*place, "by"), "by 0 rows: nothing would move"
        else:
            done[slip.language] = last
