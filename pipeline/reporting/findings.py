"""Collect what a report says: scores, verdicts, sources, stages, versions, from the manifests."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from typing import NamedTuple

from pipeline.provenance import counts_all_attempts
from pipeline.reporting.choices import choices_grid, selection_grid
from pipeline.reporting.encoders import adapted_grid, published_grid
from pipeline.reporting.guards import guard_grids, mostly_training_text
from pipeline.reporting.labels import Worth, worth_grid, worths
from pipeline.reporting.origins import origins
from pipeline.reporting.records import (
    Contrast,
    MtScore,
    Record,
    Score,
    Selection,
    TaskScore,
    TextGuard,
)
from pipeline.reporting.systems import systems_grid
from pipeline.reporting.tables import (
    Grid,
    contrast_grids,
    gap_grids,
    leak_grids,
    mt_grid,
    spread_grid,
    task_grids,
    training_grid,
    training_text_grid,
)
from pipeline.reporting.trainings import Training, not_converged, trainings, unfinished
from pipeline.reporting.usefulness import (
    Place,
    Use,
    usefulness_grid,
    usefulness_sentence,
    uses,
)
from pipeline.reporting.verdict import mt_verdicts, task_verdicts
from pipeline.specs.coverage import coverage, encoder_languages
from pipeline.specs.experiment import Experiment
from tasks.mt.examples import ShownLine
from tasks.mt.scoring import METRICS
from tasks.mt.translation import CUT_SHORT
from tasks.sources.description import Corpus

WORTH_TELLING = 0.01
"""Share of lines."""


class Section(NamedTuple):
    """Tables that belong together; the first one is shown at once where `opened`."""

    name: str
    grids: list[Grid]
    opened: bool = False


@dataclass(frozen=True)
class Findings:
    """Everything a report shows; `examples` by system."""

    experiment: Experiment
    scores: list[Score]
    overlaps: list[Record]
    gaps: list[Record]
    manifests: list[Record]
    examples: Mapping[str, Sequence[ShownLine]] = field(default_factory=dict)

    @property
    def mt(self) -> list[MtScore]:
        """The scores of translation."""
        return [s for s in self.scores if isinstance(s, MtScore)]

    @property
    def tasks(self) -> list[TaskScore]:
        """The scores of the tasks."""
        return [s for s in self.scores if isinstance(s, TaskScore)]

    @property
    def contrasts(self) -> list[Contrast]:
        """The paired tests."""
        return [s for s in self.scores if isinstance(s, Contrast)]

    @cached_property
    def verdicts(self) -> list[str]:
        """The answer in words: tasks first, since they are the question; then what it rests on."""
        answers = task_verdicts(self.tasks, self.contrasts)
        mt = mt_verdicts(self.mt, self.contrasts)
        mt = chain(mt, usefulness_sentence(self.uses))
        early = not_converged(trainings(self.manifests))
        doubts = (acceptances, kept_out, cut_short)
        known = mostly_training_text(self.overlaps, self.experiment.hub, self.tasks)
        return [
            *answers,
            *(worth.sentence for worth in self.worths),
            *too_few(self.manifests),
            *known,
            *mt,
            *early,
            *(s for doubt in doubts for s in doubt(self.manifests)),
        ]

    @cached_property
    def worths(self) -> list[Worth]:
        """What translation is worth in labels, where few shots were tried."""
        return list(worths(self.tasks))

    @cached_property
    def uses(self) -> dict[Place, list[Use]]:
        """What each system's translation is like, and what it leads to."""
        return uses(self.experiment.hub, self.mt, self.tasks)

    @cached_property
    def systems(self) -> Grid | None:
        """The table of systems."""
        return systems_grid(self.experiment, self.scores, self.manifests)

    @cached_property
    def sections(self) -> list[Section]:
        """Every table but that of systems: scores, tests, then data, sources and stages."""
        use = filter(None, [usefulness_grid(self.uses), choices_grid(self.manifests)])
        sections = (
            Section("Scores", [*score_grids(self.scores, trainings(self.manifests)), *use], True),
            Section("Paired tests", list(contrast_grids(self.contrasts)), True),
            Section("Data and stages", list(self._data_grids())),
        )
        return [section for section in sections if section.grids]

    @property
    def grids(self) -> list[Grid]:
        """Every table."""
        systems = [self.systems] if self.systems else []
        return [*systems, *(grid for section in self.sections for grid in section.grids)]

    def scores_json(self) -> str:
        """Return the records of all figures as JSON."""
        records = [score.as_record() for score in self.scores]
        return json.dumps(records, indent=1, ensure_ascii=False) + "\n"

    def _data_grids(self) -> Iterator[Grid]:
        counts = [
            [m["stage"], m["label"], json.dumps(m["counts"], ensure_ascii=False)]
            for m in self.manifests
            if m["counts"] and m["stage"] not in ("TrainedModel", "Lexicon")
        ]
        yield from leak_grids(self.overlaps)
        yield from gap_grids(self.gaps)
        yield training_text_grid(self.manifests)
        yield Grid(
            "Data", ["stage", "label", "counts"], counts, "read, kept and dropped by reason", 3
        )
        published = published_grid(self.manifests, self._listed)
        yield from filter(None, [published, adapted_grid(self.manifests)])
        sources = [[c.name, c.licence, c.homepage, c.citation] for c in corpora(self.experiment)]
        sources += [
            [m.name, m.licence, m.homepage, m.citation] for m in self.experiment.models.values()
        ]
        yield Grid(
            "Sources", ["corpus or model", "licence", "home page", "citation"], sources, "", 4
        )
        files = {
            (file["address"], file["sha256"])
            for m in self.manifests
            if m["stage"] in ("RawCorpus", "ModelFiles")
            for file in m["sources"]
        }
        yield Grid("Files", ["address", "sha256"], [list(file) for file in sorted(files)], "", 2)
        stages = [
            [m["stage"], m["label"], _seconds(m), f"{m['peak_memory_mib']:,}"]
            for m in self.manifests
        ]
        total = sum(m["seconds"] for m in self.manifests)
        columns = ["stage", "label", "seconds", "peak memory (MiB)"]
        cut = sum(not counts_all_attempts(m) for m in self.manifests)
        note = f"{total:,.0f} seconds in all, of all attempts" + (
            f"; of {cut} resumed stages from before attempts were added up, the last one's"
            * bool(cut)
        )
        yield Grid("Stages", columns, stages, note, columns_of_words=2)

    @property
    def _listed(self) -> dict[str, dict[str, str]]:
        """By encoder and language: whether its list names the language."""
        languages = (self.experiment.hub, *self.experiment.languages)
        return {
            name: {code: coverage(code, encoder_languages(model)).known for code in languages}
            for name, model in self.experiment.models.items()
        }

    @property
    def versions(self) -> Record:
        """Tool versions, commits and machines of all artifacts that the figures rest on."""
        return origins(self.manifests)

    @property
    def signatures(self) -> list[str]:
        """The sacreBLEU signatures of the MT scores."""
        return sorted({score.signature for score in self.mt})


