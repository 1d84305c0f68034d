"""Pretrained encoders: read, cut, published, run; the real one where its package is installed."""

import json
import shutil
import struct
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from transformers import (
    AutoModel,
    AutoTokenizer,
    BertConfig,
    BertModel,
    DebertaV2Config,
    DebertaV2Model,
    PreTrainedTokenizerFast,
    XLMRobertaConfig,
    XLMRobertaModel,
)

from models.encoders.pretrained.cutting import characters_of, cut_tokenizer
from models.encoders.pretrained.fitness import measure_fitness
from models.encoders.pretrained.folders import (
    HUGGINGFACE,
    Checkpoint,
    EncoderSettings,
    PublishOrder,
    publish,
    read_published_tokenizer,
)
from models.encoders.pretrained.frozen import (
    BATCH_PIECES,
    FLOAT32,
    INT8,
    Agreement,
    FrozenEncoder,
    agreement,
)
from models.encoders.pretrained.packed import PackedModel
from models.support.batches import parts_of
from models.support.errors import SourceError
from pipeline.specs.loading import load_encoder
from tasks.sources.checkpoints import PackagedModel, packaged_file

TEXTS = ["Je ne sais pas", "ora apik, Aku!", "किताब अच्छी है", "Книга \u0451 хороша", "a"]
OTHERS = ["ⲁⲛⲟⲕ", "漢字です"]
SHAPES = ("bert", "xlm-r", "deberta")


def pieces_of(texts: Sequence[str]) -> list[str]:
    """Return single characters, and every word and half of a word."""
    words = [word for text in texts for word in text.split()]
    halves = [part for word in words for part in (word[: len(word) // 2], word[len(word) // 2 :])]
    return list(dict.fromkeys(filter(None, [*(c for w in words for c in w), *halves, *words])))


def wordpiece(texts: Sequence[str], *, lowercase: bool = False) -> Tokenizer:
    seen = [text.lower() for text in texts] if lowercase else texts
    special = ["[PAD]", "[unused1]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    pieces = pieces_of(seen)
    vocabulary = dict.fromkeys([*special, *pieces, *(f"##{piece}" for piece in pieces)])
    numbered = {piece: number for number, piece in enumerate(vocabulary)}
    tokenizer = Tokenizer(models.WordPiece(numbered, unk_token=special[2]))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=lowercase)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 4), ("[CLS]", 3))
    tokenizer.add_special_tokens([special[0], *special[2:]])
    return tokenizer


def unigram(texts: Sequence[str]) -> Tokenizer:
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    pieces = pieces_of(texts)
    scored = [(piece, -float(9 - len(piece) + n / 1000)) for n, piece in enumerate(pieces)]
    begun = [(f"\u2581{piece}", score + 0.3) for piece, score in scored]
    vocabulary = [*((token, 0.0) for token in special), ("\u2581", -3.0), *scored, *begun]
    tokenizer = Tokenizer(models.Unigram([*vocabulary, ("<mask>", 0.0)], unk_id=3))
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    tokenizer.add_special_tokens([*special, "<mask>"])
    return tokenizer


def write_folder(folder: Path, shape: str, **changes: Any) -> Path:
    """Write a small random encoder as `save_pretrained` does; it knows all texts of this module."""
    known = [*TEXTS, *OTHERS]
    tokenizer = wordpiece(known) if shape == "bert" else unigram(known)
    classes = {
        "bert": (BertConfig, BertModel),
        "xlm-r": (XLMRobertaConfig, XLMRobertaModel),
        "deberta": (DebertaV2Config, DebertaV2Model),
    }
    configure, build = classes[shape]
    special = {"unk_token": "[UNK]", "pad_token": "[PAD]", "cls_token": "[CLS]"}
    if shape != "bert":
        special = {"unk_token": "<unk>", "pad_token": "<pad>", "cls_token": "<s>"}
    config: Any = configure(
        **{
            "vocab_size": tokenizer.get_vocab_size(),
            "hidden_size": 32,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "intermediate_size": 64,
            "max_position_embeddings": 64,
            "pad_token_id": 0 if shape == "bert" else 1,
            "initializer_range": 0.3,
            **changes,
        }
    )
    torch.manual_seed(1)
    build(config).save_pretrained(folder)
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, **special).save_pretrained(folder)
    return folder


