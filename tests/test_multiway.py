"""One corpus under several names or splits is recognised, with what to write instead."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tasks.leakage import LeakRules, TextSet
from tasks.multiway import shared_corpora
from tasks.records import write_records
from tests.test_identity import sentences, translated

HUB = sentences(400)
Sizes = Mapping[str, range]
FIRST: Sizes = {"test": range(50), "dev": range(50, 100), "train": range(100, 400)}
LAST: Sizes = {"train": range(300), "dev": range(300, 350), "test": range(350, 400)}


def pair(
    folder: Path,
    language: str,
    corpus: str,
    sizes: Sizes,
    *,
    hub: Sequence[str] = HUB,
    first_row: int = 1,
) -> list[TextSet]:
    """Return the parts of a pair, whose rows are numbered."""
    found = []
    for part, rows in sizes.items():
        path = folder / f"{language}-{part}.parquet"
        texts = [hub[n] for n in rows]
        ids = [f"{corpus}:row-{first_row + n}" for n in rows]
        write_records(path, {"id": ids, "ind": texts, language: translated(texts)})
        columns = {"ind": "ind", language: language}
        found.append(TextSet(f"MT {part} ind-{language}", path, columns))
    return found


@pytest.mark.parametrize(
    ("second", "words"),
    [
        (
            {"corpus": "sun-text", "sizes": LAST},
            [
                "jav-text (ind-jav), sun-text (ind-sun) are one corpus",
                "at least 400 ind sentences are the same",
                "100 of 300 in ind-jav, 100 of 300 in ind-sun",
                "Write `name: jav-text` for it in ind-sun, and give the pairs one `split`.",
            ],
        ),
        (
            {"corpus": "jav-text", "sizes": LAST},
            ["Give the pairs one `split`: the same rule, dev, test and seed."],
        ),
        (
            {"corpus": "sun-text", "sizes": LAST, "first_row": 7},
            ["Their ids differ: name a column that holds the same id in all of them as `id`"],
        ),
    ],
    ids=["two names", "two splits", "other rows"],
)
def test_the_cure_is_named(tmp_path: Path, second: dict[str, object], words: list[str]) -> None:
    sets = [
        *pair(tmp_path, "jav", "jav-text", FIRST),
        *pair(tmp_path, "sun", **second),  # type: ignore[arg-type]
    ]
    (found,) = shared_corpora(sets, LeakRules())
    for word in words:
        assert word in str(found)


def test_many_pairs_are_one_remark(tmp_path: Path) -> None:
    sets = [
        text
        for n, language in enumerate(("jav", "sun", "min", "mad"))
        for text in pair(tmp_path, language, f"{language}-text", FIRST if n % 2 else LAST)
    ]
    (found,) = shared_corpora(sets, LeakRules())
    assert [member.lost for member in found.corpora] == [100, 100, 100, 100]
    assert "`name: jav-text` for it in ind-sun, ind-min, ind-mad" in found.cure


@pytest.mark.parametrize(
    ("corpus", "sizes", "hub"),
    [("jav-text", FIRST, HUB), ("sun-text", LAST, sentences(400, seed=2))],
    ids=["same name and split", "other text"],
)
def test_what_loses_nothing_is_not_told(
    tmp_path: Path, corpus: str, sizes: Sizes, hub: Sequence[str]
) -> None:
    sets = [
        *pair(tmp_path, "jav", "jav-text", FIRST),
        *pair(tmp_path, "sun", corpus, sizes, hub=hub),
    ]
    assert shared_corpora(sets, LeakRules()) == []
