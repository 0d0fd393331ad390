"""Which keys and secrets of a connection will end, and when."""

from shared.domain.alert import AlertKind, Condition
from shared.domain.connection import Connection
from shared.domain.errors import ConnectorError, SettingsError
from shared.domain.expiry import EXPIRED, Expiring
from shared.pipeline.parts import Parts
from shared.ports import Secret


def list_expiring(parts: Parts, connection: Connection) -> list[Expiring]:
    """Return what will end: the newest versions of all secrets of the connection, and the newest OpenPGP key itself.

    Older versions are left out: a key that was replaced may end. So is what cannot be read, which other checks tell.
    """
    found = []
    for name in (
        connection.sftp.secret,
        connection.pgp_key_secret,
        connection.pgp_passphrase_secret,
        parts.pepper_secret,
        *connection.write_back_secrets,
    ):
        newest = _find_newest(parts, name)
        if newest and newest.expires_at:
            found.append(Expiring(f"Version {newest.version} of the secret {name!r}", newest.expires_at))
    key = _find_newest(parts, connection.pgp_key_secret)
    if key:
        try:
            held = parts.keys.read_openpgp(key, ())
        except SettingsError:
            held = ()
        found += [
            Expiring(f"The OpenPGP key {each.key_id}", each.expires_at)
            for each in held
            if each.encrypts and each.expires_at
        ]
    return found


def find_expiring(parts: Parts, connection: Connection) -> list[Condition]:
    """Return what whoever is on call should hear of the ends that are near or past; its code changes at each mark."""
    now, found = parts.clock(), []
    for each in list_expiring(parts, connection):
        if (mark := each.mark(now)) is not None:
            text = f"{each.sentence(now)} Add a new one, and let the old one stay enabled until nothing needs it: see "
            text += "`lms keys list`."
            code = "expired" if mark == EXPIRED else f"{mark} days"
            found.append(Condition(kind=AlertKind.EXPIRING, subject=each.what, code=code, text=text))
    return found


def _find_newest(parts: Parts, name: str | None) -> Secret | None:
    try:
        return parts.secrets.get(name) if name else None
    except ConnectorError:
        return None
