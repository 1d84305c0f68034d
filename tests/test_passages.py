"""Texts of many sentences: cut where a script ends them, nothing lost, joined as it is spaced."""

import pytest
import regex

from models.passages import cut_passage, join_passage
from models.subwords import SubwordRecipe, Subwords, train_subwords
from pipeline.stages.systems.trained import longest_passage

PARAGRAPHS = {
    "ind": "Saya makan nasi. Apakah dia minum kopi? “Sungai itu lebar.” Kami pulang larut!",
    "hin": "मैं घर पर चावल खाता हूँ। क्या वह कॉफ़ी पीती है? यह नदी चौड़ी है। हम देर से घर गए।",
    "amh": "እኔ ቤት ውስጥ ሩዝ እበላለሁ። እሷ ቡና ትጠጣለች። ወንዙ ሰፊ ነው፡፡ ዘግይተን ወደ ቤት ሄድን።",
    "cmn": "我在家吃米饭。她喝咖啡吗？这条河很宽。我们很晚回家！",
    "mya": "ကျွန်တော် ထမင်းစားတယ်။ သူမ ကော်ဖီသောက်တယ်။ မြစ်က ကျယ်တယ်။ ကျွန်တော်တို့ နောက်ကျမှ ပြန်တယ်။",
}  # fmt: skip


@pytest.fixture(scope="module")
def subwords(tmp_path_factory: pytest.TempPathFactory) -> Subwords:
    path = tmp_path_factory.mktemp("subwords") / "model"
    train_subwords(list(PARAGRAPHS.values()) * 30, ["aaa"], SubwordRecipe(size=400), path)
    return Subwords(path)


@pytest.mark.parametrize("text", PARAGRAPHS.values(), ids=PARAGRAPHS)
def test_a_paragraph_is_cut_into_its_sentences(text: str, subwords: Subwords) -> None:
    parts = cut_passage(text, subwords.encode_pieces, window=1000)
    assert len(parts) == 4
    assert join_passage(subwords.decode(parts)) == text


@pytest.mark.parametrize("text", PARAGRAPHS.values(), ids=PARAGRAPHS)
def test_a_sentence_without_end_is_cut_between_words(text: str, subwords: Subwords) -> None:
    endless = regex.sub(r"[\p{Sentence_Terminal}፡”“]", "", text) + " "
    (whole,) = subwords.encode_pieces([endless * 20])
    parts = cut_passage(endless * 20, subwords.encode_pieces, window=50)
    assert [piece for part in parts for piece in part] == whole
    assert max(map(len, parts)) <= 50
    assert all(part[0].startswith("▁") for part in parts)


def test_text_without_ends_is_cut_at_its_spaces(subwords: Subwords) -> None:
    """Thai writes a space between clauses; only what is longer without one is cut within."""
    text = "วันนี้อากาศดีมาก เราไปตลาดซื้อปลา แล้วกลับบ้าน " * 20
    parts = cut_passage(text, subwords.encode_pieces, window=60)
    assert len(parts) > 1
    assert all(part[0].startswith("▁") for part in parts)
    assert max(map(len, parts)) <= 60


def test_empty_parts_leave_no_space() -> None:
    assert join_passage(["A b.", "", "C."]) == "A b. C."
    assert join_passage(["", ""]) == ""
    assert cut_passage("   ", lambda texts: [t.split() for t in texts], window=9) == []


@pytest.mark.parametrize(
    ("pieces", "sentences", "longest"), [(9_000, 1_000, 32), (30_000, 1_000, 90), (0, 0, 32)]
)
def test_what_is_long_hangs_on_what_the_model_has_read(
    pieces: int, sentences: int, longest: int
) -> None:
    read = {"source_pieces": pieces, "sentences": sentences}
    dev = {"source_pieces": 10**6, "sentences": 1}
    assert longest_passage({"train.aaa-bbb": read, "valid.aaa-bbb": dev}) == longest
