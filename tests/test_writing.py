"""What is a word, a sentence, the same text, in any script."""

from itertools import chain

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.writing import (
    UNSPACED_BLOCK,
    UNSPACED_LETTER,
    comparison_key,
    count_words,
    decode_entities,
    is_word,
    pieces,
    replace_words,
    sentences,
    words,
    words_and_signs,
)

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


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Saya makan-makan, nasi!", "Saya makan-makan nasi"),
        ("o‘g‘il oʻqidi tog‘.", "o‘g‘il oʻqidi tog‘"),
        ("Ka ‘ōlelo a me ke ‘ano, 'okina ʻekahi", "Ka ‘ōlelo a me ke ‘ano 'okina ʻekahi"),
        ("ba'na tao' towaʼna", "ba'na tao' towaʼna"),
        ("He said 'Hello world', ‘so’ he don't", "He said Hello world so he don't"),
        ("වෛද්\u200dයවරයා විද්\u200dයාව", "වෛද්\u200dයවරයා විද්\u200dයාව"),
        ("می\u200cخواهم کتاب", "می\u200cخواهم کتاب"),
        ("col·legi l·l, kanien'ké:ha 10:30", "col·legi l·l kanien'ké:ha 10 30"),
        ('צה"ל ג׳ורג׳ צה״ל "שלום"', 'צה"ל ג׳ורג׳ צה״ל שלום'),
        ("non\u2011break re\u2010use – so", "non\u2011break re\u2010use so"),
        ("Ինչպե՞ս ես", "Ինչպե՞ս ես"),
        ("ᠮᠣᠩᠭᠣᠯ\u180eᠤᠨ ᠬᠡᠯᠡ", "ᠮᠣᠩᠭᠣᠯ\u180eᠤᠨ ᠬᠡᠯᠡ"),
        ("ខ្ញុំ\u200bទៅ\u200bសាលា។", "ខ្ញុំ ទៅ សាលា"),
        ("ฉัน\u200bกิน\u200bข้าว", "ฉัน กิน ข้าว"),
        ("ក្មេង ៗ ថ្ងៃនេះ ដង ទឹក", "ក្មេង ៗ ថ្ងៃនេះ ដង ទឹក"),
        ("ခပ် ၍ အိမ်။", "ခပ် ၍ အိမ်"),
        ("မြန်မာစာသင်ကြားရေးဌာန", "မြန် မာ စာ သင် ကြား ရေး ဌာ န"),
        ("我昨天买了 iPhone。", "我 昨 天 买 了 iPhone"),
        ("ラーメンを食べる", "ラーメン を 食 べ る"),
        ("བོད་ཡིག་ནི།", "བོད ཡིག ནི"),
        ("ቃል፡በቃል፡ነው።", "ቃል በቃል ነው"),
        ("❤️ nasi 👨‍👩‍👧", "nasi"),
    ],
)
def test_words_of_many_scripts(text: str, expected: str) -> None:
    assert words(text) == expected.split()
    assert [token for token in words_and_signs(text) if is_word(token)] == expected.split()


def test_signs_are_what_is_neither_word_nor_space() -> None:
    assert words_and_signs("ខ្ញុំ\u200bទៅ។ (ya)\u200f!") == ["ខ្ញុំ", "ទៅ", "។", "(", "ya", ")", "!"]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("", 0),
        ("saya makan , nasi", 4),
        ("ខ្ញុំ\u200bទៅ\u200bសាលា។", 3),
        ("ក្មេង ៗ ថ្ងៃនេះ ដង ទឹក នៅ ក្បែរ", 7),
        ("我昨天去了市场买菜。", 5),
        ("ฉันกินข้าวที่บ้านเพื่อน", 4),
        ("我买了 iPhone 15", 4),
        ("བོད་ཡིག་ནི།", 3),
        ("ቃል፡በቃል፡ነው", 3),
        ("می\u200cخواهم کتاب", 2),
    ],
)
def test_words_are_counted_where_no_spaces_are(text: str, number: int) -> None:
    assert count_words(text) == number


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ฉันกินข้าวที่บ้านเพื่อน", "ฉัน กิน ข้าว ที่ บ้าน เพื่อน"),
        ("我昨天去了市场", "我 昨天 去 了 市场"),
    ],
)
def test_without_trust_in_spaces_they_change_no_number(one: str, other: str) -> None:
    assert count_words(one, trust_spaces=False) == count_words(other, trust_spaces=False)


