"""Formats, encodings and languages are told from files as users have them; doubt is an error."""

import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest
import regex

from models.support.errors import SourceError
from tasks.sources.naming import find_column, find_id_column, find_language, find_text_column
from tasks.sources.sniffing import only_member, sniff

BALINESE = "Ipun né café, pèken lan ümah.\n"


def looks(folder: Path, name: str, content: str | bytes) -> tuple[str, list[str]]:
    path = folder / "unpacked"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    sniffed = sniff(path, name)
    return sniffed.kind, [*sniffed.columns]


@pytest.mark.parametrize(
    ("name", "content", "kind", "columns"),
    [
        ("t.ban", "siki kalih\ntiga, papat\n", "text", []),
        ("t.txt", "siki\tkalih\nsiki\n", "text", []),
        ("t.txt", "ind\tban\nsatu\tbesik\n", "tsv", ["ind", "ban"]),
        ("t.csv", "ind,ban\nsatu,besik\n", "csv", ["ind", "ban"]),
        ("t.csv.gz", '\ufeffind,ban\n"satu, dua",besik\n', "csv", ["ind", "ban"]),
        ("t.csv", "ind\tban\nsatu\tbesik\n", "tsv", ["ind", "ban"]),
        ("t.tsv", "text\nsiki\n", "tsv", ["text"]),
        ("t.tsv", "Satu dua.\tBesik dadua.\nTiga.\tTelu.\n", "tsv", ["1", "2"]),
        ("t.tsv", "1\tsatu\n2\tdua\n", "tsv", ["1", "2"]),
        ("t.dat", '{"ind": "satu", "n": 1}\n{"ind": "dua", "n": 2}\n', "jsonl", ["ind", "n"]),
    ],
)
def test_a_format_is_told_from_its_first_lines(
    tmp_path: Path, name: str, content: str, kind: str, columns: list[str]
) -> None:
    assert looks(tmp_path, name, content) == (kind, columns)


def test_the_languages_of_a_translation_memory_are_its_columns(tmp_path: Path) -> None:
    sides = "".join(f'<tuv xml:lang="{tag}"><seg>x y</seg></tuv>' for tag in ("id", "ban"))
    unit = f'<tu tuid="1">{sides}</tu>'
    kind, columns = looks(tmp_path, "t.tmx", f"<tmx><body>{unit * 2}</body></tmx>")
    assert (kind, columns) == ("tmx", ["id", "ban"])


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t.ban", "", r"t\.ban: the file is empty"),
        ("t.csv", "ind,ban\n", "no row below its header"),
        ("t.json", '[{"ind": "satu"}]\n', "one JSON object a line"),
        ("t.xml", "<book/>", r"of XML, .*\(\.tmx\) are read, and Bibles in CES"),
        ("t.usx", '<usx version="3.0">', "a Bible in USX, which is not read: .* in USFM or CES"),
        ("t.xml", "<?xml version='1.0'?>\n<osis:osis xmlns:osis='x'>", "a Bible in OSIS"),
        ("t.xml", '<XMLBIBLE biblename="x">', "a Bible in Zefania XML"),
        ("t.xlsx", "PK", "spreadsheet"),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_way_out(
    tmp_path: Path, name: str, content: str, message: str
) -> None:
    with pytest.raises(SourceError, match=message):
        looks(tmp_path, name, content)


def test_a_byte_order_mark_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "bom").write_bytes(b"\xef\xbb\xbfind,ban\nsatu,besik\n")
    assert dict(sniff(tmp_path / "bom", "t.csv").columns) == {"ind": "satu", "ban": "besik"}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("41MAT.SFM", "\\id MAT\n\\c 1\n\\p\n\\v 1 Siji\n"),
        ("mat.txt", "\ufeff\\id MAT - a book\n\\c 1\n\\p\n\\v 1 Siji\n"),
        ("bible.xml", '<cesDoc><seg id="b.MAT.1.1" type="verse">Siji</seg></cesDoc>'),
    ],
)
def test_a_bible_is_known_by_its_name_or_its_first_line(
    tmp_path: Path, name: str, content: str
) -> None:
    assert looks(tmp_path, name, content) == ("verses", [])


@pytest.mark.parametrize(
    ("language", "column", "value", "found"),
    [
        ("swh", "sw", "NA", True),
        ("swh", "sw", "", True),
        ("swh", "sw", "12", False),
        ("ind", "id", "s12", False),
        ("nor", "no", "7", False),
        ("nor", "no", "Jeg er her", True),
        ("isl", "is", "Já", True),
    ],
)
def test_a_column_of_two_letters_is_a_language_unless_it_holds_keys(
    language: str, column: str, value: str, found: bool
) -> None:
    assert find_column(language, {"xx": "a house", column: value}) == (column if found else None)


