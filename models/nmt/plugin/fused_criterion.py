"""Label-smoothed cross-entropy under bf16 autocast, fused with the output projection.

Same value as fairseq's `label_smoothed_cross_entropy`. Living in the criterion rather than in a
task, it leaves the checkpoint readable by stock fairseq tools: nothing of ours is needed to load
it.
"""

from dataclasses import dataclass, field
from typing import Any

import torch
from fairseq.criterions import register_criterion
from fairseq.criterions.label_smoothed_cross_entropy import (
    LabelSmoothedCrossEntropyCriterion,
    LabelSmoothedCrossEntropyCriterionConfig,
)

from models.nmt.plugin.fused_loss import projected_cross_entropy


@dataclass
class FusedCriterionConfig(LabelSmoothedCrossEntropyCriterionConfig):
    """fairseq's options and the one that switches bfloat16 on."""

    autocast_bf16: bool = field(default=False, metadata={"help": "multiply in bfloat16"})


@register_criterion("fused_label_smoothed_cross_entropy", dataclass=FusedCriterionConfig)
class FusedLabelSmoothedCrossEntropy(LabelSmoothedCrossEntropyCriterion):
    """Drop-in for fairseq's criterion with a transformer: equal loss, less memory traffic."""

    def __init__(
        self, task: Any, sentence_avg: bool, label_smoothing: float, autocast_bf16: bool
    ) -> None:
        super().__init__(task, sentence_avg, label_smoothing)
        self.autocast_bf16 = autocast_bf16

    def forward(
        self, model: Any, sample: dict[str, Any], reduce: bool = True
    ) -> tuple[torch.Tensor, int, dict[str, Any]]:
        """Return loss, its denominator and what fairseq logs; `reduce` is always taken as true."""
        device = sample["target"].device.type
        autocast = torch.autocast(device, torch.bfloat16, enabled=self.autocast_bf16)
        with autocast:
            features, _ = model(**sample["net_input"], features_only=True)  # (batch, length, C)
            loss, nll = projected_cross_entropy(
                features,
                model.decoder.output_projection.weight,
                sample["target"],
                smoothing=self.eps,
                padding=self.padding_idx,
            )
        sentences = sample["target"].size(0)
        sample_size = sentences if self.sentence_avg else sample["ntokens"]
        logged = {
            "loss": loss.data,
            "nll_loss": nll.data,
            "ntokens": sample["ntokens"],
            "nsentences": sentences,
            "sample_size": sample_size,
        }
        return loss, sample_size, logged
