"""Translation memories and Bibles: text without markup, verses by number, nothing expanded."""

from pathlib import Path

import pytest

from models.support.errors import SourceError
from tasks.sources.markup import align_verses, read_tmx, read_verses, verse_key

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


def bible(folder: Path, text: str, name: str = "41-MAT.usfm") -> dict[str, str]:
    (folder / name).write_text(text, encoding="utf-8")
    return {verse_key(span): verse for span, verse in read_verses(folder / name, name).items()}


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
    assert bible(tmp_path, CES, "sw.xml") == {
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
    }


TMX = """<tmx version="1.4"><header/><body>
<tu tuid="u1"><tuv xml:lang="en"><seg>Say <bpt i="1">&lt;b&gt;</bpt>it<ept i="1">&lt;/b&gt;</ept>
 <hi>now</hi></seg></tuv><tuv xml:lang="es"><seg>Dilo</seg></tuv></tu>
<tu><tuv xml:lang="en"><seg>Alone</seg></tuv></tu></body></tmx>"""


def memory(folder: Path, text: str, *wanted: str) -> list[dict[str, object]]:
    (folder / "a.tmx").write_text(text, encoding="utf-8")
    return [dict(record) for record in read_tmx(folder / "a.tmx", "a.tmx", wanted)]


def test_tmx_units_keep_their_text_and_get_an_id(tmp_path: Path) -> None:
    assert memory(tmp_path, TMX, "en", "es") == [
        {"tuid": "u1", "en": "Say it\n now", "es": "Dilo"},
        {"tuid": "unit-2", "en": "Alone", "es": ""},
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
