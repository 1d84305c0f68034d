"""Translate records with any engine: ids that go in come out, a crash loses one shard at most."""

from collections.abc import Sequence
from pathlib import Path

from models.errors import ContractError
from models.translator import Engine
from tasks.progress import LinesDone
from tasks.records import Record, RecordWriter, check_same_ids, read_columns, read_records

SHARD_RECORDS = 2000


def translate_records(
    records: Sequence[Record],
    engine: Engine,
    *,
    source: str,
    target: str,
    shards: Path,
    report: LinesDone = lambda done, total: None,
) -> list[Record]:
    """Return (id, text) records with the translation of each record's `text`.

    Finished shards stay in the folder `shards`, so that an interrupted run goes on where it was.
    Raises ContractError when the engine loses, adds or reorders a line.
    """
    shards.mkdir(parents=True, exist_ok=True)
    translated: list[Record] = []
    for start in range(0, len(records), SHARD_RECORDS):
        shard = records[start : start + SHARD_RECORDS]
        path = shards / f"{source}-{target}-{start:09d}.parquet"
        if not path.exists():
            _translate_shard(shard, engine, source=source, target=target, path=path)
        translated.extend(read_records(path))
        report(len(translated), len(records))
    step = f"translation {source}-{target}"
    check_same_ids(step, [r["id"] for r in records], [r["id"] for r in translated])
    return translated


def _translate_shard(
    shard: Sequence[Record], engine: Engine, *, source: str, target: str, path: Path
) -> None:
    texts = engine.translate([r["text"] for r in shard], source=source, target=target)
    if len(texts) != len(shard):
        raise ContractError(
            f"translation {source}-{target}: the engine returned {len(texts)} lines for "
            f"{len(shard)}, in the shard that begins with id {shard[0]['id']!r}"
        )
    draft = path.with_suffix(".tmp")
    with RecordWriter(draft, ["id", "text"]) as writer:
        for record, text in zip(shard, texts, strict=True):
            writer.write({"id": record["id"], "text": " ".join(text.split())})
    draft.replace(path)


def as_texts(path: Path, column: str) -> list[Record]:
    """Read one column of a file as (id, text) records."""
    columns = read_columns(path, ["id", column])
    return [{"id": i, "text": text} for i, text in zip(columns["id"], columns[column], strict=True)]
