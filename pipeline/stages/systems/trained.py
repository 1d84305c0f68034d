"""Trained: a multilingual NMT model, once a replicate, on human and synthetic bitext."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import luigi

from models.engines.nmt import FULL_TYPE, NmtEngine, translation_device
from models.engines.protocol import Engine
from models.nmt.publish import CTRANSLATE2
from models.nmt.recipe import NmtRecipe
from pipeline.settings import Settings, cores, gpu_count
from pipeline.specs.experiment import Experiment
from pipeline.specs.systems import SyntheticText, TrainedSystem
from pipeline.stages.leakage import text_to_translate
from pipeline.stages.stage import Inputs, Requirements, Stage
from pipeline.stages.subwords import SUBWORDS, SubwordModel, training_bitexts
from pipeline.stages.synthetic import Synthetic
from pipeline.stages.systems.protocol import Details, Direction
from pipeline.stages.systems.registry import KINDS
from pipeline.stages.translations import as_parameter
from pipeline.store import Draft
from tasks.mt.number_format import TranslationType
from tasks.mt.training import (
    BitextFiles,
    ModelData,
    SyntheticFile,
    TrainingSite,
    train_and_publish,
)

SHORTEST_PASSAGE = 32
"""Pieces: what is no longer stays whole, however short the lines of the training were."""


class SyntheticBitext(NamedTuple):
    """A synthetic bitext that a model trains on: its direction, and whether it is tagged."""

    source: str
    target: str
    tagged: bool


@dataclass(frozen=True)
class TrainedModelSpec:
    """What decides one training; synthetic directions in the order of the inputs."""

    recipe: NmtRecipe
    hub: str
    languages: tuple[str, ...]
    synthetic: tuple[SyntheticBitext, ...]
    human_repeats: int


class TrainedModel(Stage[TrainedModelSpec]):
    """One training of a system, published for CTranslate2 and as Hugging Face M2M-100."""

    VERSION = 2

    system = luigi.Parameter(description="name of a trained system")
    replicate = luigi.IntParameter(description="which of its trainings, from 0 on")

    def spec(self) -> TrainedModelSpec:
        study, system = self.study, self._system
        return TrainedModelSpec(
            recipe=replace(system.nmt, seed=system.nmt.seed + int(self.replicate)),
            hub=study.hub,
            languages=study.languages,
            synthetic=tuple(
                SyntheticBitext(source, target, text.tag)
                for text, source, target in self._synthetic()
            ),
            human_repeats=system.human_repeats if system.synthetic else 1,
        )

    def label(self) -> str:
        return f"{self.system}-{int(self.replicate) + 1}"

    def slug(self) -> str:
        return f"model-{int(self.replicate) + 1}"

    def needs(self) -> dict[str, int]:
        processes = self._system.nmt.processes
        gpus = {"gpu": processes} if self.study.hardware.gpu else {}
        return {"cpu": training_threads(self.study) * processes, **gpus}

    def gpus(self) -> int:
        return min(self._system.nmt.processes, gpu_count())

    def requires(self) -> Requirements:
        return {
            "subwords": SubwordModel(experiment=self.experiment),
            "bitext": training_bitexts(self),
            "synthetic": [
                self._synthetic_bitext(text, source, target)
                for text, source, target in self._synthetic()
            ],
        }

    @staticmethod
    def build(spec: TrainedModelSpec, inputs: Inputs, out: Draft) -> None:
        result = train_and_publish(
            model_data(spec, inputs), spec.recipe, training_site(spec.recipe, out)
        )
        out.counts, out.facts["training"] = result.counts, result.facts
        out.children = result.children

    @property
    def _system(self) -> TrainedSystem:
        system = self.study.systems[str(self.system)]
        assert isinstance(system, TrainedSystem)  # noqa: S101 (only such systems are asked for)
        return system

    def _synthetic(self) -> Iterator[tuple[SyntheticText, str, str]]:
        """Yield each synthetic text with source and target of each direction it has text for."""
        for text in self._system.synthetic:
            for source, target in self.study.directions:
                real = target if text.real == "target" else source
                if text_to_translate(self, real):
                    yield text, source, target

    def _synthetic_bitext(self, text: SyntheticText, source: str, target: str) -> Stage[Any]:
        """Return the bitext of one direction, by the parent's replicate that goes with this one."""
        replicate, study = int(self.replicate), self.study
        decoding = text.decoding
        if decoding.random or decoding.noise:
            decoding = replace(decoding, seed=decoding.seed + replicate)
        return Synthetic(
            experiment=self.experiment,
            by=study.canonical(text.by),
            replicate=replicate % study.replicates(text.by),
            source=source,
            target=target,
            real=text.real,
            decoding=as_parameter(decoding),
            ratio=text.ratio or 0.0,
            force=text.force,
        )


