"""Translation memories and Bibles: text without markup, verses by number, nothing expanded."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from models.support.errors import SourceError
from tasks.bitext import clean_rows
from tasks.cleaning import CleaningRules, Counts
from tasks.sources.bibles import Bible, align_verses, verse_key
from tasks.sources.ces import read_ces
from tasks.sources.description import (
    BibleVerses,
    Corpus,
    Files,
    RemoteFile,
    Tags,
    TranslationMemory,
)
from tasks.sources.fetching import local_name
from tasks.sources.memories import read_memory
from tasks.sources.reading import FetchedCorpus, read_corpora, read_corpus
from tasks.sources.rows import Row
from tasks.sources.usfm import read_usfm

USFM = r"""\id MAT A gospel
\h Matthew
\mt1 The Gospel
\c 1
\s1 A heading
\r (Luk 1)
\p
\v 1 In the \w beginning|strong="H7225"\w* was\f + \ft a note\f* \nd Light\nd*.
\v 2-3 Two verses, \zaln-s |x-strong="G1"\*joined\zaln-e\*.
\q1
\v 4a Half a verse,
\q2
\v 4b and the rest.
\fig A ship|avnt.tif|col|1:5\fig*
\c 2
\v 1 Another chapter.
"""


def bible(folder: Path, *texts: str, suffix: str = ".usfm") -> dict[str, str]:
    """Return the verses of files `1.usfm`, `2.usfm`... in one language, by key."""
    read, found = (read_ces if suffix == ".xml" else read_usfm), Bible()
    for number, text in enumerate(texts, start=1):
        name = f"{number}{suffix}"
        (folder / name).write_text(text, encoding="utf-8")
        read(folder / name, name, found)
    return {verse_key(span): verse for span, verse in found.verses.items()}


def test_usfm_leaves_the_text_of_its_verses(tmp_path: Path) -> None:
    assert bible(tmp_path, USFM) == {
        "40001001": "In the beginning was Light.",
        "40001002-40001003": "Two verses, joined.",
        "40001004": "Half a verse, and the rest.",
        "40002001": "Another chapter.",
    }


def test_verses_that_run_backwards_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"chapter 1, verse 4-3"):
        bible(tmp_path, "\\id MAT\n\\c 1\n\\v 4-3 x\n")


CES = """<?xml version="1.0"?><cesDoc><text><body><div type="book" id="b.MAT">
<div type="chapter"><seg id="b.MAT.1.1" type="verse"> Kitabu
 cha <i>ukoo</i> </seg><seg id="b.MAT.1.2" type="verse"></seg>
<seg id="b.JOH.3.16" type="verse">Kwa maana</seg></div></div></body></text></cesDoc>"""


def test_ces_verses_bear_the_numbers_of_usfm(tmp_path: Path) -> None:
    assert bible(tmp_path, CES, suffix=".xml") == {
        "40001001": "Kitabu cha ukoo",
        "43003016": "Kwa maana",
    }


def test_where_one_side_merges_verses_all_are_merged() -> None:
    def number(verse: int, last: int | None = None) -> range:
        return range(40001000 + verse, 40001000 + (last or verse) + 1)

    first = {number(1): "a1", number(2): "a2", number(3, 4): "a3-4", number(6): "a6"}
    second = {number(1): "b1", number(2, 3): "b2-3", number(4): "b4", number(5): "b5"}
    aligned = {verse_key(span): texts for span, texts in align_verses([first, second])}
    assert aligned == {
        "40001001": ["a1", "b1"],
        "40001002-40001004": ["a2 a3-4", "b2-3 b4"],
        "40001005": [None, "b5"],
        "40001006": ["a6", None],
    }


TMX = """<tmx version="1.4"><header/><body>
<tu tuid="u1"><tuv xml:lang="en"><seg>Say <bpt i="1">&lt;b&gt;</bpt>it<ept i="1">&lt;/b&gt;</ept>
 <hi>now</hi></seg></tuv><tuv xml:lang="es"><seg>Dilo</seg></tuv></tu>
