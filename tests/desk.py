"""A whole connector on a desk: the real use cases and the real Graph simulator over storage in memory.

Messages are delivered one after the other until none is left, and the clock jumps over every delay, so that a sync
takes as long as its work and no longer.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import BinaryIO
from zipfile import ZIP_DEFLATED, ZipFile

from infra.local.graph import GraphSimulator
from shared.adapters.graph import HttpxGraph
from shared.adapters.graph_wire import read_caller
from shared.adapters.key_maker import KeyMaker
from shared.adapters.sealing import AesGcm
from shared.domain.connection import Connection
from shared.domain.errors import SettingsError, TransientError
from shared.domain.messages import (
    COMMAND,
    COMMANDS,
    MAP_LEARNERS,
    PUSH_COMPLETIONS,
    Approve,
    Collect,
    MapLearners,
    PushCompletions,
    PushRecords,
)
from shared.domain.runs import ATTEMPTS, Run
from shared.pipeline import journal
from shared.pipeline.map_learners import map_learners
from shared.pipeline.parts import Parts
from shared.pipeline.push_records import push_records
from shared.pipeline.run_commands import run_command
from shared.pipeline.write_back.push import push_completions
from shared.ports import OpenedPackage, RemoteFile, RemoteFolder, Seal, Secret
from shared.wiring import get_profile
from tests.desk_connection import DEFAULTS
from tests.fakes import (
    MemoryBlobs,
    MemoryDocuments,
    MemoryIntake,
    MemoryLeases,
    MemoryMessages,
    MemoryTable,
    MemoryWebhook,
)
from tests.memory_lms import MemoryLms

NAME = "desk"
START = datetime(2026, 11, 1, 6, tzinfo=UTC)
HOST_DELAY_SECONDS = 30
"""After which a message that failed is delivered again (`visibilityTimeout` of host.json)."""


class Tokens:
    """Any token will do for the simulator; one that says something about its bearer is believed."""

    value = "token"

    def get_token(self, scope: str, *, fresh: bool = False) -> str:
        del scope, fresh
        return self.value


@dataclass
class DeskFolder:
    """The provider's folder, as a dictionary; every file has stood still for long."""

    files: dict[str, bytes] = field(default_factory=dict)

    def list_files(self) -> Sequence[RemoteFile]:
        return [self.stat(name) for name in sorted(self.files)]

    def stat(self, name: str) -> RemoteFile:
        if name not in self.files:
            raise FileNotFoundError(name)
        return RemoteFile(name, len(self.files[name]), START)

    def read(self, name: str, *, offset_bytes: int, block_bytes: int) -> Iterator[bytes]:
        content = self.files[name]
        for start in range(offset_bytes, len(content), block_bytes):
            yield content[start : start + block_bytes]

    @contextmanager
    def _open(self) -> Iterator[RemoteFolder]:
        yield self

    def open(self, connection: Connection, secret: Secret) -> AbstractContextManager[RemoteFolder]:
        del connection, secret
        return self._open()


class DeskSecrets:
    """Secrets with one version each."""

    def __init__(self) -> None:
        self.values = {
            "pepper": "5a" * 32,
            "sftp-login": "x",
            "pgp-private-key": "key",
            "write-back-key": "c3" * 32,
            "successfactors-client": "secret",
        }
        self.expires: dict[str, datetime] = {}

    def get(self, name: str) -> Secret:
        if name not in self.values:
            raise SettingsError(f"no secret {name}")
        return Secret("1", self.values[name], START, self.expires.get(name))

    def list_versions(self, name: str) -> Sequence[Secret]:
        return [self.get(name)]

    def add_version(self, name: str, value: str, *, expires_at: datetime | None = None, enabled: bool = True) -> Secret:
        if enabled:
            self.values[name] = value
        return Secret("1", value, START, expires_at)

    def enable(self, name: str, version: str) -> None:
        del version
        self.get(name)


class DeskOpener:
    """A seal that seals nothing: what is inside is tested by the openers' own contract."""

    @contextmanager
    def _open(self, sealed: BinaryIO) -> Iterator[OpenedPackage]:
        yield _Opened(sealed)

    def open(
        self, sealed: BinaryIO, keys: Sequence[Secret], passphrases: Sequence[Secret], *, require_signature: bool
    ) -> AbstractContextManager[OpenedPackage]:
        del keys, passphrases, require_signature
        return self._open(sealed)


@dataclass
class _Opened:
    sealed: BinaryIO

    def chunks(self) -> Iterator[bytes]:
        while chunk := self.sealed.read(1 << 20):
            yield chunk

    @property
    def seal(self) -> Seal:
        return Seal("0123456789ABCDEF")


@dataclass
class Sync:
    """How a sync ended."""

    outcome: str
    code: str
    message: str
    runs: list[Run]


