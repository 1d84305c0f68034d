"""Tables as spreadsheets and pandas write them: separators, quotes, headers, line ends."""

from pathlib import Path

import pytest

from models.support.errors import SourceError
from pipeline.drafting.pairs import PairFiles, new_pair
from pipeline.specs.formats import format_for
from tasks.sources.description import Corpus, Files, RemoteFile, Table
from tasks.sources.fetching import fetch
from tasks.sources.reading import FetchedCorpus, read_corpus
from tasks.sources.sniffing import Sniffed, sniff

SAID = 'She said "The road is long." to us.'
QUOTED = '"She said ""The road is long."" to us."'
ENG = ["The river is wide.", "My sister sells mangoes.", "Rain fell all night."]
SWH = ["Mto ni mpana.", "Dada yangu anauza maembe.", "Mvua ilinyesha usiku kucha."]


def looks(folder: Path, name: str, content: str) -> Sniffed:
    (folder / name).write_bytes(content.encode())
    return sniff(folder / name, name)


def read(folder: Path, form: Table, content: str, name: str = "t.csv") -> list[dict[str, str]]:
    (folder / name).write_bytes(content.encode())
    source = Files(kind="files", base=str(folder), files=(RemoteFile(name=name),), format=form)
    fetch(source, folder / "raw", mirror=None)
    corpus = Corpus(name="korpus", source=source, licence="")
    return [row.fields for row in read_corpus(*FetchedCorpus(corpus, folder / "raw"))]


def table(header: str, *, more: str = "", separator: str = ",", index: bool = False) -> str:
    rows = []
    for n, (eng, swh) in enumerate(zip(ENG, SWH, strict=True)):
        cells = [*([str(n)] if index else []), eng, swh, *([more] if more else [])]
        rows.append(separator.join(cells))
    return "".join(f"{line}\n" for line in [header, *rows])


@pytest.mark.parametrize(
    ("content", "columns"),
    [
        (table(",eng,swh", index=True), ["1", "eng", "swh"]),
        (table("eng,swh,2019", more="x"), ["eng", "swh", "2019"]),
        (table("eng,swh,Is it fluent?", more="4"), ["eng", "swh", "Is it fluent?"]),
        (
            table("eng,swh," + "how good is it " * 4, more="4"),
            ["eng", "swh", "how good is it " * 4],
        ),
        (table("eng,swh,note,note", more="a,b"), ["eng", "swh", "3", "4"]),
        (table("sep=;\neng;swh", separator=";"), ["eng", "swh"]),
        (table(" eng , swh "), ["eng", "swh"]),
        (table("asli,terjemahan"), ["asli", "terjemahan"]),
        (table("Good morning.,Habari za asubuhi."), ["1", "2"]),
        (table("0,Good morning,Habari", index=True), ["1", "2", "3"]),
        (table("The dog is the dog.,Mto ni mto."), ["1", "2"]),
    ],
    ids=[
        "index column",
        "a year",
        "a question",
        "a long name",
        "repeated names",
        "a separator line",
        "spaces",
        "names of no known word",
        "sentences",
        "a numbered row",
        "sentences of words that are codes",
    ],
)
def test_a_header_is_told_by_most_of_its_names(
    tmp_path: Path, content: str, columns: list[str]
) -> None:
    assert [c.strip() for c in looks(tmp_path, "t.csv", content).columns] == [
        c.strip() for c in columns
    ]


@pytest.mark.parametrize("named", [{"eng": "eng", "swh": "swh"}, {"eng": "2", "swh": "3"}])
def test_columns_of_a_known_header_go_by_name_or_number(
    tmp_path: Path, named: dict[str, str]
) -> None:
    content = table(",eng,swh", index=True)
    form = format_for(looks(tmp_path, "t.csv", content), "t.csv", named)
    assert isinstance(form, Table)
    assert (form.columns, form.header) == ({"eng": "eng", "swh": "swh"}, True)
    assert [row["swh"] for row in read(tmp_path, form, content)] == SWH


def test_names_that_look_like_text_are_names_when_the_user_says_so(tmp_path: Path) -> None:
    content = table("Say it in English.,Sema kwa Kiswahili.")
    seen = looks(tmp_path, "t.csv", content)
    assert not seen.header
    columns = {"eng": "Say it in English.", "swh": "Sema kwa Kiswahili."}
    form = format_for(seen, "t.csv", columns)
    assert isinstance(form, Table)
    assert [row["eng"] for row in read(tmp_path, form, content)] == ENG


