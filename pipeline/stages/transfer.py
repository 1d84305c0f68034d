"""Train classifiers by every strategy, have them predict, score and compare the ways."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import luigi

from models.encoders.pretrained.spec import PretrainedSpec
from models.encoders.registry import AnyEncoder
from models.heads.linear import ClassifierRecipe
from models.heads.protocol import Site
from pipeline.reporting.ways import NamedWay, Names
from pipeline.settings import Settings, gpu_count
from pipeline.specs.experiment import Experiment
from pipeline.specs.parts import task_parts
from pipeline.stages.adapted import encoder_stage
from pipeline.stages.encoding import ORIGINAL, encoder_of, seen_text
from pipeline.stages.stage import Inputs, Requirements, Stage
from pipeline.stages.text_health import text_health
from pipeline.store import Draft
from tasks.transfer.contests import (
    Contest,
    TaskContest,
    Way,
    WayRuns,
    dev_data,
    load_runs,
    score_way,
)
from tasks.transfer.fitting import fit_classifiers, predict_text
from tasks.transfer.learners import learner
from tasks.transfer.strategies import STRATEGIES, ZERO_SHOT, Strategy, TextVersion

PREDICTIONS = "predictions.parquet"
NOTHING = "nothing_to_predict"
"""The fact of predictions that are none: there was nothing to train on, or nothing to test."""
LIBRARIES = (
    "sklearn.linear_model",
    "sklearn.neural_network",
    "sklearn.feature_extraction.text",
)
STATISTICS = ("scipy.stats",)


@dataclass(frozen=True)
class ClassifiersSpec:
    """What decides the classifiers of a training text: the encoder, and one budget for all."""

    encoder: AnyEncoder
    recipe: ClassifierRecipe


def tuned_encoder(stage: Stage[Any]) -> Requirements:
    """Return the published encoder that a stage fine-tunes or has fine-tuned, if it does."""
    encoder = encoder_of(stage).nameless
    if not isinstance(encoder, PretrainedSpec) or encoder.fine_tune is None:
        return {}
    return {"encoder": encoder_stage(stage, str(stage.encoder))}


def needs_of(stage: Stage[Any]) -> dict[str, int]:
    """Return what a worker must have: one processor, unless an encoder is fine-tuned with more."""
    hardware = stage.study.hardware
    if not tuned_encoder(stage):
        return {"cpu": 1}
    return {"cpu": hardware.threads or 1, **({"gpu": 1} if hardware.gpu else {})}


def gpus_of(stage: Stage[Any]) -> int:
    """Return one where there is one and an encoder is fine-tuned."""
    return min(1, gpu_count()) if tuned_encoder(stage) else 0


def site_of(spec: ClassifiersSpec, inputs: Inputs, out: Draft) -> Site:
    """Return where a stage's classifiers are fitted or read."""
    return Site(
        scratch=out.scratch,
        encoder=next((artifact.folder for artifact in inputs.many("encoder")), None),
        seeds=spec.recipe.seeds,
        on_progress=out.progress,
        threads=out.cpus,
        machine_notes=Settings.from_environment().machine_notes,
    )


class Classifiers(Stage[ClassifiersSpec]):
    """The classifiers of one training text, one a seed, for every strategy that trains on it.

    Seed s reads the translation by replicate s modulo their number.
    """

    VERSION = 3

    LIBRARIES = LIBRARIES

    task = luigi.Parameter(description="name of the task")
    encoder = luigi.Parameter(description="name of the encoder")
    text = luigi.Parameter(description="ind, or ind-jav for text translated from ind into jav")
    system = luigi.Parameter(default=ORIGINAL, description="system that translated it")

    def spec(self) -> ClassifiersSpec:
        return ClassifiersSpec(encoder_of(self).nameless, self.study.transfer.classifier)

    def label(self) -> str:
        return "-".join(filter(None, (self.slug(), str(self.system), str(self.encoder))))

    def slug(self) -> str:
        return f"{self.task}-{self.text}"

    def requires(self) -> Requirements:
        text = TextVersion.parse(str(self.text))
        return {**seen_text(self, text, str(self.system)), **tuned_encoder(self)}

    def needs(self) -> dict[str, int]:
        return needs_of(self)

    def gpus(self) -> int:
        return gpus_of(self)

    @staticmethod
    def build(spec: ClassifiersSpec, inputs: Inputs, out: Draft) -> None:
        out.facts["chosen"] = fit_classifiers(
            learner(spec.encoder, spec.recipe, site_of(spec, inputs, out)),
            inputs.one("labelled").folder,
            [artifact.folder for artifact in inputs.many("texts")],
            seeds=spec.recipe.seeds,
            out=out.folder,
        )


