"""An experiment: which pairs and tasks, which systems compete, and the recipe for each step."""

import json
from collections.abc import Iterator
from functools import cached_property
from itertools import permutations
from typing import Annotated

from pydantic import Field, model_validator
from pydantic_core import to_jsonable_python

from models.encoders.registry import NmtEncoderSpec
from models.engines.protocol import Decoding
from models.nmt.recipe import NmtRecipe
from models.subwords import SubwordRecipe
from pipeline.specs.adaptations import Surroundings, encoder_problems
from pipeline.specs.encoders import EncoderManifest
from pipeline.specs.languages import LanguageCode
from pipeline.specs.manifests import (
    FieldsError,
    Manifest,
    Name,
    PairManifest,
    Problem,
    TaskManifest,
)
from pipeline.specs.suggesting import suggest
from pipeline.specs.systems import (
    PivotSystem,
    Systems,
    TrainedSystem,
    ancestors,
    graph_problems,
)
from pipeline.specs.transfer import TransferRecipe
from tasks.cleaning import CleaningRules
from tasks.filtering import FilterLimits
from tasks.leakage import LeakRules
from tasks.monolingual import MonolingualRecipe
from tasks.sources.description import Corpus, ShippedSplit


class EvaluationRecipe(Manifest):
    """Resampling for every interval and paired test, and the decoding of test translations."""

    resamples: Annotated[int, Field(ge=100)] = 1000
    seed: Annotated[int, Field(ge=1)] = 12345
    decoding: Decoding = Decoding()


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


class Hardware(Manifest):
    """What a training may use of a machine; nothing of it enters a fingerprint.

    `threads` of one training: as many as leave room for all replicates beside each other where none
    are named. `gpu`: only a worker that has a GPU takes a training.
    """

    threads: Annotated[int, Field(ge=1)] | None = None
    gpu: bool = False


