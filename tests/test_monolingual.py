"""Monolingual text: paragraphs become sentences with ids that point back to them."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from models.support.errors import SourceError
from models.writing import clauses, count_words, writes_no_ends
from tasks.cleaning import CleaningRules
from tasks.monolingual import merge_task_texts, prepare_monolingual
from tasks.records import read_records, write_records
from tasks.sources.description import Corpus, Files, PlainText, RemoteFile
from tasks.sources.fetching import local_name
from tasks.sources.reading import FetchedCorpus

RULES = CleaningRules()
PARAGRAPHS = [
    "Kula lunga. Kula mulih!  Piye?",
    "",
    "kula LUNGA",
    "@budi https://t.co/x",
    "ꦲꦏ꧀ꦱꦫ ꦗꦮ",
    "यह एक है। यह दो है।",
]


def corpus(folder: Path, *files: Sequence[str], name: str = "teks") -> FetchedCorpus:
    folder.mkdir(exist_ok=True)
    remote = tuple(RemoteFile(name=f"{n}.txt", language="jav") for n, _ in enumerate(files))
    for file, lines in zip(remote, files, strict=True):
        text = "".join(f"{line}\n" for line in lines)
        (folder / local_name(file)).write_text(text, encoding="utf-8")
    source = Files(kind="files", base="raw", files=remote, format=PlainText())
    return FetchedCorpus(Corpus(name=name, source=source, licence="CC0"), folder)


def prepare(
    out: Path, fetched: FetchedCorpus, rules: CleaningRules = RULES
) -> tuple[dict[str, object], dict[str, str]]:
    counts = prepare_monolingual([fetched], "jav", rules=rules, out=out)
    records = list(read_records(out / "text.parquet"))
    assert {r["origin"] for r in records} <= {"human"}
    return counts, {r["id"]: r["jav"] for r in records}


def test_paragraphs_are_cut_and_keep_their_key(tmp_path: Path) -> None:
    counts, found = prepare(tmp_path, corpus(tmp_path / "raw", PARAGRAPHS))
    assert found == {
        "teks:row-1#1": "Kula lunga.",
        "teks:row-1#2": "Kula mulih!",
        "teks:row-1#3": "Piye?",
        "teks:row-5#1": "ꦲꦏ꧀ꦱꦫ ꦗꦮ",
        "teks:row-6#1": "यह एक है।",
        "teks:row-6#2": "यह दो है।",
    }
    assert counts == {"read": 8, "kept": 6, "dropped": {"duplicate": 1, "empty": 1}}


def test_paragraphs_stay_whole_on_request(tmp_path: Path) -> None:
    rules = CleaningRules(split_paragraphs=False)
    counts, found = prepare(tmp_path, corpus(tmp_path / "raw", PARAGRAPHS), rules)
    assert found["teks:row-1"] == "Kula lunga. Kula mulih! Piye?"
    assert counts == {"read": 6, "kept": 4, "dropped": {"empty": 2}}


def test_a_long_paragraph_of_short_sentences_is_kept(tmp_path: Path) -> None:
    paragraph = " ".join(f"Ukara nomer {n}." for n in range(60))
    counts, _ = prepare(tmp_path, corpus(tmp_path / "raw", [paragraph]))
    assert counts == {"read": 60, "kept": 60, "dropped": {}}


def test_files_of_one_language_follow_each_other(tmp_path: Path) -> None:
    fetched = corpus(tmp_path / "raw", ["siji", "loro"], ["telu"])
    counts, found = prepare(tmp_path, fetched)
    assert found == {"teks:row-1#1": "siji", "teks:row-2#1": "loro", "teks:row-3#1": "telu"}
    assert counts["read"] == 3


def test_a_corpus_that_is_listed_twice_adds_nothing(tmp_path: Path) -> None:
    fetched = corpus(tmp_path / "raw", ["siji", "loro"])
    counts = prepare_monolingual([fetched, fetched], "jav", rules=RULES, out=tmp_path)
    assert counts == {"read": 4, "kept": 2, "dropped": {"duplicate": 2}}


def test_two_corpora_of_one_name_are_an_error(tmp_path: Path) -> None:
    both = [corpus(tmp_path / "a", ["siji"]), corpus(tmp_path / "b", ["loro"])]
    with pytest.raises(SourceError, match="'row-1#1'"):
        prepare_monolingual(both, "jav", rules=RULES, out=tmp_path)


def labelled(path: Path, texts: dict[str, str]) -> Path:
    columns = {"id": list(texts), "text": list(texts.values()), "label": ["joy"] * len(texts)}
    write_records(path, columns)
    return path


def test_task_texts_have_no_labels_and_no_repeats(tmp_path: Path) -> None:
    parts = [
        labelled(tmp_path / "a.parquet", {"t:1": "Saya pergi.", "t:2": "saya PERGI"}),
        labelled(tmp_path / "b.parquet", {"u:1": "Saya pergi!", "u:2": "Dia datang!"}),
    ]
    merge_task_texts(parts, "ind", out=tmp_path / "text.parquet")
    assert list(read_records(tmp_path / "text.parquet")) == [
        {"id": "t:1", "ind": "Saya pergi.", "origin": "human"},
        {"id": "u:2", "ind": "Dia datang!", "origin": "human"},
    ]


@pytest.mark.parametrize(
    "paragraph",
    [
        "ልጆቹ ወንዙ ሄዱ። እናታቸው ገበያ ሄዳ። ጨው ገዛች።",
        "ልጆቹ ወንዙ ሄዱ፡፡ እናታቸው ገበያ ሄዳ፡፡ ጨው ገዛች፡፡",
        "ကလေးများ ရေ ခပ်။ အိမ် ပြန်။မြစ် အနီး။",
        "ក្មេង ដង ទឹក។ ទៅ ផ្ទះ៕ ម្ដាយ ទៅ ផ្សារ។",
        "երեխաները ջուր վերցրին։ տուն գնացին: մայրը եկավ։",
        "བྱིས་པ་ཚོས་ཆུ་བླངས། ཁྱིམ་དུ་ལོག །ཨ་མ་ཕེབས།",
        "ꦱꦶꦗꦶꦏꦶ꧉ꦭꦺꦴꦫꦺꦴꦤꦺ꧉ꦠꦼꦭꦸꦤꦺ꧉",
    ],
)
def test_paragraphs_are_cut_in_any_script(tmp_path: Path, paragraph: str) -> None:
    long = " ".join([paragraph, *(f"{paragraph} {n}" for n in range(40))])
    counts, _ = prepare(tmp_path, corpus(tmp_path / "raw", [paragraph, long]))
    assert counts["dropped"].keys() == {"duplicate"}  # type: ignore[attr-defined]
    assert counts["read"] == counts["kept"] + counts["dropped"]["duplicate"]  # type: ignore[index, operator]
    assert int(str(counts["read"])) >= 3 + 3 * 41


CLAUSES = {
    "tha": "วันนี้อากาศดีมาก เราไปตลาดซื้อปลา แล้วกลับบ้านทำอาหารให้ครอบครัว",
    "lao": "ມື້ນີ້ອາກາດດີຫຼາຍ ພວກເຮົາໄປຕະຫຼາດຊື້ປາ ແລ້ວກັບບ້ານ",
    "khm": "ខ្ញុំទៅផ្សារទិញត្រី ហើយត្រឡប់មកផ្ទះវិញ",
    "khm_Khmr": "ខ្ញុំ\u200bទៅ\u200bផ្សារ\u200bទិញ\u200bត្រី ហើយ\u200bត្រឡប់\u200bមក\u200bផ្ទះ\u200bវិញ",
}
"""Text without ends of sentences; the last with its words parted by U+200B."""


@pytest.mark.parametrize("language", CLAUSES)
def test_a_long_paragraph_without_ends_is_cut_at_spaces(tmp_path: Path, language: str) -> None:
    paragraph = " ".join(f"{n} {CLAUSES[language]}" for n in range(30))
    short = f"{CLAUSES[language]} 99"
    assert writes_no_ends(language)
    fetched = corpus(tmp_path / "raw", [paragraph, short])
    with pytest.raises(SourceError, match="no monolingual sentence is left"):
        prepare_monolingual(
            [corpus(tmp_path / "one", [paragraph])], "jav", rules=RULES, out=tmp_path
        )
    counts = prepare_monolingual([fetched], "jav", rules=RULES, out=tmp_path, clauses=True)
    assert counts["dropped"] == {}
    found = [record["jav"] for record in read_records(tmp_path / "text.parquet")]
    assert " ".join(found) == f"{paragraph} {short}"
    assert found[-1] == short
    assert max(map(count_words, found)) <= 25
    assert 8 < len(found) < 50


def test_text_whose_words_are_parted_is_not_cut_at_spaces() -> None:
    segmented = " ".join(["วันนี้", "อากาศ", "ดี", "มาก"] * 40)
    assert clauses(segmented) == [segmented]
    assert clauses("satu dua tiga " * 90) == ["satu dua tiga " * 90]
    assert clauses("") == []


@pytest.mark.parametrize("language", ["jav", "eng", "mya", "cmn", "hin", "tha_Latn", "qaa"])
def test_languages_that_write_ends_keep_their_fingerprint(language: str) -> None:
    assert not writes_no_ends(language)
