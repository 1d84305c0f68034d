"""Write findings as one self-contained HTML page."""

from pathlib import Path

from pipeline.reporting.findings import Findings
from pipeline.reporting.plots import mt_plot, task_plots


def write_html(findings: Findings, path: Path) -> None:
    """Render the page; corpus text and manifest fields are escaped by the template engine."""
    from jinja2 import Environment, PackageLoader, select_autoescape
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader("pipeline.reporting"), autoescape=select_autoescape(default=True)
    )
    plots = [*mt_plot(findings.mt), *task_plots(findings.tasks)]
    page = environment.get_template("report.html").render(
        findings=findings,
        plots=[Markup(plot) for plot in plots],  # noqa: S704  (our own SVG)
    )
    path.write_text(page, encoding="utf-8")
