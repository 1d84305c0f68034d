"""Encoders that are made of others: how they are written out, what may not be, which are the same.

An adapted encoder names its parent; a control names the adapted encoder that it is one of.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any, NamedTuple

from models.encoders.adaptation.protocol import AdaptedSpec, ControlSpec
from models.encoders.pretrained.spec import PretrainedSpec
from models.encoders.registry import AnyEncoder
from pipeline.specs.encoders import EncoderManifest
from pipeline.specs.manifests import FieldsError, Problem
from pipeline.specs.suggesting import suggest
from pipeline.specs.systems import PivotSystem, Systems, resolve_like
from tasks.sources.checkpoints import PackagedModel

PLACE = ("transfer", "encoders")
Encoders = Mapping[str, AnyEncoder]


def expand_encoders(written: Any) -> Any:
    """Return encoders with `like` resolved.

    Works on parsed YAML; what is not of the expected shape is left for validation. Raises
    FieldsError for a `like` that names no encoder, or itself.
    """
    if not isinstance(written, Mapping):
        return written
    found: dict[str, Any] = {}
    problems: list[Problem] = []
    for name in written:
        try:
            found[name] = resolve_like(written, name, place=PLACE, what="encoder")
        except FieldsError as error:
            problems += error.found
    if problems:
        raise FieldsError(problems)
    return found


def with_controls(encoders: Mapping[str, AnyEncoder]) -> dict[str, AnyEncoder]:
    """Return encoders with the control of each adapted one beside it, unless one is named already.

    Raises FieldsError where its name is taken.
    """
    controlled = {encoder.of for encoder in encoders.values() if isinstance(encoder, ControlSpec)}
    found: dict[str, AnyEncoder] = {}
    for name, encoder in encoders.items():
        found[name] = encoder
        if isinstance(encoder, AdaptedSpec) and encoder.control and name not in controlled:
            control = f"{name}-control"
            if control in encoders:
                text = f"the control of {name!r} has this name: rename one, or add a control of it"
                raise FieldsError([((control,), text)])
            found[control] = ControlSpec(kind="control", of=name, fine_tune=encoder.fine_tune)
    return found


class Surroundings(NamedTuple):
    """What an experiment has that encoders are made with.

    `monolingual` are the languages with text of their own.
    """

    hub: str
    systems: Systems
    models: Mapping[str, EncoderManifest]
    monolingual: frozenset[str]


def encoder_problems(encoders: Encoders, around: Surroundings) -> Iterator[Problem]:
    """Yield a problem for each encoder that cannot be made of what there is."""
    for name, encoder in encoders.items():
        if isinstance(encoder, AdaptedSpec):
            if why := _no_parent(encoders, name, encoder.parent):
                yield (*PLACE, name, "parent"), why
            elif why := _no_head(encoder, around.models.get(root_model(encoders, name))):
                yield (*PLACE, name), why
            yield from _synthetic_problems(name, encoder, around.systems)
            yield from _monolingual_problems(name, encoder, around)
        elif isinstance(encoder, ControlSpec):
            of = encoders.get(encoder.of)
            if of is None:
                yield (
                    (*PLACE, name, "of"),
                    f"no encoder {encoder.of!r}{suggest(encoder.of, encoders)}",
                )
            elif not isinstance(of, AdaptedSpec):
                text = f"{encoder.of!r} is no adapted encoder: there is no training to control"
                yield (*PLACE, name, "of"), text


def _no_parent(encoders: Encoders, name: str, parent: str) -> str:
    """Say why an encoder cannot be made of another; nothing where it can."""
    of = encoders.get(parent)
    if of is None:
        return f"no encoder {parent!r}{suggest(parent, encoders)}"
    if isinstance(of, ControlSpec):
        return f"{parent!r} is a control, which nothing else is made of"
    if not isinstance(of, PretrainedSpec | AdaptedSpec):
        return f"{parent!r} is of kind {of.kind!r}; only pretrained encoders can be adapted"
    if of.fine_tune is not None:
        return (
            f"{parent!r} is fine-tuned on labels after it was made: name the frozen one that it is "
            f"made of, and write `fine_tune` of {name!r}"
        )
    if name in _ancestors(encoders, parent):
        return f"it is made of {parent!r}, which is made of {name!r}"
    return ""


def _ancestors(encoders: Encoders, name: str) -> set[str]:
    """Return an encoder and all it is made of."""
    found: set[str] = set()
    of: AnyEncoder | None = encoders.get(name)
    while name not in found and of is not None:
        found.add(name)
        name = of.parent if isinstance(of, AdaptedSpec) else name
        of = encoders.get(name)
    return found


def _no_head(encoder: AdaptedSpec, model: EncoderManifest | None) -> str:
    """Say why files that an adaptation reads cannot have what it looks for."""
    if encoder.checkpoint and model and isinstance(model.source, PackagedModel):
        return (
            f"{model.name} is one packed file, without a head that guesses hidden pieces: write "
            "`head: tied` to guess by its embeddings alone"
        )
    return ""


def _monolingual_problems(
    name: str, encoder: AdaptedSpec, around: Surroundings
) -> Iterator[Problem]:
    if not encoder.monolingual:
        return
    if not around.monolingual:
        text = "it reads monolingual text, and no pair lists any under `monolingual`"
        yield (*PLACE, name), text
    elif encoder.control and around.hub not in around.monolingual:
        text = (
            f"its control reads monolingual text of the hub {around.hub!r}, and no pair lists any: "
            "list some, or write `control: false`"
        )
        yield (*PLACE, name), text


def _synthetic_problems(name: str, encoder: AdaptedSpec, systems: Systems) -> Iterator[Problem]:
    for system in getattr(encoder, "synthetic", ()):
        place = (*PLACE, name, "synthetic")
        if system not in systems:
            yield place, f"no system {system!r} to translate by{suggest(system, systems)}"
        elif isinstance(systems[system], PivotSystem):
            yield place, f"{system!r} is a pivot, which does not translate from and to the hub"


def first_of_same(encoders: Encoders, name: str) -> str:
    """Return the first encoder that is the same before any fine-tuning."""
    wanted = _identity(encoders, name)
    return next(other for other in encoders if _identity(encoders, other) == wanted)


def _identity(encoders: Encoders, name: str) -> tuple[Any, ...]:
    """Return what an encoder is, without its own name and those of its parents."""
    of = encoders[name]
    if isinstance(of, ControlSpec):
        return ("control", _identity(encoders, of.of))
    if isinstance(of, AdaptedSpec):
        synthetic = tuple(getattr(of, "synthetic", ()))
        return (repr(asdict(of.recipe)), synthetic, _identity(encoders, of.parent))
    return (of.kind, getattr(of, "model", name))


def root_model(encoders: Encoders, name: str) -> str:
    """Return the pretrained model that an encoder is made of in the first place."""
    of = encoders[name]
    while not isinstance(of, PretrainedSpec):
        of = encoders[of.of if isinstance(of, ControlSpec) else getattr(of, "parent", "")]
    return of.model
