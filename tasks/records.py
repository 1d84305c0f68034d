"""Records on disk: Parquet with an `id`, streamed both ways, and the contract on ids.

An id is `<corpus>:<key>`; it is born with the sentence and never re-made from a line number.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import regex

from models.support.errors import ContractError
from models.writing import half_character

if TYPE_CHECKING:
    import pyarrow

Record = dict[str, str]

ROWS_IN_MEMORY = 5_000
PLACE = regex.compile(r"#\d+$")
HUMAN = "human"
BACK_TRANSLATED = "synthetic:back-translation"
FORWARD_TRANSLATED = "synthetic:forward-translation"


class RecordWriter:
    """Write records row group by row group, so memory does not grow with the corpus.

    Columns hold strings, `numbers` float32.
    """

    def __init__(self, path: Path, columns: Sequence[str], numbers: Sequence[str] = ()) -> None:
        import pyarrow
        import pyarrow.parquet as parquet

        self.columns = (*columns, *numbers)
        types = [pyarrow.string()] * len(columns) + [pyarrow.float32()] * len(numbers)
        self.schema = pyarrow.schema(list(zip(self.columns, types, strict=True)))
        self.writer = parquet.ParquetWriter(path, self.schema, compression="zstd")
        self.pending: list[Mapping[str, Any]] = []
        self.written = 0

    def write(self, record: Mapping[str, Any]) -> None:
        """Append one record; its keys must be the writer's columns."""
        self.pending.append(record)
        self.written += 1
        if len(self.pending) >= ROWS_IN_MEMORY:
            self._flush()

    def __enter__(self) -> "RecordWriter":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self._flush()
        self.writer.close()

    def _flush(self) -> None:
        self.writer.write_table(self._table(self.pending))
        self.pending = []

    def _table(self, records: Sequence[Mapping[str, Any]]) -> "pyarrow.Table":
        import pyarrow

        columns = {c: [record[c] for record in records] for c in self.columns}
        try:
            return pyarrow.table(columns, schema=self.schema)
        except UnicodeEncodeError as error:
            raise _broken_text(records, self.columns) from error


def _broken_text(records: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> ContractError:
    """Return an error that names the text which holds half of a character."""
    for record in records:
        for column in columns:
            if half := half_character(str(record[column])):
                return ContractError(
                    f"{record.get('id')!a}: {column!r} holds {half} alone, half of a character (a "
                    "lone surrogate), which no file can hold"
                )
    return ContractError("a text holds half of a character (a lone surrogate)")


def write_records(path: Path, columns: Mapping[str, Sequence[str]]) -> None:
    """Write whole columns at once."""
    names = list(columns)
    with RecordWriter(path, names) as writer:
        for values in zip(*columns.values(), strict=True):
            writer.write(dict(zip(names, values, strict=True)))


def read_records(path: Path, columns: Sequence[str] | None = None) -> Iterator[Record]:
    """Yield records in file order, a row group at a time."""
    import pyarrow.parquet as parquet

    with parquet.ParquetFile(path) as file:
        for batch in file.iter_batches(ROWS_IN_MEMORY, columns=_listed(columns)):
            yield from batch.to_pylist()


def read_columns(path: Path, columns: Sequence[str] | None = None) -> dict[str, list[str]]:
    """Read whole columns; for sets that are known to be small (dev, test, task data)."""
    import pyarrow.parquet as parquet

    with parquet.ParquetFile(path) as file:
        table: dict[str, list[str]] = file.read(_listed(columns)).to_pydict()
    return table


def corpus_of(sentence_id: str) -> str:
    """Return the corpus that a sentence id was born in."""
    return sentence_id.partition(":")[0]


def paragraph_id(sentence_id: str) -> str:
    """Return an id without the place of its sentence in a paragraph."""
    return PLACE.sub("", sentence_id)


def _listed(columns: Sequence[str] | None) -> list[str] | None:
    return None if columns is None else list(columns)  # pyarrow takes nothing but a list


def column_names(path: Path) -> list[str]:
    """Return the columns of a file of records, in their order."""
    import pyarrow.parquet as parquet

    return list(parquet.read_schema(path).names)


def count_records(path: Path) -> int:
    """Return the number of records from the file's footer."""
    import pyarrow.parquet as parquet

    return int(parquet.read_metadata(path).num_rows)


def check_same_ids(step: str, given: Sequence[str], got: Sequence[str]) -> None:
    """Raise ContractError unless `step` returned exactly the ids it was given, in their order."""
    if list(given) == list(got):
        return
    lost, extra = Counter(given), Counter(got)
    lost, extra = lost - extra, extra - lost
    if missing := list(lost.elements()):
        raise ContractError(
            f"{step}: {len(missing)} of {len(given)} ids lost, first {missing[0]!r}"
        )
    if unknown := list(extra.keys() - set(given)):
        raise ContractError(f"{step}: {len(unknown)} unknown ids, first {min(unknown)!r}")
    if repeated := list(extra):
        raise ContractError(f"{step}: {len(repeated)} ids repeated, first {repeated[0]!r}")
    moved = next(a for a, b in zip(given, got, strict=True) if a != b)
    raise ContractError(f"{step}: ids came back in another order, first at {moved!r}")
