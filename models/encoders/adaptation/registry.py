"""The ways to adapt an encoder, by kind."""

from typing import get_args

from models.encoders.adaptation.adjusted import AdjustedSpec
from models.encoders.adaptation.distilled import DistilledSpec
from models.encoders.adaptation.mlm import MlmSpec

AnyAdaptation = AdjustedSpec | DistilledSpec | MlmSpec
"""One of the ways."""
ADAPTATIONS: tuple[type[AnyAdaptation], ...] = get_args(AnyAdaptation)
ADAPTATION_KINDS = tuple(get_args(way.__annotations__["kind"])[0] for way in ADAPTATIONS)
