"""Which way of transfer wins: scores, a winner chosen on dev data, paired tests."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from models.support.errors import ContractError
from tasks.records import Record, read_records
from tasks.statistics import (
    Difference,
    Measure,
    Runs,
    contrast,
    estimate,
    holm,
    joint_contrast,
)
from tasks.transfer.catalogue import place, strategy_called
from tasks.transfer.fitting import PREDICTION_COLUMNS, TEST, replicate_of
from tasks.transfer.kinds import KINDS
from tasks.transfer.kinds.protocol import TaskKind
from tasks.transfer.strategies import DEV_DATA, ZERO_SHOT

ALL = "all"
"""Where a contrast over all languages stands."""
WINNER = "winner"
"""Instead of a strategy: the way that was chosen in each language."""
ANSWERS, SYSTEMS = "answers", "systems"
"""Families of tests: does the chosen way beat the others; does one system beat another."""


class Way(NamedTuple):
    """A way of transfer: systems and encoders are numbers, so that no name decides anything.

    `system` is None where nothing is translated, `encoder` where it differs from language to
    language, or where an ensemble has several.
    """

    strategy: str
    system: int | None
    encoder: int | None


class Contest(NamedTuple):
    """How ways are judged: the kind of task by name, its labels, resampling."""

    kind: str
    labels: tuple[str, ...]
    resamples: int
    seed: int

    @property
    def rules(self) -> TaskKind:
        """The kind of task."""
        return KINDS[self.kind]

    @property
    def metric(self) -> str:
        """The measure that decides."""
        return next(iter(self.rules.measures))

    @property
    def measure(self) -> Measure:
        """The measure that decides, as a function."""
        return self.rules.measures[self.metric]


class WayRuns(NamedTuple):
    """What a way's classifiers did in one language: on the dev data there are, and on test."""

    devs: Mapping[str, Runs]
    test: Runs

    @property
    def dev_data(self) -> str:
        """Which dev data the winner is chosen by: the best there are; empty without any."""
        return next((data for data in DEV_DATA if data in self.devs), "")

    @property
    def dev(self) -> Runs | None:
        """The runs on these dev data."""
        return self.devs.get(self.dev_data)

    def on(self, data: str) -> Runs | None:
        """Return the runs on some dev data; of the hub's, translated or not, what there is."""
        if data == DEV_DATA[0]:
            return self.devs.get(data)
        others = (other for other in DEV_DATA[1:] if other != data)
        return next((self.devs[d] for d in (data, *others) if d in self.devs), None)


@dataclass(frozen=True)
class WayScore:
    """One metric of a way in one language, without names of systems and encoders.

    `dev` is the score on the data that the winner is chosen by, `dev_data` says which these are.
    """

    language: str
    metric: str
    score: float
    low: float
    high: float
    spread: float | None
    dev: float | None
    dev_data: str
    n: int
    seeds: int


class Winner(NamedTuple):
    """The way that was chosen for a language, by its score on dev data."""

    language: str
    way: Way
    dev: float


class Chosen(NamedTuple):
    """What one kind of dev data would have chosen in a language, and what that does on test.

    `target dev` is the oracle: a way with labels of the language only for choosing.
    """

    language: str
    by: str
    way: Way
    dev: float
    test: float


class WayTest(NamedTuple):
    """A paired test between two ways in one language, or over all; `p` is corrected (Holm)."""

    family: str
    where: str
    first: Way
    second: Way
    metric: str
    difference: float
    low: float
    high: float
    p: float | None
    mdd: float
    better: tuple[int, int] | None


def load_runs(path: Path, contest: Contest, *, replicates: int | None) -> WayRuns:
    """Read the predictions of a way in one language.

    `replicates` counts the trainings of the system that translated; None where no training did, so
    that each seed is one of its own. Raises ContractError where an item is predicted twice, or not
    by every seed.
    """
    parts: dict[str, list[Record]] = {}
    for record in read_records(path, PREDICTION_COLUMNS):
        parts.setdefault(record["part"], []).append(record)
    if TEST not in parts:
        raise ContractError(f"{path}: no prediction of a test item")
    runs = {part: _runs(found, path, contest, replicates) for part, found in parts.items()}
    return WayRuns(test=runs.pop(TEST), devs=runs)


