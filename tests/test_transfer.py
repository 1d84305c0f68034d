"""Transfer: where text comes from, which replicate a seed reads, and who wins by which data."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy
import pytest

from models.encoders.ngrams import Ngrams
from models.heads.linear import ClassifierRecipe, LinearLearner
from models.heads.protocol import Examples
from models.support.errors import ContractError
from pipeline.dag import all_stages
from pipeline.reporting.ways import named_contrasts
from pipeline.stages.stage import Stage
from pipeline.stages.transfer import TaskContrasts
from tasks.records import read_records, write_records
from tasks.splitting import PARTS
from tasks.transfer.contests import (
    ALL,
    ANSWERS,
    SYSTEMS,
    WINNER,
    Contest,
    TaskContest,
    Way,
    WayRuns,
    WayTest,
    dev_data,
    load_runs,
    score_way,
)
from tasks.transfer.fitting import (
    PREDICTION_COLUMNS,
    fit_classifiers,
    predict_text,
    seed_folder,
)
from tasks.transfer.kinds import KINDS
from tasks.transfer.strategies import (
    IN_LANGUAGE,
    SOURCE,
    STRATEGIES,
    TRANSLATE_TEST,
    TRANSLATE_TRAIN,
    ZERO_SHOT,
    Route,
    Strategy,
    TextVersion,
)
from tests.conftest import write_experiment

CONTEST = Contest("classification", ("bad", "good"), resamples=200, seed=1)


# Routes


@pytest.mark.parametrize(
    ("strategy", "train", "test"),
    [
        (ZERO_SHOT, "ind", "jav"),
        (TRANSLATE_TRAIN, "ind-jav", "jav"),
        (TRANSLATE_TEST, "ind", "jav-ind"),
        (IN_LANGUAGE, "jav", "jav"),
        (SOURCE, "ind", "ind"),
    ],
)
def test_each_strategy_trains_and_tests_on_its_texts(strategy: str, train: str, test: str) -> None:
    found = STRATEGIES[strategy]
    assert str(found.train.between("ind", "jav")) == train
    assert str(found.test.between("ind", "jav")) == test
    assert found.uses_system == ("-" in train + test)


def test_a_round_trip_is_one_more_entry() -> None:
    there_and_back = Strategy(
        name="round-trip",
        train=Route("hub", ("language", "hub")),
        test=Route("language"),
        about="trained on the hub's text as it comes back from the language",
    )
    text = there_and_back.train.between("ind", "srp_Latn")
    assert text.hops == (("ind", "srp_Latn"), ("srp_Latn", "ind"))
    assert text.language == "ind"
    assert TextVersion.parse(str(text)) == text
    assert there_and_back.uses_system


def test_only_what_needs_no_labelled_text_of_the_language_competes() -> None:
    assert [name for name, strategy in STRATEGIES.items() if strategy.transfers] == [
        ZERO_SHOT,
        TRANSLATE_TRAIN,
        TRANSLATE_TEST,
    ]


# From texts to predictions: a language whose letters the hub does not know

HUB = {"good": ["buku bagus", "hati senang"], "bad": ["buku buruk", "hati sedih"]}
LANGUAGE = {"good": ["अच्छी किताब", "खुश दिल"], "bad": ["बुरी किताब", "दुखी दिल"]}
INTO_HUB = {
    "किताब": "buku",
    "अच्छी": "bagus",
    "बुरी": "buruk",
    "दिल": "hati",
    "खुश": "senang",
    "दुखी": "sedih",
}
FROM_HUB = {hub: word for word, hub in INTO_HUB.items()}
LEARNER = partial(LinearLearner, ClassifierRecipe(seeds=4), partial(Ngrams, words=True))


def write_labelled(
    folder: Path, language: str, sentences: Mapping[str, Sequence[str]], repeats: Mapping[str, int]
) -> Path:
    """Write a labelled set with each sentence so many times a part."""
    folder.mkdir()
    for part in PARTS:
        rows = [
            (label, text)
            for label, texts in sentences.items()
            for text in texts * repeats.get(part, 0)
        ]
        columns = {
            "id": [f"{language}:{part}-{n}" for n in range(len(rows))],
            "text": [text for _, text in rows],
            "label": [label for label, _ in rows],
        }
        write_records(folder / f"{part}.parquet", columns)
    return folder


def translate(labelled: Path, words: Mapping[str, str], folder: Path) -> Path:
    """Write a set's texts as a translation stage would: ids and texts alone."""
    folder.mkdir()
    for file in labelled.glob("*.parquet"):
        records = list(read_records(file))
        texts = [" ".join(words.get(w, w) for w in r["text"].split()) for r in records]
        write_records(folder / file.name, {"id": [r["id"] for r in records], "text": texts})
    return folder


