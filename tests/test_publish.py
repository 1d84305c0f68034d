"""What is published computes what fairseq computes, and nothing later needs a checkpoint."""

import dataclasses
from pathlib import Path

import pytest

from models.encoders.nmt import NmtEncoder
from models.engines.nmt import NmtEngine
from models.engines.protocol import Decoding
from models.nmt.publish import CTRANSLATE2, HUGGINGFACE, load_checkpoint
from models.nmt.recipe import NmtRecipe
from models.subwords import EOS, SubwordRecipe, Subwords, language_tag, train_subwords
from tasks import sandbox
from tasks.mt.training import (
    BitextFiles,
    ModelData,
    TrainingResult,
    TrainingSite,
    train_and_publish,
)
from tasks.records import write_records

RECIPE = NmtRecipe(
    encoder_layers=2,
    decoder_layers=1,
    width=32,
    feed_forward=64,
    heads=2,
    warmup_updates=5,
    batch_tokens=512,
    max_updates=12,
    fine_tune_updates=6,
    validate_every=6,
)

GREEDY = Decoding(beam=1, max_pieces=64)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Train a small model for a few updates; its checkpoint stays in `scratch`."""
    folder = tmp_path_factory.mktemp("published")
    small = sandbox.SandboxRecipe(pairs=200, monolingual=10, task_train=3, task_dev=3, task_test=3)
    rows = list(sandbox.parallel(small, "sis"))
    for name, part in (("train", rows[:150]), ("dev", rows[150:])):
        ids, hub, sis = zip(*part, strict=True)
        write_records(folder / f"{name}.parquet", {"id": ids, "hub": hub, "sis": sis})
    lines = [text for row in rows for text in row[1:]]
    recipe = SubwordRecipe(size=200)
    train_subwords(lines, ["hub", "sis"], recipe, folder / "subwords.model")
    train(bitext(folder), RECIPE, folder)
    return folder


def bitext(folder: Path) -> ModelData:
    """Return the text in a folder as a model's data."""
    return ModelData(
        subwords=folder / "subwords.model",
        hub="hub",
        pairs=[BitextFiles("sis", folder / "train.parquet", folder / "dev.parquet")],
        synthetic=[],
        human_repeats=1,
    )


def train(data: ModelData, recipe: NmtRecipe, folder: Path) -> TrainingResult:
    """Train and publish in a folder."""
    (folder / "scratch").mkdir()
    (folder / "out").mkdir()
    site = TrainingSite(
        scratch=folder / "scratch",
        out=folder / "out",
        log=folder / "log.txt",
        curves=folder / "curves",
        progress=lambda share, message, *, milestone=False: None,
    )
    return train_and_publish(data, recipe, site)


def test_the_encoder_is_the_one_fairseq_trained(trained: Path) -> None:
    import torch
    from fairseq import models, tasks
    from transformers import M2M100ForConditionalGeneration

    args, state = load_checkpoint(
        trained / "scratch" / "fine-tune" / "checkpoints" / "checkpoint_best.pt"
    )
    args.data = str(trained / "scratch" / "fine-tune" / "data")
    original = models.build_model(args, tasks.setup_task(args))
    original.load_state_dict(state)
    original.eval()
    published = M2M100ForConditionalGeneration.from_pretrained(trained / "out" / HUGGINGFACE)
    published.eval()
    subwords = Subwords(trained / "subwords.model")
    tag = subwords.piece_id(language_tag("sis"))
    texts = ["unseen ѫ words here", *(row[1] for row in sandbox_rows(5))]
    for ids in subwords.encode_ids(texts):
        tokens = torch.tensor([[tag, *ids, EOS]])
        with torch.no_grad():
            theirs = original.encoder(tokens, torch.tensor([tokens.shape[1]]))["encoder_out"][0]
            ours = published.get_encoder()(tokens).last_hidden_state
        assert torch.allclose(theirs[:, 0], ours[0], atol=1e-4)


def sandbox_rows(count: int) -> list[tuple[str, str, str]]:
    recipe = sandbox.SandboxRecipe(pairs=count, monolingual=1)
    return list(sandbox.parallel(recipe, "sis"))