def test_every_unspaced_sign_lies_in_the_blocks_that_are_asked_first() -> None:
    every = "".join(map(chr, chain(range(0xD800), range(0xE000, 0x40000))))
    assert [sign for sign in UNSPACED_LETTER.findall(every) if not UNSPACED_BLOCK.match(sign)] == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("o‘zbek tog‘i", "o'zbek tog'i"),
        ("oʻzbek", "o’zbek"),
        ("o`zbek", "o´zbek"),
        ("ŉ man", "'n man"),
        ("Kaʼna", "KaꞋna"),
        ("كتـــاب", "كتاب"),
        ("ﻛﺘﺎﺏ", "كتاب"),
        ("١٢٣ ၄၅", "123 45"),
        ("I&#39;m &amp;amp; you&#x2019;re", "I'm & you're"),
        ("ខ្ញុំ\u200bទៅ", "ខ្ញុំទៅ"),
        ("می\u200cخواهم", "میخواهم"),
        ("ab\u00adc \u202bde\u202c\ufeff", "abc de"),
        ("e\u200d\u0301", "é"),
        ("ക\u0d28\u0d4d\u200d", "ക\u0d7b"),
        ("❤\ufe0f suka", "suka"),
        ("ﬁn ２", "fin 2"),
        ("l·lac re\u2011use", "l-lac re-use"),
    ],
)
def test_one_text_in_two_spellings(one: str, other: str) -> None:
    assert comparison_key(one) == comparison_key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("كَتَبَ", "كتب"), ("ي", "ی"), ("กิน", "กัน"), ("pisé", "pise"), ("a&amp", "a &")],
)
def test_what_stays_another_text(one: str, other: str) -> None:
    assert comparison_key(one) != comparison_key(other)


@pytest.mark.parametrize(
    ("text", "decoded"),
    [
        ("&#39; &#x2019; &amp; &quot;", "' ’ & \""),
        ("a &#124; b &#91;c&#93; don&apos;t", "a | b [c] don't"),
        ("&amp;lt;p&amp;gt;", "<p>"),
        ("AT&T R&D &notit; a&copy=1 &bogus; &#39 &;", "AT&T R&D &notit; a&copy=1 &bogus; &#39 &;"),
    ],
)
def test_entities(text: str, decoded: str) -> None:
    assert decode_entities(text) == decoded


def test_new_words_get_a_space_where_their_script_has_one() -> None:
    new = {"ខ្ញុំ": "I", "ទៅ": "go", "我": "I", "爱": "love", "你": "你们", "བོད": "Tibet", "cat": "猫"}

    def replaced(text: str) -> str:
        return replace_words(text, lambda word: new.get(word, word))

    assert replaced("ខ្ញុំ\u200bទៅ\u200bសាលា។") == "I go សាលា។"
    assert replaced("我爱你大家") == "I love 你们大家"
    assert replaced("བོད་ཡིག") == "Tibet ཡིག"
    assert replaced("iPhoneของฉันดีมาก") == "iPhoneของฉันดีมาก"
    assert replaced("a cat, (cat)") == "a 猫, (猫)"


def test_pieces_joined_are_the_text() -> None:
    for text in ("saya makan, nasi", "ខ្ញុំ\u200bទៅ\u200bសាលា។ បាទ", "བོད་ཡིག་ནི།"):
        assert "".join(map("".join, pieces(text))).strip() == text
    assert [word for word, _ in pieces("ខ្ញុំ\u200bទៅ\u200bសាលា។")] == ["ខ្ញុំ", "ទៅ", "សាលា។"]
