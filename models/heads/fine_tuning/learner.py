"""Fine-tuning as a way to fit classifiers: what a linear head on frozen vectors competes with."""

import hashlib
import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from models.encoders.fine_tuning import FineTuning
from models.encoders.pretrained.folders import EncoderSettings
from models.encoders.pretrained.reading import TextReader
from models.heads.fine_tuning.classifier import (
    Tuned,
    TunedClassifier,
    probabilities,
    write_classifier,
)
from models.heads.fine_tuning.labelling import Items, Labelling
from models.heads.fine_tuning.network import Network
from models.heads.protocol import Examples, Site
from models.support.errors import SourceError
from models.tuning.batches import plan_updates, updates_a_pass
from models.tuning.body import CutPieces, freeze, load_body
from models.tuning.computing import (
    computed_in,
    computing_device,
    give_back_memory,
    save_memory,
    settled_precision,
)
from models.tuning.lora import add_adapters
from models.tuning.optimizer import FlatAdamW, Group, groups_of
from models.tuning.training import Course, TrainingRun

FINISHED, PRECISION = "classifier", "precision"
CHECKPOINTS = "training"


class FineTuningLearner:
    """Fine-tunes a published encoder; every classifier and checkpoint has its place in scratch."""

    def __init__(self, recipe: FineTuning, site: Site) -> None:
        if site.encoder is None:
            raise SourceError("fine-tuning needs the folder of a published encoder")
        self.recipe, self.site, self.encoder = recipe, site, site.encoder
        self.fitted = 0

    def fit(self, train: Examples, dev: Examples, seed: int) -> TunedClassifier:
        """Fine-tune on all of the training text, or what is left of it after a kill.

        Raises SourceError for a training text without items.
        """
        if not len(train.labels):
            raise SourceError("there is no training text to fine-tune an encoder on")
        folder = self.site.scratch / f"seed-{seed}-{_digest(train, dev, self.recipe)}"
        if not (folder / FINISHED).exists():
            self._train(train, dev, seed, folder)
            give_back_memory()
            shutil.rmtree(folder / CHECKPOINTS, ignore_errors=True)
        self.fitted += 1
        return self.load(folder / FINISHED)

    def chosen(self, train: Examples, dev: Examples) -> dict[str, Any]:
        """Return nothing: the recipe decides all."""
        return {}

    def load(self, folder: Path) -> TunedClassifier:
        """Read a classifier."""
        self._prepare()
        return TunedClassifier(self.encoder, folder, device=computing_device())

    def _prepare(self) -> None:
        """Compute as often alike as the machine can, in as little memory."""
        import torch

        save_memory()
        torch.set_num_threads(self.site.threads)

    def _train(self, train: Examples, dev: Examples, seed: int, folder: Path) -> None:
        import torch

        self._prepare()
        recipe, device = self.recipe, computing_device()
        said = self._said(train.labels, folder)
        reader = TextReader(self.encoder, said.settings)
        body = load_body(self.encoder, dropout=recipe.dropout, device=device)
        torch.manual_seed(seed)
        merge = add_adapters(body, recipe.lora) if recipe.lora else None
        freeze(body, recipe.frozen_layers)
        read, looked_at = reader.ids(train.inputs), reader.ids(dev.inputs)
        cut = CutPieces(body, [*read, *looked_at])
        torch.manual_seed(seed)
        network = Network.fresh(
            body,
            len(said.classes),
            pooling=said.pooling,
            pad=reader.pad,
            dropout=recipe.dropout,
            device=device,
        )
        dtype = computed_in(said.precision)
        number = {label: place for place, label in enumerate(said.classes)}
        items = Items(cut.renumber(read), [number[label] for label in train.labels])
        objective = Labelling(network, items, recipe)
        training = TrainingRun(
            objective,
            _course(objective.lengths, recipe, seed),
            FlatAdamW(groups_of_network(network, recipe), dtype),
            seed=seed,
            device=device,
            scratch=folder / CHECKPOINTS,
            score=_dev_score(network, cut.renumber(looked_at), dev.labels, said.classes),
            on_update=self._reporter(),
        )
        body.to(dtype)  # what is frozen; the rest is in this type already
        training.run()
        table = body.get_input_embeddings().weight
        rows = sorted({piece for text in read for piece in text} if table.requires_grad else ())
        if merge:
            training.optimizer.unfold()
            merge()
        places = cut.renumber([rows])[0]
        write_classifier(folder / FINISHED, network, said, rows=rows, embeddings=table[places])

    def _said(self, labels: Sequence[str], folder: Path) -> Tuned:
        own = EncoderSettings.read(self.encoder)
        return Tuned(
            classes=sorted(set(labels)),
            precision=settled_precision(
                self.recipe.precision, self.encoder, folder / PRECISION, self.site.machine_notes
            ),
            prefix=own.prefix,
            pooling=self.recipe.pooling or own.pooling,
            max_pieces=min(self.recipe.max_pieces, own.max_pieces),
        )

    def _reporter(self) -> Callable[[int, int, float], None]:
        """Return what tells of each update."""
        number, seeds = self.fitted, max(self.site.seeds, self.fitted + 1)

        def report(done: int, total: int, loss: float) -> None:
            status = f"seed {number + 1} of {seeds}, update {done:,} of {total:,}, loss {loss:.3f}"
            self.site.on_progress((number + done / total) / seeds, status)

        return report


def groups_of_network(network: Network, recipe: FineTuning) -> list[Group]:
    """Return the parameters of encoder and head with their rates."""
    body = groups_of(network.body, recipe.body_rate, recipe.weight_decay)
    return [*body, *groups_of(network.head, recipe.head_rate, recipe.weight_decay)]


def _course(lengths: Sequence[int], recipe: FineTuning, seed: int) -> Course:
    a_pass = updates_a_pass(len(lengths), recipe.batch)
    total = max(recipe.epochs * a_pass, recipe.least_updates)
    return Course(
        updates=plan_updates(lengths, batch=recipe.batch, updates=total, seed=seed),
        warmup=recipe.warmup,
        clip=recipe.clip,
        keep=recipe.keep,
        looks=recipe.looks,
        averaged=recipe.averaged,
        patience=recipe.patience,
    )


def _digest(train: Examples, dev: Examples, recipe: FineTuning) -> str:
    """Return a short name of what is trained on, and how."""
    given = [list(train.inputs), list(train.labels), list(dev.inputs), list(dev.labels)]
    return hashlib.sha256(json.dumps([given, asdict(recipe)]).encode()).hexdigest()[:12]


def _dev_score(
    network: Network,
    ids: Sequence[Sequence[int]],
    gold: Sequence[str],
    classes: Sequence[str],
) -> Callable[[], float] | None:
    """Return what scores the network as it is on the dev set; None where there is none."""
    if not len(gold):
        return None

    def score() -> float:
        from sklearn.metrics import f1_score

        answers = [classes[place] for place in probabilities(network, ids).argmax(1)]
        return float(f1_score(list(gold), answers, average="macro", zero_division=0))

    return score
