"""Runs of packages that were never opened: too large, or older than what is published."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from shared.domain.connection import Connection
from shared.domain.errors import Code
from shared.domain.package import Kind, PackageName
from shared.domain.runs import Outcome, Run, Step
from shared.domain.state import State
from shared.domain.turns import UNFETCHED, Fetched, FileSeen, Standing
from shared.pipeline import journal
from shared.pipeline.parts import Parts


@dataclass(frozen=True, slots=True)
class Place:
    """Where a refusal is told."""

    connection: str
    sync_id: str


def refuse_oversized(parts: Parts, connection: Connection, place: Place, package: PackageName, entry: FileSeen) -> None:
    """Note that a package is too large to be fetched; a change of the settings lifts that."""
    pseudo = f"{UNFETCHED}{entry.modified_at:%Y%m%dT%H%M%S}-{entry.size_bytes}-{entry.name}"
    run = _ended_run(parts, place, package, pseudo, Outcome.REJECTED).changed(
        code=Code.PACKED_SIZE_EXCEEDED,
        message=f"The package has {entry.size_bytes} bytes, more than the {connection.packed_limit_bytes} that "
        "packed_limit_bytes allows. Have SuccessFactors make a smaller one, or raise the limit.",
    )
    journal.put_new_run(parts, run)
    journal.put_package(
        parts,
        place.connection,
        Fetched(
            content_hash=pseudo,
            file=package.file,
            kind=package.kind,
            timestamp=package.timestamp,
            sealed_path="",
            size_bytes=entry.size_bytes,
            standing=Standing.REFUSED,
            fingerprint=journal.fingerprint(parts, connection),
            run_id=run.run_id,
        ),
    )
    journal.put_file(parts, place.connection, entry.model_copy(update={"content_hash": pseudo}))

    def worsen(state: State) -> State:
        return state.model_copy(update={"sync": journal.worsen_sync(state.sync, run)})

    journal.change_state(parts, place.connection, worsen)


def tell_skipped(parts: Parts, connection: Connection, place: Place) -> None:
    """Say once of every delta in the folder that is older than what is published that it is skipped."""
    name = place.connection
    state = journal.get_state(parts, name)
    if state.committed is None:
        return
    profile = parts.get_profile(connection.profile)
    packages = journal.get_packages(parts, name)
    for entry in journal.get_files(parts, name).values():
        package = PackageName.parse(entry.name, pattern=profile.pattern, zone=ZoneInfo(connection.source_time_zone))
        fetched = packages.get(entry.content_hash or "")
        if (
            package is None
            or package.kind is not Kind.DELTA
            or package.timestamp >= state.committed.timestamp
            or entry.told
            or (fetched and fetched.standing is not Standing.COLLECTED)
        ):
            continue
        run = _ended_run(parts, place, package, entry.content_hash or "", Outcome.SKIPPED)
        journal.put_new_run(parts, run.changed(message="It is older than what is published, and was skipped."))
        journal.put_file(parts, name, entry.model_copy(update={"told": True}))
        if fetched:
            journal.put_package(parts, name, fetched.model_copy(update={"standing": Standing.TAKEN}))


def _ended_run(parts: Parts, place: Place, package: PackageName, content_hash: str, outcome: Outcome) -> Run:
    now = parts.clock()
    sync = journal.get_state(parts, place.connection).sync
    return Run(
        run_id=journal.new_run_id(now),
        connection=place.connection,
        sync_id=place.sync_id,
        package=package.file,
        kind=package.kind,
        content_hash=content_hash,
        sealed_path="",
        timestamp=package.timestamp,
        scheduled=sync is not None and sync.scheduled,
        step=Step.ENDED,
        touched_at=now,
        started_at=now,
        ended_at=now,
        outcome=outcome,
    )
