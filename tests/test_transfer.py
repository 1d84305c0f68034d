"""Transfer: where text comes from, which replicate a seed reads, and who wins by which data."""

from collections import Counter
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
from tasks.records import RecordWriter, read_records, write_records
from tasks.splitting import PARTS
from tasks.transfer.catalogue import place, strategy_called, translated
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
    load_runs,
    score_way,
)
from tasks.transfer.ensembles import combine
from tasks.transfer.fitting import (
    PREDICTION_COLUMNS,
    SeenText,
    fit_classifiers,
    predict_text,
    seed_folder,
)
from tasks.transfer.kinds import KINDS
from tasks.transfer.shots import draw_shots, repeats
from tasks.transfer.strategies import (
    IN_LANGUAGE,
    SOURCE,
    STRATEGIES,
    TRANSLATE_TEST,
    TRANSLATE_TRAIN,
    ZERO_SHOT,
    Strategy,
)
from tasks.transfer.texts import Mixture, TextVersion
from tests.conftest import write_experiment

CONTEST = Contest("classification", ("bad", "good"), resamples=200, seed=1)


# Routes


@pytest.mark.parametrize(
    ("strategy", "train", "test", "own_dev"),
    [
        (ZERO_SHOT, "ind", "jav", {"ind": "source dev"}),
        (TRANSLATE_TRAIN, "ind-jav", "jav", {"ind-jav": "translated dev"}),
        (
            "translate-train+hub",
            "ind+ind-jav",
            "jav",
            {"ind": "source dev", "ind-jav": "translated dev"},
        ),
        (
            "translate-train-all",
            "ind+ind-jav+ind-srp_Latn",
            "jav",
            {"ind": "source dev", "ind-jav": "translated dev"},
        ),
        (TRANSLATE_TEST, "ind", "jav-ind", {"ind": "source dev"}),
        ("round-trip", "ind-jav-ind", "jav-ind", {"ind-jav-ind": "translated dev"}),
        (IN_LANGUAGE, "jav", "jav", {}),
        (SOURCE, "ind", "ind", {}),
        ("few-shot-8", "jav@8", "jav", {}),
        ("few-shot-32+hub", "ind+jav@32", "jav", {"ind": "source dev"}),
    ],
)
def test_each_strategy_trains_chooses_and_tests_on_its_texts(
    strategy: str, train: str, test: str, own_dev: dict[str, str]
) -> None:
    found = strategy_called(strategy)
    assert isinstance(found, Strategy)
    assert found.name == strategy
    training = found.training_text("ind", "jav", ["srp_Latn", "jav"])
    tested = found.test.between("ind", "jav")
    assert (str(training), str(tested)) == (train, test)
    assert Mixture.parse(train) == training
    assert dict(found.own_dev(training, tested)) == own_dev
    assert found.uses_system == ("-" in train + test)


def test_a_round_trip_is_translated_there_and_back() -> None:
    found = STRATEGIES["round-trip"]
    assert found.hops("ind", "srp_Latn") == [("ind", "srp_Latn"), ("srp_Latn", "ind")]
    (text,) = found.training_text("ind", "srp_Latn", []).versions
    assert text.language == "ind"


def test_only_what_needs_no_labelled_text_of_the_language_competes() -> None:
    names = [IN_LANGUAGE, SOURCE, "few-shot-8", "few-shot-8+hub"]
    assert not any(strategy_called(name).transfers for name in names)
    others = STRATEGIES.keys() - {*names}
    assert all(STRATEGIES[name].transfers for name in others)
    mean = f"ensemble of {TRANSLATE_TRAIN} by gloss and "
    assert strategy_called(mean + TRANSLATE_TEST).transfers
    assert not strategy_called(mean + IN_LANGUAGE).transfers


def test_strategies_stand_in_their_own_order_then_ensembles_then_few_shots() -> None:
    mean = f"ensemble of {TRANSLATE_TRAIN} and {TRANSLATE_TEST}"
    shots = ["few-shot-128", "few-shot-8+hub", "few-shot-8"]
    names = [*shots, SOURCE, mean, TRANSLATE_TEST, ZERO_SHOT]
    assert sorted(names, key=place) == [
        ZERO_SHOT,
        TRANSLATE_TEST,
        SOURCE,
        mean,
        *reversed(shots),
    ]


