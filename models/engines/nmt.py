"""Translate with a published NMT model through CTranslate2."""

import os
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models.engines.protocol import Decoding, Line
from models.subwords import Subwords, language_tag

if TYPE_CHECKING:
    import ctranslate2

BATCH_TOKENS = {"cpu": 512, "cuda": 16_384}
"""Pieces in one batch: on a processor small ones balance its threads and pad little."""
FASTER_TYPE = {"cpu": "int8", "cuda": "float16"}
FULL_TYPE = "float32"
INSTRUCTIONS = "CT2_FORCE_CPU_ISA"
MAX_INPUT_PIECES = 510


def translation_device() -> str:
    """Return where CTranslate2 translates on this machine: `cuda` or `cpu`."""
    import ctranslate2

    return "cuda" if ctranslate2.get_cuda_device_count() else "cpu"


def use_wide_vectors(processor: Path = Path("/proc/cpuinfo")) -> None:
    """Have CTranslate2 compute with AVX-512 on recent processors; by itself it takes AVX2.

    Older ones slow down all else for it. What the user has chosen holds.
    """
    if processor.exists() and "avx512_bf16" in processor.read_text(encoding="utf-8"):
        os.environ.setdefault(INSTRUCTIONS, "AVX512")


class NmtEngine:
    """The multilingual model: the target tag goes in front of the source pieces."""

    def __init__(
        self, folder: Path, subwords: Path, *, threads: int, compute_type: str = FULL_TYPE
    ) -> None:
        self.folder = folder
        self.subwords = Subwords(subwords)
        self.threads = threads
        self.compute_type = compute_type

    @cached_property
    def _translator(self) -> "ctranslate2.Translator":
        return self._load(inter_threads=self.threads, intra_threads=1)

    def translate(
        self, lines: Sequence[Line], *, source: str, target: str, decoding: Decoding
    ) -> list[Line]:
        """Return the translation of each line; an empty text stays empty."""
        tag = language_tag(target)
        encoded = self.subwords.encode_pieces([text for _, text in lines])
        pieces = [p[:MAX_INPUT_PIECES] for p in encoded]
        filled = [i for i, p in enumerate(pieces) if p]
        translator = self._seeded(decoding.seed) if decoding.random else self._translator
        results = translator.translate_batch(
            [[tag, *pieces[i]] for i in filled],
            batch_type="tokens",
            max_batch_size=BATCH_TOKENS[translator.device],
            max_decoding_length=decoding.max_pieces,
            disable_unk=True,
            **search_options(decoding),
        )
        decoded = self.subwords.decode([result.hypotheses[0] for result in results])
        translations = dict(zip(filled, decoded, strict=True))
        return [(line[0], translations.get(i, "")) for i, line in enumerate(lines)]

    def _seeded(self, seed: int) -> "ctranslate2.Translator":
        """Return a translator whose draws hang on the seed alone.

        CTranslate2 draws with a generator for each of its threads, which takes its seed when it is
        first used: hence a new translator with one thread for each call.
        """
        import ctranslate2

        ctranslate2.set_random_seed(seed)
        return self._load(inter_threads=1, intra_threads=self.threads)

    def _load(self, **threads: int) -> "ctranslate2.Translator":
        import ctranslate2

        use_wide_vectors()
        return ctranslate2.Translator(
            str(self.folder),
            device=translation_device(),
            compute_type=self.compute_type,
            **threads,
        )


def search_options(decoding: Decoding) -> dict[str, Any]:
    """Return CTranslate2's options: for it, 1 is greedy among the k likeliest, and 0 free."""
    if decoding.beam is not None:
        return {"beam_size": decoding.beam}
    return {
        "beam_size": 1,
        "sampling_topk": decoding.top_k or 0,
        "sampling_topp": decoding.nucleus or 1.0,
        "sampling_temperature": decoding.sampling or 1.0,
    }
