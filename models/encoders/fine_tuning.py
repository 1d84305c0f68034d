"""How a pretrained encoder is fine-tuned on labelled text: the values that decide the result."""

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge, Gt, Le, Lt

Part = Annotated[float, Ge(0), Lt(1)]


@dataclass(frozen=True, kw_only=True)
class Lora:
    """Updates of low rank for queries and values of attention; all else stays (Hu et al. 2022).

    * ``rank``: of an update; ``alpha`` over rank is what it is multiplied with, 2 where unset.
    """

    rank: Annotated[int, Ge(1), Le(1024)] = 8
    alpha: Annotated[float, Gt(0)] | None = None


@dataclass(frozen=True, kw_only=True)
class FineTuning:
    """One budget for every text that an encoder is fine-tuned on.

    * ``pooling``: the vector of a text is the mean over its pieces or the first one's; none
      for the encoder's own way.
    * ``max_pieces``: where a text is cut, unless the encoder takes fewer.
    * ``dropout``: share of states and attention that is dropped.
    * ``body_rate``, ``head_rate``: peak learning rates of the encoder and of the linear head;
      reached after the share ``warmup`` of the updates, then they fall to zero on a line.
    * ``weight_decay``: of matrices (Loshchilov and Hutter 2019); not of biases, norms and
      embeddings, so that pieces which no training text holds stay as they were pretrained.
    * ``clip``: highest norm of a gradient.
    * ``batch``: texts of similar length in an update.
    * ``epochs``: passes over the text; more where they make fewer than ``least_updates`` (short
      trainings on few items fail by chance: Mosbach et al. 2021).
    * ``frozen_layers``: so many of the lowest layers do not move, nor the embeddings below them;
      0 trains everything.
    * ``lora``: trains small matrices beside the encoder's instead of the encoder (``body_rate`` is
      theirs then, and wants to be some ten times as high); the head is trained as ever.
    * ``class_weights``: `balanced` has every class weigh alike in the loss, however rare.
    * ``keep``: `average` is the mean of the weights at the last ``averaged`` of ``looks`` evenly
      spaced points (Schmidt et al. 2023), which needs no dev set; `best` takes the point with the
      best macro-F1 on the dev set and stops after ``patience`` points without a better one
      (without a dev set it is `average`); `last` takes the end.
    * ``precision``: ``auto`` is bf16 on a GPU that has it, and on a processor that multiplies
      clearly sooner in it, which is measured once for a store.
    """

    pooling: Literal["mean", "first"] | None = None
    max_pieces: Annotated[int, Ge(8)] = 128
    dropout: Part = 0.1
    body_rate: Annotated[float, Gt(0)] = 1e-4
    head_rate: Annotated[float, Gt(0)] = 1e-3
    warmup: Part = 0.1
    weight_decay: Annotated[float, Ge(0)] = 0.01
    clip: Annotated[float, Gt(0)] = 1.0
    batch: Annotated[int, Ge(1)] = 32
    epochs: Annotated[int, Ge(1)] = 4
    least_updates: Annotated[int, Ge(1)] = 100
    frozen_layers: Annotated[int, Ge(0)] = 0
    lora: Lora | None = None
    class_weights: Literal["none", "balanced"] = "none"
    keep: Literal["average", "best", "last"] = "average"
    looks: Annotated[int, Ge(1), Le(1000)] = 10
    averaged: Annotated[int, Ge(1)] = 5
    patience: Annotated[int, Ge(1)] = 3
    precision: Literal["auto", "bf16", "fp32"] = "auto"
