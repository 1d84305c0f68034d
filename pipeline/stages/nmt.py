"""Subwords, NMT models of each round, the gloss lexicon, back-translation."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import luigi

from models.engines.gloss import GlossEngine, learn_lexicons, load_lexicon, save_lexicon
from models.engines.nmt import FULL_TYPE, Engine, NmtEngine, translation_device
from models.nmt.publish import CTRANSLATE2
from models.nmt.recipe import NmtRecipe
from models.subwords import SubwordRecipe, train_subwords
from pipeline.settings import Settings, gpu_count
from pipeline.specs.experiment import engine_round
from pipeline.stages.leakage import TrainingBitext, text_to_back_translate
from pipeline.stages.stage import Inputs, Requirements, Stage
from pipeline.store import Artifact, Draft
from tasks.mt.number_format import TranslationType
from tasks.mt.synthetic import shard, write_synthetic_bitext
from tasks.mt.training import ModelData, PairFiles, SyntheticFile, train_and_publish
from tasks.mt.translation import as_texts, translate_records, write_texts
from tasks.records import Record, read_columns, read_records

SUBWORDS = "subwords.model"
Languages = tuple[str, str]


@dataclass(frozen=True)
class SubwordModelSpec:
    """What decides the joint vocabulary."""

    recipe: SubwordRecipe
    hub: str
    languages: tuple[str, ...]


class SubwordModel(Stage[SubwordModelSpec]):
    """One joint unigram model over the human training text of every language."""

    VERSION: ClassVar[int] = 2

    def spec(self) -> SubwordModelSpec:
        return SubwordModelSpec(self.study.subwords, self.study.hub, self.study.languages)

    def label(self) -> str:
        return "joint"

    def requires(self) -> Requirements:
        return {"bitext": training_bitexts(self)}

    @staticmethod
    def build(spec: SubwordModelSpec, inputs: Inputs, out: Draft) -> None:
        def lines() -> Iterator[str]:
            for language, artifact in zip(spec.languages, inputs.many("bitext"), strict=True):
                for record in read_records(artifact.path("train.parquet"), [spec.hub, language]):
                    yield from record.values()

        languages = [spec.hub, *spec.languages]
        size = train_subwords(lines(), languages, spec.recipe, out.path(SUBWORDS))
        out.counts = {"pieces": size}


def training_bitexts(stage: Stage[Any]) -> list[Stage[Any]]:
    """Return the training bitext of every pair."""
    return [TrainingBitext(experiment=stage.experiment, pair=p.name) for p in stage.study.pairs]


@dataclass(frozen=True)
class GlossLexiconSpec:
    """The pair whose words are aligned."""

    languages: Languages


class GlossLexicon(Stage[GlossLexiconSpec]):
    """One pair's word lexicons, one a direction."""

    VERSION: ClassVar[int] = 2

    pair = luigi.Parameter(description="name of the pair")

    def spec(self) -> GlossLexiconSpec:
        return GlossLexiconSpec(self.study.pair(str(self.pair)).languages)

    def label(self) -> str:
        return str(self.pair)

    def requires(self) -> Requirements:
        return {"bitext": TrainingBitext(experiment=self.experiment, pair=self.pair)}

    @staticmethod
    def build(spec: GlossLexiconSpec, inputs: Inputs, out: Draft) -> None:
        hub, language = spec.languages
        columns = read_columns(inputs.one("bitext").path("train.parquet"), spec.languages)
        forward, backward = learn_lexicons(columns[hub], columns[language])
        save_lexicon(forward, out.path(f"{hub}-{language}.json"))
        save_lexicon(backward, out.path(f"{language}-{hub}.json"))
        out.counts = {f"{hub}-{language}": len(forward), f"{language}-{hub}": len(backward)}


@dataclass(frozen=True)
class NmtModelSpec:
    """What decides one round's model; synthetic directions in the order of the inputs."""

    round: int
    recipe: NmtRecipe
    hub: str
    languages: tuple[str, ...]
    synthetic: tuple[Languages, ...]
    human_repeats: int


