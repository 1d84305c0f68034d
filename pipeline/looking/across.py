"""Several studies side by side: what each scores on the test items that it shares with the first.

Items are the same where their name, their text and, of a task, their label are. Tests are paired
over items and know the noise of trainings; p-values are corrected (Holm) over all tests of one
metric of two studies.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any, Literal, NamedTuple

from models.support.errors import StageError
from pipeline.looking.comparing import Built, Run, contest_of, load_run, sides_of_items, way_runs
from pipeline.reporting.records import arrow
from pipeline.store import MANIFEST, Artifact
from tasks.mt.contests import ALL, load_tallies
from tasks.mt.scoring import BLEU, MEASURES
from tasks.records import read_records
from tasks.statistics import Measure, Runs, holm, joint_contrast

CHOSEN = "chosen on dev data"
"""Instead of a name: what each study would use."""
Record = dict[str, Any]


@dataclass(frozen=True)
class Paired:
    """What a study scores against the first one in a place, each as a mean over its trainings.

    `first_uses` and `uses` are a system or a way; `difference` is this study's minus the first's,
    on `n` items that both have; `p` is None where a side that varies was trained once.
    """

    of: Literal["mt", "task"]
    first: str
    study: str
    where: str
    what: str
    first_uses: str
    uses: str
    metric: str
    first_score: float
    score: float
    difference: float
    low: float
    high: float
    p: float | None
    mdd: float
    n: int

    def as_record(self) -> Record:
        """Return plain values for JSON."""
        return asdict(self)


class Unpaired(NamedTuple):
    """What cannot be held against the first study, or not on all of its items, and why."""

    first: str
    study: str
    where: str
    reason: str


class Found(NamedTuple):
    """All that several studies have in common, and what they do not."""

    paired: list[Paired]
    unpaired: list[Unpaired]


class Side(NamedTuple):
    """A system or a way in one place, its runs there by metric, and its best dev score."""

    name: str
    runs: Mapping[str, Runs]
    measures: Mapping[str, Measure]
    dev: float | None


class ScoredItems(NamedTuple):
    """What decides whether an item is the same: its texts, and its label where it has one."""

    texts: Mapping[str, Any]
    labels: Mapping[str, str]


@dataclass(frozen=True)
class ScoredPlace:
    """A direction, or a task in a language: its test items, and what was tested on them."""

    of: Literal["mt", "task"]
    where: str
    items: ScoredItems
    sides: Mapping[str, Side]
    chosen: Side | None


def load_study(name: str) -> Run:
    """Return an experiment, the run behind a report, or a study in another store.

    `STORE:NAME` is the newest report of a study in a store, `STORE` that of its only study. Raises
    StageError where a store has no such report, or those of several studies.
    """
    store, _, study = name.rpartition(":")
    if store and Path(store).is_dir():
        return replace(load_run(str(_newest(Path(store), study))), name=name)
    folder = Path(name)
    if folder.is_dir() and not (folder / MANIFEST).is_file():
        return replace(load_run(str(_newest(folder, None))), name=name)
    return load_run(name)


def _newest(store: Path, study: str | None) -> Path:
    """Return the folder of a study's newest report in a store."""
    reports: dict[str, list[tuple[str, Path]]] = {}
    for path in sorted(store.glob(f"Report/*/{MANIFEST}")):
        manifest = Artifact(path.parent).readable_manifest
        if label := manifest.get("label"):
            reports.setdefault(label, []).append((str(manifest.get("finished")), path.parent))
    there = ", ".join(reports) or "none"
    if study is None and len(reports) == 1:
        (study,) = reports
    if study is None or study not in reports:
        wanted = f"no finished report of {study!r}" if study else "not the report of one study"
        raise StageError(f"{store}: {wanted}; finished there: {there}. Write STORE:NAME")
    return max(reports[study])[1]


def compare_all(runs: Sequence[Run], *, resamples: int, seed: int) -> Found:
    """Hold each study against the first one, on the items they share."""
    first, *others = runs
    here = places(first)
    found = Found([], [])
    for other in others:
        there = places(other)
        for where in dict.fromkeys([*here, *there]):
            if where not in here or where not in there:
                lacking = other if where in here else first
                found.unpaired.append(
                    Unpaired(
                        first.name, other.name, where, f"nothing scored there in {lacking.name}"
                    )
                )
        pairs = [(here[where], there[where]) for where in here if where in there]
        tests = _Tests(first.name, other.name, resamples, seed)
        found.paired.extend(_corrected(tests.of(pairs)))
        found.unpaired.extend(tests.unpaired)
    return found


