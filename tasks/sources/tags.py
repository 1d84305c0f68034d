"""Compare language tags as BCP 47 has them: in any case, and the wider covers the narrower."""

from collections.abc import Collection, Iterator
from contextlib import suppress
from functools import cache

SHARED = {"nb": "no"}
"""Tags of macrolanguages that are used for a member which has a tag of its own."""

SHORT = {"tgl": "tl"}
"""Codes of two letters that langcodes takes for those of another language (`fil`)."""


def covers(tag: str, found: str) -> bool:
    """Say whether a tag covers another: `en` covers `EN-GB`, `zh-CN` covers `zh-Hans-CN`.

    RFC 4647, extended filtering. Codes of three letters stand for those of two: `eng` is `en`.
    """
    language, *others = _subtags(tag)
    first, *rest = _subtags(found)
    if language != first:
        return False
    for wanted in others:
        if wanted not in rest:
            return False
        rest = rest[rest.index(wanted) + 1 :]
    return True


def tags_of(code: str) -> Iterator[str]:
    """Yield the tags that may stand for a language of ours (`srp_Cyrl`, `swh`), the surest first.

    With its script and without, its own tag and that of its macrolanguage: `swh`, then `sw`.
    """
    language, _, script = code.partition("_")
    tags = [_shortest(language), *([macro] if (macro := macrolanguage(code)) else [])]
    yield from (f"{tag}-{script}" for tag in tags if script)
    yield from tags


def same_language(tag: str) -> Iterator[str]:
    """Yield the other codes of ISO 639 for the language of a tag: `deu` and `ger` for `de`."""
    from langcodes.data_dicts import LANGUAGE_ALPHA3, LANGUAGE_ALPHA3_BIBLIOGRAPHIC

    for table in (LANGUAGE_ALPHA3, LANGUAGE_ALPHA3_BIBLIOGRAPHIC):
        if code := table.get(tag):
            yield code


def macrolanguage(code: str) -> str | None:
    """Return the tag of the macrolanguage by which a member may be named: `sw` for `swh`.

    None for a member that has a tag of two letters of its own (`id`, which is under `ms`).
    """
    from langcodes.data_dicts import MACROLANGUAGES

    own = _shortest(code.partition("_")[0])
    return SHARED.get(own) if len(own) == 2 else MACROLANGUAGES.get(own)


def find_tag(code: str, tags: Collection[str]) -> str | None:
    """Return the tag that stands for a language among those of a file, covering all that do."""
    for wanted in tags_of(code):
        if found := [tag for tag in tags if covers(wanted, tag)]:
            return found[0] if len(found) == 1 else wanted
    return None


def _shortest(language: str) -> str:
    """Return the code of two letters for one of three, where there is one."""
    from langcodes import standardize_tag

    return SHORT.get(language) or standardize_tag(language).partition("-")[0]


@cache
def _subtags(tag: str) -> tuple[str, ...]:
    from langcodes import standardize_tag
    from langcodes.tag_parser import LanguageTagError

    with suppress(LanguageTagError):  # else a name of its own, compared as it is
        tag = standardize_tag(tag.strip())
    return tuple(tag.casefold().replace("_", "-").split("-"))
