"""Every way to fit a classifier, by the kind of its encoder."""

from collections.abc import Callable, Mapping
from typing import Any

from models.heads.linear import ClassifierRecipe, LinearLearner
from models.heads.protocol import Learner


def _linear(encoder: Any, recipe: ClassifierRecipe) -> Learner:
    return LinearLearner(recipe, encoder.features)


LEARNERS: Mapping[str, Callable[[Any, ClassifierRecipe], Learner]] = {
    "ngrams": _linear,
    "nmt": _linear,
    "pretrained": _linear,
}
"""By kind: what makes a learner of an encoder's spec and the budget."""


def learner(encoder: Any, recipe: ClassifierRecipe) -> Learner:
    """Return what fits classifiers of an encoder."""
    return LEARNERS[encoder.kind](encoder, recipe)
