"""Several ways as one: the mean of what they think how likely each class is; nothing is trained."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from models.support.errors import ContractError
from tasks.records import RecordWriter, read_records
from tasks.transfer.fitting import (
    PREDICTION_COLUMNS,
    TEST,
    prediction,
    probability_columns,
)
from tasks.transfer.strategies import DEV_DATA, STRATEGIES, Strategy
from tasks.transfer.texts import Side

PREFIX, AND, BY, WITH = "ensemble of ", " and ", " by ", " with "


class Member(NamedTuple):
    """A strategy with a system and an encoder of its own, or without, with those of the way."""

    strategy: str
    system: str = ""
    encoder: str = ""

    def __str__(self) -> str:
        by, read = f"{BY}{self.system}", f"{WITH}{self.encoder}"
        return f"{self.strategy}{by if self.system else ''}{read if self.encoder else ''}"

    @classmethod
    def parse(cls, text: str) -> "Member":
        """Read `translate-train`, or `translate-train by gloss with e5`."""
        way, _, encoder = text.partition(WITH)
        strategy, _, system = way.partition(BY)
        return cls(strategy.strip(), system.strip(), encoder.strip())

    @property
    def is_known(self) -> bool:
        """Say whether there is such a strategy."""
        return self.strategy in STRATEGIES

    @property
    def of(self) -> Strategy:
        """The strategy."""
        return STRATEGIES[self.strategy]


@dataclass(frozen=True)
class Ensemble:
    """Ways whose probabilities are averaged; a peer of a strategy.

    Its members read the same test items, be they translated or not, in the same order of seeds.
    """

    members: tuple[Member, ...]

    shots = 0
    per_language = True
    about = "the mean of its members' probabilities of each class"

    @property
    def name(self) -> str:
        """What people call it: `ensemble of translate-train by gloss and translate-test by bt`."""
        return f"{PREFIX}{AND.join(map(str, self.members))}"

    @classmethod
    def called(cls, name: str) -> "Ensemble":
        """Read the name of one."""
        return cls(tuple(map(Member.parse, name.removeprefix(PREFIX).split(AND))))

    @property
    def transfers(self) -> bool:
        """Say whether none of its members needs labelled text of the language."""
        return all(member.of.transfers for member in self.members)

    @property
    def needs(self) -> tuple[tuple[Side, str], ...]:
        """Whose labelled set must have which part."""
        return tuple(dict.fromkeys(need for member in self.members for need in member.of.needs))

    @property
    def uses_system(self) -> bool:
        """Say whether the system of the way matters; not so where each member has its own."""
        return any(member.of.uses_system and not member.system for member in self.members)

    @property
    def translates(self) -> bool:
        """Say whether anything is translated."""
        return any(member.of.translates for member in self.members)

    @property
    def uses_encoder(self) -> bool:
        """Say whether the encoder of the way matters; not so where each member has its own."""
        return not all(member.encoder for member in self.members)

    def ways(self, system: str, encoder: str = "") -> list[tuple[Strategy, str, str]]:
        """Return the members' strategies, each with the system that translates and the encoder."""
        return [
            (
                member.of,
                (member.system or system) if member.of.uses_system else "",
                member.encoder or encoder,
            )
            for member in self.members
        ]


Rows = Mapping[tuple[str, str], Mapping[str, Any]]
"""Predictions by seed and id."""


def combine(members: Sequence[Path], *, labels: Sequence[str], out: Path) -> int:
    """Write the mean of the members' predictions, seed by seed and item by item.

    On dev, each member has the best dev data that it has, so items are the same ones, though one
    member may have read them translated. The part is named for the lesser data of these. Nothing is
    written where a member predicted nothing. Raises ContractError where members do not have the
    same items, classes or seeds.
    """
    parts = [_parts(path) for path in members]
    with RecordWriter(out, PREDICTION_COLUMNS, probability_columns(labels)) as writer:
        if all(TEST in found for found in parts):
            _write(writer, TEST, [found[TEST] for found in parts], labels)
            for name, devs in _dev_parts(parts).items():
                _write(writer, name, devs, labels)
        return writer.written


def _dev_parts(parts: Sequence[Mapping[str, Rows]]) -> dict[str, list[Rows]]:
    """Return the members' dev predictions that can be averaged, by what they are called.

    Target dev is one item set; the hub's dev set is another, which members read translated or not.
    """
    target, *of_hub = DEV_DATA
    found: dict[str, list[Rows]] = {}
    if all(target in part for part in parts):
        found[target] = [part[target] for part in parts]
    best = [next((data for data in of_hub if data in part), "") for part in parts]
    if all(best):
        devs = [part[data] for part, data in zip(parts, best, strict=True)]
        found[max(best, key=DEV_DATA.index)] = devs
    return found


def _parts(path: Path) -> dict[str, dict[tuple[str, str], dict[str, Any]]]:
    parts: dict[str, dict[tuple[str, str], dict[str, Any]]] = {}
    for record in read_records(path):
        parts.setdefault(record["part"], {})[record["seed"], record["id"]] = dict(record)
    return parts


def _write(writer: RecordWriter, part: str, found: Sequence[Rows], labels: Sequence[str]) -> None:
    import numpy

    columns = probability_columns(labels)
    for key, first in found[0].items():
        rows = [rows.get(key) for rows in found]
        golds = {row["gold"] if row else None for row in rows}
        if len(golds) > 1 or any(len(rows) != len(found[0]) for rows in found):
            raise ContractError(
                f"members of an ensemble do not agree on their {part} items: seed {key[0]}, item "
                f"{key[1]!r} is not the same in all of them"
            )
        mean = numpy.mean([[row[c] for c in columns] for row in rows if row], axis=0)
        seed, item = key
        writer.write(prediction(item, part, seed, first["gold"], mean, labels))
