"""Take the figures of a finished study along, as a file that pages are generated from."""

from datetime import UTC, datetime
from typing import Any

from models.support.errors import StageError
from pipeline.looking.scores import finished_scores
from pipeline.reporting.origins import commits, machines
from pipeline.reporting.results_page import Snapshot
from pipeline.stages.report import Report
from pipeline.store import Manifest

FACTS = ("stage", "label", "seconds", "training", "counts")
"""What of a model's manifest a table of trainings shows."""


def snapshot(experiment: str) -> Snapshot:
    """Return the figures of a finished study; raise StageError where its report is not built."""
    report = Report(experiment=experiment)
    if not report.complete():
        raise StageError(f"{report.title} is not built yet: sprachbund run {experiment}")
    stages = list(report.walk())
    manifests = [stage.artifact.manifest for stage in stages]
    return Snapshot(
        study=report.study.name,
        commit=commits(manifests),
        machine=machines(manifests),
        minutes=round(sum(m["seconds"] for m in manifests) / 60, 1),
        date=f"{datetime.now(UTC):%Y-%m-%d}",
        scores=finished_scores(experiment),
        models=sorted(map(_facts, filter(_is_model, manifests)), key=lambda m: str(m["label"])),
    )


def _is_model(manifest: Manifest) -> bool:
    return bool(manifest["stage"] == "TrainedModel")


def _facts(manifest: Manifest) -> dict[str, Any]:
    return {name: manifest[name] for name in FACTS}