def test_an_ensemble_translates_with_the_system_of_the_way_and_those_of_its_members() -> None:
    name = f"ensemble of {TRANSLATE_TRAIN} by gloss and {TRANSLATE_TEST}"
    assert translated(name, "bt", hub="ind", language="jav") == [
        ("gloss", ("ind", "jav")),
        ("bt", ("jav", "ind")),
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
            "hub-language-hub": [self.hub],
        }

    def predictions(self, name: str, *, seeds: int = 4) -> Path:
        """Train and test by a strategy; return the file of predictions."""
        strategy = strategy_called(name)
        assert isinstance(strategy, Strategy)
        training = strategy.training_text("hub", "language", ["language"])
        test = strategy.test.between("hub", "language")
        classifiers, out = self.folder / f"{name}-fit", self.folder / f"{name}.parquet"
        classifiers.mkdir()
        self.fitted = fit_classifiers(
            LEARNER(),
            [self.seen(version) for version in training.versions],
            labels=CONTEST.labels,
            seeds=seeds,
            out=classifiers,
        )
        self.items = predict_text(
            LEARNER(),
            classifiers,
            self.seen(test),
            dev_data=strategy.test_dev,
            own_dev=strategy.own_dev(training, test),
            labels=CONTEST.labels,
            seeds=seeds,
            out=out,
        )
        return out

    def seen(self, version: TextVersion) -> SeenText:
        sets = {"hub": self.hub, "language": self.language}
        return SeenText(sets[version.of], self.texts[str(version.whole)], version)

    def score(self, strategy: str) -> float:
        runs = load_runs(self.predictions(strategy), CONTEST, replicates=None)
        return score_way("language", runs, CONTEST)[0].score


def test_translation_helps_where_the_languages_share_no_letter(tmp_path: Path) -> None:
    world = World(tmp_path)
    scores = {strategy: world.score(strategy) for strategy in STRATEGIES}
    assert scores.pop(ZERO_SHOT) < 0.5
    assert scores == dict.fromkeys(scores, 1)


def test_predictions_hold_every_item_of_dev_and_test_once_a_seed(tmp_path: Path) -> None:
    rows = list(read_records(World(tmp_path).predictions(TRANSLATE_TEST)))
    assert tuple(rows[0]) == (*PREDICTION_COLUMNS, "p(bad)", "p(good)")
    keys = [(r["seed"], r["part"], r["id"]) for r in rows]
    expected = {
        (str(seed), part, f"{of}-{n}")
        for seed in range(4)
        for part, of, items in (
            ("target dev", "language:dev", 8),
            ("source dev", "hub:dev", 8),
            ("test", "language:test", 12),
        )
        for n in range(items)
    }
    assert len(keys) == len(expected)
    assert {*keys} == expected


def test_probabilities_are_those_of_the_class_that_is_predicted(tmp_path: Path) -> None:
    for row in read_records(World(tmp_path).predictions(TRANSLATE_TEST)):
        assert row["p(bad)"] + row["p(good)"] == pytest.approx(1)
        assert row[f"p({row['predicted']})"] > 0.5


def test_without_dev_items_the_dev_set_of_the_training_text_is_judged(tmp_path: Path) -> None:
    world = World(tmp_path, dev=0)
    rows = list(read_records(world.predictions(TRANSLATE_TRAIN)))
    assert {(r["part"], r["id"].partition("-")[0]) for r in rows} == {
        ("translated dev", "hub:dev"),
        ("test", "language:test"),
    }


def test_with_a_test_set_alone_all_but_training_in_the_language_is_done(tmp_path: Path) -> None:
    world = World(tmp_path, dev=0, train=0)
    for strategy in (TRANSLATE_TRAIN, TRANSLATE_TEST, SOURCE):
        assert world.score(strategy) == 1
    assert world.score(ZERO_SHOT) < 0.5
    assert list(read_records(world.predictions(IN_LANGUAGE))) == []
    assert world.items == 0
    assert world.fitted.missing == "there is no training item"


def test_without_any_dev_items_the_training_text_chooses_the_strength(tmp_path: Path) -> None:
    labelled = write_labelled(tmp_path / "hub", "hub", HUB, {"train": 10, "test": 3})
    (tmp_path / "fit").mkdir()
    seen = SeenText(labelled, [labelled], TextVersion("hub"))
    labels, out = CONTEST.labels, tmp_path / "predictions.parquet"
    fit_classifiers(LEARNER(), [seen], labels=labels, seeds=2, out=tmp_path / "fit")
    fields: dict[str, Any] = {"dev_data": "source dev", "own_dev": (), "labels": labels}
    items = predict_text(LEARNER(), tmp_path / "fit", seen, **fields, seeds=2, out=out)
    assert items == 24
    assert load_runs(out, CONTEST, replicates=None).dev is None


