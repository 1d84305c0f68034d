"""Back-translate monolingual text into synthetic bitext (Sennrich et al. 2016)."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from annotated_types import Ge, Gt, MinLen

from tasks.records import BACK_TRANSLATED, Record, RecordWriter, check_same_ids


@dataclass(frozen=True, kw_only=True)
class BackTranslationRecipe:
    """How much synthetic text to make, with which engines, and how to mix it in.

    Tagged sources (Caswell et al. 2019) and beam search, which is best below about 100,000 pairs
    (Edunov et al. 2018). `human_repeats` is how often the human text stands beside the synthetic.
    Each engine translates all the text: `nmt`, the model of the round before, and `gloss`, whose
    copies and word-by-word order are poorer but whose words are surer while the model is young.
    `task_text` also back-translates the tasks' training texts in the hub language, without their
    labels, on top of `max_sentences`: the model meets the domain it will translate. The text of a
    direction is translated in so many `shards`, which workers take one by one.
    """

    rounds: Annotated[int, Ge(0)] = 1
    engines: Annotated[tuple[Literal["nmt", "gloss"], ...], MinLen(1)] = ("nmt",)
    beam: Annotated[int, Ge(1)] = 4
    max_sentences: Annotated[int, Ge(1)] = 20_000
    max_length_ratio: Annotated[float, Gt(1)] = 2.0
    human_repeats: Annotated[int, Ge(1)] = 1
    task_text: bool = False
    shards: Annotated[int, Ge(1)] = 1


def shard(real: Sequence[Record], number: int, of: int) -> Sequence[Record]:
    """Return one of so many parts of a text, which have the same size and keep its order."""
    return real[len(real) * number // of : len(real) * (number + 1) // of]


def write_synthetic_bitext(
    real: Sequence[Record],
    synthetic: Sequence[Record],
    *,
    max_length_ratio: float,
    source: str,
    target: str,
    out: Path,
) -> dict[str, object]:
    """Write the bitext from synthetic `source` text to the real `target` text it was made of.

    Both are (id, text) records, in the same order. Ids stay those of the real sentences. Returns
    counts of read, kept and dropped by reason.
    """
    step = f"back-translation {target}-{source}"
    check_same_ids(step, [r["id"] for r in real], [r["id"] for r in synthetic])
    dropped: Counter[str] = Counter()
    with RecordWriter(out, ["id", source, target, "origin"]) as writer:
        for human, made in zip(real, synthetic, strict=True):
            reason = _reason_to_drop(made["text"], human["text"], max_length_ratio)
            if reason:
                dropped[reason] += 1
                continue
            texts = {source: made["text"], target: human["text"]}
            writer.write({"id": human["id"], **texts, "origin": BACK_TRANSLATED})
        kept = writer.written
    return {"read": len(real), "kept": kept, "dropped": dict(dropped)}


def _reason_to_drop(synthetic: str, real: str, max_ratio: float) -> str | None:
    lengths = sorted((len(synthetic), len(real)))
    if not synthetic:
        return "empty"
    if lengths[1] > max_ratio * lengths[0]:
        return "length_ratio"
    return None
