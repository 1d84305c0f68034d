"""What a check of a manifest finds, and how it is told."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Literal, NamedTuple, TypeVar

from models.support.errors import SpecError
from pipeline.specs.describing import line_of
from pipeline.specs.loading import find_manifest, load_manifest
from pipeline.specs.manifests import PairManifest, TaskManifest
from tasks.licences import UNKNOWN_LICENCE, consequence
from tasks.sources.description import Corpus

Kind = Literal["pair", "task"]
Location = tuple[str | int, ...]
"""A place in a manifest."""
Manifested = TypeVar("Manifested", PairManifest, TaskManifest)


class Finding(NamedTuple):
    """One thing that a check found, in words; errors keep the manifest from being used."""

    level: Literal["note", "warning", "error"]
    text: str

    def __str__(self) -> str:
        text = self.text.replace(f"{Path.cwd()}/", "")
        return text if self.level == "note" else f"{self.level}: {text}"


class Written(NamedTuple):
    """A manifest as it is written, by which what is found has its line."""

    kind: Kind
    path: Path
    text: str

    def found(self, level: Literal["warning", "error"], location: Location, text: str) -> Finding:
        """Return a finding with the line of a place."""
        line = line_of(self.text, location)
        return Finding(level, f"line {line}: {text}" if line else text)

    def oddities(self, name: str, corpora: Iterable[tuple[Location, Corpus]]) -> Iterator[Finding]:
        """Yield a name that is not the file's, and licences that are not known."""
        if name != self.path.stem:
            text = f"the {self.kind} is named {name!r}, its file {self.path.stem!r}"
            yield self.found("warning", ("name",), text)
        for location, corpus in corpora:
            if consequence(corpus.licence) == UNKNOWN_LICENCE:
                text = f"{corpus.name}: its licence is not known; find out before you publish"
                yield self.found("warning", (*location, "licence"), text)


def check_manifest(
    kind: Kind,
    name_or_path: str,
    model: type[Manifested],
    check: Callable[[Manifested, Written], Iterator[Finding]],
) -> Iterator[Finding]:
    """Yield what is wrong with a manifest, or else what a check of a valid one finds.

    Raises SpecError only for a manifest that does not exist.
    """
    path = find_manifest(f"{kind}s", name_or_path)
    try:
        manifest = load_manifest(path, model)
    except SpecError as error:
        yield from manifest_problems(str(error))
        return
    yield Finding("note", f"{path}: the manifest is valid")
    yield from check(manifest, Written(kind, path, path.read_text(encoding="utf-8")))


def manifest_problems(message: str) -> Iterator[Finding]:
    """Yield each problem of a manifest that is not valid; a file that is no YAML has but one."""
    head, *problems = message.splitlines()
    if not head.endswith(("problem", "problems")):
        yield Finding("error", message)
        return
    yield Finding("note", head)
    yield from (Finding("error", problem.strip()) for problem in problems)


def summary(findings: Sequence[Finding], kind: Kind, path: str) -> str:
    """Return the last lines of a check: how many problems there are, and what to do next."""
    levels = Counter(finding.level for finding in findings)
    errors, warnings = (f"{levels[x]} {x}{'s' * (levels[x] != 1)}" for x in ("error", "warning"))
    if levels["error"]:
        return f"{errors}, {warnings}\nCorrect them, then: sprachbund {kind} check {path}"
    return (
        f"{errors}, {warnings}\n"
        f"Next: name {path} under `{kind}s` of an experiment, then: sprachbund plan EXPERIMENT"
    )
