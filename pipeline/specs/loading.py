"""Read YAML into specs; report every problem of a file at once, with line, field and a way out."""

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import TypeAdapter, ValidationError

from models.encoders.adaptation.registry import ADAPTATION_KINDS
from models.support.errors import SpecError
from pipeline.specs.adaptations import expand_encoders
from pipeline.specs.encoders import EncoderManifest
from pipeline.specs.experiment import Experiment
from pipeline.specs.manifests import FieldsError, Manifest, PairManifest, TaskManifest
from pipeline.specs.suggesting import suggest
from pipeline.specs.systems import DEFAULT, expand
from tasks.sources.fetching import is_remote

MANIFESTS = Path(__file__).parents[2] / "data_manifests"

LISTS = ("encoder", "translator", "identifier")
"""The kinds of manifests in `models/` that are lists of languages."""

AnyManifest = TypeVar("AnyManifest", bound=Manifest)


def find_manifest(kind: str, name_or_path: str, *, near: Path | None = None) -> Path:
    """Return the file of a manifest given by path, or by name in `data_manifests/<kind>/`.

    `near` is a folder searched first (that of the experiment which names it). Raises SpecError with
    the closest names when there is none.
    """
    as_path = Path(name_or_path)
    candidates = [as_path] if as_path.suffix in (".yaml", ".yml") else []
    if near is not None:
        candidates = [near / path for path in candidates] + candidates
    folders = [near / f"../{kind}", near] if near is not None else []
    candidates += [folder / f"{name_or_path}.yaml" for folder in [*folders, MANIFESTS / kind]]
    for candidate in candidates:
        if candidate.is_file():
            return candidate.resolve()
    searched = [*folders[:1], MANIFESTS / kind]
    known = sorted({path.stem for folder in searched for path in folder.glob("*.yaml")})
    raise SpecError(f"no {kind} manifest {name_or_path!r}{suggest(name_or_path, known)}")


def load_experiment(name_or_path: str) -> Experiment:
    """Read an experiment and the pair and task manifests it names."""
    path = find_manifest("experiments", name_or_path)
    return _load_experiment(path, _read(path))


@lru_cache
def _load_experiment(path: Path, text: str) -> Experiment:
    data = _parse(path, text)
    near = path.parent
    if isinstance(data, dict):
        for kind, model in (("pairs", PairManifest), ("tasks", TaskManifest)):
            names = data.get(kind, [])
            if isinstance(names, list) and all(isinstance(n, str) for n in names):
                files = [find_manifest(kind, name, near=near) for name in names]
                data[kind] = [load_manifest(file, model) for file in files]
        _name_what_replaced(path, text, data)
        data["models"] = _models(path, text, data)
        data = _expanded(path, text, data)
    return _validate(path, text, data, Experiment)


def _models(path: Path, text: str, data: Mapping[str, Any]) -> dict[str, EncoderManifest]:
    """Return the manifest of each model that an encoder of an experiment names."""
    if "models" in data:
        place = _describe_place(text, ["models"], "unknown field; encoders name their models")
        raise SpecError(f"{path}: 1 problem\n{place}")
    transfer = data.get("transfer")
    encoders = transfer.get("encoders") if isinstance(transfer, dict) else None
    listed = encoders.values() if isinstance(encoders, dict) else ()
    names = [encoder.get("model") for encoder in listed if isinstance(encoder, dict)]
    return {
        name: load_encoder(name, near=path.parent)
        for name in dict.fromkeys(names)
        if isinstance(name, str)
    }


def load_encoder(name: str, *, near: Path | None = None) -> EncoderManifest:
    """Read the manifest of a pretrained encoder by its name.

    Raises SpecError for one that does not exist, and for a mere list of languages.
    """
    path = find_manifest("models", name, near=near)
    found = _parse(path, _read(path))
    if isinstance(found, dict) and found.get("kind") in LISTS:
        encoders = [
            other.stem
            for other in sorted(path.parent.glob("*.yaml"))
            if f"languages_of: {name}" in _read(other)
        ]
        hint = f"; encoders with this list: {', '.join(encoders)}" if encoders else ""
        raise SpecError(f"{path}: a list of the languages of {name}, without weights{hint}")
    manifest = load_manifest(path, EncoderManifest)
    if manifest.languages_of:
        find_manifest("models", manifest.languages_of, near=near)
    return manifest


