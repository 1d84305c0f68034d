"""Translation through a third language: two steps, or one where a side is that language."""

from collections.abc import Sequence

import pytest

from models.engines.gloss import GlossEngine
from models.engines.pivot import PivotEngine
from models.engines.protocol import Decoding, Line

DECODING = Decoding(top_k=10, seed=5)


class Traced:
    """Write each step behind the text; note how it was decoded."""

    def __init__(self) -> None:
        self.decodings: list[Decoding] = []

    def translate(
        self, lines: Sequence[Line], *, source: str, target: str, decoding: Decoding
    ) -> list[Line]:
        self.decodings.append(decoding)
        return [(key, f"{text} {source}>{target}".strip()) for key, text in lines]


@pytest.mark.parametrize(
    ("source", "target", "steps"),
    [
        ("mad", "jav", "mad>ind ind>jav"),
        ("jav", "mad", "jav>ind ind>mad"),
        ("mad", "ind", "mad>ind"),
        ("ind", "jav", "ind>jav"),
    ],
)
def test_as_many_steps_as_are_needed(source: str, target: str, steps: str) -> None:
    traced = Traced()
    lines = [("k:2", "oreng"), ("k:1", ""), ("k:3", "यह किताब"), ("k:4", "ไทย")]
    translated = PivotEngine(traced, via="ind").translate(
        lines, source=source, target=target, decoding=DECODING
    )
    assert translated == [(key, f"{text} {steps}".strip()) for key, text in lines]
    assert traced.decodings == [DECODING] * len(steps.split())


def test_a_gloss_pivots_word_by_word() -> None:
    lexicons = {("mad", "ind"): {"ngakan": "makan"}, ("ind", "jav"): {"makan": "neda"}}
    pivot = PivotEngine(GlossEngine(lexicons), via="ind")
    translated = pivot.translate(
        [("k:1", "Ngakan, soto!")], source="mad", target="jav", decoding=Decoding()
    )
    assert translated == [("k:1", "Neda, soto!")]


def test_a_pivot_may_pivot_itself() -> None:
    chain = PivotEngine(PivotEngine(Traced(), via="ind"), via="eng")
    translated = chain.translate([("k:1", "a")], source="mad", target="jav", decoding=DECODING)
    assert translated == [("k:1", "a mad>ind ind>eng eng>ind ind>jav")]
