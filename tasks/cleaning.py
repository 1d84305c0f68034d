"""Make raw text comparable: normalise it, and say why a sentence is dropped."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Annotated

import regex
from annotated_types import Ge

from models import writing
from models.writing import (
    UNSPACED_SIGN,
    WORD_SPACE,
    WORD_SPACED,
    comparison_key,
    count_words,
    decode_entities,
)

NOT_INSIDE = rf"(?<!(?!{UNSPACED_SIGN.pattern})\w)"
"""Not after a letter, but for one of a script that puts no space between words."""

_ADDRESS = r"(?:(?=[\p{ASCII}\p{L}\p{M}\p{N}])(?!" + UNSPACED_SIGN.pattern + r")\S)+"
URL = regex.compile(rf"(?i:https?://{_ADDRESS}|{NOT_INSIDE}(?:www\.|pic\.twitter\.com/){_ADDRESS})")
"""An address ends where unspaced letters or punctuation beyond ASCII begin: text goes on there."""
PLACEHOLDER = regex.compile(r"\[(?:URL|USERNAME|HASHTAG)\]", regex.IGNORECASE)
HANDLE = regex.compile(
    rf"{NOT_INSIDE}(?:[@＠](?:(?:(?!{UNSPACED_SIGN.pattern})\w)+|\w{{1,20}}(?=[\s:：])))+"
)
"""A user's name; one in unspaced letters ends with a space or a colon, or nobody knows where."""
HASHTAG = regex.compile(
    rf"{NOT_INSIDE}(?<!&)(?:[#＃]+(?=[\p{{N}}_]*\p{{L}})[\w\u200c\u200d]+)+[#＃]?"
)
HASH_SIGN = regex.compile("[#＃]+")
LONE_HASH = regex.compile(r"(?<!\S)[#＃]+(?!\S)")
MAY_BE_CLUTTER = re.compile("[#＃@＠\\[]|://|www\\.|twitter", re.IGNORECASE)
_FLAG_TAGS = "\U000e0020-\U000e007f"
_MEANT = (  # of what Unicode calls format characters
    r"\u200c\u200d"  # joiners
    r"\u200b"  # word boundary: `_word_space` knows where
    r"\u180e"  # Mongolian vowel separator
    r"\p{Prepended_Concatenation_Mark}"  # Arabic signs of number, year and verse, ...
    r"\U00013430-\U0001345f\U0001bca0-\U0001bca3"  # hieroglyphs and shorthand
)
CONTROL = regex.compile(
    rf"[\p{{Cc}}\p{{Cf}}\p{{Cs}}--\p{{White_Space}}--[{_MEANT}{_FLAG_TAGS}]]"
    rf"|(?<!\U0001f3f4[{_FLAG_TAGS}]*)[{_FLAG_TAGS}]",  # the flag of Wales ends in tags
    regex.VERSION1,
)
WORD_SPACES = regex.compile(r"(?<=(.)?)\u200b+(?=(.)?)", regex.DOTALL)
NO_TEXT = regex.compile(r"[^\p{L}\p{M}\p{N}]*")
SHOWN_PLACES = 3


@dataclass(frozen=True, kw_only=True)
class CleaningRules:
    """What to strip from each text, and which sentences to keep.

    * ``decode_entities``: characters that HTML spells out (``&#39;``, ``&amp;``), be it twice.
    * ``strip_urls``: web addresses and pictures of tweets.
    * ``strip_placeholders``: ``[URL]``, ``[USERNAME]``, ``[HASHTAG]``, which stand for what a
      corpus has taken out.
    * ``strip_handles``: names of users, ``@budi``.
    * ``strip_hash_signs``: the sign of a hashtag alone; its words stay, and so do C# and #5.
    * ``split_paragraphs``: cut monolingual text into sentences; bitext stays as it is aligned.
    * ``drop_repeats``: keep the first of sentences that differ in case, width or punctuation alone,
      in bitext by its first language. Off, a corpus is audited as it ships.
    * ``max_words``, ``max_characters``: of each side; a longer sentence is dropped. Where nothing
      parts words, four letters are one, of Chinese and Japanese two.
    """

    decode_entities: bool = True
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
        """Count a text out of which `normalise` takes control characters, or entities."""
        if not text.isprintable() and _without_control(text) != text:
            self.repaired["control_characters"] += 1
        if "&" in text and decode_entities(text) != text:
            self.repaired["html_entities"] += 1

    def reasons(self) -> dict[str, dict[str, int]]:
        """Return what was dropped, by reason, and what was repaired, if anything was."""
        dropped = {reason: n for reason, n in sorted(self.dropped.items()) if n}
        return {"dropped": dropped, **({"repaired": dict(self.repaired)} if self.repaired else {})}

    def as_dict(self) -> dict[str, object]:
        """Return plain values for a manifest."""
        return {"read": self.read, "kept": self.kept, **self.reasons()}


