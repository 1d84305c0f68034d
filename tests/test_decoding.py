"""How a translation is decoded: what users may write, draws that repeat, noise on words."""

import re
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import TypeAdapter, ValidationError

from models.engines import nmt
from models.engines.nmt import NmtEngine
from models.engines.noise import BLANK, add_noise
from models.engines.protocol import Decoding, Line, Noise
from models.subwords import SubwordRecipe, Subwords, train_subwords
from tasks import sandbox

DECODING = TypeAdapter(Decoding)


@pytest.mark.parametrize(
    ("written", "expected", "name"),
    [
        ("{}", Decoding(beam=4), "beam4"),
        ("{beam: 1}", Decoding(beam=1), "beam1"),
        ("{sampling: 1.0}", Decoding(sampling=1.0), "sampling1"),
        ("{sampling: 0.7, seed: 3}", Decoding(sampling=0.7, seed=3), "sampling0.7"),
        ("{top_k: 10}", Decoding(top_k=10), "top_k10"),
        ("{nucleus: 0.9}", Decoding(nucleus=0.9), "nucleus0.9"),
        ("{beam: 4, noise: {}}", Decoding(beam=4, noise=Noise()), "beam4-noised"),
        ("{noise: {delete: 0.2}}", Decoding(noise=Noise(delete=0.2)),
         "beam4-noised-delete0.2"),
        ("{beam: 4, max_pieces: 100}", Decoding(beam=4, max_pieces=100), "beam4-max_pieces100"),
        ("{top_k: 2, noise: {shuffle: 0}}", Decoding(top_k=2, noise=Noise(shuffle=0)),
         "top_k2-noised-shuffle0"),
    ],
)  # fmt: skip
def test_a_decoding_is_written_as_one_search_and_perhaps_noise(
    written: str, expected: Decoding, name: str
) -> None:
    decoding = DECODING.validate_python(yaml.safe_load(written))
    assert decoding == expected
    assert decoding.name == name
    assert decoding.random == (not name.startswith("beam"))


def test_noise_is_that_of_edunov_where_nothing_else_is_said() -> None:
    assert Noise() == Noise(delete=0.1, blank=0.1, shuffle=3)


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("{beam: 4, top_k: 10}", "beam and top_k are two ways to search: name one"),
        ("{sampling: 1.0, nucleus: 0.9}", "sampling and nucleus are two ways to search"),
        ("{beam: 0}", "greater than or equal to 1"),
        ("{sampling: 0}", "greater than 0"),
        ("{top_k: 1}", "greater than or equal to 2"),
        ("{nucleus: 1.1}", "less than or equal to 1"),
        ("{nucleus: 0}", "greater than 0"),
        ("{noise: {delete: 1.5}}", "less than or equal to 1"),
        ("{max_pieces: 0}", "greater than or equal to 1"),
        ("{sampling: 1.0, seed: -1}", "greater than or equal to 0"),
        ("{sampling: 1.0, seed: 4294967296}", "less than 4294967296"),
    ],
)
def test_what_no_search_can_do_is_refused(written: str, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        DECODING.validate_python(yaml.safe_load(written))


SENTENCES = {
    "ind": "saya makan nasi di rumah , lalu dia minum kopi .",
    "hin": "यह किताब बहुत अच्छी है और मैं इसे पढ़ता हूँ ।",
    "tha": "ฉันกินข้าว ที่บ้าน แล้วก็ดื่มกาแฟ",
    "jav": "ꦲꦏ꧀ꦱꦫ ꦗꦮ ꦲꦶꦏꦶ ꦲꦥꦶꦏ꧀",
}


def noisy(text: str, noise: Noise, *, key: str = "k:1", seed: int = 1) -> list[str]:
    ((same, made),) = add_noise([(key, text)], noise, seed=seed)
    assert same == key
    return made.split()


@pytest.mark.parametrize("text", SENTENCES.values(), ids=SENTENCES.keys())
def test_noise_moves_drops_and_blanks_whole_words(text: str) -> None:
    words = Counter(text.split())
    seen = Counter[str]()
    for seed in range(200):
        made = noisy(text, Noise(), seed=seed)
        assert Counter(w for w in made if w != BLANK) <= words
        assert any(word != BLANK for word in made)
        seen.update({"kept": len(made), "blank": made.count(BLANK), "runs": 1})
    assert seen["kept"] == pytest.approx(0.9 * 200 * words.total(), rel=0.06)
    assert seen["blank"] == pytest.approx(0.1 * seen["kept"], rel=0.3)


def test_words_move_by_less_than_the_given_number_of_places() -> None:
    words = [str(n) for n in range(50)]
    moved = set()
    for seed in range(50):
        made = noisy(" ".join(words), Noise(delete=0, blank=0, shuffle=3), seed=seed)
        assert sorted(made, key=int) == words
        moved |= {abs(int(word) - place) for place, word in enumerate(made)}
    assert moved == {0, 1, 2}


@pytest.mark.parametrize(
    ("text", "noise", "expected"),
    [
        ("", Noise(), ""),
        ("nasi", Noise(delete=1, blank=1), "nasi"),
        ("ฉันกินข้าวที่บ้าน", Noise(delete=1, blank=1), "ฉันกินข้าวที่บ้าน"),
        ("saya makan nasi", Noise(delete=0, blank=0, shuffle=0), "saya makan nasi"),
        ("saya makan nasi", Noise(delete=0, blank=0, shuffle=1), "saya makan nasi"),
        ("saya makan nasi", Noise(delete=1, blank=0, shuffle=0), "saya"),
        ("यह किताब है", Noise(delete=0, blank=1, shuffle=0), f"यह {BLANK} {BLANK}"),
    ],
)
def test_noise_at_its_limits_leaves_a_word(text: str, noise: Noise, expected: str) -> None:
    assert add_noise([("k:1", text)], noise, seed=1) == [("k:1", expected)]


def test_noise_hangs_on_seed_and_id_alone() -> None:
    lines = [(f"k:{n}", SENTENCES["ind"]) for n in range(20)]
    together = add_noise(lines, Noise(), seed=1)
    assert together == [add_noise([line], Noise(), seed=1)[0] for line in lines]
    assert len({text for _, text in together}) > 10
    assert add_noise(lines, Noise(), seed=2) != together


SAMPLERS = [
    Decoding(sampling=1.0, max_pieces=12),
    Decoding(sampling=0.5, max_pieces=12),
    Decoding(top_k=10, max_pieces=12),
    Decoding(nucleus=0.9, max_pieces=12),
]


@pytest.fixture(scope="module")
def lines() -> list[Line]:
    small = sandbox.SandboxRecipe(pairs=300, monolingual=1)
    return [(key, hub) for key, hub, _ in sandbox.parallel(small, "sis")][:60]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory, lines: list[Line]) -> Path:
    """Return a folder with subwords and a CTranslate2 model whose weights are drawn at random."""
    folder = tmp_path_factory.mktemp("drawn")
    recipe = SubwordRecipe(size=150)
    train_subwords((text for _, text in lines), ["hub", "sis"], recipe, folder / "subwords.model")
    (folder / "ctranslate2").mkdir()
    spec = random_transformer(list(Subwords(folder / "subwords.model").pieces()))
    spec.save(str(folder / "ctranslate2"))
    return folder


