"""From raw corpora to text that may be trained on."""

from dataclasses import dataclass
from pathlib import Path

import luigi

from models.writing import writes_no_ends
from pipeline.settings import Settings
from pipeline.specs.experiment import Experiment
from pipeline.stages.stage import Inputs, Requirements, Stage
from pipeline.store import Draft
from tasks.bitext import prepare_bitext
from tasks.cleaning import CleaningRules
from tasks.labelled import SourceSet, prepare_labelled, read_labels
from tasks.monolingual import prepare_monolingual
from tasks.sources.description import (
    Corpus,
    Files,
    HashSplit,
    HubDataset,
    ShareSplit,
    Source,
    Split,
)
from tasks.sources.fetching import address, fetch, is_remote, sha256_of
from tasks.sources.reading import FetchedCorpus


@dataclass(frozen=True)
class RawCorpusSpec:
    """A source, with the digests of its local files: a changed byte is a changed spec."""

    source: Source
    local_digests: tuple[str, ...]


class RawCorpus(Stage[RawCorpusSpec]):
    """The files of one corpus, fetched and verified."""

    VERSION = 2

    kind = luigi.ChoiceParameter(
        choices=["pair", "task"],
        description="what lists the corpus; a pair and a task may have one name",
    )
    owner = luigi.Parameter(description="name of the pair or task that lists the corpus")
    part = luigi.Parameter(description="parallel, labels, or a language code")
    corpus = luigi.Parameter(description="name of the corpus")

    def spec(self) -> RawCorpusSpec:
        source = self._corpus().source
        return RawCorpusSpec(source, local_digests(source))

    def label(self) -> str:
        owner = f"task-{self.owner}" if self.kind == "task" else self.owner
        return f"{owner}-{self.part}-{self.corpus}"

    @staticmethod
    def build(spec: RawCorpusSpec, inputs: Inputs, out: Draft) -> None:
        files = fetch(spec.source, out.path("raw"), mirror=Settings.from_environment().mirror)
        out.facts["sources"] = files

    def _corpus(self) -> Corpus:
        found = listed_corpora(self.study, str(self.kind), str(self.owner))[str(self.part)]
        return next(c for c in found if c.name == self.corpus)


def listed_corpora(study: Experiment, kind: str, owner: str) -> dict[str, tuple[Corpus, ...]]:
    """Return the corpora of a pair or task (`kind`) by part."""
    if kind == "pair":
        pair = study.pair(owner)
        return {"parallel": pair.parallel, **pair.monolingual}
    task = study.task(owner)
    labels = {"labels": (task.labels_from,)} if task.labels_from else {}
    return {**{language: (corpus,) for language, corpus in task.texts.items()}, **labels}


def local_digests(source: Source) -> tuple[str, ...]:
    """Return the sha256 of each local file of a source; remote ones are pinned by the manifest.

    A data set is read by the names of its files, so they stand before the digests.
    """
    if isinstance(source, Files) and not is_remote(source.base):
        return tuple(_digest(Path(address(source, file))) for file in source.files)
    if isinstance(source, HubDataset) and (folder := Path(source.name)).is_dir():
        paths = sorted(path for path in folder.rglob("*") if path.is_file())
        return tuple(f"{path.relative_to(folder).as_posix()} {_digest(path)}" for path in paths)
    return ()


def _digest(path: Path) -> str:
    return sha256_of(path) if path.is_file() else "missing"


def raw_corpora(stage: Stage[object], kind: str, owner: str, part: str) -> list[Stage[object]]:
    """Return the stages that fetch the corpora of one part of a pair or task (`kind`)."""
    return [
        RawCorpus(
            experiment=stage.experiment, kind=kind, owner=owner, part=part, corpus=corpus.name
        )
        for corpus in listed_corpora(stage.study, kind, owner).get(part, ())
    ]


def fetched(corpora: tuple[Corpus, ...], inputs: Inputs, name: str) -> list[FetchedCorpus]:
    """Pair each corpus with the folder its raw files were fetched into."""
    folders = [artifact.folder / "raw" for artifact in inputs.many(name)]
    return [FetchedCorpus(*pair) for pair in zip(corpora, folders, strict=True)]


@dataclass(frozen=True)
class BitextSpec:
    """What decides one pair's clean and split bitext."""

    corpora: tuple[Corpus, ...]
    languages: tuple[str, str]
    rules: CleaningRules
    split: Split


