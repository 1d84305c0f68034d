"""Say in words what to use, what a system gains, and whether the difference is more than noise."""

from collections.abc import Iterator, Sequence

from pipeline.reporting.records import Contrast, MtScore, TaskScore, arrow
from pipeline.reporting.tables import ONE_TRAINING, p_text, signed
from pipeline.reporting.ways import way_name
from tasks.mt.scoring import BLEU
from tasks.statistics import SIGNIFICANT
from tasks.transfer.catalogue import strategy_called
from tasks.transfer.contests import ANSWERS, SYSTEMS, WINNER
from tasks.transfer.strategies import (
    IN_LANGUAGE,
    SOURCE_DEV,
    STRATEGIES,
    TRANSLATE_TEST,
    TRANSLATED_DEV,
    ZERO_SHOT,
)

TOO_LOW_TO_JUDGE = 5.0
"""BLEU below which a translation has next to nothing in common with the reference."""


def task_verdicts(scores: Sequence[TaskScore], contrasts: Sequence[Contrast]) -> Iterator[str]:
    """Yield which way to use in each language of each task, then what systems gain there."""
    tested = [c for c in contrasts if c.of == "task"]
    answers = [c for c in tested if c.family == ANSWERS]
    for where in dict.fromkeys(c.where for c in answers):
        here = [c for c in answers if c.where == where]
        yield _over_all(here[0]) if here[0].first == WINNER else _answer(here, scores)
    yield from _not_chosen(scores)
    yield from _left_out(scores)
    dead = {f"{s.task}: {way_name(s.strategy, s.system)}" for s in scores if s.ills}
    for c in tested:
        if c.family == SYSTEMS and c.over_all:
            task = c.where.partition("/")[0]
            ways = [way for way in (c.first, c.second) if f"{task}: {way}" in dead]
            yield f"{_over_all(c)}{_in_places(ways)}"


def _answer(here: Sequence[Contrast], scores: Sequence[TaskScore]) -> str:
    """Name the way that dev data chose in one language, and what it gains over which others."""
    task, _, language = here[0].where.partition("/")
    of_place = [s for s in scores if (s.task, s.language) == (task, language)]
    dead = {way_name(s.strategy, s.system, s.encoder) for s in of_place if s.ills}
    gains = ", and it ".join(_against(c, dead=c.second in dead) for c in here)
    reached = [
        f"{s.score:.3f} with {s.encoder}"
        for s in scores
        if (s.task, s.language, s.strategy) == (task, language, IN_LANGUAGE)
        and s.metric == here[0].metric
    ]
    own = f" Labels of the language itself reach {', '.join(reached)}." if reached else ""
    chosen = [s for s in of_place if way_name(s.strategy, s.system, s.encoder) == here[0].first]
    data = {s.dev_data for s in chosen}
    if ills := dict.fromkeys(ill for s in chosen for ill in s.ills):
        return (
            f"{task}, {language}: {here[0].first} is the best on dev data, but its system is not "
            f"usable ({'; '.join(ills)}), so nothing is learnt of translation. It {gains}.{own}"
        )
    if SOURCE_DEV in data:
        return (
            f"{task}, {language}: no way can be chosen, since {language} has no dev data, and "
            f"those of the source language cannot tell {ZERO_SHOT} and {TRANSLATE_TEST} "
            f"apart. On test {here[0].first} {gains}.{own}"
        )
    by = f"translated dev data ({language} has none)" if TRANSLATED_DEV in data else "dev data"
    return f"{task}, {language}: use {here[0].first}, the best on {by}. On test it {gains}.{own}"


def _against(contrast: Contrast, *, dead: bool) -> str:
    amount = f"{abs(contrast.difference):.3f}"
    verb = f"gains {amount} {contrast.metric} over"
    if contrast.difference < 0:
        verb = f"is {amount} {contrast.metric} behind"
    of_dead = ", whose system is not usable" if dead else ""
    return f"{verb} {contrast.second}{of_dead} ({_certainty(contrast)})"


def _over_all(contrast: Contrast) -> str:
    """Say what the chosen ways, or a system, gain on average over a task's languages."""
    task = contrast.where.partition("/")[0]
    first = "the ways that dev data chose" if contrast.first == WINNER else contrast.first
    return (
        f"{task}, over all languages: {first} against {contrast.second}: "
        f"{signed(contrast, contrast.difference)} {contrast.metric} ({_certainty(contrast)})"
        f"{_ahead(contrast, 'languages')}."
    )


def _not_chosen(scores: Sequence[TaskScore]) -> Iterator[str]:
    """Yield the languages of a task where there were no dev data to choose a way by."""
    compete = _compete(scores)
    for task, language in dict.fromkeys((s.task, s.language) for s in compete):
        here = [s.dev for s in compete if (s.task, s.language) == (task, language)]
        if all(dev is None for dev in here):
            yield f"{task}, {language}: no way was chosen, for want of dev data."


