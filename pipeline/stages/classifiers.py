"""Train classifiers by every strategy, and have them predict, alone and together."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import luigi

from models.encoders.pretrained.spec import PretrainedSpec
from models.encoders.registry import AnyEncoder
from models.heads.linear import ClassifierRecipe
from models.heads.protocol import Site
from pipeline.settings import Settings, gpu_count
from pipeline.stages.adapted import encoder_stage
from pipeline.stages.encoding import ORIGINAL, encoder_of, seen_text
from pipeline.stages.stage import Inputs, Requirements, Stage
from pipeline.stages.ways import languages_of
from pipeline.store import Draft
from tasks.transfer.catalogue import strategy_called
from tasks.transfer.ensembles import Ensemble, combine
from tasks.transfer.fitting import SeenText, fit_classifiers, predict_text
from tasks.transfer.learners import learner
from tasks.transfer.strategies import Strategy
from tasks.transfer.texts import Mixture, TextVersion

PREDICTIONS = "predictions.parquet"
NOTHING = "nothing_to_predict"
"""The fact of predictions that are none: why there was nothing to train on, or to test."""
MISSING = "missing"
"""The fact of classifiers that are none: what there was too little of."""
LIBRARIES = (
    "sklearn.linear_model",
    "sklearn.neural_network",
    "sklearn.feature_extraction.text",
)


@dataclass(frozen=True)
class ClassifiersSpec:
    """What decides the classifiers of a training text: the encoder, and one budget for all.

    `texts` are the versions of the labelled set that are trained on, in order, as `TextVersion`
    writes them.
    """

    encoder: AnyEncoder
    recipe: ClassifierRecipe
    labels: tuple[str, ...]
    texts: tuple[str, ...]


def tuned_encoder(stage: Stage[Any]) -> Requirements:
    """Return the published encoder that a stage fine-tunes or has fine-tuned, if it does."""
    encoder = encoder_of(stage).nameless
    if not isinstance(encoder, PretrainedSpec) or encoder.fine_tune is None:
        return {}
    return {"encoder": encoder_stage(stage, str(stage.encoder))}


def needs_of(stage: Stage[Any]) -> dict[str, int]:
    """Return what a worker must have: one processor, unless an encoder is fine-tuned with more."""
    hardware = stage.study.hardware
    if not tuned_encoder(stage):
        return {"cpu": 1}
    return {"cpu": hardware.threads or 1, **({"gpu": 1} if hardware.gpu else {})}


def gpus_of(stage: Stage[Any]) -> int:
    """Return one where there is one and an encoder is fine-tuned."""
    return min(1, gpu_count()) if tuned_encoder(stage) else 0


def site_of(recipe: ClassifierRecipe, inputs: Inputs, out: Draft) -> Site:
    """Return where a stage's classifiers are fitted or read."""
    return Site(
        scratch=out.scratch,
        encoder=next((artifact.folder for artifact in inputs.many("encoder")), None),
        seeds=recipe.seeds,
        on_progress=out.progress,
        threads=out.cpus,
        machine_notes=Settings.from_environment().machine_notes,
    )