def test_ctranslate2_and_hugging_face_translate_alike(trained: Path) -> None:
    import torch
    from transformers import M2M100ForConditionalGeneration

    subwords = Subwords(trained / "subwords.model")
    engine = NmtEngine(trained / "out" / CTRANSLATE2, trained / "subwords.model", threads=1)
    model = M2M100ForConditionalGeneration.from_pretrained(trained / "out" / HUGGINGFACE)
    lines = [row[:2] for row in sandbox_rows(5)]
    tag = subwords.piece_id(language_tag("sis"))
    translated = engine.translate(lines, source="hub", target="sis", decoding=GREEDY)
    for (key, text), (same_key, translation) in zip(lines, translated, strict=True):
        assert same_key == key
        tokens = torch.tensor([[tag, *subwords.encode_ids([text])[0], EOS]])
        longest = GREEDY.max_pieces
        made = model.generate(tokens, num_beams=1, max_new_tokens=longest, do_sample=False)
        pieces = list(subwords.pieces())
        assert subwords.decode([[pieces[i] for i in made[0].tolist() if i > 2]])[0] == translation


def test_an_empty_text_stays_empty_and_keeps_its_place(trained: Path) -> None:
    engine = NmtEngine(trained / "out" / CTRANSLATE2, trained / "subwords.model", threads=1)
    lines = [("k:1", ""), ("k:2", "ba"), ("k:3", " "), ("k:4", "da")]
    translated = engine.translate(lines, source="hub", target="sis", decoding=GREEDY)
    assert [key for key, _ in translated] == [key for key, _ in lines]
    assert [translated[0][1], translated[2][1]] == ["", ""]


def test_a_sentence_has_one_vector_whatever_stands_beside_it(trained: Path) -> None:
    import numpy

    encoder = NmtEncoder(
        trained / "out" / HUGGINGFACE, trained / "subwords.model", tag=language_tag("hub")
    )
    texts = ["ba", "a much longer sentence than the first", "da ba"]
    together = encoder.encode(texts)
    assert together.shape == (3, 2 * RECIPE.width)
    for n, text in enumerate(texts):
        assert numpy.allclose(encoder.encode([text])[0], together[n], atol=1e-4)


def test_the_vector_of_a_long_text_holds_its_end(trained: Path) -> None:
    import numpy

    encoder = NmtEncoder(
        trained / "out" / HUGGINGFACE, trained / "subwords.model", tag=language_tag("hub")
    )
    start = "ba da " * 400
    vectors = encoder.encode([start, start + "mo ki", "", start + "ne lu"])
    assert vectors.shape == (4, 2 * RECIPE.width)
    assert numpy.isfinite(vectors).all()
    assert len({vector.tobytes() for vector in vectors}) == 4
    assert encoder.encode([]).shape == (0, 2 * RECIPE.width)


def test_a_long_text_is_translated_sentence_by_sentence(trained: Path) -> None:
    engine = NmtEngine(
        trained / "out" / CTRANSLATE2, trained / "subwords.model", threads=1, longest=20
    )
    sentences = ["Ba da mo ki ne.", "Lu sa ri to?", "Da ba ki mo!"] * 4
    lines = [("k:1", " ".join(sentences)), ("k:2", "ba"), *[(f"s:{s}", s) for s in sentences]]
    (long, short, *single) = engine.translate(lines, source="hub", target="sis", decoding=GREEDY)
    assert long == ("k:1", " ".join(filter(None, (text for _, text in single))))
    assert short[0] == "k:2"


def test_a_training_leaves_learning_curves(trained: Path) -> None:
    for phase in ("main", "fine-tune"):
        for tag in ("train", "valid"):
            assert list((trained / "curves" / phase / tag).glob("events.out.tfevents.*"))


@pytest.mark.system
def test_two_processes_train_one_model_together(trained: Path, tmp_path: Path) -> None:
    recipe = dataclasses.replace(RECIPE, processes=2, fine_tune_updates=0)
    result = train(bitext(trained), recipe, tmp_path)
    (phase,) = result.facts["phases"]
    assert [updates for updates, _ in phase["validations"]] == [6, 12]
    log = (tmp_path / "log.txt").read_text(encoding="utf-8")
    assert "distributed init (rank 1)" in log
    assert "'distributed_backend': 'gloo'" in log
    assert (tmp_path / "out" / CTRANSLATE2).is_dir()
    lines_of_an_epoch = result.counts["train.hub-sis"]["sentences"] * 2
    assert lines_of_an_epoch == 300
