"""What a training multiplies in: bfloat16 where this machine is sooner done with it.

That a processor has instructions for bfloat16 says little: measured against float32, one with tiles
(AMX) multiplied five times as fast, one without twice as fast, another half as fast.

`python -m models.nmt.precision WIDTH FEED_FORWARD` measures, and prints the answer.
"""

import sys
import time
from pathlib import Path

from models.nmt.recipe import NmtRecipe
from models.support.fork_server import ForkServer, FreshProcesses

MEASURE = "models.nmt.precision"
BF16, FP32 = "bf16", "fp32"
SMALLEST = 64 * 128
"""Numbers of a weight matrix: to convert fewer costs about what multiplying them saves."""
MARGIN = 1.5
"""So many times as fast must bfloat16 be: near a tie, the next look would say the contrary, and the
same training would end with other weights."""
ROWS = 2048
REPETITIONS = 10


def resolve_precision(recipe: NmtRecipe, *, server: ForkServer | FreshProcesses, log: Path) -> str:
    """Turn `auto` into what this machine does best.

    A child measures: forks of a process that has computed on several threads may wait for ever.
    """
    if recipe.precision != "auto":
        return recipe.precision
    said: list[str] = []
    server.run(MEASURE, [str(recipe.width), str(recipe.feed_forward)], log, on_line=said.append)
    return said[-1].strip()


def quicker_precision(width: int, feed_forward: int) -> str:
    """Return `bf16` where that is native and multiplies clearly sooner, else `fp32`."""
    import torch

    if torch.cuda.is_available():
        return BF16 if torch.cuda.is_bf16_supported() else FP32
    capabilities = torch.cpu.get_capabilities()
    native = capabilities.get("avx512_bf16") or capabilities.get("amx_bf16")
    if not native or width * feed_forward < SMALLEST:
        return FP32
    return BF16 if bf16_speedup(width, feed_forward) >= MARGIN else FP32


def bf16_speedup(width: int, feed_forward: int) -> float:
    """Return how many times as fast bfloat16 multiplies a product of the feed-forward layers' size.

    Both precisions take turns on one thread, and the quickest of each counts: other programs only
    ever slow one down, and two threads wait for each other where others keep the processors busy.
    """
    import torch

    rows, weight = torch.ones(ROWS, width), torch.ones(width, feed_forward)
    pairs = {dtype: (rows.to(dtype), weight.to(dtype)) for dtype in (torch.float32, torch.bfloat16)}
    quickest = dict.fromkeys(pairs, float("inf"))
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    for _ in range(REPETITIONS):
        for dtype, (left, right) in pairs.items():
            started = time.perf_counter()
            left @ right
            quickest[dtype] = min(quickest[dtype], time.perf_counter() - started)
    torch.set_num_threads(threads)
    return quickest[torch.float32] / quickest[torch.bfloat16]


def main(arguments: list[str]) -> None:
    """Print the precision for a width and a feed-forward width."""
    width, feed_forward = map(int, arguments)
    sys.stdout.write(f"{quicker_precision(width, feed_forward)}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
