"""Clean one language pair's bitext and split it; every sentence keeps the id it is born with."""

from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from contextlib import ExitStack
from pathlib import Path

from models.support.errors import SourceError
from tasks.cleaning import CleaningRules, Counts, key_digest, normalise, reason_to_drop
from tasks.records import HUMAN, Record, RecordWriter, read_records
from tasks.sources.description import ShippedSplit, Split
from tasks.sources.reading import FetchedCorpus, read_corpora
from tasks.sources.rows import Row
from tasks.splitting import HELD_OUT_PARTS, PARTS, assign, rest


def prepare_bitext(
    corpora: Sequence[FetchedCorpus],
    languages: tuple[str, str],
    *,
    rules: CleaningRules,
    split: Split,
    out: Path,
) -> dict[str, object]:
    """Write `train`, `dev` and `test.parquet` (id, both languages, origin) and return counts.

    A sentence pair is a repeat when its first language (the hub) repeats: that also keeps one
    sentence from standing in two parts. A shipped dev or test set stays whole, so that its scores
    compare with published ones; what repeats it in train goes.
    """
    counts = Counts()
    cleaned = out / "cleaned.parquet"
    shipped = isinstance(split, ShippedSplit)
    held_out = shipped_held_out(corpora, languages, rules) if shipped else frozenset()
    with RecordWriter(cleaned, ["id", *languages, "origin", "part"]) as writer:
        rows = read_corpora(corpora)
        for record in clean_rows(rows, languages, rules=rules, counts=counts, held_out=held_out):
            writer.write(record)
    sizes = _write_parts(cleaned, languages, split, out)
    cleaned.unlink()
    if empty := [part for part in PARTS if not sizes[part]]:
        raise SourceError(
            f"{'-'.join(languages)}: no sentence pair is left for {' and '.join(empty)} "
            f"(kept {counts.kept} of {counts.read}, dropped {dict(counts.dropped)}, "
            f"parts {sizes}); lower `dev` and `test` in the split or look at the cleaning rules"
        )
    return {**counts.as_dict(), **sizes}


def clean_rows(
    rows: Iterable[tuple[str, Row]],
    languages: Sequence[str],
    *,
    rules: CleaningRules,
    counts: Counts,
    held_out: Set[bytes] = frozenset(),
) -> Iterator[Record]:
    """Yield normalised records, dropping what is empty, over-long or repeated, with its reason.

    Of rows that ship as dev or test, only those go that lack a text; `held_out` are their digests.
    """
    seen_texts: set[bytes] = set(held_out)
    seen_ids: set[str] = set()
    for corpus, row in rows:
        counts.read += 1
        if row.alone:
            counts.drop("without_partner", row.place)
            continue
        if missing := [language for language in languages if language in row.lacks]:
            counts.drop(f"without_{missing[0]}")
            continue
        for language in languages:
            counts.note_repairs(row.fields[language])
        record = {language: normalise(row.fields[language], rules) for language in languages}
        digest = key_digest(record[languages[0]])
        reasons = [why for text in record.values() if (why := reason_to_drop(text, rules))]
        if held_out and row.split in HELD_OUT_PARTS:
            reasons = [reason for reason in reasons if reason == "empty"]
        elif not reasons and rules.drop_repeats and digest in seen_texts:
            reasons = ["duplicate"]
        if reasons:
            counts.drop(reasons[0], row.place)
            continue
        sentence_id = f"{corpus}:{row.key}"
        if sentence_id in seen_ids:
            raise SourceError(
                f"corpus {corpus}: two different rows have the id {row.key!r}; name another column "
                "as `id` of its `format`, or none (in a TMX `id: null`), and rows are numbered"
            )
        seen_texts.add(digest)
        seen_ids.add(sentence_id)
        counts.kept += 1
        yield {"id": sentence_id, **record, "origin": HUMAN, "part": row.split or ""}


def shipped_held_out(
    corpora: Sequence[FetchedCorpus], languages: Sequence[str], rules: CleaningRules
) -> frozenset[bytes]:
    """Return the digests of the rows that ship as dev or test: what repeats them in train goes."""
    return frozenset(
        key_digest(normalise(row.fields[languages[0]], rules))
        for _, row in read_corpora(corpora)
        if row.split in HELD_OUT_PARTS and not row.alone
    )


def _write_parts(
    cleaned: Path, languages: tuple[str, str], split: Split, out: Path
) -> dict[str, int]:
    part_of = _part_rule(cleaned, split)
    with ExitStack() as stack:
        writers = {
            part: stack.enter_context(
                RecordWriter(out / f"{part}.parquet", ["id", *languages, "origin"])
            )
            for part in PARTS
        }
        for record in read_records(cleaned):
            writer = writers.get(part_of(record))
            if writer is not None:
                writer.write({column: record[column] for column in writer.columns})
        return {part: writer.written for part, writer in writers.items()}


def _part_rule(cleaned: Path, split: Split) -> Callable[[Record], str]:
    if isinstance(split, ShippedSplit):
        return _shipped_part
    parts = assign((record["id"] for record in read_records(cleaned, ["id"])), split)
    return lambda record: parts.get(record["id"], rest(split))


def _shipped_part(record: Record) -> str:
    if not record["part"]:
        raise SourceError(
            f"{record['id']} is in no split, but the split rule is `shipped`; "
            "give its file a `split`"
        )
    return record["part"]