class World:
    """A hub and a language without a letter in common, with their translations."""

    def __init__(self, folder: Path, *, dev: int = 2, train: int = 10) -> None:
        self.folder = folder
        parts = {"train": train, "dev": dev, "test": 3}
        self.hub = write_labelled(folder / "hub", "hub", HUB, parts | {"train": 10, "dev": 2})
        self.language = write_labelled(folder / "language", "language", LANGUAGE, parts)
        self.texts = {
            "hub": [self.hub],
            "language": [self.language],
            "hub-language": [translate(self.hub, FROM_HUB, folder / "hub-language")],
            "language-hub": [translate(self.language, INTO_HUB, folder / "language-hub")],
        }

    def predictions(self, strategy: str) -> Path:
        """Train and test by a strategy; return the file of predictions."""
        found = STRATEGIES[strategy]
        train, test = (route.between("hub", "language") for route in (found.train, found.test))
        sets = {"hub": self.hub, "language": self.language}
        classifiers, out = self.folder / f"{strategy}-fit", self.folder / f"{strategy}.parquet"
        classifiers.mkdir()
        texts = self.texts[str(train)]
        fit_classifiers(LEARNER(), sets[train.of], texts, seeds=4, out=classifiers)
        self.predicted = predict_text(
            LEARNER(), classifiers, sets[test.of], self.texts[str(test)], seeds=4, out=out
        )
        return out

    def score(self, strategy: str) -> float:
        runs = load_runs(self.predictions(strategy), CONTEST, replicates=None)
        return score_way("language", runs, CONTEST, dev_data="")[0].score


def test_translation_helps_where_the_languages_share_no_letter(tmp_path: Path) -> None:
    world = World(tmp_path)
    scores = {strategy: world.score(strategy) for strategy in STRATEGIES}
    assert scores[ZERO_SHOT] < 0.5
    for strategy in (TRANSLATE_TRAIN, TRANSLATE_TEST, IN_LANGUAGE, SOURCE):
        assert scores[strategy] == 1


def test_predictions_hold_every_item_of_dev_and_test_once_a_seed(tmp_path: Path) -> None:
    rows = list(read_records(World(tmp_path).predictions(TRANSLATE_TEST)))
    assert tuple(rows[0]) == PREDICTION_COLUMNS
    keys = [(r["seed"], r["part"], r["id"]) for r in rows]
    expected = {
        (str(seed), part, f"language:{part}-{n}")
        for seed in range(4)
        for part, items in (("dev", 8), ("test", 12))
        for n in range(items)
    }
    assert len(keys) == len(expected)
    assert {*keys} == expected


def test_without_dev_items_the_dev_set_of_the_training_text_is_judged(tmp_path: Path) -> None:
    world = World(tmp_path, dev=0)
    rows = list(read_records(world.predictions(TRANSLATE_TRAIN)))
    assert not world.predicted.own_dev
    assert {r["id"].partition("-")[0] for r in rows} == {"hub:dev", "language:test"}


