"""Small random encoders in folders, as the pipeline publishes pretrained ones."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import (
    BertConfig,
    BertModel,
    DebertaV2Config,
    DebertaV2Model,
    PreTrainedTokenizerFast,
    XLMRobertaConfig,
    XLMRobertaModel,
)

SHAPES = {
    "bert": (BertConfig, BertModel),
    "xlm-r": (XLMRobertaConfig, XLMRobertaModel),
    "deberta": (DebertaV2Config, DebertaV2Model),
}
SPECIAL = ("<s>", "<pad>", "</s>", "<unk>")


def write_encoder(
    folder: Path,
    words: Sequence[str],
    *,
    shape: str = "bert",
    layers: int = 2,
    prefix: str = "",
    pooling: str = "mean",
    max_pieces: int = 60,
) -> Path:
    """Write an encoder of random weights that knows some words; return its folder."""
    vocabulary = {piece: number for number, piece in enumerate([*SPECIAL, *words])}
    _tokenizer(vocabulary).save_pretrained(folder / "huggingface")
    configure, model = SHAPES[shape]
    config: Any = configure(
        vocab_size=len(vocabulary),
        hidden_size=16,
        num_hidden_layers=layers,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=64,
        bos_token_id=0,
        pad_token_id=1,
        eos_token_id=2,
        initializer_range=0.3,
    )
    torch.manual_seed(1)
    model(config).save_pretrained(folder / "huggingface")
    said = {"prefix": prefix, "pooling": pooling, "max_pieces": max_pieces}
    (folder / "encoder.json").write_text(json.dumps(said), encoding="utf-8")
    return folder


def _tokenizer(vocabulary: dict[str, int]) -> PreTrainedTokenizerFast:
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token=SPECIAL[3]))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    bos, pad, eos, unk = SPECIAL
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=bos,
        cls_token=bos,
        pad_token=pad,
        eos_token=eos,
        sep_token=eos,
        unk_token=unk,
    )
