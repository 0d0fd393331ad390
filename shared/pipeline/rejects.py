"""Rejected rows as a report that people can open: what, where, and how to mend it."""

import csv
import io
import mmap
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from shared.domain.errors import Code
from shared.domain.help import EXPLANATIONS
from shared.domain.runs import Reject, Run
from shared.pipeline import journal
from shared.pipeline.engine import Engine
from shared.pipeline.parts import Parts

FIRST = 100
"""How many rejects a run carries itself."""

_COLUMNS = ("run", "file", "line", "field", "code", "message", "how_to_mend")
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
                writer.writerows(_line(run, row) for row in rows)
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
        writer.writerow(_line(run, (each.file, each.line, each.field, each.code, each.message)))
    return out.getvalue().encode()


def _line(run: Run, row: Sequence[object]) -> list[object]:
    """Return what the report says of one reject: what and where, and how it is mended."""
    return [run.run_id, *map(harmless, row), EXPLANATIONS[Code(str(row[3]))].mend]


def harmless(value: object) -> object:
    """Keep a spreadsheet from taking a text for a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def add(parts: Parts, run: Run, found: list[Reject]) -> dict[str, object]:
    """Add rejects to the run and to its report; a second call with the same ones adds nothing."""
    if not _append(parts, path(run), as_csv(run, found)):
        return {}
    run = journal.get_run(parts, run.connection, run.run_id)
    first = (*run.rejects, *found)[:FIRST]
    values: dict[str, object] = {"rejects": first, "reject_count": run.reject_count + len(found)}
    journal.change_run(parts, run, lambda newest: newest.changed(**values))
    return values


def _append(parts: Parts, place: str, lines: bytes) -> bool:
    """Add lines to a report, however large it is; false when it has them already."""
    with TemporaryDirectory(prefix="lms-") as folder:
        report = Path(folder) / "rejects.csv"
        try:
            parts.reports.get_file(place, report)
        except FileNotFoundError:
            report.write_bytes(header())
        with report.open("r+b") as file:
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
                if content.find(lines) >= 0:
                    return False
            file.seek(0, io.SEEK_END)
            file.write(lines)
        parts.reports.put_file(place, report)
    return True
