"""Texts of like length side by side: batches of so many pieces, padded to one tensor."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import torch


def parts_of(items: Iterable[int], lengths: Sequence[int], pieces: int) -> Iterator[list[int]]:
    """Cut items into parts that have at most so many pieces with padding, or are one item."""
    part: list[int] = []
    for item in sorted(items, key=lambda item: lengths[item]):  # the longest so far
        if part and lengths[item] * (len(part) + 1) > pieces:
            yield part
            part = []
        part.append(item)
    if part:
        yield part


class Padded(NamedTuple):
    """Ids (texts, length of the longest), and which of them are no padding, of the same shape."""

    pieces: "torch.Tensor"
    kept: "torch.Tensor"


def padded(ids: Sequence[Sequence[int]], pad: int, device: str) -> Padded:
    """Return ids of several texts side by side."""
    import torch

    longest = max(map(len, ids))
    rows = [[*text, *[pad] * (longest - len(text))] for text in ids]
    lengths = torch.tensor([len(text) for text in ids], device=device)
    kept = torch.arange(longest, device=device) < lengths[:, None]
    return Padded(torch.tensor(rows, device=device), kept)
