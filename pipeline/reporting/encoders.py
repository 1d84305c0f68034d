"""How pretrained encoders fit the languages: a table, from the manifests or before a run."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from models.encoders.pretrained.fitness import Fitness
from pipeline.reporting.records import Record
from pipeline.reporting.tables import Grid
from pipeline.reporting.words import percent

NOTHING = "–"


class EncoderFit(NamedTuple):
    """An encoder and a language; `fitness` is None where nothing could be measured yet.

    `listed`: whether the encoder's list of languages names it: yes, perhaps, no.
    """

    encoder: str
    language: str
    listed: str
    fitness: Fitness | None
    remarks: list[str]


def fit_grid(fits: Iterable[EncoderFit], note: str = "", *, remarks: bool = True) -> Grid | None:
    """Return one row per encoder and language; None where there is no pretrained encoder."""
    rows = [
        [
            *(fit.encoder, fit.language, fit.listed, *_figures(fit.fitness)),
            *(["; ".join(fit.remarks)] if remarks else []),
        ]
        for fit in fits
    ]
    if not rows:
        return None
    columns = [
        "encoder",
        "language",
        "listed",
        "pieces a word",
        "unknown pieces",
        "cut short",
        "capitals lost",
        "marks lost",
        *(["remarks"] if remarks else []),
    ]
    how = (
        "listed: the encoder's own list names the language; cut short: the share of texts that are "
        "longer than it reads; lost: by its normalisation, of capitals and of accents and vowel "
        "signs"
    )
    return Grid("Encoders", columns, rows, f"{how}{note}", 3, last_columns_of_words=int(remarks))


def _figures(found: Fitness | None) -> list[str]:
    if found is None:
        return [NOTHING] * 5
    shares = (found.unknown_pieces, found.too_long, found.capitals_lost, found.marks_lost)
    return [f"{found.pieces_a_word:.2f}", *map(percent, shares)]


def published_grid(
    manifests: Iterable[Record], listed: Mapping[str, Mapping[str, str]]
) -> Grid | None:
    """Return the table of the encoders that were published; `listed` by encoder and language."""
    published = [m for m in manifests if m["stage"] == "PretrainedEncoder"]
    fits = [
        EncoderFit(m["label"], language, listed[m["label"]][language], Fitness(**found), said)
        for m in published
        for language, found in m["encoder"]["fitness"].items()
        for said in [
            [*not_listed(listed[m["label"]][language]), *m["encoder"]["remarks"][language]]
        ]
    ]
    return fit_grid(fits, "".join(f"; {m['label']}: {_format(m['encoder'])}" for m in published))


def adapted_grid(manifests: Iterable[Record]) -> Grid | None:
    """Return one row per adapted encoder and language; None where none was adapted."""
    rows = [
        [
            m["label"],
            m["spec"]["recipe"]["kind"] + (", control" if m["spec"]["control"] else ""),
            language,
            _updates(m["adaptation"]),
            *(f"{loss:.3f}" for loss in losses),
            *(f"{share:.1%}" for share in m["adaptation"]["retrieval"].get(language, ())),
            f"{m['seconds'] / 60:.1f}",
        ]
        for m in manifests
        if m["stage"] == "AdaptedEncoder"
        for language, losses in m["adaptation"]["losses"].items()
    ]
    columns = ["encoder", "how", "language", "updates", "loss before", "loss after"]
    columns += ["found before", "found after", "minutes"]
    note = (
        "updates: after so many the weights were those that are kept, of all that were made; loss: "
        "what the training makes small, on dev text; found: the share of dev sentences whose "
        "nearest hub sentence, by cosine, is their own; a control trains on hub text alone, for as "
        "many updates as the encoder beside it kept"
    )
    return Grid("Adapted encoders", columns, rows, note, columns_of_words=3) if rows else None


def _updates(found: Mapping[str, Any]) -> str:
    kept, made = found["kept_at"], found["updates"]
    return f"{made:,}" if kept == made else f"{kept:,} of {made:,}"


def not_listed(listed: str) -> Iterator[str]:
    """Yield a remark where an encoder's list does not name a language."""
    if listed == "no":
        yield "not among the languages it has seen"


def _format(found: Mapping[str, Any]) -> str:
    """Say how an encoder is run and what was left of its vocabulary."""
    kept = f"{found['kept_pieces']:,} of {found['pieces']:,} pieces kept"
    near = found["agreement"]
    if near is None:
        return f"{kept}, run in {found['number']} by torch"
    compared = f"cosine to float32 {near['mean']:.4f} on average, {near['least']:.4f} at least"
    return f"{kept}, run in {found['number']} (int8: {compared})"
