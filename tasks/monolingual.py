"""Clean the monolingual text of one language."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from tasks.bitext import clean_rows
from tasks.cleaning import CleaningRules, Counts, key_digest, sentences
from tasks.decontamination import Protected
from tasks.records import HUMAN, RecordWriter, read_records
from tasks.sources.reading import FetchedCorpus, Row, read_corpora


def prepare_monolingual(
    corpora: Sequence[FetchedCorpus], language: str, *, rules: CleaningRules, out: Path
) -> dict[str, object]:
    """Write `text.parquet` (id, language, origin) and return counts.

    Paragraphs are cut into sentences, since the bitext they will join consists of sentences; each
    gets its paragraph's key and its place in it.
    """
    counts = Counts()
    rows = read_corpora(corpora)
    if rules.split_paragraphs:
        rows = cut_paragraphs(rows, language)
    with RecordWriter(out / "text.parquet", ["id", language, "origin"]) as writer:
        for record in clean_rows(rows, [language], rules=rules, counts=counts):
            writer.write({"id": record["id"], language: record[language], "origin": HUMAN})
    return counts.as_dict()


def cut_paragraphs(rows: Iterator[tuple[str, Row]], language: str) -> Iterator[tuple[str, Row]]:
    """Yield one row for each sentence of each row, its place in its paragraph in its key."""
    for corpus, row in rows:
        for place, sentence in enumerate(sentences(row.fields[language]), start=1):
            yield corpus, row._replace(key=f"{row.key}#{place}", fields={language: sentence})


def task_text(
    parts: Sequence[Path], language: str, *, protected: Protected, out: Path
) -> dict[str, object]:
    """Write the texts of labelled sets as monolingual text, without labels, leaks and repeats."""
    removed: Counter[str] = Counter()
    seen: set[bytes] = set()
    with RecordWriter(out, ["id", language, "origin"]) as writer:
        for part in parts:
            for labelled in read_records(part, ["id", "text"]):
                record = {"id": labelled["id"], language: labelled["text"], "origin": HUMAN}
                key = key_digest(labelled["text"])
                if leak := protected.leak(record, [language]):
                    removed[": ".join(leak)] += 1
                elif key in seen:
                    removed["duplicate"] += 1
                else:
                    seen.add(key)
                    writer.write(record)
        kept = writer.written
    return {"seen": kept + removed.total(), "removed": dict(sorted(removed.items())), "kept": kept}
