"""The kinds of system by name, and what stages ask of a system.

A kind is a module of this folder that bears its name and registers itself in `KINDS`. It is
imported when it is first asked for: training needs translations, and these need trained systems, so
neither side can import the other.
"""

from importlib import import_module
from typing import Any

from models.engines.protocol import Engine
from pipeline.stages.stage import Inputs, Requirements, Stage
from pipeline.stages.systems.protocol import Details, Direction, SystemKind

KINDS: dict[str, SystemKind] = {}


def kind_named(name: str) -> SystemKind:
    """Return the kind of that name."""
    if name not in KINDS:
        import_module(f"pipeline.stages.systems.{name}")
    return KINDS[name]


def kind_of(stage: Stage[Any], system: str) -> SystemKind:
    """Return the kind of a system of the stage's experiment."""
    return kind_named(stage.study.systems[system].kind)


def engine_details(stage: Stage[Any], system: str) -> Details:
    """Return what a spec must hold so that `load_engine` can load the system's engine."""
    kind = stage.study.systems[system].kind
    return {"kind": kind, **kind_named(kind).details(stage, system)}


def engine_requirements(
    stage: Stage[Any], system: str, replicate: int, direction: Direction
) -> Requirements:
    """Return the stages whose artifacts `load_engine` needs for a direction."""
    return kind_of(stage, system).requires(stage, system, replicate, direction)


def load_engine(details: Details, inputs: Inputs) -> Engine:
    """Load the engine that a spec describes."""
    return kind_named(details["kind"]).load(details, inputs)
