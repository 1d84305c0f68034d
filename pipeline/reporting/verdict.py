"""Say in words, per language, which strategy wins and whether the difference is more than noise."""

from collections.abc import Iterator

from pipeline.reporting.tables import Record, way_name
from tasks.statistics import MACRO_F1
from tasks.transfer.contests import IN_LANGUAGE, SIGNIFICANT

TOO_LOW_TO_JUDGE = 5.0


def task_verdicts(scores: list[Record], comparisons: list[Record]) -> Iterator[str]:
    """Yield one sentence per task and language.

    The winner is the best way of transfer under any encoder; it is held against the best way of
    another strategy with the same encoder, since only these two share everything else.
    """
    macro = [r for r in scores if r["kind"] == "task" and r["metric"] == MACRO_F1]
    for task, language in dict.fromkeys((r["task"], r["language"]) for r in macro):
        here = [r for r in macro if (r["task"], r["language"]) == (task, language)]
        rivals = sorted(
            (r for r in here if r["strategy"] != IN_LANGUAGE),
            key=lambda r: r["score"],
            reverse=True,
        )
        upper = max(r["score"] for r in here if r["strategy"] == IN_LANGUAGE)
        best = rivals[0]
        others = [
            r
            for r in rivals
            if r["strategy"] != best["strategy"] and r["encoder"] == best["encoder"]
        ]
        yield _task_sentence(task, language, best, others[0], upper, comparisons)


def _task_sentence(
    task: str,
    language: str,
    best: Record,
    next_best: Record,
    upper: float,
    comparisons: list[Record],
) -> str:
    p_value = _p_value(best, next_best, comparisons)
    certain = p_value < SIGNIFICANT
    beats = "beats" if certain else "is ahead of"
    noise = "" if certain else ", which may be noise"
    return (
        f"{task}, {language}: {_way(best)} with {best['encoder']} {beats} {_way(next_best)} by "
        f"{best['score'] - next_best['score']:.3f} macro-F1 ({best['score']:.3f} against "
        f"{next_best['score']:.3f}, p = {p_value:.3f}){noise}; training in the language itself "
        f"reaches {upper:.3f}."
    )


def _p_value(first: Record, second: Record, comparisons: list[Record]) -> float:
    ways = {(r["strategy"], r["engine"]) for r in (first, second)}
    return next(
        float(c["p_value"])
        for c in comparisons
        if (c["task"], c["language"], c["encoder"])
        == (first["task"], first["language"], first["encoder"])
        and {tuple(c["first"]), tuple(c["second"])} == ways
    )


def _way(record: Record) -> str:
    return way_name(record["strategy"], record["engine"])


def mt_verdicts(scores: list[Record]) -> Iterator[str]:
    """Yield one sentence per direction: what back-translation did, and who translates best."""
    bleu = [r for r in scores if r["kind"] == "mt" and r["metric"] == "BLEU"]
    for direction in dict.fromkeys(r["direction"] for r in bleu):
        here = {r["engine"]: r for r in bleu if r["direction"] == direction}
        rounds = [r for r in here.values() if r["round"] is not None]
        best = max(here.values(), key=lambda r: r["score"])
        yield f"{direction.replace('-', ' → ')}: {_back_translation(rounds)}{_best(best)}."


def _back_translation(rounds: list[Record]) -> str:
    first, last = rounds[0], rounds[-1]
    if first is last:
        return ""
    if max(first["score"], last["score"]) < TOO_LOW_TO_JUDGE:
        return "the NMT models stay under 5 BLEU, too little to judge back-translation; "
    change = last["score"] - first["score"]
    if abs(change) < 0.05:
        return "back-translation left BLEU as it was; "
    moved = "raised" if change > 0 else "lowered"
    p_value = last["p_value"]
    noise = "" if p_value < SIGNIFICANT else ", which may be noise"
    return f"back-translation {moved} BLEU by {abs(change):.1f} (p = {p_value:.3f}){noise}; "


def _best(best: Record) -> str:
    if best["score"] <= best["baseline"]:
        return f"no engine beats copying the source ({best['baseline']:.1f} BLEU)"
    gain = best["score"] - best["baseline"]
    return f"{best['engine']} translates best, {best['score']:.1f} BLEU, {gain:.1f} above copying"
