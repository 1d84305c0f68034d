"""Turn Parquet bitext into fairseq's binary data: `python -m models.nmt.binarize PLAN COUNTS`.

The subword ids are the fairseq ids, so no text form of the segmented corpus is ever written.
"""

import json
import random
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

from models.nmt.importing import import_fairseq
from models.processes import die_with_parent
from models.subwords import BACK_TRANSLATION_TAG, EOS, SPECIAL_PIECES, Subwords

BATCH_ROWS = 10_000
COUNTS = "counts.json"
"""Written last beside the plan: the data are whole."""


class Row(NamedTuple):
    """The subword ids of one training line."""

    source: list[int]
    target: list[int]


@dataclass(frozen=True)
class TrainingText:
    """One Parquet file that feeds one direction of one split.

    `tagged` puts `<BT>` before each source; `copied` takes the target text as the source too;
    `joined_share` of the lines are two sentences in a row.
    """

    path: str
    split: str
    source: str
    target: str
    tagged: bool = False
    copied: bool = False
    repeat: int = 1
    joined_share: float = 0.0

    @property
    def stem(self) -> str:
        """The name fairseq looks for: `train.ind-jav`."""
        return f"{self.split}.{self.source}-{self.target}"


@dataclass(frozen=True)
class BinarizePlan:
    """Everything one binarization reads and writes."""

    subwords: str
    folder: str
    languages: list[str]
    max_pieces: int
    texts: list[TrainingText]

    def save(self, path: Path) -> None:
        """Write the plan for the child process."""
        path.write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> "BinarizePlan":
        """Read the plan back."""
        fields = json.loads(path.read_text(encoding="utf-8"))
        return cls(**{**fields, "texts": [TrainingText(**t) for t in fields["texts"]]})


def write_dictionaries(subwords: Subwords, languages: Sequence[str], folder: Path) -> None:
    """Write the shared dictionary once per language, in the order of the subword ids."""
    lines = [f"{piece} 1\n" for piece in list(subwords.pieces())[len(SPECIAL_PIECES) :]]
    for language in languages:
        (folder / f"dict.{language}.txt").write_text("".join(lines), encoding="utf-8")


def encoded_rows(text: TrainingText, subwords: Subwords) -> Iterator[Row]:
    """Yield the ids of each sentence pair, without tag and end of sentence."""
    import pyarrow.parquet as parquet

    file = parquet.ParquetFile(text.path)
    source_column = text.target if text.copied else text.source
    for batch in file.iter_batches(BATCH_ROWS, columns=[source_column, text.target]):
        columns = batch.to_pydict()
        sources = subwords.encode_ids(columns[source_column])
        targets = subwords.encode_ids(columns[text.target])
        yield from map(Row, sources, targets)


def join_some(
    rows: Iterable[Row], share: float, fits: Callable[[Row], bool], seed: int
) -> Iterator[Row]:
    """Yield rows, a share of them two rows in one where that still fits; none is lost."""
    draw = random.Random(seed)  # noqa: S311
    first: Row | None = None
    for row in rows:
        if first is None:
            if draw.random() < share:
                first = row
            else:
                yield row
            continue
        both = Row(first.source + row.source, first.target + row.target)
        yield from [both] if fits(both) else [first, row]
        first = None
    if first is not None:
        yield first


def binarize(plan: BinarizePlan) -> dict[str, dict[str, int]]:
    """Write every split and direction of the plan; return counts per fairseq data set."""
    subwords = Subwords(Path(plan.subwords))
    folder = Path(plan.folder)
    folder.mkdir(parents=True, exist_ok=True)
    write_dictionaries(subwords, plan.languages, folder)
    by_stem: dict[str, list[TrainingText]] = {}
    for text in plan.texts:
        by_stem.setdefault(text.stem, []).append(text)
    return {
        stem: _write_dataset(folder, stem, texts, subwords, plan.max_pieces)
        for stem, texts in by_stem.items()
    }


def _write_dataset(
    folder: Path, stem: str, texts: list[TrainingText], subwords: Subwords, max_pieces: int
) -> dict[str, int]:
    source = _Side(folder / f"{stem}.{texts[0].source}")
    target = _Side(folder / f"{stem}.{texts[0].target}")
    counts = {"sentences": 0, "too_long": 0, "source_pieces": 0, "target_pieces": 0}

    def fits(row: Row) -> bool:
        return max(map(len, row)) < max_pieces

    for text in texts:
        prefix = [subwords.piece_id(BACK_TRANSLATION_TAG)] if text.tagged else []
        for turn in range(text.repeat):
            rows = encoded_rows(text, subwords)
            for row in join_some(rows, text.joined_share, fits, seed=turn):
                if not fits(row):
                    counts["too_long"] += 1
                    continue
                counts["sentences"] += 1
                counts["source_pieces"] += source.add([*prefix, *row.source, EOS])
                counts["target_pieces"] += target.add([*row.target, EOS])
    source.close()
    target.close()
    return counts


class _Side:
    """One language side of a data set in fairseq's memory-mapped format."""

    def __init__(self, stem: Path) -> None:
        import numpy
        from fairseq.data.indexed_dataset import MMapIndexedDatasetBuilder

        self.stem = stem
        self.builder: Any = MMapIndexedDatasetBuilder(f"{stem}.bin", dtype=numpy.uint16)

    def add(self, ids: list[int]) -> int:
        import torch

        self.builder.add_item(torch.tensor(ids))
        return len(ids)

    def close(self) -> None:
        self.builder.finalize(f"{self.stem}.idx")


def main(plan: Path) -> None:
    """Binarize, then write the counts, whose presence means that the data are whole."""
    counts = plan.with_name(COUNTS)
    found = json.dumps(binarize(BinarizePlan.load(plan)), indent=1)
    draft = counts.with_suffix(".tmp")
    draft.write_text(found, encoding="utf-8")
    draft.replace(counts)


if __name__ == "__main__":
    die_with_parent()
    import_fairseq()
    for name in sys.argv[1:]:
        main(Path(name))
