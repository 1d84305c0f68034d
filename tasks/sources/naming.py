"""Find languages, keys and texts by the names of columns and files."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence

KEY_WORDS = {"id", "uid", "uuid", "guid", "key"}
TEXT_WORDS = {"text", "texts", "sentence", "sentences", "content", "paragraph", "tweet", "review"}


def find_column(language: str, columns: Mapping[str, str]) -> str | None:
    """Return the one column that is named for a language; `columns` maps each to a value of it."""
    for name in names_of(language):
        found = [column for column in columns if f" {name} " in f" {_words(column)} "]
        if len(name) == 2:  # a column `id` of single words holds keys, not Indonesian
            found = [column for column in found if " " in columns[column].strip()]
        exact = [column for column in found if _words(column) == name]
        if found:
            return _only(exact or found)
    return None


def find_id_column(columns: Sequence[str]) -> str | None:
    """Return the first column whose name ends in a word for a key."""
    return next((column for column in columns if KEY_WORDS & {*_words(column).split()[-1:]}), None)


def find_text_column(columns: Collection[str]) -> str | None:
    """Return the one column whose name says that it holds text, or the only one there is."""
    return _only([c for c in columns if TEXT_WORDS & {*_words(c).split()}] or [*columns])


def find_language(name: str, languages: Sequence[str]) -> str | None:
    """Return the language a file is named for; codes before names, then the last word decides."""
    words = _words(name).split()[::-1]
    named = (
        language
        for names in (_codes, names_of)
        for word in words
        for language in languages
        if word in names(language)
    )
    return next(named, None)


def names_of(language: str) -> Iterator[str]:
    """Yield, in lower case, what may stand for a language in a name, the surest first.

    Its code with and without the script, its name in English, its two-letter code.
    """
    yield from _codes(language)
    import langcodes  # not for a name that holds the code

    known = langcodes.get(language.split("_")[0])
    yield _words(re.sub(r"\(.*?\)", "", known.language_name()))  # "Swahili (individual language)"
    if known.language and len(known.language) == 2:
        yield known.language


def _codes(language: str) -> list[str]:
    return list(dict.fromkeys((_words(language), language.split("_")[0])))


def _words(text: str) -> str:
    return " ".join(re.findall(r"[^\W\d_]+", text.casefold()))


def _only(found: Sequence[str]) -> str | None:
    return found[0] if len(found) == 1 else None
