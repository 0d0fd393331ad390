"""Bring what is new and complete from the provider's folder into `sealed/`, unopened.

Content is known by its hash, so that nothing is taken twice, whatever it is called. A download that breaks goes on
at the block where it stopped, in this call or in a later one.
"""

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from shared.domain.connection import Connection
from shared.domain.errors import BusyError, Code, ConnectorError, SettingsError, TransientError
from shared.domain.messages import COMMANDS, Collect
from shared.domain.package import PackageName
from shared.domain.runs import Outcome, worst
from shared.domain.state import CurrentSync, State
from shared.domain.turns import Choice, Fetched, FileSeen, Standing, choose, judge_idle, next_turn
from shared.pipeline import journal
from shared.pipeline.parts import Parts
from shared.pipeline.refusals import UNFETCHED, refuse_unopened, tell_skipped
from shared.ports import RemoteFile, RemoteFolder

log = logging.getLogger(__name__)

BLOCK_BYTES = 8 * 1024 * 1024
_CUTS_WITHOUT_PROGRESS = 3


def collect(parts: Parts, name: str, sync_id: str, *, dry_run: bool = False) -> None:
    """Look into the folder of a connection, fetch what is new, and see that it gets processed.

    Two calls at once do the work of one. How it ended is in the connection's sync record.

    Raises:
        BusyError: another worker is collecting for this connection.
    """
    with parts.leases.hold(f"collect/{name}"):
        _Collecting(parts, name, sync_id, dry_run).run()


