"""A connection: one agreement with one LMS, as a JSON document that an admin edits."""

from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import Field, StringConstraints, model_validator

from shared.domain.matching import DIRECTORY_ATTRIBUTE, EMPLOYEE_ID, PersonIdRule
from shared.domain.strict import HttpsUrl, SecretName, Strict
from shared.domain.write_back import WriteBack

HostName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9.-]{1,253}$")]

GIB = 1024**3

ALERT_SETTINGS = ("alert_webhook_secret", "look_grace_minutes", "stale_after_hours", "tell_published")
"""Settings of a connection that say who hears of what, and nothing about packages."""


class Sftp(Strict):
    """Where the LMS puts its packages."""

    host: HostName = Field(description="Host name of the SFTP server.")
    port: int = Field(default=22, ge=1, le=65535, description="Port of the SFTP server.")
    user: str = Field(min_length=1, description="User name on the SFTP server.")
    folder: str = Field(default=".", min_length=1, max_length=1024, description="Folder that holds the packages.")
    host_key: str = Field(
        pattern=r"^(ssh|ecdsa|sk)-[\w@.-]+ [A-Za-z0-9+/=]+$",
        description="The server's public host key, as `type base64`; a server with another key is refused.",
    )
    login: Literal["key", "password"] = Field(
        default="key", description="Whether the secret is an SSH private key or a password."
    )
    secret: SecretName = Field(
        default="sftp-login", description="Name of the secret that holds the SSH key or password."
    )
    done_suffix: str | None = Field(
        default=None,
        pattern=r"^[._-][A-Za-z0-9._-]{0,31}$",
        description=(
            "End of the names of marker files, such as `.done`: a package is taken once a file with its name and this "
            "end is in the folder. Null: no marker is waited for."
        ),
    )
    pipelining: bool = Field(
        default=True,
        description=(
            "Ask for many pieces of a file at once; off asks for one after the other, for servers that choke on it."
        ),
    )


class Viva(Strict):
    """How the LMS shows in Viva Learning."""

    provider_id: str = Field(min_length=1, description="Registration id of the learning provider in Viva Learning.")
    bizx_host: HostName = Field(description="BizX host of the deep links, for example `hcm.example.com`.")
    learning_host: HostName = Field(description="Learning host of the deep links.")
    company_id: str = Field(min_length=1, description="SuccessFactors company id of the deep links.")
    default_thumbnail_url: HttpsUrl | None = Field(
        default=None, description="Picture for content that has none of its own."
    )
    licence_service_plan_ids: tuple[str, ...] = Field(
        default=(),
        description=(
            "Service plan ids that let a learner receive records (see `GET /subscribedSkus` of your tenant). "
            "Empty: not checked beforehand, Graph's refusal decides."
        ),
    )
    batch: bool = Field(default=True, description="Send up to 20 calls in one `$batch`; off sends them one by one.")


