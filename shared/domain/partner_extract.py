"""What an admin pastes into SuccessFactors' configuration PARTNER_EXTRACT, and what has to agree with it."""

import base64

from shared.domain.connection import Sftp
from shared.domain.pasted_key import armor_body, checksum_of

LONGEST_PARTNER_ID = 10
SLOTS = (1, 2, 3)
"""SuccessFactors takes no fourth partner."""


def lines_to_paste(slot: int, *, partner_id: str, public_key: str, owner: str, email: str) -> list[str]:
    """Return the lines of PARTNER_EXTRACT.

    The key goes in one line, without BEGIN and END, with its checksum. `owner` has to be the key's user id.

    Raises:
        ValueError: no such slot, or an id that is too long.
    """
    if slot not in SLOTS:
        raise ValueError(f"SuccessFactors has the partners {SLOTS[0]} to {SLOTS[-1]}.")
    if not 0 < len(partner_id) <= LONGEST_PARTNER_ID:
        raise ValueError(f"A partner id has at most {LONGEST_PARTNER_ID} characters; {partner_id!r} does not fit.")
    body, _ = armor_body(public_key)
    prefix = f"partners{slot}"
    return [
        f"defaultJob.email={email}",
        f"{prefix}.partnerID={partner_id}",
        f"{prefix}.encryptionKey={body}{checksum_of(base64.b64decode(body))}",
        f"{prefix}.keyOwner={owner}",
        f"{prefix}.enabled=true",
    ]


def lines_to_compare(slot: int, sftp: Sftp) -> list[str]:
    """Return what SuccessFactors' other settings have to say for the connection to find the packages."""
    return [
        f"connector.ftp.server (CONNECTORS) is sftp.host: {sftp.host}",
        f"connector.ftp.userID (CONNECTORS) is sftp.user: {sftp.user}",
        f"defaultFtp.path joined with partners{slot}.path (PARTNER_EXTRACT) is sftp.folder: {sftp.folder}",
    ]