def test_columns_of_one_name_go_by_number(tmp_path: Path) -> None:
    content = "text,text\n" + "".join(f"{a},{b}\n" for a, b in zip(ENG, SWH, strict=True))
    form = Table(kind="csv", columns={"eng": "1", "swh": "2"})
    assert [row["swh"] for row in read(tmp_path, form, content)] == SWH
    with pytest.raises(SourceError, match=r"no column 'text'; found '1', '2'.* go by number"):
        read(tmp_path, Table(kind="csv", columns={"eng": "text"}), content)


@pytest.mark.parametrize(
    ("name", "separator", "delimiter"),
    [("t.csv", ";", ";"), ("t.csv", "|", "|"), ("t.csv", "\t", None), ("t.tab", "\t", None)],
)
def test_the_separator_is_told_from_the_rows(
    tmp_path: Path, name: str, separator: str, delimiter: str | None
) -> None:
    content = table(separator.join(["eng", "swh"]), separator=separator).replace(
        "night", "night, too"
    )
    seen = looks(tmp_path, name, content)
    assert seen.dialect is not None
    assert seen.dialect.delimiter == delimiter
    form = format_for(seen, name, {"eng": "eng", "swh": "swh"})
    assert isinstance(form, Table)
    assert [row["swh"] for row in read(tmp_path, form, content, name)] == SWH


def test_another_separator_than_the_first_line_says_is_an_error(tmp_path: Path) -> None:
    form = Table(kind="csv", columns={"eng": "eng"})
    with pytest.raises(SourceError, match="write `delimiter: ';'`"):
        read(tmp_path, form, "sep=;\neng;swh\na;b\n")


@pytest.mark.parametrize(
    ("rows", "quoted", "doubt"),
    [
        ([f"{ENG[0]}\t{SWH[0]}", f"{QUOTED}\tx"], True, False),
        (['"a\tb"\tc', "d\te"], True, False),
        (['"a\nb"\tc', "d\te"], True, False),
        (['"a"\t"b"', '"c"\t"d"', '"e"\t"f"'], True, False),
        (['"Hello," he said.\tx', "c\td"], None, False),
        (['"Come in."\tx', "c\td"], None, True),
        ([f"{QUOTED}\tx", '"Hello," he said.\tx'], None, True),
        (["5'10\" tall\tx", "c\td"], None, False),
    ],
    ids=[
        "doubled quotes",
        "a tab inside",
        "two lines inside",
        "whole columns",
        "text that begins with a quote",
        "direct speech",
        "both",
        "inches",
    ],
)
def test_quotes_of_a_tsv_are_told_from_the_whole_file(
    tmp_path: Path, rows: list[str], quoted: bool | None, doubt: bool
) -> None:
    plain = "".join(f"satu {n}.\tmoja {n}.\n" for n in range(300))
    whole = rows if quoted and rows[0].startswith('"a"') else [plain.rstrip("\n"), *rows]
    seen = looks(tmp_path, "t.tsv", "\n".join(["eng\tswh", *whole]) + "\n")
    assert seen.dialect is not None
    assert (seen.dialect.quoted, seen.dialect.doubt is not None) == (quoted, doubt)


def test_quoted_tabs_and_doubled_quotes_come_out_as_text(tmp_path: Path) -> None:
    content = f'eng\tswh\n{QUOTED}\tx\n"a\tb"\t"c\nd"\n'
    form = Table(kind="tsv", columns={"eng": "eng", "swh": "swh"}, quoted=True)
    assert read(tmp_path, form, content, "t.tsv") == [
        {"eng": SAID, "swh": "x"},
        {"eng": "a\tb", "swh": "c\nd"},
    ]


def test_a_quote_behind_a_space_opens_a_field(tmp_path: Path) -> None:
    content = 'eng, swh\n"a, b", "c, d"\n'
    seen = looks(tmp_path, "t.csv", content)
    form = format_for(seen, "t.csv", {"eng": "eng", "swh": "swh"})
    assert isinstance(form, Table)
    assert read(tmp_path, form, content) == [{"eng": "a, b", "swh": "c, d"}]


