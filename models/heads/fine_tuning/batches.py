"""Which texts an update sees: batches of similar length, in an order that hangs on the seed."""

from collections.abc import Sequence

from models.encoders.fine_tuning import FineTuning

POOL = 50
"""Batches whose texts are sorted by length together."""


def plan_updates(lengths: Sequence[int], recipe: FineTuning, seed: int) -> list[list[int]]:
    """Return the items of every update of a training."""
    a_pass = -(-len(lengths) // recipe.batch)
    total = max(recipe.epochs * a_pass, recipe.least_updates)
    passes = range(-(-total // a_pass))
    updates = [items for number in passes for items in _one_pass(lengths, recipe, [seed, number])]
    return updates[:total]


def _one_pass(lengths: Sequence[int], recipe: FineTuning, seed: Sequence[int]) -> list[list[int]]:
    import numpy

    draw = numpy.random.default_rng(seed)
    order = draw.permutation(len(lengths)).tolist()
    pool = POOL * recipe.batch
    near = [
        item
        for start in range(0, len(order), pool)
        for item in sorted(order[start : start + pool], key=lambda item: lengths[item])
    ]
    batches = [near[start : start + recipe.batch] for start in range(0, len(near), recipe.batch)]
    return [batches[place] for place in draw.permutation(len(batches))]
