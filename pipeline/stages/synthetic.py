"""Synthetic bitext: real text paired with its translation by a system."""

from dataclasses import dataclass

import luigi

from pipeline.stages.leakage import TrainingBitext, text_to_translate
from pipeline.stages.stage import Inputs, Requirements, Stage
from pipeline.stages.texts import REAL, REAL_TEXT, Text, read_text
from pipeline.stages.translations import Translation, from_parameter
from pipeline.store import Draft
from tasks.mt.synthetic import Sides, SyntheticRules, write_synthetic_bitext
from tasks.mt.translation import as_texts
from tasks.records import count_records


@dataclass(frozen=True)
class SyntheticSpec:
    """What decides one direction's synthetic bitext; `ratio` 0 sets no limit."""

    sides: Sides
    max_length_ratio: float
    max_lost: float
    ratio: float


class Synthetic(Stage[SyntheticSpec]):
    """One direction's real text with its translation, filtered by length."""

    by = luigi.Parameter(description="system that translates")
    replicate = luigi.IntParameter(description="which of its trainings, from 0 on")
    source = luigi.Parameter(description="source language of the bitext")
    target = luigi.Parameter(description="target language of the bitext")
    real = luigi.Parameter(description="the real side: target or source")
    decoding = luigi.Parameter(description="how the text is translated, as JSON")
    ratio = luigi.FloatParameter(description="synthetic lines a human line at most; 0: all")

    def spec(self) -> SyntheticSpec:
        recipe = self.study.monolingual
        return SyntheticSpec(
            self._sides, recipe.max_length_ratio, recipe.max_lost, float(self.ratio)
        )

    def label(self) -> str:
        return f"{self.by}-{int(self.replicate) + 1}-{self.slug()}"

    def slug(self) -> str:
        decoding = from_parameter(str(self.decoding))
        ratio = f"-ratio{float(self.ratio):g}" if float(self.ratio) else ""
        draw = f"-{decoding.seed}" if decoding.random or decoding.noise else ""
        direction = f"{self.source}-{self.target}-real-{self.real}"
        return f"{direction}-{decoding.name}{draw}{ratio}"

    def requires(self) -> Requirements:
        sides, shards = self._sides, self.study.monolingual.shards
        (pair,) = self.study.pairs_of((str(self.source), str(self.target)))
        return {
            "text": text_to_translate(self, sides.real),
            "bitext": TrainingBitext(experiment=self.experiment, pair=pair.name),
            "shards": [
                Translation(
                    experiment=self.experiment,
                    system=self.by,
                    replicate=self.replicate,
                    text=REAL,
                    source=sides.real,
                    target=sides.made,
                    decoding=self.decoding,
                    number=number,
                    of=shards,
                )
                for number in range(shards)
            ],
        }

    @staticmethod
    def build(spec: SyntheticSpec, inputs: Inputs, out: Draft) -> None:
        human = count_records(inputs.one("bitext").path("train.parquet"))
        most = round(spec.ratio * human) if spec.ratio else None
        translated = [part.path(f"{REAL_TEXT}.parquet") for part in inputs.many("shards")]
        out.counts = write_synthetic_bitext(
            read_text(Text(REAL), inputs, spec.sides.real, REAL_TEXT),
            [record for path in translated for record in as_texts(path, "text")],
            sides=spec.sides,
            rules=SyntheticRules(spec.max_length_ratio, spec.max_lost, most),
            out=out.path("synthetic.parquet"),
        )

    @property
    def _sides(self) -> Sides:
        return Sides(str(self.source), str(self.target), self.real == "target")