class Experiment(Manifest):
    """Everything that decides a result, and under `hardware` what does not.

    `models` are the manifests that encoders name, put there when the file is read.
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
    monolingual: MonolingualRecipe = MonolingualRecipe()
    systems: Annotated[Systems, Field(min_length=1)]
    contrasts: tuple[tuple[Name, Name], ...] | None = None
    transfer: TransferRecipe = TransferRecipe()
    models: Annotated[dict[Name, EncoderManifest], Field(default_factory=dict)]
    evaluation: EvaluationRecipe = EvaluationRecipe()
    hardware: Hardware = Hardware()

    @model_validator(mode="after")
    def _check(self) -> "Experiment":
        checks = (
            self._wrong_hubs(),
            self._foreign_tasks(),
            self._slices_of_shipped(),
            self._clashes(),
            self._repeats(),
            graph_problems(self.systems, self.hub),
            encoder_problems(self.transfer.encoders, self._surroundings()),
            self._unknown_systems(),
            self.transfer.problems(),
            self._ensembles_of_unequal_trainings(),
        )
        problems = [problem for check in checks for problem in check]
        if problems:
            raise FieldsError(problems)
        return self

    def _surroundings(self) -> Surroundings:
        """Return what encoders are made with."""
        own = frozenset(
            code for pair in self.pairs for code, corpora in pair.monolingual.items() if corpora
        )
        return Surroundings(self.hub, self.systems, self.models, own)

    def _wrong_hubs(self) -> Iterator[Problem]:
        """Yield a problem for each pair that does not begin with the hub."""
        for pair in self.pairs:
            if pair.languages[0] != self.hub:
                text = f"it begins with {pair.languages[0]!r}, the hub is {self.hub!r}"
                yield ("pairs",), f"pair {pair.name}: {text}"

    def _foreign_tasks(self) -> Iterator[Problem]:
        """Yield a problem for each task that has other languages."""
        for task in self.tasks:
            if task.source_language != self.hub:
                text = f"its source language is not the hub {self.hub!r}"
                yield ("tasks",), f"task {task.name}: {text}"
            if not {self.hub, *self.languages} & set(task.texts) - {self.hub}:
                yield ("tasks",), f"task {task.name}: shares no language with the pairs"

    def _slices_of_shipped(self) -> Iterator[Problem]:
        """Yield a problem for each shipped split that a slice would cut."""
        for pair in self.pairs:
            if self.slice.cuts_bitext and isinstance(pair.split, ShippedSplit):
                yield ("slice",), f"pair {pair.name} has shipped splits, which cannot be sliced"

    def _clashes(self) -> Iterator[Problem]:
        """Yield a problem for each name that two different monolingual corpora share."""
        known: dict[tuple[str, str], Corpus] = {}
        for pair in self.pairs:
            for language, corpora in pair.monolingual.items():
                for corpus in corpora:
                    first = known.setdefault((language, corpus.name), corpus)
                    if first.without_credits() != corpus.without_credits():
                        yield (
                            ("pairs",),
                            f"pair {pair.name}: another pair has a different monolingual corpus "
                            f"{corpus.name!r} of {language!r}; rename one",
                        )

    def _repeats(self) -> Iterator[Problem]:
        """Yield a problem for each name that is listed twice."""
        for kind, field, names in (
            ("pair", "pairs", [p.name for p in self.pairs]),
            ("language", "pairs", [p.languages[1] for p in self.pairs]),
            ("task", "tasks", [t.name for t in self.tasks]),
        ):
            for name in sorted({n for n in names if names.count(n) > 1}):
                yield (field,), f"{kind} {name} is listed twice"

    def _unknown_systems(self) -> Iterator[Problem]:
        """Yield a problem for each place that names a system which does not exist."""
        named = {
            ("contrasts",): [name for contrast in self.contrasts or () for name in contrast],
            ("transfer", "systems"): self.transfer.systems,
            ("transfer", "ensembles"): self.transfer.named_systems(),
            ("transfer", "encoders"): [
                encoder.system
                for encoder in self.transfer.encoders.values()
                if isinstance(encoder, NmtEncoderSpec) and encoder.system
            ],
        }
        for place, names in named.items():
            for name in names:
                if name not in self.systems:
                    yield place, f"no system {name!r}{suggest(name, self.systems)}"
        for encoder_name, encoder in self.transfer.encoders.items():
            if isinstance(encoder, NmtEncoderSpec) and not self._trains(encoder):
                text = f"{encoder_name!r} needs a trained system, and there is none"
                yield ("transfer", "encoders"), text

    def _ensembles_of_unequal_trainings(self) -> Iterator[Problem]:
        """Yield a problem where trainings that an ensemble averages cannot go in pairs."""
        for number, ensemble in enumerate(self.transfer.averaged):
            if not all(m.is_known for m in ensemble.members):
                continue
            own = dict.fromkeys(m.system for m in ensemble.members if m.system in self.systems)
            others = self.transfer_systems if ensemble.uses_system else ()
            counts = {name: self.replicates(name) for name in (*own, *others) if self.varies(name)}
            if any(name in own for name in counts) and len({*counts.values()}) > 1:
                text = " and ".join(f"{name} has {n} trainings" for name, n in counts.items())
                yield (
                    ("transfer", "ensembles", number),
                    f"{text}; seeds pair off trainings only where there are as many",
                )

    def _trains(self, encoder: NmtEncoderSpec) -> bool:
        candidates = [encoder.system] if encoder.system else [*self.systems]
        return any(isinstance(self.systems.get(name), TrainedSystem) for name in candidates)

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

    def pairs_of(self, direction: tuple[str, str]) -> tuple[PairManifest, ...]:
        """Return the pair that holds both sides of a direction, or the pairs of either side."""
        return tuple(pair for pair in self.pairs if pair.languages[1] in direction)

    def task(self, name: str) -> TaskManifest:
        """Return a task by name."""
        return next(task for task in self.tasks if task.name == name)

    def task_languages(self, task: TaskManifest) -> tuple[str, ...]:
        """The low-resource languages that a task has texts in."""
        return tuple(language for language in self.languages if language in task.texts)

    def directions_of(self, system: str) -> tuple[tuple[str, str], ...]:
        """The directions that a system is scored in: a pivot's are those between two languages."""
        if isinstance(self.systems[system], PivotSystem):
            return tuple(permutations(self.languages, 2))
        return self.directions

    @property
    def transfer_systems(self) -> tuple[str, ...]:
        """The systems that translate for the tasks."""
        names = self.transfer.systems or tuple(self.systems)
        return tuple(name for name in names if not isinstance(self.systems[name], PivotSystem))

    @property
    def tested_contrasts(self) -> tuple[tuple[str, str], ...]:
        """The contrasts that are tested: where none are written, each system and its parents."""
        if self.contrasts is not None:
            return self.contrasts
        return tuple(
            (name, parent) for name, system in self.systems.items() for parent in system.parents
        )

    @property
    def encoder_system(self) -> str:
        """The system whose encoder an encoder without a system of its own is."""
        return [n for n, s in self.systems.items() if isinstance(s, TrainedSystem)][-1]

    def replicates(self, system: str) -> int:
        """Return how many trainings a system's scores rest on; 1 where nothing is trained."""
        found = self.systems[system]
        if isinstance(found, PivotSystem):
            return self.replicates(found.by)
        return found.replicates if isinstance(found, TrainedSystem) else 1

    def varies(self, system: str) -> bool:
        """Say whether another training would give another system: not so with a gloss."""
        return any(
            isinstance(self.systems[name], TrainedSystem)
            for name in ancestors(self.systems, system)
        )

    def canonical(self, system: str) -> str:
        """Return the first name of the systems that are the same thing as this one."""
        wanted = self._identities[system]
        return next(name for name, identity in self._identities.items() if identity == wanted)

    @cached_property
    def _identities(self) -> dict[str, str]:
        """What each system is, without its own name and those of its parents."""
        return {name: self._identity(name) for name in self.systems}

    def _identity(self, name: str) -> str:
        fields = to_jsonable_python(self.systems[name])
        for holder in (fields, *fields.get("synthetic", [])):
            if "by" in holder:
                holder["by"] = self._identity(holder["by"])
        return json.dumps(fields, sort_keys=True)