def order(folder: Path, out: Path, texts: Sequence[str] = TEXTS, **changes: Any) -> PublishOrder:
    checkpoint = Checkpoint(folder, None, changes.pop("cased", True))
    characters = frozenset(characters_of(texts, checkpoint.read_tokenizer()))
    settings = EncoderSettings(**{"prefix": "a ", **changes.pop("settings", {})})
    out.mkdir(parents=True, exist_ok=True)
    return PublishOrder(checkpoint, characters, settings, changes.pop("max_pieces", None), out)


def by_hand(folder: Path, text: str, *, first: bool = False) -> numpy.ndarray:
    """Return the vector of one text as the documentation of transformers has it."""
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder)
    with torch.inference_mode():
        states = model.eval()(**tokenizer(text, return_tensors="pt")).last_hidden_state[0]
    found: numpy.ndarray = (states[0] if first else states.mean(0)).numpy()
    return found


@pytest.mark.parametrize("pooling", ["mean", "first"])
@pytest.mark.parametrize("shape", SHAPES)
def test_a_cut_encoder_gives_the_vectors_of_the_whole_one(
    shape: str, pooling: str, tmp_path: Path
) -> None:
    folder = write_folder(tmp_path / "whole", shape)
    settings = {"pooling": pooling}
    found = publish(order(folder, tmp_path / "out", settings=settings))
    assert found.kept_pieces < found.pieces
    assert found.converted == (shape != "deberta")
    encoder = FrozenEncoder(tmp_path / "out", number=FLOAT32)
    whole = [by_hand(folder, f"a {text}", first=pooling == "first") for text in TEXTS]
    assert numpy.allclose(encoder.encode(TEXTS), whole, atol=1e-5)
    cut = by_hand(tmp_path / "out" / HUGGINGFACE, f"a {TEXTS[2]}", first=pooling == "first")
    assert numpy.allclose(cut, whole[2], atol=1e-5)


@pytest.mark.parametrize("shape", ["bert", "xlm-r"])
def test_int8_is_near_and_the_order_of_texts_is_kept(shape: str, tmp_path: Path) -> None:
    publish(order(write_folder(tmp_path / "whole", shape), tmp_path / "out"))
    exact = FrozenEncoder(tmp_path / "out", number=FLOAT32).encode(TEXTS)
    found = FrozenEncoder(tmp_path / "out", number=INT8, threads=2).encode(TEXTS)
    assert found.shape == exact.shape == (len(TEXTS), 32)
    assert found.dtype == numpy.float32
    near = agreement(found, exact)
    assert near.texts == len(TEXTS)
    assert near.least > 0.9  # a random network of 32 dimensions
    assert agreement(found[::-1], exact).least < near.least
    assert FrozenEncoder(tmp_path / "out", number=INT8).encode([]).shape == (0, 32)


def test_int8_is_chosen_where_every_vector_agrees() -> None:
    assert Agreement(0.998, 0.9993, 128).number == INT8
    assert Agreement(0.97, 0.9993, 128).number == FLOAT32
    assert Agreement(0.995, 0.996, 128).number == FLOAT32


@pytest.mark.parametrize("make", [wordpiece, unigram])
def test_texts_of_the_same_characters_are_cut_as_before(make: Any) -> None:
    whole = make([*TEXTS, *OTHERS])
    cut = cut_tokenizer(whole, characters_of(TEXTS, whole))
    assert cut is not None
    foreign = {piece for piece in whole.get_vocab() if "漢字" in piece}
    assert foreign
    assert not foreign & set(cut.tokenizer.get_vocab())
    new = ["hora pasika", "अहै कीकित", "Je हैKu", "x!", "", "Ω ora"]  # Ω is unknown to both
    for text in [*TEXTS, *new]:
        before, after = whole.encode(text), cut.tokenizer.encode(text)
        assert before.tokens == after.tokens
        assert [cut.kept[number] for number in after.ids] == before.ids
    assert "漢" in cut.tokenizer.encode("漢字").tokens[-3] + "漢"
    unknown = cut.tokenizer.token_to_id("[UNK]") or cut.tokenizer.token_to_id("<unk>")
    assert unknown not in cut.tokenizer.encode("漢字").ids  # letter by letter, yet not unknown


