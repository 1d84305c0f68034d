"""Clean the monolingual text of one language."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Annotated

from annotated_types import Ge, Gt, Le

from models import writing
from models.support.errors import SourceError
from tasks.bitext import clean_rows
from tasks.cleaning import CleaningRules, Counts, key_digest, normalise, reason_to_drop, sentences
from tasks.records import HUMAN, RecordWriter, read_records
from tasks.sources.reading import FetchedCorpus, read_corpora
from tasks.sources.rows import Row


@dataclass(frozen=True, kw_only=True)
class MonolingualRecipe:
    """How much real text is translated into synthetic bitext.

    * ``max_sentences``: of each language's monolingual text at most.
    * ``task_text``: also the tasks' training texts in the hub language, without their labels, on
      top of that: the model meets the domain it will translate.
    * ``max_length_ratio``: a pair whose lengths differ by more than this factor from what is usual
      in its corpus is dropped.
    * ``max_lost``: a share of lines; losing more of them is an error.
    * ``shards``: parts that workers translate one by one.
    """

    max_sentences: Annotated[int, Ge(1)] = 20_000
    task_text: bool = False
    max_length_ratio: Annotated[float, Gt(1)] = 2.0
    max_lost: Annotated[float, Gt(0), Le(1)] = 0.5
    shards: Annotated[int, Ge(1)] = 1


def prepare_monolingual(
    corpora: Sequence[FetchedCorpus],
    language: str,
    *,
    rules: CleaningRules,
    out: Path,
    clauses: bool = False,
) -> dict[str, object]:
    """Write `text.parquet` (id, language, origin) and return counts.

    Paragraphs are cut into sentences, since the bitext they will join consists of sentences; each
    gets its paragraph's key and its place in it. With `clauses`, long ones are cut at spaces.
    Raises SourceError when no sentence is left.
    """
    counts = Counts()
    rows = read_corpora(corpora)
    if rules.split_paragraphs:
        rows = cut_paragraphs(rows, language, clauses=rules if clauses else None)
    with RecordWriter(out / "text.parquet", ["id", language, "origin"]) as writer:
        for record in clean_rows(rows, [language], rules=rules, counts=counts):
            writer.write({"id": record["id"], language: record[language], "origin": HUMAN})
    if not counts.kept:
        raise SourceError(
            f"{language}: no monolingual sentence is left of {counts.read} "
            f"(dropped {dict(counts.dropped)}); look at the files, or take them out of the manifest"
        )
    return counts.as_dict()


def cut_paragraphs(
    rows: Iterator[tuple[str, Row]], language: str, *, clauses: CleaningRules | None = None
) -> Iterator[tuple[str, Row]]:
    """Yield one row for each sentence of each row, its place in its paragraph in its key.

    Of a language that writes no ends of sentences, what is too long for the rules `clauses` is cut
    at spaces. A row that lacks the language stays one, to be counted.
    """
    for corpus, row in rows:
        if language in row.lacks:
            yield corpus, row
        found = sentences(row.fields[language])
        if clauses:
            found = chain.from_iterable(_clauses(sentence, clauses) for sentence in found)
        for place, sentence in enumerate(found, start=1):
            yield corpus, row._replace(key=f"{row.key}#{place}", fields={language: sentence})


def _clauses(sentence: str, rules: CleaningRules) -> Iterator[str]:
    if reason_to_drop(normalise(sentence, rules), rules) == "too_long":
        return map(str.strip, writing.clauses(sentence))
    return iter([sentence])


def merge_task_texts(parts: Sequence[Path], language: str, *, out: Path) -> dict[str, object]:
    """Write the texts of labelled sets as monolingual text, without labels and repeats.

    Returns counts.
    """
    counts = Counts()
    seen: set[bytes] = set()
    with RecordWriter(out, ["id", language, "origin"]) as writer:
        for part in parts:
            for labelled in read_records(part, ["id", "text"]):
                counts.read += 1
                key = key_digest(labelled["text"])
                if key in seen:
                    counts.drop("duplicate")
                    continue
                seen.add(key)
                counts.kept += 1
                writer.write({"id": labelled["id"], language: labelled["text"], "origin": HUMAN})
    return counts.as_dict()
