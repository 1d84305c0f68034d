"""Ways of transfer by name: artifacts hold numbers, so that renaming a system rebuilds nothing."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from pipeline.reporting.records import Contrast, Selection, TaskScore
from tasks.transfer.contests import Way
from tasks.transfer.kinds import KINDS


class Names(NamedTuple):
    """The systems and encoders that numbers stand for."""

    systems: tuple[str, ...]
    encoders: tuple[str, ...]

    def of(self, way: Way) -> str:
        """Return how people call a way."""
        system = "" if way.system is None else self.systems[way.system]
        encoder = "" if way.encoder is None else self.encoders[way.encoder]
        return way_name(way.strategy, system, encoder)


class NamedWay(NamedTuple):
    """A way of a task; `system` is empty where nothing is translated."""

    task: str
    strategy: str
    system: str
    encoder: str
    replicates: int


def way_name(strategy: str, system: str = "", encoder: str = "") -> str:
    """Return how people call a way: `translate-test (bt), char-ngram`."""
    of_system = f"{strategy} ({system})" if system else strategy
    return f"{of_system}, {encoder}" if encoder else of_system


def decisive(scores: Sequence[TaskScore]) -> list[TaskScore]:
    """Return the scores by the measure that decides their kind of task."""
    return [s for s in scores if s.metric == next(iter(KINDS[s.task_kind].measures))]


def merit(score: TaskScore) -> tuple[bool, float, float]:
    """Return what ways rank by: usable ones first, then dev data, or test where there are none."""
    return not score.ills, -1.0 if score.dev is None else score.dev, score.score


def named_scores(
    way: NamedWay, task_kind: str, scores: Iterable[Mapping[str, Any]]
) -> Iterator[TaskScore]:
    """Yield the scores of a way (of a `TaskScores` artifact) with the names of what they are of."""
    wanted = TaskScore.__dataclass_fields__
    for score in scores:
        fields = {name: value for name, value in score.items() if name in wanted}
        yield TaskScore(**{**way._asdict(), "task_kind": task_kind, **fields})


def named_selections(
    task: str, metric: str, names: Names, selections: Iterable[Mapping[str, Any]]
) -> Iterator[Selection]:
    """Yield what each kind of dev data chose (of a `TaskContrasts` artifact) with names."""
    for found in selections:
        way = names.of(Way(*found["way"]))
        yield Selection(**{**found, "task": task, "metric": metric, "way": way})


def named_contrasts(
    task: str, names: Names, contrasts: Iterable[Mapping[str, Any]]
) -> Iterator[Contrast]:
    """Yield the tests of a `TaskContrasts` artifact with names; `where` is `task/language`."""
    for test in contrasts:
        better = test["better"]
        named: dict[str, Any] = {
            "first": names.of(Way(*test["first"])),
            "second": names.of(Way(*test["second"])),
            "where": f"{task}/{test['where']}",
            "better": f"{better[0]} of {better[1]}" if better else None,
        }
        yield Contrast(**{**test, **named, "of": "task"})
