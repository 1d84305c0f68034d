"""The parameters of the sandbox and their limits."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, TypeAlias, get_args, get_type_hints

from annotated_types import Ge, Le

from models.support.errors import SpecError

Size: TypeAlias = Annotated[int, Ge(1), Le(1_000_000)]
Distance: TypeAlias = Annotated[float, Ge(0.0), Le(1.0)]


@dataclass(frozen=True, kw_only=True)
class SandboxRecipe:
    """Describe one sandbox completely: equal recipes give equal bytes.

    * ``seed``: changes every root, every affix and every sentence.
    * ``pairs``: sentences of the multi-parallel corpus, the same ids for every pair.
    * ``monolingual``: monolingual sentences of each language, a separate draw for each.
    * ``task_train``, ``task_dev``, ``task_test``: labelled sentences, parallel in all languages.
    * ``roots``: lexical roots of each language, synonyms and function words not counted.
    * ``longest``: words of a sentence at most, in each of the languages.
    * ``sister_distance``, ``cousin_distance``, ``isolate_distance``: distance from the hub.
    """

    seed: Annotated[int, Ge(0)] = 1
    pairs: Size = 700
    monolingual: Size = 3000
    task_train: Size = 600
    task_dev: Size = 200
    task_test: Size = 400
    roots: Annotated[int, Ge(50), Le(5000)] = 80
    longest: Annotated[int, Ge(8), Le(40)] = 8
    sister_distance: Distance = 0.1
    cousin_distance: Distance = 0.5
    isolate_distance: Distance = 1.0


def check(recipe: SandboxRecipe) -> None:
    """Raise one error that names every parameter outside its limits."""
    problems = list(_problems(recipe))
    if problems:
        raise SpecError("sandbox recipe: " + "; ".join(problems))


def _problems(recipe: SandboxRecipe) -> Iterator[str]:
    """Yield a sentence for each limit that a parameter breaks."""
    for name, hint in get_type_hints(SandboxRecipe, include_extras=True).items():
        value = getattr(recipe, name)
        for limit in get_args(hint)[1:]:
            # Written so that NaN, which compares false with everything, is a problem too.
            if isinstance(limit, Ge) and not value >= limit.ge:
                yield f"{name} is {value}, expected at least {limit.ge}"
            if isinstance(limit, Le) and not value <= limit.le:
                yield f"{name} is {value}, expected at most {limit.le}"
