"""Publish a pretrained encoder for the texts of a study, and say how well it fits them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from models.encoders.pretrained.cutting import characters_of
from models.encoders.pretrained.fitness import Fitness, measure_fitness
from models.encoders.pretrained.folders import Checkpoint, EncoderSettings, PublishOrder
from models.encoders.pretrained.publishing import Publication, publish_and_choose
from models.support.sampling import spread
from tasks.records import read_columns, read_records
from tasks.splitting import part_files

FITNESS_TEXTS = 2000
COMPARED_TEXTS = 128


class EncoderTexts(NamedTuple):
    """The labelled sets of a study, each with its language, and its bitext."""

    labelled: Sequence[tuple[str, Path]]
    bitext: Sequence[Path]

    def by_language(self) -> dict[str, list[str]]:
        """Return some texts of each language, evenly spread over its labelled sets."""
        found: dict[str, list[str]] = {}
        for language, folder in self.labelled:
            found.setdefault(language, []).extend(_labelled_texts(folder))
        return {language: spread(texts, FITNESS_TEXTS) for language, texts in found.items()}

    def all(self) -> Iterator[str]:
        """Yield every text: each item of a labelled set, both sides of each sentence pair."""
        for _, folder in self.labelled:
            yield from _labelled_texts(folder)
        for folder in self.bitext:
            for path in part_files(folder).values():
                for record in read_records(path):
                    yield from (text for name, text in record.items() if name != "id")


def publish_encoder(
    checkpoint: Checkpoint,
    texts: EncoderTexts,
    *,
    settings: EncoderSettings,
    max_pieces: int | None,
    out: Path,
) -> dict[str, Any]:
    """Publish into `out`; return what was chosen and how the tokenizer fits each language."""
    tokenizer = checkpoint.read_tokenizer()
    samples = texts.by_language()
    characters = characters_of(chain([settings.prefix], texts.all()), tokenizer)
    order = PublishOrder(checkpoint, frozenset(characters), settings, max_pieces, out)
    outcome = publish_and_choose(order, _compared(samples.values()))
    fitness = {
        language: measure_fitness(
            found, tokenizer, prefix=settings.prefix, max_pieces=outcome.published.max_pieces
        )
        for language, found in samples.items()
    }
    return _facts(outcome, fitness, cased=checkpoint.cased)


def _compared(samples: Iterable[Sequence[str]]) -> list[str]:
    texts = [text for sample in samples for text in sample]
    return spread(texts, COMPARED_TEXTS)


def _facts(outcome: Publication, fitness: dict[str, Fitness], *, cased: bool) -> dict[str, Any]:
    return {
        "number": outcome.number,
        "agreement": outcome.agreement._asdict() if outcome.agreement else None,
        **outcome.published._asdict(),
        "fitness": {language: asdict(found) for language, found in fitness.items()},
        "remarks": {
            language: list(found.remarks(cased=cased)) for language, found in fitness.items()
        },
    }


def _labelled_texts(folder: Path) -> Iterator[str]:
    for path in part_files(folder).values():
        yield from read_columns(path, ["text"])["text"]
