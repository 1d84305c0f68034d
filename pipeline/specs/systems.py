"""MT systems by name: the kinds there are, what a system is made from, how names are expanded."""

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, ValidationError, model_validator

from models.engines.protocol import Decoding
from models.nmt.recipe import NmtRecipe
from models.phrases.recipe import PhraseRecipe
from pipeline.specs.languages import LanguageCode
from pipeline.specs.manifests import FieldsError, Manifest, Name, Problem
from pipeline.specs.suggesting import suggest

LIKE, OVER, NMT, STOP = "like", "over", "nmt", "stop"


class GlossSystem(Manifest):
    """Word-by-word translation by a lexicon that is aligned from the bitext."""

    kind: Literal["gloss"]

    @property
    def parents(self) -> tuple[str, ...]:
        """The systems it is made from: none."""
        return ()


class PhraseSystem(Manifest):
    """Phrase-based translation; needs the package sil-thot. `phrases` are its hyperparameters."""

    kind: Literal["phrase"]
    phrases: PhraseRecipe = PhraseRecipe()

    @property
    def parents(self) -> tuple[str, ...]:
        """The systems it is made from: none."""
        return ()


class SyntheticText(Manifest):
    """Real text with its translation by another system, to train on.

    * ``by``: the system that translates.
    * ``real``: which side of the bitext is the real one: the target (back-translation, Sennrich et
      al. 2016) or the source (forward translation, self-training).
    * ``decoding``: how it is translated; sampling and noise draw anew for each replicate.
    * ``tag``: whether each source begins with a mark of synthetic text (Caswell et al. 2019).
    * ``ratio``: at most so many synthetic lines for each human line of the direction.
    * ``force``: train on it even where the translation is not usable (empty, the same for every
      line, ...), which is kept out otherwise.
    """

    by: Name
    real: Literal["target", "source"] = "target"
    decoding: Decoding = Decoding()
    tag: bool = True
    ratio: Annotated[float, Field(gt=0)] | None = None
    force: bool = False

    @model_validator(mode="after")
    def _check(self) -> "SyntheticText":
        if self.real == "source" and self.decoding.noise:
            raise ValueError("noise on the target side would be learnt; it is for real targets")
        return self


class TrainedSystem(Manifest):
    """A multilingual NMT model, trained from scratch on human and synthetic text.

    * ``replicates``: trainings that differ in their seed; a score is the mean over them.
    * ``synthetic``: texts translated by other systems, beside the human bitext.
    * ``human_repeats``: how often the human text stands beside the synthetic.
    * ``nmt``: hyperparameters; what is not named is as in the experiment's own ``nmt``.
    """

    kind: Literal["trained"]
    replicates: Annotated[int, Field(ge=1)] = 1
    synthetic: tuple[SyntheticText, ...] = ()
    human_repeats: Annotated[int, Field(ge=1)] = 1
    nmt: NmtRecipe = NmtRecipe()

    @property
    def parents(self) -> tuple[str, ...]:
        """The systems it is made from: those that make its synthetic text, each once."""
        return tuple(dict.fromkeys(text.by for text in self.synthetic))


class PivotSystem(Manifest):
    """Translation in two steps by another system, through the language `via`."""

    kind: Literal["pivot"]
    by: Name
    via: LanguageCode

    @property
    def parents(self) -> tuple[str, ...]:
        """The systems it is made from."""
        return (self.by,)


System = Annotated[
    GlossSystem | PhraseSystem | TrainedSystem | PivotSystem, Field(discriminator="kind")
]
Systems = dict[Name, System]

DEFAULT: dict[str, Any] = {
    "gloss": {"kind": "gloss"},
    "base": {"kind": "trained"},
    "bt": {"like": "base", "synthetic": [{"by": "base"}]},
}
"""What an experiment compares that names no systems."""


def expand(systems: Any, grids: Any, nmt: Any) -> Any:
    """Return the systems with grids spelt out, `like` resolved and the experiment's `nmt` put in.

    Works on parsed YAML; what is not of the expected shape is left for validation. Raises
    FieldsError for a `like` that names no system, or itself.
    """
    if not isinstance(systems, Mapping) or not isinstance(grids, Mapping):
        return systems
    problems: list[Problem] = []
    written = {**systems, **_cells(systems, grids, problems)}
    resolved = {}
    for name in written:
        try:
            resolved[name] = resolve_like(written, name, place=("systems",), what="system")
        except FieldsError as error:
            problems += error.found
    if problems:
        raise FieldsError(problems)
    return {name: _with_recipe(system, nmt) for name, system in resolved.items()}


def resolve_like(
    written: Mapping[str, Any],
    name: str,
    *,
    place: tuple[str, ...],
    what: str,
    below: tuple[str, ...] = (),
) -> Any:
    """Return a system (`what`) with the fields of the one it is like, its own first.

    Raises FieldsError for a `like` that names none of them, or itself.
    """
    system = written[name]
    if not isinstance(system, Mapping) or LIKE not in system:
        return system
    model, here = system[LIKE], (*place, name, LIKE)
    if model in (*below, name):
        raise FieldsError([(here, f"{model!r} is like {name!r} itself: one must be written out")])
    if model not in written:
        raise FieldsError([(here, f"no {what} {model!r}{suggest(str(model), written)}")])
    inherited = resolve_like(written, model, place=place, what=what, below=(*below, name))
    own = {field: value for field, value in system.items() if field != LIKE}
    if not isinstance(inherited, Mapping):
        return own
    return {**inherited, **own, **_merged_recipe(inherited, own)}


