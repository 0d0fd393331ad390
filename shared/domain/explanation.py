"""Why a learner sees a course or does not: one cause, how to mend it, and the facts that lead to it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.domain.errors import Code
from shared.domain.strict import Strict


class Cause(StrEnum):
    """Why it is as it is; the names are stable, for programs."""

    PUBLISHED = "published"
    COMPLETED = "completed"
    WITHDRAWN = "withdrawn"
    ON_ITS_WAY = "on_its_way"
    PARKED_BY_THROTTLE = "parked_by_throttle"
    NOT_SENT = "not_sent"
    HALTED = "halted"
    UNMATCHED = "unmatched"
    AMBIGUOUS = "ambiguous"
    DISABLED = "disabled"
    UNLICENSED = "unlicensed"
    LEARNER_INACTIVE = "learner_inactive"
    CONTENT_INACTIVE = "content_inactive"
    CONTENT_REJECTED = "content_rejected"
    RECORD_REJECTED = "record_rejected"
    NO_CREDIT = "no_credit"
    TABLE_MISSING = "table_missing"
    NEVER_IN_A_PACKAGE = "never_in_a_package"
    LEARNER_SYNC_OFF = "learner_sync_off"
    FULL_PACKAGE_NEEDED = "full_package_needed"
    NOTHING_PUBLISHED = "nothing_published"


@dataclass(frozen=True, slots=True)
class Words:
    """A cause in plain words; `{attribute}` stands for that in Entra with which ids are compared."""

    what: str
    mend: str = ""


WORDS: Mapping[Cause, Words] = {
    Cause.PUBLISHED: Words(
        "It is published, and Viva Learning shows it to this learner.",
        "If it does not show yet: Microsoft speaks of 24 to 48 hours until it does. The learner has to be signed in as "
        "the user named below.",
    ),
    Cause.COMPLETED: Words(
        "It is published as completed, so it stands among the completed courses and not among the open ones.",
    ),
    Cause.WITHDRAWN: Words(
        "It was taken back, because a later package does not have the assignment any more.",
        "Assign it again in the LMS; the next package brings it.",
    ),
    Cause.ON_ITS_WAY: Words(
        "It is on its way: the run that publishes it has not ended yet.",
        "Wait for the run to end; `lms run` shows how far it is.",
    ),
    Cause.PARKED_BY_THROTTLE: Words(
        "It waits because Graph asked for a pause; it is sent when that is over.",
        "Nothing has to be done. If this lasts for hours, see the service health of Microsoft 365.",
    ),
    Cause.NOT_SENT: Words(
        "It is to be published, but no run has sent it yet.",
        "The next sync sends it. If the last run failed, mend first what it names.",
    ),
    Cause.HALTED: Words(
        "The run that would publish it was halted by a gate and waits for somebody.",
        "Look at it with `lms run`, then let it go on with `lms approve`.",
    ),
    Cause.UNMATCHED: Words(
        "No user in Entra has this learner's person id as {attribute}.",
        "Fill in {attribute} in Entra, or correct PERSON_ID_EXTERNAL in the LMS. The next sync finds it.",
    ),
    Cause.AMBIGUOUS: Words(
        "Several enabled users in Entra have this learner's person id as {attribute}, so nothing is sent to any.",
        "Leave this {attribute} with one enabled user only. The next sync finds it.",
    ),
    Cause.DISABLED: Words(
        "The only user in Entra with this learner's person id is disabled.",
        "Enable the account, or give its {attribute} to the account that is in use.",
    ),
    Cause.UNLICENSED: Words(
        "The learner's user has no licence for Viva Learning, so the record is parked.",
        "Assign a licence that holds one of `viva.licence_service_plan_ids`; the record goes out with a later sync.",
    ),
    Cause.LEARNER_INACTIVE: Words(
        "The LMS says that this student id is no longer active, so its open assignments are left as they are.",
        "Reactivate the student in the LMS if that is wrong.",
    ),
    Cause.CONTENT_INACTIVE: Words(
        "The course is not active: switched off in the LMS, gone from it, or in no active library.",
        "Activate the item in the LMS, or put it into an active library.",
    ),
    Cause.CONTENT_REJECTED: Words(
        "The course itself was rejected, so nothing about it can be published.",
        "Correct what is named below; the next package brings the course, and then its records go out.",
    ),
    Cause.RECORD_REJECTED: Words(
        "The learner's record was rejected.",
        "Correct what is named below; the next package brings the record.",
    ),
    Cause.NO_CREDIT: Words(
        "There is no assignment, and the completion's status gives no credit.",
        "Check PROVIDE_CRDT of the completion status in the LMS.",
    ),
    Cause.TABLE_MISSING: Words(
        "The record is parked, because a table that decides about it is missing or was rejected.",
        "Have a package made that holds the table named below.",
    ),
    Cause.NEVER_IN_A_PACKAGE: Words(
        "No package has brought what would have to be shown.",
        "Check in the LMS that the learner exists, that the course is assigned, and that the extract holds both.",
    ),
    Cause.LEARNER_SYNC_OFF: Words(
        "Records of learners are not synced: `learner_sync` of the connection is off.",
        "Switch `learner_sync` on, and have a full package made.",
    ),
    Cause.FULL_PACKAGE_NEEDED: Words(
        "No full package has brought the learners since `learner_sync` was switched on.",
        "Have a full package made.",
    ),
    Cause.NOTHING_PUBLISHED: Words(
        "Nothing has been published for this connection yet.",
        "See `lms status` and `lms runs` for what became of the first full package.",
    ),
}


class About(StrEnum):
    """What a fact is about, in the order in which the facts are told."""

    CONNECTION = "connection"
    RUN = "run"
    LEARNER = "learner"
    DIRECTORY = "directory"
    COURSE = "course"
    ASSIGNMENT = "assignment"
    COMPLETION = "completion"
    PUSH = "push"


class Fact(Strict):
    """Something that is known, and where it stands."""

    about: About
    text: str
    at: datetime | None = None
    run: str | None = None
    package: str | None = None
    """Name of the package's file."""
    file: str | None = None
    """File within the package; the table's name where nobody has looked into the package again."""
    line: int | None = None
    """Where the record starts; the header is line 1."""
    field: str | None = None
    code: Code | None = None


class Shown(Strict):
    """What Viva Learning shows of the course to the learner."""

    kind: str
    """`assignment` or `self`, a completion that stands for itself."""
    status: str
    activity_id: str | None = None
    user_id: str | None = None
    since: datetime | None = None
    """End of the run that published it; `None` when its records are no longer kept."""


class Finding(Strict):
    """What was found out about one learner, who is not named, and one course."""

    connection: str
    item: str
    """Type and id of the course, with a colon between them."""
    cause: Cause
    what: str
    mend: str
    decisive: Fact | None = None
    """The fact that the cause rests on most of all."""
    shown: tuple[Shown, ...] = ()
    facts: tuple[Fact, ...] = ()
