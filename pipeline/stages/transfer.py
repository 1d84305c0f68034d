"""Score the ways of a task, and hold them against each other."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import luigi

from pipeline.reporting.ways import Names
from pipeline.stages.classifiers import NOTHING, PREDICTIONS, label_of, predictions_of
from pipeline.stages.encoding import ORIGINAL
from pipeline.stages.stage import Inputs, Requirements, Stage
from pipeline.stages.text_health import text_health
from pipeline.stages.ways import languages_of, replicates_of, task_ways
from pipeline.store import Draft
from tasks.transfer.catalogue import place, strategy_called, translated
from tasks.transfer.contests import Contest, TaskContest, Way, WayRuns, load_runs, score_way
from tasks.transfer.strategies import STRATEGIES, ZERO_SHOT

STATISTICS = ("scipy.stats",)
SELECTIONS = "selections"
LEFT_OUT = "left_out"
"""The fact of scores in fewer languages than could be: why not, by language."""


@dataclass(frozen=True)
class TaskScoresSpec:
    """What decides the scores of a way: the replicates of its system, if trainings differ."""

    contest: Contest
    languages: tuple[str, ...]
    replicates: int | None


class TaskScores(Stage[TaskScoresSpec]):
    """The scores of one way in every language of a task."""

    VERSION = 3
    LIBRARIES = STATISTICS

    task = luigi.Parameter(description="name of the task")
    encoder = luigi.Parameter(description="name of the encoder")
    strategy = luigi.Parameter(description="name of the strategy")
    system = luigi.Parameter(default=ORIGINAL, description="system that translates")

    def spec(self) -> TaskScoresSpec:
        return TaskScoresSpec(
            contest=contest_of(self),
            languages=languages_of(self.study, str(self.task), strategy_called(str(self.strategy))),
            replicates=replicates_of(self.study, str(self.strategy), str(self.system)),
        )

    def label(self) -> str:
        return label_of(self.task, self.strategy, self.system, self.encoder)

    def slug(self) -> str:
        return label_of(self.task, self.strategy)

    def requires(self) -> Requirements:
        way = (str(self.strategy), str(self.system), str(self.encoder))
        return {"predictions": [*predictions_of(self, *way)]}

    @staticmethod
    def build(spec: TaskScoresSpec, inputs: Inputs, out: Draft) -> None:
        left_out: dict[str, str] = {}
        for language, artifact in zip(spec.languages, inputs.many("predictions"), strict=True):
            if why := artifact.manifest.get(NOTHING):
                left_out[language] = why
                continue
            path = artifact.path(PREDICTIONS)
            runs = load_runs(path, spec.contest, replicates=spec.replicates)
            out.scores += [asdict(score) for score in score_way(language, runs, spec.contest)]
        out.facts[LEFT_OUT] = left_out


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

    VERSION = 4
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
                    names.encoders.index(encoder) if encoder else None,
                )
                for strategy, system, encoder in ways
            ),
            replicates=tuple(replicates_of(study, *way[:2]) for way in ways),
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
        found: dict[str, list[Stage[Any]]] = {}
        languages = languages_of(self.study, str(self.task), STRATEGIES[ZERO_SHOT])
        for number, way in enumerate(self._ways()):
            found[f"predictions {number}"] = [*predictions_of(self, *way)]
            for language in languages:
                found[f"health {number} {language}"] = [*self._health(*way[:2], language)]
        return found

    def _health(self, strategy: str, system: str, language: str) -> Iterator[Stage[Any]]:
        """Yield the looks at what a way translates for a language, hop by hop."""
        for by, hop in translated(strategy, system, hub=self.study.hub, language=language):
            yield text_health(self, str(self.task), by, hop)

    @property
    def names(self) -> Names:
        """What the numbers stand for that are written instead of names."""
        ways = self._ways()
        return Names(
            systems=tuple(dict.fromkeys(system for _, system, _ in ways if system)),
            encoders=tuple(dict.fromkeys(encoder for _, _, encoder in ways if encoder)),
        )

    @staticmethod
    def build(spec: TaskContrastsSpec, inputs: Inputs, out: Draft) -> None:
        not_usable: set[tuple[str, Way]] = set()
        found: dict[str, dict[Way, WayRuns]] = {language: {} for language in spec.languages}
        for number, (way, replicates) in enumerate(zip(spec.ways, spec.replicates, strict=True)):
            predictions = inputs.many(f"predictions {number}")
            for language, artifact in zip(spec.languages, predictions, strict=True):
                if artifact.manifest.get(NOTHING):
                    continue
                path = artifact.path(PREDICTIONS)
                found[language][way] = load_runs(path, spec.contest, replicates=replicates)
                health = inputs.many(f"health {number} {language}")
                if any(looked.manifest["ills"] for looked in health):
                    not_usable.add((language, way))
        contest = TaskContest(found, spec.contest, not_usable=not_usable)
        out.facts["winners"] = [winner._asdict() for winner in contest.winners()]
        out.facts[SELECTIONS] = [selection._asdict() for selection in contest.selections()]
        out.facts["contrasts"] = [test._asdict() for test in contest.tests(spec.pairs)]

    def _ways(self) -> list[tuple[str, str, str]]:
        """Return strategy, system and encoder of each way that transfers.

        Their order hangs on what they are, not on how the experiment names and orders them.
        """

        def order(way: tuple[str, str, str]) -> tuple[tuple[int, int, str], list[str]]:
            return place(way[0]), [stage.fingerprint for stage in predictions_of(self, *way)]

        ways = {
            (way.strategy, self.study.canonical(way.system) if way.system else "", way.encoder)
            for way in task_ways(self.study, str(self.task))
            if strategy_called(way.strategy).transfers
        }
        return sorted(sorted(ways), key=order)


def contest_of(stage: Stage[Any]) -> Contest:
    """Return how the ways of a stage's task are judged."""
    task, evaluation = stage.study.task(str(stage.task)), stage.study.evaluation
    return Contest(task.kind, task.labels, evaluation.resamples, evaluation.seed)


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
