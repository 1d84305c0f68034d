"""Translate task data, train classifiers, compare the strategies."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import luigi

from models.encoders import Ngrams, NmtEncoder, ScaledVectors
from models.heads.linear import ClassifierRecipe
from models.nmt.publish import HUGGINGFACE
from models.subwords import language_tag
from pipeline.stages.corpora import LabelledData
from pipeline.stages.nmt import (
    SUBWORDS,
    NmtModel,
    SubwordModel,
    engine_gpus,
    engine_requirements,
    load_engine,
)
from pipeline.stages.stage import Inputs, Requirements, Stage
from pipeline.store import Artifact, Draft
from tasks.mt.translation import translate_labelled
from tasks.transfer.contests import (
    IN_LANGUAGE,
    NGRAMS,
    TRANSLATE_TEST,
    TRANSLATE_TRAIN,
    WORD_CHAR_NGRAM,
    ZERO_SHOT,
    Condition,
    Contest,
    LabelledSet,
    compare,
    encode_task,
    load_predictions,
    predict,
    score,
)

ORIGINAL = "original"


@dataclass(frozen=True)
class TranslatedTaskSpec:
    """What decides the translation of a task's data for one language."""

    source: str
    language: str
    beam: int


class TranslatedTask(Stage[TranslatedTaskSpec]):
    """A task's train and dev set translated into a language, and its test set back."""

    task = luigi.Parameter(description="name of the task")
    language = luigi.Parameter(description="low-resource language")
    engine = luigi.Parameter(description="gloss, nmt-0, nmt-1, ...")

    def spec(self) -> TranslatedTaskSpec:
        return TranslatedTaskSpec(self.study.hub, str(self.language), self.study.transfer.beam)

    def label(self) -> str:
        return f"{self.task}-{self.language}-{self.engine}"

    def requires(self) -> Requirements:
        return {
            "source": labelled(self, self.study.hub),
            "target": labelled(self, str(self.language)),
            **engine_requirements(self, str(self.engine)),
        }

    def gpus(self) -> int:
        return engine_gpus(str(self.engine))

    @staticmethod
    def build(spec: TranslatedTaskSpec, inputs: Inputs, out: Draft) -> None:
        engine = load_engine(inputs, beam=spec.beam)
        for part, name in (("train", "source"), ("dev", "source"), ("test", "target")):
            there = (spec.source, spec.language)
            source, target = there if name == "source" else reversed(there)
            translate_labelled(
                inputs.one(name).path(f"{part}.parquet"),
                engine,
                source=source,
                target=target,
                shards=out.scratch / part,
                out=out.path(f"{part}.parquet"),
                report=out.lines_done,
            )


def labelled(stage: Stage[Any], language: str, engine: str = ORIGINAL) -> Stage[Any]:
    """Return the labelled set of the stage's task in one language, original or translated."""
    place = {"experiment": stage.experiment, "task": stage.task, "language": language}
    return LabelledData(**place) if engine == ORIGINAL else TranslatedTask(**place, engine=engine)


@dataclass(frozen=True)
class EncodedTaskSpec:
    """The language whose tag stands before every sentence."""

    tag_of: str


class EncodedTask(Stage[EncodedTaskSpec]):
    """A task's texts in one language as sentence vectors of the last round's NMT encoder."""

    LIBRARIES = ("torch", "transformers.models.m2m_100.modeling_m2m_100")

    task = luigi.Parameter(description="name of the task")
    language = luigi.Parameter(description="language code")
    engine = luigi.Parameter(default=ORIGINAL, description="engine that translated the texts")

    def spec(self) -> EncodedTaskSpec:
        return EncodedTaskSpec(self.study.hub)

    def label(self) -> str:
        return f"{self.task}-{self.language}-{self.engine}"

    def requires(self) -> Requirements:
        return {
            "texts": labelled(self, str(self.language), str(self.engine)),
            "model": NmtModel(experiment=self.experiment, round=self.study.rounds[-1]),
            "subwords": SubwordModel(experiment=self.experiment),
        }

    @staticmethod
    def build(spec: EncodedTaskSpec, inputs: Inputs, out: Draft) -> None:
        encode_task(
            inputs.one("texts").folder,
            NmtEncoder(
                inputs.one("model").path(HUGGINGFACE),
                inputs.one("subwords").path(SUBWORDS),
                tag=language_tag(spec.tag_of),
            ),
            out=out.folder,
        )


@dataclass(frozen=True)
class PredictionsSpec:
    """What decides the predictions of the classifiers trained on one text; hub: no language."""

    encoder: str
    classifier: ClassifierRecipe
    language: str | None
    engine: str
    test_languages: tuple[str, ...]
    test_engines: tuple[str, ...]