def _left_out(scores: Sequence[TaskScore]) -> Iterator[str]:
    """Yield the languages of a task whose labelled set has no items that a strategy trains on."""
    for task, language in dict.fromkeys((s.task, s.language) for s in _compete(scores)):
        there = {s.strategy for s in scores if (s.task, s.language) == (task, language)}
        own = [s.name for s in STRATEGIES.values() if ("language", "train") in s.needs]
        if missing := [name for name in own if name not in there]:
            yield (
                f"{task}, {language}: {' and '.join(missing)} is left out, for want of training "
                f"items in {language}."
            )


def _compete(scores: Sequence[TaskScore]) -> list[TaskScore]:
    return [s for s in scores if strategy_called(s.strategy).transfers]


def _ahead(contrast: Contrast, places: str) -> str:
    return f", ahead in {contrast.better} {places}" if contrast.better else ""


def _certainty(contrast: Contrast) -> str:
    """Say whether a difference is more than noise."""
    if contrast.p is None:
        return f"{ONE_TRAINING}: not tested"
    verdict = (
        "more than noise" if is_sure(contrast) else "cannot be told with these items and trainings"
    )
    p = p_text(contrast.p)
    return f"p {p if p.startswith('<') else f'= {p}'}: {verdict}"


def is_sure(contrast: Contrast) -> bool:
    """Say whether a difference is more than noise of items and trainings."""
    return contrast.p is not None and contrast.p < SIGNIFICANT


def mt_verdicts(scores: Sequence[MtScore], contrasts: Sequence[Contrast]) -> Iterator[str]:
    """Yield one sentence per contrast, then one per direction: who translates best."""
    tested = [c for c in contrasts if c.of == "mt" and c.metric == BLEU]
    bleu = [s for s in scores if s.metric == BLEU]
    for pair in dict.fromkeys((c.first, c.second) for c in tested):
        weak = all(s.score < TOO_LOW_TO_JUDGE for s in bleu if s.system in pair)
        dead = [name for name in pair if any(s.ills for s in bleu if s.system == name)]
        here = [c for c in tested if (c.first, c.second) == pair]
        yield f"{_contrast_sentence(here, weak=weak)}{_in_places(dead)}"
    for direction in dict.fromkeys(s.direction for s in bleu):
        yield f"{arrow(direction)}: {_best([s for s in bleu if s.direction == direction])}."
    yield from _not_usable(bleu)


def _in_places(dead: Sequence[str]) -> str:
    """Say which sides of a comparison are no translation in some place."""
    verb = "are" if len(dead) > 1 else "is"
    return f" {' and '.join(dead)} {verb} not usable in places." if dead else ""


def _not_usable(scores: Sequence[MtScore]) -> Iterator[str]:
    """Yield the systems whose translations are of no use, where, and why."""
    for system in dict.fromkeys(s.system for s in scores if s.ills):
        places = [
            f"{arrow(s.direction)} ({', '.join(s.ills)})"
            for s in scores
            if s.ills and s.system == system
        ]
        yield f"{system} is not usable in {'; '.join(places)}."


def _contrast_sentence(here: Sequence[Contrast], *, weak: bool) -> str:
    """Say what one system gains over another: on the whole, then where for sure."""
    whole = next((c for c in here if c.over_all), here[0])
    single = [c for c in here if c is not whole]
    gains = ", ".join(f"{c.place} {signed(c, c.difference)}" for c in single if is_sure(c))
    where = f" For sure in {gains}." if gains else ""
    if not gains and any(c.p is not None for c in single):
        where = " For sure in no single direction."
    low, high = (signed(whole, bound) for bound in (whole.low, whole.high))
    over = "over all directions" if whole.over_all else whole.place
    judged = " Both translate too little to judge them by." if weak else ""
    return (
        f"{whole.first} against {whole.second}, {over}: {signed(whole, whole.difference)} "
        f"{whole.metric} [{low}, {high}] ({_certainty(whole)}){_ahead(whole, 'directions')}."
        f"{where}{judged}"
    )


def _best(here: Sequence[MtScore]) -> str:
    """Name the system with the highest score and the next; all of them stand in the table."""
    usable = [s for s in here if not s.ills]
    if not usable:
        return "no system is usable"
    best, *others = sorted(usable, key=lambda s: -s.score)
    if best.score <= best.copy:
        return f"no system beats copying the source ({best.copy:.1f} {best.metric})"
    gain = f"{best.score:.1f} {best.metric}, {best.score - best.copy:.1f} above copying"
    following = f"; {others[0].system} follows with {others[0].score:.1f}" if others else ""
    weak = "; too little to use" if best.score < TOO_LOW_TO_JUDGE else ""
    return f"{best.system} scores highest, {gain}{following}{weak}"
