"""Say what is wrong with a manifest: each problem with its line, its field and a way out."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

import yaml
from pydantic import ValidationError

from models.encoders.adaptation.registry import ADAPTATION_KINDS
from pipeline.specs.manifests import FieldsError, Location, Manifest
from pipeline.specs.suggesting import suggest

TEXT = "tag:yaml.org,2002:str"
TRUTH_VALUE = "truth value"
"""The kind of problem that pydantic does not see: to it, true is the number 1."""


def describe(
    error: ValidationError | None,
    mistaken: Mapping[Location, bool],
    text: str,
    model: type[Manifest],
) -> list[str]:
    """Return a line for each problem that validation has found, and each mistaken truth value."""
    found = error.errors(include_url=False) if error else []
    places = chain.from_iterable(map(_places, found))
    others = _own_problems([place for place in places if tuple(place["loc"]) not in mistaken])
    truths = [
        {"loc": place, "type": TRUTH_VALUE, "msg": "", "input": value}
        for place, value in mistaken.items()
        if _no_text(text, place)  # what is filled in from another field is told of that one
    ]
    return [_describe(problem, text, model) for problem in [*truths, *others]]


def truth_values(data: Any, model: type[Manifest]) -> dict[Location, bool]:
    """Return each true and false that stands where a number is expected, by its place."""
    found = dict(_truth_values(data, ()))
    schema = model.model_json_schema() if found else {}
    return {place: value for place, value in found.items() if _wants_number(schema, place)}


def _truth_values(data: Any, place: Location) -> Iterator[tuple[Location, bool]]:
    if isinstance(data, bool):
        yield place, data
    elif isinstance(data, dict | list):
        within = data.items() if isinstance(data, dict) else enumerate(data)
        for name, value in within:
            yield from _truth_values(value, (*place, name))


def _wants_number(schema: Any, place: Location) -> bool:
    types = {node.get("type") for node in _at(schema, place)}
    return bool(types & {"integer", "number"}) and "boolean" not in types


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
    elif problem["type"] == TRUTH_VALUE:
        scalar = _no_text(text, location)
        written = scalar.value if scalar else problem["input"]
        read = str(problem["input"]).lower()
        how = read if written == read else f"{read} (YAML reads {written} so)"
        message = f"expected a number, found {how}"
    elif problem["type"] in WANTS_TEXT and (scalar := _no_text(text, location)):
        message = _read_as(scalar, problem["input"], location)
    elif problem["type"] not in ("missing", "value_error") and not isinstance(
        problem["input"], (dict, list)
    ):
        message += f" (found {problem['input']!r})"
    return describe_place(text, location, message)


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


def describe_place(text: str, location: Sequence[str | int], message: str) -> str:
    """Return what is wrong at a place, with its line and the way to it."""
    field, line = in_words(location), line_of(text, location)
    return f"  line {line}: {field}: {message}" if line else f"  {field}: {message}"


def in_words(location: Sequence[str | int]) -> str:
    """Return the way to a field as people count: `parallel, entry 1, source.base`."""
    way = ""
    for before, part in zip((None, *location), location, strict=False):
        if isinstance(part, int):
            way += f", entry {part + 1}" if way else f"entry {part + 1}"
        else:
            way += f"{', ' if isinstance(before, int) else '.' if way else ''}{part}"
    return way or "(whole file)"


UNION_TAGS = {
    "source": {"files", "dataset", "sandbox", "hub", "folder", "package"},
    "format": {"csv", "tsv", "jsonl", "text", "tmx", "verses"},
    "split": {"hash", "shipped"},
}
"""What pydantic puts into a location below a field that is a union: not a field of the file."""
NAMED_TAGS = {
    "systems": {"gloss", "phrase", "trained", "pivot"},
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
    nodes = _at(model.model_json_schema(), location)
    return sorted({name for node in nodes for name in node.get("properties", {})})


def _at(schema: Any, location: Sequence[str | int]) -> list[Any]:
    """Return the parts of a JSON schema that may stand at a place."""
    nodes = _variants(schema, schema)
    for part in location:
        below = [
            _entry(node, part) if isinstance(part, int) else _child(node, part) for node in nodes
        ]
        nodes = [v for node in below if node for v in _variants(schema, node)]
    return nodes


def _entry(node: Any, place: Any) -> Any:
    first = node.get("prefixItems", ())
    return first[place] if place < len(first) else node.get("items")


def _child(node: Any, field: Any) -> Any:
    any_key = next(iter(node.get("patternProperties", {}).values()), None)
    return node.get("properties", {}).get(field) or node.get("additionalProperties") or any_key


def _variants(schema: Any, node: Any) -> list[Any]:
    """Return the schemas that may stand at a node, references and unions resolved."""
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
