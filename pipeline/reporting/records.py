"""The figures of a study, typed: what `scores --format json` prints and the report is made from."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from tasks.mt.contests import ALL

Record = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class MtScore:
    """A system's score in one direction, the mean over its trainings.

    `low` and `high` bound the 95 % interval over test sentences and, with several replicates, over
    trainings; `spread` is the standard deviation between trainings (None for one training, or for a
    system that does not train). `copy` is what copying the source scores, `dev` what the system
    does on the dev set. `n` test sentences. `ills` say why its translations are not usable.
    """

    system: str
    parents: tuple[str, ...]
    replicates: int
    direction: str
    metric: str
    score: float
    low: float
    high: float
    spread: float | None
    n: int
    signature: str
    copy: float
    dev: float | None = None
    ills: tuple[str, ...] = ()

    def as_record(self) -> Record:
        """Return plain values for JSON."""
        return {"kind": "mt", **asdict(self)}


@dataclass(frozen=True, kw_only=True)
class TaskScore:
    """A way of transfer in one language, the mean over seeds; `system` is empty without one.

    So is `encoder`, of an ensemble over encoders.

    `dev` is the score on the dev data by which the winner is chosen, `dev_data` says whose. `ills`
    say why the system's translations are not usable in a direction that the way needs.
    """

    task: str
    task_kind: str
    language: str
    strategy: str
    system: str
    encoder: str
    metric: str
    score: float
    low: float
    high: float
    dev: float | None
    n: int
    seeds: int
    replicates: int
    dev_data: str = ""
    ills: tuple[str, ...] = ()

    def as_record(self) -> Record:
        """Return plain values for JSON."""
        return {"kind": "task", **asdict(self)}


@dataclass(frozen=True, kw_only=True)
class TextGuard:
    """What a system made of a task's text in one direction: the text that classifiers read.

    Of `items` so many were `translated` into anything; `empty`, `copied`, `distinct`, `looping` and
    `foreign` are shares of them, `length` is over that of human translation: means over
    `replicates` trainings. `unknown_pieces`: the share that each pretrained encoder does not know.
    `ills` say why the text is not usable.
    """

    task: str
    direction: str
    system: str
    replicates: int
    items: int
    translated: float
    empty: float
    copied: float
    distinct: float
    looping: float
    length: float
    foreign: float
    unknown_pieces: Mapping[str, float] = field(default_factory=dict)
    ills: tuple[str, ...] = ()

    def as_record(self) -> Record:
        """Return plain values for JSON."""
        return {"kind": "guard", **asdict(self)}


@dataclass(frozen=True, kw_only=True)
class Selection:
    """The way that one kind of dev data chooses in a language, and how it does.

    ``by`` is `source dev` (the hub's), `translated dev` (the hub's, translated) or `target dev`:
    the language's own, an oracle for who has no labels in it. Ways without dev data of that kind
    are judged by the hub's other one.
    """

    task: str
    language: str
    by: str
    way: str
    metric: str
    dev: float
    test: float

    def as_record(self) -> Record:
        """Return plain values for JSON."""
        return {"kind": "selection", **asdict(self)}


@dataclass(frozen=True, kw_only=True)
class Contrast:
    """A paired difference, first minus second, on the same items.

    `where` is a direction, or `task/language/...`, or `all`; `p` covers items and trainings, is
    corrected (Holm) within `family`, and None where a side rests on one training. `mdd` is the
    least difference that this test would find in four of five repetitions.
    """

    of: Literal["mt", "task"]
    first: str
    second: str
    where: str
    metric: str
    difference: float
    low: float
    high: float
    p: float | None
    family: str
    mdd: float
    better: str | None = None
    """Of a contrast over several places: `4 of 5`, how often the first is ahead."""

    @property
    def over_all(self) -> bool:
        """Say whether it covers all directions, or all languages of a task."""
        return self.where.rpartition("/")[2] == ALL

    @property
    def place(self) -> str:
        """Say where, as people read it."""
        return arrow(self.where) if self.of == "mt" else self.where

    def as_record(self) -> Record:
        """Return plain values for JSON."""
        return {"kind": "contrast", **asdict(self)}


def arrow(direction: str) -> str:
    """Return `ind → jav` of `ind-jav`."""
    return direction.replace("-", " → ")


Score = MtScore | TaskScore | TextGuard | Selection | Contrast
KINDS: dict[str, type[Score]] = {
    "mt": MtScore,
    "task": TaskScore,
    "guard": TextGuard,
    "selection": Selection,
    "contrast": Contrast,
}


def from_record(record: Record) -> Score:
    """Read a figure back from its record."""
    fields: Record = {n: tuple(v) if isinstance(v, list) else v for n, v in record.items()}
    return KINDS[fields.pop("kind")](**fields)
