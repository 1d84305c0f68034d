"""Every way to fit a classifier, by the kind of its encoder."""

from collections.abc import Callable, Mapping
from typing import Any

from models.heads.fine_tuning.learner import FineTuningLearner
from models.heads.linear import ClassifierRecipe, LinearLearner
from models.heads.protocol import Learner, Site
from models.support.errors import SpecError

MakeLearner = Callable[[Any, ClassifierRecipe, Site | None], Learner]


def _linear(encoder: Any, recipe: ClassifierRecipe, site: Site | None) -> Learner:
    return LinearLearner(recipe, encoder.features)


def _pretrained(encoder: Any, recipe: ClassifierRecipe, site: Site | None) -> Learner:
    if encoder.fine_tune is None:
        return _linear(encoder, recipe, site)
    if site is None:
        raise SpecError("to fine-tune takes a folder to work in and a published encoder")
    return FineTuningLearner(encoder.fine_tune, site)


LEARNERS: Mapping[str, MakeLearner] = {
    "ngrams": _linear,
    "nmt": _linear,
    "pretrained": _pretrained,
}
"""By kind: what makes a learner of an encoder's spec, the budget, and where it works."""


def learner(encoder: Any, recipe: ClassifierRecipe, site: Site | None = None) -> Learner:
    """Return what fits classifiers of an encoder; `site` is needed for one that is fine-tuned."""
    return LEARNERS[encoder.kind](encoder, recipe, site)
