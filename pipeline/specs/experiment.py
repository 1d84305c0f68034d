"""An experiment: which pairs and tasks, and the recipe for each step."""

from collections.abc import Iterator
from functools import cached_property
from typing import Annotated

from pydantic import Field, model_validator

from models.nmt.recipe import NmtRecipe
from models.subwords import SubwordRecipe
from pipeline.specs.languages import LanguageCode
from pipeline.specs.manifests import Manifest, Name, PairManifest, TaskManifest
from tasks.cleaning import CleaningRules
from tasks.filtering import FilterLimits
from tasks.leakage import LeakRules
from tasks.mt.synthetic import BackTranslationRecipe
from tasks.sources.description import Corpus, ShippedSplit
from tasks.transfer.contests import TransferRecipe

GLOSS = "gloss"


class EvaluationRecipe(Manifest):
    """Resampling for every interval and paired test, and the beam of test translations."""

    resamples: Annotated[int, Field(ge=100)] = 1000
    seed: Annotated[int, Field(ge=1)] = 12345
    beam: Annotated[int, Field(ge=1)] = 4


class SliceRecipe(Manifest):
    """Upper limits that cut an experiment down to a slice of its data; none by default."""

    train: Annotated[int, Field(ge=1)] | None = None
    dev: Annotated[int, Field(ge=1)] | None = None
    test: Annotated[int, Field(ge=1)] | None = None
    task_train: Annotated[int, Field(ge=1)] | None = None
    task_dev: Annotated[int, Field(ge=1)] | None = None
    task_test: Annotated[int, Field(ge=1)] | None = None

    @property
    def cuts_bitext(self) -> bool:
        """Say whether any part of the bitext has a limit."""
        return bool(self.train or self.dev or self.test)

    @property
    def task_limits(self) -> dict[str, int]:
        """The limits that are set, by part of a labelled set."""
        limits = {"train": self.task_train, "dev": self.task_dev, "test": self.task_test}
        return {part: limit for part, limit in limits.items() if limit}


class Experiment(Manifest):
    """Everything that decides a result. Paths, workers and timeouts are not in it.

    `retrain` holds what differs from `nmt` in rounds with synthetic text.
    """

    name: Name
    hub: LanguageCode
    pairs: Annotated[tuple[PairManifest, ...], Field(min_length=1)]
    tasks: tuple[TaskManifest, ...] = ()
    slice: SliceRecipe = SliceRecipe()
    cleaning: CleaningRules = CleaningRules()
    filters: FilterLimits = FilterLimits()
    leaks: LeakRules = LeakRules()
    subwords: SubwordRecipe = SubwordRecipe()
    nmt: NmtRecipe = NmtRecipe()
    retrain: NmtRecipe | None = None
    back_translation: BackTranslationRecipe = BackTranslationRecipe()
    transfer: TransferRecipe = TransferRecipe()
    evaluation: EvaluationRecipe = EvaluationRecipe()

    @model_validator(mode="after")
    def _check(self) -> "Experiment":
        problems = [
            f"pair {pair.name}: it begins with {pair.languages[0]!r}, the hub is {self.hub!r}"
            for pair in self.pairs
            if pair.languages[0] != self.hub
        ]
        covered = {self.hub, *self.languages}
        for task in self.tasks:
            if task.source_language != self.hub:
                problems.append(
                    f"task {task.name}: its source language is not the hub {self.hub!r}"
                )
            if not covered & set(task.texts) - {self.hub}:
                problems.append(f"task {task.name}: shares no language with the pairs")
        problems += [
            f"slice: pair {pair.name} has shipped splits, which cannot be sliced"
            for pair in self.pairs
            if self.slice.cuts_bitext and isinstance(pair.split, ShippedSplit)
        ]
        problems += self._clashes()
        if len(set(self.back_translation.engines)) < len(self.back_translation.engines):
            problems.append("back_translation: an engine is listed twice")
        for kind, names in (
            ("pair", [p.name for p in self.pairs]),
            ("language", [p.languages[1] for p in self.pairs]),
            ("task", [t.name for t in self.tasks]),
        ):
            problems += [
                f"{kind} {n} is listed twice"
                for n in sorted({n for n in names if names.count(n) > 1})
            ]
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def _clashes(self) -> Iterator[str]:
        """Yield a problem for each name that two different monolingual corpora share."""
        known: dict[tuple[str, str], Corpus] = {}
        for pair in self.pairs:
            for language, corpora in pair.monolingual.items():
                for corpus in corpora:
                    first = known.setdefault((language, corpus.name), corpus)
                    if first.without_credits() != corpus.without_credits():
                        yield (
                            f"pair {pair.name}: another pair has a different monolingual corpus "
                            f"{corpus.name!r} of {language!r}; rename one"
                        )

    @cached_property
    def languages(self) -> tuple[str, ...]:
        """The low-resource languages, in the order of the pairs."""
        return tuple(pair.languages[1] for pair in self.pairs)

    @cached_property
    def directions(self) -> tuple[tuple[str, str], ...]:
        """Every direction that is trained: hub to language and back, pair after pair."""
        return tuple(
            direction
            for language in self.languages
            for direction in ((self.hub, language), (language, self.hub))
        )

    def pair(self, name: str) -> PairManifest:
        """Return a pair by name."""
        return next(pair for pair in self.pairs if pair.name == name)

    def task(self, name: str) -> TaskManifest:
        """Return a task by name."""
        return next(task for task in self.tasks if task.name == name)

    def task_languages(self, task: TaskManifest) -> tuple[str, ...]:
        """The low-resource languages that a task has texts in."""
        return tuple(language for language in self.languages if language in task.texts)

    @property
    def rounds(self) -> range:
        """The NMT trainings: 0 is on human text alone."""
        return range(self.back_translation.rounds + 1)

    @property
    def engines(self) -> tuple[str, ...]:
        """The names of all translation engines: the gloss and the model of each round."""
        return (GLOSS, *map(nmt_engine, self.rounds))

    def back_translation_engines(self, round_number: int) -> tuple[str, ...]:
        """The engines whose synthetic text a round trains on; none in round 0."""
        last = nmt_engine(round_number - 1)
        wanted = self.back_translation.engines if round_number else ()
        return tuple(last if engine == "nmt" else engine for engine in wanted)

    def nmt_recipe(self, round_number: int) -> NmtRecipe:
        """The hyperparameters of a round; `retrain` holds those of rounds with synthetic text."""
        return self.retrain if round_number and self.retrain else self.nmt


def nmt_engine(round_number: int) -> str:
    """Return the engine name of a round's model."""
    return f"nmt-{round_number}"


def engine_round(engine: str) -> int | None:
    """Return the round an engine's model belongs to; None for the gloss."""
    return None if engine == GLOSS else int(engine.removeprefix("nmt-"))
