"""The figures of an experiment with the names of what they are of: artifacts hold none."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from statistics import mean
from typing import Any, NamedTuple

from pipeline.reporting.records import Contrast, MtScore, Score, TaskScore, TextGuard, arrow
from pipeline.reporting.ways import Names, named_contrasts, named_scores, named_selections
from pipeline.specs.experiment import Experiment
from pipeline.stages.mt_scores import MtContrasts, compared_systems, mt_scores
from pipeline.stages.stage import Stage
from pipeline.stages.text_health import published_encoders, text_health
from pipeline.stages.transfer import SELECTIONS, TaskContrasts, task_scores
from pipeline.stages.ways import task_ways, translated_texts
from pipeline.store import Manifest
from tasks.mt.contests import ALL
from tasks.transfer.catalogue import translated
from tasks.transfer.kinds import KINDS


class Scoring(NamedTuple):
    """What scores an experiment, by what it scores; stages, or their manifests (None: not built).

    In the order of systems, of ways, of translated texts and of tasks.
    """

    mt: Sequence[Any]
    mt_contrasts: Sequence[Any]
    tasks: Sequence[Any]
    health: Sequence[Any]
    task_contrasts: Sequence[Any]


def scoring_stages(stage: Stage[Any]) -> Scoring:
    """Return every stage that scores, of the stage's experiment."""
    experiment, study = stage.experiment, stage.study
    contests = [TaskContrasts(experiment=experiment, task=task.name) for task in study.tasks]
    return Scoring(
        mt=[mt_scores(stage, system) for system in study.systems],
        mt_contrasts=[MtContrasts(experiment=experiment)] if study.tested_contrasts else [],
        tasks=[scores for contest in contests for scores in task_scores(contest, contest.task)],
        health=[
            text_health(stage, task.name, *text)
            for task in study.tasks
            for text in translated_texts(study, task.name)
        ],
        task_contrasts=contests,
    )


class ContestNames(NamedTuple):
    """What numbers stand for: systems of translation, names in each task, published encoders."""

    mt: tuple[str, ...]
    tasks: tuple[Names, ...]
    encoders: tuple[str, ...] = ()


def names_in_contests(stage: Stage[Any]) -> ContestNames:
    """Return the names that artifacts leave out."""
    contests = scoring_stages(stage).task_contrasts
    return ContestNames(
        mt=tuple(compared_systems(stage)),
        tasks=tuple(contest.names for contest in contests),
        encoders=tuple(name for name, _ in published_encoders(stage)),
    )


def finished_manifests(stages: Scoring) -> Scoring:
    """Return the manifest of each stage whose artifact may be read, None of the others."""
    return Scoring(*([s.artifact.manifest if s.usable() else None for s in x] for x in stages))


def named_figures(study: Experiment, names: ContestNames, built: Scoring) -> list[Score]:
    """Return the figures that the manifests hold."""
    mt = list(_mt_scores(study, built.mt))
    guards = list(_guards(study, names.encoders, built.health))
    return [
        *mt,
        *_mt_contrasts(names.mt, built.mt_contrasts),
        *(with_ills(score, study.hub, mt, guards) for score in _task_scores(study, built.tasks)),
        *guards,
        *_task_contrasts(study, names.tasks, built.task_contrasts),
    ]


def _mt_scores(study: Experiment, built: Iterable[Manifest | None]) -> Iterator[MtScore]:
    wanted = MtScore.__dataclass_fields__
    for (name, system), manifest in zip(study.systems.items(), built, strict=True):
        for score in manifest["scores"] if manifest else ():
            yield MtScore(
                system=name,
                parents=system.parents,
                replicates=study.replicates(name),
                ills=tuple(score["ills"]),
                **{f: value for f, value in score.items() if f in wanted and f != "ills"},
            )


def _mt_contrasts(names: Sequence[str], built: Iterable[Manifest | None]) -> Iterator[Contrast]:
    for manifest in filter(None, built):
        for test in manifest["contrasts"]:
            yield Contrast(of="mt", **_named(test, names))


def _named(test: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    first, second = (names[number] for number in test["pair"])
    better = test["better"]
    return {
        **{field: value for field, value in test.items() if field != "pair"},
        "first": first,
        "second": second,
        "family": "all directions" if test["where"] == ALL else "each direction",
        "better": f"{better[0]} of {better[1]}" if better else None,
    }


def _guards(
    study: Experiment, encoders: Sequence[str], built: Iterable[Manifest | None]
) -> Iterator[TextGuard]:
    texts = [(task, *text) for task in study.tasks for text in translated_texts(study, task.name)]
    for (task, system, direction), manifest in zip(texts, built, strict=True):
        for guards in [manifest["guards"]] if manifest else ():
            unknown = map(mean, zip(*(guard["unknown_pieces"] for guard in guards), strict=True))
            means = {
                name: mean(guard[name] for guard in guards)
                for name in guards[0]
                if name != "unknown_pieces"
            }
            yield TextGuard(
                task=task.name,
                direction="-".join(direction),
                system=system,
                replicates=len(guards),
                ills=tuple(manifest["ills"]) if manifest else (),
                unknown_pieces=dict(zip(encoders, unknown, strict=True)),
                **{**means, "items": guards[0]["items"]},
            )


def with_ills(
    score: TaskScore, hub: str, mt: Iterable[MtScore], guards: Iterable[TextGuard] = ()
) -> TaskScore:
    """Say of a way why what it translates is not usable.

    The task's own text tells; where nobody has looked at it, the test set of the direction.
    """
    made = translated(score.strategy, score.system, hub=hub, language=score.language)
    used = {(system, "-".join(hop)) for system, hop in made}
    looked_at = {(g.system, g.direction): g.ills for g in guards if g.task == score.task}
    found = [(place[1], looked_at[place]) for place in used if place in looked_at]
    found += [
        (s.direction, s.ills) for s in mt if (s.system, s.direction) in used - looked_at.keys()
    ]
    ills = dict.fromkeys(f"{arrow(place)}: {ill}" for place, some in sorted(found) for ill in some)
    return replace(score, ills=tuple(ills))


def _task_scores(study: Experiment, built: Iterable[Manifest | None]) -> Iterator[TaskScore]:
    ways = [(task, way) for task in study.tasks for way in task_ways(study, task.name)]
    for (task, way), manifest in zip(ways, built, strict=True):
        if manifest:
            yield from named_scores(way, task.kind, manifest["scores"])


def _task_contrasts(
    study: Experiment, names: Sequence[Names], built: Iterable[Manifest | None]
) -> Iterator[Score]:
    for task, of_task, manifest in zip(study.tasks, names, built, strict=True):
        if manifest:
            metric = next(iter(KINDS[task.kind].measures))
            selections = manifest[SELECTIONS]
            yield from named_selections(task.name, metric, of_task, selections)
            yield from named_contrasts(task.name, of_task, manifest["contrasts"])
