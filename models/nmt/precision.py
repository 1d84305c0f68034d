"""What a training multiplies in: bfloat16 where this machine is sooner done with it.

That a processor has instructions for bfloat16 says little: measured against float32, one with tiles
(AMX) multiplied five times as fast, one without twice as fast, another half as fast.
"""

import time

from models.nmt.recipe import NmtRecipe

ROWS = 2048
REPETITIONS = 5


def resolve_precision(recipe: NmtRecipe) -> str:
    """Turn `auto` into what this machine does best."""
    if recipe.precision != "auto":
        return recipe.precision
    return "bf16" if has_bf16() and bf16_is_faster(recipe) else "fp32"


def has_bf16() -> bool:
    """Say whether this machine multiplies bfloat16 matrices natively."""
    import torch

    if torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported())
    capabilities = torch.cpu.get_capabilities()
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))


def bf16_is_faster(recipe: NmtRecipe) -> bool:
    """Time a product of the feed-forward layers' size, in both precisions by turns.

    The quickest of each counts, since other programs only ever slow one down.
    """
    import torch

    if torch.cuda.is_available():
        return True
    rows = torch.ones(ROWS, recipe.width)
    weight = torch.ones(recipe.width, recipe.feed_forward)
    pairs = {dtype: (rows.to(dtype), weight.to(dtype)) for dtype in (torch.float32, torch.bfloat16)}
    quickest = dict.fromkeys(pairs, float("inf"))
    for _ in range(REPETITIONS):
        for dtype, (left, right) in pairs.items():
            started = time.perf_counter()
            left @ right
            quickest[dtype] = min(quickest[dtype], time.perf_counter() - started)
    return quickest[torch.bfloat16] < quickest[torch.float32]
