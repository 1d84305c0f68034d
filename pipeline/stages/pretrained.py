"""Pretrained encoders: their files, and what is published of them for a study."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import luigi

from models.encoders.pretrained.folders import Checkpoint, EncoderSettings
from models.support.errors import SourceError
from pipeline.settings import Settings
from pipeline.specs.encoders import EncoderManifest
from pipeline.stages.corpora import Bitext, LabelledData
from pipeline.stages.leakage import all_labelled
from pipeline.stages.stage import Inputs, Requirements, Stage
from pipeline.store import Draft
from tasks.sources.checkpoints import ModelSource, PackagedModel, fetch_model, local_files
from tasks.sources.fetching import sha256_of
from tasks.transfer.encoders import EncoderTexts, publish_encoder

FILES = "files"


@dataclass(frozen=True)
class ModelFilesSpec:
    """Where the files come from, with the digests of local ones."""

    source: ModelSource
    local_digests: tuple[str, ...]


class ModelFiles(Stage[ModelFilesSpec]):
    """The files of one pretrained model, fetched and verified."""

    model = luigi.Parameter(description="name of the model's manifest")

    def spec(self) -> ModelFilesSpec:
        source = self.study.models[str(self.model)].source
        return ModelFilesSpec(source, _digests(source))

    def label(self) -> str:
        return str(self.model)

    @staticmethod
    def build(spec: ModelFilesSpec, inputs: Inputs, out: Draft) -> None:
        settings = Settings.from_environment()
        out.facts["sources"] = fetch_model(
            spec.source, out.path(FILES), mirror=settings.mirror, pins=settings.pins
        )


def _digests(source: ModelSource) -> tuple[str, ...]:
    try:
        files = local_files(source)
    except SourceError:
        return ("missing",)
    return tuple(_digest(path, path.stat().st_mtime_ns, path.stat().st_size) for path in files)


@lru_cache
def _digest(path: Path, changed: int, size: int) -> str:
    """Return the sha256 of a large file, read once as long as nobody writes to it."""
    return sha256_of(path)


@dataclass(frozen=True)
class PretrainedEncoderSpec:
    """What decides a published encoder beside its files and the study's texts."""

    settings: EncoderSettings
    max_pieces: int | None
    packed: str | None
    cased: bool
    languages: tuple[str, ...]


class PretrainedEncoder(Stage[PretrainedEncoderSpec]):
    """A pretrained encoder with the vocabulary that the study's texts can need.

    `huggingface/` is an ordinary folder, `encoder.json` tells how the encoder wants its text.
    """

    VERSION = 2
    LIBRARIES = ("ctranslate2", "tokenizers")

    model = luigi.Parameter(description="name of the model's manifest")

    def spec(self) -> PretrainedEncoderSpec:
        found = self._manifest
        return PretrainedEncoderSpec(
            settings=found.settings,
            max_pieces=found.max_pieces,
            packed=packed_file(found),
            cased=found.cased,
            languages=tuple(language for _, language in all_labelled(self.study)),
        )

    def label(self) -> str:
        return str(self.model)

    def requires(self) -> Requirements:
        place = {"experiment": self.experiment}
        return {
            "files": ModelFiles(**place, model=self.model),
            "labelled": [
                LabelledData(**place, task=task, language=language)
                for task, language in all_labelled(self.study)
            ],
            "bitext": [Bitext(**place, pair=pair.name) for pair in self.study.pairs],
        }

    @staticmethod
    def build(spec: PretrainedEncoderSpec, inputs: Inputs, out: Draft) -> None:
        labelled = [artifact.folder for artifact in inputs.many("labelled")]
        facts = publish_encoder(
            Checkpoint(inputs.one("files").path(FILES), spec.packed, spec.cased),
            EncoderTexts(
                labelled=list(zip(spec.languages, labelled, strict=True)),
                bitext=[artifact.folder for artifact in inputs.many("bitext")],
            ),
            settings=spec.settings,
            max_pieces=spec.max_pieces,
            out=out.folder,
        )
        out.facts["encoder"] = facts

    @property
    def _manifest(self) -> EncoderManifest:
        models: dict[str, EncoderManifest] = self.study.models
        return models[str(self.model)]


def packed_file(manifest: EncoderManifest) -> str | None:
    """Return the name of the one file that an encoder is packed in; None for a folder."""
    source = manifest.source
    return Path(source.file).name if isinstance(source, PackagedModel) else None