def _name_what_replaced(path: Path, text: str, data: dict[str, Any]) -> None:
    """Raise SpecError where an experiment speaks of rounds; show the systems to write instead."""
    old = [field for field in ("back_translation", "retrain") if field in data]
    if old:
        line = line_of(text, [old[0]])
        raise SpecError(
            f"{path}: line {line}: `{old[0]}` is no more: an experiment names its systems. Write\n"
            + instead_of_rounds(data)
        )


def instead_of_rounds(data: Mapping[str, Any]) -> str:
    """Return the YAML of systems that does what the rounds of an old experiment did."""
    found = data.get("back_translation")
    old = found if isinstance(found, dict) else {}
    engines = old.get("engines") or ["nmt"]
    decoding = f", decoding: {{beam: {old['beam']}}}" if "beam" in old else ""
    retrain = data.get("retrain")
    recipe = f", nmt: {json.dumps(retrain)}" if isinstance(retrain, dict) else ""
    lines = ["systems:", "  gloss: {kind: gloss}", "  base: {kind: trained}"]
    last = "base"
    for number in range(1, int(old.get("rounds", 1)) + 1):
        by = [last if engine == "nmt" else "gloss" for engine in engines]
        texts = ", ".join(f"{{by: {name}{decoding}}}" for name in by)
        name = "bt" if number == 1 else f"bt-{number}"
        lines.append(f"  {name}: {{like: base, synthetic: [{texts}]{recipe}}}")
        last = name
    kept = {k: old[k] for k in ("max_sentences", "task_text", "shards") if k in old}
    if kept:
        lines.append(f"monolingual: {json.dumps(kept)}")
    return "\n".join(f"  {line}" for line in lines)


def _expanded(path: Path, text: str, data: dict[str, Any]) -> dict[str, Any]:
    """Return an experiment with all its systems written out."""
    try:
        systems = expand(data.get("systems", DEFAULT), data.get("grids", {}), data.get("nmt"))
        transfer = _expanded_transfer(data.get("transfer"))
    except FieldsError as error:
        lines = [_describe_place(text, place, what) for place, what in error.found]
        raise SpecError("\n".join([f"{path}: {_problem_count(lines)}", *lines])) from error
    return {**{k: v for k, v in data.items() if k != "grids"}, "systems": systems, **transfer}


def _expanded_transfer(transfer: Any) -> dict[str, Any]:
    """Return what an experiment says of tasks with all its encoders written out."""
    if not isinstance(transfer, dict) or "encoders" not in transfer:
        return {} if transfer is None else {"transfer": transfer}
    return {"transfer": {**transfer, "encoders": expand_encoders(transfer["encoders"])}}


def load_manifest(path: Path, model: type[AnyManifest]) -> AnyManifest:
    """Read one pair or task manifest."""
    text = _read(path)
    data = _parse(path, text)
    _resolve_local_bases(data, path.parent)
    return _validate(path, text, data, model)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SpecError(f"{path}: cannot be read: {error}") from error


def _parse(path: Path, text: str) -> Any:
    try:
        return yaml.load(text, Loader=_UniqueKeys)  # noqa: S506  (a SafeLoader)
    except yaml.YAMLError as error:
        raise SpecError(f"{path}: not valid YAML: {error}") from error


TEXT, MERGE = "tag:yaml.org,2002:str", "tag:yaml.org,2002:merge"