def normalise(text: str, rules: CleaningRules) -> str:
    """Return NFC text without control characters, entities, tweet clutter and odd white space."""
    text = _plain(text, rules)
    while MAY_BE_CLUTTER.search(text) and (stripped := _strip_clutter(text, rules)) != text:
        text = _plain(stripped, rules)
    return text


def _plain(text: str, rules: CleaningRules) -> str:
    """Return NFC text without what no text needs; a mark may meet its letter then."""
    if rules.decode_entities:
        text = decode_entities(text)
    if not (text.isascii() and text.isprintable()):
        text = unicodedata.normalize("NFC", _without_control(text))
    return " ".join(text.split())


def _without_control(text: str) -> str:
    """Return a text without control characters, and U+200B only where it parts words."""
    if text.isprintable():
        return text
    text = CONTROL.sub("", text)
    return WORD_SPACES.sub(_word_space, text) if WORD_SPACE in text else text


def _word_space(found: "regex.Match[str]") -> str:
    """Return U+200B between letters of which one is of a script that parts words so, else none."""
    sides = [side for side in found.groups() if side and not NO_TEXT.fullmatch(side)]
    return WORD_SPACE if sides[1:] and any(map(WORD_SPACED.match, sides)) else ""


def _strip_clutter(text: str, rules: CleaningRules) -> str:
    """Return a text without addresses, signs of hashtags, placeholders and handles, as asked."""
    if rules.strip_urls:
        text = URL.sub(" ", text)  # whole, before its fragment loses the hash sign
    if rules.strip_hash_signs:
        text = LONE_HASH.sub("", HASHTAG.sub(_tagged_words, text))
    if rules.strip_placeholders:
        text = PLACEHOLDER.sub(" ", text)
    if rules.strip_handles:
        text = HANDLE.sub(" ", text)
    return text


def _tagged_words(hashtags: "regex.Match[str]") -> str:
    """Return the words of hashtags that follow each other; "#satu#dua" is two words."""
    words = " ".join(filter(None, HASH_SIGN.split(hashtags[0])))
    left, right = hashtags.string[: hashtags.start()][-1:], hashtags.string[hashtags.end() :][:1]
    return f"{' ' * left.isalnum()}{words}{' ' * right.isalnum()}"


def reason_to_drop(text: str, rules: CleaningRules) -> str | None:
    """Return why a normalised text cannot be used, or None."""
    if NO_TEXT.fullmatch(text):
        return "empty"
    if len(text) > rules.max_characters or count_words(text) > rules.max_words:
        return "too_long"
    return None


def sentences(paragraph: str) -> Iterator[str]:
    """Yield the sentences of a paragraph, without the space between them."""
    return filter(None, map(str.strip, writing.sentences(paragraph)))


def sentence_keys(text: str) -> list[str]:
    """Return the comparison keys of a text's sentences, where it has several."""
    cut = list(sentences(text))
    return list(map(comparison_key, cut)) if cut[1:] else []


def key_digest(text: str) -> bytes:
    """Return 8 bytes that stand for a text's comparison key in large sets."""
    return digest_of(comparison_key(text))


def digest_of(key: str) -> bytes:
    """Return 8 bytes that stand for a comparison key in large sets."""
    return blake2b(key.encode(), digest_size=8).digest()
