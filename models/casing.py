"""Inline casing: each word in lower case, its case as a mark behind it.

`Sehat`, `SEHAT` and `sehat` then share their subwords, which a few thousand sentence pairs could
not teach one by one. Source: Etchegoyhen & Gete 2020, with the mark behind the word instead of
before it, so that the word keeps its word-initial piece.
"""

import regex

TITLE, UPPER = "\ue000", "\ue001"  # private use: no text means anything by them
CASE_MARKS = [TITLE, UPPER]

WORD = regex.compile(r"[\p{L}\p{M}]+")
MARKED = regex.compile(rf"([\p{{L}}\p{{M}}]*)([{TITLE}{UPPER}])")
NO_MARKS = str.maketrans("", "", TITLE + UPPER)


def mark_case(text: str) -> str:
    """Return the text in lower case with marks; `restore_case` undoes it exactly.

    A word in mixed case (`eBay`) stays as it is. Marks that the text itself holds are dropped.
    """
    return WORD.sub(lambda word: marked(word[0]), text.translate(NO_MARKS))


def restore_case(text: str) -> str:
    """Return the text with each mark applied to the word before it; a stray mark disappears."""
    return MARKED.sub(lambda found: cased(found[1], found[2]), text)


def marked(word: str) -> str:
    """Return a word in lower case with its mark; one in mixed case, or none, has no mark."""
    lower = word.lower()
    return next(
        (lower + mark for mark in CASE_MARKS if word != lower and cased(lower, mark) == word), word
    )


def cased(word: str, mark: str) -> str:
    """Return a word in lower case as its mark tells."""
    return word.upper() if mark == UPPER else word[:1].upper() + word[1:]
