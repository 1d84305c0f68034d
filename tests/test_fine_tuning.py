"""Fine-tuning: it learns, the same each time, also after a kill and with little memory."""

import ctypes
import importlib.util
import json
import os
import re
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch
from safetensors import safe_open
from transformers import AutoModel

from models.encoders.fine_tuning import FineTuning, Lora
from models.encoders.pretrained.spec import PretrainedSpec
from models.heads.fine_tuning.classifier import SAID, WEIGHTS
from models.heads.fine_tuning.learner import FineTuningLearner, groups_of_network
from models.heads.fine_tuning.network import Network
from models.heads.linear import ClassifierRecipe
from models.heads.protocol import Examples, Site
from models.support.batches import parts_of
from models.support.errors import OutOfMemoryError, SourceError, SpecError
from models.tuning import computing, training
from models.tuning.batches import plan_updates
from models.tuning.body import CutPieces, load_body
from models.tuning.computing import KERNELS
from models.tuning.optimizer import FlatAdamW, rate_share
from pipeline.dag import all_stages
from pipeline.specs.loading import load_experiment
from pipeline.stages.classifiers import Classifiers, Predictions
from pipeline.stages.encoding import EncodedText
from pipeline.stages.pretrained import PretrainedEncoder
from pipeline.stages.stage import canonical_spec
from tasks.records import read_records, write_records
from tasks.transfer.fitting import SeenText, fit_classifiers, predict_text
from tasks.transfer.learners import learner as learner_of
from tasks.transfer.texts import TextVersion
from tests.conftest import write_experiment
from tests.encoder_folders import write_encoder

GOOD, BAD, DULL = (
    ("apik", "बढ़िया", "хорошо"),
    ("ala", "खराब", "плохо"),
    ("buku", "किताब", "дом", "lan"),
)
NEVER = "tresna"
WORDS = (*GOOD, *BAD, *DULL, NEVER)
RECIPE = FineTuning(
    body_rate=1e-2, head_rate=3e-2, batch=8, epochs=6, least_updates=1, precision="fp32"
)


def reviews(number: int, seed: int) -> Examples:
    """Return texts of one telling word among others."""
    draw = numpy.random.default_rng(seed)
    texts, labels = [], []
    for item in range(number):
        label = ("bad", "good")[item % 2]
        words = list(draw.choice(DULL, draw.integers(1, 5)))
        words.insert(int(draw.integers(len(words) + 1)), draw.choice(GOOD if item % 2 else BAD))
        texts.append(" ".join(words))
        labels.append(label)
    return Examples(texts, labels)


TRAIN, DEV, TEST = reviews(96, 1), reviews(24, 2), reviews(60, 3)
NOTHING = Examples([], [])
LONG = {"epochs": 20, "dropout": 0.02}
"""What a network needs to learn that nobody has pretrained."""


@pytest.fixture(scope="module", name="bert")
def _bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_encoder(tmp_path_factory.mktemp("bert"), WORDS)


@pytest.fixture(autouse=True)
def _threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def learner(encoder: Path, scratch: Path, **changes: Any) -> FineTuningLearner:
    return FineTuningLearner(replace(RECIPE, **changes), Site(scratch, encoder))


def content(classifier: Any, folder: Path) -> dict[str, bytes]:
    classifier.save(folder)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def stored(classifier: Any) -> dict[str, torch.Tensor]:
    with safe_open(classifier.folder / WEIGHTS, "pt") as file:
        return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118


def hits(classifier: Any, examples: Examples) -> float:
    return float(numpy.mean(numpy.array(classifier.predict(examples.inputs)) == examples.labels))


# What comes out


@pytest.mark.parametrize(
    ("shape", "pooling"),
    [("bert", "mean"), ("bert", "first"), ("xlm-r", "mean"), ("deberta", "mean")],
)
def test_a_telling_word_is_learnt(shape: str, pooling: str, tmp_path: Path) -> None:
    encoder = write_encoder(tmp_path / "encoder", WORDS, shape=shape, prefix="lan ")
    fitted = learner(encoder, tmp_path, pooling=pooling, **LONG).fit(TRAIN, DEV, seed=0)
    assert hits(fitted, TEST) > 0.9


