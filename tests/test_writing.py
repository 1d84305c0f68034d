"""What is a sentence, in any script."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.writing import sentences

ENDS = st.sampled_from(
    [
        *".!?…;:\"'«»“”) 。！？」।؟۔።፡།។၊։꧉12aA",
        "다",
        "กข",
        "中",
        "ქ",
        "α",
        "Հ",
        "ቃ",
        "\u200b",
        "\n",
        "Dr",
    ]
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("  ", ["  "]),
        ("...", ["..."]),
        ("Siji. Loro!  Telu?\nPapat… Lima", ["Siji. ", "Loro!  ", "Telu?\n", "Papat… ", "Lima"]),
        ("यह एक है।दो॥ तीन", ["यह एक है।", "दो॥ ", "तीन"]),
        ("مرحبا؟ نعم. لا", ["مرحبا؟ ", "نعم. ", "لا"]),
        ("کیا؟ پی۔ٹی۔آئی ہے۔ ہاں", ["کیا؟ ", "پی۔ٹی۔آئی ہے۔ ", "ہاں"]),
        ("መጣ። ሄደ፡፡ቀረ፡፡ ቃል፡አለ። በላ:: ተኛ", ["መጣ። ", "ሄደ፡፡", "ቀረ፡፡ ", "ቃል፡አለ። ", "በላ:: ", "ተኛ"]),
        ("မြစ်။ ရေ။အိမ်", ["မြစ်။ ", "ရေ။", "အိမ်"]),
        ("ទឹក។ ផ្ទះ៕ ក្មេង", ["ទឹក។ ", "ផ្ទះ៕ ", "ក្មេង"]),
        ("Բարեւ։ Ինչպե՞ս ես: Լավ", ["Բարեւ։ ", "Ինչպե՞ս ես: ", "Լավ"]),
        ("ཡིག། དེབ། །ཆུ།ཁྱིམ།", ["ཡིག། ", "དེབ། །", "ཆུ།", "ཁྱིམ།"]),
        ("Τι κάνεις; Καλά· ναι.", ["Τι κάνεις; ", "Καλά· ναι."]),
        ("ߌ߬ߣߌ߫߹ ߛߐ߬ߜߐߡߊ߫߹ ߕߋ", ["ߌ߬ߣߌ߫߹ ", "ߛߐ߬ߜߐߡߊ߫߹ ", "ߕߋ"]),
        ("ꦱꦶꦗꦶ꧉ꦭꦺꦴꦫꦺꦴ꧉", ["ꦱꦶꦗꦶ꧉", "ꦭꦺꦴꦫꦺꦴ꧉"]),
        ("ᠨᠢᠭᠡ᠃ ᠬᠣᠶᠠᠷ᠃", ["ᠨᠢᠭᠡ᠃ ", "ᠬᠣᠶᠠᠷ᠃"]),
        ("你好。“真的吗？！”他问。", ["你好。", "“真的吗？！”", "他问。"]),
        ("真的吗?我不信!3.5元.", ["真的吗?", "我不信!", "3.5元."]),
        ("ไปไหน มา กินข้าว", ["ไปไหน มา กินข้าว"]),
    ],
)  # fmt: skip
def test_sentences_of_many_scripts(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('Ia: "Ya?" Aku (diam.) Lalu', ['Ia: "Ya?" ', "Aku (diam.) ", "Lalu"]),
        ("« Oui. » Non. »Ja.« So", ["« Oui. » ", "Non. ", "»Ja.« ", "So"]),
        ("„Ja.“ Er ging. „Nein.”", ["„Ja.“ ", "Er ging. ", "„Nein.”"]),
        ("‘Ya.’ Dia", ["‘Ya.’ ", "Dia"]),
        ("他说。“好。”", ["他说。", "“好。”"]),
        ("「はい。」と言った。『え？』", ["「はい。」", "と言った。", "『え？』"]),
    ],
)
def test_closing_quotes_stay_with_their_sentence(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "Harganya 3.500 rupiah, bukan 3,5.",
        "J. R. Smith, e.g. from the U.S. army",
        "Dr. Siti dan Prof. Budi",
        "डॉ. सीता",
        "1. Pertama",
        "https://contoh.id/a.b?c=d!e",
        "a::b; c: d",
        "tunggu...apa",
        "wah !",
    ],
)
def test_a_mark_inside_of_a_sentence_ends_none(text: str) -> None:
    assert sentences(text) == [text]


def test_what_is_no_sentence_stays_with_its_neighbour() -> None:
    assert sentences("Ya . . . tapi . Mau ! 😀") == ["Ya . . . ", "tapi . ", "Mau ! 😀"]
    assert sentences("1. Siji. 2. Loro.") == ["1. Siji. ", "2. Loro."]
    assert sentences("Pira? 7. Iya.") == ["Pira? ", "7. Iya."]
    assert sentences("네. 알아요.") == ["네. ", "알아요."]


@settings(deadline=None)
@given(st.lists(ENDS).map("".join))
def test_the_pieces_joined_are_the_text(text: str) -> None:
    assert "".join(sentences(text)) == text
    assert all(sentences(text))


@settings(deadline=None)
@given(st.text())
def test_no_text_loses_a_character(text: str) -> None:
    assert "".join(sentences(text)) == text
