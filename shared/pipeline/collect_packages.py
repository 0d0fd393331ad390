"""Bring what is new and complete from the provider's folder into `sealed/`, unopened.

Content is known by its hash, so that nothing is taken twice, whatever it is called. A download that breaks goes on
where it stopped, in this call or in a later one.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from shared.domain.connection import Connection
from shared.domain.errors import BusyError, Code, ConnectorError, SettingsError, TransientError
from shared.domain.markers import has_marker, is_marker, tell_unmarked
from shared.domain.messages import COMMANDS, Collect
from shared.domain.package import PackageName
from shared.domain.runs import Outcome, worst
from shared.domain.state import CurrentSync, State
from shared.domain.turns import Fetched, FileSeen, Standing, choose, judge_idle, next_turn
from shared.pipeline import journal, progress
from shared.pipeline.download import download, forget_blocks, sealed_path
from shared.pipeline.parts import Parts
from shared.pipeline.refusals import Place, refuse_oversized, tell_skipped
from shared.ports import RemoteFile

log = logging.getLogger(__name__)


def collect(parts: Parts, name: str, sync_id: str, *, dry_run: bool = False, scheduled: bool = False) -> None:
    """Look into the folder of a connection, fetch what is new, and see that it gets processed.

    Two calls at once do the work of one. How it ended is in the connection's sync record.

    Raises:
        BusyError: another worker is collecting for this connection.
    """
    with parts.leases.hold(f"collect/{name}"):
        _Collecting(parts, name, sync_id, dry_run=dry_run, scheduled=scheduled).run()


@dataclass(slots=True)
class _Collecting:
    """One look into one folder."""

    parts: Parts
    name: str
    sync_id: str
    dry_run: bool
    scheduled: bool
    look_again: bool = False
    outcome: Outcome = Outcome.DONE
    code: Code | None = None
    message: str = ""
    warnings: list[str] = field(default_factory=list)

    def run(self) -> None:
        now = self.parts.clock()
        self._begin(now)
        try:
            connection = journal.get_connection(self.parts, self.name)
            self._note_enabled(now, enabled=connection.enabled)
            if not connection.enabled:
                log.info("collect.disabled connection=%s", self.name)
                self.message = "The connection is not enabled."
            else:
                self._look(connection, now)
        except (SettingsError, TransientError) as error:
            self._fail(error)
        self._end()

    def _begin(self, now: datetime) -> None:
        def begin(state: State) -> State:
            same = state.sync is not None and state.sync.sync_id == self.sync_id
            new = CurrentSync(sync_id=self.sync_id, started_at=now, dry_run=self.dry_run, scheduled=self.scheduled)
            sync = state.sync if same else new
            sync = sync and sync.model_copy(update={"collecting": True})
            return state.model_copy(update={"sync": sync, "looked_at": now})

        journal.change_state(self.parts, self.name, begin)

    def _note_enabled(self, now: datetime, *, enabled: bool) -> None:
        journal.change_state(
            self.parts,
            self.name,
            lambda state: state.model_copy(update={"enabled_at": (state.enabled_at or now) if enabled else None}),
        )

    def _look(self, connection: Connection, now: datetime) -> None:
        profile = self.parts.get_profile(connection.profile)
        zone = ZoneInfo(connection.source_time_zone)
        suffix = connection.sftp.done_suffix
        secret = self.parts.secrets.get(connection.sftp.secret)
        with self.parts.folders.open(connection, secret) as folder:
            files = {file.name: file for file in folder.list_files()}

        def parse(file: str) -> PackageName | None:
            return PackageName.parse(file, pattern=profile.pattern, zone=zone)

        names = [name for file in files if (name := parse(file))]
        for file in files:
            if not parse(file) and not is_marker(file, suffix, lambda each: parse(each) is not None):
                log.info("collect.unknown_file connection=%s", self.name)
        seen = self._note(files, names, now)
        packages = journal.get_packages(self.parts, self.name)
        state = journal.get_state(self.parts, self.name)
        fingerprint = journal.fingerprint(self.parts, connection)
        settled = {
            file: packages[entry.content_hash]
            for file, entry in seen.items()
            if entry.content_hash is not None and entry.content_hash in packages
        }
        unmarked = {
            name.file for name in names if not has_marker(name.file, suffix, files) and not seen[name.file].is_fetched
        }
        choice = choose(
            names,
            settled,
            committed=state.committed,
            keys_wait=timedelta(hours=connection.keys_wait_hours),
            now=now,
            fingerprint=fingerprint,
            unmarked=unmarked,
        )
        told = tell_unmarked([name.file for name in choice.unmarked], suffix) if suffix else ""
        if told:
            log.warning("collect.unmarked connection=%s packages=%d", self.name, len(choice.unmarked))
            self.message = told
        for name in choice.fetch:
            belongs_to = next((main for main, keys in choice.keys.items() if keys.file == name.file), None)
            if not self._fetch(connection, name, files[name.file], seen[name.file], belongs_to):
                break
        tell_skipped(self.parts, connection, Place(self.name, self.sync_id))
        state = journal.get_state(self.parts, self.name)
        known = list(journal.get_packages(self.parts, self.name).values())
        turn = next_turn(known, committed=state.committed, fingerprint=fingerprint, rerun=state.rerun_hash)
        if turn is None and not state.open_run and not self.look_again:
            judged = judge_idle(
                [
                    name
                    for name in names
                    if name.file not in unmarked and (choice.held_up is None or name.timestamp < choice.held_up)
                ],
                folder_empty=not files,
                waiting=bool(choice.waiting),
                committed=state.committed,
                enabled_at=state.enabled_at or now,
                connection=connection,
                now=now,
            ).beside_unmarked(told)
            refused = any(each.standing is Standing.REFUSED and each.timestamp > _floor(state) for each in known)
            if not (refused and judged.outcome is Outcome.FAILED):
                self.outcome, self.code, self.message = judged.outcome, judged.code, judged.message

    def _note(self, files: dict[str, RemoteFile], names: Sequence[PackageName], now: datetime) -> dict[str, FileSeen]:
        """Remember how the packages' files stand; return those that stood so before, or are new."""
        known = journal.get_files(self.parts, self.name)
        for old in known.values():
            if old.name not in files and old.gone_at is None:
                journal.put_file(self.parts, self.name, old.model_copy(update={"gone_at": now}))
        seen = {}
        for name in names:
            file = files[name.file]
            entry = known.get(name.file)
            if entry is None or (entry.size_bytes, entry.modified_at) != (file.size_bytes, file.modified_at):
                entry = FileSeen(name=file.name, size_bytes=file.size_bytes, modified_at=file.modified_at, seen_at=now)
                journal.put_file(self.parts, self.name, entry)
            elif entry.gone_at is not None:
                entry = entry.model_copy(update={"gone_at": None})
                journal.put_file(self.parts, self.name, entry)
            seen[name.file] = entry
        return seen

    def _fetch(
        self,
        connection: Connection,
        name: PackageName,
        file: RemoteFile,
        entry: FileSeen,
        belongs_to: str | None,
    ) -> bool:
        """Fetch one package; false when it is not complete yet, so that nothing after it may be fetched.

        `belongs_to` is the main package of a keys package.
        """
        if entry.is_fetched:
            return True
        stable_since = self.parts.clock() - timedelta(seconds=connection.size_stable_seconds)
        if connection.size_stable_seconds and entry.seen_at > stable_since:
            self.look_again = True
            return False
        if entry.size_bytes > connection.packed_limit_bytes:
            refuse_oversized(self.parts, connection, Place(self.name, self.sync_id), name, entry)
            return True
        reporter = progress.of_download(self.parts, self.name, name.file, entry.size_bytes)
        content_hash = download(self.parts, connection, file, sealed_path(self.name, entry), tell=reporter.reach)
        if content_hash is None:
            self.look_again = True
            return False
        seen = entry.model_copy(update={"content_hash": content_hash})
        if content_hash in journal.get_packages(self.parts, self.name):
            log.info("collect.duplicate connection=%s content=%s", self.name, content_hash[:12])
            journal.put_file(self.parts, self.name, seen)
            return True
        path = sealed_path(self.name, entry)
        # In this order a worker may die anywhere: until the file is noted at the end, all of it is done again.
        self.parts.intake.commit(path, entry.size_bytes)
        journal.put_package(
            self.parts,
            self.name,
            Fetched(
                content_hash=content_hash,
                file=name.file,
                kind=name.kind,
                timestamp=name.timestamp,
                sealed_path=path,
                size_bytes=entry.size_bytes,
                belongs_to=belongs_to,
            ),
        )
        journal.put_file(self.parts, self.name, seen)
        forget_blocks(self.parts, path)
        log.info("collect.collected connection=%s content=%s bytes=%d", self.name, content_hash[:12], entry.size_bytes)
        return True

    def _fail(self, error: ConnectorError) -> None:
        self.outcome, self.code, self.message = Outcome.FAILED, error.code or Code.UNEXPECTED, str(error)
        log.warning("collect.failed connection=%s code=%s reason=%s", self.name, self.code, error)

    def _end(self) -> None:
        def end(state: State) -> State:
            if state.sync is None:
                return state
            outcome, code = worst([(state.sync.outcome, state.sync.code), (self.outcome, self.code)])
            sync = state.sync.model_copy(
                update={
                    "outcome": outcome,
                    "code": code,
                    "message": self.message or state.sync.message,
                    "collecting": self.look_again,
                    "progress": None,
                }
            )
            return state.model_copy(update={"sync": sync})

        journal.change_state(self.parts, self.name, end)
        if self.look_again:
            connection = journal.get_connection(self.parts, self.name)
            body = Collect(connection=self.name, sync_id=self.sync_id, dry_run=self.dry_run)
            self.parts.messages.send(COMMANDS, body.model_dump_json(), delay_seconds=connection.size_stable_seconds)
        journal.call_next(self.parts, self.name)


def collect_all(parts: Parts) -> None:
    """Look into the folders of all connections, one after the other; one that fails keeps no other from its turn."""
    for name in list(parts.connections.list_names()):
        try:
            collect(parts, name, journal.new_run_id(parts.clock()), scheduled=True)
        except BusyError:
            log.info("collect.busy connection=%s", name)


def _floor(state: State) -> datetime:
    return state.committed.timestamp if state.committed else datetime.fromisoformat("1970-01-01T00:00:00+00:00")
