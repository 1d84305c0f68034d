"""Pages of results, generated from the records of a run: no figure in the docs is typed by hand.

`python -m pipeline.reporting.results_page docs/results README.md` writes `<study>.md` beside each
`<study>.json`, and the marked blocks of the other files.
"""

import json
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from pipeline.reporting.findings import score_grids
from pipeline.reporting.markdown import table
from pipeline.reporting.origins import short_commits
from pipeline.reporting.records import Contrast, MtScore, Score, TaskScore, from_record
from pipeline.reporting.tables import contrast_grids, mt_grid
from pipeline.reporting.trainings import Training, not_converged, trainings, unfinished
from pipeline.reporting.verdict import mt_verdicts, task_verdicts
from tasks.mt.scoring import BLEU

BLOCK = re.compile(r"<!-- results: (?P<study>[\w.-]+) -->\n.*?<!-- end -->", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """The figures of one run, and where they come from: all commits and machines that made them.

    `models` are manifests of trained models, cut down to what a table of trainings shows.
    """

    study: str
    commit: str
    machine: str
    minutes: float
    date: str
    scores: list[Score]
    models: list[dict[str, Any]]

    @classmethod
    def read(cls, path: Path) -> "Snapshot":
        """Read a snapshot's JSON."""
        data = json.loads(path.read_text(encoding="utf-8"))
        scores = list(map(from_record, data.pop("records")))
        return cls(**data, scores=scores)

    def write(self, path: Path) -> None:
        """Write it as JSON."""
        data = {field.name: getattr(self, field.name) for field in fields(self)}
        data["records"] = [score.as_record() for score in data.pop("scores")]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

    @property
    def trainings(self) -> list[Training]:
        """The trainings of the run."""
        return list(trainings(self.models))

    @property
    def mt(self) -> list[MtScore]:
        """The scores of translation."""
        return [s for s in self.scores if isinstance(s, MtScore)]

    @property
    def contrasts(self) -> list[Contrast]:
        """The paired tests."""
        return [s for s in self.scores if isinstance(s, Contrast)]

    @property
    def tasks(self) -> list[TaskScore]:
        """The scores of the tasks."""
        return [s for s in self.scores if isinstance(s, TaskScore)]


def page(snapshot: Snapshot) -> str:
    """Return a study's page in Markdown: the answer, then every table of scores."""
    origin = (
        f"Generated from [{snapshot.study}.json]({snapshot.study}.json), the records of a run on "
        f"{snapshot.date} by commit {short_commits(snapshot.commit)}; "
        f"{snapshot.machine or 'unknown machine'}; "
        f"{snapshot.minutes:.0f} minutes of its stages' own time, several at a time."
    )
    lines = [f"# Results: {snapshot.study}", "", origin, "", "## In words", ""]
    lines += [f"* {sentence}" for sentence in task_verdicts(snapshot.tasks, snapshot.contrasts)]
    lines += [f"* {sentence}" for sentence in mt_verdicts(snapshot.mt, snapshot.contrasts)]
    lines += [f"* {sentence}" for sentence in not_converged(snapshot.trainings)]
    grids = [
        *score_grids(snapshot.scores, snapshot.trainings),
        *contrast_grids(snapshot.contrasts),
    ]
    for grid in grids:
        lines += ["", f"## {grid.title}", "", *table(grid)]
    return "\n".join(lines) + "\n"


def block(snapshot: Snapshot) -> str:
    """Return what stands in README: BLEU, and the verdict on the contrasts."""
    early = unfinished(snapshot.trainings)
    grid = mt_grid(snapshot.mt, snapshot.contrasts, BLEU, early)
    lines = table(grid) if grid else []
    mt = [s for s in mt_verdicts(snapshot.mt, snapshot.contrasts) if " against " in s]
    tasks = [s for s in task_verdicts([], snapshot.contrasts) if "over all languages" in s]
    return "\n".join([*lines, "", *(f"* {sentence}" for sentence in [*mt, *tasks])])


def write_blocks(document: Path, snapshots: Sequence[Snapshot]) -> None:
    """Write the blocks of a document that name a study, each from its snapshot."""
    known = {snapshot.study: snapshot for snapshot in snapshots}

    def written(found: re.Match[str]) -> str:
        study = found["study"]
        text = block(known[study]) if study in known else "(not run yet)"
        return f"<!-- results: {study} -->\n{text}\n<!-- end -->"

    document.write_text(BLOCK.sub(written, document.read_text(encoding="utf-8")), encoding="utf-8")


def write_pages(folder: Path, documents: Sequence[Path]) -> None:
    """Write the page of each snapshot in a folder, then the blocks of other documents."""
    snapshots = [Snapshot.read(path) for path in sorted(folder.glob("*.json"))]
    for snapshot in snapshots:
        (folder / f"{snapshot.study}.md").write_text(page(snapshot), encoding="utf-8")
    for document in documents:
        write_blocks(document, snapshots)


if __name__ == "__main__":
    write_pages(Path(sys.argv[1]), list(map(Path, sys.argv[2:])))
