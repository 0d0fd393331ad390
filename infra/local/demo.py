"""`python -m infra.local demo`: a full and a delta package, end to end, with an account of what happened."""

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock_time
from pathlib import Path

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from infra.local.azurite import AzuriteError, ensure_installed
from infra.local.generate import Generated, Kind, Options, SealingError, generate
from infra.local.given import Given
from infra.local.sftp_openssh import OpenSshError
from infra.local.show import cost_line, outcome_line
from infra.local.sync import Ending, run_sync
from infra.local.tenant import Tenant
from infra.local.usage import UsageError
from infra.local.viva import counted
from shared.cli.follow import following
from shared.cli.show import make_console, tally_table
from shared.domain.errors import ConnectorError
from shared.domain.runs import Outcome, Run

FIRST_DAY = date(2026, 11, 1)
SETTINGS = (("learner_sync", "true"), ("coverage_minimum_percent", "80"))
_PUBLISHED = (Outcome.DONE, Outcome.PARTIAL)
_FAILED = 1
_INTERRUPTED = 130


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """The size of the company in the demo, on its first day."""

    learners: int
    items: int
    assignments: int
    completions: int


def run_demo(world: World, keep: Path | None) -> int:
    """Show three syncs; return 0 when all went as told.

    Raises:
        UsageError: the folder to keep it in holds something already.
    """
    console = make_console()
    if keep is not None and keep.exists() and any(keep.iterdir()):
        raise UsageError(f"--keep {keep}: the demo wants an empty folder.")
    folder = keep or Path(tempfile.mkdtemp(prefix="lms-demo-"))
    try:
        went_well = _Demo(console, world, folder).run()
    except KeyboardInterrupt:
        console.print("Interrupted.")
        return _INTERRUPTED
    except (AzuriteError, OpenSshError, SealingError, ConnectorError, UsageError) as error:
        console.print(Text(str(error)), style="red")
        return _FAILED
    finally:
        if keep is None:
            shutil.rmtree(folder, ignore_errors=True)
    _show_next(console, keep)
    return 0 if went_well else _FAILED


