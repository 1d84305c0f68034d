"""Word-by-word translation with a lexicon learnt from word alignments of the same bitext.

Cheap, deterministic and honest: it keeps the content of a sentence where an under-trained NMT
model invents fluent words, and at a few thousand sentence pairs it is hard to beat.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

from models.alignment import align
from models.engines.protocol import Decoding, Line
from models.writing import is_word, replace_words

Lexicon = dict[str, str]
"""Lower-cased source word to its most probable target word."""


def learn_lexicons(sources: Sequence[str], targets: Sequence[str]) -> tuple[Lexicon, Lexicon]:
    """Align parallel sentences and return the lexicons of both directions.

    A word maps to the word it is linked with most often.
    """
    links: Counter[tuple[str, str]] = Counter()
    for pair in align(lambda: zip(sources, targets, strict=True)):
        links.update((pair.source[i], pair.target[j]) for i, j in pair.links)
    reverse = Counter({(target, source): n for (source, target), n in links.items()})
    return _most_frequent(links), _most_frequent(reverse)


class GlossEngine:
    """Translate by replacing each word; an unknown word is copied."""

    def __init__(self, lexicons: dict[tuple[str, str], Lexicon]) -> None:
        self.lexicons = lexicons

    def translate(
        self, lines: Sequence[Line], *, source: str, target: str, decoding: Decoding
    ) -> list[Line]:
        """Return a gloss for each line, with spacing and punctuation as they were.

        A word gets a space where the script of its source has none. There is but one gloss: how to
        search for it has no meaning.
        """
        lexicon = self.lexicons[source, target]

        def gloss(text: str) -> str:
            return replace_words(text, lambda word: _gloss(word, lexicon))

        return [(key, gloss(text)) for key, text in lines]


def save_lexicon(lexicon: Lexicon, path: Path) -> None:
    """Write a lexicon as sorted JSON, one word a line, for people to read."""
    text = json.dumps(lexicon, ensure_ascii=False, indent=0, sort_keys=True)
    path.write_text(text, encoding="utf-8")


def load_lexicon(path: Path) -> Lexicon:
    """Read a lexicon back."""
    lexicon: Lexicon = json.loads(path.read_text(encoding="utf-8"))
    return lexicon


def _gloss(word: str, lexicon: Lexicon) -> str:
    translation = lexicon.get(word.lower(), word)
    return translation.capitalize() if word[0].isupper() and translation.islower() else translation


def _most_frequent(links: Counter[tuple[str, str]]) -> Lexicon:
    candidates: defaultdict[str, list[tuple[int, str]]] = defaultdict(list)
    for (source, target), count in links.items():
        if is_word(source) and is_word(target):
            candidates[source].append((-count, target))
    return {source: min(found)[1] for source, found in candidates.items()}
