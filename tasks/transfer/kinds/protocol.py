"""What a kind of task must tell, so that contests need not know which kinds there are."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from tasks.statistics import Measure

if TYPE_CHECKING:
    import numpy


class TaskKind(Protocol):
    """One kind of task."""

    @property
    def fields(self) -> tuple[str, ...]:
        """What an item has beside its id."""
        ...

    @property
    def translated(self) -> tuple[str, ...]:
        """The fields that are translated; the others go with them."""
        ...

    @property
    def measures(self) -> Mapping[str, Measure]:
        """The measures by name; contests are decided by the first one."""
        ...

    def tally(
        self, gold: Sequence[str], predicted: Sequence[Sequence[str]], labels: Sequence[str]
    ) -> "numpy.ndarray":
        """Return what each item adds for the measures: (runs, items, *stats).

        Gold of each item, what each run predicted for each. Raises ContractError for an answer that
        the task does not know.
        """
        ...
