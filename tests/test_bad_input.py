"""Bad input from end to end: what is harmless is repaired and counted, the rest is one clear error.

What one reader or one fetch does with its own bad input stands in test_reading.py (encodings, line
ends, columns, line counts), test_fetching.py (servers, checksums, archives), test_bitext.py and
test_labelled.py (repeated ids, labels in doubt).
"""

import errno
import gzip
import io
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from models.support.errors import (
    DiskFullError,
    ProcessError,
    SourceError,
    SpecError,
    naming_full_disk,
)
from pipeline.dag import find_stages
from pipeline.drafting.checking import profile_corpus
from pipeline.drafting.pairs import PairFiles, new_pair
from pipeline.specs.loading import load_manifest
from pipeline.specs.manifests import PairManifest, TaskManifest
from pipeline.store import Draft
from tasks import records
from tasks.bitext import clean_rows, prepare_bitext
from tasks.cleaning import CleaningRules, Counts
from tasks.labelled import prepare_labelled, read_labels
from tasks.monolingual import prepare_monolingual
from tasks.sources import packing
from tasks.sources.description import (
    BibleVerses,
    Corpus,
    Files,
    HashSplit,
    JsonLines,
    PlainText,
    RemoteFile,
    Table,
)
from tasks.sources.fetching import fetch
from tasks.sources.reading import FetchedCorpus, read_corpora, read_corpus

Format = PlainText | Table | JsonLines | BibleVerses
TEXT = PlainText()
CSV = Table(kind="csv", columns={"ind": "a", "ban": "b"})
PAIR = ("ind", "ban")
SPLIT = HashSplit(rule="hash", dev=1, test=1)
IND, BAN = b"satu\ndua\ntiga\n", b"besik\ndadua\ntelu\n"


def brought(folder: Path, form: Format, **files: bytes) -> FetchedCorpus:
    """Fetch files of a local folder, `name__ending=content`; the name says the language."""
    (folder / "there").mkdir(parents=True)
    listed = []
    for name, content in files.items():
        language, _, ending = name.partition("__")
        listed.append(RemoteFile(name=f"{language}.{ending or 'txt'}", language=language))
        (folder / "there" / listed[-1].name).write_bytes(content)
    source = Files(kind="files", base=str(folder / "there"), files=tuple(listed), format=form)
    fetch(source, folder / "raw", mirror=None)
    return FetchedCorpus(Corpus(name="korpus", source=source, licence="CC0"), folder / "raw")


def prepare(folder: Path, form: Format, **files: bytes) -> None:
    """Fetch, read, clean and split a bitext."""
    corpora = [brought(folder, form, **files)]
    prepare_bitext(corpora, PAIR, rules=CleaningRules(), split=SPLIT, out=folder)


@pytest.mark.parametrize(
    ("ind", "ban", "rows", "more"),
    [
        (
            b"\xef\xbb\xbfsatu\r\ndua\r\ntiga",
            BAN,
            [["satu", "besik"], ["dua", "dadua"], ["tiga", "telu"]],
            {"dropped": {}},
        ),
        (
            "sa\x07tu\x1b[1m\nd\u00adua\u200b\nti\x0bga\n".encode(),
            BAN,
            [["satu[1m", "besik"], ["dua", "dadua"], ["ti ga", "telu"]],
            {"dropped": {}, "repaired": {"control_characters": 2}},
        ),
        (
            "dua\nसत्\u200dय\n\ufeffdua\n".encode(),
            BAN,
            [["dua", "besik"], ["सत्\u200dय", "dadua"]],
            {"dropped": {"duplicate": 1}, "repaired": {"control_characters": 1}},
        ),
    ],
    ids=["BOM and CRLF on one side", "control characters", "BOM in the middle, a joiner"],
)
def test_what_is_harmless_is_repaired_and_counted(
    tmp_path: Path, ind: bytes, ban: bytes, rows: list[list[str]], more: Mapping[str, object]
) -> None:
    counts = Counts()
    raw = read_corpora([brought(tmp_path, TEXT, ind=ind, ban=ban)])
    found = clean_rows(raw, PAIR, rules=CleaningRules(), counts=counts)
    assert [[record["ind"], record["ban"]] for record in found] == rows
    assert counts.as_dict() == {"read": 3, "kept": len(rows), **more}


