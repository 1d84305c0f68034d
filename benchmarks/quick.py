"""The short form: training, translation, overhead and end to end, in under 25 minutes.

`python -m benchmarks.quick` writes `benchmarks/results/quick.json`. It measures on the text of
`nusa` where that can be had (in `SPRACHBUND_MIRROR` or from its publisher), else on the sandbox's.
The trained model that translates is the sandbox's, the small study end to end is `nusa-mini`'s or,
without it, the sandbox's.
"""

import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from benchmarks import by_hand, overhead, training, translation
from benchmarks.material import prepare
from benchmarks.measuring import RESULTS, Record, arguments, finish, say
from models.support.errors import SprachbundError
from pipeline.dag import find_stages
from pipeline.running import building

REAL, REAL_SLICE, SANDBOX = "nusa", "nusa-mini", "sandbox"


def is_there(experiment: str) -> bool:
    """Say whether the raw text of an experiment is in the store or can be fetched."""
    try:
        building.run(find_stages(experiment, "RawCorpus"))
    except SprachbundError as error:
        say(f"no {experiment}: {error}")
        return False
    return True


def trainings(folder: Path) -> Iterable[Record]:
    """Compare trainings of a few updates."""
    material = prepare(REAL if is_there(REAL) else SANDBOX, folder)
    return training.measure(material, 75, 2, RESULTS / "quick-training.svg")


def translations(folder: Path) -> Iterable[Record]:
    """Compare translations by the sandbox's model."""
    model = translation.trained_model(SANDBOX)
    sizes = {"sentences": 6_000, "rival_sentences": 300, "repetitions": 2}
    return translation.measure(prepare(SANDBOX, folder), model, **sizes)


def studies(folder: Path) -> Iterable[Record]:
    """Compare a whole study with its MT by hand."""
    return by_hand.measure(REAL_SLICE if is_there(REAL_SLICE) else SANDBOX, folder)


PARTS: dict[str, Callable[[Path], Iterable[Record]]] = {
    "training": trainings,
    "translation": translations,
    "overhead": overhead.measure,
    "by hand": studies,
}


def main(arguments_: Sequence[str] | None = None) -> None:
    """Measure part by part, print, and write JSON."""
    parser = arguments(__doc__)
    options = parser.parse_args(arguments_)
    records: list[Record] = []
    for number, (name, part) in enumerate(PARTS.items(), start=1):
        say(f"{number} of {len(PARTS)}: {name}")
        with tempfile.TemporaryDirectory() as folder:
            records += part(Path(folder) / "work")
    finish(records, options.out or RESULTS / "quick.json")


if __name__ == "__main__":
    main()
