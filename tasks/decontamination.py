"""Keep test sentences out of training: what is protected, and what is removed for it."""

import heapq
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from tasks.cleaning import key_digest
from tasks.records import RecordWriter, count_records, read_records
from tasks.splitting import rank


class HeldOutSet(NamedTuple):
    """A dev or test set whose sentences may not be trained on; `columns` hold its texts."""

    name: str
    path: Path
    columns: Sequence[str]


class Protected:
    """Ids and texts of every held-out sentence, each with the name of its set.

    An id protects the sentence in every language: its translation in another bitext is a leak too.
    """

    def __init__(self) -> None:
        self.ids: dict[str, str] = {}
        self.texts: dict[str, str] = {}

    def add(self, held_out: HeldOutSet) -> None:
        """Protect every sentence of a held-out set."""
        for record in read_records(held_out.path, ["id", *held_out.columns]):
            self.ids.setdefault(record["id"], held_out.name)
            for column in held_out.columns:
                self.texts.setdefault(key_digest(record[column]).hex(), held_out.name)

    def save(self, path: Path) -> None:
        """Write the protected ids and text digests as records."""
        with RecordWriter(path, ["match", "value", "set"]) as writer:
            for match, values in (("id", self.ids), ("text", self.texts)):
                for value, name in values.items():
                    writer.write({"match": match, "value": value, "set": name})

    @classmethod
    def load(cls, path: Path) -> "Protected":
        """Read what `save` wrote."""
        protected = cls()
        for record in read_records(path):
            known = protected.ids if record["match"] == "id" else protected.texts
            known[record["value"]] = record["set"]
        return protected

    def leak(self, record: Mapping[str, str], columns: Sequence[str]) -> tuple[str, str] | None:
        """Return how (`id` or `text`) and with which set a record leaks, or None."""
        if name := self.ids.get(record["id"]):
            return "id", name
        for column in columns:
            if name := self.texts.get(key_digest(record[column]).hex()):
                return "text", name
        return None


def remove_leaks(
    path: Path, columns: Sequence[str], *, protected: Protected, out: Path, limit: int | None = None
) -> dict[str, object]:
    """Copy records that leak nothing to `out`; count what was removed, by match and set.

    With a limit, keep the records that rank lowest by the hash of their id, in their order.
    """
    removed: Counter[str] = Counter()
    wanted = _lowest_ranks(path, columns, protected, limit) if limit else None
    with RecordWriter(out, ["id", *columns, "origin"]) as writer:
        for record in read_records(path):
            if leak := protected.leak(record, columns):
                removed[": ".join(leak)] += 1
            elif wanted is None or record["id"] in wanted:
                writer.write(record)
        kept = writer.written
    removed_by_reason = dict(sorted(removed.items()))
    return {"seen": count_records(path), "removed": removed_by_reason, "kept": kept}


def _lowest_ranks(path: Path, columns: Sequence[str], protected: Protected, limit: int) -> set[str]:
    clean = (r["id"] for r in read_records(path) if protected.leak(r, columns) is None)
    return set(heapq.nsmallest(limit, clean, key=lambda sentence_id: rank(sentence_id, 0)))
