"""Every figure of an experiment, from the manifests of the stages that are done."""

import csv
import io
import json
from collections.abc import Sequence

from pipeline.dag import built_stages
from pipeline.reporting.records import Score
from pipeline.reporting.trainings import Training, trainings
from pipeline.stages.report import Report
from pipeline.stages.scores import (
    finished_manifests,
    named_figures,
    names_in_contests,
    scoring_stages,
)
from pipeline.stages.systems.trained import TrainedModel


def finished_scores(experiment: str) -> list[Score]:
    """Return the figures of every scoring stage that is done: what a report is made from."""
    report = Report(experiment=experiment)
    built = finished_manifests(scoring_stages(report))
    return named_figures(report.study, names_in_contests(report), built)


def finished_trainings(experiment: str) -> list[Training]:
    """Return every training that is done, in the order in which the systems were written."""
    report = Report(experiment=experiment)
    models = {s.place: s for s in built_stages(experiment) if isinstance(s, TrainedModel)}
    order = list(report.study.systems)
    ordered = sorted(models.values(), key=lambda s: (order.index(str(s.system)), int(s.replicate)))
    built = [{**model.artifact.manifest, "label": model.label()} for model in ordered]
    return list(trainings(built))


def scores_json(scores: Sequence[Score]) -> str:
    """Return figures as a JSON list of records."""
    records = [score.as_record() for score in scores]
    return json.dumps(records, indent=1, ensure_ascii=False) + "\n"


def scores_csv(scores: Sequence[Score]) -> str:
    """Return figures as CSV; a field that a kind of record lacks is empty, lists are joined."""
    records = [score.as_record() for score in scores]
    columns = list(dict.fromkeys(field for record in records for field in record))
    sink = io.StringIO()
    writer = csv.DictWriter(sink, columns, lineterminator="\n")
    writer.writeheader()
    for record in records:
        writer.writerow({name: _cell(value) for name, value in record.items()})
    return sink.getvalue()


def _cell(value: object) -> object:
    """Return what stands in a cell: of a list its entries, of a table its names and values."""
    if isinstance(value, dict):
        value = [f"{name}: {of}" for name, of in value.items()]
    return "; ".join(map(str, value)) if isinstance(value, tuple | list) else value
