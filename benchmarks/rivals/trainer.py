"""Hugging Face: `Trainer` with length grouping on an encoder with a linear head.

As a child: `python -m benchmarks.rivals.trainer ENCODER TEXT UPDATES PRECISION OUT`.
"""

import json
import resource
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

from models.encoders.fine_tuning import FineTuning
from models.encoders.pretrained.folders import HUGGINGFACE, EncoderSettings
from models.encoders.pretrained.pooling import pooled
from models.encoders.pretrained.reading import TextReader
from models.heads.fine_tuning.network import HEAD_SPREAD
from models.support.batches import padded
from tasks.records import read_columns


class Material(NamedTuple):
    """What both learn from: the reader of an encoder, items with ids and class, the classes."""

    reader: TextReader
    items: list[dict[str, Any]]
    classes: list[str]


def train(encoder: Path, text: Path, updates: int, precision: str, out: Path) -> None:
    """Fine-tune with the values of our recipe; write seconds, pieces and loss of each update."""
    import torch
    from transformers import Trainer, TrainerCallback

    torch.set_num_threads(1)
    recipe, settings = FineTuning(), EncoderSettings.read(encoder)
    given = _material(TextReader(encoder, settings), text, recipe)
    points: list[dict[str, float]] = []
    seen: list[int] = []

    def collate(batch: list[dict[str, Any]]) -> dict[str, Any]:
        ids = [item["input_ids"] for item in batch]
        seen.append(sum(map(len, ids)))
        pieces, kept = padded(ids, given.reader.pad, "cpu")
        labels = torch.tensor([item["labels"] for item in batch])
        return {"input_ids": pieces, "attention_mask": kept.long(), "labels": labels}

    class Clock(TrainerCallback):  # type: ignore[misc]
        def on_log(self, _: Any, state: Any, __: Any, logs: Any = None, **___: Any) -> None:
            if logs and "loss" in logs:
                done = state.global_step
                seconds, loss = time.process_time(), float(logs["loss"])
                points.append({"seconds": seconds, "pieces": seen[done - 1], "loss": loss})

    class TwoRates(Trainer):  # type: ignore[misc]
        def create_optimizer(self, *_: Any) -> Any:
            groups = [
                {"params": self.model.body.parameters(), "lr": recipe.body_rate},
                {"params": self.model.head.parameters(), "lr": recipe.head_rate},
            ]
            decay = recipe.weight_decay
            self.optimizer = torch.optim.AdamW(groups, weight_decay=decay, fused=True)
            return self.optimizer

    TwoRates(
        _network(encoder, settings, recipe, len(given.classes)),
        _options(recipe, updates, precision, out.parent / "trainer"),
        train_dataset=given.items,
        data_collator=collate,
        callbacks=[Clock()],
    ).train()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    out.write_text(json.dumps({"points": points, "mib": peak}), encoding="utf-8")


def _material(reader: TextReader, text: Path, recipe: FineTuning) -> Material:
    columns = read_columns(text, ["text", "label"])
    ids = [one[: recipe.max_pieces] for one in reader.ids(columns["text"])]
    classes = sorted(set(columns["label"]))
    items = [
        {"input_ids": one, "labels": classes.index(label), "length": len(one)}
        for one, label in zip(ids, columns["label"], strict=True)
    ]
    return Material(reader, items, classes)


def _network(encoder: Path, settings: EncoderSettings, recipe: FineTuning, classes: int) -> Any:
    """Return the encoder with a linear layer upon its pooled states, which gives its loss."""
    import torch
    from transformers import AutoModel

    class Tuned(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body: Any = AutoModel.from_pretrained(encoder / HUGGINGFACE, dtype=torch.float32)
            self.body.pooler = None
            self.head = torch.nn.Linear(self.body.config.hidden_size, classes)
            torch.nn.init.normal_(self.head.weight, std=HEAD_SPREAD)
            torch.nn.init.zeros_(self.head.bias)

        def forward(self, input_ids: Any, attention_mask: Any, labels: Any) -> dict[str, Any]:
            states = self.body(input_ids=input_ids, attention_mask=attention_mask)
            vectors = pooled(states.last_hidden_state, attention_mask, settings.pooling)
            scores = self.head(torch.nn.functional.dropout(vectors, recipe.dropout, self.training))
            return {"loss": torch.nn.functional.cross_entropy(scores.float(), labels)}

    return Tuned()


def _options(recipe: FineTuning, updates: int, precision: str, folder: Path) -> Any:
    from transformers import TrainingArguments

    return TrainingArguments(
        output_dir=str(folder),
        use_cpu=True,
        bf16=precision == "bf16",
        max_steps=updates,
        per_device_train_batch_size=recipe.batch,
        train_sampling_strategy="group_by_length",
        length_column_name="length",
        remove_unused_columns=False,
        warmup_steps=round(recipe.warmup * updates),
        max_grad_norm=recipe.clip,
        logging_steps=1,
        save_strategy="no",
        report_to=[],
        disable_tqdm=True,
        seed=1,
    )


if __name__ == "__main__":
    train(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4], Path(sys.argv[5]))
