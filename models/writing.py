"""What is a word, a sentence, the same text: the one place that all who cut and compare ask.

Properties of Unicode decide wherever it has one, since a list by hand forgets scripts. Where a
script puts no spaces between words, words are parted by U+200B or by the spaces of a corpus that
was segmented before; without either, letters are counted, and stand for words (`LETTERS_A_WORD`).
"""

import html
import re
import unicodedata
from collections.abc import Callable, Iterator
from functools import cache
from html.entities import html5
from itertools import chain
from math import ceil
from typing import NamedTuple

import regex

UNSPACED_SCRIPTS = {
    "Hani": "Han", "Hira": "Hiragana", "Kana": "Katakana", "Bopo": "Bopomofo", "Thai": "Thai",
    "Laoo": "Lao", "Khmr": "Khmer", "Mymr": "Myanmar", "Java": "Javanese", "Bali": "Balinese",
    "Lana": "Tai_Tham", "Tavt": "Tai_Viet", "Talu": "New_Tai_Lue", "Tale": "Tai_Le",
}  # fmt: skip
"""Scripts that put no spaces between words, by ISO 15924, with their names in Unicode."""
WITHOUT_WHITE_SPACE = frozenset(UNSPACED_SCRIPTS) | {"Tibt", "Yiii"}
"""Those, Tibetan, whose tsheg parts syllables, and Yi, each sign of which is a syllable."""
UNSPACED = "".join(rf"\p{{{name}}}" for name in UNSPACED_SCRIPTS.values())
"""Scripts that put no spaces between words, for a set of characters."""
WORD_SPACED = regex.compile(
    r"[\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Tai_Tham}\p{Tai_Viet}\p{New_Tai_Lue}\p{Tai_Le}"
    r"\p{Javanese}\p{Balinese}]"
)
"""A sign of those that part words by U+200B where they part them at all."""

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
) | {"mrs", "ms", "prof", "rep", "rev", "sen", "sgt", "sr", "st", "г", "гр", "проф", "др"}
SHORT_FOR = regex.compile(
    r"(?<![\p{L}\p{M}\p{N}])"
    rf"(?:(?P<letter>(?![\p{{Hangul}}{UNSPACED}])\p{{L}}\p{{M}}*)|(?P<word>\p{{L}}+))\.$"
)
"""A full stop after a letter that stands alone, or after a word that may be a title."""
ENDLESS_SCRIPTS = frozenset({"Thai", "Laoo", "Khmr", "Lana", "Tavt", "Talu", "Tale"})
"""Scripts whose sentences end with a space, as clauses do; Khmer often leaves its mark out."""
CLAUSE_WORDS = 25
"""What a piece of such text may have: about what a sentence has."""
SPACED_PIECE = re.compile(r"\S+\s*|^\s+")
NUMBERING = regex.compile(r"\d{1,3}[.)]+\s*$")
LONGEST_TITLE = 12

WORD_SPACE = "\u200b"
"""What parts words where no space is written: Khmer, Thai, Lao and Burmese have it."""
_SEPARATORS = r"\u200b፡\u0f0b\u16eb\U00010100\U000103d0\U0001091f"
SEPARATOR = re.compile(f"[{_SEPARATORS}]")
"""What else than white space parts words, or syllables: Ethiopic word space, Tibetan tsheg, ..."""
LETTERS_A_WORD = 4
"""Of unspaced scripts, without vowel signs; a word of Chinese or Japanese has half as many."""
SPACED_RUN = 1.25
"""Up to so many words between two spaces, on average, the spaces part words: segmented text."""
UNSPACED_BLOCK = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u1950-\u19df\u1a20-\u1aaf\u1b00-\u1b7f"
    "\u2e80-\u2fdf\u3005-\u31ff\u3200-\u9fff\ua980-\ua9ff\uaa60-\uaadf"
    "\uf900-\ufaff\uff66-\uff9f\U00016fe0-\U0001b16f\U0001f200-\U0001f2ff\U00020000-\U0003ffff]"
)
"""A sign of the blocks that hold the unspaced scripts: asked first, since that takes no time."""
UNSPACED_SIGN = regex.compile(f"[{UNSPACED}]")
UNSPACED_LETTER = regex.compile(rf"(?=\p{{L}})[{UNSPACED}]")

