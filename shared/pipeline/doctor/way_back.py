"""Whether what is sent in can be sealed, and whether the LMS that it goes back to lets the connector in."""

from collections.abc import Iterator

from shared.domain.errors import Code, ConnectorError
from shared.domain.write_back import Identity, WriteBack
from shared.pipeline.doctor.check import Check, Patient

_WORDS = b"nothing about anybody"


def examine_way_back(patient: Patient) -> Iterator[Check]:
    """Check the key of the outbox and the login at the LMS; nothing where nothing is sent back."""
    write_back = patient.connection.write_back
    if write_back is None:
        return
    exam = patient.you("outbox key")
    yield exam.attempt(lambda: _seal(patient, write_back))
    exam = patient.you("LMS login")
    yield exam.attempt(lambda: _log_in(patient, write_back))


def _seal(patient: Patient, write_back: WriteBack) -> Check:
    parts, exam = patient.parts, patient.you("outbox key")
    keys = parts.secrets.list_versions(write_back.sealed_secret)
    for number, key in enumerate(keys):
        try:
            parts.sealing.open(parts.sealing.seal(_WORDS, "doctor", [key]), "doctor", keys)
        except ConnectorError as error:
            if number == 0:
                raise
            return exam.warned(
                f"An older version of it is none: {error}", "Disable it, if nothing waits that needs it."
            )
    return exam.passed(f"Records are sealed with the secret {write_back.sealed_secret!r}, and opened again.")


def _log_in(patient: Patient, write_back: WriteBack) -> Check:
    parts, exam = patient.parts, patient.you("LMS login")
    secrets = parts.secrets.list_versions(write_back.target.secret)
    with parts.learning.open(write_back, secrets, patient.now) as target:
        told = target.describe_identity()
    logged_in = f"The LMS ({write_back.target.kind}) accepts the login"
    if told is None:
        return exam.passed(f"{logged_in}; it does not tell by which field it knows its users.")
    wanted = {Identity.EXTERNAL_REFERENCE: "external_reference", Identity.LMS_USER_ID: "lms_user_id"}.get(
        write_back.identity
    )
    if wanted is not None and wanted not in told.lower().replace(" ", "_"):
        return exam.warned(
            f"{logged_in}, and knows its users by {told!r}, while `write_back.identity` is {write_back.identity!r}.",
            f"Compare the two, and see a sample arrive: `lms push now --sample 1`. ({Code.LEARNER_UNKNOWN})",
        )
    return exam.passed(f"{logged_in}, and knows its users by {told!r}.")
