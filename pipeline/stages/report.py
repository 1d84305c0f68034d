"""The last stages: one report, and the study that asks for it."""

from dataclasses import dataclass

import luigi

from pipeline.reporting.findings import collect
from pipeline.reporting.html import write_html
from pipeline.reporting.markdown import write_markdown
from pipeline.specs.experiment import Experiment
from pipeline.stages.leakage import LeakAudit
from pipeline.stages.mt_scores import MtContrasts, mt_scores
from pipeline.stages.stage import Inputs, Requirements, Stage
from pipeline.store import Draft


@dataclass(frozen=True)
class ReportSpec:
    """Everything: a report shows the whole recipe."""

    experiment: Experiment


class Report(Stage[ReportSpec]):
    """The study's answer, as Markdown, as one self-contained HTML page, and as JSON."""

    def spec(self) -> ReportSpec:
        return ReportSpec(self.study)

    def label(self) -> str:
        return str(self.study.name)

    def requires(self) -> Requirements:
        return {
            "mt": [mt_scores(self, system) for system in self.study.systems],
            "mt_contrasts": [MtContrasts(experiment=self.experiment)],
            "audit": LeakAudit(experiment=self.experiment),
        }

    @staticmethod
    def build(spec: ReportSpec, inputs: Inputs, out: Draft) -> None:
        artifacts = [*inputs.many("mt"), *inputs.many("transfer")]
        findings = collect(
            spec.experiment,
            artifacts,
            overlaps=inputs.one("audit").manifest["overlaps"],
        )
        out.facts["verdicts"] = findings.verdicts
        out.path("scores.json").write_text(findings.scores_json(), encoding="utf-8")
        write_markdown(findings, out.path("report.md"))
        write_html(findings, out.path("report.html"))


class Study(luigi.WrapperTask):
    """The whole experiment: `luigi --module pipeline.dag Study --experiment FILE`."""

    experiment = luigi.Parameter(description="name or path of an experiment manifest")

    def requires(self) -> Report:
        return Report(experiment=self.experiment)
