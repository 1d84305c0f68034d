"""Bring a source's files into a folder, each verified against its checksum.

Downloads go through pooch (temporary file, checksum, retries, progress bar). A mirror folder, laid
out as `<host>/<path>`, is asked before the network.
"""

import codecs
import gzip
import hashlib
import lzma
import shutil
import tempfile
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from models.support.errors import SourceError, naming_full_disk
from tasks.sources.description import Files, HubDataset, RemoteFile, Source

if TYPE_CHECKING:
    import datasets

RETRIES = 3
TIMEOUT_SECONDS = 60
MAX_EXPANSION = 100
ALWAYS_UNPACKED_BYTES = 64 * 2**20
CHUNK_BYTES = 2**20
UNSOUND = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, RuntimeError, OSError)


def fetch(source: Source, folder: Path, *, mirror: Path | None) -> list[dict[str, str]]:
    """Put the raw files of `source` into `folder`; return address and sha256 of each.

    Raises SourceError for an address that does not answer, a missing file or a wrong checksum.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if isinstance(source, Files):
        return [_fetch_file(source, file, folder, mirror) for file in source.files]
    if isinstance(source, HubDataset):
        return _fetch_dataset(source, folder)
    return []


def local_name(file: RemoteFile) -> str:
    """Return the file name under which a fetched file (or its unpacked member) is stored."""
    name = Path(file.member or file.name).name
    digest = hashlib.sha256(f"{file.name}\0{file.member}".encode()).hexdigest()[:8]
    return f"{digest}-{name.removesuffix('.gz')}"


def address(source: Files, file: RemoteFile) -> str:
    """Return the full address (or path) of one file of a source."""
    return f"{source.base.rstrip('/')}/{file.name}"


def is_remote(base: str) -> bool:
    """Say whether a base is an http(s) address rather than a folder."""
    return urlsplit(base).scheme in ("http", "https")


def sha256_of(path: Path) -> str:
    """Return the hex digest of a file without reading it whole."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def mirror_path(mirror: Path, url: str) -> Path:
    """Return where a mirror folder keeps what `url` serves."""
    parts = urlsplit(url)
    path = (mirror / parts.netloc / unquote(parts.path).lstrip("/")).resolve()
    if not path.is_relative_to(mirror.resolve()):
        raise SourceError(f"{url}: the address leaves the mirror folder {mirror}")
    return path


def _fetch_file(
    source: Files, file: RemoteFile, folder: Path, mirror: Path | None
) -> dict[str, str]:
    url = address(source, file)
    with (
        naming_full_disk(folder),
        tempfile.TemporaryDirectory(dir=folder) as scratch,  # goes, too, when something fails
    ):
        packed = _obtain(url, file.sha256, Path(scratch) / "download", mirror)
        unpacked = Path(scratch) / "unpacked"
        _unpack(packed, file, unpacked)
        if not unpacked.stat().st_size:
            raise SourceError(f"{url}: {f'{file.member} in it' if file.member else 'it'} is empty")
        digest = sha256_of(packed)
        unpacked.replace(folder / local_name(file))
    return {"address": url, "sha256": digest, **({"member": file.member} if file.member else {})}


def _obtain(url: str, sha256: str | None, scratch: Path, mirror: Path | None) -> Path:
    """Return a local path with the bytes of `url`, verified."""
    if not is_remote(url):
        return _verified(Path(url), sha256, url)
    if mirror is not None and (copy := mirror_path(mirror, url)).is_file():
        return _verified(copy, sha256, url)
    return _download(url, sha256, scratch)


def _verified(path: Path, sha256: str | None, url: str) -> Path:
    if not path.is_file():
        raise SourceError(f"{url}: no such file")
    _refuse_page(path, url)
    if sha256 is not None and (found := sha256_of(path)) != sha256:
        raise SourceError(
            f"{url}: checksum differs in {path}\n"
            f"  expected sha256 {sha256}\n  found    sha256 {found}"
        )
    return path


