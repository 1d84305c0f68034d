"""What is translated: real text, the held-out parts of a bitext, the texts of a task."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from pipeline.stages.corpora import Bitext, LabelledData
from pipeline.stages.leakage import TrainingBitext, text_to_translate
from pipeline.stages.stage import Inputs, Requirements, Stage
from pipeline.store import Artifact
from tasks.mt.translation import as_texts
from tasks.records import Record

REAL, BITEXT, TASK = "real", "bitext", "task"
REAL_TEXT = "text"
"""The one part of real text."""


class Text(NamedTuple):
    """A text by kind and owner: the pair of a bitext, the task of labelled text.

    With an `origin` it is a translation from that language, by the system that goes on with it.
    """

    kind: str
    owner: str = ""
    origin: str = ""

    @classmethod
    def parse(cls, text: str) -> "Text":
        """Read what `str` of a text writes."""
        return cls(*text.split("/"))

    def __str__(self) -> str:
        return "/".join(filter(None, self))

    def requires(self, stage: Stage[Any], language: str) -> Requirements:
        """Return the stages that hold the text in a language, as it was written."""
        experiment = stage.experiment
        if self.kind == REAL:
            return {"text": text_to_translate(stage, language)}
        if self.kind == BITEXT:
            return {
                "dev": TrainingBitext(experiment=experiment, pair=self.owner),
                "test": Bitext(experiment=experiment, pair=self.owner),
            }
        return {"text": LabelledData(experiment=experiment, task=self.owner, language=language)}

    def parts(self, *, of_hub: bool) -> tuple[str, ...]:
        """Return the parts that are translated; of a task only the hub has training text."""
        if self.kind == REAL:
            return (REAL_TEXT,)
        if self.kind == TASK and of_hub:
            return ("train", "dev")
        return ("dev", "test")


def read_text(text: Text, inputs: Inputs, language: str, part: str) -> list[Record]:
    """Return a part of a text in a language, as (id, text) records."""
    column = "text" if text.kind == TASK else language
    return [r for path in _files(text, inputs, part) for r in as_texts(path, column)]


def _files(text: Text, inputs: Inputs, part: str) -> Iterator[Path]:
    name = part if text.kind == BITEXT else "text"
    for artifact in inputs.many(name):
        yield artifact.path(f"{part}.parquet")


def bitext_sides(
    inputs: Inputs, part: str, direction: tuple[str, str]
) -> Mapping[str, tuple[str, str]]:
    """Return source and reference of a direction by id, from the one pair or two that hold it.

    Between two languages that are each paired with the hub, the sentences that both pairs share.
    """
    sources, references = (
        _texts_of(_holding(inputs, part, direction, language), part, language)
        for language in direction
    )
    return {key: (sources[key], references[key]) for key in sources if key in references}


def hub_side(inputs: Inputs, part: str, direction: tuple[str, str]) -> Mapping[str, str]:
    """Return by id what the sources of a direction are in the hub's language."""
    artifact = _holding(inputs, part, direction, direction[0])
    return _texts_of(artifact, part, artifact.manifest["spec"]["languages"][0])


def _holding(inputs: Inputs, part: str, direction: tuple[str, str], language: str) -> Artifact:
    """Return the bitext that holds a side of a direction: the one that has both, if any."""
    artifacts = inputs.many(part)
    both = [a for a in artifacts if {*direction} <= {*a.manifest["spec"]["languages"]}]
    return (both or [a for a in artifacts if language in a.manifest["spec"]["languages"]])[0]


def _texts_of(artifact: Artifact, part: str, language: str) -> dict[str, str]:
    path = artifact.path(f"{part}.parquet")
    return {record["id"]: record["text"] for record in as_texts(path, language)}
