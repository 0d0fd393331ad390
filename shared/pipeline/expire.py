"""Delete what is past its time: reports, work of runs that have ended, sealed packages, and their ledger.

Nothing that anybody still needs is touched: the open run, the latest published one (it may be run again), packages that
may still be processed, and whatever the connection's state points to.

The ledger is why no content is taken twice. An entry goes only when its package can have no turn any more, its
timestamp is past `sealed_retention_days`, and no file with its content has been in the folder for as long; a file's
entry stays as long as its package's. So a file that is still in the folder is known for ever, under its own name and
any other. One that comes back after all that time is older than what is published, and is skipped for that.
"""

import logging
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.domain.connection import Connection
from shared.domain.errors import BusyError, SettingsError
from shared.domain.runs import Run
from shared.domain.state import State
from shared.domain.turns import Fetched
from shared.pipeline import journal
from shared.pipeline.download import forget_blocks, sealed_path
from shared.pipeline.parts import Parts
from shared.ports import Blobs

log = logging.getLogger(__name__)

EVERY = timedelta(days=1)


def expire(parts: Parts, name: str) -> bool:
    """Delete what is past its time for a connection, once a day, while nobody collects or works for it.

    Tells whether it was done now.

    Whoever is killed in between is followed by a call that goes on with what is left.
    """
    now = parts.clock()
    state = journal.get_state(parts, name)
    if state.sync is not None or (state.expired_at is not None and now - state.expired_at < EVERY):
        return False
    try:
        connection = journal.get_connection(parts, name)
        with parts.leases.hold(f"collect/{name}"), parts.leases.hold(f"work/{name}"):
            _Expiry(parts, name, connection, journal.get_state(parts, name), now).run()
            journal.change_state(parts, name, lambda s: s.model_copy(update={"expired_at": now}))
    except BusyError:
        log.info("expire.busy connection=%s", name)
    except SettingsError as error:
        log.warning("expire.failed connection=%s code=%s reason=%s", name, error.code, error)
    else:
        return True
    return False


@dataclass(slots=True)
class _Expiry:
    """One connection's old things."""

    parts: Parts
    name: str
    connection: Connection
    state: State
    now: datetime
    runs: dict[str, Run | None] = field(default_factory=dict)
    """What was read so far, by id."""

    def run(self) -> None:
        self._looks()
        self._work()
        self._reports()
        packages = journal.get_packages(self.parts, self.name)
        done = {key: each for key, each in packages.items() if self._is_done_with(each)}
        self._sealed(done)
        self._ledger(packages, done)

    def _since(self, days: int) -> datetime:
        return self.now - timedelta(days=days)

    def _looks(self) -> None:
        limit = self._since(self.connection.report_retention_days)
        for sync_id, row in list(self.parts.syncs.list_rows(self.name)):
            if datetime.fromisoformat(row["ended_at"]) < limit:
                self.parts.syncs.delete(self.name, sync_id)

    def _work(self) -> None:
        limit = self._since(self.connection.work_retention_days)
        containers = (self.parts.pushes, self.parts.records)
        run_ids = {run_id for container in containers for run_id in self._run_ids(container)}
        for run_id in sorted(run_ids):
            if self._is_past(run_id, limit):
                # Leases first: once the rest is gone, nobody knows of this run's any more.
                self.parts.leases.forget(f"push/{self.name}/{run_id}/")
                self.parts.leases.forget(f"finish/{self.name}/{run_id}")
                for container in containers:
                    self._delete(container, run_id)
        for run_id in self._run_ids(self.parts.tables):
            if self._is_past(run_id, limit):
                self._delete(self.parts.tables, run_id, keep=self.state.paths)

    def _reports(self) -> None:
        limit = self._since(self.connection.report_retention_days)
        for run_id in self._run_ids(self.parts.reports):
            if self._is_past(run_id, limit):
                self._delete(self.parts.reports, run_id)
        for run_id in journal.list_run_ids(self.parts, self.name):
            if self._is_past(run_id, limit):
                journal.delete_run(self.parts, self.name, run_id)

    def _sealed(self, done: dict[str, Fetched]) -> None:
        there = set(self.parts.sealed.list_paths(f"{self.name}/"))
        for path in sorted(there & {package.sealed_path for package in done.values()}):
            self.parts.sealed.delete(path)

    def _ledger(self, packages: dict[str, Fetched], done: dict[str, Fetched]) -> None:
        limit = self._since(self.connection.sealed_retention_days)
        files = journal.get_files(self.parts, self.name)
        seen = {each.content_hash for each in files.values() if each.gone_at is None or each.gone_at >= limit}
        forgotten = done.keys() - seen
        for entry in files.values():
            known = entry.content_hash in packages and entry.content_hash not in forgotten
            if entry.gone_at is not None and entry.gone_at < limit and not known:
                forget_blocks(self.parts, sealed_path(self.name, entry))
                journal.forget_file(self.parts, self.name, entry.name)
        for content_hash in sorted(forgotten):
            journal.forget_package(self.parts, self.name, content_hash)

    def _is_done_with(self, package: Fetched) -> bool:
        """Tell whether a package is old and can have no turn any more."""
        open_run = self._find(self.state.open_run) if self.state.open_run else None
        wanted = {self.state.rerun_hash, *((open_run.content_hash, open_run.keys_hash) if open_run else ())}
        return (
            package.timestamp < self._since(self.connection.sealed_retention_days)
            and package.content_hash not in wanted
            and not package.may_be_processed(self.state.committed)
        )

    def _is_past(self, run_id: str, limit: datetime) -> bool:
        """Tell whether a run ended before that; one that nobody knows any more did."""
        committed = self.state.committed.run_id if self.state.committed else None
        if run_id in (self.state.open_run, committed) or journal.is_begun_since(run_id, limit):
            return False
        run = self._find(run_id)
        return run is None or (run.ended_at is not None and run.ended_at < limit)

    def _find(self, run_id: str) -> Run | None:
        if run_id not in self.runs:
            self.runs[run_id] = journal.find_run(self.parts, self.name, run_id)
        return self.runs[run_id]

    def _run_ids(self, container: Blobs) -> list[str]:
        """Return the runs that have something in a container, oldest first."""
        return sorted({path.split("/")[1] for path in container.list_paths(f"{self.name}/")})

    def _delete(self, container: Blobs, run_id: str, keep: AbstractSet[str] = frozenset()) -> None:
        for path in list(container.list_paths(f"{self.name}/{run_id}/")):
            if path not in keep:
                container.delete(path)
