"""A pretrained encoder with a linear head on the pooled states of its last layer."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from models.encoders.pretrained.pooling import pooled
from models.support.batches import padded
from models.tuning.attention import install_dropout

if TYPE_CHECKING:
    import torch

HEAD_SPREAD = 0.02
"""Standard deviation of a fresh head's weights, as of BERT's own."""


@dataclass
class Network:
    """An encoder's layers, and the linear layer (classes, width) upon them."""

    body: Any
    head: Any
    pooling: str
    pad: int
    dropout: float
    device: str

    @classmethod
    def fresh(
        cls, body: Any, classes: int, *, pooling: str, pad: int, dropout: float, device: str
    ) -> "Network":
        """Put a head of small random weights upon an encoder."""
        import torch

        head = torch.nn.Linear(body.config.hidden_size, classes)
        torch.nn.init.normal_(head.weight, std=HEAD_SPREAD)
        torch.nn.init.zeros_(head.bias)
        install_dropout(body)
        return cls(body, head.to(device), pooling, pad, dropout, device)

    def logits(self, ids: Sequence[Sequence[int]], *, train: bool = False) -> "torch.Tensor":
        """Return the scores of each text (texts, classes), float32."""
        import torch

        self.body.train(train)
        pieces, kept = padded(ids, self.pad, self.device)
        states = self.body(input_ids=pieces, attention_mask=kept.long()).last_hidden_state
        vectors = pooled(states, kept, self.pooling)
        vectors = torch.nn.functional.dropout(vectors, self.dropout, training=train)
        weight, bias = self.head.weight.float(), self.head.bias.float()
        return torch.nn.functional.linear(vectors, weight, bias)