class Predictions(Stage[ClassifiersSpec]):
    """What the classifiers of a strategy say of the dev and test items of one language."""

    LIBRARIES = LIBRARIES

    task = luigi.Parameter(description="name of the task")
    encoder = luigi.Parameter(description="name of the encoder")
    strategy = luigi.Parameter(description=", ".join(STRATEGIES))
    system = luigi.Parameter(default=ORIGINAL, description="system that translates")
    language = luigi.Parameter(description="language code")

    def spec(self) -> ClassifiersSpec:
        return ClassifiersSpec(encoder_of(self).nameless, self.study.transfer.classifier)

    def label(self) -> str:
        parts = (self.task, self.strategy, self.language, self.system, self.encoder)
        return "-".join(str(part) for part in parts if part)

    def slug(self) -> str:
        train, test = self._texts
        return f"{self.task}-{train}-to-{test}"

    def requires(self) -> Requirements:
        train, test = self._texts
        system = str(self.system)
        classifiers = Classifiers(
            experiment=self.experiment,
            task=self.task,
            encoder=self.encoder,
            text=str(train),
            system=system if train.to else ORIGINAL,
        )
        seen = seen_text(self, test, system)
        return {"classifiers": classifiers, **seen, **tuned_encoder(self)}

    def needs(self) -> dict[str, int]:
        return needs_of(self)

    def gpus(self) -> int:
        return gpus_of(self)

    @staticmethod
    def build(spec: ClassifiersSpec, inputs: Inputs, out: Draft) -> None:
        predicted = predict_text(
            learner(spec.encoder, spec.recipe, site_of(spec, inputs, out)),
            inputs.one("classifiers").folder,
            inputs.one("labelled").folder,
            [artifact.folder for artifact in inputs.many("texts")],
            seeds=spec.recipe.seeds,
            out=out.path(PREDICTIONS),
        )
        out.facts["own_dev"] = predicted.own_dev
        if not predicted.items:
            out.facts[NOTHING] = True

    @property
    def _texts(self) -> tuple[TextVersion, TextVersion]:
        """The training and the test text."""
        strategy = STRATEGIES[str(self.strategy)]
        sides = self.study.hub, str(self.language)
        return strategy.train.between(*sides), strategy.test.between(*sides)


@dataclass(frozen=True)
class TaskScoresSpec:
    """What decides the scores of a way: the replicates of its system, if trainings differ."""

    contest: Contest
    strategy: str
    languages: tuple[str, ...]
    replicates: int | None


class TaskScores(Stage[TaskScoresSpec]):
    """The scores of one way in every language of a task."""

    VERSION = 2
    LIBRARIES = STATISTICS

    task = luigi.Parameter(description="name of the task")
    encoder = luigi.Parameter(description="name of the encoder")
    strategy = luigi.Parameter(description=", ".join(STRATEGIES))
    system = luigi.Parameter(default=ORIGINAL, description="system that translates")

    def spec(self) -> TaskScoresSpec:
        return TaskScoresSpec(
            contest=contest_of(self),
            strategy=str(self.strategy),
            languages=languages_of(self.study, str(self.task), STRATEGIES[str(self.strategy)]),
            replicates=replicates_of(self.study, str(self.system)),
        )

    def label(self) -> str:
        return "-".join(filter(None, (self.slug(), str(self.system), str(self.encoder))))

    def slug(self) -> str:
        return f"{self.task}-{self.strategy}"

    def requires(self) -> Requirements:
        way = (str(self.strategy), str(self.system), str(self.encoder))
        return {"predictions": predictions_of(self, *way)}

    @staticmethod
    def build(spec: TaskScoresSpec, inputs: Inputs, out: Draft) -> None:
        strategy = STRATEGIES[spec.strategy]
        for language, artifact in zip(spec.languages, inputs.many("predictions"), strict=True):
            if artifact.manifest.get(NOTHING):
                continue
            path = artifact.path(PREDICTIONS)
            runs = load_runs(path, spec.contest, replicates=spec.replicates)
            data = dev_data(strategy, own_dev=artifact.manifest["own_dev"])
            scores = score_way(language, runs, spec.contest, dev_data=data)
            out.scores += [asdict(score) for score in scores]


