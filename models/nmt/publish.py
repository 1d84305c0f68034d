"""Publish a fairseq checkpoint: `python -m models.nmt.publish CHECKPOINT DATA OUT`.

Writes `OUT/huggingface/` (safetensors in M2M-100 layout) and `OUT/ctranslate2/`. This is the one
place that unpickles a checkpoint, in a child process; everything after it loads these two folders.
"""

import sys
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from models.nmt.importing import import_fairseq
from models.nmt.launch import allow_checkpoint_types
from models.support.processes import die_with_parent

if TYPE_CHECKING:
    from torch import Tensor

HUGGINGFACE = "huggingface"
CTRANSLATE2 = "ctranslate2"
NOT_WEIGHTS = ("version", "_float_tensor", "output_projection", "embed_tokens")


def huggingface_state(state: dict[str, "Tensor"]) -> dict[str, "Tensor"]:
    """Rename fairseq parameters to those of M2M-100; the shared embedding is stored once."""
    renamed = {
        f"model.{name}": tensor
        for name, tensor in state.items()
        if not any(part in name for part in NOT_WEIGHTS)
    }
    return {**renamed, "model.shared.weight": state["encoder.embed_tokens.weight"]}


def write_huggingface(args: Namespace, state: dict[str, "Tensor"], folder: Path) -> None:
    """Write the M2M-100 model that computes exactly what the fairseq model computes.

    Its class is not imported, which would take longer than all the rest.
    """
    from safetensors.torch import save_file
    from transformers import GenerationConfig, M2M100Config

    weights = huggingface_state(state)
    config = M2M100Config(
        architectures=["M2M100ForConditionalGeneration"],
        dtype="float32",
        vocab_size=weights["model.shared.weight"].shape[0],
        d_model=args.encoder_embed_dim,
        encoder_layers=args.encoder_layers,
        decoder_layers=args.decoder_layers,
        encoder_ffn_dim=args.encoder_ffn_embed_dim,
        decoder_ffn_dim=args.decoder_ffn_embed_dim,
        encoder_attention_heads=args.encoder_attention_heads,
        decoder_attention_heads=args.decoder_attention_heads,
        activation_function="relu",
        max_position_embeddings=args.max_source_positions,
        scale_embedding=True,
        encoder_layerdrop=0.0,
        decoder_layerdrop=0.0,
        decoder_start_token_id=2,
        bos_token_id=0,
        pad_token_id=1,
        eos_token_id=2,
    )
    config.save_pretrained(folder)
    GenerationConfig.from_model_config(config).save_pretrained(folder)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


def load_checkpoint(path: Path) -> tuple[Namespace, dict[str, "Tensor"]]:
    """Unpickle a checkpoint's arguments and weights with torch's safe loader."""
    import torch

    allow_checkpoint_types()
    checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    args = checkpoint["args"] or checkpoint["cfg"]["model"]
    return args, checkpoint["model"]


def publish(checkpoint: Path, data: Path, out: Path) -> None:
    """Write both published forms of `checkpoint`; `data` holds the dictionaries."""
    from ctranslate2.converters import FairseqConverter

    args, state = load_checkpoint(checkpoint)
    write_huggingface(args, state, out / HUGGINGFACE)
    source, target = args.lang_pairs.split(",")[0].split("-")
    FairseqConverter(str(checkpoint), str(data), source_lang=source, target_lang=target).convert(
        str(out / CTRANSLATE2)
    )


def main(arguments: list[str]) -> None:
    """Publish in this process."""
    die_with_parent()
    import_fairseq()
    from models.nmt.plugin import fused_criterion  # noqa: F401  (its name is in the checkpoint)

    publish(*map(Path, arguments))


if __name__ == "__main__":
    main(sys.argv[1:])