class _UniqueKeys(yaml.SafeLoader):
    """YAML as the standard has it: a key stands once. PyYAML itself keeps the last silently.

    Keys are names, so they are read as they are written: `no` is no truth value there.
    """

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue
            if key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the field {key.value!r} stands here a second time", key.start_mark
                )
            seen.add(key.value)
            if key.tag != MERGE:
                key.tag = TEXT
        return super().construct_mapping(node, deep)


def _resolve_local_bases(data: Any, folder: Path) -> None:
    """Make local folders absolute; they are written relative to their manifest."""
    if isinstance(data, dict):
        if data.get("kind") == "dataset" and (local := folder / str(data.get("name"))).is_dir():
            data["name"] = str(local.resolve())
        if data.get("kind") == "folder" and isinstance(data.get("path"), str):
            data["path"] = str((folder / data["path"]).resolve())
        base = data.get("base")
        if isinstance(base, str) and not is_remote(base) and "://" not in base:
            data["base"] = str((folder / base).resolve())
        for value in data.values():
            _resolve_local_bases(value, folder)
    elif isinstance(data, list):
        for value in data:
            _resolve_local_bases(value, folder)


def _validate(path: Path, text: str, data: Any, model: type[AnyManifest]) -> AnyManifest:
    try:
        return TypeAdapter(model).validate_python(data)
    except ValidationError as error:
        found = list(chain.from_iterable(map(_places, error.errors(include_url=False))))
        problems = [_describe(problem, text, model) for problem in _own_problems(found)]
        raise SpecError("\n".join([f"{path}: {_problem_count(problems)}", *problems])) from error


def _problem_count(problems: Sequence[str]) -> str:
    return f"{len(problems)} problem{'s' if len(problems) > 1 else ''}"


def _places(problem: Any) -> list[Any]:
    """Return a problem, or what it consists of, each at its place in the file."""
    place = tuple(_without_tags(problem["loc"]))
    error = problem.get("ctx", {}).get("error")
    found = error.found if isinstance(error, FieldsError) else [((), problem["msg"])]
    return [{**problem, "loc": (*place, *within), "msg": msg} for within, msg in found]


def _own_problems(problems: Sequence[Any]) -> list[Any]:
    """Leave out what is said of a whole only because a part of it, or another reading, is wrong."""
    within = {p["loc"][:depth] for p in problems for depth in range(len(p["loc"]))}
    texts = {p["loc"] for p in problems if p["type"] == "string_type"}
    return [
        p
        for p in problems
        if not (
            (p["type"] == "too_short" and p["loc"] in within)
            or (p["type"] == "tuple_type" and p["loc"] in texts)
            or (p["type"] == "string_type" and p["loc"] in within)
        )
    ]


