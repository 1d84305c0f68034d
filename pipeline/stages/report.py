"""The last stages: one report, and the study that asks for it."""

from dataclasses import dataclass
from itertools import chain

import luigi

from pipeline.reporting.findings import Findings
from pipeline.reporting.html import write_html
from pipeline.reporting.markdown import write_markdown
from pipeline.specs.experiment import Experiment, Hardware
from pipeline.stages.leakage import LeakAudit
from pipeline.stages.mt_scores import EXAMPLES
from pipeline.stages.scores import (
    ContestNames,
    Scoring,
    named_figures,
    names_in_contests,
    scoring_stages,
)
from pipeline.stages.stage import Inputs, Requirements, Stage
from pipeline.store import Draft, lineage
from tasks.mt.examples import load_examples


@dataclass(frozen=True)
class ReportSpec:
    """Everything: a report shows the whole recipe."""

    experiment: Experiment
    names: ContestNames


class Report(Stage[ReportSpec]):
    """The study's answer, as Markdown, as one self-contained HTML page, and as JSON."""

    VERSION = 7

    def spec(self) -> ReportSpec:
        return ReportSpec(_without_hardware(self.study), names_in_contests(self))

    def label(self) -> str:
        return str(self.study.name)

    def requires(self) -> Requirements:
        return {**scoring_stages(self)._asdict(), "audit": LeakAudit(experiment=self.experiment)}

    @staticmethod
    def build(spec: ReportSpec, inputs: Inputs, out: Draft) -> None:
        scoring = [inputs.many(name) for name in Scoring._fields]
        manifests = Scoring(*([artifact.manifest for artifact in some] for some in scoring))
        findings = Findings(
            spec.experiment,
            scores=named_figures(spec.experiment, spec.names, manifests),
            overlaps=inputs.one("audit").manifest["overlaps"],
            gaps=inputs.one("audit").manifest["gaps"],
            manifests=list(lineage(chain(*scoring)).values()),
            examples={
                name: load_examples(artifact.path(EXAMPLES))
                for name, artifact in zip(spec.experiment.systems, inputs.many("mt"), strict=True)
            },
        )
        out.facts["verdicts"] = findings.verdicts
        out.path("scores.json").write_text(findings.scores_json(), encoding="utf-8")
        write_markdown(findings, out.path("report.md"))
        write_html(findings, out.path("report.html"))


def _without_hardware(study: Experiment) -> Experiment:
    """Return an experiment as it would be anywhere."""
    return study.model_copy(update={"hardware": Hardware()})


class Study(luigi.WrapperTask):
    """The whole experiment: `luigi --module pipeline.dag Study --experiment FILE`."""

    experiment = luigi.Parameter(description="name or path of an experiment manifest")

    def requires(self) -> Report:
        return Report(experiment=self.experiment)