_APOSTROPHE = "'’‘`´＇"
_INNER = r"\u00ad\u180e\u200c\u200d\u2060"
_WORD_SIGNS = r"\u104c-\u104f"  # signs of Burmese that stand for words
_JOINT = (
    rf"(?:[{_APOSTROPHE}\-\u2010\u2011\uff0d՚՛՜՞׳״]"
    r"|[·‧:꞉](?<=\p{L}\p{M}*.)(?=\p{L})"
    r'|"(?<=\p{Hebrew}\p{M}*.)(?=\p{Hebrew}))'
)
_QUOTED = r"(?:[^'’‘]|(?<=[\p{L}\p{M}\p{N}])['’‘](?=\p{L})){1,200}"
"""The text between two single quotation marks, with apostrophes inside of words alone."""
_LEADING = (
    rf"['’‘](?=\p{{L}})(?<![\p{{L}}\p{{M}}\p{{N}}{_APOSTROPHE}].)(?!{_QUOTED}['’](?!\p{{L}}))"
)
_TRAILING = rf"[{_APOSTROPHE}׳](?<!(?<![\p{{L}}\p{{M}}\p{{N}}{_APOSTROPHE}])['‘]{_QUOTED}['’])"


def _word(letter: str, inside: str) -> str:
    """Return the pattern of words, given what they begin with, and go on with."""
    part = f"{letter}{inside}*"
    word = f"{part}(?:{_JOINT}{part})*(?:{_TRAILING})?"
    return f"{word}|{_LEADING}{word}"


_WHOLE_WORD = _word(rf"[\p{{L}}\p{{N}}{_WORD_SIGNS}]", rf"[\p{{L}}\p{{M}}\p{{N}}{_INNER}]")
_SIGN = rf"[^\s\p{{L}}\p{{M}}\p{{N}}\p{{Cf}}{_WORD_SIGNS}{_SEPARATORS}]"
WHOLE_WORD = regex.compile(_WHOLE_WORD)
WHOLE_TOKEN = regex.compile(f"{_WHOLE_WORD}|{_SIGN}")
APART = re.compile(rf"[\s{_SEPARATORS}]*[{_SEPARATORS}][\s{_SEPARATORS}]*")
PIECE = re.compile(rf"([^\s{_SEPARATORS}]+)([\s{_SEPARATORS}]*)")


class _Unspaced(NamedTuple):
    """Patterns that few texts need: stretches of unspaced letters, and what they are cut into."""

    run: re.Pattern[str]
    word: "regex.Pattern[str]"
    token: "regex.Pattern[str]"


@cache
def _unspaced() -> _Unspaced:
    """Spell the letters of unspaced scripts out as ranges: many properties take long to ask."""
    every = "".join(map(chr, chain(range(0xD800), range(0xE000, 0x20000))))
    letters = f"[[{UNSPACED}]&&[\\p{{L}}\\p{{M}}]]+"
    found = (run[0] for run in regex.finditer(letters, every, regex.VERSION1))
    ranges = "".join(f"{run[0]}-{run[-1]}" for run in found) + "\U00020000-\U0003ffff"
    # a consonant with what is written around it; in Thai and Lao some vowels come first
    syllable = (
        rf"[\u0e40-\u0e44\u0ec0-\u0ec4]?(?=\p{{L}})[{ranges}]"
        r"(?:\p{M}|[\u0e30\u0e32\u0e33\u0e45\u0eb0\u0eb2\u0eb3\u200c\u200d]"
        r"|(?<=[\u17d2\u1039\u1a60])\p{L}|\p{L}(?=\u103a))*"
    )
    spaced = _word(rf"[^\W_{ranges}]", rf"[^\W_{ranges}]")
    word = rf"[\p{{Katakana}}ー]+|{syllable}|{spaced}"
    return _Unspaced(
        re.compile(f"[{ranges}][{ranges}ー\u200c\u200d]*"),
        regex.compile(word),
        regex.compile(f"{word}|{_SIGN}"),
    )


