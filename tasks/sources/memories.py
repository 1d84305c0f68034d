"""Read translation memories (TMX), unit by unit: text without the codes of where it came from."""

from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

from models.support.errors import SourceError
from tasks.sources.elements import local_tag, read_elements, text_of
from tasks.sources.tags import covers

XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
CODES = {"bpt", "ept", "it", "ph", "ut"}
"""Elements of a segment that hold codes, not text; `hi` holds text."""


class Unit(NamedTuple):
    """One translation unit: its `tuid`, if it has one, and its variants in order, tag and text."""

    tuid: str | None
    variants: tuple[tuple[str, str], ...]

    def texts(self, tags: tuple[str, ...]) -> list[str]:
        """Return the different texts whose tag one of the tags covers, in order."""
        covered = (
            text for tag, text in self.variants if any(covers(wanted, tag) for wanted in tags)
        )
        return list(dict.fromkeys(covered))


def read_units(path: Path, name: str) -> Iterator[Unit]:
    """Yield the units of a memory; a variant without a language has the tag `` (nothing)."""
    for element in read_elements(path, name, "tu"):
        variants = [child for child in element if local_tag(child) == "tuv"]
        yield Unit(element.get("tuid"), tuple((_tag(v), _text(v)) for v in variants))


def read_memory(
    path: Path, name: str, columns: Mapping[str, tuple[str, ...]]
) -> Iterator[tuple[str | None, list[dict[str, str]]]]:
    """Yield `tuid` and texts by field of each unit; `columns` says which tags a field is read from.

    A unit with several translations in one field gives each with each of the others. A field that
    it has none for is missing. Raises SourceError for a field that no unit of the file has.
    """
    seen: set[str] = set()
    for unit in read_units(path, name):
        seen.update(tag for tag, _ in unit.variants)
        yield unit.tuid, list(_combinations(unit, columns))
    for tags in columns.values():
        if not any(covers(tag, found) for tag in tags for found in seen):
            shown = ", ".join(repr(tag) if tag else "no tag" for tag in sorted(seen))
            raise SourceError(
                f"{name}: no unit is in {' or '.join(map(repr, tags))}; "
                f"found {shown or 'no unit (`<tu>`) at all'}"
            )


def _combinations(unit: Unit, columns: Mapping[str, tuple[str, ...]]) -> Iterator[dict[str, str]]:
    sides = {field: unit.texts(tags) for field, tags in columns.items()}
    given = {field: texts for field, texts in sides.items() if texts}
    for texts in product(*given.values()):
        yield dict(zip(given, texts, strict=True))


def _tag(variant: Any) -> str:
    return str(variant.get(XML_LANG) or variant.get("lang") or "")


def _text(variant: Any) -> str:
    segment = next((child for child in variant if local_tag(child) == "seg"), None)
    return "" if segment is None else text_of(segment, without=CODES)
