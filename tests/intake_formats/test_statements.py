"""What statements say about completions, and what of them is nothing for us."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from shared.pipeline.intake_formats.findings import Ignored
from tests.intake_formats.files import Outcome, by_line, read, settings
from tests.xapi.samples import ACCOUNT, AGENT, EVENT, GONE, GROUP, LEAST, STATEMENT, UUID, changed, nested

ADL = "http://adlnet.gov/expapi/verbs/"
DONE = changed(LEAST, ("verb.id", f"{ADL}completed"), ("timestamp", "2026-03-31T17:00:00Z"))
OTHER = "87654321-1234-5678-1234-567812345678"


def outcome_of(*values: object, **given: Any) -> Outcome:  # noqa: ANN401 - as JSON
    return read("x.jsonl", by_line(*values), statements=given)


def test_a_whole_statement_becomes_a_whole_completion() -> None:
    found = outcome_of(STATEMENT).completions[0]

    assert found.model_dump(exclude_none=True) == {
        "learner": "ada@example.com",
        "course_id": "https://example.com/courses/7",
        "completed_at": datetime(2026, 3, 31, 17, 0, 0, 123000, tzinfo=UTC),
        "passed": True,
        "completion_id": UUID,
        "grade": "50",
        "total_hours": 1.5,
    }


@pytest.mark.parametrize(
    ("verb", "result", "passed"),
    [
        ("passed", {}, True),
        ("passed", {"success": False}, True),
        ("failed", {}, False),
        ("failed", {"success": True}, False),
        ("completed", {}, True),
        ("completed", {"success": False}, False),
        ("completed", {"success": True, "completion": True}, True),
    ],
)
def test_the_verb_says_whether_it_was_passed(verb: str, result: object, passed: object) -> None:
    statement = changed(DONE, ("verb.id", ADL + verb), ("result", result))

    assert [each.passed for each in outcome_of(statement).completions] == [passed]


def test_verbs_are_a_setting() -> None:
    statement = changed(DONE, ("verb.id", "https://example.com/mastered"))

    assert outcome_of(statement).ignored == {Ignored.OTHER_VERB: 1}
    assert outcome_of(statement, passed_verbs=["https://example.com/mastered"]).completions[0].passed


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        (changed(DONE, ("verb.id", f"{ADL}attempted")), Ignored.OTHER_VERB),
        (changed(DONE, ("object", AGENT)), Ignored.OTHER_OBJECT),
        (nested() | {"verb": DONE["verb"]}, Ignored.OTHER_OBJECT),
        (changed(DONE, ("result", {"completion": False})), Ignored.NOT_COMPLETED),
    ],
)
def test_what_is_valid_and_nothing_for_us_is_counted(statement: object, why: Ignored) -> None:
    outcome = outcome_of(statement, DONE)

    assert (len(outcome.completions), outcome.refusals, outcome.ignored) == (1, [], {why: 1})


def test_what_is_voided_earlier_in_the_file_is_left_out_and_the_voiding_is_told() -> None:
    voiding = changed(LEAST, ("verb.id", f"{ADL}voided"), ("object", {"objectType": "StatementRef", "id": UUID}))
    outcome = outcome_of(voiding, changed(DONE, ("id", UUID.upper())), changed(DONE, ("id", OTHER)))

    assert [each.completion_id for each in outcome.completions] == [OTHER]
    assert outcome.ignored == {Ignored.VOIDED: 1}
    assert outcome.faults == [(1, "verb.id", "FIELD_INVALID")]


@pytest.mark.parametrize(
    ("setting", "actor", "learner"),
    [
        ("either", ACCOUNT, "u-1"),
        ("either", AGENT, "ada@example.com"),
        ("account", ACCOUNT, "u-1"),
        ("account", AGENT, None),
        ("mbox", ACCOUNT, None),
        ("mbox", AGENT, "ada@example.com"),
        ("either", {"openid": "https://id.example.com/1"}, None),
        ("either", {"mbox_sha1sum": "ab" * 20}, None),
    ],
)
def test_where_the_learner_stands_is_a_setting(setting: str, actor: object, learner: str | None) -> None:
    outcome = outcome_of(changed(DONE, ("actor", actor)), learner=setting)

    assert [each.learner for each in outcome.completions] == ([learner] if learner else [])
    assert [each.path for each in outcome.refusals] == ([] if learner else ["actor"])


def test_a_group_completes_nothing() -> None:
    assert outcome_of(changed(DONE, ("actor", GROUP))).faults == [(1, "actor.objectType", "FIELD_INVALID")]


def test_an_account_without_a_name_is_nobody() -> None:
    assert outcome_of(changed(DONE, ("actor.account.name", " "))).faults == [(1, "actor.account.name", "FIELD_INVALID")]


def test_accounts_of_other_systems_can_be_refused() -> None:
    other = changed(DONE, ("actor.account.homePage", "https://elsewhere.example.com"))
    outcome = outcome_of(DONE, other, account_home_page="https://sso.example.com/")

    assert len(outcome.completions) == 1
    assert outcome.faults == [(2, "actor.account.homePage", "FIELD_INVALID")]


@pytest.mark.parametrize(
    ("given", "object_id", "course_id"),
    [
        ({}, "https://example.com/c/7?x=1", "https://example.com/c/7?x=1"),
        ({"course": "last_segment"}, "https://example.com/c/7?x=1#y", "7"),
        ({"course": "last_segment"}, "https://example.com/c/F%C3%BCr%20alle/", "Für alle"),
        ({"course": "last_segment"}, "urn:course:7", "urn:course:7"),
        ({"course": "pattern", "course_pattern": "/c/([^/?]+)"}, "https://example.com/c/7/intro", "7"),
        ({"course": "pattern", "course_pattern": "/c/([^/?]+)"}, "https://example.com/d/7", None),
        ({"course": "last_segment"}, "https://example.com/" + "x" * 256, None),
    ],
)
def test_which_part_of_the_object_is_the_course_is_a_setting(given: Any, object_id: str, course_id: str | None) -> None:  # noqa: ANN401 - as JSON
    outcome = outcome_of(changed(DONE, ("object.id", object_id)), **given)

    assert [each.course_id for each in outcome.completions] == ([course_id] if course_id else [])
    assert [each.path for each in outcome.refusals] == ([] if course_id else ["object.id"])


@pytest.mark.parametrize(
    ("setting", "score", "grade"),
    [
        ("percent", {"scaled": 0.875, "raw": 7}, "87.5"),
        ("percent", {"scaled": 0.29}, "29"),
        ("percent", {"raw": 7}, None),
        ("scaled", {"scaled": -0.5}, "-0.5"),
        ("raw", {"scaled": 1, "raw": 7}, "7"),
        ("raw", {"scaled": 1}, None),
        ("none", {"scaled": 1, "raw": 7}, None),
    ],
)
def test_which_score_is_the_grade_is_a_setting(setting: str, score: object, grade: str | None) -> None:
    outcome = outcome_of(changed(DONE, ("result", {"score": score})), grade=setting)

    assert [each.grade for each in outcome.completions] == [grade]


@pytest.mark.parametrize(
    ("duration", "hours"),
    [("PT1H30M", 1.5), ("PT90M", 1.5), ("PT36S", 0.01), ("P1DT1H", 25), ("P1W", 168), ("PT0,5H", 0.5), ("P1M", None)],
)
def test_durations_become_hours_where_their_length_is_known(duration: str, hours: float | None) -> None:
    found = outcome_of(changed(DONE, ("result", {"duration": duration}))).completions[0]

    assert found.total_hours == (hours if hours is None else pytest.approx(hours))


@pytest.mark.parametrize(
    ("times", "zone", "hour"),
    [
        ({"timestamp": "2026-03-31T17:00:00+02:00"}, "UTC", 15),
        ({"timestamp": "2026-03-31T17:00:00"}, "UTC", 17),
        ({"timestamp": "2026-03-31T17:00:00"}, "Europe/Berlin", 15),
        ({"timestamp": "2026-03-31T17:00:00Z", "stored": "2026-04-01T00:00:00Z"}, "UTC", 17),
        ({"stored": "2026-03-31T18:00:00Z"}, "UTC", 18),
    ],
)
def test_the_time_is_that_of_the_experience_or_else_that_of_its_storing(times: Any, zone: str, hour: int) -> None:  # noqa: ANN401 - as JSON
    statement = changed(DONE, ("timestamp", GONE)) | times

    assert outcome_of(statement, time_zone=zone).completions[0].completed_at == datetime(2026, 3, 31, hour, tzinfo=UTC)


@pytest.mark.parametrize(
    ("time", "path"),
    [(None, "timestamp"), ("9999-12-31T23:59:59-01:00", "timestamp"), ("0001-01-01T00:00+01", "timestamp")],
)
def test_a_completion_without_a_time_in_the_calendar_is_refused(time: str | None, path: str) -> None:
    statement = changed(DONE, ("timestamp", time or GONE))

    assert [each.path for each in outcome_of(statement).refusals] == [path]


def test_the_version_of_statements_that_name_none_is_a_setting() -> None:
    statement = changed(DONE, ("context", {"contextAgents": []}))

    assert [each.path for each in outcome_of(statement).refusals] == ["context.contextAgents"]
    assert len(outcome_of(statement, version="2.0").completions) == 1


def test_invalid_statements_are_refused_one_by_one_and_all_others_are_taken() -> None:
    bad = changed(DONE, ("result", {"score": {"scaled": 2}}))
    body = json.dumps({"statements": [DONE, bad, DONE, changed(DONE, ("verb", {})), DONE], "more": ""}, indent=1)
    outcome = read("x.json", body)

    assert len(outcome.completions) == 3
    assert [(path, code) for _, path, code in outcome.faults] == [
        ("result.score.scaled", "FIELD_INVALID"),
        ("verb.id", "FIELD_REQUIRED"),
    ]
    lines = body.splitlines()
    assert all("{" in lines[each.line - 1] for each in outcome.refusals if each.line)


def test_a_refusal_says_where_and_what_and_holds_no_value() -> None:
    """People's ids stand in actors, but also in names, answers, extensions, and even in keys."""
    person = "Zebedee_Quill"
    agent = {"name": person, "mbox": f"mailto:{person}@example.com"}
    attempts = [
        changed(DONE, ("actor", {**agent, "objectType": person})),
        changed(DONE, ("actor", {**agent, "openid": f"https://{person}.example.com"})),
        changed(DONE, ("actor", {**agent, person: 1})),
        changed(DONE, ("actor", {"mbox": person})),
        changed(DONE, ("actor", {"account": {"homePage": person, "name": person}})),
        changed(DONE, ("actor", {"account": {"homePage": "a:b", "name": person * 100}})),
        changed(DONE, ("actor", person)),
        changed(DONE, ("actor", {"objectType": "Group", "member": [agent], person: 1})),
        changed(DONE, ("object", {"id": person})),
        changed(DONE, ("object.definition", {"interactionType": person})),
        changed(DONE, ("result", {"extensions": {person: person}})),
        changed(DONE, ("result", {"response": [person]})),
        changed(DONE, ("context", {"language": person})),
        changed(DONE, ("verb.display", {person: person})),
        changed(DONE, ("timestamp", person)),
        changed(DONE, ("id", person)),
        changed(DONE, ("version", person)),
        changed(DONE, ("attachments", [{"usageType": person}])),
        {"learner": person, "course_id": "C", "completed_at": person},
        {"learner": person, "course_id": "C", "completed_at": "2026-03-31T17:00:00Z", person: person},
        {"learner": person * 99, "course_id": "C", "completed_at": "2026-03-31T17:00:00Z"},
        {"titles": {person: 1}, "launch_url": person},
        [person],
        person,
    ]
    outcome = read("x.jsonl", by_line(*attempts) + f'{{"{person}": "{person}\n')

    assert len(outcome.refusals) == len(attempts) + 1
    for refusal in outcome.refusals:
        assert person.lower() not in refusal.model_dump_json().lower()
        assert refusal.message.endswith(".")


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"course": "pattern"}, "course_pattern"),
        ({"course_pattern": "(.)"}, "course_pattern"),
        ({"course": "pattern", "course_pattern": "(("}, "no regular expression"),
        ({"course": "pattern", "course_pattern": "x"}, "exactly one group"),
        ({"passed_verbs": [f"{ADL}completed"]}, "one thing only"),
        ({"time_zone": "Mars"}, "no IANA time zone"),
    ],
)
def test_settings_that_cannot_be_followed_are_refused(given: Any, says: str) -> None:  # noqa: ANN401 - as JSON
    with pytest.raises(ValidationError, match=says):
        settings(statements=given)


def test_the_event_of_the_samples_is_a_statement_too() -> None:
    assert len(outcome_of(EVENT).completions) == 1
