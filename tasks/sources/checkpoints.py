"""Where the files of a pretrained model come from, and how they get into a folder, verified."""

import json
import re
import shutil
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import Field

from models.support.errors import SourceError
from models.support.notes import settle
from tasks.sources.fetching import check_sum, mirror_path, obtain, sha256_of

PRODUCT = "sprachbund"
COMMIT = re.compile(r"[0-9a-f]{40}")
CONFIG, WEIGHTS, SHARDS = "config.json", "model.safetensors", "model.safetensors.index.json"
TOKENIZERS = ("tokenizer.json", "vocab.txt", "sentencepiece.bpe.model", "spiece.model", "spm.model",
              "vocab.json")  # fmt: skip
BESIDE_TOKENIZERS = (
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "merges.txt",
)
PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".h5", ".msgpack")


@dataclass(frozen=True, kw_only=True)
class PinnedFile:
    """A file of a model on the hub and its sha256."""

    name: str
    sha256: str


@dataclass(frozen=True, kw_only=True)
class HubModel:
    """A model of the Hugging Face hub.

    With a commit as `revision` and `files` with their sums it is pinned. Without, its first
    download pins it for the store: later ones must bring the same bytes.
    """

    kind: Literal["hub"]
    name: Annotated[str, Field(pattern=r"^[\w.-]+/[\w.-]+$")]
    revision: str = "main"
    files: tuple[PinnedFile, ...] = ()

    @property
    def sound(self) -> bool:
        """Say whether sums, if there are any, stand beside the commit they are of."""
        return not self.files or bool(COMMIT.fullmatch(self.revision))

    def __str__(self) -> str:
        return f"model {self.name}@{self.revision} of the hub"


@dataclass(frozen=True, kw_only=True)
class ModelFolder:
    """A folder as `save_pretrained` writes it."""

    kind: Literal["folder"]
    path: str

    def __str__(self) -> str:
        return f"model folder {self.path}"


@dataclass(frozen=True, kw_only=True)
class PackagedModel:
    """One file of an installed Python package, in a layout that is read here."""

    kind: Literal["package"]
    name: str
    version: str
    file: str
    sha256: str
    layout: Literal["e5s1"]

    def __str__(self) -> str:
        return f"{self.file} of the package {self.name} {self.version}"


ModelSource = Annotated[HubModel | ModelFolder | PackagedModel, Field(discriminator="kind")]