def test_merged_pieces_are_not_cut() -> None:
    tokenizer = Tokenizer(models.BPE({"a": 0, "b": 1, "ab": 2}, [("a", "b")]))
    assert cut_tokenizer(tokenizer, {"a"}) is None


def test_batches_hold_every_text_once_and_so_many_pieces() -> None:
    ids = [[0] * length for length in (5, 700, 3, 2000, 9, 3000, 1, 700, 700)]
    batches = list(parts_of(range(len(ids)), list(map(len, ids)), BATCH_PIECES))
    assert sorted(number for batch in batches for number in batch) == list(range(len(ids)))
    padded = [len(batch) * max(len(ids[n]) for n in batch) for batch in batches if len(batch) > 1]
    assert max(padded) <= BATCH_PIECES


def test_long_texts_are_cut_at_the_longest_length(tmp_path: Path) -> None:
    publish(order(write_folder(tmp_path / "whole", "bert"), tmp_path / "out", max_pieces=12))
    encoder = FrozenEncoder(tmp_path / "out", number=FLOAT32)
    assert EncoderSettings.read(tmp_path / "out").max_pieces == 12
    assert [len(ids) for ids in encoder.ids(["ora " * 50, "a"])] == [12, 4]
    long, longer = encoder.encode(["ora " * 50, "ora " * 90])
    assert numpy.allclose(long, longer)


@pytest.mark.parametrize(("shape", "positions"), [("bert", 64), ("xlm-r", 62)])
def test_positions_are_as_many_as_the_architecture_leaves(
    shape: str, positions: int, tmp_path: Path
) -> None:
    folder = write_folder(tmp_path / "whole", shape)
    assert publish(order(folder, tmp_path / "out")).max_pieces == positions
    with pytest.raises(SourceError, match=f"positions for {positions} pieces; write {positions}"):
        publish(order(folder, tmp_path / "out2", max_pieces=128))


def without(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).unlink()


def test_a_folder_without_the_flag_is_not_lower_cased(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "whole", "bert")
    vocabulary = AutoTokenizer.from_pretrained(folder).get_vocab()
    without(folder, "tokenizer.json", "tokenizer_config.json")
    pieces = "\n".join(sorted(vocabulary, key=vocabulary.__getitem__))
    (folder / "vocab.txt").write_text(pieces + "\n", encoding="utf-8")
    (folder / "tokenizer_config.json").write_text('{"tokenizer_class": "BertTokenizer"}')
    assert "Je" not in AutoTokenizer.from_pretrained(folder).tokenize("Je ne")  # the trap
    assert "Je" in Checkpoint(folder, None, True).read_tokenizer().encode("Je ne").tokens
    publish(order(folder, tmp_path / "out"))
    assert "Je" in AutoTokenizer.from_pretrained(tmp_path / "out" / HUGGINGFACE).tokenize("Je ne")


def test_a_lower_casing_tokenizer_of_a_cased_encoder_is_refused(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "whole", "bert")
    wordpiece([*TEXTS, *OTHERS], lowercase=True).save(str(folder / "tokenizer.json"))
    with pytest.raises(SourceError, match=r"lower-cases .*write `cased: false`"):
        Checkpoint(folder, None, True).read_tokenizer()
    assert Checkpoint(folder, None, False).read_tokenizer().encode("Je").tokens[1] == "je"


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda f: (f / "model.safetensors").write_bytes(b"no"), "cannot be loaded"),
        (lambda f: (f / "config.json").write_text("{"), "cannot be loaded"),
        (lambda f: (f / "tokenizer.json").write_text("{"), "not a tokenizer"),
        (
            lambda f: unigram([*TEXTS, "xyz " * 9, "qwerty asdfgh"]).save(
                str(f / "tokenizer.json")
            ),
            "of different models",
        ),
        (
            lambda f: (f / "config.json").write_text(
                json.dumps({**json.loads((f / "config.json").read_text()), "num_hidden_layers": 3})
            ),
            "weights are missing",
        ),
    ],
    ids=["weights", "config", "tokenizer", "another tokenizer", "a layer"],
)
def test_a_folder_that_is_not_whole_is_refused(spoil: Any, said: str, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "whole", "xlm-r")
    if said == "of different models":
        write_folder(tmp_path / "whole", "xlm-r", vocab_size=20)
    settings, out = EncoderSettings(), tmp_path / "out"
    spoil(folder)
    with pytest.raises(SourceError, match=said) as error:
        publish(PublishOrder(Checkpoint(folder, None, True), frozenset("a"), settings, None, out))
    assert str(folder) in str(error.value)


