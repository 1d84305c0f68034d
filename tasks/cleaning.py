"""Make raw text comparable: normalise it, and say why a sentence is dropped."""

import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Annotated

import regex
from annotated_types import Ge

from models import writing

URL = regex.compile(r"https?://\S+|\bwww\.\S+|\bpic\.twitter\.com/\S+")
PLACEHOLDER = regex.compile(r"\[(?:URL|USERNAME|HASHTAG)\]", regex.IGNORECASE)
HANDLE = regex.compile(r"(?<!\w)(?:@\w+)+")
GLUED_HASH = regex.compile(r"(?<=\w)#")
CONTROL = regex.compile(r"[\p{Cc}\p{Cf}\p{Cs}--\p{White_Space}--\u200c\u200d]", regex.VERSION1)
UNSPACED_LETTER = regex.compile(
    r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Tibetan}"
    r"\p{Javanese}\p{Balinese}\p{Tai_Tham}\p{Tai_Viet}\p{New_Tai_Lue}--\p{M}]",
    regex.VERSION1,
)
"""A letter of a script that puts no spaces between words."""
NOT_TEXT = regex.compile(r"[^\p{L}\p{M}\p{N}]+")
SHOWN_PLACES = 3


@dataclass(frozen=True, kw_only=True)
class CleaningRules:
    """What to strip from each text, and which sentences to keep.

    * ``strip_urls``: web addresses and pictures of tweets.
    * ``strip_placeholders``: ``[URL]``, ``[USERNAME]``, ``[HASHTAG]``, which stand for what a
      corpus has taken out.
    * ``strip_handles``: names of users, ``@budi``.
    * ``strip_hash_signs``: the sign of a hashtag alone; its words stay.
    * ``split_paragraphs``: cut monolingual text into sentences; bitext stays as it is aligned.
    * ``drop_repeats``: keep the first of sentences that differ in case, width or punctuation alone,
      in bitext by its first language. Off, a corpus is audited as it ships.
    * ``max_words``, ``max_characters``: of each side; a longer sentence is dropped.
    """

    strip_urls: bool = True
    strip_placeholders: bool = True
    strip_handles: bool = True
    strip_hash_signs: bool = True
    split_paragraphs: bool = True
    drop_repeats: bool = True
    max_words: Annotated[int, Ge(1)] = 100
    max_characters: Annotated[int, Ge(1)] = 1000


@dataclass
class Counts:
    """What one cleaning read and kept, what it dropped or repaired, by reason.

    `places` tells where the first dropped ones of each reason stand.
    """

    read: int = 0
    kept: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    repaired: Counter[str] = field(default_factory=Counter)
    places: dict[str, list[str]] = field(default_factory=dict)

    def drop(self, reason: str, place: str = "") -> None:
        """Count one dropped sentence."""
        self.dropped[reason] += 1
        if place and len(found := self.places.setdefault(reason, [])) < SHOWN_PLACES:
            found.append(place)

    def note_repairs(self, text: str) -> None:
        """Count a text out of which `normalise` takes control characters."""
        if not text.isprintable() and CONTROL.search(text):
            self.repaired["control_characters"] += 1

    def reasons(self) -> dict[str, dict[str, int]]:
        """Return what was dropped, by reason, and what was repaired, if anything was."""
        dropped = {reason: n for reason, n in sorted(self.dropped.items()) if n}
        return {"dropped": dropped, **({"repaired": dict(self.repaired)} if self.repaired else {})}

    def as_dict(self) -> dict[str, object]:
        """Return plain values for a manifest."""
        return {"read": self.read, "kept": self.kept, **self.reasons()}


def normalise(text: str, rules: CleaningRules) -> str:
    """Return NFC text without control characters, tweet clutter and odd white space."""
    text = CONTROL.sub("", text)
    if rules.strip_urls:
        text = URL.sub(" ", text)  # whole, before its fragment loses the hash sign
    if rules.strip_hash_signs:
        text = GLUED_HASH.sub(" ", text).replace("#", "")  # "#satu#dua" is two words
    text = unicodedata.normalize("NFC", text)  # last of what joins: a mark may meet its letter now
    for wanted, pattern in (
        (rules.strip_urls, URL),
        (rules.strip_placeholders, PLACEHOLDER),
        (rules.strip_handles, HANDLE),
    ):
        if wanted:
            text = pattern.sub(" ", text)
    return " ".join(text.split())


def reason_to_drop(text: str, rules: CleaningRules) -> str | None:
    """Return why a normalised text cannot be used, or None."""
    if not NOT_TEXT.sub("", text):
        return "empty"
    if len(text) > rules.max_characters or len(text.split()) > rules.max_words:
        return "too_long"
    return None


def sentences(paragraph: str) -> Iterator[str]:
    """Yield the sentences of a paragraph, without the space between them."""
    return filter(None, map(str.strip, writing.sentences(paragraph)))


def comparison_key(text: str) -> str:
    """Return a text's words without case, width and punctuation, one space between them.

    Diacritics stay: they tell words apart.
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(NOT_TEXT.sub(" ", folded).split()) or folded


def count_words(key: str) -> int:
    """Return the words of a comparison key; where no spaces are written, two letters are one."""
    unspaced = len(UNSPACED_LETTER.findall(key))
    if not unspaced:
        return len(key.split())
    return len(UNSPACED_LETTER.sub(" ", key).split()) + (unspaced + 1) // 2


def key_digest(text: str) -> bytes:
    """Return 8 bytes that stand for a text's comparison key in large sets."""
    return digest_of(comparison_key(text))


def digest_of(key: str) -> bytes:
    """Return 8 bytes that stand for a comparison key in large sets."""
    return blake2b(key.encode(), digest_size=8).digest()
