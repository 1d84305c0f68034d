"""Take files out of what they are packed with, told by their first bytes, not by their names."""

import bz2
import gzip
import lzma
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Any

from models.support.errors import SourceError

MAX_EXPANSION = 100
ALWAYS_UNPACKED_BYTES = 64 * 2**20
CHUNK_BYTES = 2**20
MOST_LAYERS = 3
SHOWN_MEMBERS = 10
UNSOUND = (
    *(zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError),
    *(EOFError, RuntimeError, NotImplementedError, OSError),
)

BEGINNINGS = {
    b"\x1f\x8b": "gz",
    b"BZh": "bz2",
    b"\xfd7zXZ\0": "xz",
    b"]\0\0": "lzma",
    b"\x28\xb5\x2f\xfd": "zst",
}
"""The first bytes of what is unpacked here."""
SUFFIXES = {
    **{f".{kind}": kind for kind in BEGINNINGS.values()},
    ".zstd": "zst",
    ".tgz": "gz",
    ".tbz2": "bz2",
    ".txz": "xz",
}

BEYOND = {
    b"7z\xbc\xaf\x27\x1c": "packed with 7z: unpack it first",
    b"Rar!": "packed with rar: unpack it first",
    b"\x04\x22\x4d\x18": "packed with lz4: unpack it first",
    b"\x1f\x9d": "packed with compress: unpack it first",
    b"PAR1": "a Parquet file: put it into a folder of its own and list that as `kind: dataset`",
    b"ARROW1": "an Arrow file: put it into a folder of its own and list that as `kind: dataset`",
    b"%PDF": "a document (PDF): export it as plain text in UTF-8",
    b"SQLite format 3": "a database (SQLite): export the table as CSV in UTF-8",
    b"\xd0\xcf\x11\xe0": "an Office file: export it as CSV or plain text in UTF-8",
}
"""The first bytes of what is no text and not unpacked here, with a way out."""
LONGEST_BEGINNING = 16
TAR_MARK = b"ustar"
TAR_MARK_AT = 257


def plain_name(name: str) -> str:
    """Return the name of a file without the suffix of its packing, whatever its case."""
    suffix = Path(name).suffix
    return name[: -len(suffix)] if suffix.lower() in SUFFIXES else name


def members_of(packed: Path, name: str) -> list[str] | None:
    """Return the files inside a zip or tar, packed once more or not; None for any other file."""
    with tempfile.TemporaryDirectory() as folder, _naming_unsound(name):
        archive = _without_layers(packed, Path(folder) / "layer", name, _limit(packed))
        if _is_zip(archive):
            with zipfile.ZipFile(archive) as zipped:
                listed = [info.filename for info in zipped.infolist() if not info.is_dir()]
        elif _is_tar(archive):
            with tarfile.open(archive) as tarred:
                listed = [info.name for info in tarred if info.isfile()]
        else:
            return None
    return [m for m in listed if not m.startswith("__MACOSX/") and not m.endswith("/.DS_Store")]


def unpack(packed: Path, name: str, member: str | None, target: Path) -> None:
    """Copy a file, or the one member asked for, into `target`; no other path is written.

    Raises SourceError for an archive that is not sound, and for what is no text when unpacked.
    """
    limit = _limit(packed)
    with _naming_unsound(name):
        outer = target.with_name(f"{target.name}-outer")
        inside = _without_layers(packed, outer, name, limit)
        if _is_zip(inside) or _is_tar(inside):
            taken = target.with_name(f"{target.name}-member")
            with _member(inside, name, member) as stream:
                _copy(stream, taken, limit, name)
            inside = _without_layers(taken, outer, member or name, limit)
        elif member is not None or packed_by_name(name) == "zip":
            raise SourceError(f"{name}: not a sound archive: it is neither a zip nor a tar")
        if inside == packed:
            with packed.open("rb") as stream:
                _copy(stream, target, packed.stat().st_size, name)
        else:
            inside.replace(target)
    refuse_binary(target, member or name)


def packed_by_name(name: str) -> str | None:
    """Return what the suffix of a name says that the file is packed with."""
    suffix = Path(name).suffix.lower()
    return "zip" if suffix == ".zip" else SUFFIXES.get(suffix)