def test_what_was_saved_answers_the_same_without_pickle(bert: Path, tmp_path: Path) -> None:
    fitted = learner(bert, tmp_path).fit(TRAIN, DEV, seed=0)
    fitted.save(tmp_path / "saved")
    assert {path.name for path in (tmp_path / "saved").iterdir()} == {WEIGHTS, SAID}
    loaded = learner(bert, tmp_path / "other").load(tmp_path / "saved")
    assert numpy.array_equal(loaded.probabilities(TEST.inputs), fitted.probabilities(TEST.inputs))
    assert loaded.probabilities(TEST.inputs).sum(1) == pytest.approx(1, abs=1e-5)


def test_answers_do_not_hang_on_the_texts_beside(bert: Path, tmp_path: Path) -> None:
    fitted = learner(bert, tmp_path).fit(TRAIN, DEV, seed=0)
    texts = ["apik", *TEST.inputs, "", "word that nobody knows", "lan " * 500]
    together = fitted.probabilities(texts)
    alone = numpy.concatenate([fitted.probabilities([text]) for text in texts])
    assert together == pytest.approx(alone, abs=1e-4)
    assert fitted.predict([]) == []


def test_bf16_learns_as_well(bert: Path, tmp_path: Path) -> None:
    fitted = learner(bert, tmp_path, precision="bf16", **LONG).fit(TRAIN, DEV, seed=0)
    assert hits(fitted, TEST) > 0.9
    assert json.loads((fitted.folder / SAID).read_text("utf-8"))["precision"] == "bf16"
    assert {tensor.dtype for name, tensor in stored(fitted).items() if name != "rows"} == {
        torch.bfloat16
    }


def test_labels_that_training_lacks_are_never_answered(bert: Path, tmp_path: Path) -> None:
    dev = Examples([*DEV.inputs, "buku"], [*DEV.labels, "neutral"])
    fitted = learner(bert, tmp_path, keep="best").fit(TRAIN, dev, seed=0)
    assert {*fitted.predict(["buku", *TEST.inputs])} == {"bad", "good"}


def test_one_item_of_a_class_and_one_class_are_enough(bert: Path, tmp_path: Path) -> None:
    few = Examples(["apik", "ala", "buku"], ["good", "bad", "neutral"])
    fitted = learner(bert, tmp_path, least_updates=60).fit(few, NOTHING, seed=0)
    assert fitted.predict(few.inputs) == few.labels
    single = learner(bert, tmp_path).fit(Examples(["apik"], ["good"]), NOTHING, seed=0)
    assert single.predict(["ala", ""]) == ["good", "good"]


