"""What may be trained on: the held-out text, the guard that keeps it out, and the audit."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import luigi

from pipeline.specs.experiment import Experiment
from pipeline.stages.corpora import (
    Bitext,
    LabelledData,
    Monolingual,
    fetched,
    monolingual_corpora,
    raw_corpora,
)
from pipeline.stages.filtering import SCORES, BitextScores, MonolingualScores
from pipeline.stages.stage import Inputs, Requirements, Stage
from pipeline.store import Artifact, Draft
from tasks.auditing import audit, gaps, is_held_out, is_looked_for, shared_training_text
from tasks.filtering import FilterLimits, accept
from tasks.identity import doubts
from tasks.leakage import (
    HeldOutIndex,
    LeakRules,
    TextSet,
    all_texts,
    remove_leaks,
    write_held_out,
)
from tasks.monolingual import merge_task_texts
from tasks.multiway import shared_corpora
from tasks.offsets import cure, find_shifts
from tasks.sources.description import Corpus
from tasks.sources.reading import read_corpus
from tasks.splitting import PARTS

HELD_OUT = "held-out.parquet"
Labelled = tuple[str, str]
"""Task and language."""


def bitext_sets(pair: str, languages: tuple[str, str], artifact: Artifact) -> Iterator[TextSet]:
    """Yield the parts of a bitext, the held-out ones first."""
    for part in reversed(PARTS):
        columns = {language: language for language in languages}
        yield TextSet(f"MT {part} {pair}", artifact.path(f"{part}.parquet"), columns)


def labelled_sets(labelled: Labelled, artifact: Artifact) -> Iterator[TextSet]:
    """Yield the parts of a labelled set in one language, the held-out ones first."""
    task, language = labelled
    for part in reversed(PARTS):
        path = artifact.path(f"{part}.parquet")
        yield TextSet(f"task {part} {task}-{language}", path, {language: "text"})


@dataclass(frozen=True)
class HeldOutTextSpec:
    """The bitexts (with their languages) and labelled sets, in the order of the inputs."""

    pairs: tuple[tuple[str, tuple[str, str]], ...]
    labelled: tuple[Labelled, ...]


def all_labelled(study: Experiment) -> tuple[Labelled, ...]:
    """Return every task with each of its languages, the hub first."""
    return tuple(
        (task.name, language)
        for task in study.tasks
        for language in (study.hub, *study.task_languages(task))
    )


def text_requirements(stage: Stage[Any]) -> dict[str, list[Stage[Any]]]:
    """Return the stages of every bitext and labelled set of the experiment."""
    experiment = stage.experiment
    return {
        "bitext": [Bitext(experiment=experiment, pair=p.name) for p in stage.study.pairs],
        "labelled": [
            LabelledData(experiment=experiment, task=task, language=language)
            for task, language in all_labelled(stage.study)
        ],
    }


def text_sets(spec: HeldOutTextSpec, inputs: Inputs) -> Iterator[TextSet]:
    """Yield every part of every bitext and labelled set."""
    for (pair, languages), artifact in zip(spec.pairs, inputs.many("bitext"), strict=True):
        yield from bitext_sets(pair, languages, artifact)
    for labelled, artifact in zip(spec.labelled, inputs.many("labelled"), strict=True):
        yield from labelled_sets(labelled, artifact)


def held_out_spec(study: Experiment) -> HeldOutTextSpec:
    """Return the bitexts and labelled sets of an experiment."""
    pairs = tuple((pair.name, pair.languages) for pair in study.pairs)
    return HeldOutTextSpec(pairs, all_labelled(study))


class HeldOutText(Stage[HeldOutTextSpec]):
    """Every sentence that no model may be trained on: MT dev and test, task dev and test."""

    def spec(self) -> HeldOutTextSpec:
        return held_out_spec(self.study)

    def label(self) -> str:
        return "all"

    def requires(self) -> Requirements:
        return text_requirements(self)

    @staticmethod
    def build(spec: HeldOutTextSpec, inputs: Inputs, out: Draft) -> None:
        held_out = (text for text in text_sets(spec, inputs) if is_held_out(text.name))
        out.counts = {"texts": write_held_out(held_out, out.path(HELD_OUT))}


def held_out_index(inputs: Inputs, rules: LeakRules) -> HeldOutIndex:
    """Load the held-out text that a stage requires."""
    return HeldOutIndex.load(inputs.one("held_out").path(HELD_OUT), rules)


@dataclass(frozen=True)
class LeakAuditSpec:
    """What counts as a leak, and the sets that are looked at, in the order of the inputs.

    `parallel` are the corpora of bitext, each with its pair: their rows may have slipped.
    """

    rules: LeakRules
    sets: HeldOutTextSpec
    monolingual: tuple[str, ...]
    parallel: tuple[tuple[str, Corpus], ...]


class LeakAudit(Stage[LeakAuditSpec]):
    """Which texts of the experiment share sentences: held-out ones above all."""

    VERSION = 6

    def spec(self) -> LeakAuditSpec:
        study = self.study
        parallel = tuple(
            (pair.name, corpus.without_credits())
            for pair in study.pairs
            for corpus in pair.parallel
        )
        return LeakAuditSpec(study.leaks, held_out_spec(study), self._monolingual(), parallel)

    def label(self) -> str:
        return str(self.study.name)

    def requires(self) -> Requirements:
        return {
            **text_requirements(self),
            "monolingual": [
                Monolingual(experiment=self.experiment, language=language)
                for language in self._monolingual()
            ],
            "raw": [
                raw
                for pair in self.study.pairs
                for raw in raw_corpora(self, "pair", pair.name, "parallel")
            ],
        }

    @staticmethod
    def build(spec: LeakAuditSpec, inputs: Inputs, out: Draft) -> None:
        monolingual = [
            TextSet(
                f"monolingual {language}",
                artifact.path("text.parquet"),
                {language: language},
                by_corpus=True,
            )
            for language, artifact in zip(spec.monolingual, inputs.many("monolingual"), strict=True)
        ]
        sets = [*text_sets(spec.sets, inputs), *monolingual]
        wanted = [text for text in sets if is_looked_for(text.name)]
        others = [text for text in sets if not is_looked_for(text.name)]
        index = HeldOutIndex(all_texts(wanted), spec.rules)
        overlaps = [*audit(sets, index), *shared_training_text(others, spec.rules)]
        out.facts["overlaps"] = [overlap.as_record() for overlap in overlaps]
        out.facts["gaps"] = [gap._asdict() for gap in gaps(index)]
        out.facts["remarks"] = [
            *_doubts_about_ids(spec.sets.labelled, inputs.many("labelled")),
            *map(str, shared_corpora(sets, spec.rules)),
            *_slipped_rows(spec, inputs),
        ]

    def _monolingual(self) -> tuple[str, ...]:
        study = self.study
        languages = (study.hub, *study.languages)
        return tuple(lang for lang in languages if monolingual_corpora(study, lang))


def _doubts_about_ids(labelled: Sequence[Labelled], sets: Sequence[Artifact]) -> Iterator[str]:
    """Yield what is odd about the ids of labelled sets."""
    for (task, language), artifact in zip(labelled, sets, strict=True):
        if ids := artifact.manifest["counts"].get("ids"):
            yield from (f"task {task}-{language}: {doubt}" for doubt in doubts(**ids))


def _slipped_rows(spec: LeakAuditSpec, inputs: Inputs) -> Iterator[str]:
    """Yield which rows of each bitext have slipped, and what to write to put them back."""
    languages = dict(spec.sets.pairs)
    corpora = fetched(tuple(corpus for _, corpus in spec.parallel), inputs, "raw")
    for (pair, corpus), raw in zip(spec.parallel, corpora, strict=True):
        hub, language = languages[pair]
        rows = read_corpus(*raw)
        shifts = find_shifts((row.fields[hub], row.fields[language]) for row in rows)
        if shifts:
            seen = "; ".join(map(str, shifts))
            way_out = cure(shifts, language, corpus.realign)
            yield f"{pair}, {corpus.name}: {seen} in {language}; write beside its name {way_out}"


@dataclass(frozen=True)
class SafeTextSpec:
    """The text, by the languages of its columns, what is noise, what a leak, how much stays."""

    name: str
    languages: tuple[str, ...]
    rules: LeakRules
    filters: FilterLimits = FilterLimits()
    limit: int | None = None

    def text_set(self, path: Path, part: str = "train") -> TextSet:
        """Return a file of this text, or of another part of it."""
        name = self.name.replace("train", part, 1)
        return TextSet(name, path, {language: language for language in self.languages})


class TrainingBitext(Stage[SafeTextSpec]):
    """One pair's train and dev bitext without any held-out sentence, train without plain noise.

    Dev text chooses the checkpoint, so it may repeat no test sentence. It may repeat dev sentences
    of a task, which choose, too: some corpora (NusaX) have but one dev set for both.
    """

    VERSION = 5

    pair = luigi.Parameter(description="name of the pair")

    def spec(self) -> SafeTextSpec:
        study = self.study
        languages = study.pair(str(self.pair)).languages
        return SafeTextSpec(f"MT train {self.pair}", languages, study.leaks, study.filters)

    def label(self) -> str:
        return str(self.pair)

    def requires(self) -> Requirements:
        return {
            "text": Bitext(experiment=self.experiment, pair=self.pair),
            "scores": BitextScores(experiment=self.experiment, pair=self.pair),
            "held_out": HeldOutText(experiment=self.experiment),
        }

    @staticmethod
    def build(spec: SafeTextSpec, inputs: Inputs, out: Draft) -> None:
        held_out = held_out_index(inputs, spec.rules)
        dev = spec.text_set(inputs.one("text").path("dev.parquet"), part="dev")
        tests = held_out.without("MT dev", "task dev")
        out.counts = {
            "train": write_safe_text(spec, inputs, held_out, out, "train.parquet"),
            "dev": remove_leaks(dev, tests, out=out.path("dev.parquet")),
        }


class MonolingualSample(Stage[SafeTextSpec]):
    """One language's text to back-translate: no noise, no held-out sentence, at most so many."""

    VERSION = 4

    language = luigi.Parameter(description="language code")

    def spec(self) -> SafeTextSpec:
        language, study = str(self.language), self.study
        limit = study.monolingual.max_sentences
        name = f"monolingual {language}"
        return SafeTextSpec(name, (language,), study.leaks, study.filters, limit)

    def label(self) -> str:
        return str(self.language)

    def requires(self) -> Requirements:
        return {
            "text": Monolingual(experiment=self.experiment, language=self.language),
            "scores": MonolingualScores(experiment=self.experiment, language=self.language),
            "held_out": HeldOutText(experiment=self.experiment),
        }

    @staticmethod
    def build(spec: SafeTextSpec, inputs: Inputs, out: Draft) -> None:
        held_out = held_out_index(inputs, spec.rules)
        out.counts = write_safe_text(spec, inputs, held_out, out, "text.parquet")


