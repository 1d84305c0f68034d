"""Batches made by a few operations, where fairseq makes a dozen for each sentence.

Sentences are short and many: padding them one by one takes as long as several layers.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

Sample = Mapping[str, Any]
KEYS = {"id", "source", "target"}
"""What a sample of plain bitext has."""


def collate(
    samples: Sequence[Sample],
    padding: int,
    end: int,
    *,
    left_pad_source: bool,
    widths: Mapping[str, int],
) -> dict[str, Any]:
    """Return fairseq's batch of sentence pairs, longest source first, padded to `widths`."""
    lengths = torch.tensor([len(sample["source"]) for sample in samples])
    lengths, order = lengths.sort(descending=True)
    ordered = [samples[place] for place in order.tolist()]
    sides = {side: [sample[side] for sample in ordered] for side in ("source", "target")}
    source = padded(sides["source"], padding, widths["source"], left=left_pad_source)
    target = padded(sides["target"], padding, widths["target"], left=False)
    of_target = torch.tensor([len(sentence) for sentence in sides["target"]])
    return {
        "id": torch.tensor([sample["id"] for sample in ordered]),
        "nsentences": len(samples),
        "ntokens": int(of_target.sum()),
        "net_input": {
            "src_tokens": source,
            "src_lengths": lengths,
            "prev_output_tokens": shifted(target, of_target, padding, end),
        },
        "target": target,
    }


def padded(sentences: Sequence[Tensor], padding: int, width: int, *, left: bool) -> Tensor:
    """Return sentences as (sentences, width or the longest)."""
    side = "left" if left else "right"
    rows = pad_sequence(list(sentences), True, padding, side)
    missing = max(width - rows.size(1), 0)
    return torch.nn.functional.pad(rows, (missing, 0) if left else (0, missing), value=padding)


def shifted(target: Tensor, lengths: Tensor, padding: int, end: int) -> Tensor:
    """Return what the decoder sees of (batch, length) targets: the end, then all but the last."""
    previous = target.roll(1, 1)
    last = torch.arange(target.size(1)) == lengths.unsqueeze(1)  # (batch, length)
    previous.masked_fill_(last, padding)
    previous[:, 0] = end
    return previous


def replacing(stock: Callable[..., Any]) -> Callable[..., Any]:
    """Return a collating function that leaves to `stock` what is not plain bitext."""

    def replacement(
        samples: Sequence[Sample],
        pad_idx: int,
        eos_idx: int,
        left_pad_source: bool = True,
        left_pad_target: bool = False,
        input_feeding: bool = True,
        pad_to_length: Mapping[str, int] | None = None,
        pad_to_multiple: int = 1,
    ) -> Any:
        """Stand in for `fairseq.data.language_pair_dataset.collate` where bitext is plain."""
        plain = samples and samples[0].keys() == KEYS and samples[0]["target"] is not None
        if plain and input_feeding and not left_pad_target and pad_to_multiple == 1:
            widths = pad_to_length or dict.fromkeys(("source", "target"), 0)
            return collate(
                samples, pad_idx, eos_idx, left_pad_source=left_pad_source, widths=widths
            )
        return stock(
            samples,
            pad_idx,
            eos_idx,
            left_pad_source,
            left_pad_target,
            input_feeding,
            pad_to_length,
            pad_to_multiple,
        )

    return replacement


def install() -> None:
    """Make fairseq's bitext collate quickly."""
    from fairseq.data import language_pair_dataset

    language_pair_dataset.collate = replacing(language_pair_dataset.collate)