def random_transformer(pieces: list[str], width: int = 16) -> Any:
    """Return a pre-norm transformer of a layer on each side, as CTranslate2 stores it."""
    import numpy
    from ctranslate2.specs import TransformerSpec

    spec = TransformerSpec.from_config(1, 2, pre_norm=True)
    draw = numpy.random.default_rng(1)

    def norm(layer: Any) -> None:
        layer.gamma, layer.beta = numpy.ones(width, "f"), numpy.zeros(width, "f")

    def linear(layer: Any, rows: int, columns: int) -> None:
        layer.weight = draw.normal(0, columns**-0.5, (rows, columns)).astype("f")
        layer.bias = numpy.zeros(rows, "f")

    def attention(block: Any, *rows: int) -> None:
        norm(block.layer_norm)
        for layer, count in zip(block.linear, rows, strict=True):
            linear(layer, count, width)

    embeddings = draw.normal(0, 0.5, (len(pieces), width)).astype("f")
    positions = draw.normal(0, 0.5, (600, width)).astype("f")
    spec.encoder.embeddings[0].weight = embeddings
    spec.decoder.embeddings.weight = embeddings
    for side in (spec.encoder, spec.decoder):
        norm(side.layer_norm)
        side.position_encodings.encodings = positions
        block = side.layer[0]
        attention(block.self_attention, 3 * width, width)
        norm(block.ffn.layer_norm)
        linear(block.ffn.linear_0, 2 * width, width)
        linear(block.ffn.linear_1, width, 2 * width)
    attention(spec.decoder.layer[0].attention, width, 2 * width, width)
    spec.decoder.projection.weight = embeddings
    spec.decoder.projection.bias = numpy.zeros(len(pieces), "f")
    spec.config.decoder_start_token = "</s>"  # noqa: S105
    spec.config.add_source_eos = True
    spec.register_source_vocabulary(pieces)
    spec.register_target_vocabulary(pieces)
    spec.validate()
    spec.optimize()
    return spec


def engine(model: Path, *, threads: int = 1) -> NmtEngine:
    return NmtEngine(model / "ctranslate2", model / "subwords.model", threads=threads)