def test_no_training_text_is_an_error(bert: Path, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no training text"):
        learner(bert, tmp_path).fit(NOTHING, DEV, seed=0)


# The same again


def test_runs_repeat_and_seeds_differ(bert: Path, tmp_path: Path) -> None:
    first = learner(bert, tmp_path / "1").fit(TRAIN, DEV, seed=0)
    again = learner(bert, tmp_path / "2").fit(TRAIN, DEV, seed=0)
    other = learner(bert, tmp_path / "3").fit(TRAIN, DEV, seed=1)
    assert content(first, tmp_path / "a") == content(again, tmp_path / "b")
    assert content(first, tmp_path / "c") != content(other, tmp_path / "d")


class KilledError(Exception):
    """Stands for a kill."""


@pytest.mark.parametrize(
    ("keep", "at"), [("average", 1), ("average", 40), ("average", 71), ("best", 40), ("last", 40)]
)
def test_a_killed_training_goes_on_to_the_same_end(
    keep: str, at: int, bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "SECONDS_BETWEEN", 0.0)
    monkeypatch.setattr(training, "SHARE_OF_WRITING", 1e9)
    seen: list[str] = []

    def report(share: float, status: str) -> None:
        seen.append(status)
        if len(seen) == at:
            raise KilledError

    recipe = replace(RECIPE, keep=keep, patience=9)
    undisturbed = FineTuningLearner(recipe, Site(tmp_path / "1", bert)).fit(TRAIN, DEV, 4)
    killed = FineTuningLearner(recipe, Site(tmp_path / "2", bert, on_progress=report))
    with pytest.raises(KilledError):
        killed.fit(TRAIN, DEV, 4)
    resumed = killed.fit(TRAIN, DEV, 4)
    assert content(resumed, tmp_path / "a") == content(undisturbed, tmp_path / "b")
    assert len(seen) == 72 + 1  # the update that was not saved is made again, none but that


def test_a_finished_seed_is_not_trained_again(bert: Path, tmp_path: Path) -> None:
    seen: list[float] = []
    site = Site(tmp_path, bert, seeds=2, on_progress=lambda share, _: seen.append(share))
    FineTuningLearner(RECIPE, site).fit(TRAIN, DEV, 0)
    updates = len(seen)
    after_kill = FineTuningLearner(RECIPE, site)
    for seed in (0, 1):
        after_kill.fit(TRAIN, DEV, seed)
    assert len(seen) == 2 * updates
    assert seen == sorted(seen)
    assert seen[updates - 1] == 0.5
    assert seen[-1] == 1.0
    assert not list(tmp_path.rglob(training.CHECKPOINT))


# Memory


def test_an_update_without_memory_is_made_in_halves(
    bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Network.logits
    given: list[int] = []

    def few(self: Network, ids: Sequence[Sequence[int]], *, train: bool = False) -> torch.Tensor:
        if train:
            given.append(len(ids))
            if len(ids) > 2:
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")
        return whole(self, ids, train=train)

    plain = learner(bert, tmp_path / "1", dropout=0.0).fit(TRAIN, DEV, seed=0)
    monkeypatch.setattr(Network, "logits", few)
    halved = learner(bert, tmp_path / "2", dropout=0.0).fit(TRAIN, DEV, seed=0)
    assert Counter(number > 2 for number in given)[True] <= 4  # what did not fit is remembered
    assert halved.probabilities(TEST.inputs) == pytest.approx(
        plain.probabilities(TEST.inputs), abs=0.02
    )


def test_a_text_that_never_fits_is_an_error(
    bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: Any, **__: Any) -> torch.Tensor:
        raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: 9 GB")

    monkeypatch.setattr(Network, "logits", never)
    with pytest.raises(OutOfMemoryError, match=r"single text of .* pieces.*max_pieces"):
        learner(bert, tmp_path).fit(TRAIN, DEV, seed=0)


def test_other_errors_are_not_taken_for_want_of_memory(
    bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(*_: Any, **__: Any) -> torch.Tensor:
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    monkeypatch.setattr(Network, "logits", wrong)
    with pytest.raises(RuntimeError, match="mat1"):
        learner(bert, tmp_path).fit(TRAIN, DEV, seed=0)


def test_kernels_of_past_shapes_are_not_kept_unless_the_user_says_so(
    bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(KERNELS, raising=False)
    learner(bert, tmp_path / "1").fit(TRAIN, DEV, seed=0)
    assert os.environ[KERNELS] == "64"
    monkeypatch.setenv(KERNELS, "500")
    learner(bert, tmp_path / "2").fit(TRAIN, DEV, seed=0)
    assert os.environ[KERNELS] == "500"


def test_another_library_that_allocates_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda _: object())
    computing.save_memory()
    computing.give_back_memory()


# What moves


def test_frozen_layers_stay_as_they_were(tmp_path: Path) -> None:
    encoder = write_encoder(tmp_path / "encoder", WORDS, layers=3)
    fitted = learner(encoder, tmp_path, frozen_layers=2).fit(TRAIN, DEV, seed=0)
    changed = {name for name in stored(fitted) if name.startswith("body.")}
    assert changed
    assert all(name.startswith("body.encoder.layer.2.") for name in changed)
    assert "rows" not in stored(fitted)
    before = AutoModel.from_pretrained(encoder / "huggingface")
    after = fitted._network.body
    for name, values in after.named_parameters():
        same = torch.equal(values, before.get_parameter(name))
        assert same == (f"body.{name}" not in changed), name


def test_pieces_that_training_lacks_keep_their_embeddings(bert: Path, tmp_path: Path) -> None:
    fitted = learner(bert, tmp_path).fit(TRAIN, Examples([NEVER], ["good"]), seed=0)
    before = AutoModel.from_pretrained(bert / "huggingface").get_input_embeddings().weight
    after = fitted._network.body.get_input_embeddings().weight
    moved = {int(row) for row in (before != after).any(1).nonzero()}
    assert moved == {int(row) for row in stored(fitted)["rows"]}
    assert 4 + WORDS.index(NEVER) not in moved
    assert 4 + WORDS.index("apik") in moved


def test_more_frozen_layers_than_there_are_is_an_error(bert: Path, tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="has 2 layers"):
        learner(bert, tmp_path, frozen_layers=3).fit(TRAIN, DEV, seed=0)


@pytest.mark.parametrize("shape", ["bert", "xlm-r", "deberta"])
def test_fewer_rows_of_embeddings_are_the_same_encoder(shape: str, tmp_path: Path) -> None:
    encoder = write_encoder(tmp_path, WORDS, shape=shape)
    whole, cut = (load_body(encoder, dropout=0.0, device="cpu") for _ in range(2))
    ids = [[0, 6, 13, 2], [0, 9, 2]]
    few = CutPieces(cut, ids)
    assert cut.get_input_embeddings().num_embeddings < whole.get_input_embeddings().num_embeddings
    answers = [
        Network.fresh(body, 2, pooling="mean", pad=1, dropout=0.0, device="cpu")
        for body in (whole, cut)
    ]
    answers[1].head = answers[0].head
    assert torch.equal(answers[0].logits(ids), answers[1].logits(few.renumber(ids)))


def test_rare_classes_weigh_as_much_where_asked_for(bert: Path, tmp_path: Path) -> None:
    """A class without marks of its own is answered as often as its weight says."""
    same = Examples(["buku lan"] * 50, ["often"] * 40 + ["rare"] * 10)
    found = {}
    for choice in ("none", "balanced"):
        fitted = learner(bert, tmp_path, class_weights=choice, batch=50).fit(same, NOTHING, 0)
        found[choice] = fitted.probabilities(["buku lan"])[0, 1]
    assert found["none"] == pytest.approx(0.2, abs=0.1)
    assert found["balanced"] == pytest.approx(0.5, abs=0.1)


def test_best_needs_a_dev_set_and_stops_early(bert: Path, tmp_path: Path) -> None:
    seen: list[str] = []
    site = Site(tmp_path, bert, on_progress=lambda _, status: seen.append(status))
    recipe = replace(RECIPE, keep="best", patience=4, looks=20, **LONG)
    fitted = FineTuningLearner(recipe, site).fit(TRAIN, DEV, 0)
    assert len(seen) < 20 * 12
    assert hits(fitted, TEST) > 0.9
    seen.clear()
    FineTuningLearner(recipe, site).fit(TRAIN, NOTHING, 0)
    assert len(seen) == 20 * 12


# Adapters of low rank


ADAPTED: dict[str, Any] = {**LONG, "body_rate": 3e-2, "lora": Lora(rank=4)}


def without_peft() -> bool:
    return importlib.util.find_spec("peft") is None


needs_peft = pytest.mark.skipif(without_peft(), reason="peft is not installed")


@needs_peft
@pytest.mark.parametrize("shape", ["bert", "xlm-r", "deberta"])
def test_adapters_learn_and_are_stored_as_the_weights_they_stood_beside(
    shape: str, tmp_path: Path
) -> None:
    encoder = write_encoder(tmp_path / "encoder", WORDS, shape=shape)
    fitted = learner(encoder, tmp_path, **ADAPTED).fit(TRAIN, DEV, seed=0)
    assert hits(fitted, TEST) > 0.9
    before = AutoModel.from_pretrained(encoder / "huggingface")
    moved = {name for name in stored(fitted) if name.startswith("body.")}
    assert len(moved) == 2 * 2  # queries and values of two layers
    assert all(re.search(r"\.(query|value)(_proj)?\.weight$", name) for name in moved)
    for name, values in fitted._network.body.named_parameters():
        same = torch.equal(values, before.get_parameter(name))
        assert same == (f"body.{name}" not in moved), name
    assert "rows" not in stored(fitted)


@needs_peft
def test_adapters_of_frozen_layers_stay_away(tmp_path: Path) -> None:
    encoder = write_encoder(tmp_path / "encoder", WORDS, layers=3)
    changes = {**ADAPTED, "frozen_layers": 2, "epochs": 1}
    fitted = learner(encoder, tmp_path, **changes).fit(TRAIN, DEV, seed=0)
    moved = {name for name in stored(fitted) if name.startswith("body.")}
    assert {name.split(".")[3] for name in moved} == {"2"}


@needs_peft
@pytest.mark.parametrize("keep", ["average", "best"])
def test_the_same_seed_gives_the_same_adapters(keep: str, bert: Path, tmp_path: Path) -> None:
    changes = {**ADAPTED, "keep": keep, "epochs": 2}
    one, again, other = (
        learner(bert, tmp_path / name, **changes).fit(TRAIN, DEV, seed=seed)
        for name, seed in (("1", 3), ("2", 3), ("3", 4))
    )
    assert content(one, tmp_path / "a") == content(again, tmp_path / "b")
    assert content(one, tmp_path / "c") != content(other, tmp_path / "d")


def test_without_peft_adapters_are_an_error_that_says_what_to_install(
    bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SpecError, match=r"lora.*peft is missing.*pip install"):
        learner(bert, tmp_path, lora=Lora()).fit(TRAIN, DEV, seed=0)


def test_unset_adapters_leave_fingerprints_as_they_were_and_a_rank_changes_them() -> None:
    plain, ranked = FineTuning(), FineTuning(lora=Lora())
    assert "lora" not in canonical_spec(asdict(plain))
    assert canonical_spec(asdict(ranked))["lora"]["rank"] == 8


# Batches, rates, steps


def test_every_pass_sees_every_text_once_in_batches_of_near_length() -> None:
    lengths = numpy.random.default_rng(1).integers(3, 90, 1000).tolist()

    def planned(seed: int) -> list[list[int]]:
        return plan_updates(lengths, batch=32, updates=96, seed=seed)

    updates = planned(1)
    assert len(updates) == 3 * 32
    for start in (0, 32, 64):
        assert sorted(item for items in updates[start : start + 32] for item in items) == list(
            range(1000)
        )
    padding = sum(max(lengths[i] for i in items) * len(items) for items in updates)
    assert padding < 1.1 * 3 * sum(lengths)
    assert updates[:32] != updates[32:64]
    assert updates == planned(1)
    assert updates != planned(2)


def test_few_texts_are_seen_more_often() -> None:
    updates = plan_updates([5] * 10, batch=4, updates=50, seed=1)
    assert len(updates) == 50


def test_parts_hold_so_many_pieces_at_most() -> None:
    lengths = [9, 2, 5, 3, 30]
    parts = list(parts_of(range(5), lengths, 12))
    assert parts == [[1, 3], [2], [0], [4]]


def test_rates_rise_and_fall() -> None:
    shares = [rate_share(update, 20, 0.1) for update in range(20)]
    assert shares[:3] == [0.5, 1.0, 1.0]
    assert shares[-1] == pytest.approx(1 / 18)
    assert shares[2:] == sorted(shares[2:], reverse=True)


def test_a_step_is_that_of_torch(bert: Path) -> None:
    flat, plain = (
        Network.fresh(
            load_body(bert, dropout=0.0, device="cpu"),
            2,
            pooling="mean",
            pad=1,
            dropout=0.0,
            device="cpu",
        )
        for _ in range(2)
    )
    plain.head.load_state_dict(flat.head.state_dict())
    reference = torch.optim.AdamW(
        [
            {"params": g.parameters, "lr": g.rate, "weight_decay": g.decay}
            for g in groups_of_network(plain, RECIPE)
            if g.parameters
        ]
    )
    ours = FlatAdamW(groups_of_network(flat, RECIPE), torch.float32)
    ids = [[0, 6, 13, 2], [0, 9, 2]]
    for _ in range(3):
        for network in (flat, plain):
            (5 * network.logits(ids).square().sum()).backward()
        every = [p for part in (plain.body, plain.head) for p in part.parameters()]
        torch.nn.utils.clip_grad_norm_(every, 1.0)
        reference.step()
        reference.zero_grad()
        ours.gather(more=False)
        ours.step(1.0, 1.0)
    assert torch.allclose(flat.logits(ids), plain.logits(ids), atol=1e-5)


# In an experiment


TUNED: dict[str, Any] = {"kind": "pretrained", "model": "e5-small", "fine_tune": {"epochs": 2}}


def tuned_study(folder: Path, **changes: Any) -> str:
    encoders = {"tuned": {**TUNED, **changes}}
    return str(write_experiment(folder, transfer={"encoders": encoders}))


def test_a_fine_tuned_encoder_reads_texts_upon_the_published_encoder(
    tmp_path: Path, store: Path
) -> None:
    stages = all_stages(tuned_study(tmp_path))
    assert not [stage for stage in stages if isinstance(stage, EncodedText)]
    for kind in (Classifiers, Predictions):
        found = [stage for stage in stages if isinstance(stage, kind)]
        assert found
        for stage in found:
            (encoder,) = stage.inputs["encoder"]
            assert isinstance(encoder, PretrainedEncoder)
            read = [s for name, some in stage.inputs.items() if "texts" in name for s in some]
            assert read
            assert not {*map(type, read)} & {EncodedText}


def test_values_of_fine_tuning_decide_classifiers_and_nothing_before_them(
    tmp_path: Path, store: Path
) -> None:
    def prints(folder: Path, **changes: Any) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for stage in all_stages(tuned_study(folder, **changes)):
            found.setdefault(type(stage).__name__, set()).add(stage.fingerprint)
        return found

    one = prints(tmp_path / "1")
    two = prints(tmp_path / "2", fine_tune={"epochs": 3})
    assert not one["Classifiers"] & two["Classifiers"]
    assert not one["Predictions"] & two["Predictions"]
    assert one["PretrainedEncoder"] == two["PretrainedEncoder"]
    assert one["Translation"] == two["Translation"]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"epoch": 3}, r"epochs"),
        ({"dropout": 1.0}, r"less than 1"),
        ({"keep": "worst"}, r"'average', 'best' or 'last'"),
        ({"body_rate": 0}, r"greater than 0"),
        ({"lora": {"rank": 0}}, r"greater than or equal to 1"),
        ({"lora": {"ranks": 8}}, r"rank"),
    ],
)
def test_wrong_values_are_told_with_their_line(
    fields: dict[str, Any], message: str, tmp_path: Path
) -> None:
    with pytest.raises(SpecError, match=r"line \d+.*fine_tune") as error:
        load_experiment(tuned_study(tmp_path, fine_tune=fields))
    assert re.search(message, str(error.value))


