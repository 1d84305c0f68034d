"""Why a stage is to be built: how it differs from the artifact that bore its label before."""

from collections.abc import Iterator
from dataclasses import dataclass
from glob import escape
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pipeline.reporting.words import shortened
from pipeline.stages.stage import Stage
from pipeline.store import MANIFEST, Artifact, Manifest

LONGEST_VALUE = 40
ABSENT = object()
"""Stands for a field that one of two specs does not have."""


CauseKind = Literal["first", "forced", "version", "spec", "input"]


class Cause(NamedTuple):
    """One difference from an earlier artifact; `of` explains the input that changed."""

    kind: CauseKind
    text: str
    of: "Explanation | None" = None


@dataclass(frozen=True)
class Explanation:
    """A stage, the artifact that it is compared with, and all that sets them apart."""

    stage: Stage[Any]
    earlier: Path | None
    causes: tuple[Cause, ...]

    @property
    def other_study(self) -> str | None:
        """The study that the artifact was built for, if that was another one."""
        manifest = Artifact(self.earlier).readable_manifest if self.earlier else {}
        study = manifest.get("experiment")
        return None if study == self.stage.study.name else study

    def as_record(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "stage": type(self.stage).__name__,
            "label": self.stage.label(),
            "done": self.stage.complete(),
            "earlier": str(self.earlier) if self.earlier else None,
            "earlier_of": self.other_study or self.stage.study.name if self.earlier else None,
            "causes": [
                {"kind": c.kind, "text": c.text, "of": c.of.as_record() if c.of else None}
                for c in self.causes
            ],
        }


def earlier_artifact(stage: Stage[Any]) -> Artifact | None:
    """Return the artifact that a stage to build takes the place of, of the same kind and label.

    Its own, where that is to be built again. Else one of the same experiment, if there is any; of
    those the one with the fewest differences, and of equals the newest.
    """
    if stage.place.forced and stage.place.whole:
        return stage.artifact
    folders = stage.place.artifact.parent.glob(f"{escape(stage.slug())}-*/{MANIFEST}")
    found = [Artifact(path.parent) for path in folders if path.parent != stage.place.artifact]
    manifests = {artifact: artifact.readable_manifest for artifact in found}
    alike = {a: m for a, m in manifests.items() if m.get("label") == stage.label()}
    return max(alike, key=lambda artifact: _likeness(stage, alike[artifact]), default=None)


def _likeness(stage: Stage[Any], manifest: Manifest) -> tuple[bool, int, str]:
    """Return by what an artifact is chosen: the greater, the more it is like a stage's own."""
    same_study = manifest.get("experiment") == stage.study.name
    needed = {needed.place.key for stages in stage.inputs.values() for needed in stages}
    apart = len(needed ^ {*manifest.get("upstream", ())})
    apart += sum(1 for _ in differences(manifest.get("spec"), stage.identity["spec"]))
    apart += manifest.get("version") != stage.identity["version"]
    return same_study, -apart, str(manifest.get("finished"))


def explain(stage: Stage[Any]) -> Explanation:
    """Return what sets a stage apart from its earlier artifact, down to fields and versions."""
    return _explain(stage, earlier_artifact(stage), explained={})


def direct_causes(stage: Stage[Any]) -> list[str]:
    """Return what sets a stage apart from its earlier artifact, in words, without its inputs'."""
    earlier = earlier_artifact(stage)
    return [text for _, text, _ in _causes(stage, earlier)]


def _explain(
    stage: Stage[Any], earlier: Artifact | None, explained: dict[str, Explanation]
) -> Explanation:
    """Explain a stage; each stage is explained once, however many build on it."""
    if stage.task_id in explained:
        return explained[stage.task_id]
    causes = tuple(
        Cause(kind, text, _explain(*changed, explained) if changed else None)
        for kind, text, changed in _causes(stage, earlier)
    )
    found = Explanation(stage, earlier.folder if earlier else None, causes)
    explained[stage.task_id] = found
    return found


Changed = tuple[Stage[Any], Artifact | None]
"""An input and the artifact that it replaces."""


def _causes(
    stage: Stage[Any], earlier: Artifact | None
) -> Iterator[tuple[CauseKind, str, Changed | None]]:
    if stage.place.forced:
        yield "forced", "forced by rerun", None
        return
    manifest = earlier.readable_manifest if earlier else {}
    if earlier is None or "spec" not in manifest:
        yield "first", "first build", None
        return
    identity = stage.identity
    if manifest["version"] != identity["version"]:
        yield "version", f"VERSION {manifest['version']} -> {identity['version']}", None
    for place, old, new in differences(manifest["spec"], identity["spec"]):
        yield "spec", f"{place}: {_shown(old)} -> {_shown(new)}", None
    yield from _changed_inputs(stage, earlier, manifest)


def _changed_inputs(
    stage: Stage[Any], earlier: Artifact, manifest: dict[str, Any]
) -> Iterator[tuple[CauseKind, str, Changed | None]]:
    needed = [needed for stages in stage.inputs.values() for needed in stages]
    same = {stage.place.key for stage in needed} & {*manifest["upstream"]}
    before: dict[str, list[str]] = {}
    for key in manifest["upstream"]:
        if key not in same:
            before.setdefault(_kind_and_slug(key), []).append(key)
    for changed in needed:
        if changed.place.key in same:
            continue
        replaced = before.get(_kind_and_slug(changed.place.key), [])
        yield _changed_input(changed, earlier.store / replaced.pop(0) if replaced else None)
    for name in (key for keys in before.values() for key in keys):
        yield "input", f"input gone: {_kind_and_slug(name).replace('/', ' ', 1)}", None


def _kind_and_slug(key: str) -> str:
    """Return the key of an artifact without its fingerprint."""
    return key.rpartition("-")[0]


def _changed_input(
    changed: Stage[Any], replaced: Path | None
) -> tuple[CauseKind, str, Changed | None]:
    if replaced is None:
        return "input", f"new input: {changed.title}", None
    if (replaced / MANIFEST).is_file():
        return "input", f"input changed: {changed.title}", (changed, Artifact(replaced))
    return "input", f"input changed: {changed.title} (what it replaces is gone)", None


def differences(old: Any, new: Any, place: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Yield each place at which two plain values differ, with both; ABSENT is no value."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in dict.fromkeys([*old, *new]):
            deeper = f"{place}.{key}" if place else str(key)
            yield from differences(old.get(key, ABSENT), new.get(key, ABSENT), deeper)
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for number, (one, other) in enumerate(zip(old, new, strict=True)):
            yield from differences(one, other, f"{place}.{number}")
    elif old != new:
        yield place, old, new


def _shown(value: Any) -> str:
    return "absent" if value is ABSENT else shortened(value, LONGEST_VALUE)