def fetch_model(
    source: HubModel | ModelFolder | PackagedModel, folder: Path, *, mirror: Path | None, pins: Path
) -> list[dict[str, str]]:
    """Put the files of a model into `folder`; return address and sha256 of each.

    `pins` is a folder that remembers what the first download of a model without a commit was.
    Raises SourceError for what cannot be reached, is not whole, or has no safetensors.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if isinstance(source, HubModel):
        return _fetch_hub(source, folder, mirror, pins)
    if isinstance(source, PackagedModel):
        path = packaged_file(source)
        shutil.copyfile(path, folder / path.name)
        return [{"address": str(source), "sha256": source.sha256}]
    names = model_files(_names(source), str(source))
    for name in names:
        shutil.copyfile(Path(source.path) / name, folder / name)
    return [
        {"address": f"{source.path}/{name}", "sha256": sha256_of(folder / name)} for name in names
    ]


def local_files(source: HubModel | ModelFolder | PackagedModel) -> list[Path]:
    """Return the local files that a source stands for; none where it is not a folder.

    Raises SourceError as `fetch_model` does.
    """
    if not isinstance(source, ModelFolder):
        return []
    return [Path(source.path) / name for name in model_files(_names(source), str(source))]


def _names(source: ModelFolder) -> list[str]:
    folder = Path(source.path)
    if not folder.is_dir():
        raise SourceError(f"{source}: no such folder")
    return sorted(path.name for path in folder.iterdir() if path.is_file())


def model_files(names: Collection[str], where: str) -> list[str]:
    """Return those of a model's file names that are needed: configuration, weights, tokenizer.

    Shards of weights are taken as they are named. Raises SourceError for what is missing.
    """
    if CONFIG not in names:
        raise SourceError(f"{where}: no {CONFIG}; a folder that `save_pretrained` wrote has one")
    shards = [n for n in names if re.fullmatch(r"model-\d+-of-\d+\.safetensors", n)]
    weights = [WEIGHTS] if WEIGHTS in names else [SHARDS, *shards] if SHARDS in names else []
    if not weights:
        raise SourceError(f"{where}: {_without_safetensors(names)}")
    tokenizers = [name for name in TOKENIZERS if name in names]
    if not tokenizers:
        raise SourceError(
            f"{where}: no tokenizer beside the model; one of {', '.join(TOKENIZERS)} is needed"
        )
    beside = [name for name in BESIDE_TOKENIZERS if name in names]
    return [CONFIG, *weights, *tokenizers, *beside]


def _without_safetensors(names: Collection[str]) -> str:
    pickles = sorted(name for name in names if PurePosixPath(name).suffix in PICKLES)
    if not pickles:
        return f"no weights ({WEIGHTS})"
    return (
        f"no {WEIGHTS}, only {', '.join(pickles[:3])}, and loading a pickle may run whatever its "
        "author wrote into it; take a revision that has safetensors, or load it where you trust "
        "it, `save_pretrained` it into a folder and name that: {kind: folder, path: ...}"
    )


def packaged_file(source: PackagedModel) -> Path:
    """Return the file of an installed package; SourceError where it is not there as written."""
    install = f"install it with: pip install {_requirement(source)}"
    try:
        found = metadata.distribution(source.name)
    except metadata.PackageNotFoundError as error:
        raise SourceError(
            f"{source}: the package {source.name} is not installed; {install}"
        ) from error
    if found.version != source.version:
        raise SourceError(f"{source}: {source.name} {found.version} is installed; {install}")
    path = Path(str(found.locate_file(source.file)))
    if not path.is_file():
        raise SourceError(f"{source}: the installed package has no such file; {install}")
    check_sum(path, source.sha256, str(source))
    return path


def _requirement(source: PackagedModel) -> str:
    """Return what to install: the extra of this project that holds the package, if one does."""
    try:
        listed = metadata.requires(PRODUCT) or []
    except metadata.PackageNotFoundError:
        listed = []
    for line in listed:
        name = re.match(r"[\w.-]+", line)
        extra = re.search(r"extra == ['\"]([\w-]+)", line)
        if name and extra and name[0].lower() == source.name.lower():
            return f"'{PRODUCT}[{extra[1]}]'"
    return f"{source.name}=={source.version}"


@dataclass(frozen=True)
class _Listing:
    """The revision of a model, and its files with the sums that are known of them."""

    revision: str
    files: Mapping[str, str | None]


def _fetch_hub(
    source: HubModel, folder: Path, mirror: Path | None, pins: Path
) -> list[dict[str, str]]:
    pin = pins / f"{source.name.replace('/', '--')}@{source.revision.replace('/', '--')}.json"
    listing = _pinned(source, pin) or _mirrored(source, mirror) or _asked(source)
    fetched = []
    for name in model_files(listing.files, str(source)):
        url = _address(source, name, listing.revision)
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            path = obtain(url, listing.files[name], Path(scratch) / "download", mirror)
            shutil.copyfile(path, folder / name)
        fetched.append({"address": url, "sha256": sha256_of(folder / name), "name": name})
    if not pin.exists() and not source.files:
        _write_pin(pin, listing.revision, fetched)
    return [{key: file[key] for key in ("address", "sha256")} for file in fetched]


def _address(source: HubModel, name: str, revision: str) -> str:
    import huggingface_hub

    return str(huggingface_hub.hf_hub_url(source.name, name, revision=revision))


def _pinned(source: HubModel, pin: Path) -> _Listing | None:
    """Return what the manifest, or the first download into this store, says."""
    if source.files:
        return _Listing(source.revision, {file.name: file.sha256 for file in source.files})
    if not pin.exists():
        return None
    known: dict[str, Any] = json.loads(pin.read_text(encoding="utf-8"))
    return _Listing(known["revision"], known["files"])


def _write_pin(pin: Path, revision: str, fetched: Sequence[Mapping[str, str]]) -> None:
    files = {file["name"]: file["sha256"] for file in fetched}
    pin.parent.mkdir(parents=True, exist_ok=True)
    settle(pin, json.dumps({"revision": revision, "files": files}, indent=1))


def _mirrored(source: HubModel, mirror: Path | None) -> _Listing | None:
    """Return what a mirror folder has of a model, if anything."""
    if mirror is None:
        return None
    folder = mirror_path(mirror, _address(source, CONFIG, source.revision)).parent
    if not folder.is_dir():
        return None
    names = sorted(path.name for path in folder.iterdir() if path.is_file())
    return _Listing(source.revision, dict.fromkeys(names))


def _asked(source: HubModel) -> _Listing:
    """Ask the hub for the commit behind a revision, and its files."""
    import huggingface_hub
    from huggingface_hub.errors import RepositoryNotFoundError, RevisionNotFoundError

    api = huggingface_hub.HfApi()
    try:
        found = api.model_info(source.name, revision=source.revision, files_metadata=True)
    except RepositoryNotFoundError as error:
        raise SourceError(
            f"{source}: the hub has no such model (or it is private): look for its name on its "
            "page, OWNER/NAME"
        ) from error
    except RevisionNotFoundError as error:
        raise SourceError(f"{source}: the model has no such revision") from error
    except Exception as error:
        # its HTTP library, which changes with its versions, has a tree of errors of its own
        raise SourceError(
            f"{source}: the hub cannot be reached: {error}; a copy of the files in the folder of "
            f"SPRACHBUND_MIRROR (as {_mirror_form(source)}) or a `folder` as source needs no hub"
        ) from error
    return _Listing(str(found.sha), dict(_sums(found.siblings or ())))


def _mirror_form(source: HubModel) -> str:
    address = _address(source, "...", source.revision)
    return address.partition("://")[2]


def _sums(files: Sequence[Any]) -> Iterator[tuple[str, str | None]]:
    """Yield name and sha256 of each file in the model's own folder; large ones have one."""
    for file in files:
        if "/" not in file.rfilename:
            yield file.rfilename, file.lfs.sha256 if file.lfs else None
