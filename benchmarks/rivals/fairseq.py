"""Stock fairseq: its own commands, criterion, kernels and optimiser step, in fp32."""

import sys
from pathlib import Path

from benchmarks.material import Material, fairseq_trainer
from benchmarks.measuring import MOST_PIECES, run
from models.support.processes import python_module
from tasks.mt.training import ModelData

COMMAND = (
    "from models.nmt.launch import allow_checkpoint_types as allow; allow(); "
    "from fairseq_cli import {0}; {0}.cli_main()"
)
GENERATION_TOKENS = 4096


def command(name: str) -> list[str]:
    """Return the argv of `fairseq-<name>`; all it adds is that torch may load its checkpoints."""
    return [sys.executable, "-P", "-c", COMMAND.format(name)]


def stock_options(options: list[str]) -> list[str]:
    """Return our training options with fairseq's own criterion and without autocast."""
    stock = [option for option in options if option != "--autocast-bf16"]
    stock[stock.index("--criterion") + 1] = "label_smoothed_cross_entropy"
    return stock


def train(options: list[str]) -> str:
    """Train with `fairseq-train`; return its log."""
    return run([*command("train"), *stock_options(options)])


def write_checkpoint(material: Material, published: Path) -> Path:
    """Write a published model back as a checkpoint that fairseq loads."""
    path = material.folder / "published.pt"
    run(python_module("benchmarks.rivals.fairseq", published, path, *material.options("none", 1)))
    return path


def generate(
    data: ModelData, binary: Path, checkpoint: Path, direction: tuple[str, str], beam: int
) -> str:
    """Translate the test set of binary data with `fairseq-generate`; return its log."""
    pairs = ",".join(f"{a}-{b}" for a, b in data.directions)
    options = [
        *(str(binary), "--path", str(checkpoint), "--gen-subset", "test"),
        *("--task", "translation_multi_simple_epoch", "--encoder-langtok", "tgt"),
        *("--langs", ",".join(data.languages), "--lang-pairs", pairs),
        *("--source-lang", direction[0], "--target-lang", direction[1], "--beam", str(beam)),
        *("--max-tokens", str(GENERATION_TOKENS), "--max-len-b", str(MOST_PIECES)),
        *("--required-batch-size-multiple", "1", "--num-workers", "0"),
    ]
    return run([*command("generate"), *options])


def main(published: Path, path: Path, options: list[str]) -> None:
    """Write a checkpoint: called by `write_checkpoint` in a child."""
    from transformers import M2M100ForConditionalGeneration

    _, trainer = fairseq_trainer(options)
    weights = M2M100ForConditionalGeneration.from_pretrained(published).state_dict()
    state = {name.removeprefix("model."): tensor for name, tensor in weights.items()}
    state["decoder.output_projection.weight"] = state["lm_head.weight"]
    missing = trainer.model.load_state_dict(state, strict=False).missing_keys
    if any("version" not in name and "_float_tensor" not in name for name in missing):
        raise SystemExit(f"the published model lacks {missing}")
    trainer.consolidate_optimizer()
    trainer.save_checkpoint(str(path), {})


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
