"""Language codes: which are valid, and which was probably meant."""

import re
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from string import ascii_lowercase
from typing import Annotated

import yaml
from pydantic import AfterValidator

LANGUAGE = re.compile(r"[a-z]{3}")
SCRIPT = re.compile(r"_[A-Z][a-z]{3}")
SUGGESTIONS = 3
MACROLANGUAGES = Path(__file__).parents[2] / "data_manifests" / "languages" / "macrolanguages.yaml"


def check_code(code: str) -> str:
    """Return a valid code; raise ValueError with those that may have been meant otherwise.

    Valid is ISO 639-3; a group of ISO 639-5 where a corpus says no more (`btk`, Batak); and `qaa`
    to `qtz`, which are free for what has no code.
    """
    from langcodes import tag_is_valid

    language, script = code[:3], code[3:]
    if not _is_known(language) or (script and not script.startswith("_")):
        raise ValueError(f"{code!r} is no ISO 639-3 code{_hint(code)}")
    if script and not (SCRIPT.fullmatch(script) and tag_is_valid(code)):
        raise ValueError(
            f"{code!r}: {script[1:]!r} is no script of ISO 15924, as in {language}_Latn"
        )
    return code


LanguageCode = Annotated[str, AfterValidator(check_code)]
"""ISO 639-3, with an ISO 15924 script where one language has several: `ind`, `srp_Latn`."""


def _is_known(word: str) -> bool:
    """Say whether a word is a language code, and not one that only libraries use (`ger`, `fre`)."""
    import langcodes

    if not (LANGUAGE.fullmatch(word) and langcodes.tag_is_valid(word)):
        return False
    language = langcodes.get(word)
    return language.to_alpha3() == word or language.to_alpha3(variant="B") != word


@cache
def usual_members() -> dict[str, str]:
    """Return the member that is usually meant by a macrolanguage, by its code."""
    found: dict[str, str] = yaml.safe_load(MACROLANGUAGES.read_text(encoding="utf-8"))[
        "usual_member"
    ]
    return found


def _hint(code: str) -> str:
    meant = " or ".join(map(repr, _meant(code)))
    hint = f"; did you mean {meant}?" if meant else ", which has three letters, as 'ind' has"
    return f"{hint} (qaa to qtz are free for what has no code)"


def _meant(code: str) -> list[str]:
    """Return what another standard's code stands for, or the codes that differ in one letter."""
    import langcodes

    if langcodes.tag_is_valid(code):
        known = langcodes.get(code)
        with suppress(LookupError):
            alpha3 = known.to_alpha3()
            names = [member] if (member := usual_members().get(alpha3)) else []
            script = f"_{known.script}" if known.script else ""
            return [f"{name}{script}" for name in (*names, alpha3)]
    word = code.partition("_")[0].lower()
    near = [code for code in dict.fromkeys(_neighbours(word)) if _is_known(code)]
    common = [code for code in near if len(str(langcodes.get(code))) == 2]  # has a short one, too
    return (common or near)[:SUGGESTIONS]


def _neighbours(word: str) -> Iterator[str]:
    """Yield the words with two letters swapped, then with one changed, the last ones first."""
    for i in reversed(range(len(word) - 1)):
        yield word[:i] + word[i + 1] + word[i] + word[i + 2 :]
    for i in reversed(range(len(word))):
        yield from (word[:i] + letter + word[i + 1 :] for letter in ascii_lowercase)