def refuse_binary(path: Path, name: str) -> None:
    """Raise SourceError, with a way out, for a file that is known to be no text."""
    with path.open("rb") as stream:
        head = stream.read(LONGEST_BEGINNING)
    for beginning, advice in BEYOND.items():
        if head.startswith(beginning):
            raise SourceError(f"{name}: {advice}")
    if (kind := _packing(path)) or _is_zip(path) or _is_tar(path):
        kind = kind or ("zip" if _is_zip(path) else "tar")
        raise SourceError(f"{name}: packed with {kind} inside of another archive: unpack it first")


def _limit(packed: Path) -> int:
    return max(ALWAYS_UNPACKED_BYTES, MAX_EXPANSION * packed.stat().st_size)


def _without_layers(packed: Path, scratch: Path, name: str, limit: int) -> Path:
    """Return the file below all compression: the given one, or one beside `scratch`."""
    for layer in range(MOST_LAYERS):
        kind = _packing(packed)
        if kind is None:
            by_name = packed_by_name(name) if layer == 0 else None
            if by_name not in (None, "zip"):
                raise SourceError(
                    f"{name}: not a sound archive: by its name packed with {by_name}, which its "
                    "bytes are not"
                )
            return packed
        unpacked = scratch.with_name(f"{scratch.name}-{layer}")
        with OPENERS[kind](packed) as stream:
            _copy(stream, unpacked, limit, name)
        packed = unpacked
    return packed


def _packing(path: Path) -> str | None:
    with path.open("rb") as stream:
        head = stream.read(LONGEST_BEGINNING)
    if head.startswith(b"BZh") and head[4:10] != b"1AY&SY":  # a text may begin so
        return None
    return next((kind for start, kind in BEGINNINGS.items() if head.startswith(start)), None)


def _is_zip(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(4) == b"PK\x03\x04" or zipfile.is_zipfile(stream)


def _is_tar(path: Path) -> bool:
    with path.open("rb") as stream:
        stream.seek(TAR_MARK_AT)
        return stream.read(len(TAR_MARK)) == TAR_MARK


@contextmanager
def _member(archive: Path, name: str, member: str | None) -> Iterator[IO[bytes]]:
    """Open one member of a zip or tar."""
    kind = "zip" if _is_zip(archive) else "tar"
    listed: list[str]
    with zipfile.ZipFile(archive) if kind == "zip" else tarfile.open(archive) as opened:
        listed = opened.namelist() if isinstance(opened, zipfile.ZipFile) else opened.getnames()
        _refuse_escapes(listed, name)
        if member is None:
            shown = ", ".join(listed[:SHOWN_MEMBERS])
            raise SourceError(f"{name}: a {kind} archive; say which `member` to read: {shown}")
        if isinstance(opened, zipfile.ZipFile):
            stream: IO[bytes] | None = opened.open(member) if member in listed else None
        else:
            stream = opened.extractfile(member) if member in listed else None
        if stream is None:
            raise SourceError(f"{name}: the archive has no member {member!r}")
        with stream:
            yield stream


def _refuse_escapes(members: list[str], name: str) -> None:
    """Raise SourceError for an archive with a path outside of itself: someone tampered with it."""
    for member in members:
        path = PurePosixPath(member.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts:
            raise SourceError(
                f"{name}: holds {member!r}, a path outside of it; get it anew from its maker"
            )


def _open_zst(path: Path) -> Any:
    import pyarrow  # Python itself reads zst from 3.14 on

    return pyarrow.input_stream(str(path), compression="zstd")


OPENERS: dict[str, Callable[[Path], Any]] = {
    "gz": gzip.open,
    "bz2": bz2.open,
    "xz": lzma.open,
    "lzma": lzma.open,
    "zst": _open_zst,
}


def _copy(stream: Any, target: Path, limit: int, name: str) -> None:
    with target.open("wb") as sink:
        while chunk := stream.read(CHUNK_BYTES):
            if sink.tell() + len(chunk) > limit:
                raise SourceError(
                    f"{name}: unpacks to more than {limit:,} bytes, which text does not; if it is "
                    "text, unpack it yourself and name its folder as `base`"
                )
            sink.write(chunk)


@contextmanager
def _naming_unsound(name: str) -> Iterator[None]:
    try:
        yield
    except UNSOUND as error:
        if isinstance(error, OSError) and error.errno:  # the system's, not the archive's
            raise
        raise SourceError(f"{name}: not a sound archive: {error}") from error
