"""Take text out of records: by a path into them, and nothing that is not text."""

import math
from collections.abc import Iterator, Mapping
from typing import Final

from models.support.errors import SourceError
from models.writing import half_character

MISSING: Final = object()
LONGEST_EXCERPT = 40


def value_at(record: object, path: str) -> object:
    """Return what stands in a record under a name or a path (`translation.en`, `sides.0`).

    A name that holds dots comes before a path; below a null there is null. Returns MISSING where
    the record has no such place.
    """
    if isinstance(record, Mapping):
        if path in record:
            return record[path]
        for name, rest in _ways(path):
            if name in record:
                return value_at(record[name], rest)
    elif isinstance(record, list | tuple):
        place, _, rest = path.partition(".")
        if place.isdecimal() and int(place) < len(record):
            return value_at(record[int(place)], rest) if rest else record[int(place)]
    elif record is None:
        return None
    return MISSING


def spread(record: Mapping[str, object], path: str) -> list[object] | None:
    """Return each value of a path that takes all of a list, `sides.*.text`; None for other paths.

    What is no list counts as one of one, null as an empty one. Values are MISSING where an entry
    does not have the rest of the path.
    """
    before, star, after = path.partition("*")
    if not star or path in record or (before and not before.endswith(".")):
        return None
    there = value_at(record, before[:-1]) if before else record
    if there is MISSING:
        return [MISSING]
    entries = list(there) if isinstance(there, list | tuple) else [there] * (there is not None)
    return [value_at(entry, after[1:]) if after else entry for entry in entries]


def _ways(path: str) -> Iterator[tuple[str, str]]:
    parts = path.split(".")
    for length in range(len(parts) - 1, 0, -1):
        yield ".".join(parts[:length]), ".".join(parts[length:])


def places(record: Mapping[str, object], *, above: str = "") -> Iterator[tuple[str, object]]:
    """Yield every name or path of a record that leads to a value which is no record itself."""
    for name, value in record.items():
        path = f"{above}{name}"
        if isinstance(value, Mapping):
            yield from places(value, above=f"{path}.")
        else:
            yield path, value


def text_of(value: object, where: str, column: str) -> str:
    """Return a text; null is an empty one. Raises SourceError for what is no text."""
    if value is None:
        return ""
    if not isinstance(value, str):
        way = _way_out(value, column)
        raise SourceError(f"{where}: {column!r} is {described(value)}, not text{way}")
    return unbroken(value, where, column)


def name_of(value: object, where: str, column: str) -> str:
    """Return an id or a label, which may also be a whole number, or true and false."""
    if isinstance(value, bool):
        return str(value).lower()  # as JSON spells it
    return str(value) if isinstance(value, int) else text_of(value, where, column)


def unbroken(text: str, where: str, column: str) -> str:
    """Return a text whose every character can be written; raise SourceError for half of one."""
    if half := half_character(text):
        raise SourceError(
            f"{where}: {column!r} holds {half} alone, half of a character (a lone surrogate): the "
            "text was cut inside of it; take it out, or get the text whole"
        )
    return text


def described(value: object) -> str:
    """Say what kind of value this is."""
    if isinstance(value, Mapping):
        return "an object"
    if isinstance(value, list | tuple):
        return f"a list of {len(value)}"
    if isinstance(value, float) and math.isnan(value):
        return "NaN (no number)"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return f"a number ({value})"
    return f"a {type(value).__name__} ({str(value)[:LONGEST_EXCERPT]})"


def _way_out(value: object, column: str) -> str:
    if isinstance(value, Mapping) and value:
        return f"; name a place in it, as {f'{column}.{next(iter(value))}'!r}"
    if isinstance(value, list | tuple) and value:
        return (
            f"; name one of it, as {f'{column}.0'!r}, or all, as {f'{column}.*'!r}, to have a row "
            "of each, or join them to one text"
        )
    if isinstance(value, float) and math.isnan(value):
        return '; write null or "" where there is none'
    return "; write it in quotes if it is meant as text" if isinstance(value, int | float) else ""
