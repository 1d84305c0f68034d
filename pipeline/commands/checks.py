"""What checks of manifests print, and how they end."""

import sys
from collections.abc import Iterable

import typer

from pipeline.console import tell
from pipeline.drafting.findings import Finding, Kind, summary


def print_findings(findings: Iterable[Finding], kind: Kind, file: str) -> None:
    """Print what a check finds as it finds it, then its sum; exit with 1 where there are errors."""
    found = []
    for finding in findings:
        found.append(finding)
        tell(str(finding), sys.stdout)
    tell(summary(found, kind, file), sys.stdout)
    if any(finding.level == "error" for finding in found):
        raise typer.Exit(1)