def _refuse_page(path: Path, url: str) -> None:
    """Raise SourceError when a file is a web page: what servers send instead of an error."""
    with path.open("rb") as stream:
        start = stream.read(1000).removeprefix(codecs.BOM_UTF8).lstrip().lower()
    if start.startswith((b"<!doctype html", b"<html")):
        raise SourceError(
            f"{url}: a web page, not the file itself (a page to sign in, an error in words?); "
            "open the address in a browser and correct it"
        )


def _download(url: str, sha256: str | None, scratch: Path) -> Path:
    import pooch
    import requests

    name = Path(unquote(urlsplit(url).path)).name
    registry = pooch.create(
        path=scratch,
        base_url="",
        registry={name: f"sha256:{sha256}" if sha256 else None},
        urls={name: url},
        retry_if_failed=RETRIES,
    )
    http = pooch.HTTPDownloader(progressbar=True, timeout=TIMEOUT_SECONDS)

    def download(url: str, target: str, caller: object) -> None:
        http(url, target, caller)
        _refuse_page(Path(target), url)  # before pooch finds the wrong checksum and asks again

    try:
        return Path(registry.fetch(name, downloader=download))
    except (requests.RequestException, OSError, ValueError) as error:
        raise SourceError(f"{url}: download failed after {RETRIES + 1} tries: {error}") from error


def _unpack(packed: Path, file: RemoteFile, target: Path) -> None:
    """Copy a file, or the one member asked for, into `target`; no other path is written."""
    limit = max(ALWAYS_UNPACKED_BYTES, MAX_EXPANSION * packed.stat().st_size)
    try:
        if file.member is not None:
            with zipfile.ZipFile(packed) as archive:
                _refuse_escapes(archive, file.name)
                with archive.open(file.member) as member:
                    _copy(member, target, limit, file.name)
        elif zipfile.is_zipfile(packed):
            members = ", ".join(zipfile.ZipFile(packed).namelist()[:10])
            raise SourceError(f"{file.name}: a zip archive; say which `member` to read: {members}")
        elif packed.suffix == ".gz":
            with gzip.open(packed) as stream:
                _copy(stream, target, limit, file.name)
        else:
            shutil.copyfile(packed, target)
    except KeyError as error:
        raise SourceError(f"{file.name}: the archive has no member {file.member!r}") from error
    except UNSOUND as error:
        if isinstance(error, OSError) and error.errno:  # the system's, not the archive's
            raise
        raise SourceError(f"{file.name}: not a sound archive: {error}") from error


def _refuse_escapes(archive: zipfile.ZipFile, name: str) -> None:
    """Raise SourceError for an archive with a path outside of itself: someone tampered with it."""
    for member in archive.namelist():
        path = PurePosixPath(member.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts:
            raise SourceError(
                f"{name}: holds {member!r}, a path outside of it; get it anew from its maker"
            )


def _copy(stream: IO[bytes] | gzip.GzipFile, target: Path, limit: int, name: str) -> None:
    with target.open("wb") as sink:
        while chunk := stream.read(CHUNK_BYTES):
            if sink.tell() + len(chunk) > limit:
                raise SourceError(
                    f"{name}: unpacks to more than {limit:,} bytes, which text does not; if it is "
                    "text, unpack it yourself and name its folder as `base`"
                )
            sink.write(chunk)


def _fetch_dataset(source: HubDataset, folder: Path) -> list[dict[str, str]]:
    import datasets

    try:
        loaded = datasets.load_dataset(source.name, source.config, revision=source.revision)
    except StopIteration as error:
        raise SourceError(f"data set {source.name}: one of its files is empty") from error
    except (OSError, ValueError, datasets.exceptions.DatasetsError) as error:
        raise SourceError(f"data set {source.name}: {error.__cause__ or error}") from error
    name = f"dataset:{source.name}" + (f"@{source.revision}" if source.revision else "")
    return [_save_split(rows, folder / f"{split}.parquet", name) for split, rows in loaded.items()]


def _save_split(rows: "datasets.Dataset", path: Path, name: str) -> dict[str, str]:
    rows.to_parquet(path)
    return {"address": f"{name}/{path.stem}", "sha256": sha256_of(path)}