class _Tests:
    """The tests of one study against the first, and why some cannot be."""

    def __init__(self, first: str, study: str, resamples: int, seed: int) -> None:
        self.names = first, study
        self.resampling = {"resamples": resamples, "seed": seed}
        self.unpaired: list[Unpaired] = []

    def of(self, pairs: Sequence[tuple[ScoredPlace, ScoredPlace]]) -> list[Paired]:
        """Return the tests in each place, then those over all places of a kind."""
        found: list[Paired] = []
        joint: dict[tuple[str, str, str, str], list[tuple[ScoredPlace, Side, Side, list[str]]]] = {}
        for old, new in pairs:
            shared = self._shared(old, new)
            for what, a, b in self._opponents(old, new) if shared else ():
                for metric in a.runs.keys() & b.runs.keys():
                    group = "" if old.of == "mt" else old.where.partition("/")[0]
                    joint.setdefault((old.of, group, what, metric), []).append((old, a, b, shared))
        for (_, group, what, metric), places_of in joint.items():
            tested = [(where, self._test(what, metric, [where])) for where in places_of]
            found += [test for _, test in tested]
            if len(places_of) > 1 and what != CHOSEN and _as_often(places_of, metric):
                everywhere = self._test(what, metric, places_of)
                where = f"{group}/{ALL}" if group else ALL
                found.append(replace(everywhere, where=where))
        return found

    def _test(
        self, what: str, metric: str, of: Sequence[tuple[ScoredPlace, Side, Side, list[str]]]
    ) -> Paired:
        place, first, second, _ = of[0]
        measure = first.measures[metric]
        pairs = [
            tuple(_by_key(side.runs[metric].only(shared), p) for side in (b, a))
            for p, a, b, shared in of
        ]
        test = joint_contrast([(b, a) for b, a in pairs], measure, **self.resampling)
        new, old = (
            sum(runs.mean(measure) for runs in side) / len(pairs)
            for side in zip(*pairs, strict=True)
        )
        drawn = test._asdict()
        del drawn["better"]
        return Paired(
            of=place.of,
            first=self.names[0],
            study=self.names[1],
            where=place.where,
            what=what,
            first_uses=first.name,
            uses=second.name,
            metric=metric,
            first_score=old,
            score=new,
            n=sum(len(shared) for *_, shared in of),
            **drawn,
        )

    def _shared(self, old: ScoredPlace, new: ScoredPlace) -> list[str]:
        """Return the items that are the same; say how many are not, and why."""
        both = [item for item in old.items.texts if item in new.items.texts]
        other_text = [i for i in both if old.items.texts[i] != new.items.texts[i]]
        other_label = [i for i in both if old.items.labels.get(i) != new.items.labels.get(i)]
        apart = {*other_text, *other_label}
        shared = [item for item in both if item not in apart]
        reasons = [f"{len(other_text):,} have another text"] if other_text else []
        reasons += [f"{len(other_label):,} have another label"] if other_label else []
        alone = [len(place.items.texts) - len(both) for place in (old, new)]
        if any(alone):
            reasons.append(
                f"{alone[0]:,} of the first and {alone[1]:,} of the second stand there alone"
            )
        if reasons:
            said = (
                f"{len(shared):,} test items are the same" if shared else "no test item is the same"
            )
            self._tell(old.where, f"{said}: {', '.join(reasons)}")
        return shared

    def _opponents(self, old: ScoredPlace, new: ScoredPlace) -> Iterator[tuple[str, Side, Side]]:
        """Yield what dev data chose, then what has the same name; tell of the others."""
        if old.chosen and new.chosen:
            yield CHOSEN, old.chosen, new.chosen
        for name, side in old.sides.items():
            if name in new.sides:
                yield name, side, new.sides[name]
        for study, mine, others in zip(self.names, (old, new), (new, old), strict=True):
            if names := [name for name in mine.sides if name not in others.sides]:
                self._tell(old.where, f"in {study} alone: {', '.join(names)}")

    def _tell(self, where: str, reason: str) -> None:
        self.unpaired.append(Unpaired(*self.names, where, reason))


def _as_often(of: Sequence[tuple[ScoredPlace, Side, Side, list[str]]], metric: str) -> bool:
    """Say whether each side has as many trainings in every place, as one test over all needs."""
    firsts = {first.runs[metric].replicates for _, first, _, _ in of}
    seconds = {second.runs[metric].replicates for _, _, second, _ in of}
    return len(firsts) == len(seconds) == 1


def _by_key(runs: Runs, place: ScoredPlace) -> Runs:
    """Return runs on a task's items by key alone, which is the same in every language."""
    if place.of == "mt":
        return runs
    return runs._replace(ids=tuple(key.partition(":")[2] for key in runs.ids))


