"""What an experiment can do for each language, before anything is scheduled.

Looks at manifests, at what the store holds already and at lists of what published models know;
fetches and builds nothing.
"""

import json
import shutil
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from pipeline.dag import STAGES, all_stages
from pipeline.looking.abilities import Ability, Scripts, back_translation, transfer
from pipeline.looking.fitness import encoder_fits
from pipeline.looking.history import History, StageCost, total
from pipeline.looking.supply import (
    Amount,
    Sample,
    bitext,
    labelled,
    missing_files,
    monolingual,
    sample,
)
from pipeline.reporting.encoders import EncoderFit
from pipeline.reporting.guards import known_items
from pipeline.settings import Settings
from pipeline.specs.coverage import (
    FAMILIES,
    IDENTIFIER,
    NOT_COVERED,
    XLM_R,
    Coverage,
    coverage,
    language_list,
    usual_scripts,
)
from pipeline.specs.experiment import Experiment
from pipeline.specs.loading import load_experiment
from pipeline.specs.parts import declared_parts, task_parts
from pipeline.stages.leakage import LeakAudit
from pipeline.stages.report import Report
from tasks.licences import consequence
from tasks.sources.description import Corpus, Sandbox, ShippedSplit


@dataclass(frozen=True)
class LanguageReadiness:
    """What there is for one language, who knows it, and what can be done with it.

    `scripts` are those of its text where that was seen, else those NLLB-200 lists for the
    language; `strategies` holds an Ability for each strategy of each task.
    """

    language: str
    is_hub: bool
    invented: bool
    bitext: list[Amount]
    monolingual: Amount
    labelled: list[Amount]
    scripts: list[str]
    scripts_seen: bool
    identifier: Coverage
    pieces_a_word: float | None
    pieces_missing: str
    families: dict[str, Coverage]
    comet: Ability
    back_translation: Ability
    strategies: dict[str, dict[str, Ability]]


@dataclass(frozen=True)
class SourceTerms:
    """A corpus, what it is used for, its licence and what that asks."""

    corpus: str
    used_for: list[str]
    licence: str
    consequence: str


@dataclass(frozen=True)
class Readiness:
    """Everything `sprachbund ready` has to say; `problems` are what would make a run fail.

    `cautions` tell what would flatter a figure, as far as the texts have been compared.
    """

    experiment: str
    languages: list[LanguageReadiness]
    encoders: list[EncoderFit]
    sources: list[SourceTerms]
    costs: list[StageCost]
    free_bytes: int
    problems: list[str]
    cautions: list[str]

    def as_json(self) -> str:
        """Return plain values as JSON."""
        return json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n"


def readiness(experiment: str) -> Readiness:
    """Look at an experiment from all sides; raise SpecError where its manifests are not valid."""
    study = load_experiment(experiment)
    report = Report(experiment=experiment)
    stages = all_stages(experiment)
    store = Settings.from_environment().store
    costs = History(store).costs(sorted(stages, key=lambda stage: STAGES.index(type(stage))))
    free = shutil.disk_usage(_existing(store)).free
    encoders = encoder_fits(report)
    samples = {language: sample(report, language) for language in (study.hub, *study.languages)}
    return Readiness(
        experiment=study.name,
        languages=[_language(report, language, samples) for language in samples],
        encoders=encoders.fits,
        sources=list(source_terms(study)),
        costs=costs,
        free_bytes=free,
        problems=[
            *missing_files(stages),
            *_without_parts(study),
            *encoders.problems,
            *_too_large(costs, free),
        ],
        cautions=list(_cautions(report)),
    )


def _cautions(report: Report) -> Iterator[str]:
    """Yield what the audit of leaks tells, where it is built, of text that MT knows already."""
    study = report.study
    audit = LeakAudit(experiment=report.experiment)
    if audit.usable():
        tasks = [task.name for task in study.tasks if study.transfer_systems]
        yield from known_items(audit.artifact.manifest["overlaps"], study.hub, tasks)