def test_short_text_in_the_first_row_is_not_lost_where_columns_go_by_number(
    tmp_path: Path,
) -> None:
    content = "The dog\tMbwa huyo\n" + table("A cat\tPaka", separator="\t")
    seen = looks(tmp_path, "t.tsv", content)
    form = format_for(seen, "t.tsv", {"eng": "1", "swh": "2"})
    assert isinstance(form, Table)
    assert [row["eng"] for row in read(tmp_path, form, content, "t.tsv")] == [
        "The dog",
        "A cat",
        *ENG,
    ]


def test_a_csv_may_be_without_quotes(tmp_path: Path) -> None:
    content = 'eng,swh\n"Hello" he said,x\n5" pipe,y\n'
    seen = looks(tmp_path, "t.csv", content)
    form = format_for(seen, "t.csv", {"eng": "eng", "swh": "swh"})
    assert isinstance(form, Table)
    assert form.quoted is False
    assert [row["eng"] for row in read(tmp_path, form, content)] == ['"Hello" he said', '5" pipe']


@pytest.mark.parametrize(
    ("kind", "content", "words"),
    [
        ("csv", 'eng,swh\na,b\n"c,d\ne,f\n', ["after record 1 (line 3)", "never closed", "line 3"]),
        ("csv", 'eng,swh\n"a" b,c\n', ["line 2", "double the quotes", "`quoted: false`"]),
        ("csv", "eng,swh\na\rb,c\n", ["line 2", r"tr '\r' '\n' < t.csv > t.lf.csv"]),
        ("csv", "eng,swh\na,b\nc,d,e\n", ["record 2 (line 3) has 3 columns, the header has 2"]),
        ("tsv", 'eng\tswh\n"a\tb"\tc\n', ["record 1 (line 2)", "`quoted: true`"]),
        ("tsv", 'eng\tswh\n"a\nb"\tc\n', ["record 1 (line 2)", "`quoted: true`"]),
        ("tsv", "eng\tswh\na\tb\rc\td\n", ["record 1 (line 2)", r"tr '\r' '\n'"]),
    ],
)
def test_what_is_no_table_is_said_with_its_line_and_a_way_out(
    tmp_path: Path, kind: str, content: str, words: list[str]
) -> None:
    form = Table(kind="tsv" if kind == "tsv" else "csv", columns={"eng": "eng", "swh": "swh"})
    with pytest.raises(SourceError) as caught:
        read(tmp_path, form, content, f"t.{kind}")
    assert [word for word in words if word not in str(caught.value)] == []


def test_a_row_after_one_of_several_lines_has_its_own_line(tmp_path: Path) -> None:
    content = 'eng,swh\n"a\nb\nc",d\n\ne\n'
    with pytest.raises(SourceError, match=r"record 2 \(line 6\)"):
        read(tmp_path, Table(kind="csv", columns={"eng": "eng"}), content)


@pytest.mark.parametrize("name", ["t.eng", "t.csv", "t.tsv", "t.jsonl"])
def test_lines_that_end_with_cr_alone_are_named_with_the_command(tmp_path: Path, name: str) -> None:
    content = {
        "t.eng": "\r".join(ENG),
        "t.csv": table("eng,swh").replace("\n", "\r"),
        "t.tsv": table("eng\tswh", separator="\t").replace("\n", "\r"),
        "t.jsonl": '{"eng": "a"}\r{"eng": "b"}\r',
    }[name]
    with pytest.raises(SourceError) as caught:
        looks(tmp_path, name, content)
    stem, ending = name.split(".")
    message = str(caught.value)
    assert f"{name}: line 1: its lines end with CR alone" in message
    assert rf"tr '\r' '\n' < {name} > {stem}.lf.{ending}" in message


def texts(folder: Path, name: str, lines: list[str]) -> str:
    (folder / name).write_bytes("".join(lines).encode())
    return str(folder / name)


def test_one_cr_among_line_ends_is_named_where_lines_are_missing(tmp_path: Path) -> None:
    eng = texts(tmp_path, "t.eng", [f"{line}\n" for line in ENG])
    swh = texts(tmp_path, "t.swh", [f"{SWH[0]}\n", f"{SWH[1]}\r", f"{SWH[2]}\n"])
    with pytest.raises(
        SourceError, match=r"t\.swh ends after 2 lines.*line 2 of t\.swh holds a CR"
    ):
        new_pair("eng-swh", PairFiles(parallel=[eng, swh]), out=tmp_path / "x.yaml")