def score_grids(scores: Sequence[Score], trained: Iterable[Training]) -> Iterator[Grid]:
    """Yield the tables of scores: translation, trainings, tasks."""
    mt = [s for s in scores if isinstance(s, MtScore)]
    contrasts = [s for s in scores if isinstance(s, Contrast)]
    trained = list(trained)
    grids = [mt_grid(mt, contrasts, metric, unfinished(trained)) for metric in METRICS]
    grids += [spread_grid(mt, METRICS[0]), training_grid(trained, mt)]
    yield from filter(None, grids)
    tasks = [s for s in scores if isinstance(s, TaskScore)]
    yield from task_grids(tasks, contrasts)
    selected = selection_grid([s for s in scores if isinstance(s, Selection)])
    worth = worth_grid(list(worths(tasks)))
    yield from filter(None, [worth, selected])
    yield from guard_grids([s for s in scores if isinstance(s, TextGuard)])


def too_few(manifests: Iterable[Record]) -> Iterator[str]:
    """Yield a sentence for each reason why ways have no score in a language."""
    found: dict[str, list[str]] = {}
    for m in manifests:
        for language, why in m.get("left_out", {}).items() if m["stage"] == "TaskScores" else ():
            found.setdefault(f"{language}: {why}", []).append(m["label"])
    for why, labels in found.items():
        more = f" and {len(labels) - 1} more" if len(labels) > 1 else ""
        yield f"{labels[0]}{more} left out in {why}."


def acceptances(manifests: Iterable[Record]) -> Iterator[str]:
    """Yield a sentence for each artifact that was not built as the recipe says."""
    for m in manifests:
        if accepted := m.get("accepted"):
            yield (
                f"{m['stage']} {m['label']} is {accepted['from']}, accepted as it was: "
                f"{accepted['reason']} (it differs in: {'; '.join(accepted['differs'])})."
            )


def kept_out(manifests: Iterable[Record]) -> Iterator[str]:
    """Yield a sentence for each synthetic text that is not usable."""
    for m in manifests:
        if m["stage"] == "Synthetic" and m["ills"]:
            done = "trained on all the same (`force`)" if m["counts"]["kept"] else "not trained on"
            yield f"Synthetic text {m['label']} is not usable and {done}: {', '.join(m['ills'])}."


def cut_short(manifests: Iterable[Record]) -> Iterator[str]:
    """Yield a sentence for each translation of which many lines are far too short."""
    for m in manifests:
        if m["stage"] != "Translation":
            continue
        lines, short = sum(m["counts"].values()), sum(m[CUT_SHORT].values())
        if short > WORTH_TELLING * lines:
            yield f"Translation {m['label']}: {short:,} of {lines:,} lines came back far too short."


def _seconds(manifest: Record) -> str:
    attempts = manifest.get("attempt", 1)
    which = f"{attempts} attempts" if counts_all_attempts(manifest) else f"attempt {attempts}"
    return f"{manifest['seconds']:.1f}" + (f" ({which})" if attempts > 1 else "")


def corpora(experiment: Experiment) -> list[Corpus]:
    """Return every corpus an experiment uses, each with its licence once."""
    found: dict[tuple[str, str], Corpus] = {}
    for pair in experiment.pairs:
        for listed in (pair.parallel, *pair.monolingual.values()):
            found.update(((c.name, c.licence), c) for c in listed)
    for task in experiment.tasks:
        listed = (*task.texts.values(), *([task.labels_from] if task.labels_from else []))
        found.update(((c.name, c.licence), c) for c in listed)
    return list(found.values())
