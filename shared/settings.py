"""Every knob of the app, read once from the environment. Secrets are named here, never held."""

from datetime import datetime

from pydantic import Field

from shared.domain.strict import Strict


class Settings(Strict):
    """What differs between deployments; what differs between connections is in `Connection`."""

    vault_url: str = Field(pattern=r"^https://", description="URL of the Key Vault.")
    vault_verify_challenge: bool = Field(
        default=True, description="Off only for the local tenant, whose vault has no Azure domain."
    )
    secret_cache_seconds: float = Field(default=300, ge=0, description="How long a secret is kept in memory.")
    pepper_secret: str = Field(default="pepper", description="Name of the secret that keys the hashes of people.")
    identity_client_id: str | None = Field(
        default=None, description="Client id of the user-assigned identity; absent for the system-assigned one."
    )
    graph_url: str = Field(
        default="https://graph.microsoft.com", pattern=r"^https?://[^/]+$", description="Root of Microsoft Graph."
    )
    graph_scope: str = Field(
        default="https://graph.microsoft.com/.default", description="Scope of the tokens for Graph."
    )
    graph_timeout_seconds: float = Field(default=60, gt=0, description="How long an answer of Graph may take.")
    sftp_timeout_seconds: float = Field(default=30, gt=0, description="How long the SFTP server may be silent.")
    memory_limit_mb: int = Field(
        default=200, ge=128, description="Memory of the columnar engine in MB; the worker needs about 200 more."
    )
    stuck_after_seconds: float = Field(
        default=900, gt=0, description="How long a run may stand still before the sweeper wakes it."
    )
    openpgp: str = Field(
        default="auto",
        pattern=r"^(auto|gnupg|sequoia)$",
        description="Which OpenPGP software opens packages; `auto` takes GnuPG where `gpg` is installed.",
    )
    now: datetime | None = Field(
        default=None, description="Only for rehearsals: the clock starts at this time instead of now."
    )