@dataclass(frozen=True)
class TaskContrastsSpec:
    """Which inputs are of which way, and which systems are compared, by number, not by name."""

    contest: Contest
    languages: tuple[str, ...]
    ways: tuple[Way, ...]
    replicates: tuple[int | None, ...]
    pairs: tuple[tuple[int, int], ...]


class TaskContrasts(Stage[TaskContrastsSpec]):
    """The way that dev data choose in each language, held against others; systems compared.

    No way is chosen whose text is not usable, as long as there is another one.
    """

    VERSION = 3
    LIBRARIES = STATISTICS

    task = luigi.Parameter(description="name of the task")

    def spec(self) -> TaskContrastsSpec:
        study, ways, names = self.study, self._ways(), self.names
        pairs = {tuple(map(study.canonical, pair)) for pair in study.tested_contrasts}
        return TaskContrastsSpec(
            contest=contest_of(self),
            languages=languages_of(study, str(self.task), STRATEGIES[ZERO_SHOT]),
            ways=tuple(
                Way(
                    strategy,
                    names.systems.index(system) if system else None,
                    names.encoders.index(encoder),
                )
                for strategy, system, encoder in ways
            ),
            replicates=tuple(replicates_of(study, system) for _, system, _ in ways),
            pairs=tuple(
                sorted(
                    (names.systems.index(a), names.systems.index(b))
                    for a, b in pairs
                    if a != b and {a, b} <= {*names.systems}
                )
            ),
        )

    def label(self) -> str:
        return str(self.task)

    def requires(self) -> Requirements:
        ways = self._ways()
        return {
            "predictions": [p for way in ways for p in predictions_of(self, *way)],
            "health": [looked for way in ways for looked in self._health(*way)],
        }

    def _health(self, strategy: str, system: str, _: str) -> Iterator[Stage[Any]]:
        """Yield the looks at what a way translates, by language and hop."""
        for language in languages_of(self.study, str(self.task), STRATEGIES[strategy]):
            for hop in STRATEGIES[strategy].hops(self.study.hub, language):
                yield text_health(self, str(self.task), system, hop)

    @property
    def names(self) -> Names:
        """What the numbers stand for that are written instead of names."""
        ways = self._ways()
        return Names(
            systems=tuple(dict.fromkeys(system for _, system, _ in ways if system)),
            encoders=tuple(dict.fromkeys(encoder for _, _, encoder in ways)),
        )

    @staticmethod
    def build(spec: TaskContrastsSpec, inputs: Inputs, out: Draft) -> None:
        artifacts, health = iter(inputs.many("predictions")), iter(inputs.many("health"))
        not_usable: set[tuple[str, Way]] = set()
        found: dict[str, dict[Way, WayRuns]] = {language: {} for language in spec.languages}
        for way, replicates in zip(spec.ways, spec.replicates, strict=True):
            for language in spec.languages:
                path = next(artifacts).path(PREDICTIONS)
                found[language][way] = load_runs(path, spec.contest, replicates=replicates)
                hops = STRATEGIES[way.strategy].hops("hub", language)
                if [ill for _ in hops for ill in next(health).manifest["ills"]]:
                    not_usable.add((language, way))
        contest = TaskContest(found, spec.contest, not_usable=not_usable)
        out.facts["winners"] = [winner._asdict() for winner in contest.winners()]
        out.facts["contrasts"] = [test._asdict() for test in contest.tests(spec.pairs)]

    def _ways(self) -> list[tuple[str, str, str]]:
        """Return strategy, system and encoder of each way that transfers.

        Their order hangs on what they are, not on how the experiment names and orders them.
        """

        def place(way: tuple[str, str, str]) -> tuple[int, list[str]]:
            prints = [stage.fingerprint for stage in predictions_of(self, *way)]
            return [*STRATEGIES].index(way[0]), prints

        ways = {
            (way.strategy, self.study.canonical(way.system) if way.system else "", way.encoder)
            for way in task_ways(self.study, str(self.task))
            if STRATEGIES[way.strategy].transfers
        }
        return sorted(sorted(ways), key=place)


