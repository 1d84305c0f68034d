"""Translate the MT test sets with every engine and score the translations."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import luigi

from pipeline.specs.experiment import engine_round, nmt_engine
from pipeline.stages.corpora import Bitext
from pipeline.stages.nmt import engine_gpus, engine_requirements, load_engine
from pipeline.stages.stage import Inputs, Requirements, Stage
from pipeline.store import Draft
from tasks.mt.scoring import MtScore, score_direction
from tasks.mt.translation import as_texts, translate_records, write_texts
from tasks.records import check_same_ids, read_columns


@dataclass(frozen=True)
class TestHypothesesSpec:
    """What decides an engine's translations of the test sets."""

    hub: str
    languages: tuple[str, ...]
    beam: int


class TestHypotheses(Stage[TestHypothesesSpec]):
    """One engine's translation of every MT test set, in both directions."""

    engine = luigi.Parameter(description="gloss, nmt-0, nmt-1, ...")

    def spec(self) -> TestHypothesesSpec:
        study = self.study
        return TestHypothesesSpec(study.hub, study.languages, study.evaluation.beam)

    def label(self) -> str:
        return str(self.engine)

    def requires(self) -> Requirements:
        return {
            "bitext": [
                Bitext(experiment=self.experiment, pair=pair.name) for pair in self.study.pairs
            ],
            **engine_requirements(self, str(self.engine)),
        }

    def gpus(self) -> int:
        return engine_gpus(str(self.engine))

    @staticmethod
    def build(spec: TestHypothesesSpec, inputs: Inputs, out: Draft) -> None:
        engine = load_engine(inputs, beam=spec.beam)
        for source, target, test in test_directions(spec.hub, spec.languages, inputs):
            translated = translate_records(
                as_texts(test, source),
                engine,
                source=source,
                target=target,
                shards=out.scratch,
                report=out.lines_done,
            )
            write_texts(out.path(f"{source}-{target}.parquet"), translated)


def test_directions(
    hub: str, languages: tuple[str, ...], inputs: Inputs
) -> Iterator[tuple[str, str, Path]]:
    """Yield source, target and test set of every direction, in the order of the languages."""
    for language, bitext in zip(languages, inputs.many("bitext"), strict=True):
        test = bitext.path("test.parquet")
        yield hub, language, test
        yield language, hub, test


def translations_of(ids: Sequence[str], hypotheses: Path) -> list[str]:
    """Read the translations of a test set; they must be of these sentences, in this order."""
    columns = read_columns(hypotheses)
    check_same_ids(f"hypotheses {hypotheses.stem}", ids, columns["id"])
    return columns["text"]


@dataclass(frozen=True)
class MtScoresSpec:
    """What decides an engine's scores."""

    engine: str
    round: int | None
    hub: str
    languages: tuple[str, ...]
    resamples: int
    seed: int


class MtScores(Stage[MtScoresSpec]):
    """One engine's BLEU and chrF++ for every direction, with the copy baseline beside them."""

    engine = luigi.Parameter(description="gloss, nmt-0, nmt-1, ...")

    def spec(self) -> MtScoresSpec:
        study = self.study
        engine = str(self.engine)
        return MtScoresSpec(
            engine=engine,
            round=engine_round(engine),
            hub=study.hub,
            languages=study.languages,
            resamples=study.evaluation.resamples,
            seed=study.evaluation.seed,
        )

    def label(self) -> str:
        return str(self.engine)

    def requires(self) -> Requirements:
        engine = str(self.engine)
        later = bool(engine_round(engine))
        return {
            "bitext": [
                Bitext(experiment=self.experiment, pair=pair.name) for pair in self.study.pairs
            ],
            "hypotheses": TestHypotheses(experiment=self.experiment, engine=engine),
            "before": [TestHypotheses(experiment=self.experiment, engine=nmt_engine(0))]
            if later
            else [],
        }

    @staticmethod
    def build(spec: MtScoresSpec, inputs: Inputs, out: Draft) -> None:
        scores: list[MtScore] = []
        for source, target, path in test_directions(spec.hub, spec.languages, inputs):
            file = f"{source}-{target}.parquet"
            test = read_columns(path, ["id", source, target])
            hypotheses, *before = (
                translations_of(test["id"], artifact.path(file))
                for artifact in (inputs.one("hypotheses"), *inputs.many("before"))
            )
            scores += score_direction(
                hypotheses,
                sources=test[source],
                references=test[target],
                direction=(source, target),
                engine=spec.engine,
                round=spec.round,
                before=before[0] if before else None,
                resamples=spec.resamples,
                seed=spec.seed,
            )
            out.progress(len(scores) / (4 * len(spec.languages)), file)
        out.scores = [score.as_record() for score in scores]
