"""The joint subword vocabulary of an experiment."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from models.subwords import SubwordRecipe, train_subwords
from pipeline.stages.leakage import TrainingBitext
from pipeline.stages.stage import Inputs, Requirements, Stage
from pipeline.store import Draft
from tasks.records import read_records

SUBWORDS = "subwords.model"


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
