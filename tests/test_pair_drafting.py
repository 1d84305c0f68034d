"""A new pair from a user's files: what is written is valid, pinned, split, and never half there."""

import gzip
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from models.support.errors import SourceError, SpecError
from pipeline.drafting.checking import check_pair
from pipeline.drafting.pairs import PairFiles, new_pair, parse_columns
from pipeline.specs.loading import load_manifest
from pipeline.specs.manifests import PairManifest
from tasks.sources.fetching import sha256_of

NUMERALS = [
    ("satu", "siki"),
    ("dua", "kalih"),
    ("tiga", "telu"),
    ("empat", "papat"),
    ("lima", "lima"),
]
PAIRS = [
    (f"{a} {b} {c}", f"{x} {y} {z}") for a, x in NUMERALS for b, y in NUMERALS for c, z in NUMERALS
]
"""125 invented sentence pairs."""


@pytest.fixture(autouse=True)
def _no_mirror(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SPRACHBUND_MIRROR", raising=False)


def write(path: Path, *lines: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def texts(folder: Path, ind: str = "teks.ind", ban: str = "teks.ban") -> list[str]:
    sides = list(zip(*PAIRS, strict=True))
    return [str(write(folder / ind, *sides[0])), str(write(folder / ban, *sides[1]))]


def table(path: Path, header: str, *, separator: str = ",") -> str:
    rows = [separator.join((f"s{n}", *pair)) for n, pair in enumerate(PAIRS)]
    return str(write(path, header, *rows))


def draft(folder: Path, *parallel: str, **others: Any) -> dict[str, Any]:
    """Draft a pair, have it checked, and return what stands in the file."""
    out = folder / "ind-ban.yaml"
    new_pair("ind-ban", PairFiles(parallel=parallel, **others), out=out)
    found = list(check_pair(str(out), fetch_corpora=True))
    assert [str(f) for f in found if f.level == "error"] == []
    data: dict[str, Any] = yaml.safe_load(out.read_text(encoding="utf-8"))
    return data


def refused(folder: Path, *parallel: str, **others: Any) -> str:
    """Return the message with which files are refused; nothing is left behind."""
    before = sorted(folder.rglob("*"))
    with pytest.raises((SourceError, SpecError)) as caught:
        new_pair("ind-ban", PairFiles(parallel=parallel, **others), out=folder / "x/ind-ban.yaml")
    assert sorted(folder.rglob("*")) == before
    return str(caught.value)


def test_aligned_files_are_pinned_and_split(tmp_path: Path) -> None:
    files = texts(tmp_path / "teks")
    mono = [str(write(tmp_path / "mono.txt", "Siki. Kalih!", "siki"))]
    data = draft(tmp_path, *files, mono=mono)
    (corpus,) = data["parallel"]
    assert corpus["source"]["base"] == "./teks"
    assert [file["sha256"] for file in corpus["source"]["files"]] == [
        sha256_of(Path(file)) for file in files
    ]
    assert [file["language"] for file in corpus["source"]["files"]] == ["ind", "ban"]
    assert data["split"] == {"rule": "hash", "dev": 12, "test": 12}
    assert data["monolingual"]["ban"][0]["source"]["files"][0]["name"] == "mono.txt"


def test_what_was_found_is_told_and_what_is_a_guess(tmp_path: Path) -> None:
    drafted = new_pair(
        "ind-ban",
        PairFiles(parallel=texts(tmp_path, "kiri.txt", "kanan.txt")),
        out=tmp_path / "ind-ban.yaml",
    )
    found = "\n".join(drafted.found)
    assert "kiri.txt: plain text, ind" in found
    assert "125 sentence pairs, 125 usable; on average 3.0 words in ind, 3.0 words in ban" in found
    assert "train 101, dev 12, test 12" in found
    text = drafted.path.read_text()
    for doubt in ("by their order, ind first", "12 test sentences"):
        assert any(doubt in line for line in drafted.doubts)
        assert any(doubt in line for line in text.splitlines() if "# check this:" in line)


def test_names_of_files_decide_over_their_order(tmp_path: Path) -> None:
    ind, ban = texts(tmp_path, "teks.id", "balinese.txt")
    (corpus,) = draft(tmp_path, ban, ind)["parallel"]
    named = [(file["name"], file["language"]) for file in corpus["source"]["files"]]
    assert named == [("teks.id", "ind"), ("balinese.txt", "ban")]
    assert "check this: which file" not in (tmp_path / "ind-ban.yaml").read_text()


@pytest.mark.parametrize(
    ("name", "header", "separator", "expected"),
    [
        (
            "t.csv",
            "id,indonesian,balinese",
            ",",
            {"kind": "csv", "id": "id", "columns": {"ind": "indonesian", "ban": "balinese"}},
        ),
        (
            "t.txt",
            "key\tind_text\ttext-ban",
            "\t",
            {"kind": "tsv", "id": "key", "columns": {"ind": "ind_text", "ban": "text-ban"}},
        ),
    ],
)
def test_a_table_holds_both_languages(
    tmp_path: Path, name: str, header: str, separator: str, expected: dict[str, object]
) -> None:
    file = table(tmp_path / name, header, separator=separator)
    assert draft(tmp_path, file)["parallel"][0]["source"]["format"] == expected


def test_json_lines_hold_both_languages(tmp_path: Path) -> None:
    lines = [json.dumps({"ban": ban, "ind": ind}) for ind, ban in PAIRS]
    data = draft(tmp_path, str(write(tmp_path / "t.jsonl", *lines)))
    expected = {"kind": "jsonl", "columns": {"ind": "ind", "ban": "ban"}}
    assert data["parallel"][0]["source"]["format"] == expected


def test_packed_files_are_read_where_they_are(tmp_path: Path) -> None:
    ind, ban = texts(tmp_path)
    packed = tmp_path / "teks.ind.gz"
    packed.write_bytes(gzip.compress(Path(ind).read_bytes()))
    archive = tmp_path / "teks.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        opened.write(ban, "dalam/teks.ban")
        opened.write(ind, "dalam/teks.ind")
    (corpus,) = draft(tmp_path, str(packed), f"{archive}:dalam/teks.ban")["parallel"]
    first, second = corpus["source"]["files"]
    assert (first["name"], first["sha256"]) == ("teks.ind.gz", sha256_of(packed))
    assert (second["name"], second["member"]) == ("teks.zip", "dalam/teks.ban")
    assert "teks.zip:dalam/teks.ban" in refused(tmp_path, ind, str(archive))


def test_columns_without_a_telling_name_are_asked_for(tmp_path: Path) -> None:
    file = table(tmp_path / "t.csv", "id,source,target")
    message = refused(tmp_path, file)
    assert "source: 'satu satu satu'" in message
    assert "--columns ind=COLUMN,ban=COLUMN" in message
    assert "did you mean 'target'" in refused(
        tmp_path, file, columns={"ind": "source", "ban": "tarhet"}
    )
    assert "'jav' is not one of ind, ban" in refused(tmp_path, file, columns={"jav": "source"})
    data = draft(tmp_path, file, columns=parse_columns("ind=source, ban=target"))
    columns = data["parallel"][0]["source"]["format"]["columns"]
    assert columns == {"ind": "source", "ban": "target"}


def test_a_table_without_a_header_has_numbered_columns(tmp_path: Path) -> None:
    rows = [f"{ind}.\t{ban}." for ind, ban in PAIRS]
    file = str(write(tmp_path / "t.tsv", *rows))
    assert "1: 'satu satu satu.'" in refused(tmp_path, file)
    data = draft(tmp_path, file, columns={"ind": "1", "ban": "2"})
    form = data["parallel"][0]["source"]["format"]
    assert form == {"kind": "tsv", "columns": {"ind": "1", "ban": "2"}, "header": False}
    found = "\n".join(map(str, check_pair(str(tmp_path / "ind-ban.yaml"), fetch_corpora=True)))
    assert "125 sentence pairs" in found


def test_an_id_that_repeats_is_not_taken(tmp_path: Path) -> None:
    rows = [f"s,{ind},{ban}" for ind, ban in PAIRS]
    data = draft(tmp_path, str(write(tmp_path / "t.csv", "id,ind,ban", *rows)))
    assert "id" not in data["parallel"][0]["source"]["format"]
    assert "'s' stands there twice" in (tmp_path / "ind-ban.yaml").read_text()


def test_monolingual_files_of_one_format_are_one_corpus(tmp_path: Path) -> None:
    mono = [
        str(write(tmp_path / "a.txt", "siki")),
        str(write(tmp_path / "b.txt", "kalih")),
        str(write(tmp_path / "c.csv", "label,text", "x,telu", "y,papat")),
    ]
    corpora = draft(tmp_path, *texts(tmp_path), mono=mono)["monolingual"]["ban"]
    assert [corpus["name"] for corpus in corpora] == ["ban-text", "ban-text-2"]
    assert len(corpora[0]["source"]["files"]) == 2
    assert corpora[1]["source"]["format"]["columns"] == {"ban": "text"}
    assert "check this: c.csv: that the column 'text'" in (tmp_path / "ind-ban.yaml").read_text()
    other = str(write(tmp_path / "d.csv", "a,b", "x,telu"))
    assert "--mono-column COLUMN" in refused(tmp_path, *texts(tmp_path), mono=[other])
    draft_again = {"mono": [other], "mono_column": "b"}
    (tmp_path / "ind-ban.yaml").unlink()
    corpora = draft(tmp_path, *texts(tmp_path), **draft_again)["monolingual"]["ban"]
    assert corpora[0]["source"]["format"]["columns"] == {"ban": "b"}


@pytest.mark.parametrize(
    ("ind", "ban"),
    [
        ("a/teks", "b/teks"),
        ("teks #1: akhir, {x}.ind", "- 'teks'.ban"),
        ("ꦲꦏ꧀ꦱꦫ.ind", 'kutip".ban'),
        ("no", "1e5"),
    ],
)
def test_any_path_makes_a_manifest_that_passes(tmp_path: Path, ind: str, ban: str) -> None:
    mono = [
        str(write(tmp_path / "https:" / "m: 1.txt", "siki")),
        str(write(tmp_path / "z", "kalih")),
    ]
    data = draft(tmp_path, *texts(tmp_path / "d: #1", ind, ban), mono=mono)
    names = [file["name"] for file in data["parallel"][0]["source"]["files"]]
    assert names == [ind, ban]


def test_files_beside_the_manifest_and_above_it_are_found(tmp_path: Path) -> None:
    files = texts(tmp_path)
    out = tmp_path / "manifests/pairs/ind-ban.yaml"
    new_pair("ind-ban", PairFiles(parallel=files), out=out)
    assert yaml.safe_load(out.read_text())["parallel"][0]["source"]["base"] == "../.."
    assert load_manifest(out, PairManifest).languages == ("ind", "ban")


@pytest.mark.parametrize("with_mono", [False, True])
def test_the_template_is_valid_and_asks_for_what_is_missing(
    tmp_path: Path, with_mono: bool
) -> None:
    mono = [str(write(tmp_path / "mono.txt", "siki"))] if with_mono else []
    path = new_pair("ind-ban", PairFiles(mono=mono), out=tmp_path / "ind-ban.yaml").path
    assert path.read_text().count("monolingual:") == 1
    assert load_manifest(path, PairManifest).languages == ("ind", "ban")
    data = yaml.safe_load(path.read_text())
    source = data["parallel"][0]["source"]
    assert source["files"] == [{"name": "train.csv", "sha256": "0" * 64}]
    assert source["format"]["columns"] == {"ind": "source_text", "ban": "target_text"}
    (text,) = data["monolingual"]["ban"]
    assert text["name"] == ("ban-text" if with_mono else "my-text")
    assert data["split"] == {"rule": "hash", "dev": 300, "test": 350}


def test_a_file_that_exists_is_not_overwritten(tmp_path: Path) -> None:
    path = write(tmp_path / "ind-ban.yaml", "kept")
    with pytest.raises(SpecError, match="exists already"):
        new_pair("ind-ban", PairFiles(), out=path)
    assert path.read_text() == "kept\n"


def test_a_folder_that_cannot_be_written_to_is_a_clear_error(tmp_path: Path) -> None:
    blocked = write(tmp_path / "file", "kept")
    with pytest.raises(SpecError, match="cannot be written"):
        new_pair("ind-ban", PairFiles(), out=blocked / "ind-ban.yaml")


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        *((name, "expected HUB-LANGUAGE") for name in ("ind", "ind-", "-ind", "ind-ind")),
        ("ind-balinese", "'balinese' is no ISO 639-3 code"),
        ("IND-ban", "'IND' is no ISO 639-3 code; did you mean 'ind'"),
        ("in1-ban", "'in1' is no ISO 639-3 code"),
        ("eng-sw", "'sw' is no ISO 639-3 code; did you mean 'swh' or 'swa'"),
        ("eng-zh_Hant", ".* did you mean 'cmn_Hant' or 'zho_Hant'"),
        ("eng-srp_Cyrillic", ".*'Cyrillic' is no script of ISO 15924"),
    ],
)
def test_a_name_that_is_not_two_codes_is_refused(tmp_path: Path, name: str, problem: str) -> None:
    path = tmp_path / "new.yaml"
    with pytest.raises(SpecError, match=f"{name}: {problem}"):
        new_pair(name, PairFiles(), out=path)
    assert not path.exists()


