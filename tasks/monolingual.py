"""Clean the monolingual text of one language."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from tasks.bitext import clean_rows
from tasks.cleaning import CleaningRules, Counts, sentences
from tasks.records import HUMAN, RecordWriter
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
