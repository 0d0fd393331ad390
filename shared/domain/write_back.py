"""What goes back to the LMS: courses of other providers, and completions that people made elsewhere."""

from datetime import UTC, date
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AwareDatetime, ConfigDict, Field, StringConstraints

from shared.domain.errors import Code
from shared.domain.record_files import FileMapping, Statements
from shared.domain.strict import HttpsUrl, SecretName, Strict

MIB = 1024**2

CourseId = Annotated[str, StringConstraints(min_length=1, max_length=255, strip_whitespace=True)]
"""The provider's own id of a course: what SuccessFactors calls courseID and StackOne external reference."""

LearnerId = Annotated[str, StringConstraints(min_length=1, max_length=255, strip_whitespace=True)]
"""A person: never logged, never kept in clear (see `shared.pipeline`)."""


class Identity(StrEnum):
    """What the learner ids of completions are, in the order of preference."""

    NAME_ID = "name_id"
    """The NameID of single sign-on, which is the LMS's own user id."""
    LMS_USER_ID = "lms_user_id"
    """A custom field of single sign-on that holds the LMS's own user id."""
    EXTERNAL_REFERENCE = "external_reference"
    """The person's external id: the LMS's user has to be looked up by it."""


class Schedule(Strict):
    """When a course may be taken; SuccessFactors takes none without both ends."""

    start: AwareDatetime
    end: AwareDatetime
    active: bool = True
    duration: str = Field(default="", max_length=255, description="Free text shown to learners, as in `89 days`.")


class Course(Strict):
    """A course of another provider, offered to the LMS's learners. The same id again replaces it."""

    model_config = ConfigDict(allow_inf_nan=False)

    course_id: CourseId
    titles: dict[str, str] = Field(min_length=1, description="Title by locale name (`English`) or language tag.")
    descriptions: dict[str, str] = Field(default={}, description="Description by locale name or language tag.")
    launch_url: HttpsUrl
    mobile_launch_url: HttpsUrl | None = None
    thumbnail_url: HttpsUrl | None = None
    active: bool = True
    duration: str | None = Field(default=None, pattern=r"^P[0-9A-Z.]+$", description="ISO 8601, as in `PT1H30M`.")
    schedule: tuple[Schedule, ...] = ()
    price: float | None = Field(default=None, ge=0)
    currency: str = Field(default="USD", pattern=r"^[A-Z]{3}$")


class Completion(Strict):
    """Somebody has finished a course, or failed it."""

    model_config = ConfigDict(allow_inf_nan=False)

    learner: LearnerId = Field(repr=False)
    course_id: CourseId
    completed_at: AwareDatetime
    passed: bool = True
    completion_id: str | None = Field(default=None, max_length=255, description="The sender's own id, if it has one.")
    grade: str | None = Field(default=None, max_length=255)
    total_hours: float | None = Field(default=None, ge=0)
    credit_hours: float | None = Field(default=None, ge=0)
    contact_hours: float | None = Field(default=None, ge=0)
    cpe_hours: float | None = Field(default=None, ge=0)
    comments: str | None = Field(default=None, max_length=4000)


class Pace(Strict):
    """How often a service may be asked: so many requests in so many seconds, from all workers together."""

    requests: int = Field(ge=1)
    seconds: float = Field(gt=0)


class SuccessFactors(Strict):
    """SuccessFactors itself: its Open Content Network (OCN) interface."""

    kind: Literal["successfactors"] = Field(default="successfactors", description="SuccessFactors itself.")
    base_url: HttpsUrl = Field(description="Root of the learning host, as in `https://acme.plateau.com`.")
    company_id: str = Field(min_length=1, description="Company id of the tokens.")
    client_id: str = Field(min_length=1, description="Client id of the OAuth token server, often the company id.")
    admin_user_id: str = Field(min_length=1, description="The administrator in whose name requests are made.")
    secret: SecretName = Field(
        default="successfactors-client", description="Name of the secret with the client secret."
    )
    completions_as: Literal["admin", "learner"] = Field(
        default="admin", description="Whether completions are sent by the administrator or in each learner's name."
    )
    token_path: str = Field(
        default="/learning/oauth-api/rest/v1/token",
        description="Path of the token endpoint.",
    )
    courses_path: str = Field(
        default="/learning/odatav4/public/admin/ocn/v1/OcnCourses",
        description="Path that takes courses.",
    )
    events_path: str = Field(
        default="/learning/odatav4/public/admin/learningevent-service/v1/OCNLearningEvents",
        description="Path that takes completions from an administrator.",
    )
    learner_events_path: str = Field(
        default="/learning/odatav4/public/admin/ocn/v1/current-user/item/learning-event",
        description="Path that takes completions in a learner's name.",
    )
    students_path: str = Field(
        default="/learning/odatav4/searchStudent/v1/Students",
        description="Path that lists users who are not active.",
    )
    users_path: str = Field(
        default="/learning/odatav4/public/admin/search-service/v1/Students",
        description="Path that finds users by their external id.",
    )
    history_path: str | None = Field(
        default="/learning/odatav4/public/user/userlearning-service/v1/LearningHistories",
        description=(
            "Path that tells what somebody has completed; null if courses are imported under other ids than they are "
            "sent with. What was sent without an answer can then not be looked up."
        ),
    )