def test_files_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    one, two = texts(tmp_path)
    gone = str(tmp_path / "gone.txt")
    both = table(tmp_path / "t.csv", "id,ind,ban")
    latin = tmp_path / "latin.ban"
    latin.write_bytes("pèken né\n".encode("latin-1") * len(PAIRS))
    short = str(write(tmp_path / "short.ban", "siki"))
    blank = str(write(tmp_path / "blank.ban", *("..." for _ in PAIRS)))
    for parallel, message in [
        ((one,), "teks.ind is plain text; expected two plain-text files"),
        ((one, two, two), "expected two plain-text files"),
        ((one, both), "t.csv is a table (csv); expected"),
        ((one, gone), "gone.txt: no such file"),
        ((one, str(latin)), "latin.ban: line 1 is not UTF-8"),
        ((one, short), "short.ban ends after 1 lines"),
        ((one, blank), "none of its 125 rows is usable (125 empty)"),
    ]:
        assert message in refused(tmp_path, *parallel)
    assert "gone.txt: no such file" in refused(tmp_path, one, two, mono=[gone])


def test_columns_are_pairs() -> None:
    assert parse_columns("ind=source, ban=a b") == {"ind": "source", "ban": "a b"}
    assert parse_columns("") == {}
    with pytest.raises(SpecError, match="LANGUAGE=COLUMN"):
        parse_columns("source,target")