class Bitext(Stage[BitextSpec]):
    """One pair's parallel text, cleaned, without repeats, split by id."""

    VERSION = 3

    pair = luigi.Parameter(description="name of the pair")

    def spec(self) -> BitextSpec:
        pair = self.study.pair(str(self.pair))
        split = self._sliced(pair.split)
        corpora = tuple(corpus.without_credits() for corpus in pair.parallel)
        return BitextSpec(corpora, pair.languages, self.study.cleaning, split)

    def label(self) -> str:
        return str(self.pair)

    def requires(self) -> Requirements:
        return {"raw": raw_corpora(self, "pair", str(self.pair), "parallel")}

    @staticmethod
    def build(spec: BitextSpec, inputs: Inputs, out: Draft) -> None:
        out.counts = prepare_bitext(
            fetched(spec.corpora, inputs, "raw"),
            spec.languages,
            rules=spec.rules,
            split=spec.split,
            out=out.folder,
        )

    def _sliced(self, split: Split) -> Split:
        limits = self.study.slice
        if not isinstance(split, HashSplit):
            return split
        return HashSplit(
            rule="hash",
            dev=min(split.dev, limits.dev or split.dev),
            test=min(split.test, limits.test or split.test),
            train=min(filter(None, (limits.train, split.train)), default=None),
            seed=split.seed,
        )


@dataclass(frozen=True)
class MonolingualSpec:
    """What decides one language's clean monolingual text.

    `clauses` is set for languages that write no ends of sentences.
    """

    corpora: tuple[Corpus, ...]
    language: str
    rules: CleaningRules
    clauses: bool = False


class Monolingual(Stage[MonolingualSpec]):
    """One language's monolingual text, as sentences, without repeats."""

    VERSION = 3

    language = luigi.Parameter(description="language code")

    def spec(self) -> MonolingualSpec:
        listed = monolingual_corpora(self.study, str(self.language))
        corpora = tuple(corpus.without_credits() for _, corpus in listed)
        language = str(self.language)
        return MonolingualSpec(corpora, language, self.study.cleaning, writes_no_ends(language))

    def label(self) -> str:
        return str(self.language)

    def requires(self) -> Requirements:
        return {
            "raw": [
                RawCorpus(
                    experiment=self.experiment,
                    kind="pair",
                    owner=owner,
                    part=self.language,
                    corpus=corpus.name,
                )
                for owner, corpus in monolingual_corpora(self.study, str(self.language))
            ]
        }

    @staticmethod
    def build(spec: MonolingualSpec, inputs: Inputs, out: Draft) -> None:
        out.counts = prepare_monolingual(
            fetched(spec.corpora, inputs, "raw"),
            spec.language,
            rules=spec.rules,
            out=out.folder,
            clauses=spec.clauses,
        )


def monolingual_corpora(study: Experiment, language: str) -> list[tuple[str, Corpus]]:
    """Return the monolingual corpora of a language with the first pair that lists each."""
    found: dict[str, tuple[str, Corpus]] = {}
    for pair in study.pairs:
        for corpus in pair.monolingual.get(language, ()):
            found.setdefault(corpus.name, (pair.name, corpus))
    return list(found.values())


@dataclass(frozen=True)
class LabelledDataSpec:
    """What decides one language's labelled set; labels may come from a corpus of their own."""

    language: str
    texts: Corpus
    labels_from: Corpus | None
    labels: tuple[str, ...]
    rules: CleaningRules
    limits: dict[str, int]
    split: ShareSplit | None


class LabelledData(Stage[LabelledDataSpec]):
    """One language's labelled train, dev and test set of a task."""

    VERSION = 3

    task = luigi.Parameter(description="name of the task")
    language = luigi.Parameter(description="language code")

    def spec(self) -> LabelledDataSpec:
        study, task = self.study, self.study.task(str(self.task))
        return LabelledDataSpec(
            language=str(self.language),
            texts=task.texts[str(self.language)].without_credits(),
            labels_from=task.labels_from.without_credits() if task.labels_from else None,
            labels=task.labels,
            rules=study.cleaning,
            limits=study.slice.task_limits,
            split=task.split,
        )

    def label(self) -> str:
        return f"{self.task}-{self.language}"

    def requires(self) -> Requirements:
        return {
            "texts": raw_corpora(self, "task", str(self.task), str(self.language)),
            "labels": raw_corpora(self, "task", str(self.task), "labels"),
            "source": []
            if self.language == self.study.hub
            else [
                LabelledData(experiment=self.experiment, task=self.task, language=self.study.hub)
            ],
        }

    @staticmethod
    def build(spec: LabelledDataSpec, inputs: Inputs, out: Draft) -> None:
        (texts,) = fetched((spec.texts,), inputs, "texts")
        labelled = texts
        if spec.labels_from is not None:
            (labelled,) = fetched((spec.labels_from,), inputs, "labels")
        label_of = read_labels(labelled, spec.labels, spec.split)
        source = [SourceSet.load(artifact.folder) for artifact in inputs.many("source")]
        out.counts = prepare_labelled(
            texts,
            label_of,
            rules=spec.rules,
            limits=spec.limits,
            source=source[0] if source else None,
            language=spec.language,
            out=out.folder,
        )
