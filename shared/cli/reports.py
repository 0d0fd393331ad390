"""`lms rejects`, `coverage` and `changes`: the reports of a run, in short on the terminal and as a whole in a file."""

import csv
import io
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.table import Table
from rich.text import Text

from shared.cli.options import Json
from shared.cli.show import changes_line, cost_line, coverage_line, print_value, rules_lines
from shared.cli.tenant import Tenant, telling_errors
from shared.domain import unmapped
from shared.domain.errors import Code, SettingsError
from shared.domain.help import EXPLANATIONS
from shared.domain.runs import Outcome, Run
from shared.pipeline import changes_report, coverage_report, journal
from shared.pipeline import rejects as reject_report
from shared.pipeline.parts import Parts

RunId = Annotated[str | None, typer.Argument(metavar="RUN", help="(default: the latest that has such a report)")]
Csv = Annotated[Path | None, typer.Option("--csv", metavar="FILE", help="Write the whole report, for a spreadsheet.")]
Count = Annotated[int, typer.Option("--first", min=0, help="How many to show.")]
_SHOWN = 20


def rejects(
    context: typer.Context, run_id: RunId = None, *, file: Csv = None, count: Count = _SHOWN, json: Json = False
) -> None:
    """Show what a run refused, by code and how to mend it; `--csv` writes every row."""
    tenant: Tenant = context.obj
    with telling_errors():
        run = _find_run(tenant, run_id, lambda run: run.reject_count > 0, "No run has refused anything.")
        first: list[dict[str, str]] = []
        codes: Counter[str] = Counter()
        if run.reject_count:
            with _reading(tenant.parts, reject_report.path(run), run) as rows:
                for row in rows:
                    codes[row["code"]] += 1
                    if len(first) < count:
                        first.append(row)
            _copy(tenant, reject_report.path(run), file)
        if json:
            by_code = [
                {"code": code, "count": number, "how_to_mend": EXPLANATIONS[Code(code)].mend}
                for code, number in codes.most_common()
            ]
            print_value({"run_id": run.run_id, "count": codes.total(), "codes": by_code, "first": first})
            return
        _say_which(tenant, run)
        if not codes:
            tenant.console.print("  It has refused nothing.")
            return
        tenant.console.print(_table(("file", "line", "field", "code", "message"), first, right=("line",)))
        _more(tenant, codes.total() - len(first), file)
        for code, number in codes.most_common():
            words = EXPLANATIONS[Code(code)]
            tenant.console.print(Text.assemble((f"{number:,} {code}", "bold"), f"\n  {words.what}\n  {words.mend}"))


def coverage(context: typer.Context, run_id: RunId = None, *, file: Csv = None, json: Json = False) -> None:
    """Show how many persons were found in Entra, and why the others were not; `--csv` names the lines of these."""
    tenant: Tenant = context.obj
    with telling_errors():
        run = _find_run(tenant, run_id, lambda run: run.coverage.learners > 0, "No run has mapped anybody yet.")
        _copy(tenant, coverage_report.path(run), file)
        found = run.coverage
        words = unmapped.words_for(journal.get_connection(tenant.parts, tenant.connection).directory_attribute)
        reasons = [
            {
                "reason": reason.value,
                "persons": persons,
                "percent": round(100 * persons / found.learners, 1) if found.learners else 0.0,
                "what": words[reason].what,
                "how_to_mend": words[reason].mend,
            }
            for reason, persons in unmapped.count(found).items()
        ]
        if json:
            told = {"learners": found.learners, "mapped": found.mapped, "percent": round(found.percent, 1)}
            rules = found.model_dump(include={"by_rules", "by_rule", "near_by_rules"})
            print_value({"run_id": run.run_id, **told, **rules, "reasons": reasons})
            return
        _say_which(tenant, run)
        tenant.console.print(Text(f"  {coverage_line(run)}"))
        for line in rules_lines(run):
            tenant.console.print(Text(f"  {line}"))
        shown = [
            {**each, "persons": f"{each['persons']:,}", "percent": f"{each['percent']} %"}
            for each in reasons
            if each["persons"]
        ]
        if shown:
            columns = ("reason", "persons", "percent", "what", "how_to_mend")
            tenant.console.print(_table(columns, shown, right=("persons", "percent")))
        _wrote(tenant, file)


