"""Every score of an experiment, from the manifests of the stages that are done."""

import csv
import io
import json
from typing import Any

from pipeline.specs.loading import load_experiment
from pipeline.stage import Stage
from pipeline.stages.mt_scores import MtScores
from pipeline.stages.transfer import TransferScores

Record = dict[str, Any]


def scoring_stages(experiment: str) -> list[Stage[Any]]:
    """Return the stages whose manifests hold scores, MT first."""
    study = load_experiment(experiment)
    mt = [MtScores(experiment=experiment, engine=engine) for engine in study.engines]
    transfer = [
        TransferScores(experiment=experiment, task=task.name, encoder=encoder)
        for task in study.tasks
        for encoder in study.transfer.encoders
    ]
    return [*mt, *transfer]


def finished_scores(experiment: str) -> list[Record]:
    """Return the score records of every scoring stage that is done."""
    return [
        record
        for stage in scoring_stages(experiment)
        if stage.complete()
        for record in stage.artifact.manifest["scores"]
    ]


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
