"""What a kind of system must tell, so that the stages need not know which kinds there are."""

from collections.abc import Mapping
from typing import Any, Protocol

from models.engines.protocol import Engine
from pipeline.stages.stage import Inputs, Requirements, Stage

Details = Mapping[str, Any]
"""What a translation stage's spec says of its engine, beside the artifacts it is made from."""


Direction = tuple[str, str]
"""Source and target language code."""


class SystemKind(Protocol):
    """One kind of system."""

    def details(self, stage: Stage[Any], system: str) -> Details:
        """Return what decides the engine beyond its artifacts; plain values without names."""
        ...

    def requires(
        self, stage: Stage[Any], system: str, replicate: int, direction: Direction
    ) -> Requirements:
        """Return the stages whose artifacts the engine of a direction is loaded from."""
        ...

    def load(self, details: Details, inputs: Inputs) -> Engine:
        """Load the engine."""
        ...

    def gpus(self) -> int:
        """Return how many GPUs the engine translates on."""
        ...
