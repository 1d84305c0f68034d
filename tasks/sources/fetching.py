"""Bring a source's files into a folder, each verified against its checksum.

Downloads go through pooch (temporary file, checksum, retries, progress bar). A mirror folder, laid
out as `<host>/<path>`, is asked before the network.
"""

import codecs
import hashlib
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from models.support.errors import SourceError, naming_full_disk
from tasks.sources.description import Files, HubDataset, RemoteFile, Source
from tasks.sources.packing import plain_name, unpack

if TYPE_CHECKING:
    import datasets

RETRIES = 3
TIMEOUT_SECONDS = 60


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
    return f"{digest}-{plain_name(name)}"


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
    """Return where a mirror folder keeps what `url` serves.

    Links are followed while they stay inside of it. Raises SourceError for what leads out.
    """
    parts = urlsplit(url)
    within = os.path.normpath(f"{parts.netloc}/{unquote(parts.path).lstrip('/')}")
    if within.startswith(".."):
        raise SourceError(f"{url}: the address leaves the mirror folder {mirror}")
    path = mirror / within
    if not path.resolve().is_relative_to(mirror.resolve()):
        raise SourceError(
            f"{url}: {path} is a link that leads out of the mirror folder, to {path.resolve()}; "
            "put the file itself there"
        )
    return path


def _fetch_file(
    source: Files, file: RemoteFile, folder: Path, mirror: Path | None
) -> dict[str, str]:
    url = address(source, file)
    with (
        naming_full_disk(folder),
        tempfile.TemporaryDirectory(dir=folder) as scratch,  # goes, too, when something fails
    ):
        packed = obtain(url, file.sha256, Path(scratch) / "download", mirror)
        unpacked = Path(scratch) / "unpacked"
        unpack(packed, file.name, file.member, unpacked)
        if not unpacked.stat().st_size:
            raise SourceError(f"{url}: {f'{file.member} in it' if file.member else 'it'} is empty")
        digest = sha256_of(packed)
        unpacked.replace(folder / local_name(file))
    return {"address": url, "sha256": digest, **({"member": file.member} if file.member else {})}


def obtain(url: str, sha256: str | None, scratch: Path, mirror: Path | None) -> Path:
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
    if sha256 is not None:
        check_sum(path, sha256, url)
    return path


def check_sum(path: Path, sha256: str, name: str) -> None:
    """Raise SourceError, by the name that people know a file by, where its bytes are others."""
    if (found := sha256_of(path)) != sha256:
        raise SourceError(
            f"{name}: checksum differs in {path}\n"
            f"  expected sha256 {sha256}\n  found    sha256 {found}"
        )


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


def _fetch_dataset(source: HubDataset, folder: Path) -> list[dict[str, str]]:
    import datasets

    try:
        loaded = _load_dataset(source)
    except StopIteration as error:
        raise SourceError(f"data set {source.name}: one of its files is empty") from error
    except (OSError, ValueError, datasets.exceptions.DatasetsError) as error:
        raise SourceError(f"data set {source.name}: {error.__cause__ or error}") from error
    name = f"dataset:{source.name}" + (f"@{source.revision}" if source.revision else "")
    return [_save_split(rows, folder / f"{split}.parquet", name) for split, rows in loaded.items()]


def _load_dataset(source: HubDataset) -> Any:
    """Load a data set; of tables, every field stays the text that it is in the file."""
    import datasets
    from datasets.packaged_modules.csv.csv import CsvConfig

    where = (source.name, source.config)
    builder = datasets.load_dataset_builder(*where, revision=source.revision)
    as_text: dict[str, Any] = {}
    if isinstance(builder.config, CsvConfig):  # pandas makes null of "NA" and 7 of "007"
        columns = [*source.columns.values(), *([source.id] if source.id else [])]
        as_text = {"converters": dict.fromkeys(columns, str), "na_filter": False}
    return datasets.load_dataset(*where, revision=source.revision, **as_text)


def _save_split(rows: "datasets.Dataset", path: Path, name: str) -> dict[str, str]:
    rows.to_parquet(path)
    return {"address": f"{name}/{path.stem}", "sha256": sha256_of(path)}
