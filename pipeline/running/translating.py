"""Use a trained engine on new text, outside of the DAG."""

import unicodedata
from collections.abc import Iterator
from itertools import islice
from typing import BinaryIO

from models.engines.protocol import Decoding, Engine, Line
from models.support.errors import SourceError, SpecError, StageError
from pipeline.specs.loading import load_experiment
from pipeline.specs.suggesting import suggest
from pipeline.stages.mt_scores import MtScores
from pipeline.stages.stage import Inputs
from pipeline.stages.systems.registry import engine_details, engine_requirements, load_engine
from tasks.records import check_same_ids

LINES_AT_ONCE = 256


def translate_lines(
    experiment: str,
    stream: BinaryIO,
    *,
    direction: tuple[str, str],
    system: str | None,
    decoding: Decoding,
) -> Iterator[str]:
    """Yield one translation for each line of `stream`, by a system that an experiment has built.

    Of several trainings the first translates. Raises SpecError for a direction or system the
    experiment does not have, StageError when it is not built yet, SourceError for a line that is
    not UTF-8.
    """
    study = load_experiment(experiment)
    system = system or list(study.systems)[-1]
    if system not in study.systems:
        raise SpecError(f"no system {system!r}{suggest(system, study.systems)}")
    name, directions = "-".join(direction), ["-".join(d) for d in study.directions_of(system)]
    if name not in directions:
        raise SpecError(f"no direction {name}{suggest(name, directions)}")
    engine = _load(experiment, study.canonical(system), direction)
    source, target = direction
    for lines in _batches(stream):
        translated = engine.translate(lines, source=source, target=target, decoding=decoding)
        numbers = [[number for number, _ in side] for side in (lines, translated)]
        check_same_ids(f"translation {name}", *numbers)
        yield from (text for _, text in translated)


def _load(experiment: str, system: str, direction: tuple[str, str]) -> Engine:
    """Load the engine of a system's first training."""
    scores = MtScores(experiment=experiment, system=system)
    needed = engine_requirements(scores, system, 0, direction)
    listed = {n: s if isinstance(s, list) else [s] for n, s in needed.items()}
    for missing in (s for stages in listed.values() for s in stages if not s.complete()):
        raise StageError(f"{missing.title} is not built yet: sprachbund run {experiment}")
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
