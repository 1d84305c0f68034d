"""Translate with a published NMT model through CTranslate2."""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zlib import crc32

from models.engines.protocol import Decoding, Line
from models.passages import Pieces, cut_passage, join_passage
from models.subwords import Subwords, language_tag
from models.support.instructions import use_wide_vectors

if TYPE_CHECKING:
    import ctranslate2

BATCH_TOKENS = {"cpu": 512, "cuda": 16_384}
"""Pieces in one batch: on a processor small ones balance its threads and pad little."""
SOURCES_A_SEED = {"cpu": 250, "cuda": 10_000}
"""Sentences that one random generator draws for: a GPU takes all of them at once."""
FASTER_TYPE = {"cpu": "int8", "cuda": "float16"}
FULL_TYPE = "float32"
LONGEST = 100
"""Pieces above which a text is cut into sentences, where nothing is known of the model."""
WINDOW = 250
"""Pieces above which a sentence is cut, too: a translation may have so many more."""


def translation_device() -> str:
    """Return where CTranslate2 translates on this machine: `cuda` or `cpu`."""
    import ctranslate2

    return "cuda" if ctranslate2.get_cuda_device_count() else "cpu"


class NmtEngine:
    """The multilingual model: the target tag goes in front of the source pieces.

    A text of more than `longest` pieces is translated sentence by sentence: a model that has seen
    sentences alone stops in the middle of a paragraph.
    """

    def __init__(
        self,
        folder: Path,
        subwords: Path,
        *,
        threads: int,
        compute_type: str = FULL_TYPE,
        longest: int = LONGEST,
    ) -> None:
        self.folder = folder
        self.subwords = Subwords(subwords)
        self.threads = threads
        self.compute_type = compute_type
        self.longest = longest

    @cached_property
    def _translator(self) -> "ctranslate2.Translator":
        return self._load(inter_threads=self.threads)

    def translate(
        self, lines: Sequence[Line], *, source: str, target: str, decoding: Decoding
    ) -> list[Line]:
        """Return the translation of each line; an empty text stays empty.

        What is drawn hangs on the lines, the seed and the kind of device, not on the number of
        threads nor on what was translated before.
        """
        tag = language_tag(target)
        passages = self._passages([text for _, text in lines])
        tagged = [[tag, *pieces] for passage in passages for pieces in passage]
        translate = self._draw if decoding.random else self._search
        decoded = iter(self.subwords.decode(translate(tagged, decoding)))
        return [
            (key, join_passage(list(islice(decoded, len(passage)))))
            for (key, _), passage in zip(lines, passages, strict=True)
        ]

    def _passages(self, texts: list[str]) -> list[list[Pieces]]:
        """Return the pieces of each text, in the parts in which it is translated."""
        encode = self.subwords.encode_pieces
        return [
            [pieces] * bool(pieces)
            if len(pieces) <= self.longest
            else cut_passage(text, encode, window=WINDOW)
            for text, pieces in zip(texts, encode(texts), strict=True)
        ]

    def _search(self, sources: list[Pieces], decoding: Decoding) -> list[Pieces]:
        options = self._options(self._translator, decoding)
        return _best(self._translator.translate_batch(sources, **options))

    def _draw(self, sources: list[Pieces], decoding: Decoding) -> list[Pieces]:
        """Return sampled translations; parts of the sources are drawn side by side.

        Each part has a seed and a translator with one thread of its own: which of several threads
        takes a batch is chance, and several threads within a batch wait for each other.
        """
        size = SOURCES_A_SEED[translation_device()]
        running: deque[tuple[ctranslate2.Translator, list[Any]]] = deque()
        drawn: list[Pieces] = []
        for start in range(0, len(sources), size):
            if len(running) == self.threads:
                drawn += _best(result.result() for result in running.popleft()[1])
            part = sources[start : start + size]
            translator = self._seeded(crc32(f"{decoding.seed}/{start}".encode()), part[0], decoding)
            options = self._options(translator, decoding)
            results = translator.translate_batch(part, asynchronous=True, **options)
            running.append((translator, results))
        return drawn + _best(result.result() for _, results in running for result in results)

    def _seeded(self, seed: int, source: Pieces, decoding: Decoding) -> "ctranslate2.Translator":
        """Return a new translator whose draws hang on the seed alone.

        In CTranslate2 a thread reads the seed, which is the process's, when it first draws: so one
        piece is drawn here, before another translator gets another seed.
        """
        import ctranslate2

        ctranslate2.set_random_seed(seed)
        translator = self._load(inter_threads=1)
        first_draw = self._options(translator, replace(decoding, max_pieces=1))
        translator.translate_batch([source], **first_draw)
        return translator

    def _options(self, translator: "ctranslate2.Translator", decoding: Decoding) -> dict[str, Any]:
        return {
            "batch_type": "tokens",
            "max_batch_size": BATCH_TOKENS[translator.device],
            "max_decoding_length": decoding.max_pieces,
            "disable_unk": True,
            **search_options(decoding, vocabulary=len(self.subwords)),
        }

    def _load(self, *, inter_threads: int) -> "ctranslate2.Translator":
        import ctranslate2

        use_wide_vectors()
        return ctranslate2.Translator(
            str(self.folder),
            device=translation_device(),
            compute_type=self.compute_type,
            inter_threads=inter_threads,
            intra_threads=1,
        )


def search_options(decoding: Decoding, *, vocabulary: int) -> dict[str, Any]:
    """Return CTranslate2's options: for it, 1 is greedy among the k likeliest, and 0 free."""
    if decoding.beam is not None:
        return {"beam_size": decoding.beam}
    return {
        "beam_size": 1,
        "sampling_topk": min(decoding.top_k or 0, vocabulary),
        "sampling_topp": decoding.nucleus or 1.0,
        "sampling_temperature": decoding.sampling or 1.0,
    }


def _best(results: "Iterable[ctranslate2.TranslationResult]") -> list[Pieces]:
    return [result.hypotheses[0] for result in results]
