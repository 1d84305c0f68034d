"""Which texts an update sees: batches of similar length, in an order that hangs on the seed."""

from collections.abc import Sequence

POOL = 50
"""Batches whose texts are sorted by length together."""


def plan_updates(lengths: Sequence[int], *, batch: int, updates: int, seed: int) -> list[list[int]]:
    """Return the items of so many updates, in as many passes as they take."""
    passes = range(-(-updates // max(1, updates_a_pass(len(lengths), batch))))
    found = [items for number in passes for items in _one_pass(lengths, batch, [seed, number])]
    return found[:updates]


def updates_a_pass(items: int, batch: int) -> int:
    """Return how many updates see every item once."""
    return -(-items // batch)


def _one_pass(lengths: Sequence[int], batch: int, seed: Sequence[int]) -> list[list[int]]:
    import numpy

    draw = numpy.random.default_rng(seed)
    order = draw.permutation(len(lengths)).tolist()
    pool = POOL * batch
    near = [
        item
        for start in range(0, len(order), pool)
        for item in sorted(order[start : start + pool], key=lambda item: lengths[item])
    ]
    batches = [near[start : start + batch] for start in range(0, len(near), batch)]
    return [batches[place] for place in draw.permutation(len(batches))]
