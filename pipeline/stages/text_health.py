"""Look at the translated text that classifiers read: whether it is text of that language at all."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import luigi

from pipeline.stages.corpora import LabelledData
from pipeline.stages.filtering import Identifier, doubts_of
from pipeline.stages.leakage import TrainingBitext
from pipeline.stages.pretrained import PretrainedEncoder
from pipeline.stages.stage import Inputs, Requirements, Stage
from pipeline.stages.texts import TASK, Text, read_text
from pipeline.stages.translations import translations
from pipeline.store import Artifact, Draft
from tasks.mt.health import Health, Translated, diagnose, ills_of_all
from tasks.mt.translation import as_texts
from tasks.records import read_columns
from tasks.transfer.guards import guard_of

Direction = tuple[str, str]


@dataclass(frozen=True)
class TextHealthSpec:
    """From which language into which, and the parts that are translated."""

    direction: Direction
    parts: tuple[str, ...]


class TextHealth(Stage[TextHealthSpec]):
    """What a task's text looks like in the translations that classifiers read, one a replicate.

    It stands beside the translation, so that looking in another way translates nothing again, and
    is the same for every encoder.
    """

    task = luigi.Parameter(description="name of the task")
    system = luigi.Parameter(description="system that translated it")
    source = luigi.Parameter(description="language of the text")
    target = luigi.Parameter(description="language of the translation")

    def spec(self) -> TextHealthSpec:
        of_hub = str(self.source) == self.study.hub
        return TextHealthSpec(self._direction, Text(TASK, str(self.task)).parts(of_hub=of_hub))

    def label(self) -> str:
        return f"{self.slug()}-{self.system}"

    def slug(self) -> str:
        return f"{self.task}-{self.source}-{self.target}"

    def requires(self) -> Requirements:
        study, place = self.study, {"experiment": str(self.experiment)}
        text = Text(TASK, str(self.task))
        made = translations(self, str(self.system), text, self._direction, study.transfer.decoding)
        (pair,) = study.pairs_of(self._direction)
        return {
            "text": LabelledData(**place, task=self.task, language=self.source),
            "translations": made[: study.transfer.classifier.seeds],
            "bitext": TrainingBitext(**place, pair=pair.name),
            "identifier": Identifier(**place),
            "encoders": [encoder for _, encoder in published_encoders(self)],
        }

    @staticmethod
    def build(spec: TextHealthSpec, inputs: Inputs, out: Draft) -> None:
        sources = dict(_texts(spec, inputs))
        human = read_columns(inputs.one("bitext").path("train.parquet"), spec.direction)
        doubts = doubts_of(inputs.one("identifier"), spec.direction[1])
        encoders = [artifact.folder for artifact in inputs.many("encoders")]
        found: list[Health] = []
        guards = []
        for artifact in inputs.many("translations"):
            made = dict(_translated(spec, artifact))
            text = Translated(
                [*sources.values()],
                [made[key] for key in sources],
                human[spec.direction[0]],
                human[spec.direction[1]],
            )
            found.append(diagnose(text, doubts))
            guards.append(guard_of(text, found[-1], encoders)._asdict())
        out.facts["guards"] = guards
        out.facts["ills"] = list(ills_of_all(found))

    @property
    def _direction(self) -> Direction:
        return str(self.source), str(self.target)


def _texts(spec: TextHealthSpec, inputs: Inputs) -> Iterator[tuple[tuple[str, str], str]]:
    for part in spec.parts:
        for record in read_text(Text(TASK), inputs, spec.direction[0], part):
            yield (part, record["id"]), record["text"]


def _translated(spec: TextHealthSpec, artifact: Artifact) -> Iterator[tuple[tuple[str, str], str]]:
    for part in spec.parts:
        for record in as_texts(artifact.path(f"{part}.parquet"), "text"):
            yield (part, record["id"]), record["text"]


def published_encoders(stage: Stage[Any]) -> list[tuple[str, Stage[Any]]]:
    """Return the published encoders of a study with their names, in an order that no name decides.

    Those that are adapted read text as the one they are made of.
    """
    encoders: list[tuple[str, Stage[Any]]] = [
        (model, PretrainedEncoder(experiment=stage.experiment, model=model))
        for model in stage.study.models
    ]
    return sorted(encoders, key=lambda found: found[1].fingerprint)


def text_health(stage: Stage[Any], task: str, system: str, direction: Direction) -> TextHealth:
    """Return the look at a task's text that a system translates in a direction."""
    source, target = direction
    return TextHealth(
        experiment=stage.experiment,
        task=task,
        system=stage.study.canonical(system),
        source=source,
        target=target,
    )