class Connection(Strict):
    """One agreement with one LMS: where packages come from, how they are read, and what is shown."""

    enabled: bool = Field(default=False, description="Nothing is fetched before this is on.")
    learner_sync: bool = Field(
        default=False,
        description=(
            "Learner record sync: read learners, assignments and completions. Off: their files are never read "
            "and no user is asked for in Entra. Switched on later, it waits for a new full package."
        ),
    )
    configuration_id: str = Field(
        pattern=r"^[A-Za-z0-9_-]{1,64}$",
        description="Configuration id (learning source id): the first part of every activity's id.",
    )
    profile: str = Field(
        default="successfactors", pattern=r"^[a-z0-9_]+$", description="Package profile that reads the files."
    )
    sftp: Sftp = Field(description="Where the packages come from.")
    viva: Viva = Field(description="Where and how the records are shown.")
    directory_attribute: str = Field(
        default=EMPLOYEE_ID,
        pattern=DIRECTORY_ATTRIBUTE,
        description=(
            "Attribute of users in Entra that holds `PERSON_ID_EXTERNAL`: `employeeId`, `userPrincipalName`, `mail`, "
            "or `onPremisesExtensionAttributes/extensionAttribute1` to `15`."
        ),
    )
    person_id_rules: tuple[PersonIdRule, ...] = Field(
        default=(),
        description=(
            "What is left out of ids on both sides before they are compared: any of `drop_leading_zeros`, "
            "`drop_spaces` and `drop_signs`. Empty: ids are compared as they stand, but for case and blanks around."
        ),
    )
    write_back: WriteBack | None = Field(
        default=None, description="Where courses and completions from elsewhere go; null: nothing is sent to the LMS."
    )
    pgp_key_secret: SecretName = Field(
        default="pgp-private-key", description="Name of the secret with the armored OpenPGP secret key."
    )
    pgp_passphrase_secret: SecretName | None = Field(
        default="pgp-passphrase", description="Name of the secret with its passphrase; null when it has none."
    )
    require_signature: bool = Field(
        default=False, description="Refuse packages without a good signature by a key of the secret."
    )

    delta_expected_hours: float = Field(
        default=28, gt=0, description="Hours after the last package by which a new delta must have come."
    )
    on_gap: Literal["continue", "stop"] = Field(
        default="continue", description="What to do when the delta of a day is missing."
    )
    keys_wait_hours: float = Field(
        default=4, ge=0, description="Hours after its own timestamp that a package waits for its keys package."
    )
    size_stable_seconds: float = Field(
        default=60, ge=0, description="Seconds a file's size must have stood still before it is taken."
    )
    packed_limit_bytes: int = Field(
        default=2 * GIB, gt=0, description="Largest package that is downloaded, in bytes, inclusive."
    )
    unpacked_limit_bytes: int = Field(
        default=25 * GIB, gt=0, description="Largest sum of all unpacked files, in bytes, inclusive."
    )
    unmapped_retention_days: int = Field(
        default=30,
        ge=0,
        description="Days that rows of unmapped learners are kept under their hashes; 0 keeps none.",
    )
    report_retention_days: int = Field(
        default=90, ge=1, description="Days that the records of runs and looks and their reports are kept."
    )
    work_retention_days: int = Field(
        default=7,
        ge=1,
        description="Days that the staged rows, plans and receipts of a run are kept after its end; those of the "
        "latest published run stay.",
    )
    sealed_retention_days: int = Field(
        default=30,
        ge=1,
        description="Days after its timestamp that a package is kept, still encrypted, and remembered after it has "
        "left the folder; one that may still be processed stays.",
    )
    reject_limit_percent: float = Field(
        default=10, ge=0, le=100, description="Rejected rows, in percent of all, above which a package is refused."
    )
    reject_limit_count: int | None = Field(
        default=None, ge=0, description="Rejected rows above which a package is refused; null for no limit."
    )
    require_fields: tuple[str, ...] = Field(
        default=(), description="Further columns that may not be empty, as `TABLE.COLUMN`."
    )
    source_time_zone: str = Field(
        default="UTC", description="IANA time zone of times without an offset and of calendar days."
    )
    locale: str = Field(default="English", description="Preferred locale of titles, by its SuccessFactors name.")
    language_tag: str = Field(
        default="en-us",
        pattern=r"^[a-z]{2,3}(-[a-z0-9]{2,8})*$",
        description="Language tag of texts whose locale has none in the profile.",
    )
    publish_author: bool = Field(
        default=False, description="Publish the instructor's name as the content's contributor."
    )
    active_item_limit: int = Field(default=500_000, ge=0, description="Most active contents.")
    total_item_limit: int = Field(default=1_000_000, ge=0, description="Most contents, active or not.")
    default_assignment_type: Literal["required", "recommended"] = Field(
        default="required", description="Type of assignments without a requirement type."
    )
    coverage_minimum_percent: float = Field(
        default=0, ge=0, le=100, description="Learners that must be mapped before anything is published, in percent."
    )
    mass_change_percent: float = Field(
        default=20,
        ge=0,
        le=100,
        description="Withdrawn assignments or deactivated contents, in percent of what is published, that halt a run.",
    )
    mass_change_count: int | None = Field(default=None, ge=0, description="The same as a number; null for no limit.")
    licence_recheck_days: float = Field(
        default=7,
        ge=0,
        description="Days after which a learner whom Graph refused for lack of a licence is tried again.",
    )
    alert_webhook_secret: SecretName | None = Field(
        default=None,
        description="Name of the secret that holds the https address of an incoming webhook (Teams, Slack) for alerts; "
        "null: alerts stand in the log only.",
    )
    look_grace_minutes: float = Field(
        default=60, ge=0, description="Minutes after its time on the schedule that a look into the folder may begin."
    )
    stale_after_hours: float = Field(
        default=48, gt=0, description="Hours after the timestamp of the newest published package that an alert is sent."
    )
    tell_published: bool = Field(
        default=False, description="Tell the webhook also of every package that has been published."
    )

    @property
    def write_back_secrets(self) -> tuple[SecretName, ...]:
        """Names of the secrets that sending back needs; none where nothing is sent back."""
        found = self.write_back
        return () if found is None else (found.target.secret, found.sealed_secret)

    @model_validator(mode="after")
    def _known_zone(self) -> Self:
        try:
            ZoneInfo(self.source_time_zone)
        except (LookupError, ValueError, OSError):
            raise ValueError(f"source_time_zone: {self.source_time_zone!r} is no IANA time zone") from None
        return self