def test_fitness_tells_what_a_tokenizer_loses() -> None:
    cased, lower = wordpiece(TEXTS), wordpiece(TEXTS, lowercase=True)
    lower.normalizer = normalizers.BertNormalizer(lowercase=True, strip_accents=True)
    good = measure_fitness(["Je ne sais pas"], cased, prefix="", max_pieces=64)
    assert (good.pieces_a_word, good.unknown_pieces, good.too_long) == (1.0, 0.0, 0.0)
    assert list(good.remarks(cased=True)) == []
    hindi = measure_fitness(["किताब अच्छी है"], lower, prefix="", max_pieces=64)
    assert hindi.marks_lost == 0.4  # the two signs that take no room of their own
    assert "40% of the accents and vowel signs are stripped" in list(hindi.remarks(cased=False))
    french = measure_fitness(["Je Ne"], lower, prefix="", max_pieces=64)
    assert french.capitals_lost == 1.0
    assert any("lower-cased by a cased encoder" in said for said in french.remarks(cased=True))
    assert not any("lower-cased" in said for said in french.remarks(cased=False))
    letters = measure_fitness(["Je t"], unigram(TEXTS), prefix="", max_pieces=64)
    assert letters.unknown_pieces == pytest.approx(1 / 3)  # of `▁Je`, `▁` and an unknown letter
    foreign = measure_fitness(["ⲁⲛⲟⲕ Je", ""], cased, prefix="ora ", max_pieces=4)
    assert foreign.unknown_pieces == 0.5
    assert foreign.too_long == 0.5  # two pieces and the prefix in a place for two
    assert any("50.0% of its pieces are unknown" in said for said in foreign.remarks(cased=True))


def packed_bytes(*, magic: bytes = b"E5S1") -> bytes:
    """Return a tiny packed encoder: width 32, one layer, six pieces, a vocabulary of seven rows."""
    pieces = ["<s>", "<pad>", "</s>", "<unk>", "\u2581", "\u2581ab"]
    blob = "".join(pieces).encode()
    ends = numpy.cumsum([0, *(len(piece.encode()) for piece in pieces)])
    head = magic + struct.pack("<I7ifi", 1, 32, 1, 2, 64, 7, 16, 2, 1e-12, 32)
    head += struct.pack("<5iQ", 6, 0, 2, 1, 3, len(blob))
    head += struct.pack("<7I6f", *ends, 0, 0, 0, 0, -2.5, -3.5) + blob
    head += struct.pack("<iI", 1, 9) + struct.pack("<IBI", 0x200B, 1, 0x20)
    sizes = {"emb.word": 7 * 32, "emb.pos": 16 * 32, "emb.type": 2 * 32}
    sizes |= {"emb.ln.w": 32, "emb.ln.b": 32}
    for name, size in {"q": 1024, "k": 1024, "v": 1024, "ao": 1024, "fi": 2048, "fo": 2048}.items():
        sizes |= {f"l0.{name}.w": size, f"l0.{name}.b": 64 if name == "fi" else 32}
    sizes |= {f"l0.{name}.{form}": 32 for name in ("aln", "oln") for form in "wb"}
    rng = numpy.random.default_rng(1)
    entries, data = b"", b""
    start = len(head) + 4 + sum(2 + len(name) + 21 for name in sizes)
    for name, size in sizes.items():
        if name == "emb.word":
            block = numpy.float16(0.5).tobytes() + bytes(range(16))
            raw, form = block * 7, 1
        else:
            raw, form = rng.normal(0, 0.3, size).astype("<f4").tobytes(), 0
        entries += struct.pack("<H", len(name)) + name.encode()
        entries += struct.pack("<BIQQ", form, size, start + len(data), len(raw))
        data += raw
    return head + struct.pack("<i", len(sizes)) + entries + data