def _runs(records: Sequence[Record], path: Path, contest: Contest, replicates: int | None) -> Runs:
    gold: dict[str, str] = {}
    by_seed: dict[int, dict[str, str]] = {}
    for r in records:
        answers = by_seed.setdefault(int(r["seed"]), {})
        if r["id"] in answers or gold.setdefault(r["id"], r["gold"]) != r["gold"]:
            raise ContractError(f"{path}: item {r['id']!r} stands there twice, seed {r['seed']}")
        answers[r["id"]] = r["predicted"]
    for seed, answers in by_seed.items():
        if answers.keys() != gold.keys():
            missing = len(gold) - len(answers)
            raise ContractError(f"{path}: seed {seed} lacks {missing} of {len(gold)} items")
    seeds = sorted(by_seed)
    predicted = [[by_seed[seed][key] for key in gold] for seed in seeds]
    return Runs(
        ids=tuple(gold),
        tallies=contest.rules.tally(list(gold.values()), predicted, contest.labels),
        trainings=tuple(replicate_of(s, replicates) for s in seeds) if replicates else None,
    )


def score_way(language: str, runs: WayRuns, contest: Contest) -> list[WayScore]:
    """Score a way in one language with every measure of the task."""
    scores = []
    for metric, measure in contest.rules.measures.items():
        found = estimate(runs.test, measure, resamples=contest.resamples, seed=contest.seed)
        scores.append(
            WayScore(
                language=language,
                metric=metric,
                dev=runs.dev.mean(measure) if runs.dev else None,
                dev_data=runs.dev_data,
                n=len(runs.test.ids),
                seeds=len(runs.test.tallies),
                **found._asdict(),
            )
        )
    return scores


