"""Score a system's translations of the MT test sets, and test systems against each other."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import luigi

from pipeline.stages.corpora import Bitext
from pipeline.stages.filtering import Identifier, doubts_of
from pipeline.stages.leakage import TrainingBitext
from pipeline.stages.stage import Inputs, Requirements, Stage
from pipeline.stages.texts import BITEXT, Text, bitext_sides, hub_side
from pipeline.stages.translations import translations
from pipeline.store import Artifact, Draft
from tasks.identity import item_name
from tasks.mt.contests import (
    MtContest,
    compare_systems,
    correct,
    ills_of,
    load_tallies,
    save_tallies,
    score_direction,
    tally_direction,
)
from tasks.mt.examples import ShownLine, examples, save_examples
from tasks.mt.translation import as_texts
from tasks.statistics import Runs

Direction = tuple[str, str]
EXAMPLES = "examples.json"
STATISTICS = ("sacrebleu.metrics.bleu", "sacrebleu.metrics.chrf", "scipy.stats")


@dataclass(frozen=True)
class MtScoresSpec:
    """What decides a system's scores; `random` where another training would give another system."""

    directions: tuple[Direction, ...]
    replicates: int
    random: bool
    resamples: int
    seed: int


class MtScores(Stage[MtScoresSpec]):
    """One system's BLEU and chrF++ for every direction, with the copy baseline beside them.

    `examples.json` holds a few sentences of each direction, for people to read.
    """

    VERSION = 4
    LIBRARIES = STATISTICS

    system = luigi.Parameter(description="name of the system")

    def spec(self) -> MtScoresSpec:
        study, system = self.study, str(self.system)
        return MtScoresSpec(
            directions=study.directions_of(system),
            replicates=study.replicates(system),
            random=study.varies(system),
            resamples=study.evaluation.resamples,
            seed=study.evaluation.seed,
        )

    def label(self) -> str:
        return str(self.system)

    def slug(self) -> str:
        return self.study.systems[str(self.system)].kind

    def requires(self) -> Requirements:
        study, system = self.study, str(self.system)
        return {
            "test": [Bitext(experiment=self.experiment, pair=p.name) for p in study.pairs],
            "dev": [TrainingBitext(experiment=self.experiment, pair=p.name) for p in study.pairs],
            "hypotheses": [
                translation
                for direction in study.directions_of(system)
                for translation in self._translations(system, direction)
            ],
            "identifier": Identifier(experiment=self.experiment),
        }

    @staticmethod
    def build(spec: MtScoresSpec, inputs: Inputs, out: Draft) -> None:
        hypotheses = inputs.many("hypotheses")
        shown: list[ShownLine] = []
        for number, direction in enumerate(spec.directions):
            of_direction = hypotheses[number * spec.replicates :][: spec.replicates]
            lines = {part: _texts(of_direction, part) for part in ("dev", "test")}
            sides = {part: bitext_sides(inputs, part, direction) for part in lines}
            parts = {part: tally_direction(sides[part], lines[part]) for part in lines}
            doubts = doubts_of(inputs.one("identifier"), direction[1])
            ills = list(ills_of(sides["test"], lines["test"], doubts))
            contest = MtContest(spec.random, spec.resamples, spec.seed)
            out.scores += [asdict(s) for s in score_direction(direction, parts, contest, ills=ills)]
            hub = hub_side(inputs, "test", direction)
            items = [item_name(key, hub[key]) for key in parts["test"].ids]
            save_tallies(parts["test"], items, out.path(f"{'-'.join(direction)}.npz"))
            shown += examples(direction, sides["test"], lines["test"][0], parts["test"])
            out.progress((number + 1) / len(spec.directions), "-".join(direction))
        save_examples(shown, out.path(EXAMPLES))

    def _translations(self, system: str, direction: Direction) -> list[Stage[Any]]:
        """Return the translations of the test set; a pivot reads that of its source's own pair."""
        study = self.study
        pair = next(p for p in study.pairs_of(direction) if direction[0] in p.languages)
        text = Text(BITEXT, pair.name)
        return translations(self, system, text, direction, study.evaluation.decoding)


def _texts(artifacts: list[Artifact], part: str) -> list[dict[str, str]]:
    """Return the hypotheses of each replicate by id."""
    paths = [artifact.path(f"{part}.parquet") for artifact in artifacts]
    return [{r["id"]: r["text"] for r in as_texts(path, "text")} for path in paths]


@dataclass(frozen=True)
class MtContrastsSpec:
    """Which of the inputs are compared in which directions, and which of them vary."""

    pairs: tuple[tuple[int, int], ...]
    directions: tuple[tuple[Direction, ...], ...]
    random: tuple[bool, ...]
    resamples: int
    seed: int


class MtContrasts(Stage[MtContrastsSpec]):
    """The contrasts of an experiment: in each direction, and over all of them."""

    VERSION = 2
    LIBRARIES = STATISTICS

    def spec(self) -> MtContrastsSpec:
        study = self.study
        systems = compared_systems(self)
        named = {tuple(map(study.canonical, pair)) for pair in study.tested_contrasts}
        pairs = sorted((systems.index(a), systems.index(b)) for a, b in named if a != b)
        return MtContrastsSpec(
            pairs=tuple(pairs),
            directions=tuple(
                _shared(*(study.directions_of(systems[number]) for number in pair))
                for pair in pairs
            ),
            random=tuple(map(study.varies, systems)),
            resamples=study.evaluation.resamples,
            seed=study.evaluation.seed,
        )

    def label(self) -> str:
        return str(self.study.name)

    def requires(self) -> Requirements:
        return {"scores": [mt_scores(self, system) for system in compared_systems(self)]}

    @staticmethod
    def build(spec: MtContrastsSpec, inputs: Inputs, out: Draft) -> None:
        scores = inputs.many("scores")

        def runs(system: int, direction: Direction) -> dict[str, Runs]:
            path = scores[system].path(f"{'-'.join(direction)}.npz")
            return load_tallies(path, spec.random[system])

        tests = [
            compare_systems(
                {d: (runs(first, d), runs(second, d)) for d in directions},
                resamples=spec.resamples,
                seed=spec.seed,
            )
            for (first, second), directions in zip(spec.pairs, spec.directions, strict=True)
        ]
        out.facts["contrasts"] = [
            {"pair": pair, **test._asdict()}
            for pair, of_pair in zip(spec.pairs, correct(tests), strict=True)
            for test in of_pair
        ]


def _shared(first: Sequence[Direction], second: Sequence[Direction]) -> tuple[Direction, ...]:
    return tuple(direction for direction in first if direction in second)


def compared_systems(stage: Stage[Any]) -> list[str]:
    """Return the systems that contrasts name, in an order that no name decides."""
    study = stage.study
    named = {study.canonical(name) for pair in study.tested_contrasts for name in pair}
    return sorted(named, key=lambda name: mt_scores(stage, name).fingerprint)


def mt_scores(stage: Stage[Any], system: str) -> MtScores:
    """Return the scores of a system of the stage's experiment."""
    return MtScores(experiment=stage.experiment, system=stage.study.canonical(system))