class StackOne(Strict):
    """SuccessFactors through StackOne's unified interface."""

    kind: Literal["stackone"] = Field(default="stackone", description="SuccessFactors behind StackOne.")
    base_url: HttpsUrl = Field(default="https://api.stackone.com", description="Root of StackOne's interface.")
    account_id: str = Field(min_length=1, description="StackOne's id of the linked account (`x-account-id`).")
    secret: SecretName = Field(default="stackone-api-key", description="Name of the secret with the API key.")
    courses_path: str = Field(default="/unified/lms/content/batch", description="Path that takes courses.")
    users_path: str = Field(
        default="/unified/lms/users", description="Path that finds users, and below which their completions go."
    )
    meta_path: str = Field(
        default="/meta/connectors/sapsuccessfactors_learning?include=connector_meta_field",
        description="Path that tells which field identifies users.",
    )


class WriteBack(Strict):
    """Where courses and completions go, who the learners are, and how fast it may be."""

    target: Annotated[SuccessFactors | StackOne, Field(discriminator="kind")]
    provider_id: str = Field(min_length=1, description="Provider id, equal to the name of the OCN provider in the LMS.")
    identity: Identity = Field(default=Identity.NAME_ID, description="What the learner ids of completions are.")
    fallback_locale: str | None = Field(
        default=None, description="Locale whose text stands in where a course has none in `locales`; null: rejected."
    )
    locales: tuple[str, ...] = Field(
        default=("English",), min_length=1, description="Locale names in which every course needs a title."
    )
    courses_per_request: int = Field(default=1000, ge=1, le=1000, description="Most courses in one request.")
    courses_pace: Pace = Field(default=Pace(requests=1, seconds=300), description="Requests that carry courses.")
    completions_per_request: int = Field(
        default=1, ge=1, le=1, description="Completions in one request: neither interface takes more than one."
    )
    completions_pace: Pace = Field(default=Pace(requests=100, seconds=60), description="Requests with completions.")
    reads_pace: Pace = Field(default=Pace(requests=1, seconds=0.5), description="Requests that only read.")
    throttled_seconds: float = Field(default=300, gt=0, description="Pause after 429 when the answer names none.")
    paused: bool = Field(
        default=False,
        description="Accept records and send none of them but for `lms push now --sample`: to see the plan first.",
    )
    read_back: bool = Field(
        default=False,
        description=(
            "Ask the LMS after each completion that it has taken whether it stands in the learner's history, and count "
            "those that do not. Takes a read for each; samples are always read back."
        ),
    )
    on_unknown: Literal["park", "resend"] = Field(
        default="park",
        description=(
            "What becomes of a completion that may have been recorded without an answer, where the LMS cannot be "
            "asked: `park` it for a person to decide, or `resend` it and risk that it is recorded twice."
        ),
    )
    batch_records: int = Field(default=5000, ge=1, le=20_000, description="Most records of a batch that is sent in.")
    batch_bytes: int = Field(
        default=4 * MIB, ge=1024, le=64 * MIB, description="Most bytes of a batch that is sent in."
    )
    parked_retention_days: int = Field(
        default=30, ge=1, description="Days that parked records are kept, sealed, to be replayed."
    )
    receipt_retention_days: int = Field(
        default=1095,
        ge=1,
        description="Days that it is remembered, under a keyed hash, that a completion was sent; it is not sent again.",
    )
    sealed_secret: SecretName = Field(
        default="write-back-key", description="Name of the secret with which accepted records are sealed until sent."
    )
    statements: Statements = Field(default=Statements(), description="What xAPI statements say about completions.")
    mappings: tuple[FileMapping, ...] = Field(default=(), description="How CSV files are read, by their names.")


class Fate(StrEnum):
    """What became of a record that was sent, or could not be."""

    DONE = "done"
    """A completion that stands in the learner's history."""
    AWAITS_IMPORT = "awaits_import"
    """A course that the LMS took; an administrator has to import it."""
    REJECTED = "rejected"
    """It will never be taken as it is."""
    PARKED = "parked"
    """Somebody has to mend something, or decide, before it can be sent."""
    RETRY = "retry"
    """Not known or not yet: sending it again is safe."""
    ALREADY = "already"
    """Nothing was sent: the LMS has it already, or a newer one takes its place."""


class Receipt(Strict):
    """What the target said to one record; without anything about a person."""

    fate: Fate
    code: Code | None = None
    reason: str = ""


class Refusal(Strict):
    """Something in a file or batch that is no record, said without any of its values."""

    line: int | None = None
    """Line on which it starts, from 1; `None` where there are no lines."""
    path: str
    """The field that is at fault, or the column; `$` for all of it."""
    code: Code
    message: str


def completed_day(completion: Completion) -> date:
    """The calendar day, in UTC, that tells completions of one course by one person apart."""
    return completion.completed_at.astimezone(UTC).date()
