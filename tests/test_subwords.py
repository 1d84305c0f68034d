"""The joint subword model: fixed ids for what is special, and text that survives it."""

from pathlib import Path

import pytest

from models.casing import TITLE, UPPER
from models.subwords import (
    BACK_TRANSLATION_TAG,
    EOS,
    SPECIAL_PIECES,
    SubwordRecipe,
    Subwords,
    language_tag,
    train_subwords,
)
from models.support.errors import SourceError
from tasks.sandbox import SandboxRecipe, parallel

LANGUAGES = ["hub", "sis"]
SCRIPTS = ["ba'na ta' tao", "हिन्दी में एक वाक्य", "ꦲꦏ꧀ꦱꦫ ꦗꦮ", "كتاب جديد", "می\u200cخواهم", "café"]
CASES = ["Ba'na TA' tao", "HIV/AIDS Duhh Rp50 eBay I", "Straße İzmir ΣΊΣΥΦΟΣ", "café CAFÉ"]
RECIPE = SubwordRecipe(size=300)


def lines() -> list[str]:
    pairs = parallel(SandboxRecipe(pairs=150, monolingual=10), "sis")
    return [text for _, *texts in pairs for text in texts] + (SCRIPTS + CASES) * 20


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("subwords") / "subwords.model"
    size = train_subwords(lines(), LANGUAGES, RECIPE, path)
    assert [p.name for p in path.parent.iterdir()] == ["subwords.model"]
    assert size == len(Subwords(path)) <= RECIPE.size
    return path


@pytest.fixture(scope="module")
def subwords(model: Path) -> Subwords:
    return Subwords(model)


def test_special_pieces_come_first(subwords: Subwords) -> None:
    tags = [language_tag(code) for code in LANGUAGES]
    expected = [*SPECIAL_PIECES, *tags, BACK_TRANSLATION_TAG]
    assert list(subwords.pieces())[: len(expected)] == expected
    assert subwords.piece_id("</s>") == EOS
    assert subwords.piece_id(language_tag("sis")) == 5


def test_every_piece_has_its_own_id(subwords: Subwords) -> None:
    pieces = list(subwords.pieces())
    assert len(set(pieces)) == len(pieces) == len(subwords)
    assert [subwords.piece_id(p) for p in pieces if p != "<unk>"] == [
        i for i, p in enumerate(pieces) if p != "<unk>"
    ]


@pytest.mark.parametrize("text", [*SCRIPTS, *CASES, ""])
def test_known_text_survives(subwords: Subwords, text: str) -> None:
    assert subwords.decode(subwords.encode_pieces([text])) == [text]


def test_case_is_a_mark_behind_the_word(subwords: Subwords) -> None:
    title, upper, lower = subwords.encode_pieces(["Café", "CAFÉ", "café"])
    assert title == [*lower, TITLE]
    assert upper == [*lower, UPPER]


def test_a_case_mark_is_a_piece_of_its_own(subwords: Subwords) -> None:
    assert [p for p in subwords.pieces() if TITLE in p or UPPER in p] == [TITLE, UPPER]


def test_text_cannot_fake_a_case_mark(subwords: Subwords) -> None:
    assert subwords.decode(subwords.encode_pieces([f"ca{UPPER}fé{TITLE}"])) == ["café"]


def test_without_inline_casing_case_stays_in_the_pieces(tmp_path: Path) -> None:
    path = tmp_path / "subwords.model"
    train_subwords(lines(), LANGUAGES, SubwordRecipe(size=300, inline_case=False), path)
    subwords = Subwords(path)
    assert not {TITLE, UPPER, "()"} & {*subwords.pieces()}
    (pieces,) = subwords.encode_pieces(["CAFÉ"])
    assert "".join(pieces) == "▁CAFÉ"
    assert subwords.decode([pieces]) == ["CAFÉ"]


def test_sentences_survive(subwords: Subwords) -> None:
    texts = lines()[:50]
    assert subwords.decode(subwords.encode_pieces(texts)) == texts


def test_ids_and_pieces_agree(subwords: Subwords) -> None:
    (ids,), (pieces,) = subwords.encode_ids(SCRIPTS[:1]), subwords.encode_pieces(SCRIPTS[:1])
    assert [subwords.piece_id(piece) for piece in pieces] == ids


@pytest.mark.parametrize("text", [BACK_TRANSLATION_TAG, "__sis__", "</s>", "a <BT> b", "<pad>"])
def test_text_cannot_fake_a_tag(subwords: Subwords, text: str) -> None:
    (ids,) = subwords.encode_ids([text])
    reserved = {i for i, _ in enumerate([*SPECIAL_PIECES, *LANGUAGES, BACK_TRANSLATION_TAG])}
    unknown = SPECIAL_PIECES.index("<unk>")
    assert not (reserved - {unknown}) & set(ids)


def test_a_tag_that_was_not_trained_is_named(subwords: Subwords) -> None:
    with pytest.raises(SourceError, match="no piece '__mad__'"):
        subwords.piece_id(language_tag("mad"))


def test_the_same_text_gives_the_same_model(model: Path, tmp_path: Path) -> None:
    again = tmp_path / "subwords.model"
    train_subwords(iter(lines()), LANGUAGES, RECIPE, again)
    assert list(Subwords(again).pieces()) == list(Subwords(model).pieces())


def test_a_tiny_corpus_gives_fewer_pieces(tmp_path: Path) -> None:
    size = train_subwords(["a b c"] * 5, ["ind"], SubwordRecipe(size=4000), tmp_path / "s.model")
    assert len(SPECIAL_PIECES) + 2 < size < 100


def test_no_text_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="subword model could not be trained"):
        train_subwords([], ["ind"], RECIPE, tmp_path / "s.model")
