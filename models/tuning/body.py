"""The layers of a published encoder, to be trained: loaded, frozen in part, cut."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from models.encoders.pretrained.folders import HUGGINGFACE, be_quiet
from models.support.errors import SpecError
from models.tuning.attention import choose_attention

DROPOUTS = ("hidden_dropout_prob", "attention_probs_dropout_prob", "dropout", "attention_dropout")
"""What configurations call the share of states and attention that is dropped."""


def load_body(folder: Path, *, dropout: float, device: str) -> Any:
    """Load a published encoder in float32, without a pooler, its attention made for short texts."""
    import torch
    from transformers import AutoConfig, AutoModel

    be_quiet()
    path = folder / HUGGINGFACE
    config: Any = AutoConfig.from_pretrained(path, local_files_only=True)
    for name in DROPOUTS:
        if hasattr(config, name):
            setattr(config, name, dropout)
    body: Any = AutoModel.from_pretrained(
        path, config=config, dtype=torch.float32, local_files_only=True, use_safetensors=True
    )
    if getattr(body, "pooler", None) is not None:
        body.pooler = None
    choose_attention(body, device)
    return body.to(device)


def freeze(body: Any, layers: int) -> None:
    """Keep the lowest layers, and the embeddings below them, as they are."""
    import torch

    if not layers:
        return
    count = body.config.num_hidden_layers
    stacks = (module for module in body.modules() if isinstance(module, torch.nn.ModuleList))
    stack = next((stack for stack in stacks if len(stack) == count), None)
    if stack is None:
        raise SpecError("frozen_layers: this encoder's layers cannot be told apart; leave it out")
    if layers > count:
        raise SpecError(
            f"frozen_layers is {layers}, but the encoder has {count} layers: at most {count}"
        )
    upper = {id(p) for layer in stack[layers:] for p in layer.parameters()}
    lower = {id(p) for layer in stack[:layers] for p in layer.parameters()}
    below = {id(p) for name, p in body.named_parameters() if name.startswith("embeddings")}
    for parameter in body.parameters():
        if id(parameter) in lower | below and id(parameter) not in upper:
            parameter.requires_grad_(False)


class CutPieces:
    """Leaves of an encoder's embeddings those rows alone that some texts use.

    What no training text holds gets no gradient and has no weight decay, so a training without
    these rows is the same training, sooner done and in less memory. Rows up to that of padding
    stay, since encoders know it by its number.
    """

    def __init__(self, body: Any, texts: Sequence[Sequence[int]]) -> None:
        import torch

        whole = body.get_input_embeddings()
        least = range((body.config.pad_token_id or 0) + 1)
        self.rows = sorted({*least, *(piece for text in texts for piece in text)})
        self._places = {piece: place for place, piece in enumerate(self.rows)}
        few = torch.nn.Embedding(len(self.rows), whole.weight.size(1), whole.padding_idx)
        few.weight.data = whole.weight.data[self.rows].clone()
        few.weight.requires_grad_(whole.weight.requires_grad)
        body.set_input_embeddings(few)

    def renumber(self, texts: Sequence[Sequence[int]]) -> list[list[int]]:
        """Return the places of pieces among the rows that are left."""
        return [[self._places[piece] for piece in text] for text in texts]