@pytest.mark.parametrize(
    ("encoding", "line"),
    [
        ("ISO8859-2", "Dzień dobry, żółta łódź numer {n} płynie śpiesznie."),
        ("ISO8859-2", "Příliš žluťoučký kůň číslo {n} úpěl ďábelské ódy."),
        ("ISO8859-9", "Güneş {n} kez doğdu, ağaçların gölgesi kısaldı."),
    ],
    ids=["Polish", "Czech", "Turkish"],
)
def test_the_older_siblings_of_windows_encodings_are_offered(
    tmp_path: Path, encoding: str, line: str
) -> None:
    path = tmp_path / "t.txt"
    text = "".join(line.format(n=n) + "\n" for n in range(40))
    path.write_bytes(text.encode(encoding))
    with pytest.raises(SourceError) as caught:
        sniff(path, "t.txt")
    named = regex.findall(r"[-\w]+(?=  )|(?<=looks like )[-\w]+", str(caught.value))
    assert any(text.encode(code, "replace") == text.encode(encoding) for code in named), named


@pytest.mark.parametrize("encoding", ["cp1252", "cp1251", "shift_jis"])
def test_another_encoding_is_named_with_the_command_that_converts_it(
    tmp_path: Path, encoding: str
) -> None:
    text = {
        "cp1252": "Où est passée la clé ? Ça ira très bien, sûrement à Noël.\n",
        "cp1251": "Это простое предложение о погоде.\n",
        "shift_jis": "これは短い文です。今日は天気がいい。\n",
    }[encoding]
    with pytest.raises(SourceError) as caught:
        looks(tmp_path, "t.ban", b"siki\n" + text.encode(encoding) * 4)
    message = str(caught.value)
    assert message.startswith("t.ban: line 2 is not UTF-8")
    known_as = {"shift_jis": ("CP932", "SHIFT-JIS")}.get(encoding, (encoding.upper(),))
    assert any(code in message for code in known_as)
    assert text[:4] in message  # the right reading is among those shown
    assert "-t UTF-8 t.ban > t.utf8.ban" in message


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_is_named(tmp_path: Path, encoding: str) -> None:
    named = encoding.upper().replace("-LE", "LE").replace("-BE", "BE")
    with pytest.raises(SourceError, match=f"iconv -f {named} -t UTF-8"):
        looks(tmp_path, "t.ban", BALINESE.encode(encoding))


def test_the_last_line_counts_as_much_as_the_first(tmp_path: Path) -> None:
    content = b"siki\n" * 20_000 + BALINESE.encode("latin-1")
    with pytest.raises(SourceError, match="line 20001 is not UTF-8"):
        looks(tmp_path, "t.ban", content)


@pytest.mark.parametrize(
    ("language", "columns", "found"),
    [
        ("ind", ["id", "ind_text", "tgt_text"], "ind_text"),
        ("ban", ["Indonesian", "Balinese"], "Balinese"),
        ("ban", ["ind", "ban", "ban_tokens"], "ban"),
        ("ban", ["ban_text", "ban_tokens"], None),
        ("ban", ["source", "target"], None),
        ("ban", ["urban", "bandung"], None),
        ("swh", ["english", "text_swahili"], "text_swahili"),
        ("cmn", ["English", "Chinese"], "Chinese"),
        ("tgl", ["en", "tl"], "tl"),
        ("deu", ["eng", "ger"], "ger"),
        ("ind", ["ms", "en"], None),  # its macrolanguage, but Indonesian has its own code
        ("nob", ["en", "no"], "no"),
        ("yue", ["zh", "yue"], "yue"),
        ("srp_Cyrl", ["sr_Latn", "sr_Cyrl"], "sr_Cyrl"),
        ("srp_Cyrl", ["en", "sr"], "sr"),
    ],
)
def test_a_column_is_found_by_the_name_of_its_language(
    language: str, columns: list[str], found: str | None
) -> None:
    assert find_column(language, dict.fromkeys(columns, "dua kata")) == found


MEMBERS = (
    "swh:sw arb:ar cmn:zh pes:fa ekk:et lvs:lv zsm:ms khk:mn npi:ne ory:or uzn:uz azj:az plt:mg "
    "gaz:om ydd:yi quy:qu pbt:ps als:sq kmr:ku fuv:ff gug:gn ayr:ay yue:zh dik:din swc:sw"
)


@pytest.mark.parametrize(("language", "code"), [pair.split(":") for pair in MEMBERS.split()])
def test_a_member_is_known_by_the_code_of_its_macrolanguage(language: str, code: str) -> None:
    assert find_column(language, {"en": "a house", code: "x y"}) == code
    assert find_language(f"Books.en-{code}.{code}", ("eng", language)) == language
    assert find_language(f"Books.en-{code}.en", ("eng", language)) == "eng"


@pytest.mark.parametrize(("value", "found"), [("河很宽。", "zh"), ("17", None), ("NA", "zh")])
def test_a_short_name_is_a_language_where_text_stands_below_it(
    value: str, found: str | None
) -> None:
    assert find_column("cmn", {"zh": value}) == found


@pytest.mark.parametrize(("value", "found"), [("s-17", None), ("satu dua tiga", "id")])
def test_a_column_called_id_is_indonesian_when_it_holds_sentences(
    value: str, found: str | None
) -> None:
    columns: Mapping[str, str] = {"id": value, "ban": "siki kalih"}
    assert find_column("ind", columns) == found


