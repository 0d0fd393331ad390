"""`python -m infra.local sync`: one sync, told to a person and, if wanted, to machines."""

import sys
import tempfile
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path

from rich.console import Console

from infra.local.azurite import AzuriteError
from infra.local.given import Given
from infra.local.report import write_report
from infra.local.sftp_openssh import OpenSshError
from infra.local.show import show_ending
from infra.local.sync import Ending, run_sync
from infra.local.tenant import Tenant
from shared.cli.follow import EXIT_STATUS, following
from shared.cli.show import make_console
from shared.domain.errors import Code, ConnectorError
from shared.domain.runs import Outcome

INTERRUPTED = 130
"""What a shell says of a program that Ctrl+C has ended."""


def sync_once(
    given: Given,
    *,
    state: Path | None,
    now: datetime | None,
    dry_run: bool,
    approve: str | None,
    report: Path | None,
    viva: Path | None,
    timeout_seconds: float,
) -> int:
    """Sync, write what is wanted, tell how it ended, and return the exit status.

    Raises:
        UsageError: something that was given cannot be accepted, or the state is in use.
    """
    interrupted = False
    with ExitStack() as running:
        folder = state or Path(running.enter_context(tempfile.TemporaryDirectory(prefix="lms-local-")))
        tenant = Tenant(folder, now)
        try:
            running.enter_context(tenant)
            tenant.configure(given)
            with following(Console(stderr=True)) as tell:
                ending = run_sync(tenant, dry_run=dry_run, approve=approve, timeout_seconds=timeout_seconds, tell=tell)
        except (AzuriteError, OpenSshError, ConnectorError) as error:
            ending = _failed(error)
        except KeyboardInterrupt:
            ending, interrupted = _failed(InterruptedError("It was interrupted.")), True
        # Telling and writing come before the emulators end, which takes its time.
        if report is not None:
            write_report(report, ending)
        if viva is not None:
            tenant.export_viva(viva)
        rejects = tenant.export_rejects(ending.runs)
        show_ending(make_console(), ending, rejects=rejects, state=state)
        _point_to_log(tenant.log_file, ending, kept=state is not None)
    return INTERRUPTED if interrupted else EXIT_STATUS[ending.outcome]


def _failed(error: Exception) -> Ending:
    return Ending(Outcome.FAILED, getattr(error, "code", None) or Code.UNEXPECTED, str(error))


def _point_to_log(log_file: Path, ending: Ending, *, kept: bool) -> None:
    """Show why a worker has ended, while its log is still there."""
    if ending.outcome is not Outcome.FAILED or ending.code is not Code.UNEXPECTED or not log_file.exists():
        return
    for line in log_file.read_text(encoding="utf-8", errors="replace").splitlines()[-20:]:
        print(f"  host: {line}", file=sys.stderr)
    if not kept:
        print("The log goes away with the temporary state; --state DIR keeps it.", file=sys.stderr)
