"""Adapted encoders: what they are made of, and their training."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import luigi

from models.encoders.adaptation.protocol import AdaptedSpec, ControlSpec
from models.encoders.adaptation.registry import ADAPTATIONS, AnyAdaptation
from models.encoders.pretrained.folders import Checkpoint
from models.engines.protocol import Decoding
from models.tuning.adapting import AdaptingSite
from pipeline.settings import Settings, cores, gpu_count
from pipeline.specs.adaptations import first_of_same, root_model
from pipeline.specs.experiment import Experiment
from pipeline.stages.corpora import monolingual_corpora
from pipeline.stages.leakage import MonolingualSample, text_to_translate
from pipeline.stages.pretrained import FILES, ModelFiles, PretrainedEncoder, packed_file
from pipeline.stages.stage import Inputs, Requirements, Stage
from pipeline.stages.subwords import training_bitexts
from pipeline.stages.synthetic import Synthetic
from pipeline.stages.translations import as_parameter
from pipeline.store import Draft
from tasks.transfer.adaptation import AdaptationFiles, adapt_to_text


def encoder_stage(stage: Stage[Any], name: str) -> Stage[Any]:
    """Return the stage that publishes an encoder of the experiment, a pretrained or adapted one."""
    encoders = stage.study.transfer.encoders
    encoder = encoders[name]
    if isinstance(encoder, AdaptedSpec | ControlSpec):
        same = first_of_same(encoders, name)
        return AdaptedEncoder(experiment=stage.experiment, encoder=same)
    return PretrainedEncoder(experiment=stage.experiment, model=root_model(encoders, name))


@dataclass(frozen=True)
class AdaptedEncoderSpec:
    """What decides an adaptation beside the artifacts it reads.

    * ``recipe``: its values, without names; ``control``: whether it is the control of such a one.
    * ``languages``: of the bitext, in the order of the inputs; ``synthetic``, ``own``: of the
      synthetic bitext and of the monolingual text.
    * ``packed``, ``cased``: how the files of the first ancestor are read.
    """

    recipe: AnyAdaptation
    control: bool
    hub: str
    languages: tuple[str, ...]
    synthetic: tuple[str, ...]
    own: tuple[str, ...]
    packed: str | None
    cased: bool


class AdaptedEncoder(Stage[AdaptedEncoderSpec]):
    """What training on text without labels has made of another encoder; or the control of that.

    The folder is as that of `PretrainedEncoder`.
    """

    LIBRARIES = ("torch", "transformers", "ctranslate2")

    encoder = luigi.Parameter(description="name of an adapted encoder or of a control")

    def spec(self) -> AdaptedEncoderSpec:
        study, manifest = self.study, self.study.models[self._root]
        return AdaptedEncoderSpec(
            recipe=self._adapted.recipe,
            control=self._control,
            hub=study.hub,
            languages=study.languages,
            synthetic=tuple(language for _, language in self._synthetic()),
            own=tuple(self._own()),
            packed=packed_file(manifest),
            cased=manifest.cased,
        )

    def label(self) -> str:
        return str(self.encoder)

    def slug(self) -> str:
        return f"{self._adapted.kind}{'-control' * self._control}"

    def requires(self) -> Requirements:
        place = {"experiment": self.experiment}
        return {
            "parent": encoder_stage(self, self._adapted.parent),
            "files": [ModelFiles(**place, model=self._root)] if self._adapted.checkpoint else [],
            "controlled": [encoder_stage(self, self._name_of_adapted)] if self._control else [],
            "bitext": training_bitexts(self),
            "synthetic": [self._synthetic_bitext(by, to) for by, to in self._synthetic()],
            "own": [MonolingualSample(**place, language=language) for language in self._own()],
        }

    def needs(self) -> dict[str, int]:
        hardware = self.study.hardware
        return {"cpu": hardware.threads or cores(), **({"gpu": 1} if hardware.gpu else {})}

    def gpus(self) -> int:
        return min(1, gpu_count())

    @staticmethod
    def build(spec: AdaptedEncoderSpec, inputs: Inputs, out: Draft) -> None:
        files = [artifact.path(FILES) for artifact in inputs.many("files")]
        stops = [a.manifest["adaptation"]["kept_at"] for a in inputs.many("controlled")]
        found = adapt_to_text(
            inputs.one("parent").folder,
            spec.recipe,
            text_files(spec, inputs),
            AdaptingSite(
                scratch=out.scratch,
                checkpoint=Checkpoint(files[0], spec.packed, spec.cased) if files else None,
                on_progress=out.progress,
                threads=out.cpus,
                machine_notes=Settings.from_environment().machine_notes,
            ),
            stop=stops[0] if stops else None,
            out=out.folder,
        )
        facts = found._asdict()
        out.facts["encoder"] = facts.pop("encoder")
        out.facts["adaptation"] = facts

    @property
    def _control(self) -> bool:
        return isinstance(self.study.transfer.encoders[str(self.encoder)], ControlSpec)

    @property
    def _name_of_adapted(self) -> str:
        encoder = self.study.transfer.encoders[str(self.encoder)]
        return encoder.of if isinstance(encoder, ControlSpec) else str(self.encoder)

    @property
    def _adapted(self) -> AnyAdaptation:
        found = self.study.transfer.encoders[self._name_of_adapted]
        assert isinstance(found, ADAPTATIONS)  # noqa: S101 (only such encoders are asked for)
        return found

    @property
    def _root(self) -> str:
        return root_model(self.study.transfer.encoders, str(self.encoder))

    def _synthetic(self) -> Iterator[tuple[str, str]]:
        """Yield system and language of each synthetic bitext that there is real text for."""
        for system in getattr(self._adapted, "synthetic", ()):
            for language in self.study.languages:
                if text_to_translate(self, language):
                    yield self.study.canonical(system), language

    def _synthetic_bitext(self, system: str, language: str) -> Stage[Any]:
        """Return a language's real text with its translation into the hub's."""
        return Synthetic(
            experiment=self.experiment,
            by=system,
            replicate=0,
            source=self.study.hub,
            target=language,
            real="target",
            decoding=as_parameter(Decoding()),
            ratio=0.0,
        )

    def _own(self) -> Iterator[str]:
        """Yield the languages with monolingual text, where the adaptation reads it."""
        study: Experiment = self.study
        if self._adapted.monolingual:
            yield from (
                language
                for language in (study.hub, *study.languages)
                if monolingual_corpora(study, language)
            )


def text_files(spec: AdaptedEncoderSpec, inputs: Inputs) -> AdaptationFiles:
    """Return the files of the text that an adaptation reads."""
    bitexts = list(zip(spec.languages, inputs.many("bitext"), strict=True))
    synthetic = zip(spec.synthetic, inputs.many("synthetic"), strict=True)
    own = zip(spec.own, inputs.many("own"), strict=True)
    return AdaptationFiles(
        hub=spec.hub,
        train=[
            *((language, artifact.path("train.parquet")) for language, artifact in bitexts),
            *((language, artifact.path("synthetic.parquet")) for language, artifact in synthetic),
        ],
        dev=[(language, artifact.path("dev.parquet")) for language, artifact in bitexts],
        own=[(language, artifact.path("text.parquet")) for language, artifact in own],
    )
