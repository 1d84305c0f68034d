"""What a check of a manifest finds, and how it is told."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal, NamedTuple


class Finding(NamedTuple):
    """One thing that a check found, in words; errors keep the manifest from being used."""

    level: Literal["note", "warning", "error"]
    text: str

    def __str__(self) -> str:
        text = self.text.replace(f"{Path.cwd()}/", "")
        return text if self.level == "note" else f"{self.level}: {text}"


def manifest_problems(message: str) -> Iterator[Finding]:
    """Yield each problem of a manifest that is not valid; a file that is no YAML has but one."""
    head, *problems = message.splitlines()
    if not head.endswith(("problem", "problems")):
        yield Finding("error", message)
        return
    yield Finding("note", head)
    yield from (Finding("error", problem.strip()) for problem in problems)


def summary(findings: Sequence[Finding], kind: Literal["pair", "task"], path: str) -> str:
    """Return the last lines of a check: how many problems there are, and what to do next."""
    levels = Counter(finding.level for finding in findings)
    errors, warnings = (f"{levels[x]} {x}{'s' * (levels[x] != 1)}" for x in ("error", "warning"))
    if levels["error"]:
        return f"{errors}, {warnings}\nCorrect them, then: sprachbund {kind} check {path}"
    return (
        f"{errors}, {warnings}\n"
        f"Next: name {path} under `{kind}s` of an experiment, then: sprachbund plan EXPERIMENT"
    )
