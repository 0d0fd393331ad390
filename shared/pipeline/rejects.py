"""Rejected rows as a report that people can open: what, where, and how to mend it."""

import csv
import io

from shared.domain.errors import Code
from shared.domain.runs import Reject, Run
from shared.pipeline import journal
from shared.pipeline.engine import Engine
from shared.pipeline.parts import Parts

FIRST = 100
"""How many rejects a run carries itself."""

_COLUMNS = ("run", "file", "line", "field", "code", "message")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def path(run: Run) -> str:
    """Return where a run's reject report stands in the container `reports`."""
    return f"{run.connection}/{run.run_id}/rejects.csv"


def report(parts: Parts, engine: Engine, run: Run) -> tuple[Reject, ...]:
    """Write all rejects of the run as CSV, and return the first ones. A second call replaces the report."""
    order = "select file, line, field, code, message from rejects order by file, line, field, code, message"
    first = tuple(
        Reject(file=file, line=line, field=column, code=Code(code), message=message)
        for file, line, column, code, message in engine.rows(f"{order} limit {FIRST}")
    )
    if first:
        target = engine.folder / "rejects.csv"
        with target.open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(_COLUMNS)
            for rows in engine.iterate(order):
                writer.writerows([run.run_id, *map(harmless, row)] for row in rows)
        parts.reports.put_file(path(run), target)
    return first


def header() -> bytes:
    """Return the beginning of a report."""
    return b"\xef\xbb\xbf" + ",".join(_COLUMNS).encode() + b"\r\n"


def as_csv(run: Run, rejects: list[Reject]) -> bytes:
    """Return rejects as the same kind of CSV, without a byte order mark, to be added to a report."""
    out = io.StringIO()
    writer = csv.writer(out)
    for each in rejects:
        writer.writerow([run.run_id, *map(harmless, (each.file, each.line, each.field, each.code, each.message))])
    return out.getvalue().encode()


def harmless(value: object) -> object:
    """Keep a spreadsheet from taking a text for a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def add(parts: Parts, run: Run, found: list[Reject]) -> dict[str, object]:
    """Add rejects to the run and to its report; a second call with the same ones adds nothing."""
    place = path(run)
    try:
        report = parts.reports.get(place)
    except FileNotFoundError:
        report = header()
    lines = as_csv(run, found)
    if lines not in report:
        parts.reports.put(place, report + lines)
        run = journal.get_run(parts, run.connection, run.run_id)
        first = (*run.rejects, *found)[:FIRST]
        values: dict[str, object] = {"rejects": first, "reject_count": run.reject_count + len(found)}
        journal.change_run(parts, run, lambda newest: newest.changed(**values))
        return values
    return {}