<tu><tuv xml:lang="en"><seg>Alone</seg></tuv></tu></body></tmx>"""


def memory(folder: Path, text: str | bytes, *tags: str) -> list[dict[str, str]]:
    """Return the texts of all units of a file by tag."""
    content = text if isinstance(text, bytes) else text.encode("utf-8")
    (folder / "a.tmx").write_bytes(content)
    columns = {tag: (tag,) for tag in tags}
    read = read_memory(folder / "a.tmx", "a.tmx", columns)
    return [pair for _, pairs in read for pair in pairs]


def test_tmx_units_keep_their_text(tmp_path: Path) -> None:
    assert memory(tmp_path, TMX, "en", "es") == [
        {"en": "Say it\n now", "es": "Dilo"},
        {"en": "Alone"},
    ]


def test_a_language_that_no_unit_has_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"a\.tmx: no unit is in 'fr'; found 'en', 'es'"):
        memory(tmp_path, TMX, "en", "fr")


def test_entities_are_not_expanded(tmp_path: Path) -> None:
    bomb = '<!DOCTYPE tmx [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>' + TMX.replace("Dilo", "&b;")
    with pytest.raises(SourceError, match="declares entities"):
        memory(tmp_path, bomb, "en", "es")
    (tmp_path / "secret").write_text("secret")
    outside = f'<!DOCTYPE tmx [<!ENTITY a SYSTEM "{(tmp_path / "secret").as_uri()}">]>'
    with pytest.raises(SourceError, match="declares entities"):
        memory(tmp_path, outside + TMX.replace("Dilo", "&a;"), "en", "es")


def test_a_document_type_alone_is_harmless(tmp_path: Path) -> None:
    assert memory(tmp_path, '<!DOCTYPE tmx SYSTEM "tmx14.dtd">' + TMX, "es")[0]["es"] == "Dilo"


def tmx(*units: str, head: str = "") -> str:
    return f'{head}<tmx version="1.4"><header/><body>{"".join(units)}</body></tmx>'


def unit(*sides: tuple[str, str], tuid: str = "") -> str:
    given = f' tuid="{tuid}"' if tuid else ""
    variants = (f'<tuv xml:lang="{tag}"><seg>{text}</seg></tuv>' for tag, text in sides)
    return f"<tu{given}>{''.join(variants)}</tu>"


def rows(
    folder: Path, files: dict[str, str], form: TranslationMemory | BibleVerses, sides: Sequence[str]
) -> list[Row]:
    return list(read_corpus(*corpus(folder, files, form, sides)))


def corpus(
    folder: Path, files: dict[str, str], form: TranslationMemory | BibleVerses, sides: Sequence[str]
) -> FetchedCorpus:
    """Return a corpus of files; those of Bibles begin with the code of their language."""
    named = []
    for name, text in files.items():
        language = name[:3] if isinstance(form, BibleVerses) else None
        file = RemoteFile(name=name, language=language)
        (folder / local_name(file)).write_text(text, encoding="utf-8")
        named.append(file)
    source = Files(kind="files", base=str(folder), files=tuple(named), format=form)
    return FetchedCorpus(Corpus(name="c", source=source, licence="CC0-1.0"), folder)


def swahili(**tags: str | tuple[str, ...]) -> TranslationMemory:
    return TranslationMemory(kind="tmx", columns={"eng": "en", "swh": "sw"} | tags)


def test_a_tag_covers_those_of_its_regions_in_any_case(tmp_path: Path) -> None:
    text = tmx(
        unit(("EN-US", "one"), ("sw-KE", "moja")),
        unit(("en_gb", "two"), ("SW", "mbili")),
        unit(("eng", "three"), ("sw-TZ", "tatu")),
        unit(("enm", "foure"), ("sw", "nne")),
    )
    found = rows(tmp_path, {"a.tmx": text}, swahili(), ["eng", "swh"])
    assert [tuple(row.fields.values()) for row in found] == [
        ("one", "moja"),
        ("two", "mbili"),
        ("three", "tatu"),
        ("", "nne"),
    ]
    assert [row.lacks for row in found] == [(), (), (), ("eng",)]


@pytest.mark.parametrize(
    ("tags", "texts"),
    [
        ("zh-CN", ["a", "b"]),
        ("zh-Hant", ["c"]),
        (("zh-Hant", "zh-Hans"), ["b", "c"]),
        ("zho", ["a", "b", "c"]),
    ],
)
def test_several_tags_may_be_named(
    tmp_path: Path, tags: str | tuple[str, ...], texts: list[str]
) -> None:
    units = (
        unit((tag, text), ("en", text))
        for tag, text in (("zh-cn", "a"), ("zh-Hans-CN", "b"), ("zh_Hant_TW", "c"))
    )
    columns: Tags = {"cmn": tags, "eng": "en"}
    form = TranslationMemory(kind="tmx", columns=columns)
    found = rows(tmp_path, {"a.tmx": tmx(*units)}, form, ["eng", "cmn"])
    assert [row.fields["cmn"] for row in found if not row.lacks] == texts


def test_a_unit_without_a_side_is_counted_as_such_and_an_empty_one_as_empty(tmp_path: Path) -> None:
    text = tmx(
        unit(("en", "one"), ("sw", "moja")),
        unit(("en", "two"), ("fr", "deux")),
        unit(("fr", "trois")),
        unit(("en", "four"), ("sw", "")),
        '<tu><tuv><seg>no tag</seg></tuv><tuv xml:lang="en"/></tu>',
    )
    fetched = corpus(tmp_path, {"a.tmx": text}, swahili(), ["eng", "swh"])
    counts = Counts()
    kept = list(
        clean_rows(read_corpora([fetched]), ["eng", "swh"], rules=CleaningRules(), counts=counts)
    )
    assert [record["eng"] for record in kept] == ["one"]
    assert counts.read == 5
    assert counts.dropped == {"without_swh": 2, "without_eng": 1, "empty": 1}


def test_several_translations_of_a_unit_are_a_pair_each(tmp_path: Path) -> None:
    text = tmx(
        unit(("en-US", "color"), ("en-GB", "colour"), ("sw", "rangi"), tuid="u"),
        unit(("en-US", "same"), ("en-GB", "same"), ("sw", "sawa")),
    )
    found = rows(tmp_path, {"a.tmx": text}, swahili(), ["eng", "swh"])
    assert [(row.key, *row.fields.values()) for row in found] == [
        ("u", "color", "rangi"),
        ("u/2", "colour", "rangi"),
        ("unit-2", "same", "sawa"),
    ]


def test_units_without_an_id_are_numbered_on_through_all_files(tmp_path: Path) -> None:
    one = tmx(unit(("en", "a"), ("sw", "b")), unit(("en", "c"), ("sw", "d"), tuid="1"))
    files = {"a.tmx": one, "b.tmx": one}
    assert [row.key for row in rows(tmp_path, files, swahili(), ["eng", "swh"])] == [
        *("unit-1", "1"),
        *("unit-3", "1"),
    ]
    form = TranslationMemory(kind="tmx", columns={"eng": "en", "swh": "sw"}, id=None)
    keys = [row.key for row in rows(tmp_path, files, form, ["eng", "swh"])]
    assert keys == ["unit-1", "unit-2", "unit-3", "unit-4"]


def test_a_memory_may_stand_in_a_namespace_and_have_old_language_attributes(tmp_path: Path) -> None:
    text = tmx(unit(("en", "one <ph>{0}</ph>only"), ("sw", "moja")))
    spaced = text.replace("<tmx ", '<tmx xmlns="http://www.lisa.org/tmx14" ')
    assert memory(tmp_path, spaced, "en") == [{"en": "one only"}]
    assert memory(tmp_path, text.replace("xml:lang", "lang"), "sw") == [{"sw": "moja"}]


def test_a_file_without_units_says_so(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"no unit is in 'en'; found no unit"):
        memory(tmp_path, tmx(), "en")


LONG_HI = "<hi>" * 3000 + "deep" + "</hi>" * 3000


def test_deeply_nested_codes_are_read(tmp_path: Path) -> None:
    assert memory(tmp_path, tmx(unit(("en", LONG_HI))), "en") == [{"en": "deep"}]


@pytest.mark.parametrize(
    ("declared", "codec", "text"),
    [
        ("GB2312", "gb2312", "河很宽。"),
        ("gb2312", "gbk", "朱镕基"),  # the second letter is in GBK alone
        ("GBK", "gbk", "朱镕基"),
        ("Shift_JIS", "cp932", "①川は広い～"),
        ("EUC-JP", "euc_jp", "川は広い"),
        ("EUC-KR", "euc_kr", "강은 넓다"),
        ("Big5", "big5", "河很寬"),
        ("windows-1251", "cp1251", "Река широка"),
        ("KOI8-R", "koi8_r", "Река широка"),
        ("ISO-8859-2", "iso8859_2", "Řeka je široká"),
        ("utf8", "utf-8", "Numéro un"),
        ("UTF8", "utf-8", "Numéro un"),
        ("utf-16", "utf-8", "Numéro un"),  # as a string of wide characters says of itself
        ("UTF-16", "utf-16", "Numéro un"),
        ("UTF-16LE", "utf-16-le", "Numéro un"),
        ("UTF-8", "utf-8-sig", "Numéro un"),
    ],
)
def test_xml_is_read_in_the_encoding_that_it_declares(
    tmp_path: Path, declared: str, codec: str, text: str
) -> None:
    head = f'<?xml version="1.0" encoding="{declared}"?>\n'
    content = tmx(unit(("xx", text)), head=head).encode(codec)
    assert memory(tmp_path, content, "xx") == [{"xx": text}]


@pytest.mark.parametrize(
    ("declared", "content", "words"),
    [
        (
            "x-unknown",
            b"river",
            ["'x-unknown'", "not known", "sed '1s|x-unknown|UTF-8|' a.tmx > a.utf8.tmx"],
        ),
        (
            "x-unknown",
            "Numéro".encode("latin-1"),
            ["not known", "iconv -f ENCODING -t UTF-8 a.tmx | sed '1s|x-unknown|UTF-8|'"],
        ),
        ("rot13", b"evire", ["'rot13'", "not known"]),
        ("hex", b"00", ["'hex'", "not known"]),
        ("undefined", b"river", ["'undefined'", "not known"]),
        ("Shift_JIS", b"\x81\x20", ["line 2 is not Shift_JIS", "iconv -f ENCODING"]),
        ("US-ASCII", "Numéro".encode(), ["line 2 is not US-ASCII"]),
        ("UTF-8", "Le numéro de téléphone".encode("cp1252"), ["line 2 is not UTF-8", "iconv -f"]),
    ],
)
def test_text_that_is_not_in_its_encoding_is_one_error_with_the_command(
    tmp_path: Path, declared: str, content: bytes, words: list[str]
) -> None:
    head = f'<?xml version="1.0" encoding="{declared}"?>\n'.encode()
    before, after = tmx(unit(("xx", "HERE"))).encode().split(b"HERE")
    with pytest.raises(SourceError) as caught:
        memory(tmp_path, head + before + content + after, "xx")
    message = str(caught.value)
    assert message.startswith("a.tmx: ")
    assert [word for word in words if word not in message] == [], message


def test_the_command_makes_a_file_that_is_read(tmp_path: Path) -> None:
    head = '<?xml version="1.0" encoding="x-unknown"?>\n'
    with pytest.raises(SourceError) as caught:
        memory(tmp_path, tmx(unit(("xx", "Numéro")), head=head), "xx")
    command = str(caught.value).rpartition(": ")[2]
    subprocess.run(["sh", "-c", command], cwd=tmp_path, check=True)
    content = (tmp_path / "a.utf8.tmx").read_bytes()
    assert memory(tmp_path, content, "xx") == [{"xx": "Numéro"}]


def book(code: str, *chapters: str) -> str:
    return f"\\id {code} a book\n\\h {code}\n" + "".join(chapters)


def chapter(number: int, *verses: str) -> str:
    lines = (f"\\v {n} {text}\n" for n, text in enumerate(verses, start=1))
    return f"\\c {number}\n\\p\n{''.join(lines)}"


def test_several_books_may_stand_in_a_file_and_one_in_several(tmp_path: Path) -> None:
    both = book("MAT", chapter(1, "m1")) + book("mrk", chapter(1, "k1"))
    assert bible(tmp_path, both, book("MAT", chapter(2, "m2"))) == {
        "40001001": "m1",
        "41001001": "k1",
        "40002001": "m2",
    }


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (
            [book("MAT", chapter(1, "a"), chapter(1, "b"))],
            r"1\.usfm: line 6: MAT 1 stands there a second time, after 1\.usfm: line 3",
        ),
        (
            [book("MAT", chapter(1, "a")), book("MAT", chapter(1, "b"))],
            r"2\.usfm: line 3: MAT 1 stands there a second time, after 1\.usfm: line 3",
        ),
        (
            ["\\id MAT\n\\c 1\n\\v 1 a\n\\v 2 b\n\\v 2 c"],
            r"1\.usfm: line 5: MAT 1:2 stands there a second time, after 1\.usfm: line 4",
        ),
        (["\\id MAT\n\\c 1\n\\v 1-3 a\n\\v 2 b"], r"line 4: MAT 1:2 stands there a second time"),
        (["\\id MAT\n\\v 1 a"], r"line 2: verse 1 stands before the first \\c"),
        (["\\c 1\n\\v 1 a\n\\id MAT"], r"line 1: a chapter before the first \\id line"),
        (["\\id MAT\n\\c one\n\\v 1 a"], r"line 2: expected the number of a chapter, found 'one'"),
        (["\\id MAT\n\\c 1\n\\v a"], r"line 3: expected the number of a verse, found 'a'"),
        (["\\id MAT\n\\c 1\n\\v 1 a \\f + \\ft x\n\\v 2 b"], r"line 3: \\f has no end \(\\f\*\)"),
        (["\\id MAT\n\\c 1\n\\v 1 a \\x - x"], r"line 3: \\x has no end \(\\x\*\)"),
        (["\\id MAT\n\\c 1\n\\v 1 a\n\\esb\n\\p x\n\\v 2 b"], r"line 4: \\esb has no end \(\\esbe"),
        (["\\id MTT\n\\c 1\n\\v 1 a"], r"line 1: 'MTT' is no book of the Bible.* GEN, PSA or MAT"),
        (["\\id MAT\n\\c 1\n\\v 1000 a"], r"line 3: MAT 1 has no verse 1000"),
        (["\\c 1\n\\v 1 a"], r"no \\id line; is this USFM\?"),
    ],
)
def test_what_would_mix_up_or_lose_verses_is_an_error_with_its_lines(
    tmp_path: Path, texts: list[str], message: str
) -> None:
    with pytest.raises(SourceError, match=message):
        bible(tmp_path, *texts)


def test_parts_of_verses_join_also_where_they_belong_to_two_numbers(tmp_path: Path) -> None:
    found = bible(tmp_path, "\\id MAT\n\\c 1\n\\v 1-2a one\n\\v 2b-3 two\n\\v 4 three\n\\v 4b four")
    assert found == {
        "40001001-40001002": "one",
        "40001002-40001003": "two",
        "40001004": "three four",
    }


def test_all_books_have_numbers_and_none_is_taken_twice(tmp_path: Path) -> None:
    codes = ["GEN", "PSA", "MAL", "MAT", "REV", "TOB", "ESG", "LJE", "4MA", "LAO"]
    found = bible(tmp_path, *(book(code, chapter(1, code)) for code in codes))
    assert {key[:-6]: code for key, code in found.items()} == {
        "1": "GEN",
        "19": "PSA",
        "39": "MAL",
        "40": "MAT",
        "66": "REV",
        "67": "TOB",
        "69": "ESG",
        "73": "LJE",
        "80": "4MA",
        "123": "LAO",
    }


def test_front_matter_glossaries_and_introductions_are_no_text(tmp_path: Path) -> None:
    texts = [
        "\\id FRT\n\\c 1\n\\v 1 front",
        "\\id GLO\n\\p \\k Amen\\k* so be it\n\\v 2 x",
        "\\id RUT\n\\is Before\n\\ip an\n introduction\n\\c 1\n\\ip more\n\\p\n\\v 1 In those days",
    ]
    assert bible(tmp_path, *texts) == {"8001001": "In those days"}


MARKED = r"""\id PSA
\c 1
\cl Psalm One
\d A song
\q1
\v 1 (\nd Lord\nd*) \w hear|lemma="hear" strong="H1"\w*\x - \xo 1:1 \xt Ps 2\x* me,\f + \fr 1:1 \ft
 a note \+nd of\+nd* two lines\f*