def test_a_packed_encoder_is_read_as_its_layout_says(tmp_path: Path) -> None:
    path = tmp_path / "small.bin"
    path.write_bytes(packed_bytes())
    packed = PackedModel(path)
    row = packed.array("emb.word", 32)[0]
    assert row[:16].tolist() == [(n % 16 - 8) * 0.5 for n in range(16)]  # low halves
    assert row[16:].tolist() == [-4.0] * 16  # high halves, all zero
    assert packed.model.embeddings.word_embeddings.weight.shape == (7, 32)
    found = packed.tokenizer.encode("ab\u200bab  ab")
    assert found.tokens == ["<s>", "\u2581ab", "\u2581ab", "\u2581ab", "</s>"]
    assert found.ids == [0, 5, 5, 5, 2]


def test_a_packed_encoder_is_published_like_any_other(tmp_path: Path) -> None:
    (tmp_path / "small.bin").write_bytes(packed_bytes())
    checkpoint = Checkpoint(tmp_path, "small.bin", True)
    (tmp_path / "out").mkdir()
    found = publish(
        PublishOrder(checkpoint, frozenset("ab"), EncoderSettings(), None, tmp_path / "out")
    )
    assert (found.pieces, found.max_pieces, found.converted) == (7, 16, True)
    vector = by_hand(tmp_path / "out" / HUGGINGFACE, "ab")
    assert numpy.allclose(
        FrozenEncoder(tmp_path / "out", number=FLOAT32).encode(["ab"])[0], vector, atol=1e-5
    )


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (packed_bytes(magic=b"GGUF"), "does not begin with E5S1"),
        (packed_bytes()[:-100], "it ends after"),
        (packed_bytes()[:60], "not a sound E5S1 file"),
        (b"", "not a sound E5S1 file"),
    ],
)
def test_a_packed_file_that_is_not_sound_is_refused(
    content: bytes, said: str, tmp_path: Path
) -> None:
    (tmp_path / "bad.bin").write_bytes(content)
    with pytest.raises(SourceError, match=said):
        PackedModel(tmp_path / "bad.bin")


def real_file() -> Path:
    source = load_encoder("e5-small").source
    assert isinstance(source, PackagedModel)
    try:
        version(source.name)
    except PackageNotFoundError:
        pytest.skip("the optional package with the weights is not installed")
    return packaged_file(source)


@pytest.mark.system
def test_the_real_encoder_knows_translations(tmp_path: Path) -> None:
    source = real_file()
    shutil.copyfile(source, tmp_path / source.name)
    checkpoint = Checkpoint(tmp_path, source.name, True)
    texts = ["Saya sangat senang hari ini.", "I am very happy today.", "Harga beras naik di pasar."]
    whole = checkpoint.read_tokenizer()
    characters = frozenset(characters_of(texts, whole))
    settings, out = EncoderSettings(prefix="query: "), tmp_path / "out"
    out.mkdir()
    found = publish(PublishOrder(checkpoint, characters, settings, None, out))
    assert found.pieces == 250_037
    assert found.kept_pieces < 150_000
    encoder, published = FrozenEncoder(out, number=INT8), read_published_tokenizer(out)
    for text in [*texts, "Halo Rani, apa kabar?"]:
        cut = [published.id_to_token(n) for n in encoder.ids([text])[0]]
        assert cut == whole.encode(f"query: {text}").tokens
    vectors = encoder.encode(texts)
    assert agreement(vectors[:1], vectors[1:2]).mean > 0.9  # the same in another language
    assert agreement(vectors[:1], vectors[2:]).mean < 0.85
