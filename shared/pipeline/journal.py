"""What is remembered: connections, states, runs, syncs and the ledger of packages, as typed values."""

import hashlib
import json
import secrets
from collections.abc import Callable
from datetime import datetime

from pydantic import ValidationError

from shared.domain.connection import ALERT_SETTINGS, Connection
from shared.domain.errors import BusyError, Code, SettingsError
from shared.domain.messages import COMMANDS, Process
from shared.domain.runs import Run, Step, worst
from shared.domain.state import CurrentSync, State
from shared.domain.turns import Fetched, FileSeen
from shared.pipeline.parts import Parts
from shared.ports import Secret

_TRIES = 8


def get_connection(parts: Parts, name: str) -> Connection:
    """Return a connection's configuration.

    Raises:
        SettingsError: there is none of that name, or fields are wrong; all wrong fields are named.
    """
    document = parts.connections.find(name)
    if document is None:
        raise SettingsError(f"There is no connection {name!r}.", Code.SETTINGS_INVALID)
    try:
        return Connection.model_validate(document.value)
    except ValidationError as error:
        fields = "; ".join(
            f"{'.'.join(str(part) for part in each['loc']) or 'connection'}: {each['msg']}" for each in error.errors()
        )
        raise SettingsError(f"The connection {name!r} is not valid: {fields}", Code.SETTINGS_INVALID) from None


def get_state(parts: Parts, connection: str) -> State:
    """Return what the connection remembers; a new one remembers nothing."""
    document = parts.states.find(connection)
    return State.model_validate(document.value) if document else State()


def change_state(parts: Parts, connection: str, change: Callable[[State], State]) -> State:
    """Apply a change to the newest state, again if somebody else was faster."""
    for _ in range(_TRIES):
        document = parts.states.find(connection)
        before = State.model_validate(document.value) if document else State()
        after = change(before)
        if after == before and document:
            return after
        try:
            parts.states.put(connection, after.model_dump(mode="json"), document.etag if document else None)
        except BusyError:
            continue
        return after
    raise BusyError(f"The state of connection {connection!r} is being changed by others.")


def get_pepper(parts: Parts, connection: str) -> Secret:
    """Return the secret under which people are hashed: always the version that was used first.

    Raises:
        SettingsError: that version is no longer there or enabled.
    """
    state = get_state(parts, connection)
    if state.pepper_version is None:
        pepper = parts.secrets.get(parts.pepper_secret)
        change_state(
            parts,
            connection,
            lambda s: s.model_copy(update={"pepper_version": s.pepper_version or pepper.version}),
        )
        return get_pepper(parts, connection)
    for version in parts.secrets.list_versions(parts.pepper_secret):
        if version.version == state.pepper_version:
            return version
    raise SettingsError(
        f"The version of the secret {parts.pepper_secret!r} under which people were hashed is not there or not "
        "enabled. Enable it again: without it, nobody would be recognised.",
        Code.SECRET_MISSING,
    )


def touch(parts: Parts, run: Run) -> None:
    """Note that a run is being worked on, so that nobody takes it for stuck."""
    if parts.clock() - run.touched_at > parts.stuck_after / 3:
        advance(parts, run, run.step)


def new_run_id(now: datetime) -> str:
    """Return an id whose alphabetical order is the order of time."""
    return f"{_id_of(now)}-{secrets.token_hex(4)}"


def is_begun_since(run_id: str, moment: datetime) -> bool:
    """Tell whether a run began then or later; nobody has to read it for that."""
    return run_id >= _id_of(moment)


def _id_of(moment: datetime) -> str:
    return f"{moment:%Y%m%dT%H%M%S}"


def _run_name(connection: str, run_id: str) -> str:
    return f"{connection}/{run_id}"


def put_new_run(parts: Parts, run: Run) -> None:
    """Keep a new run."""
    parts.runs.put(_run_name(run.connection, run.run_id), run.model_dump(mode="json"), None)


def find_run(parts: Parts, connection: str, run_id: str) -> Run | None:
    """Return a run, or `None`."""
    document = parts.runs.find(_run_name(connection, run_id))
    return Run.model_validate(document.value) if document else None


def get_run(parts: Parts, connection: str, run_id: str) -> Run:
    """Return a run.

    Raises:
        SettingsError: there is none.
    """
    run = find_run(parts, connection, run_id)
    if run is None:
        raise SettingsError(f"There is no run {run_id!r} of connection {connection!r}.", Code.SETTINGS_INVALID)
    return run


def change_run(parts: Parts, run: Run, change: Callable[[Run], Run | None]) -> Run | None:
    """Apply a change to the newest version of the run; `change` returns `None` to leave it, and so does this."""
    name = _run_name(run.connection, run.run_id)
    for _ in range(_TRIES):
        document = parts.runs.find(name)
        if document is None:
            raise SettingsError(f"There is no run {run.run_id!r}.", Code.SETTINGS_INVALID)
        after = change(Run.model_validate(document.value))
        if after is None:
            return None
        try:
            parts.runs.put(name, after.model_dump(mode="json"), document.etag)
        except BusyError:
            continue
        return after
    raise BusyError(f"The run {run.run_id!r} is being changed by others.")