def memory(path: Path, *units: tuple[dict[str, str], str]) -> str:
    """Write a TMX of units, each a text by tag and a `tuid` or none."""
    written = (
        (f'<tu tuid="{tuid}">' if tuid else "<tu>")
        + "".join(f'<tuv xml:lang="{t}"><seg>{text}</seg></tuv>' for t, text in sides.items())
        + "</tu>"
        for sides, tuid in units
    )
    return str(write(path, f"<tmx><header/><body>{''.join(written)}</body></tmx>"))


def test_a_memory_with_tags_of_regions_is_taken_whole(tmp_path: Path) -> None:
    tags = [("id-ID", "ban"), ("ID", "ban-ID"), ("in", "BAN")]
    units = [(dict(zip(tags[n % 3], pair, strict=True)), "") for n, pair in enumerate(PAIRS)]
    data = draft(tmp_path, memory(tmp_path / "a.tmx", *units, ({"fr": "rien"}, "")))
    (corpus,) = data["parallel"]
    assert corpus["source"]["format"] == {"kind": "tmx", "columns": {"ind": "id", "ban": "ban"}}
    text = (tmp_path / "ind-ban.yaml").read_text(encoding="utf-8")
    assert "126 sentence pairs, 125 usable (dropped: 1 without_ind)" in text
    assert "check this: a.tmx: ind in all of id-ID, ID, in" in text


