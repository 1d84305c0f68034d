"""Which texts an update sees: batches of similar length, in an order that hangs on the seed."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from models.encoders.fine_tuning import FineTuning

if TYPE_CHECKING:
    import torch

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


def parts_of(items: Sequence[int], lengths: Sequence[int], pieces: int) -> Iterator[list[int]]:
    """Cut items into parts that have at most so many pieces with padding, or are one item."""
    part: list[int] = []
    longest = 0
    for item in sorted(items, key=lambda item: lengths[item]):
        longest = max(longest, lengths[item])
        if part and longest * (len(part) + 1) > pieces:
            yield part
            part, longest = [], lengths[item]
        part.append(item)
    if part:
        yield part


def padded(ids: Sequence[Sequence[int]], pad: int, device: str) -> "torch.Tensor":
    """Return ids (texts, length of the longest)."""
    import torch

    longest = max(map(len, ids))
    return torch.tensor([[*text, *[pad] * (longest - len(text))] for text in ids], device=device)