@dataclass(slots=True)
class _Collecting:
    """One look into one folder."""

    parts: Parts
    name: str
    sync_id: str
    dry_run: bool
    look_again: bool = False
    outcome: Outcome = Outcome.DONE
    code: Code | None = None
    message: str = ""
    warnings: list[str] = field(default_factory=list)

    def run(self) -> None:
        now = self.parts.clock()
        try:
            connection = journal.get_connection(self.parts, self.name)
            if not connection.enabled:
                log.info("collect.disabled connection=%s", self.name)
                self._begin(now, enabled=False)
                self.message = "The connection is not enabled."
            else:
                self._begin(now, enabled=True)
                self._look(connection, now)
        except (SettingsError, TransientError) as error:
            self._fail(error)
        self._end()

    def _begin(self, now: datetime, *, enabled: bool) -> None:
        def begin(state: State) -> State:
            same = state.sync is not None and state.sync.sync_id == self.sync_id
            sync = state.sync if same else CurrentSync(sync_id=self.sync_id, started_at=now, dry_run=self.dry_run)
            sync = sync and sync.model_copy(update={"collecting": True})
            since = (state.enabled_at or now) if enabled else None
            return state.model_copy(update={"sync": sync, "enabled_at": since})

        journal.change_state(self.parts, self.name, begin)

    def _look(self, connection: Connection, now: datetime) -> None:
        profile = self.parts.get_profile(connection.profile)
        zone = ZoneInfo(connection.source_time_zone)
        secret = self.parts.secrets.get(connection.sftp.secret)
        with self.parts.folders.open(connection, secret) as folder:
            files = {file.name: file for file in folder.list_files()}
        names = []
        for file in files:
            parsed = PackageName.parse(file, pattern=profile.pattern, zone=zone)
            if parsed is None:
                log.info("collect.unknown_file connection=%s", self.name)
            else:
                names.append(parsed)
        seen = self._note(files, names, now)
        packages = journal.get_packages(self.parts, self.name)
        state = journal.get_state(self.parts, self.name)
        fingerprint = journal.fingerprint(self.parts, connection)
        settled = {
            file: packages[entry.content_hash]
            for file, entry in seen.items()
            if entry.content_hash is not None and entry.content_hash in packages
        }
        choice = choose(
            names,
            settled,
            committed=state.committed,
            keys_wait=timedelta(hours=connection.keys_wait_hours),
            now=now,
            fingerprint=fingerprint,
        )
        for name in choice.fetch:
            if not self._fetch(connection, choice, name, files, seen, now):
                break
        tell_skipped(self.parts, self.name, connection, self.sync_id)
        self._judge(connection, choice, names, bool(files), fingerprint, now)

    def _note(
        self, files: dict[str, RemoteFile], names: Sequence[PackageName], now: datetime
    ) -> dict[str, FileSeen]:
        """Remember how the packages' files stand; return those that stood so before, or are new."""
        known = journal.get_files(self.parts, self.name)
        seen = {}
        for name in names:
            file = files[name.file]
            entry = known.get(name.file)
            if entry is None or (entry.size_bytes, entry.modified_at) != (file.size_bytes, file.modified_at):
                entry = FileSeen(
                    name=file.name, size_bytes=file.size_bytes, modified_at=file.modified_at, seen_at=now
                )
                journal.put_file(self.parts, self.name, entry)
            seen[name.file] = entry
        return seen

    def _fetch(
        self,
        connection: Connection,
        choice: Choice,
        name: PackageName,
        files: dict[str, RemoteFile],
        seen: dict[str, FileSeen],
        now: datetime,
    ) -> bool:
        """Fetch one package; false when it is not complete yet, so that nothing after it may be fetched."""
        entry = seen[name.file]
        if entry.content_hash is not None and not entry.content_hash.startswith(UNFETCHED):
            return True
        stable_since = now - timedelta(seconds=connection.size_stable_seconds)
        if connection.size_stable_seconds and entry.seen_at > stable_since:
            self.look_again = True
            return False
        belongs_to = next((main for main, keys in choice.keys.items() if keys.file == name.file), None)
        if entry.size_bytes > connection.packed_limit_bytes:
            refuse_unopened(
                self.parts,
                self.name,
                connection,
                self.sync_id,
                name,
                entry,
                Code.PACKED_SIZE_EXCEEDED,
                f"The package has {entry.size_bytes} bytes, more than the {connection.packed_limit_bytes} that "
                "packed_limit_bytes allows. Have SuccessFactors make a smaller one, or raise the limit.",
            )
            return True
        content_hash = self._download(connection, files[name.file], entry)
        if content_hash is None:
            self.look_again = True
            return False
        journal.put_file(self.parts, self.name, entry.model_copy(update={"content_hash": content_hash}))
        packages = journal.get_packages(self.parts, self.name)
        if content_hash in packages:
            log.info("collect.duplicate connection=%s content=%s", self.name, content_hash[:12])
            return True
        path = _sealed_path(self.name, entry)
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
        # The ledger knows it before it exists, so that its trigger finds it there.
        self.parts.intake.commit(path, -(-entry.size_bytes // BLOCK_BYTES))
        log.info("collect.collected connection=%s content=%s bytes=%d", self.name, content_hash[:12], entry.size_bytes)
        return True

    def _download(self, connection: Connection, file: RemoteFile, entry: FileSeen) -> str | None:
        """Bring the file's blocks into storage and return its content hash; `None` when it has changed meanwhile."""
        path = _sealed_path(self.name, entry)
        fruitless = 0
        while True:
            before = len(self._kept(path))
            try:
                secret = self.parts.secrets.get(connection.sftp.secret)
                with self.parts.folders.open(connection, secret) as folder:
                    return self._transfer(folder, path, file)
            except FileNotFoundError:
                return None
            except TransientError:
                fruitless = 0 if len(self._kept(path)) > before else fruitless + 1
                if fruitless == _CUTS_WITHOUT_PROGRESS:
                    raise

    def _transfer(self, folder: RemoteFolder, path: str, file: RemoteFile) -> str | None:
        digests = self._kept(path)
        offset = len(digests) * BLOCK_BYTES
        if offset < file.size_bytes:
            for block in folder.read(file.name, offset_bytes=offset, block_bytes=BLOCK_BYTES):
                digest = hashlib.sha256(block).hexdigest()
                self.parts.intake.put_block(path, len(digests), block)
                self.parts.ledger.put(_blocks_of(path), f"{len(digests):08d}", {"digest": digest, "bytes": len(block)})
                digests.append(digest)
                offset += len(block)
        after = folder.stat(file.name)
        if (after.size_bytes, after.modified_at) != (file.size_bytes, file.modified_at) or offset < file.size_bytes:
            return None
        return hashlib.sha256("".join(digests).encode()).hexdigest()

    def _kept(self, path: str) -> list[str]:
        """Digests of the whole blocks that an earlier attempt has brought."""
        sizes = self.parts.intake.list_blocks(path)
        digests = []
        rows = (row for _, row in self.parts.ledger.list_rows(_blocks_of(path)))
        for size, row in zip(sizes, rows, strict=False):
            if size != row["bytes"]:
                break
            digests.append(row["digest"])
            if size < BLOCK_BYTES:
                break
        return digests

    def _judge(
        self,
        connection: Connection,
        choice: Choice,
        names: Sequence[PackageName],
        any_file: bool,  # noqa: FBT001 - private
        fingerprint: str,
        now: datetime,
    ) -> None:
        """Say how the look ended, and have the next package processed if there is one."""
        state = journal.get_state(self.parts, self.name)
        packages = list(journal.get_packages(self.parts, self.name).values())
        turn = next_turn(packages, committed=state.committed, fingerprint=fingerprint, rerun=state.rerun_hash)
        if turn or state.open_run or self.look_again:
            return
        fresh = any(p.standing is not Standing.COLLECTED and p.timestamp > _floor(state) for p in packages)
        judged = judge_idle(
            names,
            folder_empty=not any_file,
            waiting=bool(choice.waiting),
            committed=state.committed,
            enabled_at=state.enabled_at or now,
            connection=connection,
            now=now,
        )
        if judged.outcome is Outcome.FAILED and fresh:
            return
        self.outcome, self.code, self.message = judged.outcome, judged.code, judged.message

    def _fail(self, error: ConnectorError) -> None:
        self.outcome, self.code, self.message = Outcome.FAILED, error.code or Code.UNEXPECTED, str(error)
        log.warning("collect.failed connection=%s code=%s reason=%s", self.name, self.code, error)

    def _end(self) -> None:
        delay = 0.0

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
                }
            )
            return state.model_copy(update={"sync": sync})

        journal.change_state(self.parts, self.name, end)
        if self.look_again:
            connection = journal.get_connection(self.parts, self.name)
            delay = connection.size_stable_seconds
            body = Collect(connection=self.name, sync_id=self.sync_id, dry_run=self.dry_run)
            self.parts.messages.send(COMMANDS, body.model_dump_json(), delay_seconds=delay)
        journal.call_next(self.parts, self.name)


def collect_all(parts: Parts) -> None:
    """Look into the folders of all connections, one after the other; one that fails keeps no other from its turn."""
    for name in list(parts.connections.list_names()):
        try:
            collect(parts, name, journal.new_run_id(parts.clock()))
        except BusyError:
            log.info("collect.busy connection=%s", name)


def _sealed_path(connection: str, entry: FileSeen) -> str:
    return f"{connection}/{entry.modified_at:%Y%m%dT%H%M%S}-{entry.size_bytes}/{entry.name}"


def _blocks_of(path: str) -> str:
    return f"blocks|{path}"


def _floor(state: State) -> datetime:
    return state.committed.timestamp if state.committed else datetime.fromisoformat("1970-01-01T00:00:00+00:00")
