"""Whether the vault gives what the connection needs."""

from collections.abc import Iterator

from shared.domain.errors import Code, ConnectorError
from shared.pipeline import journal
from shared.pipeline.doctor.check import Check, Patient

_PEPPER_BYTES = range(32, 65)


def examine_vault(patient: Patient) -> Iterator[Check]:
    """Check that every secret is there, and the pepper the right one."""
    yield _vault(patient)
    exam = patient.app("pepper")
    yield exam.attempt(lambda: _pepper(patient))


def _vault(patient: Patient) -> Check:
    connection, exam = patient.connection, patient.you("vault access")
    names = (
        *(connection.sftp.secret, connection.pgp_key_secret, connection.pgp_passphrase_secret),
        *connection.write_back_secrets,
    )
    wanted = [name for name in (*names, patient.parts.pepper_secret) if name]
    refusals: list[ConnectorError] = []
    for name in wanted:
        try:
            patient.parts.secrets.get(name)
        except ConnectorError as error:
            refusals.append(error)
    if not refusals:
        return exam.passed(f"The vault gives all {len(wanted)} secrets: {', '.join(wanted)}.")
    refused = exam.refused(refusals[0])
    told = list(dict.fromkeys(str(error) for error in refusals))
    return refused.model_copy(update={"found": " ".join(told)})


def _pepper(patient: Patient) -> Check:
    parts, exam = patient.parts, patient.app("pepper")
    state = journal.get_state(parts, patient.name)
    # Only looked at: `journal.get_pepper` would settle which version is used.
    pepper = journal.get_pepper(parts, patient.name) if state.pepper_version else parts.secrets.get(parts.pepper_secret)
    try:
        octets = len(bytes.fromhex(pepper.value))
    except ValueError:
        octets = 0
    if octets not in _PEPPER_BYTES:
        return exam.failed(
            f"The secret {parts.pepper_secret!r} is no 32 to 64 random bytes in hex digits.",
            "Put a good one in as a new version, for example from `openssl rand -hex 32`."
            if state.pepper_version is None
            else "Enable the version again under which people were hashed; another one recognises nobody.",
            Code.SETTINGS_INVALID,
        )
    if state.pepper_version is None:
        return exam.passed("It is there; the first package settles that this version is used for good.")
    return exam.passed("The version under which people were hashed is there.")
