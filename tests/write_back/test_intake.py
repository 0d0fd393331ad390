"""What is sent in: what is accepted, what is refused and in which words, and that it is accepted once."""

import json
from typing import Any

import pytest

from shared.domain.batches import Kind, Stand
from shared.domain.errors import Code, SettingsError, TransientError
from shared.domain.messages import PUSH_COMPLETIONS
from shared.pipeline.write_back.requests import Reply, get_batch, post_batch
from shared.pipeline.write_back.take_records import take_records
from tests.company import betrays
from tests.desk import NAME
from tests.write_back.conftest import Office, completion, course

COMPLETIONS = Kind.COMPLETIONS


def post(office: Office, body: bytes, *, connection: str | None = None, **headers: str) -> Reply:
    query = {"connection": connection} if connection else {}
    return post_batch(office.parts, COMPLETIONS, body, headers, query)


def test_the_sender_is_told_where_to_look(office: Office) -> None:
    reply = office.post(COMPLETIONS, [completion(1), completion(2)])

    assert reply.status == 202
    assert reply.headers["Location"] == reply.body["look"] == f"/api/batches/{reply.body['batch']}"
    before = get_batch(office.parts, reply.body["batch"])
    assert (before.body["state"], before.body["waiting"]) == (Stand.WAITING, 2)
    office.work()
    after = get_batch(office.parts, reply.body["batch"])
    assert (after.body["state"], after.body["waiting"], after.body["fates"]) == (Stand.DONE, 0, {"done": 2})
    assert get_batch(office.parts, "0" * 32).status == 404


def test_a_batch_shows_how_far_it_has_come(office: Office) -> None:
    office.set(completions_pace={"requests": 2, "seconds": 60})
    reply = office.post(COMPLETIONS, [completion(number) for number in range(5)])
    office.desk.messages.take()
    office.post(COMPLETIONS, [completion(9)])
    from shared.domain.messages import PushCompletions
    from shared.pipeline.write_back.push import push_completions

    push_completions(office.parts, PushCompletions(connection=NAME))

    assert get_batch(office.parts, reply.body["batch"]).body["fates"] == {"done": 2}


def test_bad_records_are_refused_one_by_one_and_the_others_accepted(office: Office) -> None:
    """With the path of what is wrong, and nothing of what the record says."""
    records: list[Any] = [
        completion(1),
        completion(2, completed_at="quokka's birthday"),
        completion(3, course_id=""),
        {"course_id": "C-1"},
        completion(4, quokka="quokka"),
        "quokka",
        completion(5, completed_at="2099-01-01T00:00:00Z"),
        completion(6, total_hours=-1),
        completion(7, completed_at="2026-10-01T10:00:00"),
        completion(8),
    ]

    reply = office.post(COMPLETIONS, records)

    assert (reply.body["accepted"], reply.body["refused"]) == (2, 8)
    assert [(each["record"], each["path"]) for each in reply.body["refusals"]] == [
        (2, "completed_at"),
        (3, "course_id"),
        (4, "learner"),
        (5, "*"),
        (6, "$"),
        (7, "completed_at"),
        (8, "total_hours"),
        (9, "completed_at"),
    ]
    assert betrays(reply.text) == []
    (path,) = office.parts.reports.list_paths(f"{NAME}/push-")
    report = office.parts.reports.get(path).decode()
    assert len(report.splitlines()) == 9
    assert betrays(report) == []


def test_a_batch_without_any_good_record_is_none(office: Office) -> None:
    reply = office.post(COMPLETIONS, [{"learner": "quokka"}])

    assert reply.status == 422
    assert office.batches == []
    assert office.desk.messages.sent == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"quokka", 400),
        (b"\xff", 400),
        (b'{"records": {}}', 400),
        (b'{"records": []}', 400),
        (b'{"records": [NaN]}', 400),
        (b"[" * 100_000, 400),
        (b'"quokka"', 400),
        (b'{"records": [1], "idempotency_key": 5}', 400),
        (b'{"records": [1], "connection": "quokka"}', 404),
        (b" " * (4 << 20) + b"[]", 413),
    ],
)
def test_what_is_no_batch_is_refused_in_words(office: Office, body: bytes, status: int) -> None:
    reply = post(office, body)

    assert reply.status == status
    assert reply.body["error"]["code"] == Code.BATCH_INVALID
    assert reply.body["error"]["message"].endswith((".", "`."))
    assert betrays(reply.text) == []


def test_too_many_records_are_refused(office: Office) -> None:
    office.set(batch_records=2)

    reply = office.post(COMPLETIONS, [completion(number) for number in range(3)])

    assert reply.status == 413
    assert "`write_back.batch_records`" in reply.body["error"]["message"]


