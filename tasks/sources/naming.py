"""Find languages, keys and texts by the names of columns and files."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import takewhile, zip_longest

from tasks.sources.tags import same_language, tags_of

KEY_WORDS = {"id", "uid", "uuid", "guid", "key"}
KEYS_TOO = {"id", "no"}
"""Two-letter codes of languages that also are what columns of keys and numbers are called."""
TEXT_WORDS = {"text", "texts", "sentence", "sentences", "content", "paragraph", "tweet", "review"}


def find_column(language: str, columns: Mapping[str, str]) -> str | None:
    """Return the one column that is named for a language; `columns` maps each to a value of it."""
    for name in names_of(language):
        found = [column for column in columns if f" {name} " in f" {_words(column)} "]
        if len(name) == 2:  # a column `id` of single words holds keys, not Indonesian
            found = [column for column in found if _may_be_text(name, columns[column])]
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
    """Return the language a file is named for: the last words of its name that stand for one."""
    return _last_named(_words(name).split(), languages)


def find_sides(names: Sequence[str], languages: Sequence[str]) -> list[str | None]:
    """Return the language that each file is named for; of two, by that in which they differ."""
    words = [_words(name).split() for name in names]
    found: list[str | None] = []
    if len(words) == 2:
        begin = _shared(*words)
        end = _shared(*(own[begin:][::-1] for own in words))
        found = [_last_named(own[begin : len(own) - end], languages) for own in words]
    return found if any(found) else [_last_named(own, languages) for own in words]


def _shared(first: Sequence[str], second: Sequence[str]) -> int:
    """Return how many words two names begin with alike."""
    return len([*takewhile(lambda pair: pair[0] == pair[1], zip(first, second, strict=False))])


def _last_named(words: Sequence[str], languages: Sequence[str]) -> str | None:
    names = [
        (name.split(), language)
        for by_language in zip_longest(*map(names_of, languages))
        for name, language in zip(by_language, languages, strict=True)
        if name
    ]
    ends = range(len(words), 0, -1)
    return next(
        (language for end in ends for name, language in names if _ends_with(words[:end], name)),
        None,
    )


def _ends_with(words: Sequence[str], name: Sequence[str]) -> bool:
    return words[-len(name) :] == name


def names_of(language: str) -> Iterator[str]:
    """Yield, in lower case, what may stand for a language in a name, the surest first.

    Its code with the script and without, its name in English, its two-letter code; then the same
    of its macrolanguage: `chinese` and `zh` for Mandarin.
    """
    import langcodes

    code, _, script = language.partition("_")
    yield from dict.fromkeys((_words(language), code))
    for tag in tags_of(code):
        codes = [tag, *same_language(tag)]
        yield from (_words(f"{name} {script}") for name in codes if script)
        name = langcodes.Language.make(language=tag).language_name()
        yield _words(re.sub(r"\(.*?\)", "", name))  # "Swahili (individual language)"
        yield from codes


def _may_be_text(name: str, value: str) -> bool:
    """Say whether a value can be text: no number; of several words, where its name may be a key's.

    In another alphabet than keys, one word will do.
    """
    if name in KEYS_TOO:
        return " " in value.strip() or not value.isascii()
    return not value or any(map(str.isalpha, value))


def words_of(name: str) -> list[str]:
    """Return the words of the name of a column or file, in lower case."""
    return _words(name).split()


def _words(text: str) -> str:
    return " ".join(re.findall(r"[^\W\d_]+", text.casefold()))


def _only(found: Sequence[str]) -> str | None:
    return found[0] if len(found) == 1 else None
