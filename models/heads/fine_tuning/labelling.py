"""What fine-tuning makes small: the cross-entropy of a network's answers with the labels."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from models.encoders.fine_tuning import FineTuning
from models.heads.fine_tuning.network import Network

if TYPE_CHECKING:
    import torch


class Items(NamedTuple):
    """Texts as ids of pieces, with the number of the class of each."""

    ids: list[list[int]]
    classes: list[int]


class Labelling:
    """The mean loss of labelled texts, each weighted by its class."""

    def __init__(self, network: Network, items: Items, recipe: FineTuning) -> None:
        self.network, self.items = network, items
        self.lengths = [len(ids) for ids in items.ids]
        self.weights = _class_weights(items.classes, network.head.out_features, recipe)

    def loss(self, part: Sequence[int], update: Sequence[int]) -> "torch.Tensor":
        """Return what some items of an update add to its loss."""
        import torch

        weights = self.weights[[self.items.classes[item] for item in update]].sum()
        classes = [self.items.classes[item] for item in part]
        logits = self.network.logits([self.items.ids[item] for item in part], train=True)
        wanted = torch.tensor(classes, device=logits.device)
        losses = torch.nn.functional.cross_entropy(logits, wanted, reduction="none")
        return (losses * self.weights[classes].to(losses.device)).sum() / weights.item()


def _class_weights(classes: Sequence[int], count: int, recipe: FineTuning) -> "torch.Tensor":
    """Return the weight of each class (classes,); balanced ones make the classes' sums alike."""
    import torch

    if recipe.class_weights == "none":
        return torch.ones(count)
    found = torch.bincount(torch.tensor(classes), minlength=count)
    return len(classes) / (count * found.float())
