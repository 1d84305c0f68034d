"""Labelled text as classifiers see it: original or translated, as it is or as vectors."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import luigi

from models.encoders.nmt import NmtEncoder
from models.encoders.pretrained.frozen import FrozenEncoder
from models.encoders.protocol import VectorEncoder
from models.encoders.registry import AnyEncoder, NmtEncoderSpec
from models.nmt.publish import HUGGINGFACE
from models.subwords import language_tag
from pipeline.stages.adapted import encoder_stage
from pipeline.stages.corpora import LabelledData
from pipeline.stages.stage import Inputs, Requirements, Stage
from pipeline.stages.subwords import SUBWORDS, SubwordModel
from pipeline.stages.systems.protocol import Details
from pipeline.stages.systems.trained import TrainedModel
from pipeline.stages.texts import TASK, Text
from pipeline.stages.translations import translations
from pipeline.store import Draft
from tasks.transfer.fitting import encode_text
from tasks.transfer.texts import TextVersion

ORIGINAL = ""
"""Instead of a system: nothing was translated."""


class VectorKind(Protocol):
    """A kind of encoder that is frozen: what its vectors are made with."""

    def details(self, stage: Stage[Any], encoder: Any) -> Details:
        """Return what decides the vectors beyond the artifacts; plain values without names."""
        ...

    def requires(self, stage: Stage[Any], encoder: Any) -> Requirements:
        """Return the stages whose artifacts the encoder is loaded from."""
        ...

    def load(self, details: Details, inputs: Inputs) -> VectorEncoder:
        """Load the encoder."""
        ...


class NmtVectors:
    """The encoder of a trained system, of its first training."""

    def details(self, stage: Stage[Any], encoder: NmtEncoderSpec) -> Details:
        """Return the tag that stands before every sentence, whatever its language."""
        return {"tag": language_tag(stage.study.hub)}

    def requires(self, stage: Stage[Any], encoder: NmtEncoderSpec) -> Requirements:
        """Return the model and its subwords."""
        system = stage.study.canonical(encoder.system or stage.study.encoder_system)
        return {
            "model": TrainedModel(experiment=stage.experiment, system=system, replicate=0),
            "subwords": SubwordModel(experiment=stage.experiment),
        }

    def load(self, details: Details, inputs: Inputs) -> VectorEncoder:
        """Load the encoder."""
        model, subwords = inputs.one("model"), inputs.one("subwords")
        return NmtEncoder(model.path(HUGGINGFACE), subwords.path(SUBWORDS), tag=details["tag"])


class PretrainedVectors:
    """A pretrained or adapted encoder, frozen, in the number format chosen at its publication."""

    def details(self, stage: Stage[Any], encoder: AnyEncoder) -> Details:
        """Return nothing: what is published says it all."""
        return {}

    def requires(self, stage: Stage[Any], encoder: AnyEncoder) -> Requirements:
        """Return what was published for this study."""
        return {"encoder": encoder_stage(stage, str(stage.encoder))}

    def load(self, details: Details, inputs: Inputs) -> VectorEncoder:
        """Load the encoder."""
        published = inputs.one("encoder")
        return FrozenEncoder(published.folder, number=published.manifest["encoder"]["number"])


VECTORS: Mapping[str, VectorKind] = {"nmt": NmtVectors(), "pretrained": PretrainedVectors()}
"""By the kind of a classifier's encoder: adapted encoders are pretrained ones to it."""


@dataclass(frozen=True)
class EncodedTextSpec:
    """The kind of encoder, and what decides its vectors beside the artifacts it is made from."""

    kind: str
    details: Details


class EncodedText(Stage[EncodedTextSpec]):
    """The vectors of one version of a task's text; several classifiers read them."""

    VERSION = 2
    LIBRARIES = ("torch", "transformers.models.m2m_100.modeling_m2m_100", "ctranslate2")

    task = luigi.Parameter(description="name of the task")
    encoder = luigi.Parameter(description="name of an encoder that reads vectors")
    text = luigi.Parameter(description="ind, or ind-jav for text translated from ind into jav")
    system = luigi.Parameter(default=ORIGINAL, description="system that translated it")
    replicate = luigi.IntParameter(default=0, description="which of its trainings, from 0 on")

    def spec(self) -> EncodedTextSpec:
        encoder = encoder_of(self)
        kind = encoder.nameless.kind
        return EncodedTextSpec(kind, VECTORS[kind].details(self, encoder))

    def label(self) -> str:
        return "-".join(filter(None, (self.slug(), str(self.system), str(self.encoder))))

    def slug(self) -> str:
        return f"{self.task}-{self.text}-{int(self.replicate) + 1}"

    def requires(self) -> Requirements:
        encoder = encoder_of(self)
        text = TextVersion.parse(str(self.text))
        return {
            "texts": versions_of(self, text, str(self.system))[int(self.replicate)],
            **VECTORS[encoder.nameless.kind].requires(self, encoder),
        }

    @staticmethod
    def build(spec: EncodedTextSpec, inputs: Inputs, out: Draft) -> None:
        encoder = VECTORS[spec.kind].load(spec.details, inputs)
        out.counts = {**encode_text(inputs.one("texts").folder, encoder, out=out.folder)}


def encoder_of(stage: Stage[Any]) -> AnyEncoder:
    """Return the encoder that a stage's parameter names."""
    encoders: dict[str, AnyEncoder] = stage.study.transfer.encoders
    return encoders[str(stage.encoder)]


def versions_of(stage: Stage[Any], text: TextVersion, system: str) -> list[Stage[Any]]:
    """Return the stages that hold a text of the stage's task: one, or one a replicate."""
    if not text.hops:
        return [LabelledData(experiment=stage.experiment, task=stage.task, language=text.of)]
    *before, last = text.hops
    origin = before[-1][0] if before else ""
    task_text = Text(TASK, str(stage.task), origin)
    return translations(stage, system, task_text, last, stage.study.transfer.decoding)


def seen_text(stage: Stage[Any], text: TextVersion, system: str) -> Requirements:
    """Return a text of the stage's task as its encoder sees it, with the set that it stands for.

    Of the replicates' versions no more than there are seeds to read them.
    """
    system = system if text.to else ORIGINAL
    place = {"experiment": stage.experiment, "task": stage.task}
    versions = versions_of(stage, text, system)[: stage.study.transfer.classifier.seeds]
    if encoder_of(stage).vectors:
        of = {**place, "encoder": stage.encoder, "text": str(text), "system": system}
        versions = [EncodedText(**of, replicate=n) for n in range(len(versions))]
    return {"labelled": LabelledData(**place, language=text.of), "texts": versions}
