"""Every score of an experiment, from the manifests of the stages that are done."""

import csv
import io
import json

from pipeline.reporting.tables import Record
from pipeline.specs.loading import load_experiment
from pipeline.stages.nmt import NmtModel
from pipeline.stages.report import Report


def finished_scores(experiment: str) -> list[Record]:
    """Return the score records of every scoring stage that is done: what a report is made from."""
    return [
        record
        for stages in Report(experiment=experiment).inputs.values()
        for stage in stages
        if stage.complete()
        for record in stage.artifact.manifest["scores"]
    ]


def finished_trainings(experiment: str) -> list[Record]:
    """Return the manifest of every NMT model that is trained, round by round."""
    rounds = load_experiment(experiment).rounds
    models = [NmtModel(experiment=experiment, round=n) for n in rounds]
    return [model.artifact.manifest for model in models if model.complete()]


def scores_json(records: list[Record]) -> str:
    """Return records as a JSON list."""
    return json.dumps(records, indent=1, ensure_ascii=False) + "\n"


def scores_csv(records: list[Record]) -> str:
    """Return records as CSV; a field that a kind of record lacks is empty."""
    columns = list(dict.fromkeys(field for record in records for field in record))
    sink = io.StringIO()
    writer = csv.DictWriter(sink, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(records)
    return sink.getvalue()
