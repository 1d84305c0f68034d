"""Which versions, commits and machines made the artifacts that figures rest on."""

from collections import Counter
from collections.abc import Iterable, Iterator

from pipeline.reporting.records import Record

NO_COMMIT = "unknown (not run from the project's own git repository)"
COMMIT_DIGITS = 12


def origins(manifests: Iterable[Record]) -> dict[str, str]:
    """Return what each tool's version was, then the commit of the code and the machine.

    Where artifacts differ, all values are named, each with how many artifacts it made.
    """
    found: dict[str, Counter[str]] = {}
    for manifest in manifests:
        for name, value in _facts(manifest):
            found.setdefault(name, Counter())[value] += 1
    last = [name for name in ("commit", "machine") if name in found]
    return {n: _listed(found[n]) for n in [*(n for n in found if n not in last), *last]}


def commits(manifests: Iterable[Record]) -> str:
    """Return the commits that made artifacts, the one of most of them first."""
    found = Counter(m["commit"] for m in manifests if m["commit"])
    return ", ".join(name for name, _ in found.most_common())


def machines(manifests: Iterable[Record]) -> str:
    """Return the machines that made artifacts, the one of most of them first."""
    found = Counter(m["machine"] for m in manifests if "machine" in m)
    return "; ".join(name for name, _ in found.most_common())


def short_commits(names: str) -> str:
    """Return commits as people write them, still with the sign of changed files."""
    short = (f"`{c[:COMMIT_DIGITS]}{'+' * c.endswith('+')}`" for c in names.split(", "))
    return " and ".join(short) if names else "unknown"


def _facts(manifest: Record) -> Iterator[tuple[str, str]]:
    yield from manifest["tools"].items()
    yield "commit", manifest["commit"] or NO_COMMIT
    if machine := manifest.get("machine"):
        yield "machine", machine


def _listed(values: Counter[str]) -> str:
    """Return the one value there is, or each with its number, the most frequent first."""
    if len(values) == 1:
        return next(iter(values))
    first, *others = values.most_common()
    rest = [f"{value} ({number:,})" for value, number in others]
    return ", ".join([f"{first[0]} ({first[1]:,} artifacts)", *rest])
