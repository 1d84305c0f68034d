"""Lines per second and peak memory of each step on text, on generated bitext.

`python -m benchmarks.text_steps --lines 2000000`: each step runs in a process of its own and reads
what the step before it wrote, as the stages do. `--corpora 16` cuts the lines into so many corpora.
Prints a table and writes it as JSON.
"""

import argparse
import json
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path

VOCABULARY = 50_000
HELD_OUT = 5_000
REPEATED = 0.05
"""Share of lines that repeat an earlier one."""
LANGUAGES = ("eng", "xho")
BLOCK = 100_000


def generate(folder: Path, lines: int, corpora: int) -> None:
    """Write aligned text of words drawn by Zipf's law; the second side respells the first."""
    for number in range(corpora):
        _generate(folder / f"corpus-{number}", lines // corpora, seed=number + 1)


def _generate(folder: Path, lines: int, *, seed: int) -> None:
    import numpy

    folder.mkdir()
    draw = numpy.random.default_rng(1)
    consonants, vowels = "bcdfghjklmnprstvwyz", "aeiou"
    words = [
        "".join(draw.choice(list(s)) for s in (consonants, vowels) * (1 + i % 3))
        + (str(i) if i % 50 == 0 else "")
        for i in range(VOCABULARY)
    ]
    respelt = [word[::-1] for word in words]
    draw = numpy.random.default_rng(seed)  # the words are the same in every corpus
    weights = 1 / numpy.arange(1, VOCABULARY + 1)
    weights /= weights.sum()
    with (folder / "eng.txt").open("w") as first, (folder / "xho.txt").open("w") as second:
        for start in range(0, lines, BLOCK):
            lengths = draw.integers(4, 25, min(BLOCK, lines - start))
            drawn = iter(draw.choice(VOCABULARY, lengths.sum(), p=weights).tolist())
            for length, repeats in zip(lengths, draw.random(len(lengths)) < REPEATED, strict=True):
                places = list(islice(drawn, int(length)))
                if repeats:
                    places = [1, 2, 3, 4]
                first.write(" ".join(words[i] for i in places).capitalize() + ".\n")
                second.write(" ".join(respelt[i] for i in places).capitalize() + ".\n")


def read_clean_split(folder: Path) -> None:
    """Fetch, read, normalise, deduplicate and split: the stages `RawCorpus` and `Bitext`."""
    from tasks.bitext import prepare_bitext
    from tasks.cleaning import CleaningRules
    from tasks.sources.description import Corpus, Files, HashSplit, PlainText, RemoteFile
    from tasks.sources.fetching import fetch
    from tasks.sources.reading import FetchedCorpus

    files = tuple(RemoteFile(name=f"{code}.txt", language=code) for code in LANGUAGES)
    split = HashSplit(rule="hash", dev=HELD_OUT, test=HELD_OUT)
    fetched = []
    for base in sorted(folder.glob("corpus-*")):
        source = Files(kind="files", base=str(base), files=files, format=PlainText())
        fetch(source, base / "raw", mirror=None)
        corpus = Corpus(name=base.name, licence="CC0-1.0", source=source)
        fetched.append(FetchedCorpus(corpus, base / "raw"))
    prepare_bitext(
        fetched,
        LANGUAGES,
        rules=CleaningRules(),
        split=split,
        out=folder,
    )


def score(folder: Path) -> None:
    """Score for every noise filter that looks at text alone."""
    from tasks.filtering import pair_scorers, text_scorers, write_scores

    scorers = {
        **text_scorers(LANGUAGES, dict.fromkeys(LANGUAGES, "Latn")),
        **pair_scorers(*LANGUAGES),
    }
    write_scores(folder / "train.parquet", LANGUAGES, scorers, folder / "scores.parquet")


def identify(folder: Path) -> None:
    """Score the language of both sides with the shipped identifier."""
    from models.language_id import ShippedIdentifier
    from tasks.filtering import write_scores

    judge = ShippedIdentifier()
    scorers = {
        code: lambda records, code=code: judge.doubts([], [r[code] for r in records], code)
        for code in LANGUAGES
    }
    write_scores(folder / "train.parquet", LANGUAGES, scorers, folder / "languages.parquet")


def align(folder: Path) -> None:
    """Train the word aligner and score every pair."""
    from models.alignment import align
    from tasks.filtering import write_scores
    from tasks.records import read_records

    text = folder / "train.parquet"
    first, second = LANGUAGES
    aligned = align(lambda: ((r[first], r[second]) for r in read_records(text, LANGUAGES)))
    scorers = {"misalignment": lambda rs: [p.misalignment for p in islice(aligned, len(rs))]}
    write_scores(text, LANGUAGES, scorers, folder / "alignments.parquet")


def accept(folder: Path) -> None:
    """Apply the default limits to the scores."""
    from tasks.filtering import FilterLimits, accept

    text, scores = folder / "train.parquet", folder / "scores.parquet"
    accept(text, scores, FilterLimits(), folder / "accepted.parquet")


def guard(folder: Path) -> None:
    """Keep test and dev sentences out, near-duplicates too."""
    from tasks.leakage import HeldOutIndex, LeakRules, TextSet, all_texts, remove_leaks

    columns = {code: code for code in LANGUAGES}
    held_out = (TextSet(part, folder / f"{part}.parquet", columns) for part in ("test", "dev"))
    index = HeldOutIndex(all_texts(held_out), LeakRules())
    train = TextSet("train", folder / "accepted.parquet", columns)
    remove_leaks(train, index, out=folder / "guarded.parquet")


STEPS: dict[str, Callable[[Path], None]] = {
    "fetch, clean, deduplicate, split": read_clean_split,
    "score": score,
    "identify languages": identify,
    "align": align,
    "accept": accept,
    "guard": guard,
}


def measure(step: str, folder: Path, lines: int) -> dict[str, object]:
    """Run one step in a child process and return its speed and peak memory."""
    started = time.perf_counter()
    command = [sys.executable, "-m", "benchmarks.text_steps", "--step", step, "--folder"]
    done = subprocess.run([*command, str(folder)], check=True, stdout=subprocess.PIPE, text=True)
    seconds = time.perf_counter() - started
    return {
        "step": step,
        "lines": lines,
        "seconds": round(seconds, 1),
        "lines_per_second": round(lines / seconds),
        "peak_memory_mib": int(done.stdout),
    }


def main() -> None:
    """Measure every step, or run the one that is named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=2_000_000)
    parser.add_argument("--corpora", type=int, default=1)
    parser.add_argument("--step", choices=STEPS)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--out", type=Path, help="write the records as JSON here")
    options = parser.parse_args()
    if options.step:
        STEPS[options.step](options.folder)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        sys.stdout.write(f"{peak}\n")
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        generate(folder, options.lines, options.corpora)
        machine = platform.processor() or platform.machine()
        sys.stdout.write(f"{machine}, {options.lines:,} lines in {options.corpora} corpora\n")
        sys.stdout.write(f"{'step':34}{'seconds':>9}{'lines/s':>10}{'MiB':>7}\n")
        records = []
        for step in STEPS:
            r = measure(step, folder, options.lines)
            records.append(r)
            row = f"{step:34}{r['seconds']:>9}{r['lines_per_second']:>10,}{r['peak_memory_mib']:>7}"
            sys.stdout.write(f"{row}\n")
            sys.stdout.flush()
    if options.out:
        options.out.write_text(json.dumps(records, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
