"""Translate with a published NMT model through CTranslate2."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from models.subwords import Subwords, language_tag

if TYPE_CHECKING:
    import ctranslate2

BATCH_TOKENS = 4096
MAX_INPUT_PIECES = 510
MAX_OUTPUT_PIECES = 256


class Engine(Protocol):
    """Anything that translates: one text out for each text in, in the same order."""

    def translate(self, texts: Sequence[str], *, source: str, target: str) -> list[str]:
        """Return the translation of each text."""
        ...


class NmtEngine:
    """The multilingual model: the target tag goes in front of the source pieces."""

    def __init__(self, folder: Path, subwords: Path, *, beam: int = 4, threads: int = 2) -> None:
        self.folder = folder
        self.subwords = Subwords(subwords)
        self.beam = beam
        self.threads = threads

    @cached_property
    def _translator(self) -> "ctranslate2.Translator":
        import ctranslate2

        device = "cuda" if ctranslate2.get_cuda_device_count() else "cpu"
        return ctranslate2.Translator(
            str(self.folder), device=device, inter_threads=self.threads, intra_threads=1
        )

    def translate(self, texts: Sequence[str], *, source: str, target: str) -> list[str]:
        """Return the beam-search translation of each text; an empty text stays empty."""
        tag = language_tag(target)
        pieces = [p[:MAX_INPUT_PIECES] for p in self.subwords.encode_pieces(texts)]
        filled = [i for i, p in enumerate(pieces) if p]
        results = self._translator.translate_batch(
            [[tag, *pieces[i]] for i in filled],
            batch_type="tokens",
            max_batch_size=BATCH_TOKENS,
            beam_size=self.beam,
            max_decoding_length=MAX_OUTPUT_PIECES,
            disable_unk=True,
        )
        decoded = self.subwords.decode([result.hypotheses[0] for result in results])
        translations = [""] * len(texts)
        for i, text in zip(filled, decoded, strict=True):
            translations[i] = text
        return translations
