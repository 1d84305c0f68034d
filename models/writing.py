"""What a sentence is, in any script: the one place that all who cut, count and compare ask.

Properties of Unicode decide wherever it has one, since a list by hand forgets scripts.
"""

from collections.abc import Iterator

import regex

UNSPACED = (
    r"\p{Han}\p{Hiragana}\p{Katakana}\p{Bopomofo}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
    r"\p{Javanese}\p{Balinese}\p{Tai_Tham}\p{Tai_Viet}\p{New_Tai_Lue}\p{Tai_Le}"
)
"""Scripts that put no spaces between words, for a set of characters."""

_LOOSE = r".!?…．\u2024\u06d4"
"""Marks that also stand inside of words and numbers: they end a sentence where a space follows."""
_FIRM = r"[\p{Sentence_Terminal}\u0f0d-\u0f12]--[" + _LOOSE + "]"
"""Marks that end a sentence whatever follows; Tibetan has but its shad."""
_MARK = r"(?:[\p{Sentence_Terminal}…\u0f0d-\u0f12]|(?<=\p{Ethiopic})(?:፡{2}|::))"
_CLOSING = r"""[\p{Pe}\p{Pf}"']"""
SENTENCE_END = regex.compile(
    rf"""
    (?:
        {_MARK}+ (?: {_CLOSING} | \p{{Pi}}(?=\s|$) )*  # German closes with “, Polish opens with it
        (?: [\s&&[^\n]] [»”’](?=\s|$) )?  # French puts a space before its closing marks
        (?:
            (?=\s|$)
          | (?<=[{_FIRM}] {_CLOSING}*) (?!{_CLOSING}|{_MARK})
          | (?<=(?:፡፡|::) {_CLOSING}*)
          | (?<=[{UNSPACED}][!?]+ {_CLOSING}*) (?=[{UNSPACED}\p{{N}}])
        )
      | (?<=\p{{Greek}}); (?=\s|$)
      | (?<=\p{{Armenian}}): (?=\s|$)
    )
    [\s\u200b]*
    """,
    regex.VERBOSE | regex.VERSION1,
)
MAY_END = regex.compile(
    r"(?:[\p{Sentence_Terminal}…፡\u0f0d-\u0f12]|(?<=[\p{Greek}\p{Armenian}\p{Ethiopic}])[;:]).",
    regex.DOTALL,
)
"""What a text of several sentences has: a fraction of the time tells that most have one."""
TITLES = frozenset(
    ["capt", "col", "dr", "dra", "drs", "fr", "gen", "gov", "hon", "hr", "lt", "mlle", "mme", "mr"]
) | {"mrs", "ms", "pres", "prof", "rep", "rev", "sen", "sgt", "sr", "st", "г", "гр", "проф", "др"}
SHORT_FOR = regex.compile(
    r"(?<![\p{L}\p{M}\p{N}])"
    rf"(?:(?P<letter>(?![\p{{Hangul}}{UNSPACED}])\p{{L}}\p{{M}}*)|(?P<word>\p{{L}}+))\.$"
)
"""A full stop after a letter that stands alone, or after a word that may be a title."""
NUMBERING = regex.compile(r"\d{1,3}[.)]+\s*$")
LONGEST_TITLE = 12
LETTER = regex.compile(r"\p{L}")
LETTER_OR_DIGIT = regex.compile(r"[\p{L}\p{N}]")


def sentences(text: str) -> list[str]:
    """Cut a text after each end of a sentence; joined without anything between, the pieces are it.

    White space after a sentence stays with it, and so do closing quotes. A mark ends a sentence if
    Unicode says so (`Sentence_Terminal`), as do an ellipsis, the Tibetan shad, the doubled Ethiopic
    word space, the Greek question mark, and the colon that is typed for the Armenian full stop.
    Marks of Latin text need white space behind them, unless `!` and `?` stand between letters of a
    script without spaces; the others do not. Nothing is cut after a
    single letter ("J. Smith", "e.g. "), a title ("Dr. "), or a number that begins a sentence
    ("1. "), nor are marks cut off that stand alone (". . ."). Thai and Lao write no ends: a space
    may be one, or not, so their text stays whole.
    """
    return list(_sentences(text)) if MAY_END.search(text) else [text] * bool(text)


def _sentences(text: str) -> Iterator[str]:
    """Yield the pieces between the ends, those that are no sentence with their neighbour."""
    waiting = ""
    for piece in _pieces(text):
        if waiting and LETTER_OR_DIGIT.search(piece) and not _goes_on(waiting):
            yield waiting
            waiting = piece
        else:
            waiting += piece
    if waiting:
        yield waiting


def _pieces(text: str) -> Iterator[str]:
    start = 0
    for end in SENTENCE_END.finditer(text):
        yield text[start : end.end()]
        start = end.end()
    yield text[start:]


def _goes_on(piece: str) -> bool:
    """Say whether what ends here, perhaps with a full stop, is no whole sentence."""
    if not LETTER.search(piece):
        return not LETTER_OR_DIGIT.search(piece) or NUMBERING.search(piece) is not None
    found = SHORT_FOR.search(piece.rstrip()[-LONGEST_TITLE:])
    return bool(found and (found["letter"] or found["word"].lower() in TITLES))