def test_with_a_test_set_alone_all_but_training_in_the_language_is_done(tmp_path: Path) -> None:
    world = World(tmp_path, dev=0, train=0)
    for strategy in (TRANSLATE_TRAIN, TRANSLATE_TEST, SOURCE):
        assert world.score(strategy) == 1
    assert world.score(ZERO_SHOT) < 0.5
    assert list(read_records(world.predictions(IN_LANGUAGE))) == []
    assert world.predicted == (0, False)


def test_without_any_dev_items_the_training_text_chooses_the_strength(tmp_path: Path) -> None:
    labelled = write_labelled(tmp_path / "hub", "hub", HUB, {"train": 10, "test": 3})
    (tmp_path / "fit").mkdir()
    fit_classifiers(LEARNER(), labelled, [labelled], seeds=2, out=tmp_path / "fit")
    out = tmp_path / "predictions.parquet"
    predicted = predict_text(LEARNER(), tmp_path / "fit", labelled, [labelled], seeds=2, out=out)
    assert predicted == (24, False)
    assert load_runs(out, CONTEST, replicates=None).dev is None


@pytest.mark.parametrize(
    ("strategy", "own_dev", "expected"),
    [
        (ZERO_SHOT, True, "target dev"),
        (TRANSLATE_TEST, True, "target dev"),
        (ZERO_SHOT, False, "source dev"),
        (TRANSLATE_TEST, False, "source dev"),
        (TRANSLATE_TRAIN, False, "translated dev"),
        (SOURCE, True, "source dev"),
    ],
)
def test_the_dev_data_have_a_name(strategy: str, own_dev: bool, expected: str) -> None:
    assert dev_data(STRATEGIES[strategy], own_dev=own_dev) == expected


def test_a_text_of_other_items_is_refused(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.texts["hub"] = [world.language]
    with pytest.raises(ContractError, match="lost"):
        world.predictions(ZERO_SHOT)


class Echo:
    """A learner whose classifiers answer with their first training text and what they are asked."""

    def fit(self, train: Examples, dev: Examples, seed: int) -> "EchoClassifier":
        return EchoClassifier(train.inputs[0])

    def chosen(self, train: Examples, dev: Examples) -> dict[str, Any]:
        return {"word": train.inputs[0]}

    def load(self, folder: Path) -> "EchoClassifier":
        return EchoClassifier((folder / "word").read_text())


class EchoClassifier:
    def __init__(self, word: str) -> None:
        self.word = word

    def predict(self, inputs: Any) -> list[str]:
        return [f"{self.word}/{text}" for text in inputs]

    def save(self, folder: Path) -> None:
        folder.mkdir()
        (folder / "word").write_text(self.word)


def test_seed_s_reads_the_translations_by_replicate_s_modulo_their_number(tmp_path: Path) -> None:
    labelled = write_labelled(tmp_path / "set", "x", {"good": ["w"]}, dict.fromkeys(PARTS, 1))
    made = [translate(labelled, {"w": f"r{n}"}, tmp_path / f"r{n}") for n in range(3)]
    classifiers = tmp_path / "classifiers"
    classifiers.mkdir()
    chosen = fit_classifiers(Echo(), labelled, made, seeds=5, out=classifiers)
    assert chosen == [{"word": "r0"}, {"word": "r1"}, {"word": "r2"}]
    predict_text(
        Echo(), classifiers, labelled, made[:2], seeds=5, out=tmp_path / "predictions.parquet"
    )
    rows = read_records(tmp_path / "predictions.parquet")
    found = {r["seed"]: r["predicted"] for r in rows if r["part"] == "test"}
    assert [found[str(seed)] for seed in range(5)] == ["r0/r0", "r1/r1", "r2/r0", "r0/r1", "r1/r0"]
    assert seed_folder(classifiers, 4).is_dir()


# Files of predictions


def write_predictions(path: Path, rows: Sequence[tuple[str, str, str, str, str]]) -> Path:
    write_records(path, dict(zip(PREDICTION_COLUMNS, zip(*rows, strict=True), strict=True)))
    return path


ROW = ("jav:1", "test", "0", "good", "bad")


def test_runs_of_a_file_are_its_seeds_and_rest_on_their_replicates(tmp_path: Path) -> None:
    rows = [("jav:1", "test", str(seed), "good", "good") for seed in (0, 1, 10, 2, 3)]
    runs = load_runs(write_predictions(tmp_path / "p", rows), CONTEST, replicates=3)
    assert runs.dev is None
    assert runs.test.trainings == (0, 1, 2, 0, 1)  # seeds 0, 1, 2, 3, 10
    assert load_runs(tmp_path / "p", CONTEST, replicates=None).test.trainings is None


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([ROW, ROW], "'jav:1' stands there twice"),
        ([ROW, ("jav:1", "test", "1", "bad", "bad")], "'jav:1' stands there twice"),
        ([ROW, ("jav:1", "test", "1", "good", "bad"), ("jav:2", "test", "1", "bad", "bad")],
         "seed 0 lacks 1 of 2"),
        ([("jav:1", "dev", "0", "good", "bad")], "no prediction of a test item"),
        ([("jav:1", "test", "0", "good", "so-so")], "no class 'so-so'"),
    ],
    ids=["repeated", "other gold", "missing", "no test", "unknown class"],
)  # fmt: skip
def test_predictions_that_do_not_add_up_are_refused(
    rows: list[tuple[str, str, str, str, str]], message: str, tmp_path: Path
) -> None:
    with pytest.raises(ContractError, match=message):
        load_runs(write_predictions(tmp_path / "p", rows), CONTEST, replicates=None)


