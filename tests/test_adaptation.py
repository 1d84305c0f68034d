"""Adapted encoders: they learn, repeat, resume; the control; what is read and what is not."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch
from transformers import AutoModel, AutoTokenizer

from models.encoders.adaptation.distilled import DistilledSpec
from models.encoders.adaptation.protocol import AdaptationText, AdaptedSpec, Sentences
from models.encoders.pretrained.frozen import FrozenEncoder
from models.support.errors import OutOfMemoryError, SourceError
from models.tuning import training
from models.tuning.adapting import Adaptation, AdaptingOrder, AdaptingSite, adapt_encoder
from tests.encoder_folders import write_encoder

HUB = ("rumah", "air", "besar", "kecil", "makan", "minum", "saya", "kamu")
OURS = ("omah", "banyu", "gedhe", "cilik", "mangan", "ngombe", "aku", "kowe")
THEIRS = ("घर", "पानी", "बड़ा", "छोटा", "खाना", "पीना", "मैं", "तुम")
NEVER = "tresna"
WORDS = (*HUB, *OURS, *THEIRS, NEVER)
RECIPE = DistilledSpec(
    kind="distilled",
    parent="e5",
    steps=160,
    batch=8,
    rate=1e-2,
    dropout=0.02,
    looks=4,
    patience=4,
    precision="fp32",
)


def bitext(language: str, words: tuple[str, ...], number: int, seed: int) -> Sentences:
    """Return sentences of the hub, and word by word what they are in a language."""
    draw = numpy.random.default_rng(seed)
    hub, texts = [], []
    for _ in range(number):
        places = draw.integers(len(HUB), size=draw.integers(2, 6))
        hub.append(" ".join(HUB[place] for place in places))
        texts.append(" ".join(words[place] for place in places))
    return Sentences(language, hub, texts)


TEXT = AdaptationText(
    hub="ind",
    train=[bitext("jav", OURS, 120, 1), bitext("hin", THEIRS, 80, 2)],
    dev=[bitext("jav", OURS, 20, 3), bitext("hin", THEIRS, 20, 4)],
    own={},
)


@pytest.fixture(scope="module", name="bert")
def _bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_encoder(tmp_path_factory.mktemp("bert"), WORDS)


@pytest.fixture(autouse=True)
def _threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def adapt(
    parent: Path,
    folder: Path,
    *,
    recipe: AdaptedSpec = RECIPE,
    text: AdaptationText = TEXT,
    stop: int | None = None,
    **site: Any,
) -> Adaptation:
    (folder / "out").mkdir(parents=True, exist_ok=True)
    (folder / "scratch").mkdir(exist_ok=True)
    order = AdaptingOrder(parent, recipe, text, folder / "out", stop)
    return adapt_encoder(order, AdaptingSite(folder / "scratch", **site))


def weights(folder: Path) -> bytes:
    return (folder / "out" / "huggingface" / "model.safetensors").read_bytes()


# What comes out


@pytest.mark.parametrize(
    ("shape", "pooling"),
    [("bert", "mean"), ("bert", "first"), ("xlm-r", "mean"), ("deberta", "mean")],
)
def test_translations_come_near_to_their_hub_sentence(
    shape: str, pooling: str, tmp_path: Path
) -> None:
    parent = write_encoder(tmp_path / "parent", WORDS, shape=shape, pooling=pooling)
    found = adapt(parent, tmp_path)
    assert {*found.losses} == {*found.retrieval} == {"jav", "hin"}
    for before, after in found.losses.values():
        assert after < 0.6 * before
    for before, after in found.retrieval.values():
        assert after > before + 0.1
    assert found.updates == 160
    assert found.encoder["number"] in ("int8", "float32")


def test_the_folder_is_as_that_of_a_pretrained_encoder(bert: Path, tmp_path: Path) -> None:
    adapt(bert, tmp_path)
    out = tmp_path / "out"
    assert (out / "encoder.json").read_bytes() == (bert / "encoder.json").read_bytes()
    assert AutoTokenizer.from_pretrained(out / "huggingface")("omah gedhe")["input_ids"]
    assert AutoModel.from_pretrained(out / "huggingface").config.hidden_size == 16
    student, teacher = (FrozenEncoder(f, number="float32") for f in (out, bert))
    dev = TEXT.dev[0]
    wanted, before = teacher.encode(dev.hub), teacher.encode(dev.texts)
    after = student.encode(dev.texts)
    assert ((after - wanted) ** 2).mean() < 0.6 * ((before - wanted) ** 2).mean()


def test_an_adapted_encoder_is_a_parent_itself(bert: Path, tmp_path: Path) -> None:
    first = adapt(bert, tmp_path / "1")
    second = adapt(tmp_path / "1" / "out", tmp_path / "2")
    assert second.retrieval["jav"][0] == first.retrieval["jav"][1]


def test_words_that_training_lacks_keep_their_embeddings(bert: Path, tmp_path: Path) -> None:
    adapt(bert, tmp_path)
    before, after = (
        AutoModel.from_pretrained(folder / "huggingface").get_input_embeddings().weight
        for folder in (bert, tmp_path / "out")
    )
    moved = {int(row) for row in (before != after).any(1).nonzero()}
    assert 4 + WORDS.index(NEVER) not in moved
    assert 4 + WORDS.index("omah") in moved


def test_frozen_layers_stay_as_they_were(tmp_path: Path) -> None:
    parent = write_encoder(tmp_path / "parent", WORDS, layers=3)
    adapt(parent, tmp_path, recipe=replace(RECIPE, frozen_layers=2, precision="bf16"))
    before = AutoModel.from_pretrained(parent / "huggingface")
    after = AutoModel.from_pretrained(tmp_path / "out" / "huggingface")
    moved = {
        name
        for name, values in after.named_parameters()
        if not torch.equal(values, before.get_parameter(name))
    }
    assert moved
    assert all(name.startswith("encoder.layer.2.") for name in moved)


def test_no_text_is_an_error(bert: Path, tmp_path: Path) -> None:
    nothing = TEXT._replace(train=[Sentences("jav", [], [])])
    with pytest.raises(SourceError, match="no text to adapt"):
        adapt(bert, tmp_path, text=nothing)


def test_languages_without_dev_text_are_trained_on_all_the_same(bert: Path, tmp_path: Path) -> None:
    found = adapt(bert, tmp_path, text=TEXT._replace(dev=[Sentences("jav", [], [])]))
    assert found.losses == found.retrieval == {}
    assert found.kept_at == found.updates == 160


# The same again


def test_runs_repeat_and_seeds_differ(bert: Path, tmp_path: Path) -> None:
    for folder, seed in (("a", 1), ("b", 1), ("c", 2)):
        adapt(bert, tmp_path / folder, recipe=replace(RECIPE, seed=seed))
    assert weights(tmp_path / "a") == weights(tmp_path / "b")
    assert weights(tmp_path / "a") != weights(tmp_path / "c")


class KilledError(Exception):
    """Stands for a kill."""


@pytest.mark.parametrize("at", [1, 2, 31, 160])
def test_a_killed_adaptation_goes_on_to_the_same_end(
    at: int, bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "SECONDS_BETWEEN", 0.0)
    monkeypatch.setattr(training, "SHARE_OF_WRITING", 1e9)
    seen: list[str] = []

    def report(share: float, status: str) -> None:
        seen.append(status)
        if len(seen) == at:
            raise KilledError

    undisturbed = adapt(bert, tmp_path / "1")
    with pytest.raises(KilledError):
        adapt(bert, tmp_path / "2", on_progress=report)
    resumed = adapt(bert, tmp_path / "2", on_progress=report)
    assert resumed == undisturbed
    assert weights(tmp_path / "2") == weights(tmp_path / "1")


# The control


def test_a_control_takes_as_many_steps_on_hub_text(bert: Path, tmp_path: Path) -> None:
    adapted = adapt(bert, tmp_path / "1")
    control = adapt(bert, tmp_path / "2", stop=adapted.kept_at)
    assert control.updates == control.kept_at == adapted.kept_at
    assert control.items == adapted.items
    assert control.losses["jav"][0] == adapted.losses["jav"][0]
    for language, (_, after) in control.losses.items():
        assert after > 1.5 * adapted.losses[language][1]
        assert control.retrieval[language][1] < adapted.retrieval[language][1]
    assert weights(tmp_path / "2") != (bert / "huggingface" / "model.safetensors").read_bytes()


def test_a_control_sees_no_word_of_another_language(bert: Path, tmp_path: Path) -> None:
    adapt(bert, tmp_path, stop=5)
    before, after = (
        AutoModel.from_pretrained(folder / "huggingface").get_input_embeddings().weight
        for folder in (bert, tmp_path / "out")
    )
    moved = {int(row) for row in (before != after).any(1).nonzero()}
    assert moved <= {*range(4), *(4 + WORDS.index(word) for word in HUB)}
    assert len(moved) > 8


# Memory


def test_an_update_without_memory_is_made_in_halves(
    bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(training.PART_PIECES, "cpu", 40)
    found = adapt(bert, tmp_path / "1")
    assert found.losses["jav"][1] < 0.6 * found.losses["jav"][0]

    def never(*_: Any, **__: Any) -> torch.Tensor:
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: 9 GB")

    monkeypatch.setattr("models.encoders.adaptation.distilled.Distillation.loss", never)
    with pytest.raises(OutOfMemoryError, match=r"single text of .* pieces.*max_pieces"):
        adapt(bert, tmp_path / "2")


def test_what_is_measured_before_is_not_measured_after_a_kill_again(
    bert: Path, tmp_path: Path
) -> None:
    found = adapt(bert, tmp_path)
    said = json.loads((tmp_path / "scratch" / "before.json").read_text("utf-8"))
    assert said[1]["jav"] == pytest.approx(found.retrieval["jav"][0], abs=1e-4)
