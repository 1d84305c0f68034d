"""Write the reference: every field of a manifest from the specs, every command from its help.

`python -m pipeline.commands.reference docs/reference`
"""

import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from typer.cli import get_docs_for_click
from typer.main import get_command

from pipeline.commands.app import app
from pipeline.specs.encoders import EncoderManifest
from pipeline.specs.experiment import Experiment
from pipeline.specs.manifests import Manifest, PairManifest, TaskManifest

FILES: Mapping[str, type[Manifest]] = {
    "data_manifests/experiments/": Experiment,
    "data_manifests/pairs/": PairManifest,
    "data_manifests/tasks/": TaskManifest,
    "data_manifests/models/": EncoderManifest,
}
LIMITS = {
    "minimum": "at least {}",
    "exclusiveMinimum": "above {}",
    "maximum": "at most {}",
    "exclusiveMaximum": "below {}",
    "minItems": "at least {} of them",
    "maxItems": "at most {} of them",
}
MOST_DEFAULT = 60
"""Characters of a default value; a longer one is told where the thing itself is."""
NAMED = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
}

Schema = Mapping[str, Any]


def manifests_page() -> str:
    """Return the fields of all manifests as Markdown, from their JSON schema."""
    lines = ["# Fields of manifests", ""]
    lines += [
        "Generated from the code by `make reference`; a field without a default must be there."
    ]
    things: dict[str, Schema] = {}
    for folder, kind in FILES.items():
        schema = kind.model_json_schema(by_alias=True)
        things |= schema.pop("$defs", {})
        lines += ["", f"## {kind.__name__}", "", f"A file in `{folder}`.", "", *_described(schema)]
    held = {kind.__name__ for kind in FILES.values()}
    for name in sorted(things.keys() - held):
        lines += ["", f"## {name}", "", *_described(things[name])]
    return "\n".join(lines) + "\n"


def commands_page() -> str:
    """Return the help of all commands as Markdown."""
    import typer

    command = get_command(app)
    text = get_docs_for_click(obj=command, ctx=typer.Context(command), name="sprachbund")
    kept = re.sub(r"\* `--(install|show)-completion`.*\n", "", text)
    return f"{kept.rstrip()}\n"


def _described(schema: Schema) -> Iterator[str]:
    """Yield what a thing is, then a table of its fields."""
    yield from _told(schema.get("description", ""))
    if not schema.get("properties"):
        return
    yield from ("", "| field | holds | default |", "|---|---|---|")
    needed = schema.get("required", ())
    for name, field in schema["properties"].items():
        yield f"| `{name}` | {_holds(field)} | {'' if name in needed else _default(field)} |"


def _told(docstring: str) -> Iterator[str]:
    for line in docstring.splitlines():
        yield line.replace("``", "`")


def _holds(field: Schema) -> str:
    """Return what may stand in a field: its kind, its values, its limits."""
    return ", ".join([_kind(field), *_limits(field)]).replace("|", "\\|")


def _kind(field: Schema) -> str:
    if "$ref" in field:
        return _link(field["$ref"])
    if choices := field.get("oneOf") or field.get("anyOf"):
        kinds = dict.fromkeys(_holds(c) for c in choices if c.get("type") != "null")
        return " or ".join(kinds)
    if "const" in field:
        return f"`{field['const']}`"
    if "enum" in field:
        return " or ".join(f"`{value}`" for value in field["enum"])
    if field.get("type") == "array":
        inner: Any = field.get("items") or next(iter(field.get("prefixItems", ())), {})
        return f"a list of {_holds(inner)}"
    if field.get("type") == "object":
        inner = field.get("additionalProperties")
        patterns = field.get("patternProperties", {})
        value = inner if isinstance(inner, dict) else next(iter(patterns.values()), {})
        return f"names with {_holds(value)} each" if value else "names and values"
    return NAMED.get(field.get("type", ""), "anything")


def _limits(field: Schema) -> Iterator[str]:
    """Yield the limits; 0 and 0.0 alike, since which of them stands there hangs on imports.

    `Annotated[float, Ge(0)]` and `Annotated[float, Ge(0.0)]` are equal, and typing keeps the first.
    """
    for name, words in LIMITS.items():
        if name in field:
            limit = float(field[name])
            yield words.format(int(limit) if limit.is_integer() else limit)


def _default(field: Schema) -> str:
    if "default" not in field or field["default"] is None:
        return "none"
    text = json.dumps(field["default"], ensure_ascii=False)
    return f"`{text}`".replace("|", "\\|") if len(text) <= MOST_DEFAULT else "its own defaults"


def _link(reference: str) -> str:
    name = reference.rpartition("/")[2]
    return f"[{name}](#{name.lower()})"


def pages() -> dict[str, str]:
    """Return every page of the reference by its file name."""
    return {"manifests.md": manifests_page(), "commands.md": commands_page()}


def main(folder: Path) -> None:
    """Write the pages."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