def test_few_shots_are_drawn_anew_by_every_seed_and_the_same_for_every_encoder(
    tmp_path: Path,
) -> None:
    ids, labels = [str(n) for n in range(300)], ["good", "bad", "bad"] * 100
    draws = [draw_shots(ids, labels, 8, draw=seed) for seed in range(10)]
    assert all(Counter(labels[n] for n in draw) == {"good": 8, "bad": 8} for draw in draws)
    assert len({tuple(draw) for draw in draws}) == 10
    assert {*draws[3]} < {*draw_shots(ids, labels, 32, draw=3)}
    world = World(tmp_path, train=10)
    assert world.score("few-shot-8") == 1
    assert world.score("few-shot-8+hub") == 1
    assert load_runs(tmp_path / "few-shot-8.parquet", CONTEST, replicates=None).dev_data == (
        "target dev"
    )


def test_shots_weigh_as_much_as_the_text_beside_them() -> None:
    assert repeats(16, 400) == 25
    assert repeats(16, 0) == 1
    assert repeats(512, 400) == 1


def test_more_shots_than_there_are_labels_leave_the_strategy_out_and_say_why(
    tmp_path: Path,
) -> None:
    world = World(tmp_path, train=10)
    assert list(read_records(world.predictions("few-shot-32"))) == []
    assert world.fitted.missing == "class bad has 20 training items, 32 are asked for"


# Ensembles


def test_an_ensemble_is_the_mean_of_what_its_members_think(tmp_path: Path) -> None:
    columns = (*PREDICTION_COLUMNS, "p(bad)", "p(good)")

    def member(name: str, rows: Sequence[tuple[Any, ...]]) -> Path:
        with RecordWriter(tmp_path / name, columns[:5], columns[5:]) as writer:
            for row in rows:
                writer.write(dict(zip(columns, row, strict=True)))
        return tmp_path / name

    first = member("a", [("x:1", "test", "0", "bad", "bad", 0.6, 0.4),
                         ("x:2", "test", "0", "good", "bad", 0.6, 0.4),
                         ("d:1", "source dev", "0", "good", "good", 0.2, 0.8)])  # fmt: skip
    second = member("b", [("x:2", "test", "0", "good", "good", 0.1, 0.9),
                          ("x:1", "test", "0", "bad", "good", 0.45, 0.55),
                          ("d:1", "translated dev", "0", "good", "bad", 0.9, 0.1)])  # fmt: skip
    assert combine([first, second], labels=CONTEST.labels, out=tmp_path / "mean") == 3
    found = {r["id"]: r for r in read_records(tmp_path / "mean")}
    assert {key: r["predicted"] for key, r in found.items()} == {
        "x:1": "bad",
        "x:2": "good",
        "d:1": "bad",
    }
    assert found["x:1"]["p(bad)"] == pytest.approx(0.525)
    assert found["d:1"]["part"] == "source dev"  # the lesser of the two
    other = member("c", [("x:1", "test", "0", "bad", "bad", 0.6, 0.4)])
    with pytest.raises(ContractError, match="do not agree on their test items"):
        combine([first, other], labels=CONTEST.labels, out=tmp_path / "mean")


