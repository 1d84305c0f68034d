"""A fine-tuned encoder on disk and at work: what differs from the pretrained one, and the head."""

import json
import shutil
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from models.encoders.pretrained.folders import EncoderSettings, Pooling
from models.encoders.pretrained.reading import TextReader
from models.heads.fine_tuning.network import Network
from models.nmt.precision import BF16
from models.support.batches import parts_of
from models.tuning.body import load_body
from models.tuning.computing import computed_in

if TYPE_CHECKING:
    import numpy
    import torch

WEIGHTS, SAID = "classifier.safetensors", "classifier.json"
BODY, ROWS, EMBEDDINGS, HEAD_WEIGHT, HEAD_BIAS = "body.", "rows", "embeddings", "weight", "bias"
PIECES_AT_ONCE = 4_096


class Tuned(NamedTuple):
    """What is to be known of a classifier beside its weights."""

    classes: list[str]
    precision: str
    prefix: str
    pooling: Pooling
    max_pieces: int

    @property
    def settings(self) -> EncoderSettings:
        """How it wants its text."""
        return EncoderSettings(prefix=self.prefix, pooling=self.pooling, max_pieces=self.max_pieces)


def stored_in(precision: str) -> "torch.dtype":
    """Return the 16-bit type that weights are stored in: all that bf16 has, most of float32."""
    import torch

    return torch.bfloat16 if precision == BF16 else torch.float16


def write_classifier(
    folder: Path, network: Network, said: Tuned, *, rows: Sequence[int], embeddings: Any
) -> None:
    """Write into a new folder what training has changed, whole or not at all.

    `rows` are the numbers of the pieces whose embeddings (rows, width) were trained.
    """
    import torch
    from safetensors.torch import save_file

    dtype = stored_in(said.precision)
    table = network.body.get_input_embeddings().weight
    changed = {
        BODY + name: parameter.detach().to(dtype).cpu().contiguous()
        for name, parameter in network.body.named_parameters()
        if parameter.requires_grad and parameter is not table
    }
    if len(rows):
        changed[ROWS] = torch.tensor(rows, dtype=torch.int32)
        changed[EMBEDDINGS] = embeddings.detach().to(dtype).cpu().contiguous()
    for name, parameter in ((HEAD_WEIGHT, network.head.weight), (HEAD_BIAS, network.head.bias)):
        changed[name] = parameter.detach().to(dtype).cpu().contiguous()
    draft = folder.with_name(folder.name + ".tmp")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    save_file(changed, draft / WEIGHTS)
    text = json.dumps(said._asdict(), ensure_ascii=False, indent=1)
    (draft / SAID).write_text(text, encoding="utf-8")
    draft.replace(folder)


class TunedClassifier:
    """A classifier that lies in a folder, upon the encoder that it was made of."""

    def __init__(self, encoder: Path, folder: Path, *, device: str) -> None:
        self.encoder, self.folder, self.device = encoder, folder, device
        self.said = Tuned(**json.loads((folder / SAID).read_text(encoding="utf-8")))

    @property
    def classes(self) -> list[str]:
        """The classes it knows."""
        return self.said.classes

    def predict(self, inputs: Sequence[str]) -> list[str]:
        """Return the likeliest class of each text."""
        return [self.said.classes[place] for place in self.probabilities(inputs).argmax(1)]

    def probabilities(self, inputs: Sequence[str]) -> "numpy.ndarray":
        """Return the probability of each class (texts, classes), the classes sorted."""
        return probabilities(self._network, self._reader.ids(inputs))

    def save(self, folder: Path) -> None:
        """Write weights and JSON into a new folder."""
        folder.mkdir(parents=True)
        for name in (WEIGHTS, SAID):
            shutil.copyfile(self.folder / name, folder / name)

    @cached_property
    def _reader(self) -> TextReader:
        return TextReader(self.encoder, self.said.settings)

    @cached_property
    def _network(self) -> Network:
        """The encoder with the weights that training changed."""
        import torch
        from safetensors.torch import load_file

        changed = load_file(self.folder / WEIGHTS, device=self.device)
        body = load_body(self.encoder, dropout=0.0, device=self.device)
        network = Network.fresh(
            body,
            len(self.said.classes),
            pooling=self.said.pooling,
            pad=self._reader.pad,
            dropout=0.0,
            device=self.device,
        )
        places = dict(body.named_parameters())
        with torch.no_grad():
            for name, values in changed.items():
                if name.startswith(BODY):
                    places[name.removeprefix(BODY)].copy_(values)
            if ROWS in changed:
                table = body.get_input_embeddings().weight
                table[changed[ROWS].long()] = changed[EMBEDDINGS].to(table.dtype)
            network.head.weight.copy_(changed[HEAD_WEIGHT])
            network.head.bias.copy_(changed[HEAD_BIAS])
        body.to(computed_in(self.said.precision))
        return network


def probabilities(network: Network, ids: Sequence[Sequence[int]]) -> "numpy.ndarray":
    """Return the probability of each class (texts, classes), float32."""
    import numpy
    import torch

    lengths = [len(text) for text in ids]
    found = numpy.zeros((len(ids), network.head.out_features), numpy.float32)
    with torch.inference_mode():
        for part in parts_of(range(len(ids)), lengths, PIECES_AT_ONCE):
            logits = network.logits([ids[place] for place in part])
            found[part] = torch.softmax(logits, 1).cpu().numpy()
    return found
