"""One row of a source, and rows whose text in one language has slipped, put where it belongs."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from models.support.errors import SourceError
from tasks.sources.description import Slip


class Row(NamedTuple):
    """One record as the source has it: its own key, its shipped split if any, its fields.

    `lacks` are the fields that the record has no text for; an empty one stands in `fields`. `place`
    tells people where it stands, where the source has lines or records. What is `alone` had a text
    of another row beside it, and has none of its own.
    """

    key: str
    split: str | None
    fields: dict[str, str]
    lacks: tuple[str, ...] = ()
    place: str = ""
    alone: bool = False


def realigned(rows: Iterator[Row], slips: Sequence[Slip], corpus: str) -> Iterator[Row]:
    """Yield rows with the text of each language that has slipped from the row that it stands in.

    Each text is given once: to a row of a block before one in its place. A row that is left without
    one, or would have one of another split, is `alone`. Raises SourceError for rows that are not
    there.
    """
    reach = max(abs(slip.by) for slip in slips)
    near: dict[int, Row] = {}
    number = 0
    for number, row in enumerate(rows, start=1):
        near[number] = row
        if number > reach:
            yield _realigned(number - reach, near, slips)
            near.pop(number - 2 * reach, None)
    for place in range(max(1, number - reach + 1), number + 1):
        yield _realigned(place, near, slips)
    last = max(slip.rows[1] for slip in slips)
    if last > number:
        raise SourceError(f"corpus {corpus}: `realign` names row {last:,}, there are {number:,}")


def _realigned(number: int, near: dict[int, Row], slips: Sequence[Slip]) -> Row:
    row = near[number]
    for language in dict.fromkeys(slip.language for slip in slips):
        blocks = [slip for slip in slips if slip.language == language]
        place = _partner(number, blocks)
        there = near.get(place) if place else None
        if there is None or there.split != row.split:
            row = row._replace(fields={**row.fields, language: ""}, alone=True)
            continue
        lacks = {*row.lacks} - {language} | ({*there.lacks} & {language})
        fields = {**row.fields, language: there.fields[language]}
        row = row._replace(fields=fields, lacks=tuple(x for x in fields if x in lacks))
    return row


def _partner(number: int, blocks: Sequence[Slip]) -> int | None:
    """Return the row that a row's text stands in; None where another row has that."""
    own = next((n for n, slip in enumerate(blocks) if number in slip), len(blocks))
    place = number + (blocks[own].by if own < len(blocks) else 0)
    return None if any(place - slip.by in slip for slip in blocks[:own]) else place
