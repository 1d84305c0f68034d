"""What trainings and translations are measured on: an experiment's own text, recipe and batches."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any

from benchmarks.measuring import run
from models.nmt.binarize import TrainingText
from models.nmt.binarize import binarize as write
from models.nmt.launch import allow_checkpoint_types
from models.nmt.precision import resolve_precision
from models.nmt.recipe import NmtRecipe
from models.nmt.training import (
    MAX_PIECES,
    Batch,
    Direction,
    PhaseFiles,
    Schedule,
    Step,
    TrainedText,
    training_arguments,
    training_server,
)
from models.subwords import Subwords
from models.support.processes import python_module
from pipeline.dag import find_stages
from pipeline.running import building
from pipeline.settings import cores
from pipeline.specs.loading import load_experiment
from pipeline.stages.systems.trained import TrainedModel, model_data
from tasks.mt.training import ModelData
from tasks.records import write_records

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
    direction: Direction

    @property
    def binary(self) -> Path:
        """fairseq's data, train and valid."""
        return self.folder / "data"

    @cached_property
    def precision(self) -> str:
        """What trainings of the recipe multiply in on this machine."""
        with training_server(self.folder, threads=cores()) as server:
            return resolve_precision(self.recipe, server=server, log=self.folder / "precision.log")

    def options(self, name: str, updates: int, *, validate_every: int | None = None) -> list[str]:
        """Return the fairseq options of a training; by default it validates at its end alone."""
        recipe = replace(self.recipe, validate_every=validate_every or updates)
        schedule = Schedule(updates, recipe.learning_rate, recipe.warmup_updates)
        return training_arguments(
            recipe,
            phase=PhaseFiles(self.binary, self.folder / name, self.folder / "curves" / name),
            text=TrainedText(self.data.languages, self.data.directions),
            step=Step(schedule, Batch(recipe.batch_tokens), self.precision),
        )


def binarize(data: ModelData, texts: list[TrainingText], folder: Path) -> Path:
    """Write texts as fairseq's data under a folder; return where they lie."""
    binary = folder / "data"
    write(Subwords(data.subwords), texts, data.languages, binary, max_pieces=MAX_PIECES)
    return binary


def binarize_test(
    data: ModelData, columns: Mapping[str, list[str]], direction: Direction, path: Path
) -> Path:
    """Write `id` and the source column as text, also as fairseq's `test` set; return the latter.

    The source stands in for the references, which nobody asks for.
    """
    source, target = direction
    write_records(path, {"id": columns["id"], source: columns[source], target: columns[source]})
    texts = [TrainingText(path, "test", source, target)]
    return binarize(data, texts, path.with_suffix(""))


def first_training(experiment: str) -> TrainedModel:
    """Return the first training of an experiment's first trained system."""
    systems = load_experiment(experiment).systems.items()
    name = next(name for name, system in systems if system.kind == "trained")
    return TrainedModel(experiment=experiment, system=name, replicate=0)


def prepare(experiment: str, folder: Path) -> Material:
    """Build the text of an experiment in the store, and binarize it in `folder`."""
    study = load_experiment(experiment)
    model = first_training(experiment)
    (monolingual,) = find_stages(experiment, f"Monolingual:{study.hub}")
    building.run([monolingual, *chain(*model.inputs.values())])
    data = model_data(model.spec(), model.built_inputs)
    binarize(data, data.texts(), folder)
    text = monolingual.artifact.path("text.parquet")
    return Material(data, model.spec().recipe, folder, text, (study.hub, study.languages[0]))


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

    from models.nmt.publish import write_huggingface

    parsed, trainer = fairseq_trainer(options)
    write_huggingface(parsed, trainer.model.state_dict(), folder / START)
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