class TaskContest:
    """All ways of transfer of one task, in all its languages."""

    def __init__(
        self,
        found: Mapping[str, Mapping[Way, WayRuns]],
        contest: Contest,
        *,
        not_usable: Collection[tuple[str, Way]] = (),
    ) -> None:
        """Take what the ways did by language; ways in an order that decides ties.

        `not_usable` are the ways whose text is no translation there, with their language.
        """
        self.found = found
        self.not_usable = not_usable
        self.contest = contest
        self.dev = {
            language: {
                way: runs.dev.mean(contest.measure) for way, runs in ways.items() if runs.dev
            }
            for language, ways in found.items()
        }

    def winners(self) -> list[Winner]:
        """Return the way with the best dev score of each language that has dev data."""
        best = {language: self._best(language) for language in self.found}
        return [
            Winner(language, way, self.dev[language][way])
            for language, way in best.items()
            if way is not None
        ]

    def selections(self) -> list[Chosen]:
        """Return what each kind of dev data would choose: hub's dev, translated, target dev."""
        found = []
        for language, ways in self.found.items():
            for data in reversed(DEV_DATA):
                scores = {
                    way: judged.mean(self.contest.measure)
                    for way, runs in ways.items()
                    if (judged := runs.on(data))
                }
                way = self._usable_best(language, scores)
                if way is not None:
                    test = ways[way].test.mean(self.contest.measure)
                    found.append(Chosen(language, data, way, scores[way], test))
        return found

    def tests(self, pairs: Sequence[tuple[int, int]]) -> list[WayTest]:
        """Test the winners against other ways, and the pairs of systems; correct each family."""
        winners = self.winners()
        families = (
            [test for w in winners for test in self._answers(w)]
            + list(self._joint_answer(winners)),
            [test for pair in pairs for test in self._systems(pair, winners)],
        )
        return [test for family in families for test in _correct(family)]

    def _best(self, language: str, among: Sequence[str] = (), but: str = "") -> Way | None:
        """Return the best way by dev: of some strategies, or of all but one.

        One that is not usable is only taken where there is no other.
        """
        scores = {
            way: score
            for way, score in self.dev[language].items()
            if (not among or way.strategy in among) and way.strategy != but
        }
        return self._usable_best(language, scores)

    def _usable_best(self, language: str, scores: Mapping[Way, float]) -> Way | None:
        competing = [way for way in scores if strategy_called(way.strategy).transfers]
        usable = [way for way in competing if (language, way) not in self.not_usable]
        return max(usable or competing, key=lambda way: scores[way], default=None)

    def _answers(self, winner: Winner) -> Iterator[WayTest]:
        """Yield the winner against zero-shot, and against the best way of another strategy."""
        language, way, _ = winner
        rivals = [
            self._best(language, among=(ZERO_SHOT,)) if way.strategy != ZERO_SHOT else None,
            self._best(language, but=way.strategy),
        ]
        for rival in dict.fromkeys(rivals):
            if rival is not None:
                difference = self._contrast(language, way, rival)
                yield self._test(ANSWERS, language, (way, rival), difference)

    def _joint_answer(self, winners: Sequence[Winner]) -> Iterator[WayTest]:
        """Yield the winners against zero-shot over all languages, unless they all are zero-shot."""
        places = {
            w.language: (w.way, rival)
            for w in winners
            if (rival := self._best(w.language, among=(ZERO_SHOT,)))
        }
        if len(places) > 1 and any(first != second for first, second in places.values()):
            sides = Way(WINNER, None, None), Way(ZERO_SHOT, None, None)
            yield self._test(ANSWERS, ALL, sides, self._joint(places))

    def _systems(self, pair: tuple[int, int], winners: Sequence[Winner]) -> Iterator[WayTest]:
        """Yield one system against another within each strategy, with the winner's encoder."""
        strategies = {way.strategy for ways in self.found.values() for way in ways}
        for name in sorted(strategies, key=place):
            places = {
                w.language: sides
                for w in winners
                for sides in [tuple(Way(name, s, self._encoder(w)) for s in pair)]
                if all(side in self.found[w.language] for side in sides)
            }
            for language, (first, second) in places.items():
                difference = self._contrast(language, first, second)
                yield self._test(SYSTEMS, language, (first, second), difference)
            if len(places) > 1:
                first, second = (Way(name, system, None) for system in pair)
                yield self._test(SYSTEMS, ALL, (first, second), self._joint(places))

    def _encoder(self, winner: Winner) -> int | None:
        """Return the winner's encoder; of an ensemble over encoders, that of the best other way."""
        ways = {
            way: score
            for way, score in self.dev[winner.language].items()
            if way.encoder is not None
        }
        best = self._usable_best(winner.language, ways)
        return (
            winner.way.encoder if best is None or winner.way.encoder is not None else best.encoder
        )

    def _contrast(self, language: str, first: Way, second: Way) -> Difference:
        runs = self.found[language]
        return contrast(
            runs[first].test,
            runs[second].test,
            self.contest.measure,
            resamples=self.contest.resamples,
            seed=self.contest.seed,
        )

    def _joint(self, places: Mapping[str, Sequence[Way]]) -> Difference:
        """Compare two ways a language over all of them; items are the same by key."""
        sides = [
            _alike([self.found[language][ways[side]].test for language, ways in places.items()])
            for side in (0, 1)
        ]
        return joint_contrast(
            list(zip(*sides, strict=True)),
            self.contest.measure,
            resamples=self.contest.resamples,
            seed=self.contest.seed,
        )

    def _test(
        self, family: str, where: str, sides: tuple[Way, Way], difference: Difference
    ) -> WayTest:
        return WayTest(family, where, *sides, self.contest.metric, **difference._asdict())


def _alike(places: Sequence[Runs]) -> list[Runs]:
    """Return runs whose ids are the items' keys, with the same number of trainings in each place.

    A chosen way may rest on five seeds here and on three trainings there: seeds are then taken
    together to three.
    """
    fewest = min(runs.replicates for runs in places)
    return [
        runs._replace(
            ids=tuple(key.partition(":")[2] for key in runs.ids),
            trainings=runs.trainings
            if runs.replicates == fewest
            else tuple(replicate_of(run, fewest) for run in range(len(runs.tallies))),
        )
        for runs in places
    ]


def _correct(family: Sequence[WayTest]) -> list[WayTest]:
    """Correct the p-values of a family for their number."""
    corrected = holm([test.p for test in family])
    return [test._replace(p=p) for test, p in zip(family, corrected, strict=True)]
