"""Phrase: phrase-based translation, a table and a language model for each direction."""

from dataclasses import dataclass
from typing import Any, ClassVar

import luigi

from models.engines.phrase import PhraseEngine
from models.engines.protocol import Engine
from models.phrases.recipe import PhraseRecipe
from models.phrases.training import PhraseText, train
from pipeline.specs.systems import PhraseSystem
from pipeline.stages.leakage import TrainingBitext, text_to_translate
from pipeline.stages.stage import Inputs, Requirements, Stage
from pipeline.stages.systems.protocol import Details, Direction
from pipeline.stages.systems.registry import KINDS
from pipeline.stages.texts import REAL, REAL_TEXT, Text, read_text
from pipeline.store import Draft
from tasks.records import read_columns

TABLES = "tables"


@dataclass(frozen=True)
class PhraseTableSpec:
    """What decides the phrase table of a direction; `more_text` of the target language or none."""

    recipe: PhraseRecipe
    source: str
    target: str
    more_text: bool


class PhraseTable(Stage[PhraseTableSpec]):
    """One direction's phrases, language model and weights."""

    VERSION: ClassVar[int] = 2

    system = luigi.Parameter(description="name of a phrase-based system")
    source = luigi.Parameter(description="language to translate from")
    target = luigi.Parameter(description="language to translate into")

    def spec(self) -> PhraseTableSpec:
        system = self.study.systems[str(self.system)]
        assert isinstance(system, PhraseSystem)  # noqa: S101 (only such systems are asked for)
        more = bool(text_to_translate(self, str(self.target)))
        return PhraseTableSpec(system.phrases, str(self.source), str(self.target), more)

    def label(self) -> str:
        return f"{self.system}-{self.slug()}"

    def slug(self) -> str:
        return f"{self.source}-{self.target}"

    def requires(self) -> Requirements:
        (pair,) = self.study.pairs_of((str(self.source), str(self.target)))
        return {
            "bitext": TrainingBitext(experiment=self.experiment, pair=pair.name),
            "text": text_to_translate(self, str(self.target)),
        }

    @staticmethod
    def build(spec: PhraseTableSpec, inputs: Inputs, out: Draft) -> None:
        languages = (spec.source, spec.target)
        parts = [
            read_columns(inputs.one("bitext").path(f"{part}.parquet"), languages)
            for part in ("train", "dev")
        ]
        train_pairs, dev = (
            list(zip(part[spec.source], part[spec.target], strict=True)) for part in parts
        )
        more = read_text(Text(REAL), inputs, spec.target, REAL_TEXT) if spec.more_text else []
        text = PhraseText(train_pairs, dev, [record["text"] for record in more])
        folder = out.path(TABLES)
        folder.mkdir()
        outcome = train(text, spec.recipe, folder, out.scratch, out.progress)
        out.counts = {
            "train": {
                "read": len(train_pairs),
                "used": outcome.pairs,
                "too_long": outcome.too_long,
            },
            "target_text": len(more),
            "phrases": outcome.phrases,
        }
        out.facts["tuning"] = {
            "perplexity": outcome.perplexity,
            "bleu_untuned": outcome.bleu_untuned,
            "bleu": outcome.bleu,
        }


class PhraseBased:
    """The phrase tables that a direction needs."""

    def details(self, stage: Stage[Any], system: str) -> Details:
        """Return nothing: the tables say it all."""
        return {}

    def requires(
        self, stage: Stage[Any], system: str, replicate: int, direction: Direction
    ) -> Requirements:
        """Return the direction's own table, two where it goes through the hub."""
        (source, target), hub = direction, stage.study.hub
        steps = [direction] if hub in direction else [(source, hub), (hub, target)]
        system = stage.study.canonical(system)
        return {
            "tables": [
                PhraseTable(experiment=stage.experiment, system=system, source=s, target=t)
                for s, t in steps
            ]
        }

    def load(self, details: Details, inputs: Inputs) -> Engine:
        """Return an engine that loads a table when it is first asked for."""
        tables = inputs.many("tables")
        specs = [table.manifest["spec"] for table in tables]
        return PhraseEngine(
            {
                (spec["source"], spec["target"]): table.path(TABLES)
                for spec, table in zip(specs, tables, strict=True)
            }
        )

    def gpus(self) -> int:
        """Return none."""
        return 0


KINDS["phrase"] = PhraseBased()
