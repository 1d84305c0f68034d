"""Say in words what to use, what a system gains, and whether the difference is more than noise."""

from collections.abc import Iterator, Sequence

from pipeline.reporting.records import Contrast, MtScore, TaskScore
from pipeline.reporting.tables import ONE_TRAINING, p_text
from tasks.mt.contests import ALL
from tasks.mt.scoring import BLEU
from tasks.statistics import MACRO_F1, SIGNIFICANT
from tasks.transfer.contests import ANSWERS, WINNER
from tasks.transfer.strategies import IN_LANGUAGE

TOO_LOW_TO_JUDGE = 5.0


def task_verdicts(scores: Sequence[TaskScore], contrasts: Sequence[Contrast]) -> Iterator[str]:
    """Yield one sentence per task and language: the way that dev data chose, and what it gains."""
    macro = [s for s in scores if s.metric == MACRO_F1]
    answers = [c for c in contrasts if c.of == "task" and c.family == ANSWERS]
    for where in dict.fromkeys(c.where for c in answers):
        here = [c for c in answers if c.where == where]
        task, _, language = where.partition("/")
        own = [
            s.score
            for s in macro
            if (s.task, s.language, s.strategy) == (task, language, IN_LANGUAGE)
        ]
        place = f"{task}, over all languages" if language == ALL else f"{task}, {language}"
        against = "; ".join(map(_against, here))
        bound = f"; trained on its own labels: {max(own):.3f}" if own else ""
        chosen = here[0].first
        how = "the way" if chosen == WINNER else chosen
        yield f"{place}: {how} that dev data chose: {against}{bound}."


def _against(contrast: Contrast) -> str:
    better = f", ahead in {contrast.better}" if contrast.better else ""
    return (
        f"{contrast.difference:+.3f} {contrast.metric} against {contrast.second} "
        f"({_certainty(contrast)}{better})"
    )


def _certainty(contrast: Contrast) -> str:
    """Say whether a difference is more than noise."""
    if contrast.p is None:
        return f"{ONE_TRAINING}, not tested"
    if contrast.p < SIGNIFICANT:
        return f"p {_equals(contrast.p)}, more than noise"
    return f"p {_equals(contrast.p)}, may be noise: below {_amount(contrast)} it cannot be told"


def _equals(p: float) -> str:
    text = p_text(p)
    return text if text.startswith("<") else f"= {text}"


def _amount(contrast: Contrast) -> str:
    return f"{contrast.mdd:.1f}" if contrast.of == "mt" else f"{contrast.mdd:.3f}"


def mt_verdicts(scores: Sequence[MtScore], contrasts: Sequence[Contrast]) -> Iterator[str]:
    """Yield one sentence per contrast, then one per direction: who translates best."""
    tested = [c for c in contrasts if c.of == "mt" and c.metric == BLEU]
    bleu = [s for s in scores if s.metric == BLEU]
    for first, second in dict.fromkeys((c.first, c.second) for c in tested):
        yield _contrast_sentence([c for c in tested if (c.first, c.second) == (first, second)])
    for direction in dict.fromkeys(s.direction for s in bleu):
        here = [s for s in bleu if s.direction == direction]
        yield f"{direction.replace('-', ' → ')}: {_best(here)}."


def _contrast_sentence(here: Sequence[Contrast]) -> str:
    """Say what one system gains over another: on the whole, then where for sure."""
    whole = next((c for c in here if c.where == ALL), here[0])
    sure = [c for c in here if c.where != ALL and c.p is not None and c.p < SIGNIFICANT]
    gains = ", ".join(f"{c.where.replace('-', ' → ')} {c.difference:+.1f}" for c in sure)
    where = f"; beyond noise in {gains}" if gains else ""
    count = f", ahead in {whole.better} directions" if whole.better else ""
    return (
        f"{whole.first} against {whole.second}: {whole.difference:+.1f} BLEU on average "
        f"[{whole.low:+.1f}, {whole.high:+.1f}] ({_certainty(whole)}){count}{where}."
    )


def _best(here: Sequence[MtScore]) -> str:
    """Name the system with the best score; all of them stand in the table."""
    best = max(here, key=lambda s: s.score)
    if best.score <= best.copy:
        return f"no system beats copying the source ({best.copy:.1f} BLEU)"
    gain = f"{best.score:.1f} BLEU, {best.score - best.copy:.1f} above copying"
    weak = ", too little to use" if best.score < TOO_LOW_TO_JUDGE else ""
    return f"{best.system} translates best, {gain}{weak}"
