"""chrF of the dev text in the middle of a training: greedy translations by the model as it is."""

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from sacrebleu.metrics import chrf

from models.subwords import Subwords

LONGER, AND = 2, 10
"""A translation has at most so many times the source's pieces, and so many more."""


def dev_chrf(trainer: Any, *, subwords: Subwords) -> float:
    """Return the chrF over the dev text of all directions, in all processes that train together."""
    metric = chrf.CHRF()
    total: torch.Tensor | None = None
    for made, wanted in _translations(trainer, subwords):
        counts = torch.tensor(metric._extract_corpus_statistics(made, [wanted]))  # (lines, counts)
        total = counts.sum(0) if total is None else total + counts.sum(0)
    size = 3 * metric.char_order  # of each order: n-grams of both sides, and those they share
    total = torch.zeros(size, dtype=torch.long) if total is None else total
    if trainer.data_parallel_world_size > 1:
        from fairseq.distributed import utils

        total = utils.all_reduce(
            total.to(trainer.device), group=trainer.data_parallel_process_group
        ).cpu()
    return float(metric._compute_f_score(total.tolist()))


def _translations(trainer: Any, subwords: Subwords) -> Iterator[tuple[list[str], list[str]]]:
    """Yield translations and references, a batch at a time."""
    from fairseq.sequence_generator import SequenceGenerator

    task = trainer.task
    words = task.target_dictionary
    options = {"beam_size": 1, "max_len_a": LONGER, "max_len_b": AND}
    generator = SequenceGenerator([trainer.get_model()], words, **options)
    batches = trainer.get_valid_iterator("valid")
    for batch in batches.next_epoch_itr(shuffle=False, set_dataset_epoch=False):
        sample, empty = trainer._prepare_sample(batch)
        if empty:  # of a process that has no batch left while others have
            continue
        found = task.inference_step(generator, [trainer.get_model()], sample)
        made = [best[0]["tokens"] for best in found]
        yield _texts(made, words, subwords), _texts(sample["target"], words, subwords)


def _texts(lines: Sequence[torch.Tensor], words: Any, subwords: Subwords) -> list[str]:
    marks = {words.pad(), words.eos(), words.bos()}
    return subwords.decode([[words[i] for i in line.tolist() if i not in marks] for line in lines])
