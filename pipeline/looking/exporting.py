"""Take a study's figures elsewhere: CSV, Parquet, LaTeX, Markdown, with what is to be cited."""

import csv
import io
import json
import tempfile
import types
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args, get_origin

from pydantic import TypeAdapter, ValidationError

from models.support.errors import SpecError, StageError
from pipeline.looking.scores import finished_scores, finished_trainings
from pipeline.reporting.citations import bibliography
from pipeline.reporting.findings import score_grids
from pipeline.reporting.latex import latex, slug
from pipeline.reporting.markdown import table
from pipeline.reporting.records import KINDS, Contrast, MtScore, Record, Score
from pipeline.reporting.tables import Grid, contrast_grids
from pipeline.reporting.trainings import Training, trainings
from pipeline.specs.experiment import Experiment
from pipeline.specs.loading import load_experiment

if TYPE_CHECKING:
    import pyarrow

CITATIONS = "citations.bib"
JOIN = "; "
"""Between the values of a list in one cell of a CSV."""


@dataclass(frozen=True)
class Figures:
    """A study's figures; `experiment` is None where they come from a file of figures alone."""

    study: str
    scores: list[Score]
    trained: list[Training]
    experiment: Experiment | None

    @property
    def by_kind(self) -> dict[str, list[Score]]:
        """The figures by kind, of those kinds that there are."""
        found = {kind: [s for s in self.scores if isinstance(s, KINDS[kind])] for kind in KINDS}
        return {kind: scores for kind, scores in found.items() if scores}

    @property
    def grids(self) -> list[Grid]:
        """The report's tables of figures."""
        contrasts = [s for s in self.scores if isinstance(s, Contrast)]
        return [*score_grids(self.scores, self.trained), *contrast_grids(contrasts)]

    def remark(self, grid: Grid) -> str:
        """Return the signatures of the metric that a table shows."""
        signatures = {
            s.signature for s in self.scores if isinstance(s, MtScore) and s.metric == grid.title
        }
        return f"sacreBLEU {', '.join(sorted(signatures))}" if signatures else ""


def figures(study: str) -> Figures:
    """Return what an experiment has so far, or what a snapshot or a report's scores.json holds."""
    if study.endswith(".json"):
        return _from_file(Path(study))
    scores = finished_scores(study)
    if not scores:
        raise StageError(f"{study} has no scores yet: sprachbund run {study}")
    experiment = load_experiment(study)
    return Figures(experiment.name, scores, finished_trainings(study), experiment)


def _from_file(path: Path) -> Figures:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise StageError(f"{path}: cannot be read as JSON: {error}") from error
    held = {"records": data} if isinstance(data, list) else data
    records = held.get("records") if isinstance(held, dict) else None
    if not isinstance(records, list) or not records:
        raise StageError(
            f"{path}: expected a list of records as `scores --format json` prints, or a snapshot "
            "as `scores --page` writes"
        )
    scores = [_score(path, number, record) for number, record in enumerate(records, 1)]
    name = str(held.get("study") or path.stem)
    try:
        trained = list(trainings(held.get("models", [])))
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise StageError(f"{path}: `models` is not what a snapshot holds: {error!r}") from error
    return Figures(name, scores, trained, None)


def _score(path: Path, number: int, record: Any) -> Score:
    kind = record.get("kind") if isinstance(record, dict) else None
    if kind not in KINDS:
        raise StageError(f"{path}: record {number}: kind {kind!r}; known: {', '.join(KINDS)}")
    values = {name: value for name, value in record.items() if name != "kind"}
    try:
        score: Score = TypeAdapter(KINDS[kind]).validate_python(values)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise StageError(f"{path}: record {number}: {place}: {first['msg']}") from error
    return score


def csv_files(found: Figures) -> Iterator[tuple[str, bytes]]:
    """Yield one CSV a kind of figure; lists are joined, what is not known is empty."""
    for kind, scores in found.by_kind.items():
        sink = io.StringIO()
        writer = csv.DictWriter(sink, _columns(kind), lineterminator="\n")
        writer.writeheader()
        for record in map(_plain, scores):
            writer.writerow({name: _cell(value) for name, value in record.items()})
        yield f"{kind}.csv", sink.getvalue().encode()


