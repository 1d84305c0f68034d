"""Look after a store: find what is damaged, and what nothing needs any more."""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pipeline.store import MANIFEST, Artifact, Manifest, Place, in_use
from tasks.sources.fetching import sha256_of

SECONDS_A_DAY = 86_400


class Damage(NamedTuple):
    """One file that is not what its artifact's manifest says, and what is wrong with it."""

    artifact: str
    file: str
    problem: str


def places(store: Path) -> list[Place]:
    """Return every artifact of a store, whole or not."""
    folders = sorted(path for path in store.glob("[!.]*/*") if path.is_dir())
    return [Place(store, folder.parent.name, folder.name) for folder in folders]


def damages(place: Place) -> Iterator[Damage]:
    """Hash the files of one artifact again; yield what differs from its manifest."""
    name = place.key
    manifest = _manifest(place)
    if manifest is None:
        yield Damage(name, MANIFEST, "missing or unreadable")
        return
    listed = manifest["files"]
    found = {str(p.relative_to(place.artifact)) for p in place.artifact.rglob("*") if p.is_file()}
    for file, facts in listed.items():
        path = place.artifact / file
        if file not in found:
            yield Damage(name, file, "missing")
        elif path.stat().st_size != facts["bytes"]:
            yield Damage(name, file, f"{path.stat().st_size:,} bytes, not {facts['bytes']:,}")
        elif sha256_of(path) != facts["sha256"]:
            yield Damage(name, file, "its content has changed")
    for file in sorted(found - listed.keys() - {MANIFEST}):
        yield Damage(name, file, "not in the manifest")


@dataclass(frozen=True)
class Garbage:
    """A folder that nothing needs: an old artifact, or the work folder of an abandoned build."""

    place: Place
    kind: Literal["artifact", "work"]
    bytes: int
    days: float

    @property
    def folder(self) -> Path:
        """Where it lies."""
        return self.place.artifact if self.kind == "artifact" else self.place.work

    def as_record(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        sizes = {"bytes": self.bytes, "days": round(self.days, 1)}
        return {"folder": str(self.folder), "kind": self.kind, **sizes}


def garbage(store: Path, *, needed: Iterable[Place], keep_days: float) -> list[Garbage]:
    """Return what neither a needed artifact nor the newest results of any experiment rest on.

    The newest results are, for each experiment of the store, its newest artifact of each stage and
    label, with all that these were built from. What is younger than `keep_days` stays in any case.
    """
    manifests = {
        place.key: manifest for place in places(store) if (manifest := _manifest(place)) is not None
    }
    wanted = {place.key for place in needed}
    kept = _upstream(manifests, wanted | _newest(manifests))
    begun = [place for place in _begun(store) if place.key not in wanted and not in_use(place)]
    found = [_garbage(_place(store, name), "artifact") for name in sorted(manifests.keys() - kept)]
    found += [_garbage(place, "work") for place in begun]
    return [item for item in found if item.days >= keep_days]


def remove(items: Iterable[Garbage]) -> None:
    """Remove garbage; an artifact leaves its place in one rename."""
    for item in items:
        item.place.discard()


def _garbage(place: Place, kind: Literal["artifact", "work"]) -> Garbage:
    folder = place.artifact if kind == "artifact" else place.work
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return Garbage(place, kind, size, (time.time() - folder.stat().st_mtime) / SECONDS_A_DAY)


def _begun(store: Path) -> list[Place]:
    """Return the builds that were begun and not finished.

    None of an artifact that is there and to be built again: its work folder holds the note of that.
    """
    works = sorted(path for path in (store / ".work").glob("*/*") if path.is_dir())
    begun = [Place(store, work.parent.name, work.name) for work in works]
    return [place for place in begun if not place.forced or not place.whole]


def _place(store: Path, name: str) -> Place:
    stage, _, folder = name.partition("/")
    return Place(store, stage, folder)


def _newest(manifests: dict[str, Manifest]) -> set[str]:
    """Return each experiment's newest artifact of each stage and label."""
    newest: dict[tuple[str, str, str], str] = {}
    for name in sorted(manifests, key=lambda name: str(manifests[name].get("finished", ""))):
        m = manifests[name]
        newest[str(m.get("experiment")), str(m["stage"]), str(m["label"])] = name
    return set(newest.values())


def _upstream(manifests: dict[str, Manifest], names: Iterable[str]) -> set[str]:
    """Return artifacts with all that they were built from."""
    found: set[str] = set()
    pending = list(names)
    while pending:
        name = pending.pop()
        if name not in found:
            found.add(name)
            pending += manifests.get(name, {}).get("upstream", [])
    return found


def _manifest(place: Place) -> Manifest | None:
    manifest = Artifact(place.artifact).readable_manifest
    return manifest if {"stage", "label", "files"} <= manifest.keys() else None
