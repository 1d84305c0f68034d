"""What every engine shares: a line with its id, how it is decoded, and the call that translates."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Annotated, Protocol

from annotated_types import Ge, Gt, Le, Lt

Line = tuple[str, str]
"""A sentence's id and its text: the id goes through the engine, so that no line can lose it."""

Share = Annotated[float, Ge(0), Le(1)]


@dataclass(frozen=True, kw_only=True)
class Noise:
    """Noise on the words of a translation (Edunov et al. 2018).

    Words are shuffled by less than `shuffle` places, then a share `delete` of them is left out and
    a share `blank` becomes a blank.
    """

    delete: Share = 0.1
    blank: Share = 0.1
    shuffle: Annotated[int, Ge(0)] = 3


@dataclass(frozen=True, kw_only=True)
class Decoding:
    """How a translation is found: one of four searches, then noise on its words where asked for.

    * ``beam``: hypotheses that beam search keeps; 4 where no other search is named.
    * ``sampling``: temperature of free sampling from the model.
    * ``top_k``: sample from the k likeliest pieces (Fan et al. 2018).
    * ``nucleus``: sample from the likeliest pieces that hold this share of the probability
      (Holtzman et al. 2020).
    * ``noise``: what is done to the words of the translation, before they are segmented.
    * ``max_pieces``: where a translation ends at the latest, in subwords.
    * ``seed``: of sampling and noise.
    """

    beam: Annotated[int, Ge(1)] | None = None
    sampling: Annotated[float, Gt(0)] | None = None
    top_k: Annotated[int, Ge(2)] | None = None
    nucleus: Annotated[float, Gt(0), Le(1)] | None = None
    noise: Noise | None = None
    max_pieces: Annotated[int, Ge(1)] = 256
    seed: Annotated[int, Ge(0), Lt(2**32)] = 1

    def __post_init__(self) -> None:
        """Raise ValueError where two searches are named; take beam search where none is."""
        named = [name for name in SEARCHES if getattr(self, name) is not None]
        if len(named) > 1:
            raise ValueError(f"{' and '.join(named)} are two ways to search: name one")
        if not named:
            object.__setattr__(self, "beam", 4)

    @property
    def random(self) -> bool:
        """Whether pieces are drawn, not searched for."""
        return self.beam is None

    @property
    def name(self) -> str:
        """A short name of all but the seed: `beam4`, `top_k10`, `beam4-noised-delete0.2`."""
        search = next(n for n in SEARCHES if getattr(self, n) is not None)
        name = f"{search}{getattr(self, search):g}"
        if self.max_pieces != Decoding.max_pieces:
            name += f"-max_pieces{self.max_pieces}"
        if self.noise:
            usual = asdict(Noise())
            own = [f"-{n}{value:g}" for n, value in asdict(self.noise).items() if value != usual[n]]
            name += "".join(["-noised", *own])
        return name


SEARCHES = ("beam", "sampling", "top_k", "nucleus")


class Engine(Protocol):
    """Anything that translates: one line out for each line in, in the same order."""

    def translate(
        self, lines: Sequence[Line], *, source: str, target: str, decoding: Decoding
    ) -> list[Line]:
        """Return the translation of each line under the line's own id."""
        ...