def test_a_pair_check_tells_of_repairs(tmp_path: Path) -> None:
    profile = profile_corpus(brought(tmp_path, TEXT, ind=IND, ban=b"be\x07sik\n\ntelu\n"), PAIR)
    assert "2 usable (dropped: 1 empty; repaired: 1 control_characters)" in str(profile)


TEN_MB = b"a" * 10_000_000
USFM = b"\\id MAT\n\\c 1\n\\v 1 caf\xe9\n"
CES = b'<cesDoc><seg type="verse" id="b.MAT.one.1">a</seg></cesDoc>'


@pytest.mark.parametrize(
    ("form", "files", "words"),
    [
        (TEXT, {"ind": IND, "ban": BAN + TEN_MB}, ["ban.txt: line 4 is longer than 4,000,000"]),
        (CSV, {"x__csv": b"a,b\n" + TEN_MB + b",x\n"}, ["x.csv: line 2 is longer than 4,000,000"]),
        (
            CSV,
            {"x__csv": b'a,b\n"' + b"a\n" * 600_000 + b'",x\n'},
            ["x.csv", "more than 1,000,000 characters"],
        ),
        (TEXT, {"ind": IND, "ban": b""}, ["ban.txt: it is empty"]),
        (TEXT, {"ind": IND, "ban": b"besik\nda\0dua\ntelu\n"}, ["ban.txt: line 2", "NUL"]),
        (TEXT, {"ind": IND, "ban": "besik\n".encode("utf-16-le")}, ["ban.txt: line 1", "UTF-16"]),
        (
            TEXT,
            {"ind": b"satu\rdua\rtiga\r", "ban": BAN},
            ["ind.txt: line 1: its lines end with CR alone", "tr '\\r' '\\n'"],
        ),
        (TEXT, {"ind": b" \n\t\n", "ban": b"\n\n"}, ["ind-ban: no sentence pair", "'empty': 2"]),
        (CSV, {"x__csv": b"a,b\n"}, ["ind-ban: no sentence pair", "kept 0 of 0"]),
        (TEXT, {"ind": b"<!doctype html>\n<p>Sign in", "ban": BAN}, ["ind.txt: a web page"]),
        (BibleVerses(kind="verses"), {"ind__usfm": USFM}, ["ind.usfm: line 3", "UTF-8"]),
        (BibleVerses(kind="verses"), {"ind__xml": CES}, ["ind.xml: verse id 'b.MAT.one.1'"]),
    ],
    ids=[
        "10 MB line",
        "10 MB line of a table",
        "long field of many lines",
        "empty file",
        "NUL",
        "UTF-16 without a mark",
        "line ends of old Macs on one side",
        "white space alone",
        "a header alone",
        "web page",
        "Latin-1 in USFM",
        "verse id",
    ],
)
def test_what_is_not_is_an_error_with_its_place(
    tmp_path: Path, form: Format, files: Mapping[str, bytes], words: Sequence[str]
) -> None:
    with pytest.raises(SourceError) as caught:
        prepare(tmp_path, form, **files)
    assert [word for word in words if word not in str(caught.value)] == []
    assert len(str(caught.value)) < 500


def test_only_duplicates_are_counted_and_named(tmp_path: Path) -> None:
    fetched = brought(tmp_path, TEXT, ind=b"satu\n" * 30, ban=b"besik\n" * 30)
    split = HashSplit(rule="hash", dev=3, test=4)
    with pytest.raises(SourceError, match=r"ind-ban: no sentence .*kept 1 of 30.*'duplicate': 29"):
        prepare_bitext([fetched], PAIR, rules=CleaningRules(), split=split, out=tmp_path)