@pytest.mark.parametrize(("tuids", "key"), [(["", ""], "tuid"), (["1", "1"], None)])
def test_several_memories_are_one_corpus_and_ids_that_repeat_are_not_taken(
    tmp_path: Path, tuids: list[str], key: str | None
) -> None:
    files = []
    for number, tuid in enumerate(tuids):
        units = [({"id": a, "ban": b}, tuid) for a, b in PAIRS[number::2]]
        files.append(memory(tmp_path / f"{number}.tmx", *units))
    data = draft(tmp_path, *files)
    (corpus,) = data["parallel"]
    assert corpus["source"]["format"].get("id", "tuid") == key
    text = (tmp_path / "ind-ban.yaml").read_text(encoding="utf-8")
    assert "125 sentence pairs, 125 usable;" in text
    assert ("but '1' stands there twice" in text) == (key is None)


def test_a_language_may_be_named_by_its_macrolanguage_and_have_a_script(tmp_path: Path) -> None:
    header = "en,sr-Cyrl,sr-Latn"
    rows = [f"one {n},jedan {n},један {n}" for n in range(30)]
    path = str(write(tmp_path / "t.csv", header, *rows))
    drafted = new_pair("eng-srp_Latn", PairFiles(parallel=[path]), out=tmp_path / "p.yaml")
    data = yaml.safe_load(drafted.path.read_text(encoding="utf-8"))
    assert (data["name"], data["languages"]) == ("eng-srp_latn", ["eng", "srp_Latn"])
    columns = data["parallel"][0]["source"]["format"]["columns"]
    assert columns == {"eng": "en", "srp_Latn": "sr-Latn"}


