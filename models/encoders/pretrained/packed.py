"""Read BERT encoders that are packed in one file with 4-bit weights (layout `E5S1`).

Little endian. A header of sizes; pieces with scores; a table of normalised characters; a directory
of tensors, each as float32 or in blocks of 32 weights: a float16 scale, then 16 bytes whose low
halves are the first 16 weights and whose high halves are the others, each (half - 8) * scale.
"""

import struct
import unicodedata
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from models.support.errors import SourceError

if TYPE_CHECKING:
    import numpy
    import tokenizers
    import transformers

MAGIC, VERSION = b"E5S1", 1
BLOCK_WEIGHTS, BLOCK_BYTES = 32, 18
FLOATS, BLOCKS = 0, 1
LAYER = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}
"""The parts of a layer, as the file and as `BertModel` name them."""
EMBEDDINGS = {"emb.word": "word", "emb.pos": "position", "emb.type": "token_type"}
BOS, PAD, EOS, UNK, MASK = "<s>", "<pad>", "</s>", "<unk>", "<mask>"
PRIVATE = "\uf8ff"
SPECIAL_TOKENS = {
    "bos_token": BOS,
    "cls_token": BOS,
    "eos_token": EOS,
    "sep_token": EOS,
    "pad_token": PAD,
    "unk_token": UNK,
    "mask_token": MASK,
}


class Sizes(NamedTuple):
    """The shape of the network."""

    width: int
    layers: int
    heads: int
    feed_forward: int
    vocabulary: int
    positions: int
    types: int


class Tensor(NamedTuple):
    """Where the values of a tensor lie."""

    form: int
    elements: int
    offset: int
    size: int


