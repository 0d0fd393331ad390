"""Read the files that others have put into a connection's inbox, and delete each once all of it has been accepted.

A file is read as a stream and becomes one or more batches, whose ids follow from its name, from how many files of that
name were taken before, and from what they hold: a file that is read twice is accepted once. One that cannot be read
stays, is marked, and is read again when it has been replaced.
"""

import logging

from shared.domain.batches import Batch, Kind, Source, Stand
from shared.domain.errors import BusyError, Code, SettingsError
from shared.domain.messages import COMMANDS, ReadInbox
from shared.domain.write_back import Completion, Course, Refusal, WriteBack
from shared.pipeline import journal
from shared.pipeline.intake_formats.read_records import Records, read_records
from shared.pipeline.parts import Parts
from shared.pipeline.write_back import inbox_marks, report
from shared.pipeline.write_back.accept import find_write_back, keep
from shared.pipeline.write_back.batches import add_batch
from shared.pipeline.write_back.keyed import Keyed
from shared.pipeline.write_back.validate import BatchError, check_record

log = logging.getLogger(__name__)


def lease_of(connection: str) -> str:
    """Return the name of the lease under which a connection's inbox is read."""
    return f"inbox/{connection}"


def read_inbox(parts: Parts, connection: str, new_file: str | None = None) -> None:
    """Read all files that are there; `new_file` is the path of one that has come, perhaps instead of an unreadable one.

    Raises:
        SettingsError: nothing is sent back to the LMS of this connection, or a secret is missing.
        TransientError: the same call may work later.
    """
    try:
        _, write_back = find_write_back(parts, connection)
    except BatchError as error:
        log.warning("intake.off connection=%s code=%s", connection, error.code)
        raise SettingsError(str(error), error.code) from None
    try:
        with parts.leases.hold(lease_of(connection)):
            seen = _Inbox(parts, connection, write_back).read(new_file)
    except BusyError:
        return
    # Whoever came meanwhile found the lease taken, and left it to us.
    if set(parts.inbox.list_paths(f"{connection}/")) - seen:
        parts.messages.send(COMMANDS, ReadInbox(connection=connection).model_dump_json())


def has_news(parts: Parts, connection: str, write_back: WriteBack) -> bool:
    """Tell whether a file waits that is not known to be unreadable with these settings."""
    paths = list(parts.inbox.list_paths(f"{connection}/"))
    if not paths:
        return False
    keyed = Keyed(journal.get_pepper(parts, connection))
    reading = _reading(keyed, write_back)
    return any(not inbox_marks.is_unreadable(parts, connection, _name(keyed, path), reading) for path in paths)


class _Inbox:
    """The inbox of a connection, in the hands of who holds its lease."""

    def __init__(self, parts: Parts, connection: str, write_back: WriteBack) -> None:
        self._parts = parts
        self._connection = connection
        self._write_back = write_back
        self._keyed = Keyed(journal.get_pepper(parts, connection))
        self._reading = _reading(self._keyed, write_back)

    def read(self, new_file: str | None) -> set[str]:
        """Read the files; return which were there."""
        paths = list(self._parts.inbox.list_paths(f"{self._connection}/"))
        for path in paths:
            file = _name(self._keyed, path)
            if path != new_file and inbox_marks.is_unreadable(self._parts, self._connection, file, self._reading):
                continue
            taken = inbox_marks.deliveries(self._parts, self._connection, file)
            delivery = _Delivery(self._parts, self._connection, self._write_back, self._keyed, f"{file} {taken}")
            try:
                with self._parts.inbox.open(path) as stream:
                    delivery.take(read_records(path, stream, self._write_back))
            except FileNotFoundError:
                continue
            if delivery.is_unreadable:
                inbox_marks.put_mark(self._parts, self._connection, file, taken=taken, unreadable_with=self._reading)
                log.error("intake.unreadable connection=%s", self._connection)
                continue
            inbox_marks.put_mark(self._parts, self._connection, file, taken=taken + 1)
            self._parts.inbox.delete(path)
        return set(paths)


class _Delivery:
    """One file on its way into batches."""

    def __init__(self, parts: Parts, connection: str, write_back: WriteBack, keyed: Keyed, name: str) -> None:
        self._parts = parts
        self._connection = connection
        self._write_back = write_back
        self._keyed = keyed
        self._name = name
        self._records: dict[Kind, list[tuple[int, Completion | Course]]] = {kind: [] for kind in Kind}
        self._refusals: list[Refusal] = []
        self._count = 0
        self.is_unreadable = False
        """Whether no setting says how a file of this name is read."""

    def take(self, found: Records) -> None:
        """Accept all that a file holds."""
        now = self._parts.clock()
        for place, each in enumerate(found, 1):
            refusal = each if isinstance(each, Refusal) else check_record(place, each, now)
            if refusal is not None:
                self._refusals.append(refusal)
                self.is_unreadable |= refusal.code is Code.SETTINGS_INVALID
            elif isinstance(each, Completion):
                self._records[Kind.COMPLETIONS].append((place, each))
            elif isinstance(each, Course):
                self._records[Kind.COURSES].append((place, each))
            self._flush_what_is_full(self._write_back.batch_records)
        self._flush_what_is_full(1)

    def _flush_what_is_full(self, full: int) -> None:
        for kind in Kind:
            if len(self._records[kind]) >= full:
                self._flush(kind)
        if len(self._refusals) >= full:
            self._flush(Kind.COMPLETIONS)

    def _flush(self, kind: Kind) -> None:
        """Accept what has been read so far of a kind, together with all that was refused."""
        records, refusals = self._records[kind], self._refusals
        self._records[kind], self._refusals = [], []
        content = "\n".join(f"{place} {record.model_dump_json()}" for place, record in records)
        told = "\n".join(f"{each.line} {each.path} {each.code}" for each in refusals)
        digest = self._keyed.digest("file-batch", self._name, str(self._count), kind, content, told).hex()
        self._count += 1
        batch = _batch(self._parts, self._connection, digest, refused=len(refusals), kind=kind, records=len(records))
        if records:
            way = self._write_back.identity if kind is Kind.COMPLETIONS else ""
            keep(self._parts, self._write_back, batch.model_copy(update={"way": way}), records, refusals)
        elif add_batch(self._parts, batch):
            report.put_refusals(self._parts, batch, refusals)


def _batch(
    parts: Parts, connection: str, batch_id: str, *, refused: int, kind: Kind = Kind.COMPLETIONS, records: int = 0
) -> Batch:
    now = parts.clock()
    return Batch(
        connection=connection,
        batch_id=batch_id,
        kind=kind,
        source=Source.FILE,
        received_at=now,
        digest=batch_id,
        records=records,
        refused=refused,
        stand=Stand.SEALING if records else Stand.PARTIAL,
        ended_at=None if records else now,
    )


def _reading(keyed: Keyed, write_back: WriteBack) -> str:
    """Return what differs when files are read in another way."""
    return keyed.digest("reading", *(each.model_dump_json() for each in write_back.mappings)).hex()


def _name(keyed: Keyed, path: str) -> str:
    """Return a hash of a file's name, which may say whose records it holds."""
    return keyed.digest("file", path).hex()