def contest_of(stage: Stage[Any]) -> Contest:
    """Return how the ways of a stage's task are judged."""
    task, evaluation = stage.study.task(str(stage.task)), stage.study.evaluation
    return Contest(task.kind, task.labels, evaluation.resamples, evaluation.seed)


def replicates_of(study: Experiment, system: str) -> int | None:
    """Return how many trainings differ in a way's translations; None where none does."""
    return study.replicates(system) if system and study.varies(system) else None


def languages_of(study: Experiment, task: str, strategy: Strategy) -> tuple[str, ...]:
    """Return the languages of a task that a strategy has the labelled text for."""
    asked = _languages_asked(study, task, strategy)
    return tuple(code for code in asked if not lacking(study, task, strategy, code))


def _languages_asked(study: Experiment, task: str, strategy: Strategy) -> tuple[str, ...]:
    return study.task_languages(study.task(task)) if strategy.per_language else (study.hub,)


def lacking(study: Experiment, task: str, strategy: Strategy, language: str) -> str:
    """Return the labelled text that a strategy lacks for a language: `swh has no train part`."""
    places = {"hub": study.hub, "language": language}
    of_task = study.task(task)
    return " and ".join(
        f"{places[side]} has no {part} part"
        for side, part in dict.fromkeys(strategy.needs)
        if part not in task_parts(of_task, places[side])
    )


def left_out(study: Experiment) -> Iterator[str]:
    """Yield a sentence for each strategy that a task's labelled text does not allow."""
    for task in study.tasks:
        for strategy in STRATEGIES.values():
            for language in _languages_asked(study, task.name, strategy):
                if why := lacking(study, task.name, strategy, language):
                    yield f"{task.name}, {language}: {strategy.name} is left out: {why}"


def predictions_of(stage: Stage[Any], strategy: str, system: str, encoder: str) -> list[Stage[Any]]:
    """Return the predictions of a way in the languages of the stage's task."""
    return [
        Predictions(
            experiment=stage.experiment,
            task=stage.task,
            encoder=encoder,
            strategy=strategy,
            system=system,
            language=language,
        )
        for language in languages_of(stage.study, str(stage.task), STRATEGIES[strategy])
    ]


def translated_texts(study: Experiment, task: str) -> Iterator[tuple[str, tuple[str, str]]]:
    """Yield the systems and directions that a task's text is translated by, each once."""
    hops = {
        hop: None
        for strategy in STRATEGIES.values()
        for language in languages_of(study, task, strategy)
        for hop in sorted(strategy.hops(study.hub, language))
    }
    for hop in hops:
        yield from ((system, hop) for system in study.transfer_systems)


def task_ways(study: Experiment, task: str) -> Iterator[NamedWay]:
    """Yield every way of a task: each encoder by each strategy with each system that it uses.

    A strategy for which no language has the labelled text is none.
    """
    possible = [s for s in STRATEGIES.values() if languages_of(study, task, s)]
    for encoder in study.transfer.encoders:
        for strategy in possible:
            for system in study.transfer_systems if strategy.uses_system else (ORIGINAL,):
                replicates = study.replicates(system) if system else 1
                yield NamedWay(task, strategy.name, system, encoder, replicates)


def task_scores(stage: Stage[Any], task: str) -> list[Stage[Any]]:
    """Return the scores of every way of a task, in the order of `task_ways`."""
    return [
        TaskScores(
            experiment=stage.experiment,
            task=task,
            encoder=way.encoder,
            strategy=way.strategy,
            system=stage.study.canonical(way.system) if way.system else ORIGINAL,
        )
        for way in task_ways(stage.study, task)
    ]
