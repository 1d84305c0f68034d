"""Arrange profiles of text and the readiness of an experiment in grids."""

from collections.abc import Iterable, Iterator, Mapping

from models.language_id import shipped_code
from pipeline.console import in_a_line
from pipeline.looking.abilities import Ability
from pipeline.looking.history import StageCost, total, unknown_kinds
from pipeline.looking.profiling import TextProfile
from pipeline.looking.readiness import LanguageReadiness, Readiness
from pipeline.looking.supply import COUNTED, NONE, Amount
from pipeline.reporting.encoders import fit_grid
from pipeline.reporting.tables import Grid
from pipeline.reporting.words import duration, percent, size
from pipeline.specs.coverage import FAMILIES, IDENTIFIER, Coverage, language_list
from tasks.profiling import Lengths
from tasks.statistics import detectable_share
from tasks.transfer.strategies import STRATEGIES

NOTHING = "–"
EXCERPT_CHARACTERS = 60
SHOWN_SHARES = 3
MAJORITY = 0.5
"""Share of a text's lines that an identifier takes for a language which it knows; it scatters those
of one which it does not."""
LANGUAGES_NOTE = "languages: what py3langid takes each line for, which knows 140"
UNKNOWN_CHARACTERS_NOTE = "unknown characters: unassigned, private, control, replacement"


def profile_grids(profiles: list[TextProfile]) -> Iterator[Grid]:
    """Yield the size, the make-up and the odd lines of each text."""
    yield Grid(
        "Size",
        ["text", "lines", "blank", "words", "words a line", "characters a line", "repeated"],
        [_size_row(found) for found in profiles],
        "as the sources have it, before cleaning; words are what spaces part, or U+200B, "
        "else so many letters; lengths: 5 % · median · 95 % (longest); "
        "repeated: equal to an earlier line but for case, width and punctuation",
    )
    reasons = {why: None for found in profiles for why in found.missing.values()}
    yield Grid(
        "Make-up",
        ["text", "scripts", "languages", "pieces a word", "unknown pieces", "unknown characters"],
        [_make_up_row(found) for found in profiles],
        "; ".join([LANGUAGES_NOTE, UNKNOWN_CHARACTERS_NOTE, *reasons]),
        columns_of_words=3,
    )
    yield Grid(
        "Odd lines",
        ["text", "line", "what", "begins", "size"],
        [row for found in profiles for row in _odd_rows(found)],
        "size: characters, how often a line stands there, or the score of a filter (of cleaned "
        "text; both sides of a bitext together)",
        columns_of_words=4,
    )


def _size_row(found: TextProfile) -> list[str]:
    p = found.profile
    return [
        found.name,
        f"{p.lines:,}",
        f"{p.blank:,}",
        f"{p.words:,}",
        _lengths(p.words_a_line),
        _lengths(p.characters_a_line),
        percent(p.repeated_share),
    ]


def _make_up_row(found: TextProfile) -> list[str]:
    p = found.profile
    return [
        found.name,
        _shares(p.scripts),
        _languages(found.language, p.languages),
        NOTHING if p.pieces_a_word is None else f"{p.pieces_a_word:.2f}",
        NOTHING if p.unknown_pieces_share is None else percent(p.unknown_pieces_share),
        percent(p.unknown_characters_share),
    ]


def _languages(language: str | None, shares: Mapping[str, float] | None) -> str:
    """Return what a text's lines were taken for, and whether that can be believed."""
    if not shares:
        return NOTHING
    if language and not shipped_code(language):
        return f"{language} is unknown to it: {_shares(shares)}"
    scattered = max(shares.values()) < MAJORITY
    return f"unknown: {_shares(shares)}" if scattered else _shares(shares)


def _odd_rows(found: TextProfile) -> Iterator[list[str]]:
    for kind, examples in found.profile.examples.items():
        for example in examples:
            begins = in_a_line(example.excerpt[:EXCERPT_CHARACTERS])
            yield [found.name, example.key, kind, begins, f"{example.size:,.6g}"]