class NmtModel(Stage[NmtModelSpec]):
    """One round's multilingual model, published for CTranslate2 and as Hugging Face M2M-100."""

    resources: ClassVar[dict[str, int]] = {"training": 1}

    round = luigi.IntParameter(description="0 for human text alone, then with synthetic text")

    def spec(self) -> NmtModelSpec:
        study = self.study
        return NmtModelSpec(
            round=int(self.round),
            recipe=study.nmt_recipe(int(self.round)),
            hub=study.hub,
            languages=study.languages,
            synthetic=tuple((source, target) for _, source, target in self._synthetic()),
            human_repeats=study.back_translation.human_repeats if self.round else 1,
        )

    def label(self) -> str:
        return f"round-{self.round}"

    def needs(self) -> dict[str, int]:
        recipe = self.study.nmt_recipe(int(self.round))
        gpus = {"gpu": recipe.processes} if recipe.on_gpu else {}
        return {"cpu": recipe.threads * recipe.processes, **gpus}

    def gpus(self) -> int:
        return min(self.study.nmt_recipe(int(self.round)).processes, gpu_count())

    def requires(self) -> Requirements:
        return {
            "subwords": SubwordModel(experiment=self.experiment),
            "bitext": training_bitexts(self),
            "synthetic": [
                SyntheticBitext(
                    experiment=self.experiment, engine=engine, source=source, target=target
                )
                for engine, source, target in self._synthetic()
            ],
        }

    @staticmethod
    def build(spec: NmtModelSpec, inputs: Inputs, out: Draft) -> None:
        result = train_and_publish(
            model_data(spec, inputs),
            spec.recipe,
            scratch=out.scratch,
            out=out.folder,
            log=out.log,
            curves=out.curves,
            progress=out.progress,
            launcher=Settings.from_environment().launcher,
        )
        out.counts, out.facts["training"] = result.counts, result.facts
        out.children = result.children

    def _synthetic(self) -> list[tuple[str, str, str]]:
        """Return engine, source and target of each synthetic bitext of this round."""
        study = self.study
        return [
            (engine, source, target)
            for engine in study.back_translation_engines(int(self.round))
            for source, target in study.directions
            if text_to_back_translate(self, target)
        ]


def model_data(spec: NmtModelSpec, inputs: Inputs) -> ModelData:
    """Return the text that one round's model is trained on."""
    return ModelData(
        subwords=inputs.one("subwords").path(SUBWORDS),
        hub=spec.hub,
        pairs=[
            PairFiles(language, bitext.path("train.parquet"), bitext.path("dev.parquet"))
            for language, bitext in zip(spec.languages, inputs.many("bitext"), strict=True)
        ],
        synthetic=[
            SyntheticFile(source, target, artifact.path("synthetic.parquet"))
            for (source, target), artifact in zip(
                spec.synthetic, inputs.many("synthetic"), strict=True
            )
        ],
        human_repeats=spec.human_repeats,
        copied=spec.recipe.copied_text,
        joined_share=spec.recipe.joined_share,
    )


def engine_requirements(stage: Stage[Any], engine: str) -> dict[str, Any]:
    """Return the stages whose artifacts `load_engine` needs."""
    round_number = engine_round(engine)
    if round_number is None:
        pairs = stage.study.pairs
        return {"lexicons": [GlossLexicon(experiment=stage.experiment, pair=p.name) for p in pairs]}
    return {
        "model": NmtModel(experiment=stage.experiment, round=round_number),
        "subwords": SubwordModel(experiment=stage.experiment),
    }


def load_engine(inputs: Inputs, *, beam: int) -> Engine:
    """Build the engine that the inputs hold: a lexicon or a model."""
    lexicons = inputs.many("lexicons")
    if lexicons:
        return GlossEngine(
            {direction: load_lexicon(file) for direction, file in _lexicon_files(lexicons)}
        )
    model = inputs.one("model")
    chosen = model.manifest["training"]["translation"]
    return NmtEngine(
        model.path(CTRANSLATE2),
        inputs.one("subwords").path(SUBWORDS),
        beam=beam,
        threads=Settings.from_environment().threads,
        compute_type=TranslationType(**chosen).on(translation_device()) if chosen else FULL_TYPE,
    )


