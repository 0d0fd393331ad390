"""What went wrong, sorted by what to do next.

ConnectorError
├── SettingsError     stop: a person must change something (a login, a permission, a setting)
├── TransientError    let it pass: the platform delivers the message again
├── PackageError      set the package aside with its code; what was published stays
└── BusyError         somebody else is at it: do nothing, they will finish
"""

from datetime import datetime
from enum import StrEnum


class Code(StrEnum):
    """The public error codes.

    Those without the prefix `CONN_ERROR_` are Microsoft's, spelled as it documents them for its own
    connector, so that an admin finds the same words. The others are this project's.
    """

    INVALID_CREDENTIALS = "USR_ERROR_INVALID_RESOURCE_CREDENTIALS"
    ACCESS_DENIED = "USR_ERROR_ACCESS_DENIED"
    INITIAL_PACKAGE_NOT_FOUND = "USR_ERROR_SF_INITIAL_PACKAGE_NOT_FOUND"
    DELTA_PACKAGE_NOT_FOUND = "USR_ERROR_SF_DELTA_PACKAGE_NOT_FOUND"
    NO_FILES_FOUND = "USR_ERROR_SFTP_NO_FILES_FOUND"
    PACKED_SIZE_EXCEEDED = "USR_ERROR_SF_COMPRESSED_PACKAGE_SIZE_EXCEEDED"
    UNPACKED_SIZE_EXCEEDED = "USR_ERROR_SF_UNCOMPRESSED_PACKAGE_SIZE_EXCEEDED"

    NO_MATCHING_KEY = "CONN_ERROR_NO_MATCHING_KEY"
    PASSPHRASE_INVALID = "CONN_ERROR_PASSPHRASE_INVALID"  # noqa: S105 - the name of an error
    NOT_OPENPGP = "CONN_ERROR_NOT_OPENPGP"
    PACKAGE_DAMAGED = "CONN_ERROR_PACKAGE_DAMAGED"
    PACKAGE_UNPROTECTED = "CONN_ERROR_PACKAGE_UNPROTECTED"
    NOT_A_ZIP = "CONN_ERROR_NOT_A_ZIP"
    ARCHIVE_UNSAFE = "CONN_ERROR_ARCHIVE_UNSAFE"
    ARCHIVE_UNSTREAMABLE = "CONN_ERROR_ARCHIVE_UNSTREAMABLE"
    FILE_AMBIGUOUS = "CONN_ERROR_FILE_AMBIGUOUS"
    FILE_MISSING = "CONN_ERROR_FILE_MISSING"
    COLUMN_MISSING = "CONN_ERROR_COLUMN_MISSING"
    REJECT_LIMIT = "CONN_ERROR_REJECT_LIMIT"
    HOST_KEY_CHANGED = "CONN_ERROR_HOST_KEY_CHANGED"
    FOLDER_NOT_FOUND = "CONN_ERROR_FOLDER_NOT_FOUND"
    SERVER_UNREACHABLE = "CONN_ERROR_SERVER_UNREACHABLE"
    SIGNATURE_INVALID = "CONN_ERROR_SIGNATURE_INVALID"
    COVERAGE_BELOW_MINIMUM = "CONN_ERROR_COVERAGE_BELOW_MINIMUM"
    MASS_CHANGE = "CONN_ERROR_MASS_CHANGE"
    ITEM_LIMIT = "CONN_ERROR_ITEM_LIMIT"
    FULL_PACKAGE_NEEDED = "CONN_ERROR_FULL_PACKAGE_NEEDED"
    GRAPH_PERMISSION_MISSING = "CONN_ERROR_GRAPH_PERMISSION_MISSING"
    GRAPH_UNAVAILABLE = "CONN_ERROR_GRAPH_UNAVAILABLE"
    PROVIDER_NOT_ENABLED = "CONN_ERROR_PROVIDER_NOT_ENABLED"
    VAULT_UNREACHABLE = "CONN_ERROR_VAULT_UNREACHABLE"
    SECRET_MISSING = "CONN_ERROR_SECRET_MISSING"  # noqa: S105 - the name of an error
    SETTINGS_INVALID = "CONN_ERROR_SETTINGS_INVALID"
    MEMORY_EXCEEDED = "CONN_ERROR_MEMORY_EXCEEDED"
    UNEXPECTED = "CONN_ERROR_UNEXPECTED"

    FIELD_REQUIRED = "CONN_ERROR_FIELD_REQUIRED"
    FIELD_INVALID = "CONN_ERROR_FIELD_INVALID"
    PERSON_ID_TOO_LONG = "CONN_ERROR_PERSON_ID_TOO_LONG"
    RECORD_MALFORMED = "CONN_ERROR_RECORD_MALFORMED"
    RECORD_REFUSED = "CONN_ERROR_RECORD_REFUSED"

    LEARNER_UNKNOWN = "CONN_ERROR_LEARNER_UNKNOWN"
    LEARNER_AMBIGUOUS = "CONN_ERROR_LEARNER_AMBIGUOUS"
    LEARNER_INACTIVE = "CONN_ERROR_LEARNER_INACTIVE"
    LMS_UNREACHABLE = "CONN_ERROR_LMS_UNREACHABLE"
    LMS_REQUESTS_LIMIT = "SYS_ERROR_CLIENT_REQUESTS_LIMIT_EXCEEDED"
    BATCH_INVALID = "CONN_ERROR_BATCH_INVALID"
    WRITE_BACK_OFF = "CONN_ERROR_WRITE_BACK_OFF"


class ConnectorError(Exception):
    """Anything this project raises on purpose.

    The message is one or two sentences for an admin: what, where, and how to mend it.
    It never holds a person's id, name or address, nor a secret.
    """

    def __init__(self, message: str, code: Code | None = None) -> None:
        super().__init__(message)
        self.code = code


class SettingsError(ConnectorError):
    """Stop: a person must change something before it can go on."""


class TransientError(ConnectorError):
    """Let it pass: the same call may work later."""

    def __init__(self, message: str, code: Code | None = None, not_before: datetime | None = None) -> None:
        super().__init__(message, code)
        self.not_before = not_before
        """When the other side asked to be called again, if it did."""


class PackageError(ConnectorError):
    """Set the package aside: it is refused as it stands."""


class BusyError(ConnectorError):
    """Somebody else holds what we wanted; they will finish the work."""