class _Demo:
    """The three acts."""

    def __init__(self, console: Console, world: World, folder: Path) -> None:
        self._console = console
        self._world = world
        self._folder = folder
        self._endings: list[tuple[str, Ending]] = []

    def run(self) -> bool:
        day, next_day = FIRST_DAY, FIRST_DAY + timedelta(days=1)
        self._say(
            "A company's learning data leaves SAP SuccessFactors as encrypted packages on an SFTP server. "
            "Here all of it plays on this machine: an SSH server, a vault with the keys, Microsoft Graph with "
            "the directory and Viva Learning, Azure Storage, and the functions of this app."
        )
        with self._working("Fetching the storage emulator, once"):
            ensure_installed()

        self._head("1  Everything, once: the full package")
        generated = self._generate(day, Kind.FULL)
        with Tenant(self._folder / "state") as tenant:
            tenant.configure(_given(generated, with_key=True))
            self._say(
                "The connector logs in with a pinned host key, fetches what is new, decrypts, unzips and reads it "
                "in one stream, and turns every person's id into a keyed hash on the way. Then it finds the "
                "learners in Entra, checks its gates, and sends contents, assignments and completions."
            )
            if not self._sync(tenant, "full package", _at(day, 6)):
                return False

            self._head("2  The next morning: a delta and its keys")
            generated = self._generate(next_day, Kind.DELTA)
            tenant.configure(_given(generated, with_key=False))
            self._say(
                "The delta holds what has changed since yesterday, and a keys package tells which rows are left, so "
                "that deletions are noticed. The directory has changed overnight, too. Only changes are sent."
            )
            if not self._sync(tenant, "delta and keys", _at(next_day, 6)):
                return False

            self._head("3  An hour later: the same folder again")
            self._say("Nothing is new, and so nothing may be written.")
            if not self._sync(tenant, "same again", _at(next_day, 7), expects_runs=False):
                return False
            ending = self._endings[-1][1]
            if ending.writes:
                self._console.print(f"This should not be: {ending.writes:,} objects were written.", style="bold red")
                return False
            self._console.print("Nothing was written, as it should be.", style="green")

            self._head("What it came to")
            tenant.export_viva(self._folder / "viva.ndjson")
            self._compare()
        return True

    def _generate(self, day: date, kind: Kind) -> Generated:
        world = self._world
        with self._working(f"Inventing {world.learners:,} learners' records" if kind is Kind.FULL else "A day passes"):
            generated = generate(
                self._folder,
                Options(
                    day=day,
                    first_day=FIRST_DAY,
                    kinds=(kind,),
                    learners=world.learners,
                    items=world.items,
                    assignments=world.assignments,
                    completions=world.completions,
                ),
            )
        if kind is Kind.FULL:
            self._say(
                f"{world.learners:,} learners, {world.items:,} items, {world.assignments:,} assignments and "
                f"{world.completions:,} completions, encrypted for a key of its own:"
            )
        for package in generated.packages:
            self._console.print(Text(f"  {package.name}  {package.stat().st_size:,} bytes"))
        self._console.print()
        return generated

    def _sync(self, tenant: Tenant, name: str, now: datetime, *, expects_runs: bool = True) -> bool:
        """Sync and show it; tell whether all went well."""
        tenant.now = now
        self._console.print(Text(f"The clock says {now:%A %d %B %Y, %H:%M} UTC."), style="dim")
        with following(Console(stderr=True)) as tell:
            ending = run_sync(tenant, tell=tell)
        self._endings.append((name, ending))
        for run in ending.runs:
            self._show_run(run)
        self._console.print(outcome_line(ending))
        if ending.message:
            self._console.print(Text(ending.message))
        self._console.print(cost_line(ending), style="dim")
        self._console.print()
        if expects_runs and not ending.runs:
            self._console.print("This should not be: the new package was left alone.", style="bold red")
            return False
        return ending.outcome in _PUBLISHED

    def _show_run(self, run: Run) -> None:
        self._console.print(Text(run.package, style="bold"))
        self._console.print(tally_table(run))
        found = run.coverage
        table = Table(box=box.SIMPLE_HEAD, title="Persons found in Entra", title_justify="left")
        for column in ("persons", "mapped", "coverage", "unmatched", "near misses", "ambiguous", "disabled"):
            table.add_column(column, justify="right")
        table.add_row(
            f"{found.learners:,}",
            f"{found.mapped:,}",
            f"{found.percent:.1f} %",
            f"{found.unmatched:,}",
            f"{found.near_miss:,}",
            f"{found.ambiguous:,}",
            f"{found.disabled:,}",
        )
        self._console.print(table)

    def _compare(self) -> None:
        table = Table(box=box.SIMPLE_HEAD)
        table.add_column("sync")
        for column in ("rows read", "Graph requests", "objects written", "seconds", "memory of the app"):
            table.add_column(column, justify="right")
        for name, ending in self._endings:
            tallies = [run.tally for run in ending.runs]
            read = sum(each.contents.read + each.assignments.read + each.completions.read for each in tallies)
            megabytes = f"{ending.peak_memory_bytes / 1_000_000:,.0f} MB" if ending.peak_memory_bytes else "?"
            table.add_row(
                name, f"{read:,}", f"{ending.requests:,}", f"{ending.writes:,}", f"{ending.seconds:.1f}", megabytes
            )
        self._console.print(table)
        held = counted(self._folder / "viva.ndjson")
        self._console.print("Viva Learning now holds:")
        for kind, count in held.items():
            self._console.print(Text(f"  {count:>9,}  {kind}"))

    def _head(self, text: str) -> None:
        self._console.print()
        self._console.rule(Text(text, style="bold"), align="left")
        self._console.print()

    def _say(self, text: str) -> None:
        self._console.print(Padding(Text(text), (0, 0, 1, 0)))

    @contextmanager
    def _working(self, what: str) -> Iterator[None]:
        began = time.monotonic()
        if self._console.is_terminal:
            with self._console.status(what):
                yield
        else:
            yield
        self._console.print(Text(f"{what}: {time.monotonic() - began:.1f} s"), style="dim")


def _given(generated: Generated, *, with_key: bool) -> Given:
    keys = [generated.private_key] if with_key and generated.private_key else []
    passphrases = [generated.passphrase] if with_key and generated.passphrase else []
    return Given.read(
        sftp=generated.sftp,
        private_key_files=keys,
        passphrase_files=passphrases,
        directory=generated.directory,
        settings=[f"{name}={value}" for name, value in SETTINGS],
    )


def _at(day: date, hour: int) -> datetime:
    return datetime.combine(day, clock_time(hour), UTC)


def _show_next(console: Console, keep: Path | None) -> None:
    console.print()
    console.rule(Text("What to look at next", style="bold"), align="left")
    console.print()
    advice: list[tuple[str, str]] = []
    if keep is None:
        advice.append(("python -m infra.local demo --keep DIR", "The same again, and everything stays in DIR."))
    else:
        advice += [
            (f"{keep}/viva.ndjson", "What Viva Learning holds, one object a line."),
            (f"{keep}/sftp", "The packages; their key is in the folder beside it."),
            (f"python -m infra.local up --state {keep}/state", "Keeps this very tenant up."),
        ]
    advice += [
        ("python -m infra.local generate --help", "Packages of your own, with defects if you like."),
        ("python -m infra.local sync --help", "Your own package, key and mapping, before anything touches a tenant."),
    ]
    for what, why in advice:
        console.print(Text(f"  {what}"), soft_wrap=True)
        console.print(Text(f"      {why}"), style="dim", soft_wrap=True)