ENTITY = regex.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
NOT_TEXT = regex.compile(r"[^\p{L}\p{M}\p{N}]+")
IGNORABLE = regex.compile(r"[\p{Default_Ignorable_Code_Point}\p{Cf}\u0640\u07fa]")
"""What is written and not read: joiners, marks of direction, fillers, and the tatweel."""
SPACING_ACCENTS = "´᾽᾿῾΄"
"""Typed for an apostrophe; compatibility normalisation would make them spaces with a mark."""
APOSTROPHE_LETTERS = "ʹʺʻʼʽʾʿˈˮꞋꞌՙ"
JOINED_LETTERS = {"ൺ": "ണ്", "ൻ": "ന്", "ർ": "ര്", "ൽ": "ല്", "ൾ": "ള്", "ൿ": "ക്", "ৎ": "ত্"}
"""Letters that are also spelt with a joiner: chillus, and khanda ta."""
VARIANT = regex.compile(
    rf"[^\P{{Nd}}0-9]|[\p{{Default_Ignorable_Code_Point}}\p{{Cf}}\u0640\u07fa"
    rf"{APOSTROPHE_LETTERS}{''.join(JOINED_LETTERS)}]"
)
"""What one text has and another spells in another way."""
LETTER = regex.compile(r"\p{L}")
LETTER_OR_DIGIT = regex.compile(rf"[\p{{L}}\p{{N}}{_WORD_SIGNS}]")


def sentences(text: str) -> list[str]:
    """Cut a text after each end of a sentence; joined without anything between, the pieces are it.

    White space after a sentence stays with it, and so do closing quotes. A mark ends a sentence if
    Unicode says so (`Sentence_Terminal`), as do an ellipsis, the Tibetan shad, the doubled Ethiopic
    word space, the Greek question mark, and the colon that is typed for the Armenian full stop.
    Marks of Latin text need white space behind them, unless `!` and `?` stand between letters of a
    script without spaces; the others do not. Nothing is cut after a
    single letter ("J. Smith", "e.g. "), a title ("Dr. "), or a number that begins a sentence
    ("1. "), nor are marks cut off that stand alone (". . ."). Thai and Lao write no ends: a space
    may be one, or not, so their text stays whole (`clauses` cuts it).
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


def writes_no_ends(language: str) -> bool:
    """Say whether a language is written without marks at the ends of sentences, or may be.

    `language` is a code, perhaps with a script, `shn` or `nod_Thai`.
    """
    import langcodes

    code, _, script = language.partition("_")
    return (script or langcodes.get(code).maximize().script) in ENDLESS_SCRIPTS


def clauses(text: str) -> list[str]:
    """Cut a text without ends of sentences at its spaces, which stay with what is before them.

    A piece is as long as `CLAUSE_WORDS` allow. A text stays whole where spaces part its words:
    they say nothing of clauses then.
    """
    if WORD_SPACE not in text and not is_unparted(text):
        return [text] * bool(text)
    found = [""]
    for piece in SPACED_PIECE.findall(text):
        if found[-1] and count_words(found[-1] + piece) > CLAUSE_WORDS:
            found.append("")
        found[-1] += piece
    return list(filter(None, found))


def words(text: str) -> list[str]:
    """Return the words of a text.

    A word is letters, marks and digits, and what joins them: apostrophes of any kind (also before
    and behind, where they are not quotation marks), hyphens that are not dashes, joiners, the
    middle dot of `l·l`, a colon, Hebrew gershayim. Where no spaces are written, words are what
    U+200B or the spaces of segmented text part, else syllables.
    """
    return (_unspaced().word if is_unparted(text) else WHOLE_WORD).findall(text)


def words_and_signs(text: str) -> list[str]:
    """Return the words of a text and all other signs, without white space."""
    return (_unspaced().token if is_unparted(text) else WHOLE_TOKEN).findall(text)


def is_word(token: str) -> bool:
    """Say whether one of `words_and_signs` is a word."""
    return LETTER_OR_DIGIT.search(token) is not None


def replace_words(text: str, replace: Callable[[str], str]) -> str:
    """Replace each word and keep what stands between.

    New words get a space where nothing parted the old ones, or another sign than white space did,
    but for two of a script without spaces.
    """
    if _is_spaced(text) and not SEPARATOR.search(text):
        return WHOLE_WORD.sub(lambda word: replace(word[0]), text)
    pattern = _unspaced().word if is_unparted(text) else WHOLE_WORD
    out, end, changed = "", 0, False
    for word in pattern.finditer(text):
        between, new = text[end : word.start()], replace(word[0])
        changed, before = new != word[0], changed
        if (changed or before) and not (UNSPACED_SIGN.match(out[-1:]) and UNSPACED_SIGN.match(new)):
            between = APART.sub(" ", between) or " " * bool(out and new)
        out, end = out + between + new, word.end()
    return out + text[end:]


def pieces(text: str) -> list[tuple[str, str]]:
    """Return what spaces and their like part, punctuation included, each with what stands behind.

    White space between words is one space, whatever it was.
    """
    if text.isascii() or not SEPARATOR.search(text):
        return [(word, " ") for word in text.split()]
    return [(piece[1], piece[2]) for piece in PIECE.finditer(text)]


def count_words(text: str, *, trust_spaces: bool = True) -> int:
    """Return the number of words that white space parts, or U+200B, tsheg and their like.

    Where no spaces are written, letters are counted: four are a word, of Chinese and Japanese two.
    Segmented text is counted by its spaces, unless they are not to be trusted: then the number is
    the same however a text is spaced.
    """
    if text.isascii():
        return len(text.split())
    segmented = WORD_SPACE in text
    spaced = SEPARATOR.sub(" ", text)
    if _is_spaced(spaced):
        return len(spaced.split())
    runs = _unspaced().run.findall(spaced)
    rest = sum(map(is_word, _unspaced().run.sub(" ", spaced).split()))
    estimate = _estimated_words(runs)
    if segmented or (trust_spaces and estimate <= SPACED_RUN * len(runs)):
        return rest + len(runs)
    return rest + ceil(estimate)


def _is_spaced(text: str) -> bool:
    """Say whether a text has no letter of a script without spaces."""
    return text.isascii() or not UNSPACED_BLOCK.search(text) or not UNSPACED_LETTER.search(text)


def _estimated_words(runs: list[str]) -> float:
    """Return how many words so many letters are: those of Chinese and Japanese count double."""
    letters = [letter for letter in "".join(runs) if letter.isalpha()]
    dense = sum("\u2e80" <= letter < "\ua4d0" or letter >= "\uf900" for letter in letters)
    return (len(letters) + dense) / LETTERS_A_WORD


def is_unparted(text: str) -> bool:
    """Say whether a text is in a script without spaces, and nothing else parts its words."""
    if _is_spaced(text) or WORD_SPACE in text:
        return False
    runs = _unspaced().run.findall(text)
    return _estimated_words(runs) > SPACED_RUN * len(runs)


def half_character(text: str) -> str | None:
    """Return the first lone surrogate of a text, which no file can hold, as JSON writes it."""
    if text.isascii():
        return None
    try:
        text.encode()
    except UnicodeEncodeError as error:
        return f"\\u{ord(text[error.start]):04x}"
    return None


def decode_entities(text: str) -> str:
    """Return a text with HTML's entities as characters, also those that were encoded twice."""
    while "&" in text and (decoded := ENTITY.sub(_entity, text)) != text:
        text = decoded
    return text