def test_an_item_may_stand_in_dev_and_in_test(tmp_path: Path) -> None:
    rows = [("jav:1", part, "0", "good", "good") for part in ("dev", "test")]
    runs = load_runs(write_predictions(tmp_path / "p", rows), CONTEST, replicates=None)
    assert runs.dev is not None
    assert runs.dev.ids == runs.test.ids


def test_the_kind_of_task_measures_what_it_says() -> None:
    kind = KINDS["classification"]
    tally = kind.tally(
        ["good", "good", "good", "bad"], [["good", "good", "good", "good"]], ["bad", "good"]
    )
    scores = {name: float(measure(tally.sum(1))[0]) for name, measure in kind.measures.items()}
    assert scores == {"macro-F1": pytest.approx(3 / 7), "accuracy": 0.75}


# Contests

ITEMS = 80
ZERO, TRAIN, TEST, TEST_BY_OTHER = (
    Way(ZERO_SHOT, None, 0),
    Way(TRANSLATE_TRAIN, 0, 0),
    Way(TRANSLATE_TEST, 0, 0),
    Way(TRANSLATE_TEST, 1, 0),
)


def way_runs(
    path: Path, *, dev: float | None, test: float, seed: int, replicates: int | None, language: str
) -> WayRuns:
    """Return runs of four seeds that are right so often on dev and test."""
    random = numpy.random.default_rng(seed)
    rows = []
    for part, share in (("dev", dev), ("test", test)):
        for run in range(4):
            for n in range(ITEMS if share is not None else 0):
                gold = ("good", "bad")[n % 2]
                right = random.random() < (share or 0)
                predicted = gold if right else ("bad", "good")[n % 2]
                rows.append((f"{language}:{n}", part, str(run), gold, predicted))
    return load_runs(write_predictions(path, rows), CONTEST, replicates=replicates)


Shares = Mapping[Way, tuple[float | None, float]]