def translate(model: Path, lines: list[Line], decoding: Decoding, *, threads: int = 1) -> list[str]:
    translated = engine(model, threads=threads).translate(
        lines, source="hub", target="sis", decoding=decoding
    )
    assert [key for key, _ in translated] == [key for key, _ in lines]
    return [text for _, text in translated]


@pytest.fixture
def _small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nmt, "SOURCES_A_SEED", {"cpu": 7, "cuda": 7})


@pytest.mark.usefixtures("_small_parts")
@pytest.mark.parametrize("decoding", SAMPLERS, ids=lambda d: d.name)
def test_a_draw_hangs_on_lines_and_seed_not_on_threads_or_history(
    model: Path, lines: list[Line], decoding: Decoding
) -> None:
    first = translate(model, lines, decoding)
    assert translate(model, lines, decoding, threads=3) == first
    used = engine(model, threads=2)
    for earlier in (Decoding(sampling=1.0, seed=9, max_pieces=12), Decoding(beam=2, max_pieces=5)):
        used.translate(lines[:20], source="hub", target="sis", decoding=earlier)
    again = used.translate(lines, source="hub", target="sis", decoding=decoding)
    assert [text for _, text in again] == first
    another = Decoding(**{**vars(decoding), "seed": 2})
    assert translate(model, lines, another) != first


@pytest.mark.usefixtures("_small_parts")
def test_each_line_has_a_draw_of_its_own(model: Path, lines: list[Line]) -> None:
    same = [(f"k:{n}", lines[0][1]) for n in range(21)]
    drawn = translate(model, same, Decoding(sampling=1.0, max_pieces=12), threads=2)
    assert len(set(drawn)) > 15
    parts = (drawn[:7], drawn[7:14], drawn[14:])
    assert all(one != other for one, other in pairwise(parts))
    assert len(set(translate(model, same, Decoding(beam=2, max_pieces=12)))) == 1


def test_what_leaves_one_choice_is_greedy_search(model: Path, lines: list[Line]) -> None:
    greedy = translate(model, lines, Decoding(beam=1, max_pieces=12))
    assert translate(model, lines, Decoding(nucleus=1e-6, max_pieces=12)) == greedy
    assert translate(model, lines, Decoding(sampling=1e-4, max_pieces=12)) == greedy
    assert translate(model, lines, Decoding(sampling=1.0, max_pieces=12)) != greedy


def test_the_wider_the_choice_the_more_pieces_are_used(model: Path, lines: list[Line]) -> None:
    same = [(f"k:{n}", lines[0][1]) for n in range(100)]
    choices: list[dict[str, Any]] = [{"top_k": 2}, {"top_k": 20}, {"sampling": 1.0}]
    subwords = Subwords(model / "subwords.model")
    used = []
    for choice in choices:
        texts = translate(model, same, Decoding(**choice, max_pieces=1))
        used.append(len({tuple(pieces) for pieces in subwords.encode_pieces(texts)}))
    assert used[0] <= 2 < used[1] <= 20 < used[2]


def test_a_choice_as_wide_as_the_vocabulary_is_free_sampling(
    model: Path, lines: list[Line]
) -> None:
    everything = translate(model, lines, Decoding(top_k=50_000, max_pieces=12))
    assert len(set(everything)) > len(lines) // 2


@pytest.mark.parametrize("decoding", [Decoding(beam=2), SAMPLERS[0]], ids=lambda d: d.name)
def test_empty_lines_stay_empty(model: Path, decoding: Decoding) -> None:
    assert translate(model, [], decoding) == []
    assert translate(model, [("k:1", ""), ("k:2", " ")], decoding) == ["", ""]


def test_a_translation_ends_at_its_limit(model: Path, lines: list[Line]) -> None:
    subwords = Subwords(model / "subwords.model")
    texts = translate(model, lines, Decoding(sampling=1.0, max_pieces=3))
    assert max(map(len, subwords.encode_pieces(texts))) <= 3 + 2  # segmented anew


def test_noise_hits_words_that_no_space_parts_and_leaves_what_parts_them() -> None:
    text = "ខ្ញុំ\u200bទៅ\u200bសាលា។ គាត់\u200bមក"
    ((_, moved),) = add_noise([("k:1", text)], Noise(delete=0, blank=0, shuffle=3), seed=2)
    assert moved != text
    assert sorted(re.split("[ \u200b]", moved)) == sorted(re.split("[ \u200b]", text))
    assert re.sub("[^ \u200b]+", "", moved) == "\u200b\u200b \u200b"
    ((_, blank),) = add_noise([("k:1", text)], Noise(delete=0, blank=1, shuffle=0), seed=2)
    assert blank == f"ខ្ញុំ\u200b{BLANK}\u200b{BLANK} {BLANK}\u200b{BLANK}"