class Desk:
    """One connector with one connection."""

    def __init__(self, graph: GraphSimulator, settings: Mapping[str, object] | None = None) -> None:
        self.simulator = graph
        self.now = START
        self.folder = DeskFolder()
        self.messages = MemoryMessages()
        self.intake = MemoryIntake()
        self.secrets = DeskSecrets()
        self.reports = MemoryBlobs()
        self.webhook = MemoryWebhook()
        self.lms = MemoryLms(lambda: self.now)
        self.delivered: list[str] = []
        self.tokens = Tokens()
        self.graph = HttpxGraph(graph.url, self.tokens, timeout_seconds=20, scope="x", clock=lambda: self.now)
        self.parts = Parts(
            connections=MemoryDocuments(),
            states=MemoryDocuments(),
            runs=MemoryDocuments(),
            ledger=MemoryTable(),
            syncs=MemoryTable(),
            poison=MemoryTable(),
            alerts=MemoryTable(),
            intake=self.intake,
            sealed=MemoryBlobs(self.intake.packages),
            records=MemoryBlobs(),
            tables=MemoryBlobs(),
            pushes=MemoryBlobs(),
            reports=self.reports,
            directory=MemoryBlobs(),
            directory_index=MemoryDocuments(),
            inbox=MemoryBlobs(),
            outbox=MemoryBlobs(),
            pushing=MemoryDocuments(),
            receipts=MemoryBlobs(),
            batches=MemoryTable(),
            messages=self.messages,
            leases=MemoryLeases(),
            secrets=self.secrets,
            folders=self.folder,
            opener=DeskOpener(),
            keys=KeyMaker(),
            graph=self.graph,
            caller=lambda: read_caller(self.tokens.value),
            webhook=self.webhook,
            sealing=AesGcm(),
            learning=self.lms,
            get_profile=get_profile,
            clock=lambda: self.now,
            pause=self.pass_time,
            pepper_secret="pepper",  # noqa: S106 - the name of a secret
            memory_mb=128,
            stuck_after=timedelta(seconds=60),
            collect_schedule="0 0 6 * * *",
        )
        self.parts.sealed.content = self.intake.packages  # type: ignore[attr-defined]
        self.parts.connections.put(
            NAME, {**DEFAULTS, "viva": {**DEFAULTS["viva"], "provider_id": graph.provider_id}}, None
        )
        self.set(**(settings or {}))

    def close(self) -> None:
        self.graph.close()

    def pass_time(self, seconds: float) -> None:
        """Let the clock run."""
        self.now += timedelta(seconds=seconds)

    def set(self, **settings: object) -> None:
        """Change settings of the connection."""
        document = self.parts.connections.find(NAME)
        assert document is not None
        self.parts.connections.put(NAME, {**document.value, **settings}, document.etag)

    def drop(self, file: str, tables: Mapping[str, bytes]) -> None:
        """Put a package into the folder."""
        packed = BytesIO()
        with ZipFile(packed, "w", ZIP_DEFLATED) as archive:
            archive.comment = file.encode()  # sealed packages are never equal, even if they hold the same
            for name, content in tables.items():
                archive.writestr(name, content)
        self.folder.files[file] = packed.getvalue()

    def sync(self, *, dry_run: bool = False) -> Sync:
        """Look into the folder and do whatever follows from it."""
        sync_id = journal.new_run_id(self.now)
        self.messages.send(COMMANDS, Collect(connection=NAME, sync_id=sync_id, dry_run=dry_run).model_dump_json())
        return self.deliver(sync_id)

    def approve(self, run_id: str) -> Sync:
        """Let a halted run go on."""
        sync_id = journal.new_run_id(self.now)
        body = Approve(connection=NAME, run_id=run_id, sync_id=sync_id)
        self.messages.send(COMMANDS, body.model_dump_json())
        return self.deliver(sync_id)

    def _handle(self, queue: str, body: str) -> None:
        if queue == COMMANDS:
            run_command(self.parts, COMMAND.validate_json(body))
        elif queue == PUSH_COMPLETIONS:
            push_completions(self.parts, PushCompletions.model_validate_json(body))
        elif queue == MAP_LEARNERS:
            map_learners(self.parts, MapLearners.model_validate_json(body))
        else:
            push_records(self.parts, PushRecords.model_validate_json(body))

    def deliver(self, sync_id: str, limit: int = 500) -> Sync:
        """Deliver all messages, each in its turn; whoever asks for a later time gets it.

        One that fails is delivered again after a while, as the host does, and set aside when it goes on failing.
        """
        tries: Counter[str] = Counter()
        while self.messages.sent:
            queue, body, delay = self.messages.sent.pop(0)
            self.now += timedelta(seconds=delay)
            self.delivered.append(body)
            assert len(self.delivered) < limit, "the messages never end"
            try:
                self._handle(queue, body)
            except TransientError:
                tries[body] += 1
                if tries[body] < ATTEMPTS:
                    self.messages.send(queue, body, delay_seconds=HOST_DELAY_SECONDS)
            else:
                del tries[body]
        self.delivered.clear()
        row = self.parts.syncs.find(NAME, sync_id)
        assert row is not None, "the sync never ended"
        runs = [run for run in journal.list_runs(self.parts, NAME) if run.sync_id == sync_id]
        for run in runs:
            assert run.tally.adds_up(), run.tally
        return Sync(row["outcome"], row["code"], row["message"], runs)
