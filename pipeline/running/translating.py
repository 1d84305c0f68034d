"""Use a trained engine on new text, outside of the DAG."""

import unicodedata
from collections.abc import Callable, Iterator, Mapping
from itertools import chain, islice
from typing import Any, BinaryIO, NamedTuple

from models.engines.protocol import Decoding, Engine, Line
from models.support.errors import SourceError, SpecError, StageError
from pipeline.console import say
from pipeline.specs.experiment import Experiment
from pipeline.specs.loading import load_experiment
from pipeline.specs.suggesting import suggest
from pipeline.stages.mt_scores import MtScores
from pipeline.stages.stage import Inputs
from pipeline.stages.systems.registry import engine_details, engine_requirements, load_engine
from tasks.mt.scoring import BLEU
from tasks.mt.translation import is_cut_short
from tasks.records import check_same_ids

LINES_AT_ONCE = 256


def translate_lines(
    experiment: str,
    stream: BinaryIO,
    *,
    direction: tuple[str, str],
    system: str | None,
    decoding: Decoding,
    tell: Callable[[str], object],
) -> Iterator[str]:
    """Yield one translation for each line of `stream`, by a system that an experiment has built.

    By default the system with the highest dev score that is usable; of several trainings the first
    translates. `tell` is told which system that is, and of lines that came back far too short.
    Raises SpecError for a direction or system the experiment does not have, StageError when it is
    not built yet, SourceError for a line that is not UTF-8.
    """
    study, name = load_experiment(experiment), "-".join(direction)
    directions = {"-".join(d) for s in study.systems for d in study.directions_of(s)}
    if name not in directions:
        raise SpecError(f"no direction {name}{suggest(name, directions)}")
    chosen = _choice(experiment, study, name, system)
    tell(chosen.reason)
    engine = _load(experiment, study.canonical(chosen.system), direction)
    source, target = direction
    for lines in _batches(stream):
        translated = engine.translate(lines, source=source, target=target, decoding=decoding)
        numbers = [[number for number, _ in side] for side in (lines, translated)]
        check_same_ids(f"translation {name}", *numbers)
        for (number, line), (_, text) in zip(lines, translated, strict=True):
            if is_cut_short(line, text):
                tell(f"line {number}: its translation is far too short ({len(text)} characters)")
            yield text


class _Choice(NamedTuple):
    system: str
    reason: str


def _choice(experiment: str, study: Experiment, direction: str, wanted: str | None) -> _Choice:
    """Return the system that translates, and why."""
    systems = [s for s in study.systems if direction in map("-".join, study.directions_of(s))]
    if wanted and wanted not in systems:
        raise SpecError(f"no system {wanted!r} for {direction}{suggest(wanted, systems)}")
    if wanted:
        score = _score(experiment, study, wanted, direction)
        ills = score["ills"] if score else ()
        doubt = f", which is not usable: {', '.join(ills)}" if ills else ""
        return _Choice(wanted, f"translated by {wanted}{doubt}")
    scores = {system: _score(experiment, study, system, direction) for system in systems}
    usable = {name: of for name, of in scores.items() if of and not of["ills"]}
    if usable:
        best = max(usable, key=lambda name: usable[name]["dev"])
        why = f"the best on dev data: {usable[best]['dev']:.1f} {BLEU}"
        return _Choice(best, f"translated by {best} ({why})")
    if any(scores.values()):
        ill = ", ".join(f"{name} ({', '.join(of['ills'])})" for name, of in scores.items() if of)
        raise StageError(f"no system is usable for {direction}: {ill}; --system takes one anyway")
    last = systems[-1]
    return _Choice(last, f"translated by {last}, the last system; none has been scored yet")


def _score(
    experiment: str, study: Experiment, system: str, direction: str
) -> Mapping[str, Any] | None:
    """Return a system's BLEU in a direction; None where it has not been scored."""
    stage = MtScores(experiment=experiment, system=study.canonical(system))
    found = stage.artifact.manifest["scores"] if stage.usable() else ()
    return next((s for s in found if (s["metric"], s["direction"]) == (BLEU, direction)), None)


def _load(experiment: str, system: str, direction: tuple[str, str]) -> Engine:
    """Load the engine of a system's first training."""
    scores = MtScores(experiment=experiment, system=system)
    needed = engine_requirements(scores, system, 0, direction)
    listed = {n: s if isinstance(s, list) else [s] for n, s in needed.items()}
    for stage in chain(*listed.values()):
        if not stage.usable():
            raise StageError(f"{stage.title} is not built yet: sprachbund run {experiment}")
        if not stage.complete():
            say("old", f"{stage.title} is to be built again; until then the old one translates")
    artifacts = {name: [stage.artifact for stage in stages] for name, stages in listed.items()}
    return load_engine(engine_details(scores, system), Inputs(artifacts))


def _batches(stream: BinaryIO) -> Iterator[list[Line]]:
    """Yield the lines with their numbers as ids."""
    numbered = enumerate(stream, start=1)
    while batch := list(islice(numbered, LINES_AT_ONCE)):
        yield [(str(number), _decode(number, raw)) for number, raw in batch]


def _decode(number: int, raw: bytes) -> str:
    try:
        return unicodedata.normalize("NFC", " ".join(raw.decode("utf-8").split()))
    except UnicodeDecodeError as error:
        raise SourceError(f"input line {number} is not valid UTF-8") from error
