"""Put a drafted manifest in its place: valid, whole, and over no other file."""

import tempfile
from pathlib import Path

from models.support.errors import SpecError
from pipeline.specs.loading import load_manifest
from pipeline.specs.manifests import Manifest


def must_be_new(path: Path) -> None:
    """Raise SpecError for a file that is there already."""
    if path.exists():
        raise SpecError(f"{path} exists already; say another file with --out")


def publish(path: Path, text: str, model: type[Manifest]) -> None:
    """Write a manifest beside its place, have it validated, and rename it once."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".draft-") as folder:
            draft = Path(folder) / path.name
            draft.write_text(text, encoding="utf-8")
            load_manifest(draft, model)
            must_be_new(path)
            draft.replace(path)
    except OSError as error:
        raise SpecError(f"{path}: cannot be written: {error}") from error
