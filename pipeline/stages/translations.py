"""The one stage that translates: real text, test sets and task texts, by any system."""

import json
from dataclasses import asdict, dataclass
from typing import Any

import luigi

from models.engines.protocol import Decoding, Noise
from pipeline.stages.stage import Inputs, Requirements, Stage
from pipeline.stages.systems.protocol import Details
from pipeline.stages.systems.registry import (
    engine_details,
    engine_requirements,
    kind_of,
    load_engine,
)
from pipeline.stages.texts import Text, read_text
from pipeline.store import Draft
from tasks.mt.translation import (
    CUT_SHORT,
    Order,
    count_cut_short,
    shard,
    stream_translation,
    write_texts,
)


@dataclass(frozen=True)
class TranslationSpec:
    """What decides a translation: the engine, the text and its parts, and how it is decoded.

    Of the text it is shard `number` of so many, from 0 on.
    """

    engine: Details
    text: str
    parts: tuple[str, ...]
    source: str
    target: str
    decoding: Decoding
    number: int
    of: int


class Translation(Stage[TranslationSpec]):
    """A text in one direction, translated by one training of a system: a file for each part."""

    VERSION = 2

    system = luigi.Parameter(description="name of the system")
    replicate = luigi.IntParameter(description="which of its trainings, from 0 on")
    text = luigi.Parameter(description="real, bitext/PAIR, task/TASK or task/TASK/ORIGIN")
    source = luigi.Parameter(description="language of the text")
    target = luigi.Parameter(description="language to translate into")
    decoding = luigi.Parameter(description="how it is decoded, as JSON")
    number = luigi.IntParameter(default=0, description="of the shard, from 0 on")
    of = luigi.IntParameter(default=1, description="how many shards there are")

    def spec(self) -> TranslationSpec:
        text = Text.parse(str(self.text))
        return TranslationSpec(
            engine=engine_details(self, str(self.system)),
            text=text.kind,
            parts=text.parts(of_hub=self.study.hub in (text.origin, str(self.source))),
            source=str(self.source),
            target=str(self.target),
            decoding=from_parameter(str(self.decoding)),
            number=int(self.number),
            of=int(self.of),
        )

    def label(self) -> str:
        return f"{self.system}-{int(self.replicate) + 1}-{self.slug()}"

    def slug(self) -> str:
        decoding = from_parameter(str(self.decoding))
        text = str(self.text).replace("/", "-")
        shard_name = f"-{int(self.number) + 1}of{self.of}" if int(self.of) > 1 else ""
        draw = f"-{decoding.seed}" if decoding.random or decoding.noise else ""
        return f"{text}-{self.source}-{self.target}-{decoding.name}{draw}{shard_name}"

    def requires(self) -> Requirements:
        return {
            **self._text(),
            **engine_requirements(
                self, str(self.system), int(self.replicate), (str(self.source), str(self.target))
            ),
        }

    def _text(self) -> Requirements:
        """Return what is translated: a text as it was written, or this system's translation."""
        text = Text.parse(str(self.text))
        if not text.origin:
            return text.requires(self, str(self.source))
        before = Text(text.kind, text.owner)
        made = self.clone(text=str(before), source=text.origin, target=self.source)
        return {"text": made}

    def gpus(self) -> int:
        return kind_of(self, str(self.system)).gpus()

    @staticmethod
    def build(spec: TranslationSpec, inputs: Inputs, out: Draft) -> None:
        engine = load_engine(spec.engine, inputs)
        out.facts[CUT_SHORT] = {}
        for part in spec.parts:
            text = read_text(Text(spec.text), inputs, spec.source, part)
            records = shard(text, spec.number, spec.of)
            translated = stream_translation(
                records,
                engine,
                Order(spec.source, spec.target, spec.decoding),
                shards=out.scratch / part,
                report=out.lines_done,
            )
            path = out.path(f"{part}.parquet")
            out.counts[part] = write_texts(path, translated)
            out.facts[CUT_SHORT][part] = count_cut_short(records, path)


def translations(
    stage: Stage[Any],
    system: str,
    text: Text,
    direction: tuple[str, str],
    decoding: Decoding,
) -> list[Stage[Any]]:
    """Return the translations of a text by a system, one for each of its replicates."""
    source, target = direction
    return [
        Translation(
            experiment=stage.experiment,
            system=stage.study.canonical(system),
            replicate=replicate,
            text=str(text),
            source=source,
            target=target,
            decoding=as_parameter(decoding),
        )
        for replicate in range(stage.study.replicates(system))
    ]


def as_parameter(decoding: Decoding) -> str:
    """Return a decoding as a Luigi parameter: JSON of what is set."""
    return json.dumps({k: v for k, v in asdict(decoding).items() if v is not None})


def from_parameter(text: str) -> Decoding:
    """Read a decoding back."""
    fields = json.loads(text)
    noise = fields.pop("noise", None)
    return Decoding(**fields, noise=Noise(**noise) if noise else None)