def training_threads(study: Experiment) -> int:
    """Return the threads of one training: all replicates of a system find room beside each other.

    Two small trainings with a thread each are sooner done than one after the other with two.
    """
    if study.hardware.threads:
        return study.hardware.threads
    most = max(map(study.replicates, study.systems))
    return max(1, cores() // min(most, cores()))


def training_site(recipe: NmtRecipe, out: Draft) -> TrainingSite:
    """Return where a stage's training works."""
    settings = Settings.from_environment()
    return TrainingSite(
        scratch=out.scratch,
        out=out.folder,
        log=out.log,
        curves=out.curves,
        progress=out.progress,
        threads=out.cpus // recipe.processes,
        launcher=settings.launcher,
        machine_notes=settings.machine_notes,
    )


def model_data(spec: TrainedModelSpec, inputs: Inputs) -> ModelData:
    """Return the text that one model is trained on."""
    return ModelData(
        subwords=inputs.one("subwords").path(SUBWORDS),
        hub=spec.hub,
        pairs=[
            BitextFiles(language, bitext.path("train.parquet"), bitext.path("dev.parquet"))
            for language, bitext in zip(spec.languages, inputs.many("bitext"), strict=True)
        ],
        synthetic=[
            SyntheticFile(of.source, of.target, artifact.path("synthetic.parquet"), of.tagged)
            for of, artifact in zip(spec.synthetic, inputs.many("synthetic"), strict=True)
        ],
        human_repeats=spec.human_repeats,
        copied=spec.recipe.copied_text,
        joined_share=spec.recipe.joined_share,
        validation_pairs=spec.recipe.validation_pairs,
    )


def longest_passage(counts: Mapping[str, Mapping[str, int]]) -> int:
    """Return the pieces above which a model translates a text sentence by sentence.

    It is three times what the model was trained on, on average; `counts` are those of its training.
    """
    read = [of for name, of in counts.items() if name.startswith("train.")]
    pieces, lines = (sum(of[field] for of in read) for field in ("source_pieces", "sentences"))
    return max(SHORTEST_PASSAGE, 3 * pieces // max(lines, 1))


class Trained:
    """A model of our own."""

    def details(self, stage: Stage[Any], system: str) -> Details:
        """Return nothing: the model says it all."""
        return {}

    def requires(
        self, stage: Stage[Any], system: str, replicate: int, direction: Direction
    ) -> Requirements:
        """Return one training's model and the subwords it was trained on."""
        return {
            "model": TrainedModel(experiment=stage.experiment, system=system, replicate=replicate),
            "subwords": SubwordModel(experiment=stage.experiment),
        }

    def load(self, details: Details, inputs: Inputs) -> Engine:
        """Load the model in the number format that was chosen for it."""
        model = inputs.one("model")
        chosen = model.manifest["training"]["translation"]
        compute_type = TranslationType(**chosen).on(translation_device()) if chosen else FULL_TYPE
        return NmtEngine(
            model.path(CTRANSLATE2),
            inputs.one("subwords").path(SUBWORDS),
            threads=Settings.from_environment().threads,
            compute_type=compute_type,
            longest=longest_passage(model.manifest["counts"]),
        )

    def gpus(self) -> int:
        """Return one where there is one."""
        return min(1, gpu_count())


KINDS["trained"] = Trained()
