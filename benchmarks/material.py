"""What trainings and translations are measured on: an experiment's own text, recipe and batches."""

import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.measuring import run
from models.nmt.binarize import BinarizePlan, TrainingText
from models.nmt.launch import allow_checkpoint_types
from models.nmt.recipe import NmtRecipe
from models.nmt.training import (
    MAX_POSITIONS,
    Batch,
    Schedule,
    resolve_precision,
    training_arguments,
)
from models.processes import python_module
from pipeline import running
from pipeline.dag import find_stages
from pipeline.specs.loading import load_experiment
from tasks.nmt_training import ModelData, PairFiles

BATCHES = "batches.pt"
START = "start"
"""The untrained model that all trainings begin with, as Hugging Face M2M-100."""


@dataclass(frozen=True)
class Material:
    """Binarized text of one experiment, and what a training of it needs."""

    data: ModelData
    recipe: NmtRecipe
    folder: Path
    monolingual: Path
    direction: tuple[str, str]

    @property
    def binary(self) -> Path:
        """fairseq's data, train and valid."""
        return self.folder / "data"

    def options(self, name: str, updates: int, *, validate_every: int | None = None) -> list[str]:
        """Return the fairseq options of a training; by default it validates at its end alone."""
        recipe = replace(self.recipe, validate_every=validate_every or updates)
        return training_arguments(
            recipe,
            Schedule(updates, recipe.learning_rate, recipe.warmup_updates),
            data=self.binary,
            checkpoints=self.folder / name,
            languages=self.data.languages,
            directions=self.data.directions,
            precision=resolve_precision(recipe),
            batch=Batch(recipe.batch_tokens),
            curves=self.folder / "curves" / name,
        )

    def binarize_test(self, text: Path, folder: Path) -> Path:
        """Write text of the direction as fairseq's data, a `test` set; return where it lies."""
        return binarize(self.data, [TrainingText(str(text), "test", *self.direction)], folder)


def binarize(data: ModelData, texts: list[TrainingText], folder: Path) -> Path:
    """Write texts as fairseq's data under a folder; return where they lie."""
    folder.mkdir(parents=True)
    binary = folder / "data"
    pieces = MAX_POSITIONS - 2
    plan = BinarizePlan(str(data.subwords), str(binary), data.languages, pieces, texts)
    plan.save(folder / "plan.json")
    run(python_module("models.nmt.binarize", folder / "plan.json"))
    return binary


def prepare(experiment: str, folder: Path) -> Material:
    """Build the text of an experiment in the store, and binarize it in `folder`."""
    study = load_experiment(experiment)
    stages = {
        name: find_stages(experiment, name)
        for name in ("SubwordModel", "TrainingBitext", f"Monolingual:{study.hub}")
    }
    running.run([stage for found in stages.values() for stage in found])
    (subwords,) = stages["SubwordModel"]
    texts = {str(s.pair): s.artifact for s in stages["TrainingBitext"]}
    pairs = [
        PairFiles(
            language, texts[pair.name].path("train.parquet"), texts[pair.name].path("dev.parquet")
        )
        for pair, language in zip(study.pairs, study.languages, strict=True)
    ]
    model = subwords.artifact.path("subwords.model")
    data = ModelData(
        model,
        study.hub,
        pairs,
        synthetic=[],
        human_repeats=1,
        copied=study.nmt.copied_text,
        joined_share=study.nmt.joined_share,
    )
    binarize(data, data.texts(), folder)
    (monolingual,) = stages[f"Monolingual:{study.hub}"]
    text = monolingual.artifact.path("text.parquet")
    direction = (study.hub, study.languages[0])
    return Material(data, replace(study.nmt), folder, text, direction)


def export_batches(material: Material, updates: int) -> Path:
    """Write the start and the first batches of a training, for those who do not read fairseq's."""
    folder = material.folder / "exported"
    if not folder.exists():
        options = material.options("exported", updates)
        run(python_module("benchmarks.material", folder, str(updates), *options))
    return folder


def fairseq_trainer(options: list[str]) -> Any:
    """Build what `fairseq-train` builds from these options, from the same seed."""
    from fairseq import options as fairseq_options
    from fairseq import tasks, utils
    from fairseq.dataclass.utils import convert_namespace_to_omegaconf
    from fairseq.trainer import Trainer

    import models.nmt.plugin.fused_criterion  # noqa: F401  (its name is among the options)

    allow_checkpoint_types()
    parser = fairseq_options.get_training_parser()
    parsed = fairseq_options.parse_args_and_arch(parser, input_args=options)
    config = convert_namespace_to_omegaconf(parsed)
    utils.set_torch_seed(config.common.seed)
    task = tasks.setup_task(config.task)
    model, criterion = task.build_model(config.model), task.build_criterion(config.criterion)
    return parsed, Trainer(config, task, model, criterion)


def main(folder: Path, updates: int, options: list[str]) -> None:
    """Write batches and start model: called by `export_batches` in a child."""
    import torch

    from models.nmt.publish import huggingface_model

    parsed, trainer = fairseq_trainer(options)
    huggingface_model(parsed, trainer.model.state_dict()).save_pretrained(folder / START)
    batches = trainer.get_train_iterator(1, load_dataset=True).next_epoch_itr()
    found = [
        {
            "source": batch["net_input"]["src_tokens"],
            "previous": batch["net_input"]["prev_output_tokens"],
            "target": batch["target"],
        }
        for batch, _ in zip(batches, range(updates), strict=False)
    ]
    torch.save(found, folder / BATCHES)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