@pytest.mark.parametrize("order", [("en", "sw"), ("sw", "en")])
@pytest.mark.parametrize("name", ["Books.en-sw.{}", "{}.en-sw.txt", "eng-swh.{}"])
def test_files_are_told_apart_by_the_end_of_their_names(
    tmp_path: Path, order: tuple[str, str], name: str
) -> None:
    text = {"en": "one house", "sw": "nyumba moja"}
    files = [
        str(write(tmp_path / name.format(code), *(f"{text[code]} {n}" for n in range(30))))
        for code in order
    ]
    drafted = new_pair("eng-swh", PairFiles(parallel=files), out=tmp_path / "p.yaml")
    listed = yaml.safe_load(drafted.path.read_text(encoding="utf-8"))["parallel"][0]["source"]
    assert {file["language"]: file["name"] for file in listed["files"]} == {
        "eng": name.format("en"),
        "swh": name.format("sw"),
    }
    assert not [doubt for doubt in drafted.doubts if "which file" in doubt]


def parted(folder: Path, ending: str) -> dict[str, list[str]]:
    """Write the pairs as train, dev and test files; return them by part."""
    bounds = {"train": (0, 100), "dev": (100, 110), "test": (110, 125)}
    found: dict[str, list[str]] = {}
    for part, (first, last) in bounds.items():
        rows = PAIRS[first:last]
        if ending == "txt":
            sides = zip(("ind", "ban"), zip(*rows, strict=True), strict=True)
            found[part] = [str(write(folder / f"{part}.{x}", *lines)) for x, lines in sides]
        else:
            lines = [f"{ind}\t{ban}" for ind, ban in rows]
            found[part] = [str(write(folder / f"{part}.tsv", "ind\tban", *lines))]
    return found


@pytest.mark.parametrize("ending", ["txt", "tsv"])
def test_bitext_that_comes_split_stays_so(tmp_path: Path, ending: str) -> None:
    files = PairFiles(**parted(tmp_path, ending))
    drafted = new_pair("ind-ban", files, out=tmp_path / "ind-ban.yaml")
    assert "split: train 100, dev 10, test 15" in drafted.found
    data = yaml.safe_load(drafted.path.read_text(encoding="utf-8"))
    assert data["split"] == {"rule": "shipped"}
    (corpus,) = data["parallel"]
    splits = [file["split"] for file in corpus["source"]["files"]]
    assert sorted(set(splits), key=splits.index) == ["train", "dev", "test"]
    found = list(check_pair(str(drafted.path), fetch_corpora=True))
    assert [str(f) for f in found if f.level == "error"] == []
    assert "125 sentence pairs, 125 usable" in "\n".join(map(str, found))


def test_a_shipped_test_set_is_counted_whole(tmp_path: Path) -> None:
    parts = parted(tmp_path, "tsv")
    again = [f"{ind}\t{ban}" for ind, ban in (PAIRS[0], PAIRS[0], PAIRS[1])]
    parts["test"] = [str(write(tmp_path / "test.tsv", "ind\tban", *again))]
    drafted = new_pair("ind-ban", PairFiles(**parts), out=tmp_path / "ind-ban.yaml")
    assert "split: train 98, dev 10, test 3" in drafted.found


