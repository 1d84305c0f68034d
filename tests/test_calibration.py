"""Equal systems are called different about as often as the level of the test says."""

import pytest

from benchmarks.calibration import Cell, rate

EXPERIMENTS, RESAMPLES = 120, 200


@pytest.mark.parametrize(
    "cell",
    [
        Cell("BLEU", 0.0, 3),
        Cell("BLEU", 2.0, 3),
        Cell("macro-F1", 0.0, 5),
        Cell("macro-F1", 0.03, 5),
        Cell("macro-F1", 0.03, 3, other=0.0),
        Cell("macro-F1", 0.01, 3, own=0.5, fixed=True),
        Cell("macro-F1", 0.01, 3, places=3),
    ],
    ids=lambda cell: cell.name,
)
def test_false_alarms_are_rare(cell: Cell) -> None:
    found = rate(cell, EXPERIMENTS, resamples=RESAMPLES)
    assert found["low"] <= 0.07
    assert found["high"] >= 0.03


def test_a_test_that_knows_items_alone_raises_many() -> None:
    cell = Cell("macro-F1", 0.03, 3)
    alone = rate(cell, 60, resamples=RESAMPLES, items_alone=True)
    assert alone["value"] > 2 * rate(cell, 60, resamples=RESAMPLES)["value"]
    assert alone["low"] > 0.07


def test_a_true_difference_is_found_more_often_than_a_false_one() -> None:
    true, false = (
        rate(Cell("BLEU", 0.5, 5, ahead), 60, resamples=RESAMPLES) for ahead in (2.5, 0.0)
    )
    assert true["value"] > 4 * false["value"]