class Classifiers(Stage[ClassifiersSpec]):
    """The classifiers of one training text, one a seed, for every strategy that trains on it.

    Seed s reads the translation by replicate s modulo their number, or draw s of few shots.
    """

    VERSION = 4

    LIBRARIES = LIBRARIES

    task = luigi.Parameter(description="name of the task")
    encoder = luigi.Parameter(description="name of the encoder")
    text = luigi.Parameter(
        description="ind, ind-jav for text translated from ind into jav, ind+ind-jav for both, "
        "jav@8 for eight items of each class"
    )
    system = luigi.Parameter(default=ORIGINAL, description="system that translated it")

    def spec(self) -> ClassifiersSpec:
        return ClassifiersSpec(
            encoder=encoder_of(self).nameless,
            recipe=self.study.transfer.budget(self._training.shots),
            labels=self.study.task(str(self.task)).labels,
            texts=tuple(map(str, self._training.versions)),
        )

    def label(self) -> str:
        return "-".join(filter(None, (self.slug(), str(self.system), str(self.encoder))))

    def slug(self) -> str:
        return f"{self.task}-{self._training.short}"

    def requires(self) -> Requirements:
        found: dict[str, Any] = {**tuned_encoder(self)}
        for version in self._training.versions:
            seen = seen_text(self, version.whole, str(self.system))
            found |= {f"{name} {version}": stages for name, stages in seen.items()}
        return found

    def needs(self) -> dict[str, int]:
        return needs_of(self)

    def gpus(self) -> int:
        return gpus_of(self)

    @staticmethod
    def build(spec: ClassifiersSpec, inputs: Inputs, out: Draft) -> None:
        fitted = fit_classifiers(
            learner(spec.encoder, spec.recipe, site_of(spec.recipe, inputs, out)),
            [seen_in(inputs, text) for text in spec.texts],
            labels=spec.labels,
            seeds=spec.recipe.seeds,
            out=out.folder,
        )
        out.facts["chosen"] = fitted.chosen
        if fitted.missing:
            out.facts[MISSING] = fitted.missing

    @property
    def _training(self) -> Mixture:
        return Mixture.parse(str(self.text))


def seen_in(inputs: Inputs, text: str) -> SeenText:
    """Return a version of a labelled set from the inputs of a stage that names them by it."""
    return SeenText(
        inputs.one(f"labelled {text}").folder,
        [artifact.folder for artifact in inputs.many(f"texts {text}")],
        TextVersion.parse(text),
    )


@dataclass(frozen=True)
class PredictionsSpec:
    """What decides predictions beside the classifiers: which text is read, and as which dev data.

    `dev_data` is what the dev part of the test text is, `own_dev` which of the training text's dev
    sets count, as (version, dev data).
    """

    encoder: AnyEncoder
    recipe: ClassifierRecipe
    labels: tuple[str, ...]
    text: str
    dev_data: str
    own_dev: tuple[tuple[str, str], ...]


class Predictions(Stage[PredictionsSpec]):
    """What the classifiers of a strategy say of the dev and test items of one language."""

    VERSION = 2
    LIBRARIES = LIBRARIES

    task = luigi.Parameter(description="name of the task")
    encoder = luigi.Parameter(description="name of the encoder")
    strategy = luigi.Parameter(description="name of the strategy")
    system = luigi.Parameter(default=ORIGINAL, description="system that translates")
    language = luigi.Parameter(description="language code")

    def spec(self) -> PredictionsSpec:
        strategy, (training, test) = self._strategy, self._texts
        return PredictionsSpec(
            encoder=encoder_of(self).nameless,
            recipe=self.study.transfer.budget(strategy.shots),
            labels=self.study.task(str(self.task)).labels,
            text=str(test),
            dev_data=strategy.test_dev,
            own_dev=strategy.own_dev(training, test),
        )

    def label(self) -> str:
        return label_of(self.task, self.strategy, self.language, self.system, self.encoder)

    def slug(self) -> str:
        training, test = self._texts
        return f"{self.task}-{training.short}-to-{test}"

    def requires(self) -> Requirements:
        training, test = self._texts
        system = str(self.system)
        classifiers = Classifiers(
            experiment=self.experiment,
            task=self.task,
            encoder=self.encoder,
            text=str(training),
            system=system if training.translated else ORIGINAL,
        )
        seen = seen_text(self, test, system)
        named = {f"{name} {test}": stages for name, stages in seen.items()}
        return {"classifiers": classifiers, **named, **tuned_encoder(self)}

    def needs(self) -> dict[str, int]:
        return needs_of(self)

    def gpus(self) -> int:
        return gpus_of(self)

    @staticmethod
    def build(spec: PredictionsSpec, inputs: Inputs, out: Draft) -> None:
        classifiers = inputs.one("classifiers")
        items = predict_text(
            learner(spec.encoder, spec.recipe, site_of(spec.recipe, inputs, out)),
            classifiers.folder,
            seen_in(inputs, spec.text),
            dev_data=spec.dev_data,
            own_dev=spec.own_dev,
            labels=spec.labels,
            seeds=spec.recipe.seeds,
            out=out.path(PREDICTIONS),
        )
        if not items:
            out.facts[NOTHING] = classifiers.manifest.get(MISSING) or "there is no test item"

    @property
    def _strategy(self) -> Strategy:
        found = strategy_called(str(self.strategy))
        assert isinstance(found, Strategy)  # noqa: S101 (ensembles have a stage of their own)
        return found

    @property
    def _texts(self) -> tuple[Mixture, TextVersion]:
        """The training and the test text."""
        strategy, sides = self._strategy, (self.study.hub, str(self.language))
        every = self.study.task_languages(self.study.task(str(self.task)))
        return strategy.training_text(*sides, every), strategy.test.between(*sides)