def test_a_text_of_other_items_is_refused(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.texts["hub"] = [world.language]
    with pytest.raises(ContractError, match="lost"):
        world.predictions(ZERO_SHOT)


class Echo:
    """A learner whose classifiers answer with the first word that they were trained on."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []

    def fit(self, train: Examples, dev: Examples, seed: int) -> "EchoClassifier":
        return EchoClassifier(train.inputs[0], self.asked)

    def chosen(self, train: Examples, dev: Examples) -> dict[str, Any]:
        return {"word": train.inputs[0]}

    def load(self, folder: Path) -> "EchoClassifier":
        return EchoClassifier((folder / "word").read_text(), self.asked)


class EchoClassifier:
    classes = ("r0", "r1", "r2")

    def __init__(self, word: str, asked: list[tuple[str, str]]) -> None:
        self.word, self.asked = word, asked

    def probabilities(self, inputs: Any) -> numpy.ndarray:
        self.asked.append((self.word, inputs[0]))
        return numpy.array([[word == self.word for word in self.classes]] * len(inputs), float)

    def save(self, folder: Path) -> None:
        folder.mkdir()
        (folder / "word").write_text(self.word)


def test_seed_s_reads_the_translations_by_replicate_s_modulo_their_number(tmp_path: Path) -> None:
    labelled = write_labelled(tmp_path / "set", "x", {"r0": ["w"]}, dict.fromkeys(PARTS, 1))
    made = [translate(labelled, {"w": f"r{n}"}, tmp_path / f"r{n}") for n in range(3)]
    classifiers, labels = tmp_path / "classifiers", EchoClassifier.classes
    classifiers.mkdir()
    trained = SeenText(labelled, made, TextVersion("x", ("y",)))
    fitted = fit_classifiers(Echo(), [trained], labels=labels, seeds=5, out=classifiers)
    assert fitted.chosen == [{"word": "r0"}, {"word": "r1"}, {"word": "r2"}]
    echo, out = Echo(), tmp_path / "predictions.parquet"
    tested = SeenText(labelled, made[:2], TextVersion("x", ("y",)))
    fields: dict[str, Any] = {"dev_data": "target dev", "own_dev": (), "labels": labels}
    predict_text(echo, classifiers, tested, **fields, seeds=5, out=out)
    assert echo.asked[::2] == [("r0", "r0"), ("r1", "r1"), ("r2", "r0"), ("r0", "r1"), ("r1", "r0")]
    found = {r["seed"]: r["predicted"] for r in read_records(out) if r["part"] == "test"}
    assert [found[str(seed)] for seed in range(5)] == ["r0", "r1", "r2", "r0", "r1"]
    assert seed_folder(classifiers, 4).is_dir()


# Files of predictions


def write_predictions(path: Path, rows: Sequence[tuple[str, str, str, str, str]]) -> Path:
    columns = zip(*rows, strict=True)
    write_records(path, dict(zip(PREDICTION_COLUMNS, columns, strict=True)))
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
        ([("jav:1", "target dev", "0", "good", "bad")], "no prediction of a test item"),
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
    rows = [("jav:1", part, "0", "good", "good") for part in ("target dev", "test")]
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
    for part, share in (("target dev", dev), ("test", test)):
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


def test_each_kind_of_dev_data_chooses_by_itself(tmp_path: Path) -> None:
    def runs(name: str, **shares: float) -> WayRuns:
        rows = [
            (f"{data}:{n}", data.replace("_", " "), "0", "good", "good" if n < share else "bad")
            for data, share in shares.items()
            for n in range(10)
        ]
        return load_runs(write_predictions(tmp_path / name, rows), CONTEST, replicates=None)

    found = {
        ZERO: runs("zero", target_dev=5, source_dev=9, test=4),
        TRAIN: runs("train", target_dev=6, translated_dev=8, test=6),
        TEST: runs("test", target_dev=8, source_dev=7, test=7),
        Way(IN_LANGUAGE, None, 0): runs("own", target_dev=10, test=10),
    }
    selections = TaskContest({"jav": found}, CONTEST).selections()
    assert [(s.by, s.way) for s in selections] == [
        ("source dev", ZERO),
        ("translated dev", ZERO),
        ("target dev", TEST),
    ]
    without = {
        way: r._replace(devs={"target dev": r.devs["target dev"]}) for way, r in found.items()
    }
    assert [s.by for s in TaskContest({"jav": without}, CONTEST).selections()] == ["target dev"]


def test_a_score_tells_dev_and_test_apart(tmp_path: Path) -> None:
    runs = way_runs(tmp_path / "p", dev=1.0, test=0.5, seed=1, replicates=2, language="jav")
    macro, accuracy = score_way("jav", runs, CONTEST)
    assert macro.metric == "macro-F1"
    assert macro.dev == 1
    assert macro.low < macro.score < macro.high
    assert (macro.n, macro.seeds, macro.dev_data) == (ITEMS, 4, "target dev")
    assert macro.spread is not None
    assert accuracy.metric == "accuracy"


# Stages

TRANSFER: dict[str, Any] = {
    "strategies": [*STRATEGIES],
    "few_shot": {"shots": [2], "draws": 3},
    "ensembles": [[TRANSLATE_TRAIN, TRANSLATE_TEST]],
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


JUDGED = (
    "EncodedText",
    "Classifiers",
    "Predictions",
    "EnsemblePredictions",
    "TaskScores",
    "TextHealth",
    "TaskContrasts",
)


def test_classifiers_of_the_hubs_text_are_fitted_once(tmp_path: Path, store: Path) -> None:
    stages = stages_of(experiment(tmp_path))
    on_hub = [title for title in stages if title.startswith("Classifiers stance-hub-letters")]
    assert on_hub == ["Classifiers stance-hub-letters"]
    for way in ("zero-shot-sis", "zero-shot-cou", "translate-test-sis-bt", "source-hub"):
        needed = stages[f"Predictions stance-{way}-letters"].inputs["classifiers"]
        assert needed == [stages[on_hub[0]]]


def test_no_more_replicates_are_read_than_there_are_seeds(tmp_path: Path, store: Path) -> None:
    stages = stages_of(experiment(tmp_path))
    texts = stages["Classifiers stance-hub-sis-base-states"].inputs["texts hub-sis"]
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
