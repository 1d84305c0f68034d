"""Every stage by name: the module for `luigi --module pipeline.dag Study --experiment FILE`."""

from fnmatch import fnmatchcase
from functools import cache
from graphlib import TopologicalSorter
from itertools import chain
from typing import Any

from models.support.errors import StageError
from pipeline.specs.suggesting import suggest
from pipeline.stages import luigi_defaults
from pipeline.stages.adapted import AdaptedEncoder
from pipeline.stages.classifiers import Classifiers, EnsemblePredictions, Predictions
from pipeline.stages.corpora import Bitext, LabelledData, Monolingual, RawCorpus
from pipeline.stages.encoding import EncodedText
from pipeline.stages.filtering import BitextScores, Identifier, MonolingualScores
from pipeline.stages.leakage import (
    HeldOutText,
    LeakAudit,
    MonolingualSample,
    TaskText,
    TrainingBitext,
)
from pipeline.stages.mt_scores import MtContrasts, MtScores
from pipeline.stages.pretrained import ModelFiles, PretrainedEncoder
from pipeline.stages.report import Report, Study
from pipeline.stages.stage import Stage
from pipeline.stages.subwords import SubwordModel
from pipeline.stages.synthetic import Synthetic
from pipeline.stages.systems.gloss import Lexicon
from pipeline.stages.systems.phrase import PhraseTable
from pipeline.stages.systems.trained import TrainedModel
from pipeline.stages.text_health import TextHealth
from pipeline.stages.transfer import TaskContrasts, TaskScores
from pipeline.stages.translations import Translation

STAGES: tuple[type[Stage[Any]], ...] = (
    RawCorpus,
    Bitext,
    Monolingual,
    LabelledData,
    Identifier,
    BitextScores,
    MonolingualScores,
    HeldOutText,
    LeakAudit,
    TrainingBitext,
    MonolingualSample,
    TaskText,
    SubwordModel,
    Lexicon,
    PhraseTable,
    TrainedModel,
    Translation,
    Synthetic,
    MtScores,
    MtContrasts,
    ModelFiles,
    PretrainedEncoder,
    AdaptedEncoder,
    EncodedText,
    Classifiers,
    Predictions,
    EnsemblePredictions,
    TaskScores,
    TextHealth,
    TaskContrasts,
    Report,
)

__all__ = [
    "STAGES",
    "Study",
    "all_stages",
    "built_stages",
    "descendants",
    "find_stages",
]

luigi_defaults.apply()


def all_stages(experiment: str) -> list[Stage[Any]]:
    """Return every stage of an experiment, the report first, each artifact once."""
    return list(Report(experiment=experiment).walk())


def built_stages(experiment: str) -> list[Stage[Any]]:
    """Return the stages of an experiment whose artifacts may be read, the report first."""
    return [stage for stage in all_stages(experiment) if stage.usable()]


def find_stages(experiment: str, pattern: str) -> list[Stage[Any]]:
    """Return the stages that `STAGE` or `STAGE:LABEL-GLOB` names.

    Raises StageError with the closest name, or with the labels there are.
    """
    name, _, label = pattern.partition(":")
    names = [stage.__name__ for stage in STAGES]
    if name not in names:
        raise StageError(f"no stage {name!r}{suggest(name, names)}")
    of_kind = [s for s in all_stages(experiment) if type(s).__name__ == name]
    found = [s for s in of_kind if fnmatchcase(s.label(), label or "*")]
    if not found:
        labels = sorted(s.label() for s in of_kind)
        raise StageError(f"no {name} has the label {label!r}{suggest(label, labels)}")
    return found


def descendants(experiment: str, of: list[Stage[Any]]) -> list[Stage[Any]]:
    """Return the given stages and all that build on them, each before what it is built from."""
    roots = {stage.task_id for stage in of}

    @cache
    def tainted(stage: Stage[Any]) -> bool:
        return stage.task_id in roots or any(map(tainted, chain(*stage.inputs.values())))

    found = {stage.task_id: stage for stage in all_stages(experiment) if tainted(stage)}
    inputs = {name: [i.task_id for i in chain(*s.inputs.values())] for name, s in found.items()}
    ordered = reversed([*TopologicalSorter(inputs).static_order()])
    return [found[name] for name in ordered if name in found]