def _corrected(tests: Sequence[Paired]) -> Iterator[Paired]:
    """Yield tests, their p-values corrected within each kind and metric."""
    ordered = sorted(tests, key=_family)
    for _, some in groupby(ordered, key=_family):
        family = list(some)
        for test, p in zip(family, holm([test.p for test in family]), strict=True):
            yield replace(test, p=p)


def _family(test: Paired) -> tuple[str, str]:
    return test.of, test.metric


def places(run: Run) -> dict[str, ScoredPlace]:
    """Return every place in which a run has scored something: directions, then tasks."""
    found = [*_directions(run), *_tasks(run)]
    return {place.where: place for place in found}


def _directions(run: Run) -> Iterator[ScoredPlace]:
    scored = run.of("MtScores")
    by_direction: dict[str, dict[str, Built]] = {}
    for system, built in scored.items():
        for direction in built.manifest["spec"]["directions"]:
            by_direction.setdefault("-".join(direction), {})[system] = built
    for direction, systems in by_direction.items():
        source, _, target = direction.partition("-")
        sides = {name: _system(name, built, direction) for name, built in systems.items()}
        texts = _tested(sides_of_items(run, (source, target)), sides)
        usable = [
            side
            for name, side in sides.items()
            if not any(
                score.get("ills") for score in _scores(systems[name], "direction", direction)
            )
        ]
        yield ScoredPlace("mt", arrow(direction), ScoredItems(texts, {}), sides, _best(usable))


def _system(name: str, built: Built, direction: str) -> Side:
    path = built.artifact.path(f"{direction}.npz")
    scores = {s["metric"]: s for s in _scores(built, "direction", direction)}
    runs = load_tallies(path, built.manifest["spec"]["random"])
    return Side(name, runs, MEASURES, scores[BLEU]["dev"])


def _scores(built: Built, field: str, value: str) -> list[Record]:
    return [score for score in built.manifest["scores"] if score[field] == value]


def _best(sides: Sequence[Side]) -> Side | None:
    """Return the side with the best score on dev data."""
    judged = [side for side in sides if side.dev is not None]
    return max(judged, key=lambda side: side.dev or 0.0, default=None)


def _tasks(run: Run) -> Iterator[ScoredPlace]:
    names = sorted((task["name"] for task in run.recipe["tasks"]), key=len, reverse=True)
    found: dict[tuple[str, str], dict[str, Side]] = {}
    for label, built in run.of("TaskScores").items():
        task = next((name for name in names if label.startswith(f"{name}-")), None)
        if task is None or not built.manifest["scores"]:
            continue
        contest = contest_of(built)
        for language, runs in way_runs(built).items():
            name = label.removeprefix(f"{task}-")
            side = Side(name, {contest.metric: runs}, {contest.metric: contest.measure}, None)
            found.setdefault((task, language), {})[name] = side
    for (task, language), sides in found.items():
        chosen = sides.get(_winner(run, task, language) or "")
        records = _labelled(run, task, language)
        texts = _tested({r["id"]: r["text"] for r in records}, sides)
        items = ScoredItems(texts, {r["id"]: r["label"] for r in records})
        yield ScoredPlace("task", f"{task}/{language}", items, sides, chosen)


def _winner(run: Run, task: str, language: str) -> str | None:
    """Return the way that dev data chose, as the report does; None before it was tested."""
    built = run.built.get(("TaskContrasts", task))
    if built is None:
        return None
    spec = built.manifest["spec"]
    winner = next((w for w in built.manifest["winners"] if w["language"] == language), None)
    if winner is None:
        return None
    predictions = f"predictions {spec['ways'].index(winner['way'])}"
    wanted = built.manifest["inputs"].get(predictions, [])[spec["languages"].index(language) :][:1]
    for label, scores in run.of("TaskScores").items():
        if wanted and wanted[0] in scores.manifest["inputs"]["predictions"]:
            return label.removeprefix(f"{task}-")
    return None


def _labelled(run: Run, task: str, language: str) -> list[Record]:
    """Return a task's test items."""
    built = run.built["LabelledData", f"{task}-{language}"]
    return list(read_records(built.artifact.path("test.parquet"), ["id", "text", "label"]))


def _tested(texts: Mapping[str, Any], sides: Mapping[str, Side]) -> dict[str, Any]:
    """Return the texts of the items that every side was tested on."""
    tested = [{*runs.ids} for side in sides.values() for runs in side.runs.values()]
    return {item: text for item, text in texts.items() if all(item in some for some in tested)}