def test_a_language_without_a_monolingual_sentence_is_named(tmp_path: Path) -> None:
    fetched = brought(tmp_path, TEXT, ban=b"@budi\n...\n")
    with pytest.raises(SourceError, match=r"ban: no monolingual sentence is left of 2.*'empty': 2"):
        prepare_monolingual([fetched], "ban", rules=CleaningRules(), out=tmp_path)


def zipped(**members: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {"good": b"satu\n", **members}.items():
            archive.writestr(name, content)
    return stream.getvalue()


@pytest.mark.parametrize(
    "member", ["../evil", "a/../../evil", "/etc/evil", "..\\evil"], ids=lambda name: str(name)
)
@pytest.mark.parametrize("asked_for", ["good", None])
def test_an_archive_with_a_path_outside_of_itself_is_refused(
    tmp_path: Path, member: str, asked_for: str | None
) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "t.zip").write_bytes(zipped(**{member: b"evil\n"}))
    file = RemoteFile(name="t.zip", member=asked_for or member)
    source = Files(kind="files", base=str(tmp_path / "there"), files=(file,), format=TEXT)
    with pytest.raises(SourceError) as caught:
        fetch(source, tmp_path / "a" / "raw", mirror=None)
    assert f"t.zip: holds {member!r}" in str(caught.value)
    assert [p.name for p in tmp_path.rglob("*") if p.is_file()] == ["t.zip"]


@pytest.mark.parametrize("name", ["t.gz", "t.zip"])
def test_a_bomb_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(packing, "ALWAYS_UNPACKED_BYTES", 1_000_000)
    monkeypatch.setattr(packing, "CHUNK_BYTES", 100_000)
    zeros = bytes(20_000_000)  # a thousandth of it when packed
    packed = gzip.compress(zeros) if name == "t.gz" else zipped(zeros=zeros)
    (tmp_path / name).write_bytes(packed)
    member = None if name == "t.gz" else "zeros"
    source = Files(
        kind="files",
        base=str(tmp_path),
        files=(RemoteFile(name=name, member=member),),
        format=TEXT,
    )
    with pytest.raises(
        SourceError, match=rf"{name}: unpacks to more than \d,\d{{3}},\d{{3}} bytes"
    ):
        fetch(source, tmp_path / "raw", mirror=None)
    assert list((tmp_path / "raw").iterdir()) == []


def test_a_small_file_may_unpack_to_many_times_its_size(tmp_path: Path) -> None:
    fetched = brought(tmp_path, TEXT, ban__gz=gzip.compress(b"besik dadua telu\n" * 50_000))
    assert len(list(read_corpus(*fetched))) == 50_000


def pair(**changes: object) -> dict[str, Any]:
    def corpus(*languages: str) -> dict[str, Any]:
        files = [{"name": f"t.{language}", "language": language} for language in languages]
        source = {"kind": "files", "base": "text", "files": files, "format": {"kind": "text"}}
        return {"name": "korpus", "licence": "CC0-1.0", "source": source}

    whole = {
        "name": "pair",
        "languages": ["ind", "ban"],
        "parallel": [corpus("ind", "ban")],
        "monolingual": {"ban": [corpus("ban")]},
        "split": {"rule": "hash"},
    }
    return {**whole, **changes}


def problems(path: Path, data: object, model: type[PairManifest] | type[TaskManifest]) -> list[str]:
    path.write_text(yaml.safe_dump(data, sort_keys=False))
    with pytest.raises(SpecError) as caught:
        load_manifest(path, model)
    return [line.strip() for line in str(caught.value).splitlines()[1:]]


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("jva", "'jva' is no ISO 639-3 code; did you mean 'jav'"),
        ("idn", "did you mean 'ind' or"),
        ("id", "'id' is no ISO 639-3 code; did you mean 'ind'?"),
        ("ger", "did you mean 'deu'?"),
        ("IND", "did you mean 'ind'?"),
        ("en-US", "did you mean 'eng'?"),
        ("Balinese", "'Balinese' is no ISO 639-3 code, which has three letters"),
        ("", "'' is no ISO 639-3 code"),
        ("ban_latn", "'ban_latn': 'latn' is no script of ISO 15924, as in ban_Latn"),
        ("ban_Lant", "'Lant' is no script of ISO 15924"),
    ],
)
def test_a_wrong_language_code_is_named_with_the_one_that_was_meant(
    tmp_path: Path, code: str, words: str
) -> None:
    data = pair(languages=["eng", code], monolingual={})
    (found,) = problems(tmp_path / "pair.yaml", data, PairManifest)
    assert found.startswith("line 4: languages, entry 2: ")
    assert words in found