def _language(report: Report, language: str, samples: Mapping[str, Sample]) -> LanguageReadiness:
    study, seen = report.study, samples[language]
    invented = language in invented_languages(study)
    written = {code: _scripts(study, code, samples[code]) for code in (study.hub, language)}
    scripts = Scripts(hub=written[study.hub], language=written[language])
    return LanguageReadiness(
        language=language,
        is_hub=language == study.hub,
        invented=invented,
        bitext=list(bitext(report, language)),
        monolingual=monolingual(report, language),
        labelled=list(labelled(report, language)),
        scripts=scripts.language,
        scripts_seen=bool(seen.scripts),
        identifier=_known(study, language, IDENTIFIER),
        pieces_a_word=seen.pieces_a_word,
        pieces_missing=seen.pieces_missing,
        families={name: _known(study, language, name) for name in FAMILIES},
        comet=_comet(study, language),
        back_translation=back_translation(report, language),
        strategies={
            task.name: transfer(study, task, language, scripts=scripts) for task in study.tasks
        },
    )


def invented_languages(study: Experiment) -> set[str]:
    """Return the languages whose text the sandbox makes: their codes stand for nothing else."""
    return {
        language
        for pair in study.pairs
        if all(isinstance(corpus.source, Sandbox) for corpus in pair.parallel)
        for language in pair.languages
    }


def _known(study: Experiment, language: str, model: str) -> Coverage:
    invented = language in invented_languages(study)
    return NOT_COVERED if invented else coverage(language, language_list(model))


def _comet(study: Experiment, language: str) -> Ability:
    """Say whether COMET can judge translations between a language and the hub."""
    sides = dict.fromkeys((language, study.hub))
    unseen = [code for code in sides if _known(study, code, XLM_R).known == "no"]
    if unseen:
        return Ability("no", f"XLM-R, on which COMET stands, has not seen {' or '.join(unseen)}")
    return Ability("yes")


def _scripts(study: Experiment, language: str, seen: Sample) -> list[str]:
    """Return the scripts of a language: those of its text, else the usual ones."""
    invented = language in invented_languages(study)
    return seen.scripts or ([] if invented else usual_scripts(language))


def source_terms(study: Experiment) -> Iterator[SourceTerms]:
    """Yield each corpus once for each licence it is listed with, and what the licence asks."""
    uses: dict[tuple[str, str], list[str]] = {}
    for corpus, use in _listed(study):
        uses.setdefault((corpus.name, corpus.licence), []).append(use)
    for (name, licence), used_for in uses.items():
        yield SourceTerms(name, list(dict.fromkeys(used_for)), licence, consequence(licence))
    for model in study.models.values():
        yield SourceTerms(
            model.title, [f"encoder {model.name}"], model.licence, consequence(model.licence)
        )


def _listed(study: Experiment) -> Iterator[tuple[Corpus, str]]:
    for pair in study.pairs:
        yield from ((corpus, f"bitext {pair.name}") for corpus in pair.parallel)
        for language, corpora in pair.monolingual.items():
            yield from ((corpus, f"monolingual {language}") for corpus in corpora)
    for task in study.tasks:
        for language in (study.hub, *study.task_languages(task)):
            yield task.texts[language], f"{task.name} {language}"
        if task.labels_from:
            yield task.labels_from, f"labels {task.name}"


def _without_parts(study: Experiment) -> Iterator[str]:
    """Yield a sentence for each text whose files say nothing of a part that it must have."""
    for pair in study.pairs:
        if isinstance(pair.split, ShippedSplit):
            parts = {part for corpus in pair.parallel for part in declared_parts(corpus)}
            yield from _missing(f"pair {pair.name}", {"train", "test"} - parts)
    for task in study.tasks:
        for language in (study.hub, *study.task_languages(task)):
            needed = {"train" if language == study.hub else "test"}
            missing = needed - task_parts(task, language)
            yield from _missing(f"task {task.name}, {language}", missing)


def _missing(name: str, parts: Collection[str]) -> Iterator[str]:
    yield from (f"{name}: none of its files has `split: {part}`" for part in sorted(parts)[::-1])


def _too_large(costs: list[StageCost], free: int) -> Iterator[str]:
    size = total(costs).size or 0
    if size > free:
        yield f"disk: about {size / 1e9:.1f} GB are needed, {free / 1e9:.1f} GB are free"


def _existing(path: Path) -> Path:
    return next(folder for folder in (path, *path.parents) if folder.exists())