def _merged_recipe(inherited: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Return the hyperparameters of both, a system's own before those it inherits."""
    recipes = [side[NMT] for side in (inherited, own) if isinstance(side.get(NMT), Mapping)]
    stops = [recipe[STOP] for recipe in recipes if isinstance(recipe.get(STOP), Mapping)]
    merged = {k: v for recipe in recipes for k, v in recipe.items()}
    if stops and isinstance(merged[STOP], Mapping):
        merged[STOP] = {k: v for stop in stops for k, v in stop.items()}
    return {NMT: merged} if recipes else {}


def _with_recipe(system: Any, nmt: Any) -> Any:
    if not isinstance(system, Mapping) or system.get("kind") != "trained":
        return system
    if not isinstance(nmt, Mapping):
        return system
    return {**system, **_merged_recipe({NMT: nmt}, system)}


def _cells(
    systems: Mapping[str, Any], grids: Mapping[str, Any], problems: list[Problem]
) -> dict[str, Any]:
    """Return a system for each combination of a grid's values, named after them."""
    cells: dict[str, Any] = {}
    for grid, body in grids.items():
        over = body.get(OVER) if isinstance(body, Mapping) else None
        if not isinstance(over, Mapping) or not all(isinstance(v, list) for v in over.values()):
            how = "a grid is {like: SYSTEM, over: {FIELD: [VALUE, ...]}}"
            problems.append((("grids", grid), how))
            continue
        if body.get(LIKE) not in systems:
            text = f"no system {body.get(LIKE)!r}{suggest(str(body.get(LIKE)), systems)}"
            problems.append((("grids", grid, LIKE), text))
            continue
        base = {field: value for field, value in body.items() if field != OVER}
        like = resolve_like(systems, str(body[LIKE]), place=("systems",), what="system")
        for values in product(*over.values()):
            chosen = dict(zip(over, values, strict=True))
            try:
                name = cell_name(grid, chosen)
            except ValidationError as error:
                found = error.errors()[0]
                text = found["msg"].removeprefix("Value error, ")
                problems.append((("grids", grid, OVER, "decoding"), text))
                continue
            if name in cells or name in systems:
                text = f"two systems would be named {name!r}: write one of them out"
                problems.append((("grids", grid), text))
            cells[name] = {**base, **_chosen_fields(like, base, chosen)}
    return cells


def _chosen_fields(like: Any, base: Mapping[str, Any], chosen: Mapping[str, Any]) -> dict[str, Any]:
    """Put values where they belong: into each synthetic text, or into the system itself."""
    of_text = {k: v for k, v in chosen.items() if k in SyntheticText.model_fields}
    of_recipe = {k: v for k, v in chosen.items() if k in NmtRecipe.__dataclass_fields__}
    fields = {k: v for k, v in chosen.items() if k not in (*of_text, *of_recipe)}
    if of_recipe:
        fields[NMT] = {**base.get(NMT, {}), **of_recipe}
    if of_text:
        texts = base.get("synthetic", like.get("synthetic", []))
        fields["synthetic"] = [{**text, **of_text} for text in texts]
    return fields


def cell_name(grid: str, chosen: Mapping[str, Any]) -> str:
    """Return a cell's name: `decoding-top_k10-tag`."""
    return "-".join([grid, *(_value_name(*choice) for choice in chosen.items())])


def _value_name(field: str, value: Any) -> str:
    if field == "decoding":
        return TypeAdapter(Decoding).validate_python(value).name
    if field == STOP and isinstance(value, Mapping):
        return "-".join([STOP, *(str(part).lower() for part in value.values())])
    if isinstance(value, bool):
        return field if value else f"no-{field}"
    return f"{field}{value:g}" if isinstance(value, int | float) else str(value)


def graph_problems(systems: Systems, hub: str) -> Iterator[Problem]:
    """Yield a problem for each parent that does not exist or descends from its own child."""
    for name, system in systems.items():
        for parent in system.parents:
            if parent not in systems:
                text = f"no system {parent!r} to translate by{suggest(parent, systems)}"
                yield ("systems", name), text
            elif name in ancestors(systems, parent):
                text = f"it is made from {parent!r}, which is made from {name!r}"
                yield ("systems", name), text
        if isinstance(system, PivotSystem) and system.via != hub:
            text = f"{system.via!r} is not the hub {hub!r}, to and from which systems translate"
            yield ("systems", name, "via"), text


def ancestors(systems: Systems, name: str) -> set[str]:
    """Return a system and all it is made from, directly or not."""
    found: set[str] = set()
    pending = [name]
    while pending:
        system = pending.pop()
        if system in systems and system not in found:
            found.add(system)
            pending += systems[system].parents
    return found