def _describe(problem: Any, text: str, model: type[Manifest]) -> str:
    location = problem["loc"]
    message = problem["msg"].removeprefix("Value error, ")
    if problem["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
        message = "unknown field" + suggest(str(location[-1]), _field_names(model, location[:-1]))
    elif problem["type"] == "union_tag_invalid":
        kinds = [kind.strip("' ") for kind in problem["ctx"]["expected_tags"].split(",")]
        tag, field = problem["ctx"]["tag"], problem["ctx"]["discriminator"].strip("'")
        message = f"no {field} {tag!r}{suggest(tag, kinds)}"
    elif problem["type"] in WANTS_TEXT and (scalar := _no_text(text, location)):
        message = _read_as(scalar, problem["input"], location)
    elif problem["type"] not in ("missing", "value_error") and not isinstance(
        problem["input"], (dict, list)
    ):
        message += f" (found {problem['input']!r})"
    return _describe_place(text, location, message)


WANTS_TEXT = {"string_type", "literal_error", "enum", "model_type", "dataclass_type"}
CODES = {"language", "languages", "hub", "source_language"}


def _no_text(text: str, location: Sequence[str | int]) -> yaml.ScalarNode | None:
    """Return what stands at a place where YAML reads something else than text."""
    node, _ = _node_at(text, location)
    return node if isinstance(node, yaml.ScalarNode) and node.tag != TEXT else None


def _read_as(scalar: yaml.ScalarNode, value: object, location: Sequence[str | int]) -> str:
    """Say what YAML reads in a scalar, and how to write the text that was meant."""
    written = scalar.value
    if not written:
        return "nothing stands here; expected text"
    kind = scalar.tag.rpartition(":")[2]
    what = {"null": "nothing", "timestamp": "a date", "bool": str(value).lower()}
    meant = what.get(kind, f"the number {value}")
    way_out = f"quote it to have the text: '{written}'"
    if written.lower() == "no" and CODES & {*map(str, location[-2:])}:
        way_out = "for Norwegian write nor, or nob for Bokmål"
    return f"YAML reads {written} as {meant}; {way_out}"


def _describe_place(text: str, location: Sequence[str | int], message: str) -> str:
    field = ".".join(map(str, location)) or "(whole file)"
    line = line_of(text, location)
    return f"  line {line}: {field}: {message}" if line else f"  {field}: {message}"


UNION_TAGS = {
    "source": {"files", "dataset", "sandbox", "hub", "folder", "package"},
    "format": {"csv", "tsv", "jsonl", "text", "tmx", "verses"},
    "split": {"hash", "shipped"},
}
"""What pydantic puts into a location below a field that is a union: not a field of the file."""
NAMED_TAGS = {
    "systems": {"gloss", "trained", "pivot"},
    "encoders": {"ngrams", "nmt", "pretrained", "control", *ADAPTATION_KINDS},
    "columns": {"str", "tuple[str, ...]"},
}
"""The same, below each name in a mapping of such fields."""
KEY = "[key]"
"""What it puts behind a key of a mapping that is itself not valid."""


def _without_tags(location: Sequence[str | int]) -> list[str | int]:
    above: Sequence[str | int | None] = [None, None, *location]
    places = zip(above, above[1:], location, strict=False)
    return [
        x
        for over, before, x in places
        if x != KEY
        and x not in UNION_TAGS.get(str(before), ())
        and x not in NAMED_TAGS.get(str(over), ())
    ]


def _field_names(model: type[Manifest], location: Sequence[str | int]) -> list[str]:
    """Return the fields known at a place of the spec, read from its JSON schema."""
    schema = model.model_json_schema()
    nodes = _variants(schema, schema)
    for part in location:
        below = [
            node.get("items") if isinstance(part, int) else _child(node, part) for node in nodes
        ]
        nodes = [v for node in below if node for v in _variants(schema, node)]
    return sorted({name for node in nodes for name in node.get("properties", {})})


def _child(node: Any, field: str) -> Any:
    any_key = next(iter(node.get("patternProperties", {}).values()), None)
    return node.get("properties", {}).get(field) or node.get("additionalProperties") or any_key


def _variants(schema: Any, node: Any) -> list[Any]:
    """Return the object schemas that may stand at a node, references and unions resolved."""
    if not isinstance(node, dict):
        return []
    if "$ref" in node:
        return _variants(schema, schema["$defs"][node["$ref"].rsplit("/", 1)[-1]])
    options = node.get("oneOf") or node.get("anyOf")
    return [v for option in options for v in _variants(schema, option)] if options else [node]


def line_of(text: str, location: Sequence[str | int]) -> int | None:
    """Return the line of the deepest node on the way to `location`, from YAML's own marks."""
    return _node_at(text, location)[1]


def _node_at(text: str, location: Sequence[str | int]) -> tuple[yaml.Node | None, int | None]:
    """Return the node at a place, or None, and the line of the deepest one on the way there."""
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    line = None
    for part in location:
        if isinstance(node, yaml.MappingNode):
            found = next((pair for pair in node.value if pair[0].value == str(part)), None)
            if found is None:
                return None, line
            line, node = found[0].start_mark.line + 1, found[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int):
            if part >= len(node.value):  # the entry that is missing
                return None, line
            node = node.value[part]
            line = node.start_mark.line + 1
        else:
            return None, line
    return node, line