def contest(folder: Path, languages: Mapping[str, Shares]) -> TaskContest:
    """Return a contest of ways that are right on so great a share of dev and test."""
    found = {
        language: {
            way: way_runs(
                folder / f"{language}-{n}",
                dev=dev,
                test=test,
                seed=n,
                replicates=None if way.system is None else 2,
                language=language,
            )
            for n, (way, (dev, test)) in enumerate(ways.items())
        }
        for language, ways in languages.items()
    }
    return TaskContest(found, CONTEST)


def family(tests: Sequence[WayTest], name: str) -> list[tuple[str, Way, Way]]:
    return [(test.where, test.first, test.second) for test in tests if test.family == name]


def test_the_winner_is_chosen_on_dev_and_not_on_test(tmp_path: Path) -> None:
    found = contest(tmp_path, {"jav": {ZERO: (0.6, 0.95), TEST: (0.9, 0.7), TRAIN: (0.8, 0.99)}})
    (winner,) = found.winners()
    assert winner.way == TEST
    assert winner.dev == pytest.approx(0.9, abs=0.05)
    tests = found.tests([])
    assert family(tests, ANSWERS) == [("jav", TEST, ZERO), ("jav", TEST, TRAIN)]
    assert all(test.difference < 0 for test in tests)  # nobody looked at test to choose


def test_a_way_whose_text_is_not_usable_never_wins_while_there_is_another(tmp_path: Path) -> None:
    ways = {ZERO: (0.6, 0.6), TEST: (0.95, 0.9), TRAIN: (0.8, 0.8)}
    found = contest(tmp_path, {"jav": ways}).found
    dead = TaskContest(found, CONTEST, not_usable={("jav", TEST)})
    assert [w.way for w in dead.winners()] == [TRAIN]
    assert family(dead.tests([]), ANSWERS) == [("jav", TRAIN, ZERO)]
    elsewhere = TaskContest(found, CONTEST, not_usable={("sun", TEST)})
    assert [w.way for w in elsewhere.winners()] == [TEST]
    none_left = TaskContest(found, CONTEST, not_usable={("jav", way) for way in ways})
    assert [w.way for w in none_left.winners()] == [TEST]


def test_the_winner_is_still_held_against_translation_that_is_not_usable(tmp_path: Path) -> None:
    found = contest(tmp_path, {"jav": {ZERO: (0.6, 0.6), TEST: (0.95, 0.9)}}).found
    dead = TaskContest(found, CONTEST, not_usable={("jav", TEST)})
    assert family(dead.tests([]), ANSWERS) == [("jav", ZERO, TEST)]


def test_training_in_the_language_is_no_competitor(tmp_path: Path) -> None:
    bound = Way(IN_LANGUAGE, None, 0)
    found = contest(tmp_path, {"jav": {bound: (0.99, 0.99), ZERO: (0.6, 0.6), TEST: (0.8, 0.8)}})
    assert [winner.way for winner in found.winners()] == [TEST]
    assert family(found.tests([]), ANSWERS) == [("jav", TEST, ZERO)]


def test_rivals_are_the_best_by_dev_of_their_strategies(tmp_path: Path) -> None:
    weak, strong = ZERO._replace(encoder=1), ZERO
    found = contest(
        tmp_path,
        {"jav": {weak: (0.55, 0.99), strong: (0.7, 0.6), TRAIN: (0.6, 0.9), TEST: (0.95, 0.9)}},
    )
    assert family(found.tests([]), ANSWERS) == [("jav", TEST, strong)]


def test_where_zero_shot_wins_it_is_held_against_the_best_translation(tmp_path: Path) -> None:
    found = contest(tmp_path, {"jav": {ZERO: (0.9, 0.9), TEST: (0.7, 0.7), TRAIN: (0.6, 0.6)}})
    (test,) = found.tests([])
    assert (test.first, test.second) == (ZERO, TEST)
    assert test.p is not None
    assert test.p < 0.05
    assert test.mdd > 0


