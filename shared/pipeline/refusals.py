"""Runs of packages that were never opened: too large, or older than what is published."""

from zoneinfo import ZoneInfo

from shared.domain.connection import Connection
from shared.domain.errors import Code
from shared.domain.package import Kind, PackageName
from shared.domain.runs import Outcome, Run, Step
from shared.domain.turns import Fetched, FileSeen, Standing
from shared.pipeline import journal
from shared.pipeline.parts import Parts

UNFETCHED = "unfetched-"
"""Stands before the size and time of a package whose content nobody has seen."""


def refuse_unopened(
    parts: Parts,
    name: str,
    connection: Connection,
    sync_id: str,
    package: PackageName,
    entry: FileSeen,
    code: Code,
    message: str,
) -> None:
    """Note that a package is refused before it is even fetched; a change of the settings lifts it."""
    pseudo = f"{UNFETCHED}{entry.modified_at:%Y%m%dT%H%M%S}-{entry.size_bytes}-{entry.name}"
    run = _ended_run(parts, name, sync_id, package, pseudo, Outcome.REJECTED).changed(code=code, message=message)
    journal.put_new_run(parts, run)
    journal.put_package(
        parts,
        name,
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
    journal.put_file(parts, name, entry.model_copy(update={"content_hash": pseudo}))
    journal.change_state(
        parts, name, lambda state: state.model_copy(update={"sync": journal.worsen_sync(state.sync, run)})
    )


def tell_skipped(parts: Parts, name: str, connection: Connection, sync_id: str) -> None:
    """Say once of every delta in the folder that is older than what is published that it is skipped."""
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
        run = _ended_run(parts, name, sync_id, package, entry.content_hash or "", Outcome.SKIPPED)
        journal.put_new_run(parts, run.changed(message="It is older than what is published, and was skipped."))
        journal.put_file(parts, name, entry.model_copy(update={"told": True}))
        if fetched:
            journal.put_package(parts, name, fetched.model_copy(update={"standing": Standing.TAKEN}))


def _ended_run(
    parts: Parts, name: str, sync_id: str, package: PackageName, content_hash: str, outcome: Outcome
) -> Run:
    now = parts.clock()
    return Run(
        run_id=journal.new_run_id(now),
        connection=name,
        sync_id=sync_id,
        package=package.file,
        kind=package.kind,
        content_hash=content_hash,
        sealed_path="",
        timestamp=package.timestamp,
        step=Step.ENDED,
        touched_at=now,
        started_at=now,
        ended_at=now,
        outcome=outcome,
    )
