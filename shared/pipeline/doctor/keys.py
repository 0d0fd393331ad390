"""Whether the OpenPGP keys in the vault open what is sealed for them, and what expires."""

import io
from collections.abc import Iterator, Sequence
from datetime import datetime
from secrets import token_bytes

from shared.domain.connection import Connection
from shared.domain.envelope import weak_key
from shared.domain.errors import ConnectorError, SettingsError
from shared.domain.expiry import EXPIRED, WARN_DAYS
from shared.domain.strict import Strict
from shared.pipeline.doctor.check import Check, Patient
from shared.pipeline.key_expiry import list_expiring
from shared.pipeline.parts import Parts
from shared.ports import OpenPgpKey, Secret

_TRIAL_BYTES = 1000
_MEND = (
    "`lms keys check` tells which version. Put the whole key or its passphrase into the vault as a new version, or "
    "disable the version that is wrong. One that cannot be read keeps all packages from being opened."
)
_RENEW = (
    "Make a new pair with `lms keys generate`, give the other side its public half, and let the old version stay "
    "enabled until the last package sealed for it is done."
)


class KeyFacts(Strict):
    """One key in a version."""

    key_id: str
    is_primary: bool
    encrypts: bool
    kind: str
    expires_at: datetime | None


class KeyVersion(Strict):
    """One enabled version of a secret that holds a key."""

    secret: str
    version: str
    created_at: datetime
    expires_at: datetime | None
    """The sooner of the version's own and its keys'."""
    keys: tuple[KeyFacts, ...] = ()
    problems: tuple[str, ...] = ()
    """What keeps it from opening packages."""
    remarks: tuple[str, ...] = ()
    """What is worth knowing."""


def examine_keys(patient: Patient) -> Iterator[Check]:
    """Check every enabled key with a sealed trial, and all that expires."""
    pair = patient.app("PGP pair")
    yield pair.attempt(lambda: _pair(patient))
    expiry = patient.app("key expiry")
    yield expiry.attempt(lambda: _expiry(patient))


def check_versions(parts: Parts, connection: Connection) -> list[KeyVersion]:
    """Return every enabled version of the OpenPGP secret, newest first, each tried out.

    Raises:
        SettingsError, TransientError: the vault does not give them.
    """
    passphrases = _passphrases(parts, connection)
    return [
        _check_version(parts, connection.pgp_key_secret, version, passphrases)
        for version in parts.secrets.list_versions(connection.pgp_key_secret)
    ]


def _passphrases(parts: Parts, connection: Connection) -> Sequence[Secret]:
    name = connection.pgp_passphrase_secret
    return parts.secrets.list_versions(name) if name else ()


def _check_version(parts: Parts, name: str, version: Secret, passphrases: Sequence[Secret]) -> KeyVersion:
    found = KeyVersion(
        secret=name, version=version.version, created_at=version.created_at, expires_at=version.expires_at
    )
    try:
        keys = parts.keys.read_openpgp(version, passphrases)
    except SettingsError as error:
        return found.model_copy(update={"problems": (str(error),)})
    sealing = [key for key in keys if key.encrypts]
    problems = [problem for key in sealing if (problem := _try_out(parts, version, key, passphrases))]
    if not sealing:
        problems.append("No key in it is meant for encryption, so that nobody can seal a package for it.")
    ends = [each for each in (version.expires_at, *(key.expires_at for key in sealing)) if each]
    update = {
        "expires_at": min(ends, default=None),
        "keys": tuple(KeyFacts(**{name: getattr(key, name) for name in KeyFacts.model_fields}) for key in keys),
        "problems": tuple(problems),
        "remarks": tuple(remark for key in keys for remark in _remarks(key)),
    }
    return found.model_copy(update=update)


def _try_out(parts: Parts, version: Secret, key: OpenPgpKey, passphrases: Sequence[Secret]) -> str | None:
    """Seal something for the public half and open it; say what keeps that from working."""
    if not key.is_unlocked:
        return (
            f"No enabled passphrase unlocks the key {key.key_id}."
            if passphrases
            else f"The key {key.key_id} has a passphrase, and the connection names none (`pgp_passphrase_secret`)."
        )
    content = token_bytes(_TRIAL_BYTES)
    sealed = io.BytesIO(parts.keys.seal(version, key.key_id, content))
    try:
        with parts.opener.open(sealed, [version], passphrases, require_signature=False) as package:
            opened = b"".join(package.chunks())
    except ConnectorError as error:
        return f"What was sealed for the key {key.key_id} as a trial does not open: {error}"
    return None if opened == content else f"What was sealed for the key {key.key_id} opens as something else."


def _remarks(key: OpenPgpKey) -> Iterator[str]:
    if key.encrypts:
        yield from weak_key(key.key_id, key.rsa_bits)
        if key.is_primary:
            yield f"{key.key_id} is a primary key without an encryption subkey; packages sealed for it open"
    if key.is_weakly_signed:
        yield f"{key.key_id} is certified with SHA-1 only; packages open, but some senders refuse such keys"


def _pair(patient: Patient) -> Check:
    exam = patient.app("PGP pair")
    versions = check_versions(patient.parts, patient.connection)
    problems = [problem for version in versions for problem in version.problems]
    if problems:
        return exam.failed(" ".join(problems), _MEND)
    tried = ", ".join(key.key_id for version in versions for key in version.keys if key.encrypts)
    return exam.passed(f"What was sealed as a trial for each of these keys opened again: {tried}.")


def _expiry(patient: Patient) -> Check:
    exam, now = patient.app("key expiry"), patient.now
    expiring = list_expiring(patient.parts, patient.connection)
    marked = [each for each in expiring if each.mark(now) is not None]
    told = " ".join(each.sentence(now) for each in sorted(marked, key=lambda each: each.expires_at))
    if any(each.mark(now) == EXPIRED for each in marked):
        return exam.failed(told, _RENEW)
    if marked:
        return exam.warned(told, _RENEW)
    if not expiring:
        return exam.passed("Nothing has a date of expiry.")
    first = min(expiring, key=lambda each: each.expires_at)
    return exam.passed(f"Nothing expires within {max(WARN_DAYS)} days. {first.sentence(now)}")
