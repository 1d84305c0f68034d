"""Turn Parquet bitext into the binary data that fairseq trains on.

The subword ids are the fairseq ids, so no text form of the segmented corpus is ever written. The
format is that of fairseq's `MMapIndexedDataset`: its own builder needs fairseq and torch, whose
import takes longer than most texts, and makes a tensor of each sentence.
"""

import random
import struct
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple

from models.subwords import BACK_TRANSLATION_TAG, EOS, SPECIAL_PIECES, Subwords
from models.support.sampling import evenly

BATCH_ROWS = 10_000
INDEX_MAGIC, INDEX_VERSION = b"MMIDIDX\x00\x00", 1
UINT16 = 8
"""fairseq's code for the type of the ids; a subword model has 65,000 pieces at most."""

Counts = Mapping[str, dict[str, int]]
"""Sentences, pieces and lines left out, by fairseq's data set (`train.ind-jav`)."""


class EncodedPair(NamedTuple):
    """The subword ids of one training line."""

    source: list[int]
    target: list[int]


@dataclass(frozen=True)
class TrainingText:
    """One Parquet file that feeds one direction of one split.

    `tagged` puts `<BT>` before each source; `copied` takes the target text as the source too;
    `joined_share` of the lines are two sentences in a row; `most` lines are taken at most, evenly.
    """

    path: Path
    split: str
    source: str
    target: str
    tagged: bool = False
    copied: bool = False
    repeat: int = 1
    joined_share: float = 0.0
    most: int | None = None

    @property
    def stem(self) -> str:
        """The name fairseq looks for: `train.ind-jav`."""
        return f"{self.split}.{self.source}-{self.target}"


def write_dictionaries(subwords: Subwords, languages: Sequence[str], folder: Path) -> None:
    """Write the shared dictionary once per language, in the order of the subword ids."""
    lines = [f"{piece} 1\n" for piece in list(subwords.pieces())[len(SPECIAL_PIECES) :]]
    for language in languages:
        (folder / f"dict.{language}.txt").write_text("".join(lines), encoding="utf-8")


def encoded_rows(text: TrainingText, subwords: Subwords) -> Iterator[EncodedPair]:
    """Yield the ids of each sentence pair, without tag and end of sentence."""
    import pyarrow.parquet as parquet

    file = parquet.ParquetFile(text.path)
    source_column = text.target if text.copied else text.source
    taken, start = evenly(file.metadata.num_rows, text.most), 0
    for batch in file.iter_batches(BATCH_ROWS, columns=[source_column, text.target]):
        end = start + len(batch)
        places = taken[bisect_left(taken, start) : bisect_left(taken, end)]
        columns = batch.take([place - start for place in places]).to_pydict()
        sources = subwords.encode_ids(columns[source_column])
        targets = subwords.encode_ids(columns[text.target])
        yield from map(EncodedPair, sources, targets)
        start = end


def join_some(
    rows: Iterable[EncodedPair], share: float, fits: Callable[[EncodedPair], bool], seed: int
) -> Iterator[EncodedPair]:
    """Yield rows, a share of them two rows in one where that still fits; none is lost."""
    draw = random.Random(seed)  # noqa: S311
    first: EncodedPair | None = None
    for row in rows:
        if first is None:
            if draw.random() < share:
                first = row
            else:
                yield row
            continue
        both = EncodedPair(first.source + row.source, first.target + row.target)
        yield from [both] if fits(both) else [first, row]
        first = None
    if first is not None:
        yield first


def binarize(
    subwords: Subwords,
    texts: Iterable[TrainingText],
    languages: Sequence[str],
    folder: Path,
    *,
    max_pieces: int,
) -> Counts:
    """Write every split and direction into a folder; lines above `max_pieces` are left out."""
    folder.mkdir(parents=True, exist_ok=True)
    write_dictionaries(subwords, languages, folder)
    by_stem: dict[str, list[TrainingText]] = {}
    for text in texts:
        by_stem.setdefault(text.stem, []).append(text)
    return {
        stem: _write_dataset(folder, stem, of_stem, subwords, max_pieces)
        for stem, of_stem in by_stem.items()
    }


def _write_dataset(
    folder: Path, stem: str, texts: list[TrainingText], subwords: Subwords, max_pieces: int
) -> dict[str, int]:
    counts = {"sentences": 0, "too_long": 0, "source_pieces": 0, "target_pieces": 0}

    def fits(row: EncodedPair) -> bool:
        return max(map(len, row)) < max_pieces

    with (
        _side(folder / f"{stem}.{texts[0].source}") as add_source,
        _side(folder / f"{stem}.{texts[0].target}") as add_target,
    ):
        for prefix, row in _lines(texts, subwords, fits):
            if not fits(row):
                counts["too_long"] += 1
                continue
            counts["sentences"] += 1
            counts["source_pieces"] += add_source([*prefix, *row.source, EOS])
            counts["target_pieces"] += add_target([*row.target, EOS])
    return counts


def _lines(
    texts: list[TrainingText], subwords: Subwords, fits: Callable[[EncodedPair], bool]
) -> Iterator[tuple[list[int], EncodedPair]]:
    """Yield every line of a data set with what goes before its source: the tag, or nothing."""
    for text in texts:
        prefix = [subwords.piece_id(BACK_TRANSLATION_TAG)] if text.tagged else []
        for turn in range(text.repeat):
            rows = encoded_rows(text, subwords)
            # the turn is the seed: a text that is repeated joins other lines each time
            for row in join_some(rows, text.joined_share, fits, seed=turn):
                yield prefix, row


@contextmanager
def _side(stem: Path) -> Iterator[Callable[[list[int]], int]]:
    """Yield what adds a line to one language side of a data set and returns its pieces."""
    lengths = array("i")
    with Path(f"{stem}.bin").open("wb") as file:

        def add(ids: list[int]) -> int:
            array("H", ids).tofile(file)
            lengths.append(len(ids))
            return len(ids)

        yield add
    _write_index(Path(f"{stem}.idx"), lengths)


def _write_index(path: Path, lengths: "array[int]") -> None:
    """Write how long each line is and at which byte it begins."""
    sizes = (length * array("H").itemsize for length in lengths)
    starts = array("q", accumulate(sizes, initial=0))
    starts.pop()  # the end of the last line
    with path.open("wb") as file:
        file.write(INDEX_MAGIC + struct.pack("<QBQ", INDEX_VERSION, UINT16, len(lengths)))
        lengths.tofile(file)
        starts.tofile(file)
