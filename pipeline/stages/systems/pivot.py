"""Pivot: another system's engine, applied twice."""

from typing import Any

from models.engines.pivot import PivotEngine
from models.engines.protocol import Engine
from pipeline.specs.systems import PivotSystem
from pipeline.stages.stage import Inputs, Requirements, Stage
from pipeline.stages.systems.protocol import Details, Direction
from pipeline.stages.systems.registry import (
    KINDS,
    engine_details,
    engine_requirements,
    load_engine,
)


class Pivot:
    """A system through the hub: from language to language, though trained with the hub alone."""

    def details(self, stage: Stage[Any], system: str) -> Details:
        """Return the pivot language and what decides the engine of each step."""
        pivot = _pivot(stage, system)
        return {"via": pivot.via, "by": engine_details(stage, pivot.by)}

    def requires(
        self, stage: Stage[Any], system: str, replicate: int, direction: Direction
    ) -> Requirements:
        """Return what the other system requires."""
        by = stage.study.canonical(_pivot(stage, system).by)
        return engine_requirements(stage, by, replicate, direction)

    def load(self, details: Details, inputs: Inputs) -> Engine:
        """Load the other system's engine."""
        return PivotEngine(load_engine(details["by"], inputs), via=details["via"])

    def gpus(self) -> int:
        """Return none: a GPU is used where there is one, but not counted twice."""
        return 0


def _pivot(stage: Stage[Any], system: str) -> PivotSystem:
    found = stage.study.systems[system]
    assert isinstance(found, PivotSystem)  # noqa: S101 (the registry asks by kind)
    return found


KINDS["pivot"] = Pivot()
