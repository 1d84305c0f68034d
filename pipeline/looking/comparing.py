"""Two experiments, or two runs, side by side: recipe, data, and scores with paired tests."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

from pydantic_core import to_jsonable_python

from models.support.errors import StageError
from pipeline.dag import built_stages
from pipeline.looking.causes import ABSENT, differences
from pipeline.specs.loading import load_experiment
from pipeline.stages.classifiers import NOTHING, PREDICTIONS
from pipeline.stages.stage import canonical_spec
from pipeline.store import MANIFEST, Artifact, Manifest, lineage
from tasks.identity import item_name
from tasks.mt.contests import load_tallies
from tasks.mt.scoring import MEASURES
from tasks.records import read_records
from tasks.statistics import Measure, Runs, contrast
from tasks.transfer.contests import Contest, load_runs

Record = dict[str, Any]
Key = tuple[str, str]
SHOWN = 5


class Built(NamedTuple):
    """A finished artifact and its manifest, read once."""

    artifact: Artifact
    manifest: Manifest

    @property
    def files(self) -> dict[str, str]:
        """The sha256 of each file; of a report, which prints times, that of its scores."""
        of_report = self.manifest["stage"] == "Report"
        files = self.manifest["files"].items()
        return {n: f["sha256"] for n, f in files if not of_report or n == "scores.json"}


@dataclass(frozen=True)
class Run:
    """The recipe of a study and what is built of it, by stage and label."""

    name: str
    recipe: Record
    built: Mapping[Key, Built]

    def of(self, stage: str) -> dict[str, Built]:
        """Return what is built of one kind of stage, by label."""
        return {label: built for (kind, label), built in self.built.items() if kind == stage}


class Change(NamedTuple):
    """A value that differs, and where; None where a run lacks it."""

    place: str
    first: Any
    second: Any


@dataclass(frozen=True)
class ScoreChange:
    """One score in both runs; `p_value` is of a paired test on the `n` items they share."""

    what: str
    metric: str
    first: float
    second: float
    n: int | None = None
    p_value: float | None = None

    def as_record(self) -> Record:
        """Return plain values for JSON."""
        return asdict(self)


def load_run(name: str) -> Run:
    """Return an experiment with what is built of it, or the run behind the folder of a report."""
    folder = Path(name)
    if (folder / MANIFEST).is_file():
        return _run_of_report(Artifact(folder.resolve()))
    built = {stage.artifact: stage.artifact.manifest for stage in built_stages(name)}
    recipe = canonical_spec(to_jsonable_python(load_experiment(name)))
    return Run(name, recipe, _by_label(built))


def _run_of_report(report: Artifact) -> Run:
    manifest = report.manifest
    if manifest["stage"] != "Report":
        raise StageError(f"{report.folder} is a {manifest['stage']}; a run is told by its Report")
    recipe = canonical_spec(manifest["spec"]["experiment"])
    return Run(report.folder.name, recipe, _by_label(lineage([report])))


class Comparison(NamedTuple):
    """What differs between two runs, and what one of them alone has built.

    `other_bytes` are artifacts of both whose files differ.
    """

    recipe: list[Change]
    counts: list[Change]
    scores: list[ScoreChange]
    built_once: tuple[list[str], list[str]]
    other_bytes: list[str]

    @property
    def remarks(self) -> list[str]:
        """What the tables do not show, above all that nothing differs."""
        sides = zip(("first", "second"), self.built_once, strict=True)
        said = [f"Built in the {side} alone: {_listed(names)}." for side, names in sides if names]
        other = [change.place for change in self.recipe if change.place != "name"]
        changed = [score for score in self.scores if score.first != score.second]
        if self.other_bytes and not other:
            said.append(f"Other bytes all the same: {_listed(self.other_bytes)}.")
        if not (other or self.counts or changed or said):
            rest = "but the name " if self.recipe else ""
            equal = f"all {len(self.scores)} scores" if self.scores else "no scores yet"
            said.append(f"Nothing {rest}differs: same recipe, same counts, {equal}.")
        elif not self.recipe:
            said.append("Same recipe.")
        return said

    def as_record(self) -> Record:
        """Return plain values for JSON."""
        return {
            "recipe": [change._asdict() for change in self.recipe],
            "counts": [change._asdict() for change in self.counts],
            "scores": [change.as_record() for change in self.scores],
            "built_in_first_alone": self.built_once[0],
            "built_in_second_alone": self.built_once[1],
            "other_bytes": self.other_bytes,
        }


def compare(first: Run, second: Run, *, resamples: int, seed: int) -> Comparison:
    """Return all that differs between two runs."""
    return Comparison(
        recipe=recipe_changes(first, second),
        counts=count_changes(first, second),
        scores=list(score_changes(first, second, resamples=resamples, seed=seed)),
        built_once=(_missing_in(first, second), _missing_in(second, first)),
        other_bytes=[
            ":".join(key)
            for key, built in first.built.items()
            if key in second.built and built.files != second.built[key].files
        ],
    )


def _missing_in(run: Run, other: Run) -> list[str]:
    """Return what one run has built and the other has not; a report is named after its study."""
    return [":".join(key) for key in run.built if key not in other.built and key[0] != "Report"]


def _listed(names: list[str]) -> str:
    rest = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f"{', '.join(names[:SHOWN])}{rest}"


def _by_label(built: Mapping[Artifact, Manifest]) -> dict[Key, Built]:
    return {(m["stage"], m["label"]): Built(artifact, m) for artifact, m in built.items()}


def recipe_changes(first: Run, second: Run) -> list[Change]:
    """Return the fields of the recipes that differ."""
    return [_change(*found) for found in differences(first.recipe, second.recipe)]


def count_changes(first: Run, second: Run) -> list[Change]:
    """Return the counts that differ, of the stages that both have built."""
    return [
        _change(f"{' '.join(key)}: {place}", old, new)
        for key in first.built
        if key in second.built
        for place, old, new in differences(
            first.built[key].manifest["counts"], second.built[key].manifest["counts"]
        )
    ]


def _change(place: str, first: Any, second: Any) -> Change:
    return Change(place, *(None if value is ABSENT else value for value in (first, second)))


def score_changes(first: Run, second: Run, *, resamples: int, seed: int) -> Iterator[ScoreChange]:
    """Yield the scores that both have, the MT first, each with a paired test of the two."""
    for system in _shared(first, second, "MtScores"):
        yield from _mt_changes(first, second, system, resamples=resamples, seed=seed)
    for label in _shared(first, second, "TaskScores"):
        yield from _task_changes(first, second, label, resamples=resamples, seed=seed)


def _shared(first: Run, second: Run, stage: str) -> list[str]:
    return [label for label in first.of(stage) if (stage, label) in second.built]


def _mt_changes(
    first: Run, second: Run, system: str, *, resamples: int, seed: int
) -> Iterator[ScoreChange]:
    """Yield BLEU and chrF++ of a system in each direction, on the test sentences in common."""
    sides = [run.built["MtScores", system] for run in (first, second)]
    for path in sorted(sides[0].artifact.folder.glob("*.npz")):
        source, _, target = path.stem.partition("-")
        if not (sides[1].artifact.folder / path.name).exists():
            continue
        same = _same_sides(first, second, (source, target))
        old, new = (_tallies(side, path.name, same) for side in sides)
        for metric, runs in old.items():
            if not (runs.ids and set(runs.ids) == set(new[metric].ids)):
                continue
            yield _change_of(
                f"{source} -> {target}, {system}",
                metric,
                (runs, new[metric].only(runs.ids)),
                MEASURES[metric],
                resamples=resamples,
                seed=seed,
            )


def _change_of(
    what: str,
    metric: str,
    sides: tuple[Runs, Runs],
    measure: Measure,
    *,
    resamples: int,
    seed: int,
) -> ScoreChange:
    old, new = sides
    tested = contrast(new, old, measure, resamples=resamples, seed=seed)
    before, after = (float(measure(side.tallies.sum(1)).mean()) for side in sides)
    return ScoreChange(what, metric, before, after, len(old.ids), tested.p)


def _tallies(side: Built, name: str, same: set[str]) -> dict[str, Runs]:
    """Return a direction's runs, of the sentences with the same text in both runs."""
    found = load_tallies(side.artifact.path(name), side.manifest["spec"]["random"])
    return {m: runs.only([i for i in runs.ids if i in same]) for m, runs in found.items()}