def test_systems_are_compared_within_a_strategy_and_with_the_winners_encoder(
    tmp_path: Path,
) -> None:
    ways: Shares = {
        ZERO: (0.5, 0.5),
        TEST: (0.7, 0.7),
        TEST_BY_OTHER: (0.7, 0.7),
        **{way._replace(encoder=1): (0.9, 0.9) for way in (TEST, TEST_BY_OTHER, TRAIN)},
    }
    found = contest(tmp_path, {"jav": ways})
    (winner,) = found.winners()
    assert winner.way.encoder == 1
    first, second = (way._replace(encoder=1) for way in (TEST_BY_OTHER, TEST))
    assert family(found.tests([(1, 0)]), SYSTEMS) == [("jav", first, second)]


def test_over_all_languages_shared_items_count_once_and_the_better_places_are_counted(
    tmp_path: Path,
) -> None:
    ways: Shares = {ZERO: (0.5, 0.5), TEST: (0.7, 0.9), TEST_BY_OTHER: (0.6, 0.6)}
    found = contest(tmp_path, {"jav": ways, "sun": ways, "min": {**ways, ZERO: (0.9, 0.9)}})
    joint = [test for test in found.tests([(0, 1)]) if test.where == ALL]
    answer, systems = joint
    assert (answer.first, answer.second) == (Way(WINNER, None, None), Way(ZERO_SHOT, None, None))
    assert answer.better == (2, 3)  # in min, zero-shot is its own winner
    assert (systems.first, systems.second) == (
        TEST._replace(encoder=None),
        TEST_BY_OTHER._replace(encoder=None),
    )
    assert systems.better == (3, 3)
    assert systems.difference == pytest.approx(0.3, abs=0.06)


def test_p_values_are_corrected_within_a_family_alone(tmp_path: Path) -> None:
    ways: Shares = {
        ZERO: (0.5, 0.7),
        TEST: (0.9, 0.75),
        TRAIN: (0.7, 0.7),
        TEST_BY_OTHER: (0.6, 0.7),
    }
    found = contest(tmp_path, {"jav": ways})
    alone, together = found.tests([]), found.tests([(0, 1)])
    assert alone == [test for test in together if test.family == ANSWERS]
    raw = [found._contrast("jav", TEST, rival).p or 0 for rival in (ZERO, TRAIN)]
    assert min(test.p or 0 for test in alone) == pytest.approx(min(1, 2 * min(raw)))


def test_without_any_dev_data_nothing_is_chosen(tmp_path: Path) -> None:
    found = contest(tmp_path, {"jav": {ZERO: (None, 0.9), TEST: (None, 0.7)}})
    assert found.winners() == []
    assert found.tests([(0, 1)]) == []


def test_a_score_tells_dev_and_test_apart(tmp_path: Path) -> None:
    runs = way_runs(tmp_path / "p", dev=1.0, test=0.5, seed=1, replicates=2, language="jav")
    macro, accuracy = score_way("jav", runs, CONTEST, dev_data="target dev")
    assert macro.metric == "macro-F1"
    assert macro.dev == 1
    assert macro.low < macro.score < macro.high
    assert (macro.n, macro.seeds, macro.dev_data) == (ITEMS, 4, "target dev")
    assert macro.spread is not None
    assert accuracy.metric == "accuracy"


# Stages

TRANSFER: dict[str, Any] = {
    "encoders": {"letters": {"kind": "ngrams"}, "states": {"kind": "nmt"}},
    "classifier": {"seeds": 2, "strengths": [4.0]},
}
SYSTEMS_WRITTEN: dict[str, Any] = {
    "gloss": {"kind": "gloss"},
    "base": {"kind": "trained", "replicates": 3},
    "bt": {"like": "base", "synthetic": [{"by": "base"}]},
}


def experiment(folder: Path, **changes: object) -> str:
    fields = {"systems": SYSTEMS_WRITTEN, "transfer": TRANSFER, **changes}
    return str(write_experiment(folder, ("sis", "cou"), **fields))


