"""Train a phrase-based model with Thot and tune its weights."""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from models.phrases.alignment import save_aligner, symmetrise, train_aligner
from models.phrases.extraction import count_phrases, write_table
from models.phrases.language_model import train_language_model, write_lines
from models.phrases.library import require_thot
from models.phrases.model import (
    FIRST_WEIGHTS,
    LANGUAGE,
    TRANSLATION,
    DecoderOptions,
    PhraseModel,
    save_options,
)
from models.phrases.recipe import PhraseRecipe
from models.phrases.tokens import to_tokens

if TYPE_CHECKING:
    import numpy

Tokens = Sequence[str]
Pairs = Sequence[tuple[Tokens, Tokens]]
Say = Callable[[float, str], None]
"""Told the share that is done, and what is being done."""
LONGEST_LINE = 100
"""Tokens of a side above which a pair is left out: Thot aligns no longer ones."""
NEGATIVE = (0, 2)
"""Weights that may be below zero: what counts words and lengths."""
FORBIDDEN = 1000.0
TUNED = len(FIRST_WEIGHTS) - 1


class PhraseText(NamedTuple):
    """The text to train on: pairs, dev pairs, and more lines of the target language."""

    train: Sequence[tuple[str, str]]
    dev: Sequence[tuple[str, str]]
    target: Sequence[str] = ()


class PhraseOutcome(NamedTuple):
    """What a training came to: pairs that were used and too long ones, BLEU on dev before, after.

    Perplexity and BLEU are those of the dev text; 0 where there is none.
    """

    pairs: int
    too_long: int
    phrases: int
    perplexity: float
    bleu_untuned: float
    bleu: float


def train(
    text: PhraseText, recipe: PhraseRecipe, folder: Path, scratch: Path, say: Say
) -> PhraseOutcome:
    """Write a model into a folder."""
    require_thot()
    from threadpoolctl import threadpool_limits

    pairs = [(to_tokens(source), to_tokens(target)) for source, target in text.train]
    used = [pair for pair in pairs if all(pair) and max(map(len, pair)) <= LONGEST_LINE]
    dev = [(to_tokens(s), to_tokens(t)) for s, t in text.dev if s.strip() and t.strip()]
    tuned = [pair for pair in dev if max(map(len, pair)) <= recipe.window][: recipe.tuning_pairs]
    with threadpool_limits(1, user_api="openmp"):  # threads race for the expected counts
        phrases = _train_tables(used, recipe, folder, say)
        say(0.5, "language model")
        lines = [*(target for _, target in pairs), *map(to_tokens, text.target)]
        perplexity = train_language_model(
            lines, [target for _, target in tuned], folder / LANGUAGE, order=recipe.order
        )
        options = DecoderOptions.untuned(recipe)
        before = after = 0.0
        if tuned and used:
            options, before, after = _tune(folder, scratch, options, tuned, recipe, say)
    save_options(options, folder)
    too_long = len([pair for pair in pairs if all(pair)]) - len(used)
    return PhraseOutcome(len(used), too_long, phrases, perplexity, before, after)


def _train_tables(pairs: Pairs, recipe: PhraseRecipe, folder: Path, say: Say) -> int:
    """Write word and phrase tables; return how many phrases there are."""
    sources, targets = [s for s, _ in pairs], [t for _, t in pairs]
    say(0.0, "aligning words")
    direct = train_aligner(sources, targets, iterations=recipe.alignment_iterations)
    say(0.2, "aligning words the other way")
    inverse = train_aligner(targets, sources, iterations=recipe.alignment_iterations)
    # Thot's "swm" explains the source by the target, as the noisy channel has it
    save_aligner(direct, folder / f"{TRANSLATION}_invswm")
    save_aligner(inverse, folder / f"{TRANSLATION}_swm")
    say(0.4, "extracting phrases")
    counts = count_phrases(pairs, symmetrise(direct, inverse, pairs), recipe.longest_phrase)
    phrases = write_table(counts, recipe.translations, folder / f"{TRANSLATION}.ttable")
    for name, value in (
        ("lambda", "0.7 0.7"),
        ("srcsegmlentable", "Uniform"),
        ("trgcutstable", "0.999"),
        ("trgsegmlentable", "Geometric"),
    ):
        write_lines(folder / f"{TRANSLATION}.{name}", [value])
    return phrases


def _tune(
    folder: Path,
    scratch: Path,
    options: DecoderOptions,
    pairs: Pairs,
    recipe: PhraseRecipe,
    say: Say,
) -> tuple[DecoderOptions, float, float]:
    """Return the options with the weights that give the best BLEU, BLEU without them, and with.

    By downhill simplex (Nelder and Mead 1965). The phrases are those of these pairs alone, which
    load soon.
    """
    from scipy.optimize import minimize

    part = _copy_for(folder, scratch / "tuning", [source for source, _ in pairs], recipe)
    found: list[tuple[float, DecoderOptions]] = []

    def loss(weights: "numpy.ndarray") -> float:
        tried = options._replace(weights=(*map(float, weights), 0.0))
        below = sum(-w for i, w in enumerate(weights) if w < 0 and i not in NEGATIVE)
        if below:
            return FORBIDDEN * float(1 + below)
        found.append((_bleu(part, tried, pairs), tried))
        say(0.5 + 0.5 * len(found) / recipe.tuning_rounds, f"tuning round {len(found)}")
        return -found[-1][0]

    first = list(FIRST_WEIGHTS[:TUNED])
    simplex = [first, *([*first[:i], first[i] + 0.5, *first[i + 1 :]] for i in range(TUNED))]
    minimize(
        loss,
        first,
        method="Nelder-Mead",
        options={"maxfev": recipe.tuning_rounds, "initial_simplex": simplex, "fatol": 0.05},
    )
    shutil.rmtree(part)
    best = max(bleu for bleu, _ in found)
    return next(tried for bleu, tried in found if bleu == best), found[0][0], best


def _bleu(folder: Path, options: DecoderOptions, pairs: Pairs) -> float:
    from sacrebleu.metrics import bleu

    model = PhraseModel(folder, options)
    made = [" ".join(model.translate(source)) for source, _ in pairs]
    model.close()
    references = [" ".join(target) for _, target in pairs]
    metric = bleu.BLEU(tokenize="none", force=True)
    return float(metric.corpus_score(made, [references]).score)


def _copy_for(folder: Path, part: Path, sources: Sequence[Tokens], recipe: PhraseRecipe) -> Path:
    """Copy a model with the phrases of some texts alone; return its folder."""
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    wanted = {
        " ".join(source[i : i + n])
        for source in sources
        for n in range(1, recipe.longest_phrase + 1)
        for i in range(len(source) - n + 1)
    }
    table = f"{TRANSLATION}.ttable"
    for path in folder.iterdir():
        if path.name != table:
            (part / path.name).symlink_to(path.resolve())
    with (folder / table).open(encoding="utf-8", newline="\n") as phrases:
        kept = (line.rstrip("\n") for line in phrases if line.split(" ||| ")[1].strip() in wanted)
        write_lines(part / table, kept)
    return part