def test_a_stage_fits_and_predicts_with_what_it_requires(bert: Path, tmp_path: Path) -> None:
    encoder = PretrainedSpec(kind="pretrained", model="any", fine_tune=RECIPE)
    for part, examples in (("train", TRAIN), ("dev", DEV), ("test", TEST)):
        ids = [f"toy:{number}" for number in range(len(examples.labels))]
        columns = {"id": ids, "text": examples.inputs, "label": examples.labels}
        write_records(tmp_path / f"{part}.parquet", columns)
    out = tmp_path / "classifiers"
    out.mkdir()
    budget = ClassifierRecipe(seeds=2)
    fitting = learner_of(encoder, budget, Site(tmp_path / "scratch", bert, seeds=2))
    seen, labels = SeenText(tmp_path, [tmp_path], TextVersion("toy")), sorted({*TRAIN.labels})
    fit_classifiers(fitting, [seen], labels=labels, seeds=2, out=out)
    shutil.rmtree(tmp_path / "scratch")
    reading = learner_of(encoder, budget, Site(tmp_path / "other", bert))
    answers = tmp_path / "predictions.parquet"
    fields: dict[str, Any] = {"dev_data": "target dev", "own_dev": (), "labels": labels}
    assert predict_text(reading, out, seen, **fields, seeds=2, out=answers)
    found = list(read_records(answers))
    assert len(found) == 2 * (24 + 60)
    own = {(r["id"], r["seed"]): r["predicted"] for r in read_records(out / "dev.parquet")}
    assert own == {(r["id"], r["seed"]): r["predicted"] for r in found if r["part"] == "target dev"}