def parquet_files(found: Figures) -> Iterator[tuple[str, bytes]]:
    """Yield one Parquet file a kind of figure, every column with its type though all be empty."""
    import pyarrow
    from pyarrow import parquet

    for kind, scores in found.by_kind.items():
        sink = pyarrow.BufferOutputStream()
        columns = pyarrow.Table.from_pylist(list(map(_plain, scores)), schema=_schema(kind))
        parquet.write_table(columns, sink)
        yield f"{kind}.parquet", sink.getvalue().to_pybytes()


def latex_files(found: Figures) -> Iterator[tuple[str, bytes]]:
    """Yield one LaTeX table a grid of the report."""
    seen: Counter[str] = Counter()
    for grid in found.grids:
        name = slug(grid.title)
        seen[name] += 1
        again = f"-{seen[name]}" if seen[name] > 1 else ""
        yield f"{name}{again}.tex", latex(grid, found.study, found.remark(grid)).encode()


def markdown_files(found: Figures) -> Iterator[tuple[str, bytes]]:
    """Yield the grids of the report as one page."""
    lines = [f"# {found.study}"]
    for grid in found.grids:
        lines += ["", f"## {grid.title}", "", *table(grid)]
        lines += ["", f"`{remark}`"] if (remark := found.remark(grid)) else []
    yield "tables.md", ("\n".join(lines) + "\n").encode()


FORMS: dict[str, Callable[[Figures], Iterator[tuple[str, bytes]]]] = {
    "csv": csv_files,
    "latex": latex_files,
    "parquet": parquet_files,
    "markdown": markdown_files,
}


def export(found: Figures, form: str, folder: Path) -> list[Path]:
    """Write figures and citations to a folder; return the files.

    Raises SpecError for a folder that holds other files, which an earlier export may have left.
    """
    files = dict(FORMS[form](found))
    if cited := bibliography(found.scores, found.experiment):
        files[CITATIONS] = cited.encode()
    write_files(folder, files)
    return [folder / name for name in files]


def write_files(folder: Path, files: dict[str, bytes]) -> None:
    """Write all files of a folder, each by one rename, once all of them are on the disk."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        others = sorted({path.name for path in folder.iterdir()} - files.keys())
        if others:
            raise SpecError(
                f"{folder} holds other files ({', '.join(others[:3])}"
                f"{', ...' if others[3:] else ''}): remove them, or say another folder with --out"
            )
        with tempfile.TemporaryDirectory(dir=folder, prefix=".draft-") as draft:
            for name, content in files.items():
                (Path(draft) / name).write_bytes(content)
            for name in files:
                (Path(draft) / name).replace(folder / name)
    except OSError as error:
        raise SpecError(f"{folder}: cannot be written: {error.strerror or error}") from error


def _plain(score: Score) -> Record:
    return {name: value for name, value in score.as_record().items() if name != "kind"}


def _columns(kind: str) -> list[str]:
    return [field.name for field in fields(KINDS[kind])]


def _cell(value: Any) -> Any:
    """Return a value as a cell of a CSV: lists and values by name are joined."""
    if isinstance(value, Mapping):
        return JOIN.join(f"{name}={one}" for name, one in value.items())
    return JOIN.join(value) if isinstance(value, tuple | list) else value


def _schema(kind: str) -> "pyarrow.Schema":
    import pyarrow

    return pyarrow.schema([(field.name, _arrow_type(field.type)) for field in fields(KINDS[kind])])


def _arrow_type(annotation: Any) -> "pyarrow.DataType":
    """Return the type of a column whose values are annotated so."""
    import pyarrow

    if isinstance(annotation, types.UnionType):  # a value or None: every column may be empty
        (annotation,) = (one for one in get_args(annotation) if one is not type(None))
    if get_origin(annotation) is tuple:
        return pyarrow.list_(pyarrow.string())
    if get_origin(annotation) is Mapping:
        return pyarrow.map_(pyarrow.string(), _arrow_type(get_args(annotation)[1]))
    known = {int: pyarrow.int64(), float: pyarrow.float64(), bool: pyarrow.bool_()}
    return known.get(annotation, pyarrow.string())


def files_left_out(found: Figures) -> Sequence[str]:
    """Return what an export cannot hold, in words."""
    if found.experiment is None:
        return [f"{CITATIONS} names methods only: a file of figures does not say what data it used"]
    return []
