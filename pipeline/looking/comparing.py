"""Two experiments, or two runs, side by side: recipe, data, and scores with paired tests."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from pydantic_core import to_jsonable_python

from models.support.errors import StageError
from pipeline.dag import built_stages
from pipeline.looking.causes import ABSENT, differences
from pipeline.specs.loading import load_experiment
from pipeline.store import MANIFEST, Artifact, Manifest, lineage
from tasks.mt.scoring import paired_scores
from tasks.records import read_records
from tasks.statistics import MACRO_F1, paired_p_value
from tasks.transfer.contests import Condition, Predictions, load_predictions

Record = dict[str, Any]
Key = tuple[str, str]


class Built(NamedTuple):
    """A finished artifact and its manifest, read once."""

    artifact: Artifact
    manifest: Manifest


@dataclass(frozen=True)
class Run:
    """The recipe of a study and what is built of it, by stage and label."""

    name: str
    recipe: Record
    built: Mapping[Key, Built]

    def of(self, stage: str) -> dict[str, Built]:
        """Return what is built of one kind of stage, by label."""
        return {label: built for (kind, label), built in self.built.items() if kind == stage}

    @cached_property
    def tests(self) -> dict[frozenset[str], Artifact]:
        """The bitext of each pair of languages, whose test part holds the references."""
        found = self.of("Bitext").values()
        return {frozenset(b.manifest["spec"]["languages"]): b.artifact for b in found}


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
    return Run(name, to_jsonable_python(load_experiment(name)), _by_label(built))


def _run_of_report(report: Artifact) -> Run:
    manifest = report.manifest
    if manifest["stage"] != "Report":
        raise StageError(f"{report.folder} is a {manifest['stage']}; a run is told by its Report")
    recipe = manifest["spec"]["experiment"]
    return Run(report.folder.name, recipe, _by_label(lineage([report])))


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
    for engine in _shared(first, second, "TestHypotheses"):
        yield from _mt_changes(first, second, engine, resamples=resamples, seed=seed)
    for label in _shared(first, second, "TransferScores"):
        yield from _task_changes(first, second, label, resamples=resamples, seed=seed)


def _shared(first: Run, second: Run, stage: str) -> list[str]:
    return [label for label in first.of(stage) if (stage, label) in second.built]


def _mt_changes(
    first: Run, second: Run, engine: str, *, resamples: int, seed: int
) -> Iterator[ScoreChange]:
    """Yield BLEU and chrF++ of an engine in each direction, on the test sentences in common."""
    folders = [run.built["TestHypotheses", engine].artifact.folder for run in (first, second)]
    for path in sorted(folders[0].glob("*.parquet")):
        source, _, target = path.stem.partition("-")
        if not (folders[1] / path.name).exists():
            continue
        old, new = (_texts(folder / path.name, "text") for folder in folders)
        references, others = (_references(run, source, target) for run in (first, second))
        ids = [i for i in references if i in old and i in new and others.get(i) == references[i]]
        if not ids:
            continue
        system, baseline, wanted = ([side[i] for i in ids] for side in (new, old, references))
        for score in paired_scores(system, baseline, wanted, resamples=resamples, seed=seed):
            yield ScoreChange(
                f"{source} -> {target}, {engine}",
                score.metric,
                first=score.baseline,
                second=score.score,
                n=len(ids),
                p_value=score.p_value,
            )


def _references(run: Run, source: str, target: str) -> dict[str, str]:
    bitext = run.tests.get(frozenset((source, target)))
    return _texts(bitext.path("test.parquet"), target) if bitext else {}


def _texts(path: Path, column: str) -> dict[str, str]:
    return {record["id"]: record[column] for record in read_records(path, ["id", column])}


def _task_changes(
    first: Run, second: Run, label: str, *, resamples: int, seed: int
) -> Iterator[ScoreChange]:
    """Yield the macro-F1 of each condition; tested where both saw the same items."""
    old, new = (_predictions(run, label) for run in (first, second))
    classes = len(first.built["TransferScores", label].manifest["spec"]["labels"])
    before, after = (_task_scores(run, label) for run in (first, second))
    for condition in sorted(old.keys() & new.keys()):
        one, other = old[condition], new[condition]
        p_value = None
        if one.ids == other.ids:
            seeds = min(len(one.predicted), len(other.predicted))
            sides = one.predicted[:seeds], other.predicted[:seeds]
            p_value = paired_p_value(
                one.gold, *sides, classes=classes, resamples=resamples, seed=seed
            )
        engine = f" ({condition.engine})" if condition.engine else ""
        yield ScoreChange(
            f"{label}, {condition.language}, {condition.strategy}{engine}",
            MACRO_F1,
            first=before[condition],
            second=after[condition],
            n=len(one.ids) if p_value is not None else None,
            p_value=p_value,
        )


def _predictions(run: Run, label: str) -> dict[Condition, Predictions]:
    scores, manifest = run.built["TransferScores", label]
    files = [scores.store / name / "predictions.parquet" for name in manifest["upstream"]]
    return load_predictions(files, manifest["spec"]["labels"])


def _task_scores(run: Run, label: str) -> dict[Condition, float]:
    return {
        Condition(r["language"], r["strategy"], r["engine"]): r["score"]
        for r in run.built["TransferScores", label].manifest["scores"]
        if r["metric"] == MACRO_F1
    }
