"""The hyperparameters of a phrase-based system."""

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Le


@dataclass(frozen=True, kw_only=True)
class PhraseRecipe:
    """How a phrase table and its language model are trained, and how their weights are tuned.

    * ``alignment_iterations``: of IBM model 1, and as many of the HMM (Vogel et al. 1996).
    * ``longest_phrase``: tokens of a phrase, on either side.
    * ``translations``: of a source phrase that are kept, the most frequent ones.
    * ``order``: words of the longest n-gram of the language model.
    * ``reordering``: source tokens that may be left behind and translated later; 0 translates from
      left to right, but for what phrases themselves reorder.
    * ``tuning_pairs``: sentence pairs of the dev text that weights are tuned on; 0 tunes nothing.
    * ``tuning_rounds``: how often they are translated meanwhile.
    * ``window``: tokens of a sentence above which it is cut.
    """

    alignment_iterations: Annotated[int, Ge(1), Le(100)] = 5
    longest_phrase: Annotated[int, Ge(1), Le(20)] = 7
    translations: Annotated[int, Ge(1)] = 20
    order: Annotated[int, Ge(1), Le(5)] = 3
    reordering: Annotated[int, Ge(0), Le(10)] = 0
    tuning_pairs: Annotated[int, Ge(0)] = 200
    tuning_rounds: Annotated[int, Ge(1)] = 60
    window: Annotated[int, Ge(5), Le(200)] = 60