def changes(
    context: typer.Context, run_id: RunId = None, *, file: Csv = None, count: Count = _SHOWN, json: Json = False
) -> None:
    """Show what a dry run, or a run that was halted, would change item by item; `--csv` writes every item."""
    tenant: Tenant = context.obj
    with telling_errors():
        run = _find_run(tenant, run_id, lambda run: _has_changes(tenant.parts, run), "No run has planned changes yet.")
        total: Counter[tuple[str, str]] = Counter()
        first: list[dict[str, str]] = []
        items = 0
        with _reading(tenant.parts, changes_report.path(run), run) as rows:
            for row in rows:
                items += 1
                total[row["kind"], row["action"]] += int(row["count"])
                if len(first) < count:
                    first.append(row)
        _copy(tenant, changes_report.path(run), file)
        if json:
            sums = [{"kind": kind, "action": action, "count": number} for (kind, action), number in total.items()]
            cost = {"graph_requests": run.graph_requests, "graph_writes": run.graph_writes}
            print_value({"run_id": run.run_id, **cost, "totals": sums, "first": first})
            return
        _say_which(tenant, run)
        tenant.console.print(Text(f"  {changes_line(run)}"))
        tenant.console.print(Text(f"  {cost_line(run)}"))
        columns = ("kind", "action", "item_type", "item_id", "count", "line")
        tenant.console.print(_table(columns, first, right=("count", "line")))
        _more(tenant, items - len(first), file)


def _find_run(tenant: Tenant, run_id: str | None, has: Callable[[Run], bool], none: str) -> Run:
    """Return the run that was named, or the newest that has what is wanted.

    Raises:
        SettingsError: there is none.
    """
    parts, name = tenant.parts, tenant.connection
    if run_id is not None:
        return journal.get_run(parts, name, run_id)
    for each in reversed(journal.list_run_ids(parts, name)):
        run = journal.find_run(parts, name, each)
        if run is not None and has(run):
            return run
    raise SettingsError(none)


def _has_changes(parts: Parts, run: Run) -> bool:
    if not (run.dry_run or run.approved_at or run.outcome is Outcome.HALTED):
        return False
    place = changes_report.path(run)
    return run.graph_requests is not None and place in islice(parts.reports.list_paths(place), 1)


@contextmanager
def _reading(parts: Parts, place: str, run: Run) -> Iterator[Iterator[dict[str, str]]]:
    """Read a report row by row, in bounded memory.

    Raises:
        SettingsError: the run has none.
    """
    try:
        with parts.reports.open(place) as content, io.TextIOWrapper(content, "utf-8-sig", newline="") as text:
            yield csv.DictReader(text)
    except FileNotFoundError:
        raise SettingsError(f"The run {run.run_id} has no such report.") from None


def _copy(tenant: Tenant, place: str, file: Path | None) -> None:
    """Write a report to a file of this machine.

    Raises:
        SettingsError: the run has none, or the file cannot be written.
    """
    if file is None:
        return
    try:
        content = tenant.parts.reports.open(place)
        with content as source, file.open("wb") as target:
            shutil.copyfileobj(source, target, 1 << 20)
    except FileNotFoundError:
        raise SettingsError(f"There is no report {place}, or no folder {file.parent}.") from None
    except OSError as error:
        raise SettingsError(f"{file} cannot be written: {error.strerror}.") from None


def _say_which(tenant: Tenant, run: Run) -> None:
    tenant.console.print(Text.assemble((run.package, "bold"), f"  run {run.run_id}"))


def _more(tenant: Tenant, left: int, file: Path | None) -> None:
    if left and file is None:
        tenant.console.print(Text(f"... and {left:,} more; --csv FILE writes them all."))
    _wrote(tenant, file)


def _wrote(tenant: Tenant, file: Path | None) -> None:
    if file is not None:
        tenant.console.print(Text(f"The whole report is in {file}."), soft_wrap=True)


def _table(columns: Sequence[str], rows: Sequence[Mapping[str, object]], *, right: Sequence[str]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column.replace("_", " "), justify="right" if column in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(str(row[column])) for column in columns))
    return table
