"""What is stripped from raw text, what is kept, and when two sentences count as the same."""

import unicodedata
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.writing import comparison_key
from tasks.cleaning import (
    CleaningRules,
    Counts,
    key_digest,
    normalise,
    reason_to_drop,
    sentences,
)

RULES = CleaningRules()
FLAG = "\U0001f3f4\U000e0067\U000e0062\U000e007f"
CLUTTER = st.sampled_from(
    [
        "@budi",
        "#",
        "&#35;",
        "&amp;",
        "我",
        "ก",
        "\u200b",
        ":",
        "@张三",
        "https://t.co/x",
        "www.",
        "[URL]",
        "[USERNAME]",
        "e",
        "\u0301",
        "\u00ad",
        " ",
    ]
)
MESSY = st.one_of(st.text(), st.lists(CLUTTER).map("".join))


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("", ""),
        ("  kula \t lunga\u00a0menyang\u3000pasar \r\n", "kula lunga menyang pasar"),
        ("satu\u2028dua\x85tiga", "satu dua tiga"),
        ("cafe\u0301", "caf\u00e9"),
        ("deleng https://t.co/abc?x=1#y iki", "deleng iki"),
        ("deleng www.contoh.id/a lan pic.twitter.com/Xy9", "deleng lan"),
        ("[USERNAME] matur nuwun [URL] [url] [Hashtag]", "matur nuwun"),
        ("[catatan] tetep", "[catatan] tetep"),
        ("@budi_1 piye @ani", "piye"),
        ("@budi@ani piye", "piye"),
        ("@#budi piye", "piye"),
        ("tulis menyang budi@contoh.id", "tulis menyang budi@contoh.id"),
        ("#SaveJava #", "SaveJava"),
        ("a\x00b\x07c\ufeffd\u200be\u00adf", "abcdef"),
        ("x\ud800y", "xy"),
        ("e\u00ad\u0301", "\u00e9"),
        ("#satu#dua# telu", "satu dua telu"),
        ("@budi#satu#dua", "satu dua"),
        ("ba'na ta’ tao, oreng towaʼna", "ba'na ta’ tao, oreng towaʼna"),
        ("نمی\u200cخواهم", "نمی\u200cخواهم"),
        ("क्\u200dष हिन्दी", "क्\u200dष हिन्दी"),
        ("كِتَابٌ ؟", "كِتَابٌ ؟"),
        ("ꦲꦤꦕꦫꦫꦤ", "ꦲꦤꦕꦫꦫꦤ"),
        ("I&#39;m late &amp; the shop&#x2019;s closed.", "I'm late & the shop’s closed."),
        ("a &#124; b &amp;lt; R&D AT&T", "a | b < R&D AT&T"),
        ("&#35;satu &#91;URL&#93; &nbsp; &#64;budi", "satu"),
        ("C# and F# are #languages, #5 F#m", "C# and F# are languages, #5 F#m"),
        ("#2019GantiPresiden ##Judul #️⃣", "2019GantiPresiden Judul #️⃣"),
        ("我很开心https://t.co/abc今天天气很好", "我很开心 今天天气很好"),
        ("看https://x.cn/a，很好", "看 ，很好"),
        ("ไปเที่ยวที่www.x.comสนุกมาก", "ไปเที่ยวที่ สนุกมาก"),
        ("HTTPS://Contoh.id/A deleng", "deleng"),
        ("你好@budi今天 @张三 你好 @张三你好", "你好 今天 你好 @张三你好"),
        ("ดู@budi_1ครับ ＠ken", "ดู ครับ"),
        ("今天#天气#很好 ＃日本", "今天 天气 很好 日本"),
        ("ខ្ញុំ\u200bទៅ\u200b\u200bសាលា\u200b។\u200b", "ខ្ញុំ\u200bទៅ\u200bសាលា។"),
        ("ขอ\u200b \u200bบ\u200ba", "ขอ บ\u200ba"),
        ("你\u200b好 ak\u200bu", "你好 aku"),
        ("ᠮᠣᠩᠭᠣᠯ\u180eᠤᠨ", "ᠮᠣᠩᠭᠣᠯ\u180eᠤᠨ"),
        ("آية \u06dd١ \u202eab\u202c", "آية \u06dd١ ab"),
        (f"{FLAG} a\U000e0067b", f"{FLAG} ab"),
    ],
)  # fmt: skip
def test_normalise(raw: str, clean: str) -> None:
    assert normalise(raw, RULES) == clean


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ("strip_urls", "deleng https://t.co/abc"),
        ("strip_placeholders", "halo [URL]"),
        ("strip_handles", "halo @budi"),
        ("strip_hash_signs", "halo #jawa"),
        ("decode_entities", "halo &#39; &amp;"),
    ],
)
def test_each_rule_can_be_switched_off(rule: str, text: str) -> None:
    assert normalise(text, RULES) != text
    assert normalise(text, replace(RULES, **{rule: False})) == text


