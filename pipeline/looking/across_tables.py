"""Show several studies side by side: as tables, Markdown, CSV and JSON."""

import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import fields

from pipeline.looking.across import CHOSEN, Found, Paired, Unpaired
from pipeline.reporting.markdown import escape, table
from pipeline.reporting.tables import Grid

COLUMNS = ["where", "what", "first", "this", "difference", "p", "found from", "n"]
REASON = "reason"
NOTE = (
    "first, this: scores on the n test items that both have; p is corrected for the number of "
    "tests of this table (Holm), – with one training; found from: the least difference that would "
    "be found in four of five repetitions"
)


def grids(found: Found) -> Iterator[Grid]:
    """Yield one table a study and metric."""
    kinds = dict.fromkeys((test.study, test.first, test.metric) for test in found.paired)
    for study, first, metric in kinds:
        tests = [t for t in found.paired if (t.study, t.metric) == (study, metric)]
        title = f"{study} against {first}: {metric}"
        yield Grid(title, COLUMNS, [_row(test) for test in tests], NOTE, columns_of_words=2)


def _row(test: Paired) -> list[str]:
    form = ".1f" if test.of == "mt" else ".3f"
    bounds = f"[{test.low:+{form}}, {test.high:+{form}}]"
    uses = f": {test.uses} against {test.first_uses}" if test.what == CHOSEN else ""
    return [
        test.where,
        f"{test.what}{uses}",
        f"{test.first_score:{form}}",
        f"{test.score:{form}}",
        f"{test.difference:+{form}} {bounds}",
        "–" if test.p is None else f"{test.p:.3f}",
        f"{test.mdd:{form}}",
        f"{test.n:,}",
    ]


def remarks(found: Found) -> list[str]:
    """Say what cannot be compared and why, each reason once with all its places."""
    if not found.paired and not found.unpaired:
        return ["Nothing is scored yet in any of these studies."]
    places: dict[Unpaired, list[str]] = {}
    for one in found.unpaired:
        places.setdefault(one._replace(where=""), []).append(one.where)
    return [
        f"{', '.join(where)}: {one.study} against {one.first}: {one.reason}."
        for one, where in places.items()
    ]


def as_markdown(found: Found) -> str:
    """Return tables and remarks as Markdown."""
    lines: list[str] = []
    for grid in grids(found):
        lines += [f"## {grid.title}", "", *table(grid), ""]
    lines += [f"* {escape(remark)}" for remark in remarks(found)]
    return "\n".join(lines).rstrip("\n") + "\n"


def as_json(found: Found) -> str:
    """Return all tests, and all that cannot be compared."""
    records = {
        "paired": [test.as_record() for test in found.paired],
        "unpaired": [one._asdict() for one in found.unpaired],
    }
    return json.dumps(records, indent=1, ensure_ascii=False)


def as_csv(found: Found) -> str:
    """Return a row a test, then a row with its reason for what cannot be compared."""
    sink = io.StringIO()
    columns = [*(field.name for field in fields(Paired)), REASON]
    writer = csv.DictWriter(sink, columns, lineterminator="\n")
    writer.writeheader()
    rows: Sequence[dict[str, object]] = [
        *(test.as_record() for test in found.paired),
        *(one._asdict() for one in found.unpaired),
    ]
    writer.writerows(rows)
    return sink.getvalue()
