"""Synthetic bitext: real text paired with its translation by a system."""

from dataclasses import dataclass

import luigi

from pipeline.stages.filtering import Identifier, doubts_of
from pipeline.stages.leakage import TrainingBitext, text_to_translate
from pipeline.stages.stage import Inputs, Requirements, Stage
from pipeline.stages.texts import REAL, REAL_TEXT, Text, read_text
from pipeline.stages.translations import Translation, from_parameter
from pipeline.store import Draft
from tasks.mt.health import Translated, diagnose
from tasks.mt.synthetic import Sides, SyntheticRules, write_synthetic_bitext
from tasks.mt.translation import as_texts
from tasks.records import read_columns


@dataclass(frozen=True)
class SyntheticSpec:
    """What decides one direction's synthetic bitext; `ratio` 0 sets no limit.

    `force` keeps a translation that is not usable.
    """

    sides: Sides
    max_length_ratio: float
    max_lost: float
    ratio: float
    force: bool


class Synthetic(Stage[SyntheticSpec]):
    """One direction's real text with its translation, filtered by length.

    Nothing is kept of a translation that is not usable, unless it is forced.
    """

    VERSION = 2

    by = luigi.Parameter(description="system that translates")
    replicate = luigi.IntParameter(description="which of its trainings, from 0 on")
    source = luigi.Parameter(description="source language of the bitext")
    target = luigi.Parameter(description="target language of the bitext")
    real = luigi.Parameter(description="the real side: target or source")
    decoding = luigi.Parameter(description="how the text is translated, as JSON")
    ratio = luigi.FloatParameter(description="synthetic lines a human line at most; 0: all")
    force = luigi.BoolParameter(default=False, description="keep it even if it is not usable")

    def spec(self) -> SyntheticSpec:
        recipe = self.study.monolingual
        return SyntheticSpec(
            sides=self._sides,
            max_length_ratio=recipe.max_length_ratio,
            max_lost=recipe.max_lost,
            ratio=float(self.ratio),
            force=bool(self.force),
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
            "identifier": Identifier(experiment=self.experiment),
        }

    @staticmethod
    def build(spec: SyntheticSpec, inputs: Inputs, out: Draft) -> None:
        human = read_columns(
            inputs.one("bitext").path("train.parquet"), [spec.sides.real, spec.sides.made]
        )
        real = read_text(Text(REAL), inputs, spec.sides.real, REAL_TEXT)
        translated = [part.path(f"{REAL_TEXT}.parquet") for part in inputs.many("shards")]
        made = [record for path in translated for record in as_texts(path, "text")]
        health = diagnose(
            Translated(
                sources=[record["text"] for record in real],
                translations=[record["text"] for record in made],
                human_sources=human[spec.sides.real],
                human=human[spec.sides.made],
            ),
            doubts_of(inputs.one("identifier"), spec.sides.made),
        )
        out.facts["health"], out.facts["ills"] = health._asdict(), list(health.ills)
        rules = SyntheticRules(
            max_length_ratio=spec.max_length_ratio,
            max_lost=spec.max_lost,
            most=round(spec.ratio * len(human[spec.sides.real])) if spec.ratio else None,
            ills=() if spec.force else health.ills,
        )
        out.counts = write_synthetic_bitext(
            real, made, sides=spec.sides, rules=rules, out=out.path("synthetic.parquet")
        )

    @property
    def _sides(self) -> Sides:
        return Sides(str(self.source), str(self.target), self.real == "target")