\q2 and~answer\qs Selah\qs*
\s1 A heading \nd here\nd*
this goes on//after it
\esb \cat Study\cat*
\ms A box
\p beside the text
\esbe
\v 2 \va 3\va* \vp 2b\vp* \qt-s |sid="q1"\*Look\qt-e\*,\rq Mk 1\rq* \pro look\pro*
\tr \th1 one \tc2 two
\ip a note of the editor
 in two lines
\zcustom
\m \bd a | b\bd* | c
\fig A ship|src="a.jpg" size="col"\fig*
\ts\*
\v 3in the end \ef - \ft study\ef*\ndx x\ndx*
"""


def test_notes_sidebars_headings_and_attributes_are_no_text(tmp_path: Path) -> None:
    assert bible(tmp_path, MARKED) == {
        "19001001": "(Lord) hear me, and answerSelah this goes on after it",
        "19001002": "Look, one two a | c",
        "19001003": "in the end x",
    }


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16"])
def test_usfm_in_another_encoding_is_named_with_the_command(tmp_path: Path, encoding: str) -> None:
    text = "\\id MAT\n\\c 1\n\\v 1 À l’époque où il était né.\n"
    (tmp_path / "a.sfm").write_bytes(text.encode(encoding))
    with pytest.raises(SourceError, match=r"a\.sfm.*(?s:.)*iconv -f \S+ -t UTF-8 a\.sfm"):
        read_usfm(tmp_path / "a.sfm", "a.sfm", Bible())


def ces(*verses: tuple[str, str], head: str = "") -> str:
    segments = (f'<seg id="b.{mark}" type="verse">{text}</seg>' for mark, text in verses)
    return f"{head}<cesDoc><text><body>{''.join(segments)}</body></text></cesDoc>"


def test_ces_names_of_books_are_those_of_usfm(tmp_path: Path) -> None:
    marks = ["GEN.1.1", "SON.1.1", "EZE.1.1", "JOE.1.1", "NAH.1.1", "MAR.1.1", "1JO.1.1", "TOB.1.1"]
    found = bible(tmp_path, ces(*((mark, mark) for mark in marks)), suffix=".xml")
    numbers = ["1", "22", "26", "29", "34", "41", "62", "67"]
    assert found == {f"{n}001001": mark for n, mark in zip(numbers, marks, strict=True)}


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ([ces(("MAT.1.1", "a"), ("MAT.1.1", "b"))], r"1\.xml: MAT 1:1 stands there a second time"),
        (
            [ces(("MAT.1.1", "a")), ces(("MAT.1.2", "b"))],
            r"2\.xml: MAT 1 stands there a second time, after 1\.xml",
        ),
        ([ces(("XYZ.1.1", "a"))], r"'XYZ' in the verse id 'b\.XYZ\.1\.1' is no book"),
        (["<usx><para><verse number='1'/>a</para></usx>"], r"a Bible in USX, which is not read"),
    ],
)
def test_ces_that_cannot_be_read_is_an_error(
    tmp_path: Path, texts: list[str], message: str
) -> None:
    with pytest.raises(SourceError, match=message):
        bible(tmp_path, *texts, suffix=".xml")


def test_verses_that_a_language_lacks_are_counted(tmp_path: Path) -> None:
    files = {
        "eng.XML": ces(
            ("GEN.1.1", "zero"), ("MAT.1.1", "one<note>a note</note>"), ("MAT.1.2", "two")
        ),
        "swh-1.usfm": book("MAT", chapter(1, "moja", "mbili", "tatu")),
        "swh-2.usfm": book("MRK", chapter(1, "nne")),
    }
    fetched = corpus(tmp_path, files, BibleVerses(kind="verses"), ["eng", "swh"])
    counts = Counts()
    kept = clean_rows(read_corpora([fetched]), ["eng", "swh"], rules=CleaningRules(), counts=counts)
    assert {record["id"]: (record["eng"], record["swh"]) for record in kept} == {
        "c:40001001": ("one", "moja"),
        "c:40001002": ("two", "mbili"),
    }
    assert counts.read == 5
    assert counts.dropped == {"without_swh": 1, "without_eng": 2}
