"""Adapted encoders: they learn, repeat, resume; the control; what is read and what is not."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch
from transformers import AutoConfig, AutoModel, AutoModelForMaskedLM, AutoTokenizer

from models.alignment import AlignedPair, tokens
from models.encoders.adaptation.adjusted import AdjustedSpec, sure_links, word_pieces
from models.encoders.adaptation.distilled import DistilledSpec
from models.encoders.adaptation.mlm import MaskedText, MlmSpec, own_head
from models.encoders.adaptation.protocol import AdaptationText, AdaptedSpec, Lesson, Sentences
from models.encoders.adaptation.student import Student
from models.encoders.pretrained.folders import (
    Checkpoint,
    EncoderSettings,
    PublishOrder,
    publish,
    read_published_tokenizer,
)
from models.encoders.pretrained.frozen import FrozenEncoder
from models.encoders.pretrained.reading import TextReader
from models.support.errors import OutOfMemoryError, SourceError
from models.tuning import training
from models.tuning.adapting import Adaptation, AdaptingOrder, AdaptingSite, adapt_encoder
from tests.encoder_folders import write_encoder
from tests.test_pretrained import TEXTS, real_file, write_folder

HUB = ("rumah", "air", "besar", "kecil", "makan", "minum", "saya", "kamu")
OURS = ("omah", "banyu", "gedhe", "cilik", "mangan", "ngombe", "aku", "kowe")
THEIRS = ("घर", "पानी", "बड़ा", "छोटा", "खाना", "पीना", "मैं", "तुम")
NEVER = "tresna"
WORDS = (*HUB, *OURS, *THEIRS, NEVER)
SMALL: dict[str, Any] = {
    "parent": "e5",
    "batch": 8,
    "rate": 1e-2,
    "dropout": 0.02,
    "looks": 4,
    "patience": 4,
    "precision": "fp32",
}
RECIPE = DistilledSpec(kind="distilled", steps=160, **SMALL)


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


@pytest.fixture(scope="module", name="masked")
def _masked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("masked")
    return published(write_with_head(folder / "whole", "bert"), folder / "cut")


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


# Masked-language modelling


MASKED = MlmSpec(
    kind="mlm", parent="e5", steps=120, batch=8, rate=1e-2, dropout=0.02, looks=4, precision="fp32"
)
TIED = replace(MASKED, head="tied")
KNOWN = bitext("jav", tuple(" ".join(TEXTS[:4]).split()[:8]), 140, 5).texts
OWN = TEXT._replace(own={"ind": KNOWN[:60], "jav": KNOWN[60:120]}, own_dev={"jav": KNOWN[120:]})


def write_with_head(folder: Path, shape: str, *, head: bool = True) -> Checkpoint:
    """Write a random encoder, with the head that guesses hidden pieces or without."""
    write_folder(folder, shape)
    config: Any = AutoConfig.from_pretrained(folder)
    torch.manual_seed(2)
    if head:
        model = AutoModelForMaskedLM.from_config(config)
        for name, values in model.named_parameters():
            if name.endswith("bias"):
                torch.nn.init.normal_(values, std=0.3)
        model.save_pretrained(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.add_special_tokens({"mask_token": "[MASK]" if shape == "bert" else "<mask>"})
    tokenizer.save_pretrained(folder)
    return Checkpoint(folder, None, True)


def published(checkpoint: Checkpoint, out: Path) -> Path:
    out.mkdir()
    characters = frozenset("".join(TEXTS))
    publish(PublishOrder(checkpoint, characters, EncoderSettings(), None, out))
    return out


@pytest.mark.parametrize("shape", ["bert", "xlm-r", "deberta"])
def test_the_head_in_the_files_guesses_as_before(shape: str, tmp_path: Path) -> None:
    checkpoint = write_with_head(tmp_path / "whole", shape)
    parent = published(checkpoint, tmp_path / "cut")
    whole: Any = AutoModelForMaskedLM.from_pretrained(checkpoint.folder).eval()
    body: Any = AutoModel.from_pretrained(parent / "huggingface").eval()
    pieces = read_published_tokenizer(parent).get_vocab()
    head = own_head(checkpoint, pieces, "cpu")
    before = checkpoint.read_tokenizer().get_vocab()
    assert len(pieces) < len(before)
    ours = read_published_tokenizer(parent).encode(TEXTS[1])
    theirs = [[before[token] for token in ours.tokens]]
    with torch.inference_mode():
        states = body(input_ids=torch.tensor([ours.ids])).last_hidden_state
        table = body.get_input_embeddings().weight
        logits = head.layers(states) @ table.T + head.bias.weight[:, 0]
        expected = whole(input_ids=torch.tensor(theirs)).logits
    kept = [before[piece] for piece, _ in sorted(pieces.items(), key=lambda item: item[1])]
    assert torch.allclose(logits, expected[..., kept], atol=1e-4)


@pytest.mark.parametrize("shape", ["bert", "xlm-r", "deberta"])
def test_hidden_pieces_are_guessed_better(shape: str, tmp_path: Path) -> None:
    checkpoint = write_with_head(tmp_path / "whole", shape)
    parent = published(checkpoint, tmp_path / "cut")
    found = adapt(parent, tmp_path / "1", recipe=MASKED, text=OWN, checkpoint=checkpoint)
    assert {*found.losses} == {"jav"}
    before, after = found.losses["jav"]
    assert after < 0.8 * before
    assert {*found.retrieval} == {"jav", "hin"}
    without = adapt(parent, tmp_path / "2", recipe=TIED, text=OWN)
    assert without.losses["jav"][1] < 0.8 * without.losses["jav"][0]
    again = adapt(parent, tmp_path / "3", recipe=TIED, text=OWN)
    assert again == without
    assert weights(tmp_path / "3") == weights(tmp_path / "2")


def test_a_control_guesses_pieces_of_the_hub_alone(masked: Path, tmp_path: Path) -> None:
    control = adapt(masked, tmp_path / "1", recipe=TIED, text=OWN, stop=30)
    assert control.updates == control.kept_at == 30
    assert control.items == 60
    assert {*control.losses} == {"jav"}


def test_every_text_has_something_to_guess_and_no_mark_is_hidden(tmp_path: Path) -> None:
    parent = published(write_with_head(tmp_path / "whole", "xlm-r"), tmp_path / "cut")
    reader = TextReader(parent, EncoderSettings.read(parent))
    student = Student(None, reader, "mean", "cpu")
    text = AdaptationText(hub="ind", train=[], dev=[], own={"ind": [*TEXTS, ""]}, own_dev={})
    tied = replace(TIED, masked=0.4)
    lesson = Lesson(_with_table(student, parent), text, text, tmp_path, None)
    found = MaskedText(lesson, tied)
    assert len(found.lengths) == len(TEXTS)  # the empty one has nothing to guess
    found.prepare(range(len(TEXTS)))
    ids = reader.ids(TEXTS)
    hidden = found.hide(ids, torch.Generator().manual_seed(1))
    marks = {0, 1, 2, 3}
    assert {*hidden.texts} == {*range(len(TEXTS))}
    for row, place, wanted in zip(hidden.texts, hidden.places, hidden.wanted, strict=True):
        assert ids[row][place] == wanted not in marks
    seen = [hidden.ids[row][place] for row, place in zip(hidden.texts, hidden.places, strict=True)]
    mask = read_published_tokenizer(parent).token_to_id("<mask>")
    assert seen.count(mask) > len(seen) / 2


def _with_table(student: Student, folder: Path) -> Student:
    student.body = AutoModel.from_pretrained(folder / "huggingface")
    return student


@pytest.mark.parametrize(
    ("head", "mask", "message"),
    [
        (False, True, r"no head that guesses hidden pieces \(.* is missing\); write `head: tied`"),
        (True, False, r"no piece for what is hidden \(`mask_token`\)"),
    ],
)
def test_what_cannot_guess_is_told(head: bool, mask: bool, message: str, tmp_path: Path) -> None:
    checkpoint = write_with_head(tmp_path / "whole", "xlm-r", head=head)
    if not mask:
        write_folder(tmp_path / "whole", "xlm-r")
    parent = published(checkpoint, tmp_path / "cut")
    with pytest.raises(SourceError, match=message):
        adapt(parent, tmp_path / "1", recipe=MASKED, text=OWN, checkpoint=checkpoint)


def test_a_packed_encoder_has_no_head_to_guess_with(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"a packed encoder has no head.*`head: tied`"):
        own_head(Checkpoint(tmp_path, "e5.bin", True), {}, "cpu")


# Adjustment of words


ADJUSTED = AdjustedSpec(kind="adjusted", steps=120, **SMALL)


@pytest.mark.parametrize("shape", ["bert", "xlm-r", "deberta"])
def test_aligned_words_come_near_and_the_hub_stays(shape: str, tmp_path: Path) -> None:
    parent = write_encoder(tmp_path / "parent", WORDS, shape=shape)
    found = adapt(parent, tmp_path / "1", recipe=ADJUSTED)
    for before, after in found.losses.values():
        assert after < 0.5 * before
    assert found == adapt(parent, tmp_path / "2", recipe=ADJUSTED)
    assert weights(tmp_path / "1") == weights(tmp_path / "2")
    adapt(parent, tmp_path / "3", recipe=replace(ADJUSTED, keep=0.0))
    first, kept, free = (
        FrozenEncoder(folder, number="float32").encode(TEXT.dev[0].hub)
        for folder in (parent, tmp_path / "1" / "out", tmp_path / "3" / "out")
    )
    assert ((kept - first) ** 2).mean() < 0.5 * ((free - first) ** 2).mean()


def test_a_control_adjusts_hub_words_to_themselves(bert: Path, tmp_path: Path) -> None:
    adapted = adapt(bert, tmp_path / "1", recipe=ADJUSTED)
    control = adapt(bert, tmp_path / "2", recipe=ADJUSTED, stop=adapted.kept_at)
    assert control.updates == adapted.kept_at
    assert control.losses["jav"][0] == adapted.losses["jav"][0]
    assert control.losses["jav"][1] > 1.5 * adapted.losses["jav"][1]
    before, after = (
        AutoModel.from_pretrained(folder / "huggingface").get_input_embeddings().weight
        for folder in (bert, tmp_path / "2" / "out")
    )
    moved = {int(row) for row in (before != after).any(1).nonzero()}
    assert moved <= {*range(4), *(4 + WORDS.index(word) for word in HUB)}


def test_links_are_one_to_one_between_different_words() -> None:
    pair = AlignedPair(
        ["saya", "di", "jakarta", "makan", "."],
        ["aku", "ing", "jakarta", "mangan", "maneh", "."],
        [(0, 0), (1, 1), (2, 2), (3, 3), (3, 4), (4, 5)],
        0.0,
    )
    assert [*sure_links(pair)] == [(0, 0), (1, 1)]
    assert [*sure_links(pair, with_itself=True)] == [(0, 0), (1, 1), (2, 2)]


@pytest.mark.parametrize(
    ("text", "spans", "wanted"),
    [
        ("Aku mangan", [(0, 0), (0, 3), (3, 7), (7, 10), (0, 0)], {0: [1], 1: [2, 3]}),
        ("aku aku", [(0, 0), (0, 3), (3, 7), (0, 0)], {0: [1], 1: [2]}),
        ("İzmir güzel", [(0, 0), (0, 5), (5, 11), (0, 0)], {0: [1], 1: [2]}),
        ("मैं खाता हूँ", [(0, 0), (0, 3), (3, 8), (8, 12), (0, 0)], {0: [1], 1: [2], 2: [3]}),
        ("aku mangan sega", [(0, 0), (0, 3), (3, 7), (0, 0)], {0: [1]}),  # cut within a word
        ("aku", [], {}),
    ],
)
def test_words_are_found_among_pieces(
    text: str, spans: list[tuple[int, int]], wanted: dict[int, list[int]]
) -> None:
    assert word_pieces(text, tokens(text), spans) == wanted


def test_a_prefix_is_of_no_word(tmp_path: Path) -> None:
    parent = write_encoder(tmp_path, WORDS, prefix="lan ")
    reader = TextReader(parent, EncoderSettings.read(parent))
    ((ids, spans),) = reader.spans(["omah gedhe"])
    assert len(ids) == 5
    assert word_pieces("omah gedhe", ["omah", "gedhe"], spans) == {0: [2], 1: [3]}


# The same again


def test_runs_repeat_and_seeds_differ(bert: Path, tmp_path: Path) -> None:
    for folder, seed in (("a", 1), ("b", 1), ("c", 2)):
        adapt(bert, tmp_path / folder, recipe=replace(RECIPE, seed=seed))
    assert weights(tmp_path / "a") == weights(tmp_path / "b")
    assert weights(tmp_path / "a") != weights(tmp_path / "c")


class KilledError(Exception):
    """Stands for a kill."""


@pytest.mark.parametrize(
    ("recipe", "at"), [(RECIPE, 1), (RECIPE, 2), (RECIPE, 31), (ADJUSTED, 31), (TIED, 31)]
)
def test_a_killed_adaptation_goes_on_to_the_same_end(
    recipe: AdaptedSpec, at: int, masked: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "SECONDS_BETWEEN", 0.0)
    monkeypatch.setattr(training, "SHARE_OF_WRITING", 1e9)
    seen: list[str] = []

    def report(share: float, status: str) -> None:
        seen.append(status)
        if len(seen) == at:
            raise KilledError

    recipe = replace(recipe, steps=60)
    undisturbed = adapt(masked, tmp_path / "1", recipe=recipe, text=OWN)
    with pytest.raises(KilledError):
        adapt(masked, tmp_path / "2", recipe=recipe, text=OWN, on_progress=report)
    resumed = adapt(masked, tmp_path / "2", recipe=recipe, text=OWN, on_progress=report)
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


# The real one


INDONESIAN = ("saya makan nasi", "rumah itu besar", "adik tidur", "ibu ke pasar", "air panas")
JAVANESE = (
    "aku mangan sega",
    "omah iku gedhe",
    "adhik turu",
    "ibu menyang pasar",
    "banyu panas",
)


@pytest.mark.system
def test_the_real_encoder_learns_of_few_sentences(tmp_path: Path) -> None:
    source = real_file()
    parent = tmp_path / "parent"
    parent.mkdir()
    shutil.copyfile(source, tmp_path / source.name)
    checkpoint = Checkpoint(tmp_path, source.name, True)
    characters = frozenset("".join((*INDONESIAN, *JAVANESE)))
    settings = EncoderSettings(prefix="query: ")
    publish(PublishOrder(checkpoint, characters, settings, None, parent))
    pairs = Sentences("jav", INDONESIAN * 4, JAVANESE * 4)
    text = AdaptationText(hub="ind", train=[pairs], dev=[pairs], own={"jav": JAVANESE})
    recipe = replace(RECIPE, steps=8, rate=2e-4, dropout=0.1, precision="auto")
    found = adapt(parent, tmp_path / "1", recipe=recipe, text=text)
    assert found.losses["jav"][1] < 0.8 * found.losses["jav"][0]