def test_what_is_split_comes_in_three_parts(tmp_path: Path) -> None:
    parts = parted(tmp_path, "tsv")
    assert "--dev is missing" in refused(tmp_path, train=parts["train"], test=parts["test"])
    assert "without --parallel" in refused(tmp_path, *parts["train"], **parts)
    parts["dev"] = [str(write(tmp_path / "dev.tsv", "ind\tban", "...\t..."))]
    assert "--dev: none of its sentence pairs is usable" in refused(tmp_path, **parts)


def test_several_tables_are_one_corpus_or_one_a_format(tmp_path: Path) -> None:
    half = len(PAIRS) // 2
    rows = [f"{ind},{ban}" for ind, ban in PAIRS]
    one = str(write(tmp_path / "1.csv", "ind,ban", *rows[:half]))
    two = str(write(tmp_path / "2.csv", "ind,ban", *rows[half:]))
    (corpus,) = draft(tmp_path, one, two)["parallel"]
    assert [file["name"] for file in corpus["source"]["files"]] == ["1.csv", "2.csv"]
    (tmp_path / "ind-ban.yaml").unlink()
    lines = [json.dumps({"Indonesian": f"baru {a}", "Balinese": f"anyar {b}"}) for a, b in PAIRS]
    three = str(write(tmp_path / "3.jsonl", *lines))
    corpora = draft(tmp_path, one, three, *texts(tmp_path / "t"))["parallel"]
    assert [(c["name"], c["source"]["format"]["kind"]) for c in corpora] == [
        ("ind-ban-text", "text"),
        ("ind-ban-text-2", "csv"),
        ("ind-ban-text-3", "jsonl"),
    ]


def test_several_aligned_files_are_told_by_their_names(tmp_path: Path) -> None:
    first, second = texts(tmp_path, "a.ind", "a.ban"), texts(tmp_path, "b.ind", "b.ban")
    (corpus,) = draft(tmp_path, *first, *second)["parallel"]
    named = [(file["name"], file["language"]) for file in corpus["source"]["files"]]
    assert named == [("a.ind", "ind"), ("b.ind", "ind"), ("a.ban", "ban"), ("b.ban", "ban")]
    other = texts(tmp_path, "kiri.txt", "kanan.txt")
    assert "the names of these files do not say" in refused(tmp_path, *first, *other)


def test_a_quoted_table_keeps_its_dialect_in_the_manifest(tmp_path: Path) -> None:
    rows = [f'"kata ""{ind}"" itu"\tkruna {ban}' for ind, ban in PAIRS]
    files = {
        "train": [str(write(tmp_path / "train.tsv", "ind\tban", *rows[:100]))],
        "dev": [str(write(tmp_path / "dev.tsv", "ind\tban", *(f"{a}\t{b}" for a, b in PAIRS)))],
        "test": [str(write(tmp_path / "test.tsv", "ind\tban", *rows[100:]))],
    }
    drafted = new_pair("ind-ban", PairFiles(**files), out=tmp_path / "ind-ban.yaml")
    (corpus,) = yaml.safe_load(drafted.path.read_text())["parallel"]
    form = {"kind": "tsv", "columns": {"ind": "ind", "ban": "ban"}, "quoted": True}
    assert corpus["source"]["format"] == form


def test_a_first_row_of_short_text_is_a_doubt(tmp_path: Path) -> None:
    rows = [f"{ind}\t{ban}" for ind, ban in PAIRS]
    file = str(write(tmp_path / "t.tsv", *rows))
    drafted = new_pair(
        "ind-ban",
        PairFiles(parallel=[file], columns={"ind": "1", "ban": "2"}),
        out=tmp_path / "ind-ban.yaml",
    )
    assert "125 sentence pairs" in "\n".join(drafted.found)
    assert any("its first row is text and no header: 'satu satu" in d for d in drafted.doubts)