def _lengths(lengths: Lengths) -> str:
    return f"{lengths.p5} · {lengths.median} · {lengths.p95} ({lengths.most:,})"


def _shares(shares: Mapping[str, float]) -> str:
    """Return the largest shares: `Latn 98 %, Arab 2 %, 3 more`."""
    listed = [f"{name} {percent(share)}" for name, share in shares.items()]
    rest = len(listed) - SHOWN_SHARES
    return ", ".join([*listed[:SHOWN_SHARES], *([f"{rest} more"] if rest > 0 else [])]) or NOTHING


def readiness_grids(ready: Readiness) -> Iterator[Grid]:
    """Yield what there is for each language, who knows it, what can be done, terms and costs."""
    yield _data_grid(ready.languages)
    yield _knowledge_grid(ready.languages)
    yield from filter(None, [fit_grid(ready.encoders, remarks=False)])
    yield _strategy_grid(ready.languages)
    yield Grid(
        "Licences",
        ["corpus", "licence", "which asks", "used for"],
        [[s.corpus, s.licence, s.consequence, _used(s.used_for)] for s in ready.sources],
        "read off the licence's name; not legal advice",
        columns_of_words=4,
    )
    yield _cost_grid(ready.costs, ready.free_bytes)


def remarks(ready: Readiness) -> Iterator[str]:
    """Yield a sentence for everything that cannot be done, or only in part."""
    for language in ready.languages:
        abilities = {"COMET": language.comet, "back-translation": language.back_translation}
        for task, strategies in language.strategies.items():
            abilities |= {f"{task}, {name}": ability for name, ability in strategies.items()}
        for why, names in _by_reason(abilities).items():
            yield f"{language.language}: {why} ({', '.join(names)})"
    for fit in ready.encoders:
        yield from (f"{fit.language}, encoder {fit.encoder}: {remark}" for remark in fit.remarks)
    yield from _detectable(ready)


def _detectable(ready: Readiness) -> Iterator[str]:
    """Yield what the smallest test set of each task could tell, where it is counted."""
    sizes: dict[str, list[int]] = {}
    for language in ready.languages:
        for amount in language.labelled:
            if count := amount.parts.get("test"):
                sizes.setdefault(amount.name, []).append(count)
    for task, counts in sizes.items():
        points = 100 * detectable_share(min(counts))
        yield (
            f"{task}: with {min(counts):,} test items, two ways that disagree on a fifth of them "
            f"must differ by {points:.1f} points of accuracy to be told apart, four times of five"
        )


def _by_reason(abilities: Mapping[str, Ability]) -> dict[str, list[str]]:
    reasons: dict[str, list[str]] = {}
    for name, ability in abilities.items():
        if ability.possible != "yes":
            reasons.setdefault(ability.why, []).append(f"{name}: {ability.possible}")
    return reasons


def _data_grid(languages: list[LanguageReadiness]) -> Grid:
    rows = [
        [
            f"{found.language} (hub)" if found.is_hub else found.language,
            _amounts(found.bitext),
            _amount(found.monolingual),
            _amounts(found.labelled),
        ]
        for found in languages
    ]
    note = "train + dev + test, cleaned; ? is not known before the text is fetched and cleaned"
    columns = ["language", "bitext", "monolingual", "labelled"]
    return Grid("Data", columns, rows, note, columns_of_words=4)


def _amounts(amounts: list[Amount]) -> str:
    return "\n".join(f"{amount.name}: {_amount(amount)}" for amount in amounts) or NONE


def _amount(amount: Amount) -> str:
    """Return the parts of a text: `4,087 + 300 + 350 (train after the guard: 4,085)`."""
    plain = {name: n for name, n in amount.parts.items() if " " not in name}
    extra = [f"{name}: {n:,}" for name, n in amount.parts.items() if name not in plain]
    known = " + ".join("?" if n is None else f"{n:,}" for n in plain.values())
    if not any(n is not None for n in plain.values()):
        return amount.state
    remarks = [*extra, *([] if amount.state == COUNTED else [amount.state])]
    return f"{known} ({', '.join(remarks)})" if remarks else known