def _entity(found: "regex.Match[str]") -> str:
    entity = found[0]
    return html.unescape(entity) if entity[1] == "#" else html5.get(entity[1:], entity)


class _Folded(dict[int, str]):
    """What becomes of each character in a comparison key; filled as characters come."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        if IGNORABLE.match(character):
            folded = ""
        elif character.isdecimal():
            folded = str(unicodedata.decimal(character))
        elif character in APOSTROPHE_LETTERS or NOT_TEXT.match(character):
            folded = " "
        else:
            folded = JOINED_LETTERS.get(character, character)
        self[code] = folded
        return folded


_FOLDED = _Folded()
_ASCII = str.maketrans({chr(code): _FOLDED[code] for code in range(128)})


def comparison_key(text: str) -> str:
    """Return a text's words as they are compared, one space between them.

    Without case, width, presentation forms, punctuation, apostrophes of any kind, tatweel, and what
    is not seen; entities decoded, digits of all scripts as ASCII. Diacritics and vowel signs stay:
    they tell words apart.
    """
    text = decode_entities(text)
    if text.isascii():
        return " ".join(text.lower().translate(_ASCII).split()) or text.lower()
    for accent in SPACING_ACCENTS:
        text = text.replace(accent, "'")
    folded = unicodedata.normalize("NFKC", text).casefold()
    if VARIANT.search(folded):  # a mark may meet its letter now
        plain = unicodedata.normalize("NFC", folded.translate(_FOLDED))
    else:
        plain = NOT_TEXT.sub(" ", folded)
    return " ".join(plain.split()) or folded
