"""Which key opened what, and when last."""

from datetime import datetime

from shared.domain.connection import Connection
from shared.domain.errors import SettingsError
from shared.domain.runs import Run
from shared.domain.strict import Strict
from shared.pipeline import journal
from shared.pipeline.parts import Parts


class VersionUse(Strict):
    """One enabled version of the secret with the OpenPGP key."""

    version: str
    key_ids: tuple[str, ...]
    """Of the keys in it; empty when it cannot be read."""
    created_at: datetime
    expires_at: datetime | None
    """The sooner of the version's own and its keys'."""
    used_at: datetime | None
    """When the newest run began whose package one of them opened, among the runs that are kept."""
    package: str = ""
    run_id: str = ""


def list_use(parts: Parts, name: str, connection: Connection) -> list[VersionUse]:
    """Return the enabled versions, newest first.

    Raises:
        SettingsError, TransientError: the vault does not give them.
    """
    newest = {run.key_id: run for run in journal.list_runs(parts, name) if run.key_id}
    found = []
    for version in parts.secrets.list_versions(connection.pgp_key_secret):
        try:
            keys = parts.keys.read_openpgp(version, ())
        except SettingsError:
            keys = ()
        used = _last([newest[key.key_id] for key in keys if key.key_id in newest])
        ends = [each for each in (version.expires_at, *(key.expires_at for key in keys)) if each]
        found.append(
            VersionUse(
                version=version.version,
                key_ids=tuple(key.key_id for key in keys if key.encrypts),
                created_at=version.created_at,
                expires_at=min(ends, default=None),
                used_at=used.started_at if used else None,
                package=used.package if used else "",
                run_id=used.run_id if used else "",
            )
        )
    return found


def _last(runs: list[Run]) -> Run | None:
    return max(runs, key=lambda run: run.started_at, default=None)