def test_the_same_key_and_body_are_the_same_batch(office: Office) -> None:
    """Whether it was sent meanwhile or not; another body under the key is refused."""
    first = office.post(COMPLETIONS, [completion(1)], key="monday")
    again = office.post(COMPLETIONS, [completion(1)], key="monday")
    office.work()
    late = office.post(COMPLETIONS, [completion(1)], key="monday")
    other = office.post(COMPLETIONS, [completion(2)], key="monday")

    assert first == again == late
    assert other.status == 409
    assert len(office.batches) == 1
    assert len(office.lms.history) == 1
    assert office.post(Kind.COURSES, [course(1)], key="monday").status == 202


def test_a_worker_that_dies_while_it_accepts_is_followed_by_another(office: Office) -> None:
    """The sender has no answer and tries again, with the same key: nothing is lost, nothing is there twice."""
    put = office.parts.outbox.put

    def die(*_: object) -> None:
        raise TransientError("the machine is gone")

    office.parts.outbox.put = die  # type: ignore[method-assign,assignment]
    died = office.post(COMPLETIONS, [completion(1)], key="k")
    office.parts.outbox.put = put  # type: ignore[method-assign]
    assert (died.status, died.headers["Retry-After"]) == (503, "30")
    assert office.batch.stand is Stand.SEALING

    assert office.post(COMPLETIONS, [completion(1)], key="k").status == 202
    office.work()
    assert office.batch.fates == {"done": 1}


def test_statements_of_xapi_may_be_posted(office: Office) -> None:
    statement = {
        "actor": {"account": {"homePage": "https://acme.example", "name": "quokka-1"}},
        "verb": {"id": "http://adlnet.gov/expapi/verbs/completed"},
        "object": {"id": "https://courses.example/1"},
        "timestamp": "2026-10-20T10:00:00Z",
    }
    seen = {**statement, "verb": {"id": "http://adlnet.gov/expapi/verbs/experienced"}}
    wrong = {**statement, "actor": {"mbox": "quokka"}}

    reply = office.post(COMPLETIONS, [statement, seen, wrong])
    office.work()

    assert (reply.body["accepted"], reply.body["ignored"], reply.body["refused"]) == (1, 1, 1)
    assert reply.body["refusals"][0]["path"] == "actor.mbox"
    assert [(each.learner, each.course_id) for each in office.lms.history] == [
        ("quokka-1", "https://courses.example/1")
    ]
    assert betrays(reply.text) == []


def test_a_connection_that_sends_nothing_back_accepts_nothing(office: Office) -> None:
    office.desk.set(write_back=None)

    reply = office.post(COMPLETIONS, [completion(1)])

    assert (reply.status, reply.body["error"]["code"]) == (409, Code.WRITE_BACK_OFF)


def test_what_rests_is_sealed(office: Office) -> None:
    """Not even an id in hex; and each batch in its own place."""
    office.post(COMPLETIONS, [completion(1)])
    (path,) = office.parts.outbox.list_paths("")
    sealed = office.parts.outbox.get(path)

    assert betrays(sealed.decode("latin-1") + sealed.hex()) == []
    keys = office.desk.secrets.list_versions("write-back-key")
    with pytest.raises(Exception, match="altered"):
        office.parts.sealing.open(sealed, f"{path}x", keys)


def test_without_a_key_in_the_vault_nothing_is_accepted(office: Office) -> None:
    """Otherwise it would rest in clear, or be lost."""
    office.desk.secrets.values["write-back-key"] = "too short"

    reply = office.post(COMPLETIONS, [completion(1)])

    assert (reply.status, reply.body["error"]["code"]) == (500, Code.SETTINGS_INVALID)
    assert office.desk.messages.sent == []


def test_other_software_uses_the_queue(office: Office) -> None:
    """A message that comes twice is accepted once."""
    body = json.dumps({"kind": "completions", "records": [completion(1)]}).encode()
    for _ in range(2):
        take_records(office.parts, "m1", body)
    take_records(office.parts, "m2", b'{"records": [1]}')
    take_records(office.parts, "m3", b"quokka")
    office.work()

    assert len(office.batches) == 1
    assert office.batch.source == "queue"
    assert len(office.lms.history) == 1


def test_the_queue_keeps_what_cannot_be_accepted_yet(office: Office) -> None:
    """It is the only place where the records are."""
    key = office.desk.secrets.values.pop("write-back-key")
    body = json.dumps({"kind": "courses", "records": [course(1)]}).encode()
    with pytest.raises(SettingsError):
        take_records(office.parts, "m1", body)

    office.desk.secrets.values["write-back-key"] = key
    take_records(office.parts, "m1", body)
    assert [queue for queue, _, _ in office.desk.messages.take()] == [PUSH_COMPLETIONS]