def test_a_link_into_a_cache_goes_by_its_own_name(tmp_path: Path) -> None:
    ind, ban = texts(tmp_path / "plain")
    (tmp_path / "blobs").mkdir()
    (tmp_path / "snapshot").mkdir()
    links = []
    for side, name in ((ind, "t.ind.gz"), (ban, "t.ban.gz")):
        blob = tmp_path / "blobs" / sha256_of(Path(side))
        blob.write_bytes(gzip.compress(Path(side).read_bytes()))
        link = tmp_path / "snapshot" / name
        link.symlink_to(blob)
        links.append(str(link))
    (corpus,) = draft(tmp_path, *links)["parallel"]
    assert corpus["source"]["base"] == "./snapshot"
    assert [file["name"] for file in corpus["source"]["files"]] == ["t.ind.gz", "t.ban.gz"]
    assert [file["language"] for file in corpus["source"]["files"]] == ["ind", "ban"]


def test_an_empty_line_is_named_with_its_file(tmp_path: Path) -> None:
    ind, ban = texts(tmp_path)
    lines = Path(ban).read_text().splitlines()
    write(Path(ban), *lines[:16], "", *lines[17:])
    drafted = new_pair("ind-ban", PairFiles(parallel=[ind, ban]), out=tmp_path / "ind-ban.yaml")
    assert "    empty: teks.ind: line 17" in drafted.found
    found = [str(f) for f in check_pair(str(drafted.path), fetch_corpora=True)]
    assert "    empty: teks.ind: line 17" in found


def usfm(folder: Path, name: str, language: str, *books: str) -> str:
    """Write books of ten verses each, with a heading and a note in them."""
    lines = []
    for book in books:
        lines += [f"\\id {book}", "\\c 1", "\\s Judul", "\\p"]
        lines += [f"\\v {n} {language} {book} {n}\\f + \\ft nota\\f*" for n in range(1, 11)]
    return str(write(folder / name, *lines))


def test_bibles_are_joined_by_verse(tmp_path: Path) -> None:
    files = [
        usfm(tmp_path, "raw/ind.usfm", "ind", "GEN", "MAT", "MRK"),
        usfm(tmp_path, "raw/ban.SFM", "ban", "MAT", "GEN"),
    ]
    data = draft(tmp_path, *reversed(files))
    (corpus,) = data["parallel"]
    assert corpus["source"]["format"] == {"kind": "verses"}
    named = [(file["name"], file["language"]) for file in corpus["source"]["files"]]
    assert named == [("ind.usfm", "ind"), ("ban.SFM", "ban")]
    assert data["split"] == {"rule": "hash", "dev": 2, "test": 2}


def test_a_file_a_book_is_known_by_its_folder(tmp_path: Path) -> None:
    """The code of a book may be that of a language: MAL is Malachi, and Malayalam."""
    files = [
        usfm(tmp_path, f"raw/{language}/{n:02}-{book}.usfm", language, book)
        for language in ("ban", "ind")
        for n, book in enumerate(("GEN", "MAL", "MAT"))
    ]
    out = tmp_path / "ind-ban.yaml"
    found = new_pair("ind-ban", PairFiles(parallel=files), out=out).found
    assert found[0] == "ind/00-GEN.usfm: a Bible by verse, ind"
    assert found[6].startswith("  ind-ban-text: 30 sentence pairs, 30 usable")
    other = usfm(tmp_path, "raw/00-GEN.usfm", "x", "GEN")
    with pytest.raises(SpecError, match="put them into folders that are named ind and ban"):
        new_pair("ind-ban", PairFiles(parallel=[other, other, other]), out=tmp_path / "a.yaml")
    split = PairFiles(train=files[:2], dev=files[2:4], test=files[4:])
    with pytest.raises(SpecError, match="Bibles are joined by verse, through all files"):
        new_pair("ind-ban", split, out=tmp_path / "a.yaml")
    assert not (tmp_path / "a.yaml").exists()


def test_a_bible_is_monolingual_text(tmp_path: Path) -> None:
    book = usfm(tmp_path, "raw/MAT.usfm", "ban", "MAT")
    data = draft(tmp_path, *texts(tmp_path), mono=[book])
    (corpus,) = data["monolingual"]["ban"]
    assert corpus["source"]["files"][0]["language"] == "ban"
    assert corpus["source"]["format"] == {"kind": "verses"}
