"""Use a trained engine on new text, outside of the DAG."""

import unicodedata
from collections.abc import Iterator
from itertools import islice
from typing import BinaryIO

from models.engines.nmt import Line
from models.support.errors import SourceError, SpecError, StageError
from pipeline.specs.loading import load_experiment
from pipeline.specs.suggesting import suggest
from pipeline.stages.mt_scores import TestHypotheses
from pipeline.stages.nmt import load_engine
from pipeline.stages.stage import Inputs
from tasks.records import check_same_ids

LINES_AT_ONCE = 256


def translate_lines(
    experiment: str,
    stream: BinaryIO,
    *,
    source: str,
    target: str,
    engine: str | None,
    beam: int,
) -> Iterator[str]:
    """Yield one translation for each line of `stream`, with the engine an experiment has trained.

    Raises SpecError for a direction or engine the experiment does not have, StageError when it has
    not been trained yet, SourceError for a line that is not UTF-8.
    """
    study = load_experiment(experiment)
    engine = engine or study.engines[-1]
    if engine not in study.engines:
        raise SpecError(f"no engine {engine!r}{suggest(engine, study.engines)}")
    if (source, target) not in study.directions:
        known = [f"{s}-{t}" for s, t in study.directions]
        raise SpecError(f"no direction {source}-{target}{suggest(f'{source}-{target}', known)}")
    stage = TestHypotheses(experiment=experiment, engine=engine)
    needed = {n: s for n, s in stage.inputs.items() if n in ("lexicons", "model", "subwords")}
    for missing in (s for stages in needed.values() for s in stages if not s.complete()):
        raise StageError(f"{missing} is not built yet: sprachbund run {experiment}")
    artifacts = {name: [s.artifact for s in stages] for name, stages in needed.items()}
    translator = load_engine(Inputs(artifacts), beam=beam)
    for lines in _batches(stream):
        translated = translator.translate(lines, source=source, target=target)
        numbers = [[number for number, _ in side] for side in (lines, translated)]
        check_same_ids(f"translation {source}-{target}", *numbers)
        yield from (text for _, text in translated)


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
