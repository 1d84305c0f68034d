"""Gloss: word-by-word translation with lexicons aligned from the training bitext."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import luigi

from models.engines.gloss import GlossEngine, learn_lexicons, load_lexicon, save_lexicon
from models.engines.protocol import Engine
from pipeline.stages.leakage import TrainingBitext
from pipeline.stages.stage import Inputs, Requirements, Stage
from pipeline.stages.systems.protocol import Details, Direction
from pipeline.stages.systems.registry import KINDS
from pipeline.store import Artifact, Draft
from tasks.records import read_columns

Languages = tuple[str, str]


@dataclass(frozen=True)
class LexiconSpec:
    """The pair whose words are aligned."""

    languages: Languages


class Lexicon(Stage[LexiconSpec]):
    """One pair's word lexicons, one a direction."""

    VERSION: ClassVar[int] = 3

    pair = luigi.Parameter(description="name of the pair")

    def spec(self) -> LexiconSpec:
        return LexiconSpec(self.study.pair(str(self.pair)).languages)

    def label(self) -> str:
        return str(self.pair)

    def requires(self) -> Requirements:
        return {"bitext": TrainingBitext(experiment=self.experiment, pair=self.pair)}

    @staticmethod
    def build(spec: LexiconSpec, inputs: Inputs, out: Draft) -> None:
        hub, language = spec.languages
        columns = read_columns(inputs.one("bitext").path("train.parquet"), spec.languages)
        forward, backward = learn_lexicons(columns[hub], columns[language])
        save_lexicon(forward, out.path(f"{hub}-{language}.json"))
        save_lexicon(backward, out.path(f"{language}-{hub}.json"))
        out.counts = {f"{hub}-{language}": len(forward), f"{language}-{hub}": len(backward)}


class Gloss:
    """The lexicons of the pairs that a direction needs."""

    def details(self, stage: Stage[Any], system: str) -> Details:
        """Return nothing: the lexicons say it all."""
        return {}

    def requires(
        self, stage: Stage[Any], system: str, replicate: int, direction: Direction
    ) -> Requirements:
        """Return the lexicon of the direction's own pair, of two where it goes through the hub."""
        pairs = stage.study.pairs_of(direction)
        return {"lexicons": [Lexicon(experiment=stage.experiment, pair=p.name) for p in pairs]}

    def load(self, details: Details, inputs: Inputs) -> Engine:
        """Load the lexicons."""
        files = _lexicon_files(inputs.many("lexicons"))
        return GlossEngine({direction: load_lexicon(file) for direction, file in files})

    def gpus(self) -> int:
        """Return none."""
        return 0


def _lexicon_files(artifacts: list[Artifact]) -> Iterator[tuple[Languages, Path]]:
    for artifact in artifacts:
        for file in sorted(artifact.folder.glob("*-*.json")):
            source, target = file.stem.split("-")
            yield (source, target), file


KINDS["gloss"] = Gloss()