def stages_of(path: str) -> dict[str, Stage[Any]]:
    """Return the stages of an experiment by kind and label."""
    return {stage.title: stage for stage in all_stages(path)}


def places(stages: Mapping[str, Stage[Any]], *kinds: str) -> set[str]:
    return {stage.place.key for stage in stages.values() if type(stage).__name__ in kinds}


JUDGED = ("EncodedText", "Classifiers", "Predictions", "TaskScores", "TextHealth", "TaskContrasts")


def test_classifiers_of_the_hubs_text_are_fitted_once(tmp_path: Path, store: Path) -> None:
    stages = stages_of(experiment(tmp_path))
    on_hub = [title for title in stages if title.startswith("Classifiers stance-hub-letters")]
    assert on_hub == ["Classifiers stance-hub-letters"]
    for way in ("zero-shot-sis", "zero-shot-cou", "translate-test-sis-bt", "source-hub"):
        needed = stages[f"Predictions stance-{way}-letters"].inputs["classifiers"]
        assert needed == [stages[on_hub[0]]]


def test_no_more_replicates_are_read_than_there_are_seeds(tmp_path: Path, store: Path) -> None:
    stages = stages_of(experiment(tmp_path))
    texts = stages["Classifiers stance-hub-sis-base-states"].inputs["texts"]
    assert [stage.label() for stage in texts] == [f"stance-hub-sis-{n}-base-states" for n in (1, 2)]


def test_names_of_systems_and_encoders_and_their_order_decide_nothing(
    tmp_path: Path, store: Path
) -> None:
    renamed = {
        "second": {"like": "first", "synthetic": [{"by": "first"}]},
        "first": {"kind": "trained", "replicates": 3},
        "words": {"kind": "gloss"},
    }
    encoders = {"b": {"kind": "nmt", "system": "second"}, "a": {"kind": "ngrams"}}
    before = stages_of(experiment(tmp_path / "one"))
    after = stages_of(
        experiment(tmp_path / "two", systems=renamed, transfer=TRANSFER | {"encoders": encoders})
    )
    assert places(before, *JUDGED) == places(after, *JUDGED)


def test_a_further_system_scores_no_old_one_again(tmp_path: Path, store: Path) -> None:
    named = {"letters": {"kind": "ngrams"}, "states": {"kind": "nmt", "system": "bt"}}
    before = stages_of(experiment(tmp_path / "one"))
    more = {**SYSTEMS_WRITTEN, "again": {"like": "bt", "synthetic": [{"by": "bt"}]}}
    after = stages_of(
        experiment(tmp_path / "two", systems=more, transfer=TRANSFER | {"encoders": named})
    )
    judged = JUDGED[:-1]
    assert places(before, *judged) < places(after, *judged)
    assert places(before, "TaskContrasts") != places(after, "TaskContrasts")


def test_figures_bear_the_names_that_the_experiment_gives(tmp_path: Path, store: Path) -> None:
    contrasts = TaskContrasts(experiment=experiment(tmp_path), task="stance")
    spec, names = contrasts.spec(), contrasts.names
    assert {names.systems[first] for first, _ in spec.pairs} == {"bt"}
    assert {names.of(way) for way in spec.ways} >= {
        "zero-shot, letters",
        "translate-test (bt), letters",
        "translate-train (gloss), states",
    }
    test = {
        "family": SYSTEMS, "where": ALL, "first": [TRANSLATE_TEST, 0, None],
        "second": [TRANSLATE_TEST, 1, None], "metric": "macro-F1", "difference": 0.1, "low": 0.0,
        "high": 0.2, "p": None, "mdd": 0.14, "better": [2, 2],
    }  # fmt: skip
    (named,) = named_contrasts("stance", names, [test])
    assert named.first == f"translate-test ({names.systems[0]})"
    assert (named.where, named.better, named.p) == ("stance/all", "2 of 2", None)