def test_a_wrong_code_is_found_wherever_a_code_stands(tmp_path: Path) -> None:
    (monolingual,) = problems(tmp_path / "pair.yaml", pair(monolingual={"bn": []}), PairManifest)
    assert ": monolingual.bn: 'bn' is no ISO 639-3 code" in monolingual
    task = {"name": "emosi", "source_language": "in", "labels": ["a", "b"], "texts": {}}
    (source,) = problems(tmp_path / "emosi.yaml", task, TaskManifest)
    assert source.startswith("line 2: source_language: 'in' is no ISO 639-3 code")
    with pytest.raises(SpecError, match="ind-jva: 'jva' is no ISO 639-3 code"):
        new_pair("ind-jva", PairFiles(), out=tmp_path / "new.yaml")
    assert not (tmp_path / "new.yaml").exists()


@pytest.mark.parametrize(
    "code", ["ban", "tgl", "cmn", "srp_Latn", "btk", "qaa", "qtz", "hub", "sis", "cou", "iso"]
)
def test_languages_groups_private_codes_and_the_sandbox_are_valid(
    tmp_path: Path, code: str
) -> None:
    """The sandbox's invented languages bear the codes of real ones, so one rule holds for all."""
    data = pair(languages=["eng", code], monolingual={})
    data["parallel"][0]["source"]["files"] = [
        {"name": language, "language": language} for language in ("eng", code)
    ]
    path = tmp_path / "pair.yaml"
    path.write_text(yaml.safe_dump(data))
    assert load_manifest(path, PairManifest).languages == ("eng", code)


def test_two_corpora_of_one_name_would_share_their_ids(tmp_path: Path) -> None:
    parallel, mono = pair()["parallel"] * 2, pair()["monolingual"]["ban"] * 2
    data = pair(parallel=parallel, monolingual={"ban": mono})
    found = problems(tmp_path / "pair.yaml", data, PairManifest)
    for place, line in zip(
        ("parallel, entry 2, name", "monolingual.ban, entry 2, name"), found, strict=True
    ):
        assert f"{place}: two corpora are named 'korpus'" in line
        assert line.strip().startswith("line ")


def items(split: str, *labels: str) -> bytes:
    lines = [f"{split}{n}\tukara {split} {n}\t{label}\n" for n, label in enumerate(labels)]
    return "".join(["id\ttext\tlabel\n", *lines]).encode()


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        (
            {"train": items("a", "x", "x"), "test": items("b", "x", "x")},
            ["the train part has one class only, 'x'", "the test part has one class only, 'x'"],
        ),
        (
            {"train": items("a", "x", "y"), "test": items("b", "x", "z", "z")},
            ["2 test items have the class 'z', which no train item has"],
        ),
        (
            {
                "train": items("a", "x", "y"),
                "dev": items("c", "x", "z"),
                "test": items("b", "x", "y"),
            },
            ["1 dev items have the class 'z', which no train item has"],
        ),
        (
            {"train": b"id\ttext\tlabel\na1\t@budi\tx\n", "test": b"id\ttext\tlabel\nb1\t\ty\n"},
            ["the train part has no labelled item", "the test part has", "'empty': 2"],
        ),
    ],
    ids=["one class", "unseen in train", "unseen in train (dev)", "empty language"],
)
def test_a_labelled_set_that_can_teach_or_test_nothing_is_named(
    tmp_path: Path, parts: Mapping[str, bytes], words: Sequence[str]
) -> None:
    files = tuple(RemoteFile(name=f"{split}.tsv", split=split) for split in parts)  # type: ignore[arg-type]
    for file, content in zip(files, parts.values(), strict=True):
        (tmp_path / file.name).write_bytes(content)
    form = Table(kind="tsv", id="id", columns={"text": "text", "label": "label"})
    source = Files(kind="files", base=str(tmp_path), files=files, format=form)
    fetch(source, tmp_path / "raw", mirror=None)
    fetched = FetchedCorpus(Corpus(name="emosi", source=source, licence="CC0"), tmp_path / "raw")
    labels = read_labels(fetched, ("x", "y", "z"))
    with pytest.raises(SourceError) as caught:
        prepare_labelled(fetched, labels, rules=CleaningRules(), limits={}, out=tmp_path)
    assert str(caught.value).startswith("corpus emosi: ")
    assert [word for word in words if word not in str(caught.value)] == []


