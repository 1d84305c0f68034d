"""Language codes: which are valid, and which was probably meant."""

import re
from collections.abc import Iterator
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator

if TYPE_CHECKING:
    from iso639 import Lang

PRIVATE = re.compile(r"q[a-t][a-z]")
"""ISO 639-3 keeps these free for whatever has no code of its own."""
SCRIPT = re.compile(r"[A-Z][a-z]{3}")


def check_code(code: str) -> str:
    """Return a valid code; raise ValueError with the one that was probably meant otherwise.

    Valid is ISO 639-3, or ISO 639-5 for what a corpus only knows as a group (`btk`, Batak).
    """
    language, _, script = code.partition("_")
    if not _is_known(language):
        raise ValueError(f"{code!r} is no ISO 639-3 code{_hint(language)}")
    if "_" in code and not SCRIPT.fullmatch(script):
        raise ValueError(f"{code!r}: a script is written as in ISO 15924, {language}_Latn")
    return code


LanguageCode = Annotated[str, AfterValidator(check_code)]
"""ISO 639-3, with an ISO 15924 script where one language has several: `ind`, `srp_Latn`."""


def _is_known(language: str) -> bool:
    from iso639 import is_language

    return bool(PRIVATE.fullmatch(language)) or is_language(language, ("pt3", "pt5"))


def _hint(word: str) -> str:
    meant = next(_meant(word), None)
    suggestion = f"; did you mean {meant[0]!r} ({meant[1]})? Otherwise" if meant else ";"
    return f"{suggestion} take one of qaa to qtz, which are free for what has no code"


def _meant(word: str) -> Iterator[tuple[str, str]]:
    """Yield codes with their names: of a name or another code, then of similar codes."""
    from iso639 import Lang, iter_langs
    from iso639.exceptions import DeprecatedLanguageValue, InvalidLanguageValue

    for spelling in (word, word.lower(), word.capitalize()):
        try:
            language = Lang(spelling)
            yield language.pt3 or language.pt5, language.name
        except DeprecatedLanguageValue as error:
            if error.change_to:
                yield error.change_to, Lang(error.change_to).name
        except InvalidLanguageValue:
            continue
    if len(word) == 3:
        yield min((_difference(word.lower(), x), x.pt3, x.name) for x in iter_langs() if x.pt3)[1:]


def _difference(word: str, language: "Lang") -> tuple[float, bool, bool]:
    """Return how far a code is from a word; of equals, the better known language is nearer."""
    likeness = SequenceMatcher(None, word, language.pt3).ratio()
    known = bool(language.pt1) and language.type() == "Living"
    return -likeness, language.pt3[0] != word[0], not known
