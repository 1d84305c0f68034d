"""How pretrained encoders fit the languages of an experiment, before anything runs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models.encoders.pretrained.fitness import Fitness, measure_fitness
from models.encoders.pretrained.folders import MOST_PIECES, Checkpoint
from models.support.errors import SourceError
from pipeline.reporting.encoders import EncoderFit, not_listed
from pipeline.specs.coverage import coverage, encoder_languages
from pipeline.specs.encoders import EncoderManifest
from pipeline.stages.corpora import Bitext, LabelledData
from pipeline.stages.leakage import all_labelled
from pipeline.stages.pretrained import FILES, ModelFiles, PretrainedEncoder, packed_file
from pipeline.stages.stage import Stage
from tasks.records import read_records
from tasks.sources.checkpoints import HubModel, PackagedModel, local_files, packaged_file
from tasks.splitting import part_files

if TYPE_CHECKING:
    import tokenizers

SAMPLE_TEXTS = 2000
NO_TEXT, NO_FILES = "no text yet", "not fetched yet"


@dataclass(frozen=True)
class EncoderFits:
    """How each encoder fits each language; `problems` are what would make a run fail."""

    fits: list[EncoderFit] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def encoder_fits(of: Stage[Any]) -> EncoderFits:
    """Look at every pretrained encoder of an experiment; fetches and builds nothing."""
    study, found = of.study, EncoderFits()
    languages = (study.hub, *study.languages)
    samples = {language: _sample(of, language) for language in languages if study.models}
    for model in study.models.values():
        try:
            known = _known(of, model, samples)
        except SourceError as error:
            found.problems.append(f"encoder {model.name}: {error}")
            known = {language: (None, []) for language in languages}
        for language, (fitness, remarks) in known.items():
            listed = coverage(language, encoder_languages(model)).known
            said = [*not_listed(listed), *remarks]
            found.fits.append(EncoderFit(model.name, language, listed, fitness, said))
    return found


Known = dict[str, tuple[Fitness | None, list[str]]]


def _known(of: Stage[Any], model: EncoderManifest, samples: Mapping[str, list[str]]) -> Known:
    """Return fitness and remarks of each language: those of the artifact, or measured now."""
    stage = PretrainedEncoder(experiment=of.experiment, model=model.name)
    if stage.complete():
        facts = stage.artifact.manifest["encoder"]
        return {
            language: (Fitness(**facts["fitness"][language]), facts["remarks"][language])
            if language in facts["fitness"]
            else (None, [NO_TEXT])
            for language in samples
        }
    checkpoint = _checkpoint(of, model)
    if checkpoint is None:
        return {language: (None, [NO_FILES]) for language in samples}
    tokenizer = checkpoint.read_tokenizer()
    return {
        language: _measured(model, texts, tokenizer) if texts else (None, [NO_TEXT])
        for language, texts in samples.items()
    }


def _measured(
    model: EncoderManifest, texts: list[str], tokenizer: "tokenizers.Tokenizer"
) -> tuple[Fitness, list[str]]:
    longest = model.max_pieces or MOST_PIECES
    found = measure_fitness(texts, tokenizer, prefix=model.prefix, max_pieces=longest)
    return found, list(found.remarks(cased=model.cased))


def _checkpoint(of: Stage[Any], model: EncoderManifest) -> Checkpoint | None:
    """Return where an encoder's files are on this machine; None where they are still to fetch."""
    files = ModelFiles(experiment=of.experiment, model=model.name)
    packed = packed_file(model)
    if files.complete():
        return Checkpoint(files.artifact.path(FILES), packed, model.cased)
    if isinstance(model.source, HubModel):
        return None
    if isinstance(model.source, PackagedModel):
        return Checkpoint(packaged_file(model.source).parent, packed, model.cased)
    local_files(model.source)  # says what is missing
    return Checkpoint(Path(model.source.path), None, model.cased)


def _sample(of: Stage[Any], language: str) -> list[str]:
    """Return some texts of a language: labelled ones, else its side of a bitext, if built."""
    place = {"experiment": of.experiment}
    labelled = [
        LabelledData(**place, task=task, language=language)
        for task, other in all_labelled(of.study)
        if other == language
    ]
    bitext = [Bitext(**place, pair=p.name) for p in of.study.pairs if language in p.languages]
    stages: list[tuple[Stage[Any], str]] = [(stage, "text") for stage in labelled]
    for stage, column in (*stages, *((stage, language) for stage in bitext)):
        if stage.complete():
            return list(islice(_texts(stage.artifact.folder, column), SAMPLE_TEXTS))
    return []


def _texts(folder: Path, column: str) -> Iterator[str]:
    for path in part_files(folder).values():
        yield from (record[column] for record in read_records(path, [column]))
