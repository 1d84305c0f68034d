"""The kinds of system by name, and what stages ask of a system.

A kind's module registers it, and `pipeline.dag` imports them all: training needs translations, and
these need trained systems, so neither side can import the other.
"""

from typing import Any

from models.engines.protocol import Engine
from pipeline.stages.stage import Inputs, Requirements, Stage
from pipeline.stages.systems.protocol import Details, SystemKind

KINDS: dict[str, SystemKind] = {}


def kind_of(stage: Stage[Any], system: str) -> SystemKind:
    """Return the kind of a system of the stage's experiment."""
    return KINDS[stage.study.systems[system].kind]


def engine_details(stage: Stage[Any], system: str) -> Details:
    """Return what a spec must hold so that `load_engine` can load the system's engine."""
    kind = stage.study.systems[system].kind
    return {"kind": kind, **KINDS[kind].details(stage, system)}


def engine_requirements(stage: Stage[Any], system: str, replicate: int) -> Requirements:
    """Return the stages whose artifacts `load_engine` needs."""
    return kind_of(stage, system).requires(stage, system, replicate)


def load_engine(details: Details, inputs: Inputs) -> Engine:
    """Load the engine that a spec describes."""
    return KINDS[details["kind"]].load(details, inputs)
