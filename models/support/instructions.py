"""Which instructions of a processor CTranslate2 computes with."""

import os
from pathlib import Path

INSTRUCTIONS = "CT2_FORCE_CPU_ISA"


def use_wide_vectors(processor: Path = Path("/proc/cpuinfo")) -> None:
    """Have CTranslate2 compute with AVX-512 on recent processors; by itself it takes AVX2.

    Older ones slow down all else for it. What the user has chosen holds.
    """
    if processor.exists() and "avx512_bf16" in processor.read_text(encoding="utf-8"):
        os.environ.setdefault(INSTRUCTIONS, "AVX512")
