"""Tokens of phrase-based translation: words and signs in lower case, case and spacing as marks.

A sign that stands close to its neighbour carries a mark of that, so that a phrase table learns how
text is spaced, too, in any script. The case of a word is a token of its own behind it, as in
`models.casing`.
"""

from collections.abc import Iterable

from models.casing import TITLE, UPPER, cased, marked
from models.writing import UNSPACED_SIGN, is_word, words_and_signs

JOIN, SPACE = "\ue002", "\ue003"  # private use: no text means anything by them
NO_MARKS = str.maketrans("", "", TITLE + UPPER + JOIN + SPACE)


def to_tokens(text: str) -> list[str]:
    """Return the tokens of a text; `to_text` puts them together again, with single spaces."""
    text = text.translate(NO_MARKS)
    tokens: list[str] = []
    before, end = "", 0
    for token in words_and_signs(text):
        start = text.index(token, end)
        mark = _spacing(before, text[end:start], token) if before else ""
        if mark == SPACE:
            tokens.append(SPACE)
        elif mark and not is_word(token):
            token = JOIN + token
        elif mark and not is_word(before):
            tokens[-1] += JOIN
        elif mark:
            tokens.append(JOIN)
        before, end = token.strip(JOIN), start + len(token.strip(JOIN))
        word = marked(token)
        tokens += [word[:-1], word[-1]] if word[-1] in (TITLE, UPPER) else [word]
    return tokens


def to_text(tokens: Iterable[str]) -> str:
    """Return the text of tokens; a mark that stands where it says nothing disappears."""
    text, word, close = "", "", True
    for token in tokens:
        if token in (TITLE, UPPER):
            text, word = text[: len(text) - len(word)] + cased(word, token), ""
        elif token in (JOIN, SPACE):
            close, word = True, ""
            text += " " * (token == SPACE and bool(text))
        else:
            bare = token.strip(JOIN)
            apart = not (close or token.startswith(JOIN) or _share_no_space(text[-1:], bare))
            text += " " * (apart and bool(text)) + bare
            word, close = bare, token.endswith(JOIN)
    return text.strip()


def _spacing(before: str, between: str, token: str) -> str:
    """Return the mark that tells how two tokens are parted, where that is not the usual way."""
    if _share_no_space(before[-1:], token):
        return SPACE if any(map(str.isspace, between)) else ""
    return "" if between else JOIN


def _share_no_space(before: str, token: str) -> bool:
    return bool(before and UNSPACED_SIGN.match(before) and UNSPACED_SIGN.match(token))