@dataclass(frozen=True)
class EnsemblePredictionsSpec:
    """The classes, in the order of their probabilities."""

    labels: tuple[str, ...]


class EnsemblePredictions(Stage[EnsemblePredictionsSpec]):
    """What several ways say together: the mean of the probabilities that they give each class."""

    task = luigi.Parameter(description="name of the task")
    encoder = luigi.Parameter(default="", description="encoder of members without their own")
    strategy = luigi.Parameter(description="name of the ensemble")
    system = luigi.Parameter(default=ORIGINAL, description="system of members without their own")
    language = luigi.Parameter(description="language code")

    def spec(self) -> EnsemblePredictionsSpec:
        return EnsemblePredictionsSpec(self.study.task(str(self.task)).labels)

    def label(self) -> str:
        return label_of(self.task, self.strategy, self.language, self.system, self.encoder)

    def slug(self) -> str:
        members = "+".join(strategy.name for strategy, *_ in self._ways)
        return f"{self.task}-{members}-{self.language}"

    def requires(self) -> Requirements:
        place = {name: getattr(self, name) for name in ("experiment", "task", "language")}
        return {
            "members": [
                Predictions(
                    **place,
                    strategy=strategy.name,
                    system=self.study.canonical(system) if system else ORIGINAL,
                    encoder=encoder,
                )
                for strategy, system, encoder in self._ways
            ]
        }

    @staticmethod
    def build(spec: EnsemblePredictionsSpec, inputs: Inputs, out: Draft) -> None:
        members = inputs.many("members")
        paths = [artifact.path(PREDICTIONS) for artifact in members]
        if not combine(paths, labels=spec.labels, out=out.path(PREDICTIONS)):
            whys = (artifact.manifest.get(NOTHING) for artifact in members)
            out.facts[NOTHING] = next(why for why in whys if why)

    @property
    def _ways(self) -> Sequence[tuple[Strategy, str, str]]:
        return Ensemble.called(str(self.strategy)).ways(str(self.system), str(self.encoder))


def label_of(*parts: object) -> str:
    """Return what people call predictions; names of ensembles have spaces, labels have none."""
    return "-".join(str(part) for part in parts if part).replace(" ", "-")


def predictions_of(
    stage: Stage[Any], strategy: str, system: str, encoder: str
) -> Iterator[Stage[Any]]:
    """Yield the predictions of a way in the languages of the stage's task."""
    found = strategy_called(strategy)
    kind = EnsemblePredictions if isinstance(found, Ensemble) else Predictions
    for language in languages_of(stage.study, str(stage.task), found):
        yield kind(
            experiment=stage.experiment,
            task=stage.task,
            encoder=encoder,
            strategy=strategy,
            system=system,
            language=language,
        )
