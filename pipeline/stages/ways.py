"""The ways of a study: each strategy with each system and encoder, in the languages it can do."""

from collections.abc import Iterator

from pipeline.reporting.ways import NamedWay
from pipeline.specs.experiment import Experiment
from pipeline.specs.parts import task_parts
from pipeline.specs.transfer import SEVERAL
from pipeline.stages.encoding import ORIGINAL
from tasks.transfer.catalogue import AnyStrategy, Translated, strategy_called, translated


def replicates_of(study: Experiment, strategy: str, system: str) -> int | None:
    """Return how many trainings differ in a way's translations; None where none does."""
    translations = translated(strategy, system, hub="hub", language="language")
    by = {name for name, _ in translations if name and study.varies(name)}
    return max((study.replicates(name) for name in by), default=None)


def languages_of(study: Experiment, task: str, strategy: AnyStrategy) -> tuple[str, ...]:
    """Return the languages of a task that a strategy has the labelled text for."""
    asked = _languages_asked(study, task, strategy)
    return tuple(code for code in asked if not lacking(study, task, strategy, code))


def _languages_asked(study: Experiment, task: str, strategy: AnyStrategy) -> tuple[str, ...]:
    return study.task_languages(study.task(task)) if strategy.per_language else (study.hub,)


def lacking(study: Experiment, task: str, strategy: AnyStrategy, language: str) -> str:
    """Return the labelled text that a strategy lacks for a language: `swh has no train part`."""
    places = {"hub": study.hub, "language": language}
    of_task = study.task(task)
    return " and ".join(
        f"{places[side]} has no {part} part"
        for side, part in dict.fromkeys(strategy.needs)
        if part not in task_parts(of_task, places[side])
    )


def strategies_of(study: Experiment) -> list[AnyStrategy]:
    """Return the strategies that a study compares."""
    return [strategy_called(name) for name in study.transfer.all_strategies]


def left_out(study: Experiment) -> Iterator[str]:
    """Yield a sentence for each strategy that a task's labelled text does not allow."""
    for task in study.tasks:
        for strategy in strategies_of(study):
            for language in _languages_asked(study, task.name, strategy):
                if why := lacking(study, task.name, strategy, language):
                    yield f"{task.name}, {language}: {strategy.name} is left out: {why}"


def task_ways(study: Experiment, task: str) -> Iterator[NamedWay]:
    """Yield every way of a task: each encoder by each strategy with each system that it uses.

    A strategy for which no language has the labelled text is none.
    """
    possible = {s.name: s for s in strategies_of(study) if languages_of(study, task, s)}
    for encoder in (*study.transfer.encoders, SEVERAL):
        for name in study.transfer.of_encoder(encoder):
            if name not in possible:
                continue
            for system in study.transfer_systems if possible[name].uses_system else (ORIGINAL,):
                replicates = replicates_of(study, name, system) or 1
                yield NamedWay(task, name, system, encoder, replicates)


def translated_texts(study: Experiment, task: str) -> Iterator[Translated]:
    """Yield the systems and directions that a task's text is translated by, each once."""
    yield from dict.fromkeys(
        found
        for way in task_ways(study, task)
        for language in languages_of(study, task, strategy_called(way.strategy))
        for found in translated(way.strategy, way.system, hub=study.hub, language=language)
    )
