"""Language identification and the scores that noise filters judge by; the limits come later."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import luigi

from models.alignment import align
from models.language_id import (
    LanguageIdentifier,
    OwnIdentifier,
    ShippedIdentifier,
    TextOfLanguage,
    shipped_code,
)
from pipeline.stages.corpora import Bitext, Monolingual
from pipeline.stages.stage import Inputs, Requirements, Stage
from pipeline.store import Artifact, Draft
from tasks.filtering import Scorer, pair_scorers, text_scorers, write_scores
from tasks.mt.health import Doubts
from tasks.records import Record, read_records
from tasks.scripts import main_script

IDENTIFIER = "identifier.npz"
SCORES = "scores.parquet"
LINES_TO_LEARN_A_LANGUAGE = 5_000
LINES_TO_SEE_A_SCRIPT = 1_000


@dataclass(frozen=True)
class IdentifierSpec:
    """The languages to tell apart: the hub, and one a bitext, in the order of the inputs."""

    hub: str
    languages: tuple[str, ...]
    seed: int = 1


class Identifier(Stage[IdentifierSpec]):
    """Which identifier judges which language; one of our own where the shipped one is ignorant."""

    def spec(self) -> IdentifierSpec:
        return IdentifierSpec(self.study.hub, self.study.languages)

    def label(self) -> str:
        return "all"

    def requires(self) -> Requirements:
        pairs = self.study.pairs
        return {"bitext": [Bitext(experiment=self.experiment, pair=p.name) for p in pairs]}

    @staticmethod
    def build(spec: IdentifierSpec, inputs: Inputs, out: Draft) -> None:
        judges = {x: shipped_code(x) for x in (spec.hub, *spec.languages)}
        out.facts["identifiers"] = {
            language: f"py3langid ({code})" if code else "trained on this experiment's text"
            for language, code in judges.items()
        }
        if not all(judges.values()):
            texts = list(_texts_to_learn(spec, inputs.many("bitext")))
            OwnIdentifier.train(texts, seed=spec.seed).save(out.path(IDENTIFIER))
            out.counts = {"texts": len(texts)}


def _texts_to_learn(spec: IdentifierSpec, bitexts: list[Artifact]) -> Iterator[TextOfLanguage]:
    """Yield texts of each language, the hub's from the first pair; few lines are enough."""
    sources = [(spec.hub, bitexts[0]), *zip(spec.languages, bitexts, strict=True)]
    for language, bitext in sources:
        records = read_records(bitext.path("train.parquet"), ["id", language])
        for record in islice(records, LINES_TO_LEARN_A_LANGUAGE):
            yield TextOfLanguage(record["id"], record[language], language)


def language_scorer(identifier: Artifact, languages: tuple[str, ...]) -> Scorer:
    """Return the scorer that doubts the language of each side; the worst side counts."""
    judges = {language: _judge(identifier, language) for language in languages}

    def doubts(records: Sequence[Record]) -> list[float]:
        ids = [record["id"] for record in records]
        sides = [
            judge.doubts(ids, [record[language] for record in records], language)
            for language, judge in judges.items()
        ]
        return [max(of_record) for of_record in zip(*sides, strict=True)]

    return doubts


def doubts_of(identifier: Artifact, language: str) -> Doubts:
    """Return what doubts that texts without ids are in a language."""
    judge = _judge(identifier, language)
    return lambda texts: judge.doubts(list(map(str, range(len(texts)))), texts, language)


def _judge(identifier: Artifact, language: str) -> LanguageIdentifier:
    if shipped_code(language):
        return ShippedIdentifier()
    return OwnIdentifier.load(identifier.path(IDENTIFIER))


@dataclass(frozen=True)
class ScoresSpec:
    """The languages of the text."""

    languages: tuple[str, ...]


class BitextScores(Stage[ScoresSpec]):
    """What the noise filters think of each sentence pair of a bitext's training part."""

    VERSION = 3

    pair = luigi.Parameter(description="name of the pair")

    def spec(self) -> ScoresSpec:
        return ScoresSpec(self.study.pair(str(self.pair)).languages)

    def label(self) -> str:
        return str(self.pair)

    def cleaned(self) -> Bitext:
        """Return the stage of the text that is scored."""
        return Bitext(experiment=self.experiment, pair=self.pair)

    def requires(self) -> Requirements:
        return {
            "text": self.cleaned(),
            "identifier": Identifier(experiment=self.experiment),
        }

    @staticmethod
    def build(spec: ScoresSpec, inputs: Inputs, out: Draft) -> None:
        text = inputs.one("text").path("train.parquet")
        first, second = spec.languages
        misalignments = (pair.misalignment for pair in align(lambda: _pairs(text, spec.languages)))
        comparing: dict[str, Scorer] = {
            **pair_scorers(first, second),
            "misalignment": lambda records: list(islice(misalignments, len(records))),
        }
        _write(spec, inputs, out, text, comparing)


class MonolingualScores(Stage[ScoresSpec]):
    """What the noise filters think of each sentence of a language's monolingual text."""

    VERSION = 2

    language = luigi.Parameter(description="language code")

    def spec(self) -> ScoresSpec:
        return ScoresSpec((str(self.language),))

    def label(self) -> str:
        return str(self.language)

    def cleaned(self) -> Monolingual:
        """Return the stage of the text that is scored."""
        return Monolingual(experiment=self.experiment, language=self.language)

    def requires(self) -> Requirements:
        return {
            "text": self.cleaned(),
            "identifier": Identifier(experiment=self.experiment),
        }

    @staticmethod
    def build(spec: ScoresSpec, inputs: Inputs, out: Draft) -> None:
        _write(spec, inputs, out, inputs.one("text").path("text.parquet"), {})


def _pairs(text: Path, languages: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    first, second = languages
    return ((r[first], r[second]) for r in read_records(text, languages))


def _write(
    spec: ScoresSpec, inputs: Inputs, out: Draft, text: Path, comparing: dict[str, Scorer]
) -> None:
    """Score the text; tell which script each language was taken to be in."""
    scripts = {language: _script(text, language) for language in spec.languages}
    scorers = {
        **text_scorers(spec.languages, scripts),
        **comparing,
        "language_doubt": language_scorer(inputs.one("identifier"), spec.languages),
    }
    out.facts["scripts"] = scripts
    out.counts = {"scored": write_scores(text, spec.languages, scorers, out.path(SCORES))}


def _script(text: Path, language: str) -> str:
    records = islice(read_records(text, [language]), LINES_TO_SEE_A_SCRIPT)
    return main_script(record[language] for record in records)
