"""The hyperparameters of one NMT training; each changes the result, so each is in the spec."""

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge, Gt, Le, Lt

Share = Annotated[float, Ge(0), Lt(1)]


@dataclass(frozen=True, kw_only=True)
class Stop:
    """When training has stopped paying: a phase ends, and its best checkpoint is kept.

    * ``patience``: looks at the dev text without a better value after which a phase ends.
    * ``metric``: what a look takes: the ``loss``, or the ``chrF`` of greedy translations over all
      directions, which takes longer: ``validation_pairs`` says how many lines of each are read.
    """

    patience: Annotated[int, Ge(1)] = 5
    metric: Literal["loss", "chrF"] = "loss"


@dataclass(frozen=True, kw_only=True)
class NmtRecipe:
    """A small pre-norm transformer for a few thousand sentence pairs per direction.

    Defaults follow what low-resource studies agree on (Araabi and Monz 2020; Sennrich and Zhang
    2019): few layers, narrow, strong dropout, shared embeddings.

    * ``encoder_layers``, ``decoder_layers``: layers of each side.
    * ``width``: of embeddings and states; ``feed_forward``: of the layers between; ``heads``: of
      attention, which must divide the width.
    * ``dropout``: share of states that are dropped; ``label_smoothing``: share of the probability
      that goes to all other pieces (Szegedy et al. 2016).
    * ``learning_rate``: its peak, reached after ``warmup_updates``; then it falls with the inverse
      square root of the updates.
    * ``batch_tokens``: target subwords in an update, of each process.
    * ``stop``: when a phase has stopped paying.
    * ``max_updates``: of the first phase, on all text, at most: by default more than it needs, so
      that `stop` ends it; a small number is a fixed budget.
    * ``fine_tune_updates``: as many at most of a second phase on the human text alone, without
      copies and synthetic text (pretrain, then fine-tune: best of the low-resource mixtures in
      Abdulmumin et al. 2021).
    * ``validate_every``: updates between two looks at the dev text; the best checkpoint is kept.
    * ``validation_pairs``: dev pairs of each direction that such a look reads, drawn evenly, since
      shipped dev sets of thousands would take most of a training's time.
    * ``sampling_temperature``: 1 draws directions by their size, more evens them out.
    * ``copied_text``: each direction also copies its target text (Currey et al. 2017): attention
      finds its diagonal early.
    * ``joined_share``: share of training lines that are two sentences in a row (Nguyen et al.
      2021): a model that saw only short lines stops in the middle of long ones.
    * ``precision``: of training; ``auto`` is bf16 on a GPU that has it, and on a processor that
      multiplies clearly sooner in it, which is measured once for a store.
    * ``translation``: ``auto`` translates in int8 (on a GPU: float16) where that costs no more
      than 0.3 BLEU on the dev text.
    * ``processes``: train in parallel on a batch each (torch.distributed), on a GPU each where
      there are any: an update then sees as many batches.
    * ``seed``: of the first replicate; the others count on from it.
    """

    encoder_layers: Annotated[int, Ge(1)] = 3
    decoder_layers: Annotated[int, Ge(1)] = 2
    width: Annotated[int, Ge(8)] = 256
    feed_forward: Annotated[int, Ge(8)] = 512
    heads: Annotated[int, Ge(1)] = 4
    dropout: Share = 0.3
    label_smoothing: Share = 0.1
    learning_rate: Annotated[float, Gt(0)] = 3e-3
    warmup_updates: Annotated[int, Ge(1)] = 400
    batch_tokens: Annotated[int, Ge(512)] = 2048
    stop: Stop = Stop()
    max_updates: Annotated[int, Ge(1)] = 40_000
    fine_tune_updates: Annotated[int, Ge(0)] = 0
    validate_every: Annotated[int, Ge(1)] = 500
    validation_pairs: Annotated[int, Ge(1)] = 500
    sampling_temperature: Annotated[float, Ge(1), Le(100)] = 1.5
    copied_text: bool = False
    joined_share: Share = 0.0
    precision: Literal["auto", "bf16", "fp32"] = "auto"
    translation: Literal["auto", "float32"] = "auto"
    processes: Annotated[int, Ge(1)] = 1
    seed: int = 1

    @property
    def all_updates(self) -> int:
        """The updates of both phases at most: `stop` may end either sooner."""
        return self.max_updates + self.fine_tune_updates