class Predictions(Stage[PredictionsSpec]):
    """The predictions of classifiers trained on one text, for every condition they serve.

    `trained_on` is the hub (zero-shot and translate-test in all languages) or a language: with an
    engine its translated training set (translate-train), without one its own (in-language).
    """

    LIBRARIES = (
        "sklearn.linear_model",
        "sklearn.neural_network",
        "sklearn.feature_extraction.text",
    )

    task = luigi.Parameter(description="name of the task")
    encoder = luigi.Parameter(description="char-ngram, word-char-ngram or nmt-encoder")
    trained_on = luigi.Parameter(description="language of the training text")
    engine = luigi.Parameter(default=ORIGINAL, description="engine that translated it")

    def spec(self) -> PredictionsSpec:
        study = self.study
        hub = self.trained_on == study.hub
        languages = study.task_languages(study.task(str(self.task)))
        return PredictionsSpec(
            encoder=str(self.encoder),
            classifier=study.transfer.classifier,
            language=None if hub else str(self.trained_on),
            engine=str(self.engine),
            test_languages=languages if hub else (str(self.trained_on),),
            test_engines=study.engines if hub else (),
        )

    def label(self) -> str:
        return f"{self.task}-{self.encoder}-{self.trained_on}-{self.engine}"

    def requires(self) -> Requirements:
        spec = self.spec()
        return {
            "train": self._inputs(str(self.trained_on), str(self.engine)),
            "tests": [self._inputs(language, ORIGINAL) for language in spec.test_languages],
            "translated_tests": [
                self._inputs(language, engine)
                for language in spec.test_languages
                for engine in spec.test_engines
            ],
        }

    @staticmethod
    def build(spec: PredictionsSpec, inputs: Inputs, out: Draft) -> None:
        train = inputs.one("train").folder
        predict(
            Ngrams(words=spec.encoder == WORD_CHAR_NGRAM)
            if spec.encoder in NGRAMS
            else ScaledVectors(),
            spec.classifier,
            train=LabelledSet.load(train, "train"),
            dev=LabelledSet.load(train, "dev"),
            tests={
                condition: LabelledSet.load(artifact.folder, "test")
                for condition, artifact in conditions(spec, inputs).items()
            },
            out=out.path("predictions.parquet"),
        )

    def _inputs(self, language: str, engine: str) -> Stage[Any]:
        """Return what the classifier sees of the task: its texts, or their vectors."""
        if self.encoder in NGRAMS:
            return labelled(self, language, engine)
        return EncodedTask(
            experiment=self.experiment, task=self.task, language=language, engine=engine
        )


def conditions(spec: PredictionsSpec, inputs: Inputs) -> Mapping[Condition, Artifact]:
    """Return the test set of every condition that a classifier serves."""
    if spec.language is not None:
        strategy = IN_LANGUAGE if spec.engine == ORIGINAL else TRANSLATE_TRAIN
        engine = "" if strategy == IN_LANGUAGE else spec.engine
        return {Condition(spec.language, strategy, engine): inputs.one("tests")}
    zero_shot = zip(spec.test_languages, inputs.many("tests"), strict=True)
    pairs = [(language, engine) for language in spec.test_languages for engine in spec.test_engines]
    translated = zip(pairs, inputs.many("translated_tests"), strict=True)
    return {
        **{Condition(language, ZERO_SHOT, ""): artifact for language, artifact in zero_shot},
        **{Condition(lang, TRANSLATE_TEST, engine): a for (lang, engine), a in translated},
    }


@dataclass(frozen=True)
class TransferScoresSpec:
    """What decides a task's scores with one encoder."""

    task: str
    encoder: str
    labels: tuple[str, ...]
    resamples: int
    seed: int


class TransferScores(Stage[TransferScoresSpec]):
    """One encoder's scores for every strategy and language, with paired tests between them."""

    task = luigi.Parameter(description="name of the task")
    encoder = luigi.Parameter(description="char-ngram, word-char-ngram or nmt-encoder")

    def spec(self) -> TransferScoresSpec:
        task = self.study.task(str(self.task))
        evaluation = self.study.evaluation
        return TransferScoresSpec(
            task.name, str(self.encoder), task.labels, evaluation.resamples, evaluation.seed
        )

    def label(self) -> str:
        return f"{self.task}-{self.encoder}"

    def requires(self) -> Requirements:
        study = self.study
        trainings = [(study.hub, ORIGINAL)] + [
            (language, engine)
            for language in study.task_languages(study.task(str(self.task)))
            for engine in (ORIGINAL, *study.engines)
        ]
        return {
            "predictions": [
                Predictions(
                    experiment=self.experiment,
                    task=self.task,
                    encoder=self.encoder,
                    trained_on=language,
                    engine=engine,
                )
                for language, engine in trainings
            ]
        }

    @staticmethod
    def build(spec: TransferScoresSpec, inputs: Inputs, out: Draft) -> None:
        files = [artifact.path("predictions.parquet") for artifact in inputs.many("predictions")]
        predictions = load_predictions(files, spec.labels)
        contest = Contest(
            task=spec.task,
            encoder=spec.encoder,
            classes=len(spec.labels),
            resamples=spec.resamples,
            seed=spec.seed,
        )
        out.scores = [{"kind": "task", **asdict(s)} for s in score(predictions, contest)]
        out.facts["comparisons"] = [asdict(c) for c in compare(predictions, contest)]