def engine_gpus(engine: str) -> int:
    """Return how many GPUs an engine translates on."""
    return 0 if engine_round(engine) is None else min(1, gpu_count())


def _lexicon_files(artifacts: list[Artifact]) -> Iterator[tuple[Languages, Path]]:
    for artifact in artifacts:
        for file in sorted(artifact.folder.glob("*-*.json")):
            source, target = file.stem.split("-")
            yield (source, target), file


def real_text(inputs: Inputs, language: str) -> list[Record]:
    """Return the real sentences of a language, as (id, text) records."""
    return [
        record
        for text in inputs.many("text")
        for record in as_texts(text.path("text.parquet"), language)
    ]


@dataclass(frozen=True)
class BackTranslationSpec:
    """What decides the back-translation of one shard: `number` of so many, from 0 on."""

    source: str
    target: str
    beam: int
    number: int
    of: int


class BackTranslation(Stage[BackTranslationSpec]):
    """One shard of a language's real text, translated: what a worker does at a time."""

    engine = luigi.Parameter(description="gloss, or nmt- and the round of the model")
    source = luigi.Parameter(description="language that is made")
    target = luigi.Parameter(description="language of the monolingual text")
    number = luigi.IntParameter(description="of the shard, from 0 on")

    def spec(self) -> BackTranslationSpec:
        recipe = self.study.back_translation
        languages = str(self.source), str(self.target)
        return BackTranslationSpec(*languages, recipe.beam, int(self.number), recipe.shards)

    def label(self) -> str:
        shard = f"{int(self.number) + 1}of{self.study.back_translation.shards}"
        return f"{self.engine}-{self.source}-{self.target}-{shard}"

    def requires(self) -> Requirements:
        return {
            "text": text_to_back_translate(self, str(self.target)),
            **engine_requirements(self, str(self.engine)),
        }

    def gpus(self) -> int:
        return engine_gpus(str(self.engine))

    @staticmethod
    def build(spec: BackTranslationSpec, inputs: Inputs, out: Draft) -> None:
        translated = translate_records(
            shard(real_text(inputs, spec.target), spec.number, spec.of),
            load_engine(inputs, beam=spec.beam),
            source=spec.target,
            target=spec.source,
            shards=out.scratch,
            report=out.lines_done,
        )
        write_texts(out.path("text.parquet"), translated)
        out.counts = {"translated": len(translated)}


@dataclass(frozen=True)
class SyntheticBitextSpec:
    """What decides one direction's synthetic bitext."""

    source: str
    target: str
    max_length_ratio: float


class SyntheticBitext(Stage[SyntheticBitextSpec]):
    """Synthetic source, real target: one direction's monolingual text, back-translated."""

    engine = luigi.Parameter(description="gloss, or nmt- and the round of the model")
    source = luigi.Parameter(description="language that is made")
    target = luigi.Parameter(description="language of the monolingual text")

    def spec(self) -> SyntheticBitextSpec:
        ratio = self.study.back_translation.max_length_ratio
        return SyntheticBitextSpec(str(self.source), str(self.target), ratio)

    def label(self) -> str:
        return f"{self.engine}-{self.source}-{self.target}"

    def requires(self) -> Requirements:
        return {
            "text": text_to_back_translate(self, str(self.target)),
            "shards": [
                BackTranslation(
                    experiment=self.experiment,
                    engine=self.engine,
                    source=self.source,
                    target=self.target,
                    number=number,
                )
                for number in range(self.study.back_translation.shards)
            ],
        }

    @staticmethod
    def build(spec: SyntheticBitextSpec, inputs: Inputs, out: Draft) -> None:
        shards = inputs.many("shards")
        out.counts = write_synthetic_bitext(
            real_text(inputs, spec.target),
            [record for part in shards for record in as_texts(part.path("text.parquet"), "text")],
            max_length_ratio=spec.max_length_ratio,
            source=spec.source,
            target=spec.target,
            out=out.path("synthetic.parquet"),
        )
