"""Files come from folders, mirrors and servers, verified; a failure leaves nothing behind."""

import bz2
import gzip
import hashlib
import io
import json
import lzma
import tarfile
import threading
import zipfile
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from pyarrow import compress

from models.support.errors import SourceError
from tasks.sources.description import Corpus, Files, HubDataset, PlainText, RemoteFile
from tasks.sources.fetching import fetch, is_remote, local_name, mirror_path
from tasks.sources.reading import read_corpus
from tasks.sources.sniffing import only_member, place_of

TEXT = b"siji\nloro\ntelu\n" * 50
PAGE = b"<!DOCTYPE html><title>Sign in</title>"


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def zipped(**members: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "/"), content)
    return stream.getvalue()


class Server(ThreadingHTTPServer):
    """Serve prepared answers, in turn, the last one again; `asked` counts the requests."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: list[tuple[int, bytes, int]] = []
        self.asked = 0

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def answer(self, status: int, body: bytes, *, claim: int = 0) -> None:
        """Answer with a body; `claim` more bytes are announced than are sent."""
        self.answers.append((status, body, claim))


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        answers = self.server.answers
        status, body, claim = answers[min(self.server.asked, len(answers) - 1)]
        self.server.asked += 1
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) + claim))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    import pooch.core

    monkeypatch.setattr(pooch.core.time, "sleep", lambda seconds: None)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with Server() as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
        yield server
        server.shutdown()


def get(
    base: str | Path, file: RemoteFile, folder: Path, mirror: Path | None = None
) -> tuple[dict[str, str], bytes]:
    source = Files(kind="files", base=str(base), files=(file,), format=PlainText())
    (facts,) = fetch(source, folder, mirror=mirror)
    assert [path.name for path in folder.iterdir()] == [local_name(file)]
    return facts, (folder / local_name(file)).read_bytes()


def get_error(base: str | Path, file: RemoteFile, folder: Path, mirror: Path | None = None) -> str:
    with pytest.raises(SourceError) as caught:
        get(base, file, folder, mirror)
    assert list(folder.iterdir()) == []
    return str(caught.value)


def test_a_local_file_is_copied_and_recorded(tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_bytes(TEXT)
    facts, content = get(tmp_path, RemoteFile(name="t.txt"), tmp_path / "raw")
    assert content == TEXT
    assert facts == {"address": f"{tmp_path}/t.txt", "sha256": digest(TEXT)}


def test_a_missing_local_file_is_named(tmp_path: Path) -> None:
    message = get_error(tmp_path, RemoteFile(name="t.txt"), tmp_path / "raw")
    assert "t.txt: no such file" in message


def test_a_local_file_of_another_checksum_is_refused(tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_bytes(TEXT)
    wrong = digest(b"")
    message = get_error(tmp_path, RemoteFile(name="t.txt", sha256=wrong), tmp_path / "raw")
    assert wrong in message
    assert digest(TEXT) in message


@pytest.mark.parametrize(
    ("name", "packed", "member"),
    [
        ("t.txt.gz", gzip.compress(TEXT), None),
        ("t.zip", zipped(a=b"lain", v1__t_txt=TEXT), "v1/t_txt"),
    ],
    ids=["gz", "zip member"],
)
def test_archives(tmp_path: Path, name: str, packed: bytes, member: str | None) -> None:
    (tmp_path / name).write_bytes(packed)
    file = RemoteFile(name=name, sha256=digest(packed), member=member)
    facts, content = get(tmp_path, file, tmp_path / "raw")
    assert content == TEXT
    assert facts["sha256"] == digest(packed)
    assert facts.get("member") == member


def broken(content: bytes) -> bytes:
    middle = len(content) // 2
    return (
        content[:middle]
        + bytes(b ^ 0xFF for b in content[middle : middle + 8])
        + content[middle + 8 :]
    )


@pytest.mark.parametrize(
    ("name", "packed", "member", "words"),
    [
        ("t.zip", zipped(t_txt=TEXT), "nama", "no member 'nama'"),
        ("t.zip", zipped(t_txt=TEXT), None, "say which `member` to read: t_txt"),
        ("t.zip", PAGE, "t_txt", "a web page, not the file itself"),
        ("t.zip", zipped(t_txt=TEXT)[:60], "t_txt", "not a sound archive"),
        ("t.gz", PAGE, None, "a web page, not the file itself"),
        ("t.gz", TEXT, None, "not a sound archive"),
        ("t.gz", gzip.compress(b""), None, "it is empty"),
        ("t.zip", zipped(t_txt=b""), "t_txt", "t_txt in it is empty"),
        ("t.gz", gzip.compress(TEXT)[:-20], None, "not a sound archive"),
        ("t.gz", broken(gzip.compress(TEXT)), None, "not a sound archive"),
    ],
)
def test_a_bad_archive_is_named_and_leaves_nothing(
    tmp_path: Path, name: str, packed: bytes, member: str | None, words: str
) -> None:
    (tmp_path / name).write_bytes(packed)
    message = get_error(tmp_path, RemoteFile(name=name, member=member), tmp_path / "raw")
    assert name in message
    assert words in message


def test_files_of_one_name_in_two_folders_do_not_meet(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "t.txt").write_text(folder)
    files = (RemoteFile(name="a/t.txt"), RemoteFile(name="b/t.txt"))
    source = Files(kind="files", base=str(tmp_path), files=files, format=PlainText())
    fetch(source, tmp_path / "raw", mirror=None)
    found = [(tmp_path / "raw" / local_name(file)).read_text() for file in files]
    assert found == ["a", "b"]


def test_a_good_file_is_asked_for_once(tmp_path: Path, server: Server) -> None:
    server.answer(200, TEXT)
    file = RemoteFile(name="v1/t.txt", sha256=digest(TEXT))
    facts, content = get(server.base, file, tmp_path / "raw")
    assert content == TEXT
    assert facts == {"address": f"{server.base}/v1/t.txt", "sha256": digest(TEXT)}
    assert server.asked == 1


def test_a_member_of_a_served_zip(tmp_path: Path, server: Server) -> None:
    packed = zipped(t_txt=TEXT)
    server.answer(200, packed)
    file = RemoteFile(name="t.zip", sha256=digest(packed), member="t_txt")
    assert get(server.base, file, tmp_path / "raw")[1] == TEXT


def test_a_failing_server_is_asked_again(tmp_path: Path, server: Server) -> None:
    server.answer(500, b"")
    server.answer(200, TEXT[:40], claim=len(TEXT) - 40)
    server.answer(200, TEXT)
    file = RemoteFile(name="t.txt", sha256=digest(TEXT))
    assert get(server.base, file, tmp_path / "raw")[1] == TEXT
    assert server.asked == 3


@pytest.mark.parametrize(
    ("status", "body", "claim", "pinned", "words"),
    [
        (404, b"", 0, True, ["404"]),
        (404, b"", 0, False, ["404"]),
        (503, b"", 0, False, ["503"]),
        (200, b"lain", 0, True, ["hash", digest(TEXT)]),
        (200, PAGE, 0, True, ["a web page, not the file itself"]),
        (200, b"\xef\xbb\xbf\n<HTML lang=en>", 0, False, ["a web page, not the file itself"]),
        (200, b"", 0, False, ["it is empty"]),
        (500, b"", 0, True, ["500"]),
        (200, TEXT[:100], len(TEXT) - 100, True, ["incomplete"]),
        (200, TEXT[:100], len(TEXT) - 100, False, ["incomplete"]),
    ],
    ids=[
        "404 pinned",
        "404",
        "503",
        "checksum",
        "page pinned",
        "page",
        "empty",
        "500",
        "half pinned",
        "half",
    ],
)
def test_a_bad_download_is_named_and_leaves_nothing(
    tmp_path: Path,
    server: Server,
    status: int,
    body: bytes,
    claim: int,
    pinned: bool,
    words: list[str],
) -> None:
    server.answer(status, body, claim=claim)
    file = RemoteFile(name="t.txt", sha256=digest(TEXT) if pinned else None)
    message = get_error(server.base, file, tmp_path / "raw")
    assert f"{server.base}/t.txt" in message
    assert [word for word in words if word not in message.lower()] == []


def test_a_server_that_does_not_answer_is_named(tmp_path: Path, server: Server) -> None:
    base = server.base
    server.server_close()
    assert f"{base}/t.txt: download failed" in get_error(
        base, RemoteFile(name="t.txt"), tmp_path / "raw"
    )


def test_the_mirror_is_asked_before_the_network(tmp_path: Path, server: Server) -> None:
    server.answer(200, b"from the network")
    mirror = tmp_path / "mirror"
    file = RemoteFile(name="v%201/t.txt?raw=1", sha256=digest(TEXT))
    copy = mirror_path(mirror, f"{server.base}/{file.name}")
    assert copy == mirror / f"127.0.0.1:{server.server_port}" / "v 1" / "t.txt"
    copy.parent.mkdir(parents=True)
    copy.write_bytes(TEXT)
    facts, content = get(server.base, file, tmp_path / "raw", mirror)
    assert content == TEXT
    assert facts["address"] == f"{server.base}/{file.name}"
    assert server.asked == 0


def test_what_the_mirror_lacks_comes_from_the_network(tmp_path: Path, server: Server) -> None:
    server.answer(200, TEXT)
    assert get(server.base, RemoteFile(name="t.txt"), tmp_path / "raw", tmp_path)[1] == TEXT


def test_a_stale_copy_in_the_mirror_is_named(tmp_path: Path, server: Server) -> None:
    copy = mirror_path(tmp_path / "mirror", f"{server.base}/t.txt")
    copy.parent.mkdir(parents=True)
    copy.write_bytes(b"stale")
    file = RemoteFile(name="t.txt", sha256=digest(TEXT))
    assert str(copy) in get_error(server.base, file, tmp_path / "raw", tmp_path / "mirror")


def test_an_address_cannot_leave_the_mirror(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="leaves the mirror"):
        mirror_path(tmp_path, "https://example.org/%2e%2e/%2e%2e/%2e%2e/etc/passwd")


@pytest.mark.parametrize(
    ("base", "remote"),
    [
        ("https://example.org/x", True),
        ("http://example.org", True),
        ("data", False),
        ("/data", False),
        ("../https", False),
    ],
)
def test_is_remote(base: str, remote: bool) -> None:
    assert is_remote(base) is remote


@pytest.fixture
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")


def fetch_dataset(folder: Path, out: Path) -> list[dict[str, str]]:
    source = HubDataset(
        kind="dataset",
        name=str(folder),
        columns={"text": "teks", "label": "label"},
        splits={"train": "train", "test": "test"},
    )
    fetch(source, out, mirror=None)
    rows = read_corpus(Corpus(name="toy", source=source, licence="CC0"), out)
    return [{"key": row.key, **row.fields} for row in rows]


@pytest.mark.usefixtures("_cache")
@pytest.mark.parametrize("ending", ["jsonl", "parquet"])
def test_a_local_data_set(tmp_path: Path, ending: str) -> None:
    import pyarrow
    import pyarrow.parquet as parquet

    folder = tmp_path / "data"
    folder.mkdir()
    for split, rows in (
        ("train", [{"teks": "siji", "label": 0}, {"teks": "ꦭꦺꦴꦫꦺꦴ", "label": 1}]),
        ("test", [{"teks": "telu", "label": 0}]),
    ):
        path = folder / f"{split}.{ending}"
        if ending == "jsonl":
            path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        else:
            parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    assert fetch_dataset(folder, tmp_path / "raw") == [
        {"key": "test-1", "text": "telu", "label": "0"},
        {"key": "train-1", "text": "siji", "label": "0"},
        {"key": "train-2", "text": "ꦭꦺꦴꦫꦺꦴ", "label": "1"},
    ]


@pytest.mark.usefixtures("_cache")
@pytest.mark.parametrize("content", [None, "", '{"teks": "siji"\n'])
def test_a_bad_data_set_is_named(tmp_path: Path, content: str | None) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    if content is not None:
        (folder / "train.jsonl").write_text(content)
    with pytest.raises(SourceError, match=r"data set .*data: "):
        fetch_dataset(folder, tmp_path / "raw")
    assert list((tmp_path / "raw").iterdir()) == []


@pytest.mark.parametrize(
    ("name", "pack"),
    [
        ("t.swh.GZ", gzip.compress),
        ("t.swh.bz2", bz2.compress),
        ("t.swh.xz", lzma.compress),
        ("t.swh.lzma", lambda raw: lzma.compress(raw, format=lzma.FORMAT_ALONE)),
        ("t.swh.zst", lambda raw: compress(raw, codec="zstd", asbytes=True)),
        ("t.swh.ZST", lambda raw: compress(raw, codec="zstd", asbytes=True) * 2),
        ("t.swh", gzip.compress),
        ("t.swh.gz.bz2", lambda raw: bz2.compress(gzip.compress(raw))),
    ],
)
def test_what_packs_one_file_is_told_from_its_bytes(
    tmp_path: Path, name: str, pack: Callable[[bytes], bytes]
) -> None:
    packed = pack(TEXT)
    (tmp_path / name).write_bytes(packed)
    frames = 2 if name.endswith("ZST") else 1
    facts, content = get(tmp_path, RemoteFile(name=name), tmp_path / "raw")
    assert content == TEXT * frames
    assert facts["sha256"] == digest(packed)


def tarred(mode: str, **members: bytes) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode=f"w:{mode}") as archive:  # type: ignore[call-overload]
        for name, content in members.items():
            info = tarfile.TarInfo(name.replace("__", "/"))
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return stream.getvalue()


@pytest.mark.parametrize(
    ("name", "packed"),
    [
        ("t.tar", tarred("", v1__t=TEXT, v1__u=b"x")),
        ("t.tar.gz", tarred("gz", v1__t=TEXT, v1__u=b"x")),
        ("t.TGZ", tarred("gz", v1__t=TEXT, v1__u=b"x")),
        ("t.tar.xz", tarred("xz", v1__t=TEXT, v1__u=b"x")),
        ("t.tar.zst", compress(tarred("", v1__t=TEXT, v1__u=b"x"), codec="zstd", asbytes=True)),
        ("t.zip", zipped(v1__t=gzip.compress(TEXT), v1__u=b"x")),
    ],
)
def test_a_member_of_an_archive_however_it_is_packed(
    tmp_path: Path, name: str, packed: bytes
) -> None:
    (tmp_path / name).write_bytes(packed)
    file = RemoteFile(name=name, member="v1/t")
    assert get(tmp_path, file, tmp_path / "raw")[1] == TEXT
    with pytest.raises(SourceError, match=rf"holds 2 files; name the one.*\n.*{name}:v1/t"):
        only_member(tmp_path / name)
    assert place_of(f"{tmp_path / name}:v1/t") == (tmp_path / name, "v1/t")


@pytest.mark.parametrize(
    ("name", "packed", "member", "words"),
    [
        ("t.7z", b"7z\xbc\xaf\x27\x1c" + bytes(90), None, "packed with 7z: unpack it first"),
        ("t.txt", b"Rar!\x1a\x07" + bytes(90), None, "packed with rar: unpack it first"),
        ("t.txt", b"PAR1" + bytes(90), None, "a Parquet file: put it into a folder"),
        ("t.txt", b"%PDF-1.7\n", None, "export it as plain text"),
        ("t.zip", zipped(t=zipped(u=TEXT)), "t", "packed with zip inside of another archive"),
        ("t.zip", zipped(t=tarred("", u=TEXT)), "t", "packed with tar inside of another archive"),
        ("t.xz", TEXT, None, "by its name packed with xz, which its bytes are not"),
        ("t.xz", lzma.compress(TEXT)[:-20], None, "not a sound archive"),
        ("t.bz2", bz2.compress(TEXT)[:-20], None, "not a sound archive"),
        (
            "t.zst",
            compress(TEXT, codec="zstd", asbytes=True)[:-6],
            None,
            "not a sound archive",
        ),
        ("t.tar.gz", tarred("gz", a=TEXT), None, "a tar archive; say which `member` to read: a"),
        ("t.tar.gz", tarred("gz", a=TEXT), "b", "no member 'b'"),
        ("t.txt", TEXT, "b", "neither a zip nor a tar"),
    ],
)
def test_what_is_not_unpacked_is_said(
    tmp_path: Path, name: str, packed: bytes, member: str | None, words: str
) -> None:
    (tmp_path / name).write_bytes(packed)
    message = get_error(tmp_path, RemoteFile(name=name, member=member), tmp_path / "raw")
    assert words in message


def test_a_text_that_begins_like_a_packed_one_is_text(tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_bytes(b"BZhara mji.\n")
    assert get(tmp_path, RemoteFile(name="t.txt"), tmp_path / "raw")[1] == b"BZhara mji.\n"


def test_links_inside_a_mirror_are_followed_and_others_refused(tmp_path: Path) -> None:
    mirror = tmp_path / "mirror"
    (mirror / "blobs").mkdir(parents=True)
    (mirror / "blobs" / "a1b2").write_bytes(gzip.compress(TEXT))
    (mirror / "example.org").mkdir()
    (mirror / "example.org" / "t.txt.gz").symlink_to("../blobs/a1b2")
    file = RemoteFile(name="t.txt.gz")
    facts, content = get("https://example.org", file, tmp_path / "raw", mirror)
    assert content == TEXT
    assert facts["address"] == "https://example.org/t.txt.gz"
    (tmp_path / "outside").write_bytes(TEXT)
    (mirror / "example.org" / "u.txt").symlink_to(tmp_path / "outside")
    (mirror / "example.org" / "w").symlink_to(tmp_path)
    for name in ("u.txt", "w/outside"):
        with pytest.raises(SourceError, match=rf"{name} is a link that leads out of the mirror"):
            mirror_path(mirror, f"https://example.org/{name}")
    whole = tmp_path / "link"
    whole.symlink_to(mirror)  # the mirror itself may be a link
    assert mirror_path(whole, "https://example.org/t.txt.gz").is_file()