def _same_sides(first: Run, second: Run, direction: tuple[str, str]) -> set[str]:
    """Return the names of test sentences that both runs have, with the same text on both sides."""
    old, new = (sides_of_items(run, direction) for run in (first, second))
    return {item for item, sides in old.items() if new.get(item) == sides}


def sides_of_items(run: Run, direction: tuple[str, str]) -> dict[str, tuple[str, str]]:
    """Return source and reference of each test sentence, by the name that tallies give it.

    Between two languages that meet in the hub alone, each side stands in a bitext of its own.
    """
    hub = str(run.recipe["hub"])
    sides: tuple[dict[str, str], dict[str, str]] = ({}, {})
    for built in run.of("Bitext").values():
        languages = built.manifest["spec"]["languages"]
        if not {*languages} - {hub} <= {*direction}:
            continue
        records = read_records(built.artifact.path("test.parquet"), ["id", *languages])
        for record in records:
            item = item_name(record["id"], record[hub])
            for of_side, language in zip(sides, direction, strict=True):
                if language in languages:
                    of_side[item] = record[language]
    return {item: (text, sides[1][item]) for item, text in sides[0].items() if item in sides[1]}


def _task_changes(
    first: Run, second: Run, label: str, *, resamples: int, seed: int
) -> Iterator[ScoreChange]:
    """Yield the main score of a way in each language; tested where both saw the same items."""
    old, new = (way_runs(run.built["TaskScores", label]) for run in (first, second))
    contest = contest_of(first.built["TaskScores", label])
    for language in old.keys() & new.keys():
        sides = old[language], new[language]
        if sides[0].ids == sides[1].ids:
            yield _change_of(
                f"{label}, {language}",
                contest.metric,
                sides,
                contest.measure,
                resamples=resamples,
                seed=seed,
            )


def contest_of(built: Built) -> Contest:
    """Return how a way was judged."""
    kind, labels, resamples, seed = built.manifest["spec"]["contest"]
    return Contest(kind, tuple(labels), resamples, seed)


def way_runs(built: Built) -> dict[str, Runs]:
    """Return what a way's classifiers did on the test items, by language."""
    spec, store = built.manifest["spec"], built.artifact.store
    contest = contest_of(built)
    predicted = [Artifact(store / key) for key in built.manifest["upstream"]]
    return {
        language: load_runs(one.path(PREDICTIONS), contest, replicates=spec["replicates"]).test
        for language, one in zip(spec["languages"], predicted, strict=True)
        if not one.manifest.get(NOTHING)
    }
