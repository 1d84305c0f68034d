"""An encoder that learns: how it reads, and the vectors it has at the moment."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from models.encoders.pretrained.pooling import pooled
from models.encoders.pretrained.reading import TextReader
from models.support.batches import Padded, padded, parts_of

if TYPE_CHECKING:
    import numpy
    import torch

PIECES_AT_ONCE = 4_096

Ids = Sequence[int]


@dataclass
class Student:
    """The layers in training; `renumber` turns ids of pieces into rows of its embeddings.

    `rows` are the ids of those rows, once only what is read is left of them. With `bf16` vectors of
    many texts are computed in bfloat16, whatever the weights are in.
    """

    body: Any
    reader: TextReader
    pooling: str
    device: str
    bf16: bool = False
    renumber: Callable[[Sequence[Ids]], list[list[int]]] = lambda ids: [[*text] for text in ids]
    rows: Sequence[int] = ()

    def read(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the ids of texts."""
        return self.reader.ids(texts)

    def pad(self, ids: Sequence[Ids]) -> Padded:
        """Return texts side by side, as rows of the embeddings."""
        return padded(self.renumber(ids), self.reader.pad, self.device)

    def states(self, batch: Padded, *, train: bool) -> "torch.Tensor":
        """Return the states of the last layer (texts, length, width)."""
        self.body.train(train)
        states: torch.Tensor = self.body(
            input_ids=batch.pieces, attention_mask=batch.kept.long()
        ).last_hidden_state
        return states

    def vectors(self, ids: Sequence[Ids], *, train: bool) -> "torch.Tensor":
        """Return one vector a text (texts, width), float32, pooled as the encoder pools."""
        batch = self.pad(ids)
        return pooled(self.states(batch, train=train), batch.kept, self.pooling)

    def encode(self, ids: Sequence[Ids]) -> "numpy.ndarray":
        """Return the vectors of many texts (texts, width), without dropout."""
        import numpy
        import torch

        found = numpy.zeros((len(ids), self.body.config.hidden_size), numpy.float32)
        quicker = torch.autocast(self.device, torch.bfloat16, enabled=self.bf16)
        with torch.inference_mode(), quicker:
            for part in parts_of(range(len(ids)), [len(text) for text in ids], PIECES_AT_ONCE):
                vectors = self.vectors([ids[place] for place in part], train=False)
                found[part] = vectors.cpu().numpy()
        return found