def advance(parts: Parts, run: Run, expected: Step, **values: object) -> Run | None:
    """Move a run on from a step; `None` when another worker already has."""
    return change_run(
        parts,
        run,
        lambda newest: newest.changed(touched_at=parts.clock(), **values) if newest.step is expected else None,
    )


def list_run_ids(parts: Parts, connection: str) -> list[str]:
    """Return the ids of all runs of a connection, oldest first."""
    prefix = f"{connection}/"
    return [name.removeprefix(prefix) for name in parts.runs.list_names() if name.startswith(prefix)]


def delete_run(parts: Parts, connection: str, run_id: str) -> None:
    """Forget a run."""
    parts.runs.delete(_run_name(connection, run_id))


def list_runs(parts: Parts, connection: str) -> list[Run]:
    """Return all runs of a connection, oldest first."""
    runs = [get_run(parts, connection, run_id) for run_id in list_run_ids(parts, connection)]
    return sorted(runs, key=lambda run: (run.started_at, run.run_id))


def get_files(parts: Parts, connection: str) -> dict[str, FileSeen]:
    """Return the files of the folder as last seen, by name."""
    return {
        key: FileSeen.model_validate_json(row["entry"]) for key, row in parts.ledger.list_rows(f"{connection}|files")
    }


def put_file(parts: Parts, connection: str, entry: FileSeen) -> None:
    """Remember how a file stood."""
    parts.ledger.put(f"{connection}|files", entry.name, {"entry": entry.model_dump_json()})


def forget_file(parts: Parts, connection: str, file: str) -> None:
    """Forget a file of the folder."""
    parts.ledger.delete(f"{connection}|files", file)


def get_packages(parts: Parts, connection: str) -> dict[str, Fetched]:
    """Return all packages ever fetched, by content hash."""
    return {
        key: Fetched.model_validate_json(row["entry"]) for key, row in parts.ledger.list_rows(f"{connection}|packages")
    }


def find_newest_package(parts: Parts, connection: str) -> Fetched | None:
    """Return what was fetched with the newest timestamp in its name, whatever became of it."""
    return max(get_packages(parts, connection).values(), key=lambda each: (each.timestamp, each.file), default=None)


def put_package(parts: Parts, connection: str, entry: Fetched) -> None:
    """Remember what became of a package."""
    parts.ledger.put(f"{connection}|packages", entry.content_hash, {"entry": entry.model_dump_json()})


def forget_package(parts: Parts, connection: str, content_hash: str) -> None:
    """Forget that the content was ever taken."""
    parts.ledger.delete(f"{connection}|packages", content_hash)


def fingerprint(parts: Parts, connection: Connection) -> str:
    """Return a hash of all that decides whether a refused package might open now: keys, profile, settings."""
    versions = []
    for secret in (connection.pgp_key_secret, connection.pgp_passphrase_secret):
        try:
            versions += [each.version for each in parts.secrets.list_versions(secret)] if secret else []
        except SettingsError:
            versions.append("none")
    profile = parts.get_profile(connection.profile)
    settings = connection.model_dump(mode="json", exclude={"sftp", "enabled", *ALERT_SETTINGS})
    told = json.dumps([versions, settings, profile.model_dump(mode="json")])
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def worsen_sync(sync: CurrentSync | None, run: Run) -> CurrentSync | None:
    """Return the sync after a run has ended in it."""
    if sync is None or run.outcome is None:
        return sync
    outcome, code = worst([(sync.outcome, sync.code), (run.outcome, run.code)])
    changed = (outcome, code) != (sync.outcome, sync.code)
    return sync.model_copy(
        update={
            "planned": run.dry_run,
            "outcome": outcome,
            "code": code,
            "message": run.message if changed else sync.message,
        }
    )


def close_sync(parts: Parts, connection: str) -> None:
    """Write down how the current look ended, if nothing of it is left to do. A second call does nothing."""
    closed: list[CurrentSync] = []

    def close(state: State) -> State:
        closed.clear()
        if state.sync is None or state.sync.collecting:
            return state
        closed.append(state.sync)
        last = state.last_sync if state.sync.dry_run else state.sync
        return state.model_copy(update={"sync": None, "last_sync": last})

    change_state(parts, connection, close)
    for sync in closed:
        row = {
            **sync.model_dump(mode="json", exclude={"collecting", "planned", "progress"}),
            "ended_at": parts.clock().isoformat(),
        }
        parts.syncs.put(connection, sync.sync_id, {key: "" if value is None else value for key, value in row.items()})


def call_next(parts: Parts, connection: str, *, delay_seconds: float = 0) -> None:
    """Ask for the next package to be processed; whoever gets the message finds out whether there is one."""
    body = Process(connection=connection).model_dump_json()
    parts.messages.send(COMMANDS, body, delay_seconds=delay_seconds)
