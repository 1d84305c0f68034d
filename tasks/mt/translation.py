"""Translate records with any engine: ids that go in come out, a crash loses one shard at most."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple
from zlib import crc32

from models.engines.noise import add_noise
from models.engines.protocol import Decoding, Engine, Line
from tasks.progress import LinesDone
from tasks.records import (
    Record,
    RecordWriter,
    check_same_ids,
    read_columns,
    read_records,
)

SHARD_RECORDS = 2000
CUT_SHORT = "cut_short"
"""The fact of a translation that tells how many lines of each part came back far too short."""
LONG_LINE = 60
"""Characters from which on a line is long enough to say that its translation is too short."""
SHORTEST_SHARE = 1 / 8
"""Of a long line's characters; Chinese has a third of those of English, and that is usual."""


class Order(NamedTuple):
    """What an engine is asked for: a direction, and how the translation is found."""

    source: str
    target: str
    decoding: Decoding

    @property
    def direction(self) -> str:
        """The direction as files and messages name it."""
        return f"{self.source}-{self.target}"


def stream_translation(
    records: Sequence[Record],
    engine: Engine,
    order: Order,
    *,
    shards: Path,
    report: LinesDone = lambda done, total: None,
) -> Iterator[Record]:
    """Yield (id, text) records with the translation of each record's `text`, shard by shard.

    Finished shards stay in the folder `shards`, so that an interrupted run goes on where it was.
    Raises ContractError when the engine loses, adds or reorders a line.
    """
    shards.mkdir(parents=True, exist_ok=True)
    for start in range(0, len(records), SHARD_RECORDS):
        part = records[start : start + SHARD_RECORDS]
        path = shards / f"{order.direction}-{start:09d}.parquet"
        if not path.exists():
            _translate_shard(part, engine, order, path=path)
        translated = list(read_records(path))
        step = f"translation {order.direction}"
        check_same_ids(step, [r["id"] for r in part], [r["id"] for r in translated])
        report(start + len(part), len(records))
        yield from translated


def _translate_shard(shard: Sequence[Record], engine: Engine, order: Order, *, path: Path) -> None:
    lines = [(record["id"], record["text"]) for record in shard]
    source, target, decoding = order
    drawn = _for_lines(decoding, lines) if decoding.random else decoding
    translated = engine.translate(lines, source=source, target=target, decoding=drawn)
    step = f"translation {order.direction}"
    check_same_ids(step, [key for key, _ in lines], [key for key, _ in translated])
    if decoding.noise:
        translated = add_noise(translated, decoding.noise, seed=decoding.seed)
    draft = path.with_suffix(".tmp")
    with RecordWriter(draft, ["id", "text"]) as writer:
        for key, text in translated:
            writer.write({"id": key, "text": " ".join(text.split())})
    draft.replace(path)


def _for_lines(decoding: Decoding, lines: Sequence[Line]) -> Decoding:
    """Return the decoding with a seed of these lines' own: two shards must not draw alike."""
    return replace(decoding, seed=crc32(f"{decoding.seed}/{lines[0][0]}".encode()))


def is_cut_short(source: str, translation: str) -> bool:
    """Say whether a translation is too short to be one of the whole line."""
    return len(source) >= LONG_LINE and len(translation) < SHORTEST_SHARE * len(source)


def count_cut_short(records: Sequence[Record], translated: Path) -> int:
    """Return how many translations, in a file that `write_texts` wrote, are too short."""
    texts = (line["text"] for line in as_texts(translated, "text"))
    return sum(is_cut_short(r["text"], text) for r, text in zip(records, texts, strict=True))


def shard(records: Sequence[Record], number: int, of: int) -> Sequence[Record]:
    """Return one of so many parts of a text, which have the same size and keep its order."""
    return records[len(records) * number // of : len(records) * (number + 1) // of]


def write_texts(path: Path, records: Iterable[Record]) -> int:
    """Write (id, text) records, which `as_texts` reads back; return their number."""
    with RecordWriter(path, ["id", "text"]) as writer:
        for record in records:
            writer.write(record)
    return writer.written


def as_texts(path: Path, column: str) -> list[Record]:
    """Read one column of a file as (id, text) records."""
    columns = read_columns(path, ["id", column])
    return [{"id": i, "text": text} for i, text in zip(columns["id"], columns[column], strict=True)]