def _knowledge_grid(languages: list[LanguageReadiness]) -> Grid:
    titles = [language_list(name).title for name in (*FAMILIES, IDENTIFIER)]
    rows = [
        [
            found.language,
            _script(found),
            *(_coverage(found, known) for known in (*found.families.values(), found.identifier)),
            "valid" if found.comet.possible == "yes" else "not valid",
            NOTHING if found.pieces_a_word is None else f"{found.pieces_a_word:.2f}",
        ]
        for found in languages
    ]
    reasons = {f.pieces_missing: None for f in languages if f.pieces_missing}
    invented = any(found.invented for found in languages)
    notes = [
        "script: of the text, or with ? as NLLB-200 lists it",
        "a code in brackets: listed under it",
        *(["invented: a language of the sandbox, which no model has seen"] if invented else []),
        *(f"pieces a word: {why}" for why in reasons),
    ]
    columns = ["language", "script", *titles, "COMET", "pieces a word"]
    return Grid("Who knows the language", columns, rows, "; ".join(notes), len(columns) - 1)


def _script(found: LanguageReadiness) -> str:
    doubt = "" if found.scripts_seen else "?"
    return f"{'/'.join(found.scripts)}{doubt}" if found.scripts else NOTHING


def _coverage(found: LanguageReadiness, known: Coverage) -> str:
    if found.invented:
        return "invented"
    base = found.language.partition("_")[0]
    as_code = f" ({known.listed_as})" if known.listed_as not in (None, base) else ""
    return f"{known.known}{as_code}"


def _strategy_grid(languages: list[LanguageReadiness]) -> Grid:
    named = {name for found in languages for by in found.strategies.values() for name in by}
    names = [n for n, s in STRATEGIES.items() if s.per_language and n in named]
    rows = [
        [
            found.language,
            task,
            *(strategies[n].possible if n in strategies else NOTHING for n in names),
            found.back_translation.possible,
        ]
        for found in languages
        for task, strategies in (found.strategies or {NOTHING: {}}).items()
    ]
    columns = ["language", "task", *names, "back-translation"]
    note = "everything is transferred from the hub; reasons below"
    return Grid("What can be done", columns, rows, note, columns_of_words=len(columns))


def _used(used_for: Iterable[str]) -> str:
    """Return what a corpus is used for, by kind: `bitext ind-jav ind-sun, monolingual ind`."""
    kinds: dict[str, list[str]] = {}
    for use in used_for:
        kind, _, name = use.partition(" ")
        kinds.setdefault(kind, []).append(name)
    return ", ".join(f"{kind} {' '.join(names)}" for kind, names in kinds.items())


def _cost_grid(costs: list[StageCost], free: int) -> Grid:
    rows = [
        [
            cost.stage,
            cost.basis,
            f"{cost.done:,}",
            f"{cost.missing:,}",
            _cost(cost, duration(cost.seconds)),
            _cost(cost, size(cost.size)),
        ]
        for cost in costs
    ]
    columns = ["stage", "known from", "done", "to build", "time", "disk"]
    note = (
        f"{_sum(costs)}; {size(free)} free; disk is that of artifacts: while it runs, a training "
        "keeps checkpoints beside them"
    )
    return Grid("Cost", columns, rows, note, columns_of_words=2)


def _sum(costs: list[StageCost]) -> str:
    """Return what all missing stages cost together, and what is not in it."""
    whole, unknown = total(costs), list(unknown_kinds(costs))
    sums = f"{duration(whole.seconds or 0)} one after the other, {size(whole.size or 0)}"
    if not any(cost.missing for cost in costs):
        return "everything is built"
    if all(cost.unknown == cost.missing for cost in costs):
        return "time and disk are unknown: this store holds no build of these kinds yet"
    return f"at least {sums}; unknown: {', '.join(unknown)}" if unknown else f"together {sums}"


def _cost(cost: StageCost, known: str) -> str:
    if not cost.missing:
        return NOTHING
    return "unknown" if cost.unknown == cost.missing else known