class TaskText(Stage[SafeTextSpec]):
    """The tasks' training texts in the hub language, to back-translate: no label, no leak."""

    VERSION = 4

    def spec(self) -> SafeTextSpec:
        return SafeTextSpec("task train", (self.study.hub,), self.study.leaks)

    def label(self) -> str:
        return self.study.hub

    def requires(self) -> Requirements:
        study = self.study
        return {
            "labelled": [
                LabelledData(experiment=self.experiment, task=task.name, language=study.hub)
                for task in study.tasks
            ],
            "held_out": HeldOutText(experiment=self.experiment),
        }

    @staticmethod
    def build(spec: SafeTextSpec, inputs: Inputs, out: Draft) -> None:
        (language,) = spec.languages
        merged = out.scratch / "merged.parquet"
        parts = [artifact.path("train.parquet") for artifact in inputs.many("labelled")]
        counts = merge_task_texts(parts, language, out=merged)
        safe = remove_leaks(
            spec.text_set(merged),
            held_out_index(inputs, spec.rules),
            out=out.path("text.parquet"),
        )
        out.counts = {"merged": counts, **safe}


def text_to_translate(stage: Stage[Any], language: str) -> list[Stage[Any]]:
    """Return the stages that hold real text of a language; none where there is no text."""
    study = stage.study
    found: list[Stage[Any]] = []
    if monolingual_corpora(study, language):
        found.append(MonolingualSample(experiment=stage.experiment, language=language))
    if study.monolingual.task_text and study.tasks and language == study.hub:
        found.append(TaskText(experiment=stage.experiment))
    return found


def write_safe_text(
    spec: SafeTextSpec, inputs: Inputs, held_out: HeldOutIndex, out: Draft, name: str
) -> dict[str, object]:
    """Write the input's file of that name for training; return what each step has dropped.

    A record passes the noise filters, then the guard against leaks, then it is drawn where there is
    a limit.
    """
    text, scores = inputs.one("text").path(name), inputs.one("scores").path(SCORES)
    clean = out.scratch / name
    noise = accept(text, scores, spec.filters, clean)
    leaks = remove_leaks(spec.text_set(clean), held_out, out=out.path(name), limit=spec.limit)
    return {"filters": noise, "leaks": leaks}
