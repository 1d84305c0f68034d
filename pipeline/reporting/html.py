"""Write findings as one self-contained HTML page, readable without scripts."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from pipeline.reporting.answers import Answer, answers
from pipeline.reporting.charts import Chart, curves, mt_charts, task_chart
from pipeline.reporting.examples import side_by_side
from pipeline.reporting.findings import Findings
from pipeline.reporting.records import arrow
from pipeline.reporting.tables import signed
from pipeline.reporting.trainings import trainings
from pipeline.reporting.usefulness import usefulness_charts
from pipeline.reporting.ways import decisive
from tasks.transfer.catalogue import strategy_called


def write_html(findings: Findings, path: Path) -> None:
    """Render the page; corpus text and manifest fields are escaped by the template engine."""
    from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

    environment = Environment(
        loader=PackageLoader("pipeline.reporting"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["signed"] = signed
    path.write_text(
        environment.get_template("report.html").render(_shown(findings)), encoding="utf-8"
    )


class TaskPart(NamedTuple):
    """What the first screen shows of a task."""

    name: str
    metric: str
    answers: list[Answer]
    chart: Chart


def _shown(findings: Findings) -> dict[str, Any]:
    trained = list(trainings(findings.manifests))
    return {
        "findings": findings,
        "tasks": list(_tasks(findings)),
        "examples": {arrow(d): found for d, found in side_by_side(findings.examples).items()},
        "charts": [*mt_charts(findings.mt), *usefulness_charts(findings.uses), *curves(trained)],
    }


def _tasks(findings: Findings) -> Iterator[TaskPart]:
    found = list(answers(findings.tasks, findings.contrasts))
    for name in dict.fromkeys(s.task for s in findings.tasks):
        here = [s for s in decisive(findings.tasks) if s.task == name]
        if any(strategy_called(s.strategy).per_language for s in here):
            chosen = [a for a in found if a.score.task == name]
            yield TaskPart(name, here[0].metric, chosen, task_chart(here))