def test_keys_and_texts_have_names_of_their_own() -> None:
    assert find_id_column(["text", "sentence_id", "label"]) == "sentence_id"
    assert find_id_column(["idea", "text"]) is None
    assert find_text_column(["label", "Text"]) == "Text"
    assert find_text_column(["anything"]) == "anything"
    assert find_text_column(["label", "source"]) is None


@pytest.mark.parametrize(
    ("name", "language"),
    [
        ("train.ind", "ind"),
        ("opus.ind-ban.ban.gz", "ban"),
        ("Balinese.txt", "ban"),
        ("train.id", "ind"),
        ("band.txt", None),
    ],
)
def test_a_file_is_named_for_its_language(name: str, language: str | None) -> None:
    assert find_language(name, ("ind", "ban")) == language


def test_the_one_member_of_an_archive_is_meant_and_several_are_listed(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("folder/train.ind", "satu\n")
        archive.writestr("__MACOSX/folder/._train.ind", "x")
    assert only_member(path) == "folder/train.ind"
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("folder/train.ban", "siki\n")
    with pytest.raises(SourceError, match=r"a\.zip:folder/train\.ban"):
        only_member(path)
    (tmp_path / "plain").write_text("PK is no archive")
    assert only_member(tmp_path / "plain") is None


FRENCH = "Où est passée la clé ? Ça ira très bien, sûrement à Noël. L’œuvre coûte 5 €.\n"
CZECH = "Příliš žluťoučký kůň úpěl ďábelské ódy, řekl čaroděj.\n"


def refused(folder: Path, content: bytes, name: str = "t.ban") -> str:
    with pytest.raises(SourceError) as caught:
        looks(folder, name, content)
    return str(caught.value)


def test_western_text_is_cp1252_before_its_rare_siblings(tmp_path: Path) -> None:
    message = refused(tmp_path, FRENCH.encode("cp1252") * 3)
    assert message.splitlines()[0].split("; ")[1].startswith(("it looks like CP1252", "several"))
    codes = [line.split()[0] for line in message.splitlines()[1:-1]] or ["CP1252"]
    assert codes[0] == "CP1252"


def test_where_several_encodings_fit_no_command_is_ready_made(tmp_path: Path) -> None:
    message = refused(tmp_path, "Un café.\n".encode("cp1252"))
    assert "several encodings fit, CP1252 best; see which of these reads right" in message
    assert "CP1252      Un café." in message
    assert "iconv -f CODE -t UTF-8 t.ban > t.utf8.ban, with the right one as CODE" in message
    assert "iconv -f CP" not in message


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Добрый день\nКак дела\n", "koi8_r"),
        ("Добрый день\nКак дела\n", "cp1251"),
        ("добрый день, как дела\n", "cp1251"),
        ("Zażółć gęślą jaźń\nŁódź jest piękna\n", "cp1250"),
        ("Καλημέρα σας\n", "cp1253"),
        ("Où ça, Noël ?\n", "cp1252"),
        ("Günaydın, nasılsınız? Şöyle.\n", "cp1254"),
    ],
)
def test_the_right_encoding_is_first_or_shown_where_text_is_short(
    tmp_path: Path, text: str, encoding: str
) -> None:
    head, *readings, command = refused(tmp_path, text.encode(encoding)).splitlines()
    code = encoding.upper().replace("_", "-")
    assert f"looks like {code}" in head or [x for x in readings if x.split()[0] == code]
    assert (f"-f {code} " in command) == (not readings)


def test_readings_are_of_a_line_that_tells_them_apart(tmp_path: Path) -> None:
    message = refused(tmp_path, "un café\ndéjà vu\n".encode("cp1252"))
    assert "line 1 is not UTF-8 (byte 7: 0xe9)" in message
    assert "CP1252      déjà vu" in message
    assert "CP1250      déjŕ vu" in message


def test_where_one_encoding_fits_its_command_is_given(tmp_path: Path) -> None:
    message = refused(tmp_path, CZECH.encode("cp1250") * 3)
    assert "it looks like CP1250" in message
    assert message.endswith("convert with: iconv -f CP1250 -t UTF-8 t.ban > t.utf8.ban")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("siki\n".encode("utf-32"), "it looks like UTF-32"),
        (bytes(range(256)) * 40, "t.ban: line "),
        (b"PAR1" + bytes(400), "a Parquet file"),
        (b"\x1f\x8b" + bytes(400), "packed with gz inside of another archive"),
        (b"siki\0\0\0\0\0kalih\n" * 40, "holds a NUL byte"),
    ],
)
def test_bytes_that_are_no_text_are_not_taken_for_utf_16(
    tmp_path: Path, content: bytes, words: str
) -> None:
    message = refused(tmp_path, content)
    assert words in message
    assert "UTF-16" not in message


def test_the_command_names_the_file_inside_of_its_packing(tmp_path: Path) -> None:
    message = refused(tmp_path, FRENCH.encode("utf-16"), "folder/my text.ban.XZ")
    assert "convert it, unpacked, with: iconv -f UTF-16" in message
    assert message.endswith("'my text.ban' > 'my text.utf8.ban'")
