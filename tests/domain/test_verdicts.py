"""Every row of the table, in the words of Graph's own pages."""

from typing import Any

import pytest

from shared.domain.errors import Code
from shared.domain.plan import Act
from shared.domain.verdicts import RULES, Decision, judge

CONTENT, CREATE, UPDATE, DELETE, LOOK_UP = Act.UPSERT_CONTENT, Act.CREATE, Act.UPDATE, Act.DELETE, None
STOP, REJECT, RETRY = Decision.STOP, Decision.REJECT, Decision.RETRY
PERMISSION, PROVIDER, REFUSED = (
    Code.GRAPH_PERMISSION_MISSING,
    Code.PROVIDER_NOT_ENABLED,
    Code.RECORD_REFUSED,
)

ROWS = [
    (CONTENT, 202, "", Decision.DONE, None),
    (CREATE, 201, "", Decision.DONE, None),
    (UPDATE, 204, "", Decision.DONE, None),
    (DELETE, 204, "", Decision.DONE, None),
    (LOOK_UP, 200, "", Decision.DONE, None),
    (CREATE, 429, "Retry after 3 minutes", Decision.RETRY_LATER, None),
    (LOOK_UP, 429, "", Decision.RETRY_LATER, None),
    (CREATE, 503, "Retry after 3 minutes", Decision.RETRY_LATER, None),
    (UPDATE, 424, "", RETRY, None),
    (CONTENT, 401, "", STOP, PERMISSION),
    (CONTENT, 400, "This provider isn't enabled for the given tenant.", STOP, PROVIDER),
    (CONTENT, 400, "This provider isn\u2019t enabled for the given tenant.", STOP, PROVIDER),
    (CREATE, 400, "Make sure the registrationId you entered is valid or registered", STOP, PROVIDER),
    (CREATE, 403, "The provider is not valid to create course activity for the content", REJECT, REFUSED),
    (UPDATE, 403, "The provider isn't valid to create course activity", REJECT, REFUSED),
    (CREATE, 403, "User License is not valid to perform the operation", Decision.UNLICENSED, None),
    (DELETE, 403, "The user license isn't valid", Decision.UNLICENSED, None),
    (LOOK_UP, 403, "The learner has no licence", Decision.UNLICENSED, None),
    (CREATE, 403, "You don't have an adequate service plan for this request.", STOP, PERMISSION),
    (CONTENT, 403, "The tenant has no license", STOP, PERMISSION),
    (CREATE, 403, "Your account doesn't have access to this report or data.", STOP, PERMISSION),
    (CREATE, 403, "", STOP, PERMISSION),
    (CREATE, 403, "UnknownError", RETRY, PERMISSION),
    (CONTENT, 400, "Input field titlelength exceeded than 100", Decision.SHORTEN, REFUSED),
    (CREATE, 400, "Input field status is required", REJECT, REFUSED),
    (UPDATE, 400, "Input Field status shouldn't be empty", REJECT, REFUSED),
    (CONTENT, 400, "Input field level is invalid", REJECT, REFUSED),
    (CREATE, 400, "Something else", REJECT, REFUSED),
    (DELETE, 404, "The requested assignment ID doesn't exist.", Decision.ALREADY_GONE, None),
    (LOOK_UP, 404, "", Decision.ALREADY_GONE, None),
    (UPDATE, 404, "", Decision.LOOK_UP, None),
    (CREATE, 404, "The user does not exist", REJECT, REFUSED),
    (CONTENT, 404, "", STOP, PROVIDER),
    (UPDATE, 405, "", Decision.ALTERNATE, REFUSED),
    (DELETE, 405, "", Decision.ALTERNATE, REFUSED),
    (CREATE, 405, "", REJECT, REFUSED),
    (CREATE, 409, "", Decision.LOOK_UP, None),
    (UPDATE, 409, "", Decision.LOOK_UP, None),
    (CONTENT, 409, "", RETRY, None),
    (CREATE, 500, "", Decision.LOOK_UP_THEN_CREATE, None),
    (CREATE, 504, "", Decision.LOOK_UP_THEN_CREATE, None),
    (CREATE, 0, "", Decision.LOOK_UP_THEN_CREATE, None),
    (CONTENT, 502, "", RETRY, None),
    (UPDATE, 0, "", RETRY, None),
    (DELETE, 500, "", RETRY, None),
    (LOOK_UP, 500, "", RETRY, None),
    (LOOK_UP, 400, "", RETRY, None),
    (CREATE, 413, "", REJECT, REFUSED),
    (CREATE, 302, "", REJECT, REFUSED),
    (CREATE, 999, "", REJECT, REFUSED),
]


@pytest.mark.parametrize(("act", "status", "message", "decision", "code"), ROWS)
def test_each_answer_has_its_verdict(
    act: Act | None, status: int, message: str, decision: Decision, code: Code | None
) -> None:
    judgement = judge(act, status, {"error": {"code": "", "message": message}})

    assert (judgement.decision, judgement.code) == (decision, code)


def test_every_row_of_the_table_is_needed() -> None:
    """A row that no answer reaches is a mistake: an earlier one hides it."""
    reached = set()
    for act, status, message, _, _ in ROWS:
        for number, rule in enumerate(RULES):
            if status in rule.statuses and act in rule.acts and (not rule.words or rule.words.search(message)):
                reached.add(number)
                break

    assert reached == set(range(len(RULES)))


def test_case_does_not_matter() -> None:
    judgement = judge(CREATE, 403, {"error": {"code": "UNKNOWNERROR", "message": ""}})

    assert judgement.decision is RETRY


def test_the_limits_of_several_fields_are_read_at_once() -> None:
    """Graph reports several faults together, in the message or in the details."""
    error: dict[str, Any] = {
        "code": "badRequest",
        "message": "badRequest",
        "details": [
            {"code": "badRequest", "message": "Input field title length exceeded than 200"},
            {"code": "badRequest", "message": "Input field descriptionlength exceeded than 4000"},
        ],
    }

    judgement = judge(CONTENT, 400, {"error": error})

    assert judgement.limits == (("title", 200), ("description", 4000))
    assert judgement.reason == "Graph answered 400: too long (description, title)"


def test_a_reason_names_known_fields_and_repeats_nothing_else() -> None:
    """Graph may put a person into its text; what we keep of it is on our list."""
    message = "Input field learnerUserId is invalid: jane.doe@example.com. Input field jane.doe is invalid"

    judgement = judge(CREATE, 400, {"error": {"code": "badRequest", "message": message}})

    assert judgement.reason == "Graph answered 400: a field is missing or not valid (learnerUserId)"


@pytest.mark.parametrize("body", [{}, {"error": None}, {"error": "text"}, {"error": {"details": "text"}}])
def test_an_error_of_an_unknown_shape_is_judged_by_its_status(body: dict[str, Any]) -> None:
    assert judge(DELETE, 500, body).decision is RETRY
