"""How much text an experiment has, as far as manifests and the store tell."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from models.subwords import Subwords
from pipeline.stages.corpora import (
    Bitext,
    LabelledData,
    Monolingual,
    RawCorpus,
    monolingual_corpora,
)
from pipeline.stages.leakage import TrainingBitext, all_labelled
from pipeline.stages.stage import Stage
from pipeline.stages.subwords import SUBWORDS, SubwordModel
from tasks.profiling import Profiler
from tasks.records import read_records
from tasks.sources.description import Files, HashSplit, Sandbox
from tasks.sources.fetching import address, is_remote
from tasks.splitting import PARTS

SAMPLE_LINES = 2000
STRAY_SCRIPT = 0.2
"""The share of letters below which a script is a foreign name or two, not the language's own."""

COUNTED, FETCHED, NOT_MADE, NOT_FETCHED, NONE = (
    "counted",
    "fetched, not cleaned yet",
    "not made yet",
    "not fetched yet",
    "none",
)


@dataclass(frozen=True)
class Amount:
    """The lines of one pair, task or language by part; None for a part that is not known yet."""

    name: str
    state: str
    parts: dict[str, int | None]


@dataclass(frozen=True)
class Sample:
    """What the first lines of a language's bitext are like; `pieces_missing` says why not."""

    lines: int
    scripts: list[str]
    pieces_a_word: float | None
    pieces_missing: str


def bitext(of: Stage[Any], language: str) -> Iterator[Amount]:
    """Yield the bitext of each pair that has a language: cleaned, and after the guard."""
    for pair in of.study.pairs:
        if language not in pair.languages:
            continue
        stage = Bitext(experiment=of.experiment, pair=pair.name)
        if not stage.usable():
            yield Amount(pair.name, _state(stage), _planned(stage))
            continue
        counts = stage.artifact.manifest["counts"]
        parts: dict[str, int | None] = {part: counts[part] for part in PARTS}
        guarded = TrainingBitext(experiment=of.experiment, pair=pair.name)
        if guarded.usable():
            parts["train after the guard"] = guarded.artifact.manifest["counts"]["train"]["leaks"][
                "kept"
            ]
        yield Amount(pair.name, COUNTED, parts)


def _planned(stage: Bitext) -> dict[str, int | None]:
    """Return the parts that the split rule itself fixes."""
    split = stage.spec().split
    fixed = {"dev": split.dev, "test": split.test} if isinstance(split, HashSplit) else {}
    return {part: fixed.get(part) for part in PARTS}


def monolingual(of: Stage[Any], language: str) -> Amount:
    """Return the monolingual text of a language."""
    if not monolingual_corpora(of.study, language):
        return Amount(language, NONE, {})
    stage = Monolingual(experiment=of.experiment, language=language)
    kept = stage.artifact.manifest["counts"]["kept"] if stage.usable() else None
    return Amount(language, _state(stage), {"sentences": kept})


def labelled(of: Stage[Any], language: str) -> Iterator[Amount]:
    """Yield the labelled set of each task that has texts in a language."""
    for task, of_language in all_labelled(of.study):
        if of_language == language:
            stage = LabelledData(experiment=of.experiment, task=task, language=language)
            counts = stage.artifact.manifest["counts"] if stage.usable() else {}
            yield Amount(task, _state(stage), {part: counts.get(part) for part in PARTS})


def sample(of: Stage[Any], language: str) -> Sample:
    """Look at the first lines of a language's cleaned bitext, if there is any yet."""
    pairs = (pair.name for pair in of.study.pairs if language in pair.languages)
    stages = [Bitext(experiment=of.experiment, pair=name) for name in pairs]
    cleaned = next((stage for stage in stages if stage.usable()), None)
    if cleaned is None:
        return Sample(0, [], None, "no bitext yet")
    model = SubwordModel(experiment=of.experiment)
    subwords = Subwords(model.artifact.path(SUBWORDS)) if model.usable() else None
    profiler = Profiler(subwords=subwords)
    records = read_records(cleaned.artifact.path("train.parquet"), ["id", language])
    for record in islice(records, SAMPLE_LINES):
        profiler.add(record[language], record["id"])
    seen = profiler.profile()
    scripts = [script for script, share in seen.scripts.items() if share >= STRAY_SCRIPT]
    missing = "" if subwords else "no subword model yet"
    return Sample(seen.lines, scripts, seen.pieces_a_word, missing)


def missing_files(stages: Iterable[Stage[Any]]) -> Iterator[str]:
    """Yield a sentence for each local file of a corpus that is not there or has other bytes."""
    for stage in stages:
        if isinstance(stage, RawCorpus) and not stage.usable():
            yield from _local_problems(stage)


def _local_problems(stage: RawCorpus) -> Iterator[str]:
    spec = stage.spec()
    source = spec.source
    if not isinstance(source, Files) or is_remote(source.base):
        return
    for file, digest in zip(source.files, spec.local_digests, strict=True):
        path = Path(address(source, file))
        if not path.is_file():
            yield f"corpus {stage.corpus} of {stage.owner}: {path}: no such file"
        elif file.sha256 not in (None, digest):
            yield f"corpus {stage.corpus} of {stage.owner}: {path}: checksum differs"


def _state(stage: Stage[Any]) -> str:
    """Say how far the text of a stage has come."""
    if stage.usable():
        return COUNTED
    raw = [s for found in stage.inputs.values() for s in found if isinstance(s, RawCorpus)]
    if all(isinstance(s.spec().source, Sandbox) for s in raw):
        return NOT_MADE
    return FETCHED if all(s.usable() for s in raw) else NOT_FETCHED
