"""Rejects of a run as they stand in its report, and what can still be done about each."""

import csv
import io
from collections.abc import Iterator

from shared.domain.errors import Code, SettingsError
from shared.domain.runs import Reject, Run
from shared.pipeline import rejects
from shared.pipeline.parts import Parts

_REFUSED_BY_GRAPH = frozenset({Code.RECORD_REFUSED, Code.GRAPH_UNAVAILABLE})


def list_rejects(parts: Parts, run: Run) -> Iterator[Reject]:
    """Yield all rejects of a run, in the order of its report; without a report, those that the run carries."""
    if not run.reject_count:
        return
    try:
        with parts.reports.open(rejects.path(run)) as report:
            for row in csv.DictReader(io.TextIOWrapper(report, encoding="utf-8-sig", newline="")):
                yield Reject.model_validate({name: row[name] for name in Reject.model_fields})
    except FileNotFoundError:
        yield from run.rejects


def find_reject(parts: Parts, run: Run, *, number: int | None = None, line: str | None = None) -> Reject:
    """Return one reject of a run, by its number in the report (from 1), or by `FILE:LINE`.

    Raises:
        SettingsError: there is none, or more than one.
    """
    if number is not None:
        for position, reject in enumerate(list_rejects(parts, run), 1):
            if position == number:
                return reject
        raise SettingsError(
            f"The run {run.run_id} has no reject number {number}; it has {run.reject_count}.", Code.SETTINGS_INVALID
        )
    file, _, at = (line or "").rpartition(":")
    if not file or not at.isdecimal():
        raise SettingsError(f"FILE:LINE was expected, and not {line!r}.", Code.SETTINGS_INVALID)
    found = [reject for reject in list_rejects(parts, run) if (reject.file, reject.line) == (file, int(at))]
    if len({(reject.field, reject.code) for reject in found}) != 1:
        told = "has more than one reject" if found else "has no reject"
        raise SettingsError(
            f"The run {run.run_id} {told} at {line}. The report numbers them: give --reject instead.",
            Code.SETTINGS_INVALID,
        )
    return found[0]


def is_refused_by_graph(reject: Reject) -> bool:
    """Tell whether the record is in the tables, and only Viva Learning would not have it; `field` is its key."""
    return reject.line == 0 and reject.code in _REFUSED_BY_GRAPH


def is_unread(reject: Reject) -> bool:
    """Tell whether the row, or the file, never came into the tables."""
    return not is_refused_by_graph(reject) and reject.code is not Code.ITEM_LIMIT


def keys(field: str) -> set[str]:
    """Return the external ids that a report's field may stand for: some were quoted to be no formula."""
    return {field, field[1:]} if field.startswith("'") else {field}