class PackedModel:
    """The content of a packed file; raises SourceError where it is cut short or of another kind."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._data = path.read_bytes()
        self._at = 0
        try:
            self._read_all()
        except (struct.error, ValueError, IndexError) as error:
            raise SourceError(f"{path}: not a sound {MAGIC.decode()} file: {error}") from error

    def _read_all(self) -> None:
        if self._take("4sI") != (MAGIC, VERSION):
            raise ValueError(f"it does not begin with {MAGIC.decode()}, version {VERSION}")
        self.sizes = Sizes(*self._take("7i"))
        self.epsilon, block = self._take("fi")
        if block != BLOCK_WEIGHTS:
            raise ValueError(f"blocks of {block} weights; {BLOCK_WEIGHTS} are read here")
        self._read_pieces()
        self._read_normalisation()
        self.tensors = dict(self._read_entry() for _ in range(*self._take("i")))
        last = max(tensor.offset + tensor.size for tensor in self.tensors.values())
        if last > len(self._data):
            raise ValueError(f"it ends after {len(self._data):,} of {last:,} bytes")

    def _take(self, form: str) -> tuple[Any, ...]:
        values = struct.unpack_from(f"<{form}", self._data, self._at)
        self._at += struct.calcsize(f"<{form}")
        return values

    def _read_pieces(self) -> None:
        count, self.bos, self.eos, self.pad, self.unk = self._take("5i")
        (length,) = self._take("Q")
        offsets = self._take(f"{count + 1}I")
        scores = self._take(f"{count}f")
        blob = self._data[self._at : self._at + length]
        self._at += length
        ends = pairwise(offsets)
        names = [blob[start:end].decode() for start, end in ends]
        self.pieces: list[tuple[str, float]] = list(zip(names, scores, strict=True))

    def _read_normalisation(self) -> None:
        count, _ = self._take("iI")
        self.normalised: dict[str, str] = {}
        for _ in range(count):
            code, length = self._take("IB")
            self.normalised[chr(code)] = "".join(map(chr, self._take(f"{length}I")))

    def _read_entry(self) -> tuple[str, Tensor]:
        (length,) = self._take("H")
        (name,) = self._take(f"{length}s")
        return name.decode(), Tensor(*self._take("BIQQ"))

    def array(self, name: str, width: int | None = None) -> "numpy.ndarray":
        """Return a tensor as float32: (elements,), or in rows of `width`."""
        import numpy

        found = self.tensors[name]
        raw = numpy.frombuffer(self._data, numpy.uint8, found.size, found.offset)
        if found.form == FLOATS:
            values = raw.view("<f4").copy()
        else:
            blocks = raw.reshape(-1, BLOCK_BYTES)
            scale = blocks[:, :2].copy().view("<f2").astype(numpy.float32)  # (blocks, 1)
            halves = numpy.concatenate([blocks[:, 2:] & 15, blocks[:, 2:] >> 4], axis=1)
            values = ((halves.astype(numpy.float32) - 8) * scale).reshape(-1)
        return values[: found.elements].reshape(-1, width) if width else values[: found.elements]

    @cached_property
    def model(self) -> "transformers.BertModel":
        """The encoder, without a pooler, which the file does not hold."""
        import torch
        from transformers import BertConfig, BertModel

        sizes = self.sizes
        config = BertConfig(
            vocab_size=sizes.vocabulary,
            hidden_size=sizes.width,
            num_hidden_layers=sizes.layers,
            num_attention_heads=sizes.heads,
            intermediate_size=sizes.feed_forward,
            max_position_embeddings=sizes.positions,
            type_vocab_size=sizes.types,
            layer_norm_eps=round(self.epsilon, 15),
            bos_token_id=self.bos,
            eos_token_id=self.eos,
            pad_token_id=self.pad,
            hidden_act="gelu",
        )
        model = BertModel(config, add_pooling_layer=False)
        state = {name: torch.from_numpy(array) for name, array in self._state().items()}
        model.load_state_dict(state)
        return model.eval()

    def _state(self) -> "dict[str, numpy.ndarray]":
        """Return every tensor by the name that `BertModel` has for it."""
        width, inner = self.sizes.width, self.sizes.feed_forward
        state = {
            f"embeddings.{name}_embeddings.weight": self.array(ours, width)
            for ours, name in EMBEDDINGS.items()
        }
        for form, kind in (("w", "weight"), ("b", "bias")):
            state[f"embeddings.LayerNorm.{kind}"] = self.array(f"emb.ln.{form}")
        for number in range(self.sizes.layers):
            for ours, name in LAYER.items():
                place = f"encoder.layer.{number}.{name}"
                columns = None if ours in ("aln", "oln") else inner if ours == "fo" else width
                state[f"{place}.weight"] = self.array(f"l{number}.{ours}.w", columns)
                state[f"{place}.bias"] = self.array(f"l{number}.{ours}.b")
        return state

    @cached_property
    def tokenizer(self) -> "tokenizers.Tokenizer":
        """The Unigram tokenizer: normalised, split at spaces, `▁` before every word."""
        from tokenizers import AddedToken, Tokenizer, models, normalizers, pre_tokenizers
        from tokenizers import processors as post
        from tokenizers.decoders import Metaspace

        missing = self.sizes.vocabulary - len(self.pieces)
        # rows without a piece keep their places, under names that no text holds
        pieces = [*self.pieces, *((f"{PRIVATE}{n}", 0.0) for n in range(missing))]
        tokenizer = Tokenizer(models.Unigram(pieces, unk_id=self.unk, byte_fallback=False))
        tokenizer.normalizer = normalizers.Sequence(
            [*(normalizers.Replace(c, to) for c, to in self._beyond_nfkc()), normalizers.NFKC()]
        )
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace(prepend_scheme="always")]
        )
        tokenizer.decoder = Metaspace(prepend_scheme="always")
        tokenizer.post_processor = post.TemplateProcessing(
            single=f"{BOS} $A {EOS}",
            pair=f"{BOS} $A {EOS} {EOS} $B {EOS}",
            special_tokens=[(BOS, self.bos), (EOS, self.eos)],
        )
        special = dict.fromkeys(self.special_tokens.values())
        tokenizer.add_special_tokens([AddedToken(token, special=True) for token in special])
        return tokenizer

    @property
    def special_tokens(self) -> dict[str, str]:
        """The special tokens among the pieces, by what they are for."""
        known = {piece for piece, _ in self.pieces}
        return {use: token for use, token in SPECIAL_TOKENS.items() if token in known}

    def _beyond_nfkc(self) -> list[tuple[str, str]]:
        """Return the characters that the file normalises in another way than NFKC does."""
        nfkc = unicodedata.normalize
        return [(c, to) for c, to in self.normalised.items() if nfkc("NFKC", c) != to]
