"""Test sentences with their translations, for people to read: scores do not say what is wrong."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from models.support.sampling import evenly
from tasks.mt.contests import DirectionTallies
from tasks.mt.scoring import CHRF, MEASURES

SENTENCES = 12
"""As many are shown of a direction, evenly drawn: the same ones of every system."""


@dataclass(frozen=True)
class ShownLine:
    """A test sentence, its reference, and what the first training makes of it, with its chrF++."""

    direction: str
    id: str
    source: str
    reference: str
    hypothesis: str
    score: float


def examples(
    direction: tuple[str, str],
    sides: Mapping[str, tuple[str, str]],
    hypotheses: Mapping[str, str],
    tallies: DirectionTallies,
) -> list[ShownLine]:
    """Return evenly drawn sentences of a direction; `sides` are source and reference by id."""
    scores = MEASURES[CHRF](tallies.systems[CHRF][0])
    found = []
    for place in evenly(len(tallies.ids), SENTENCES):
        key = tallies.ids[place]
        score = round(float(scores[place]), 1)
        found.append(ShownLine("-".join(direction), key, *sides[key], hypotheses[key], score))
    return found


def save_examples(found: Sequence[ShownLine], path: Path) -> None:
    """Write sentences as JSON."""
    records = [asdict(example) for example in found]
    path.write_text(json.dumps(records, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def load_examples(path: Path) -> list[ShownLine]:
    """Read what `save_examples` wrote."""
    return [ShownLine(**record) for record in json.loads(path.read_text(encoding="utf-8"))]
