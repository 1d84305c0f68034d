"""What a licence asks, read off its name."""

import pytest

from tasks.licences import NO_CONDITION, UNKNOWN_LICENCE, UNREAD_LICENCE, consequence


@pytest.mark.parametrize(
    ("licence", "asks"),
    [
        ("MIT", {"credit"}),
        ("Apache-2.0", {"credit"}),
        ("CC-BY-4.0", {"credit"}),
        ("CC BY 4.0", {"credit"}),
        ("CC-BY-SA-4.0", {"credit", "share alike"}),
        ("CC-BY-NC-SA-4.0", {"credit", "share alike", "commercial"}),
        ("cc-by-nc-nd-4.0", {"credit", "commercial", "no derived"}),
        ("GPL-3.0-or-later", {"credit", "share alike"}),
        ("ODC-By-1.0", {"credit"}),
        ("research use only", {"commercial"}),
        ("non-commercial", {"commercial"}),
    ],
)
def test_conditions_are_named_and_no_others(licence: str, asks: set[str]) -> None:
    found = consequence(licence)
    every = {"credit", "share alike", "commercial", "no derived"}
    assert {word for word in every if word in found} == asks


@pytest.mark.parametrize("licence", ["CC0-1.0", "CC0", "public domain", "PDDL-1.0"])
def test_what_is_free_asks_nothing(licence: str) -> None:
    assert consequence(licence) == NO_CONDITION


@pytest.mark.parametrize("licence", ["", "unknown", "none", "Unknown", " "])
def test_no_licence_is_no_permission(licence: str) -> None:
    assert consequence(licence) == UNKNOWN_LICENCE


def test_a_licence_that_nobody_here_has_read_is_called_so() -> None:
    assert consequence("Mega Corp Terms v2") == UNREAD_LICENCE