@settings(deadline=None)
@given(MESSY)
def test_normalise_is_idempotent(text: str) -> None:
    once = normalise(text, RULES)
    assert normalise(once, RULES) == once


@settings(deadline=None)
@given(MESSY)
def test_normalised_text_is_one_clean_line(text: str) -> None:
    clean = normalise(text, RULES)
    assert clean == unicodedata.normalize("NFC", clean)
    assert clean == clean.strip()
    assert not [c for c in clean if unicodedata.category(c) == "Cc"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        ("... !? ؟ । \U0001f600", "empty"),
        ("7", None),
        ("हि", None),
        ("你好", None),
        (" ".join(["tembung"] * 100), None),
        (" ".join(["a"] * 101), "too_long"),
        ("a" * 1000, None),
        ("a" * 1001, "too_long"),
        ("我" * 200, None),
        ("我" * 201, "too_long"),
        ("ก" * 400, None),
        ("ក\u200b" * 101, "too_long"),
    ],
)
def test_reason_to_drop(text: str, reason: str | None) -> None:
    assert reason_to_drop(text, RULES) == reason


@pytest.mark.parametrize(
    ("paragraph", "expected"),
    [
        ("", []),
        ("   ", []),
        ("Siji ukara", ["Siji ukara"]),
        ("Siji. Loro! Telu?  Papat… Lima", ["Siji.", "Loro!", "Telu?", "Papat…", "Lima"]),
        ('Dheweke takon: "Piye?" Aku meneng.', ['Dheweke takon: "Piye?"', "Aku meneng."]),
        ("Regane 3.500 rupiah.", ["Regane 3.500 rupiah."]),
        ("यह एक है। दो।", ["यह एक है।", "दो।"]),
        ("کیا؟ ہاں۔", ["کیا؟", "ہاں۔"]),
    ],
)  # fmt: skip
def test_sentences(paragraph: str, expected: list[str]) -> None:
    assert list(sentences(paragraph)) == expected


@settings(deadline=None)
@given(st.text(alphabet="ab.!? ।", max_size=40))
def test_sentences_lose_nothing_but_space(paragraph: str) -> None:
    assert "".join("".join(sentences(paragraph)).split()) == "".join(paragraph.split())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Matur nuwun!", "matur  nuwun"),
        ("MATUR NUWUN", "“matur” nuwun…"),
        ("\uff2d\uff41tur", "matur"),
        ("ta' tao", "ta’ tao"),
        ("ΟΔΟΣ", "οδος"),
        ("straße", "STRASSE"),
        ("cafe\u0301", "caf\u00e9"),
        ("हाँ।", "हाँ"),
        ("كيف؟", "كيف"),
    ],
)
def test_same_sentence_in_another_dress(one: str, other: str) -> None:
    assert comparison_key(one) == comparison_key(other)
    assert key_digest(one) == key_digest(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("pis\u00e9", "pise"),
        ("की", "कि"),
        ("كَتَب", "كتب"),
        ("ora 1", "ora 2"),
        ("??", "!!"),
        ("ka lima", "kalima"),
    ],
)
def test_different_sentences_stay_different(one: str, other: str) -> None:
    assert comparison_key(one) != comparison_key(other)
    assert key_digest(one) != key_digest(other)


@settings(deadline=None)
@given(st.text(alphabet="kalimat ", min_size=1))
def test_case_and_punctuation_never_make_a_new_sentence(text: str) -> None:
    assert comparison_key(f"“{text.upper()}” !") == comparison_key(text) or not text.strip()


@pytest.mark.parametrize(
    ("text", "repaired"),
    [
        ("I&#39;m", {"html_entities": 1}),
        ("R&D, C#", {}),
        ("a\x07b &amp; c", {"control_characters": 1, "html_entities": 1}),
        ("ខ្ញុំ\u200bទៅ", {}),
        ("ak\u200bu", {"control_characters": 1}),
    ],
)
def test_repairs_are_counted_by_what_was_wrong(text: str, repaired: dict[str, int]) -> None:
    counts = Counts()
    counts.note_repairs(text)
    assert counts.repaired == repaired