def full(*arguments: object, **options: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize(
    ("owner", "method"),
    [(records.RecordWriter, "_flush"), (Draft, "_record")],
    ids=["in the text", "in the manifest"],
)
def test_a_full_disk_is_one_line_and_leaves_no_half_artifact(
    tiny: Path,
    store: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    owner: object,
    method: str,
) -> None:
    (stage,) = find_stages(str(tiny), "Bitext")
    for needed in stage.inputs["raw"]:
        needed.run()
    with monkeypatch.context() as patch:
        patch.setattr(owner, method, full)
        with pytest.raises(DiskFullError) as caught:
            stage.run()
    assert str(caught.value).startswith(f"{store}: no space left on the disk")
    assert "\n" not in str(caught.value)
    assert not stage.place.artifact.exists()
    assert not (stage.place.work / "draft").exists()
    failed = [line for line in capsys.readouterr().err.splitlines() if "start" not in line]
    assert len([line for line in failed if "no space left" in line]) == 1
    assert not [line for line in failed if "Traceback" in line]
    stage.run()
    assert stage.complete()


def test_a_full_disk_while_unpacking_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packing, "_copy", full)
    with pytest.raises(DiskFullError, match="raw: no space left on the disk"):
        brought(tmp_path, TEXT, ban__gz=gzip.compress(BAN))
    assert list((tmp_path / "raw").iterdir()) == []


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.EDQUOT, os.strerror(errno.EDQUOT)),
        RuntimeError("I/O error: No space left on device (os error 28)"),
        ProcessError("fairseq exited with 1\n  OSError: [Errno 28] No space left on device"),
    ],
    ids=["quota", "library", "child process"],
)
def test_a_full_disk_is_known_however_it_is_said(error: Exception) -> None:
    with (
        pytest.raises(DiskFullError, match=r"^there: no space left"),
        naming_full_disk(Path("there")),
    ):
        raise error


def test_any_other_error_stays_what_it_is() -> None:
    with pytest.raises(PermissionError), naming_full_disk(Path("there")):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_what_writes_records_says_that_the_disk_is_full() -> None:
    with pytest.raises(DiskFullError), naming_full_disk(Path("there")):
        records.write_records(Path("/dev/full"), {"id": ["k:1"], "text": ["satu"]})


def test_a_real_full_disk_fails_the_run_in_words(tiny: Path, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = f"mount -t tmpfs -o size=128k none {disk}"
    own_mounts = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c"]
    if not shutil.which("unshare") or subprocess.run([*own_mounts, mount], check=False).returncode:
        pytest.skip("this system lets no user mount a small disk")
    steps = [
        f"{mount} && head -c 100k /dev/zero > {disk}/ballast",
        f"{sys.executable} -P -m pipeline.commands.app run {tiny} --until Bitext",
        f"find {disk} -type f",
    ]
    result = subprocess.run(
        [*own_mounts, "; ".join(steps)],
        env={**os.environ, "SPRACHBUND_STORE": f"{disk}/store"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert f"{disk}/store: no space left on the disk" in result.stderr
    assert "Traceback" not in result.stderr
    assert f"{disk}/ballast" in result.stdout
    assert f"{disk}/store/Bitext" not in result.stdout
