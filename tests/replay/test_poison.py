"""Messages that failed too often have an owner: kept with their reason, listed, put back once (J8)."""

import json
from datetime import timedelta

import pytest

from shared.domain.errors import Code
from shared.domain.messages import COMMANDS, MAP_LEARNERS, PUSH_RECORDS, Collect, MapLearners, PushRecords, Stage
from shared.pipeline import journal
from shared.pipeline.keep_poison import KEPT_FOR, PACKAGES, keep_poison, list_poison
from shared.pipeline.sweep import sweep
from tests.bad_input.conftest import Tenant
from tests.cli.conftest import Lms
from tests.company import betrays
from tests.desk import NAME, START
from tests.replay.conftest import refused

RUN = "20261101T060000-00000000"
PUSH = PushRecords(connection=NAME, run_id=RUN, stage=Stage.ACTIVITIES, shard=3).model_dump_json()
MAP = MapLearners(connection=NAME, run_id=RUN).model_dump_json()
COLLECT = Collect(connection=NAME, sync_id=RUN).model_dump_json()
BLOB = json.dumps(
    {"FunctionId": "Host.Functions.process_package", "ContainerName": "sealed", "BlobName": f"{NAME}/1/x"}
)


@pytest.fixture
def kept(tenant: Tenant) -> Tenant:
    """One message of every queue was put aside."""
    for number, (queue, body) in enumerate(
        [(COMMANDS, COLLECT), (MAP_LEARNERS, MAP), (PUSH_RECORDS, PUSH), (PACKAGES, BLOB)]
    ):
        keep_poison(tenant.desk.parts, queue, f"m{number}", body.encode(), START + timedelta(minutes=number))
    return tenant


def test_it_is_kept_with_what_is_known_of_it(kept: Tenant, lms: Lms) -> None:
    found = lms("poison", "--json").json

    assert [(each["message"], each["queue"], each["connection"]) for each in found] == [
        ("m0", COMMANDS, NAME),
        ("m1", MAP_LEARNERS, NAME),
        ("m2", PUSH_RECORDS, NAME),
        ("m3", PACKAGES, NAME),
    ]
    assert {each["attempts"] for each in found} == {5}
    assert all(each["reason"].endswith(".") for each in found)
    assert "m2" in lms("poison").output
    assert betrays(lms("poison").output + json.dumps(found)) == []
    assert kept.desk.messages.sent == []


def test_the_reason_is_the_last_failure_of_the_run(tenant: Tenant, lms: Lms) -> None:
    tenant.desk.set(coverage_minimum_percent=100)
    tenant.full(2)
    run = tenant.desk.sync().runs[-1]
    body = MapLearners(connection=NAME, run_id=run.run_id).model_dump_json()

    keep_poison(tenant.desk.parts, MAP_LEARNERS, "m", body.encode(), None)

    (found,) = lms("poison", "--json").json
    assert (found["run_id"], found["code"]) == (run.run_id, Code.COVERAGE_BELOW_MINIMUM)
    assert found["reason"] == run.message


def test_it_is_put_back_once(kept: Tenant, lms: Lms) -> None:
    first, again = (lms("replay", "--message", "m2", "--yes") for _ in range(2))

    assert "is back in its queue" in first.output
    assert "put back before" in again.output
    assert [(queue, body) for queue, body, _ in kept.desk.messages.sent] == [(PUSH_RECORDS, PUSH)]
    assert [each.message for each in list_poison(kept.desk.parts) if each.replayed_at] == ["m2"]


def test_delivered_again_after_it_was_put_back_it_stays_so(kept: Tenant, lms: Lms) -> None:
    """Poison queues deliver at least once, too."""
    lms("replay", "--message", "m2", "--yes")

    keep_poison(kept.desk.parts, PUSH_RECORDS, "m2", PUSH.encode(), START)

    assert lms("replay", "--queue", PUSH_RECORDS, "--yes", "--json").json == []


@pytest.mark.parametrize(
    ("queue", "sent"),
    [
        ("map-learners-poison", (MAP_LEARNERS, MAP)),
        (PACKAGES, (COMMANDS, f'{{"command":"process","connection":"{NAME}"}}')),
    ],
)
def test_a_whole_queue_is_put_back(kept: Tenant, lms: Lms, queue: str, sent: tuple[str, str]) -> None:
    """The notice of a package becomes the command to process whatever is next, which finds the package."""
    keep_poison(
        kept.desk.parts,
        queue.removesuffix("-poison"),
        "more",
        BLOB.encode() if queue == PACKAGES else MAP.encode(),
        START,
    )

    done = lms("replay", "--queue", queue, "--yes", "--json").json

    assert len(done) == 2
    assert [(to, body) for to, body, _ in kept.desk.messages.sent] == [sent, sent]


@pytest.mark.parametrize(
    ("queue", "body"),
    [
        (PUSH_RECORDS, b"\xff quokka"),
        (COMMANDS, b'{"command": "quokka"}'),
        (PACKAGES, b'{"ContainerName": "quokka", "BlobName": "x"}'),
        (PACKAGES, b"[]"),
        (MAP_LEARNERS, b""),
    ],
)
def test_what_is_none_of_ours_is_told_but_not_kept(tenant: Tenant, lms: Lms, queue: str, body: bytes) -> None:
    """Nobody knows what somebody else has put into a queue; it could be about a person."""
    keep_poison(tenant.desk.parts, queue, "strange", body, START)

    (found,) = lms("poison", "--json").json
    assert (found["body"], found["code"]) == ("", Code.UNEXPECTED)
    assert betrays(json.dumps(found)) == []
    assert "would only fail again" in refused(lms("replay", "--message", "strange", "--yes"))
    assert "no message to put back" in lms("replay", "--queue", queue, "--yes").output


def test_an_unknown_message_or_queue_is_told(lms: Lms) -> None:
    assert "lms poison" in refused(lms("replay", "--message", "nobody", "--yes"))
    assert "push-records" in refused(lms("replay", "--queue", "nobody", "--yes"))
    assert "No message was put aside" in lms("poison").output


def test_it_outlives_the_queue_until_somebody_has_seen_to_it(kept: Tenant, lms: Lms) -> None:
    """A queue forgets after seven days; here only what was put back is forgotten, and much later."""
    lms("replay", "--message", "m1", "--yes")
    kept.desk.messages.take()
    kept.desk.now += KEPT_FOR + timedelta(seconds=1)

    sweep(kept.desk.parts)

    assert [each.message for each in list_poison(kept.desk.parts)] == ["m0", "m2", "m3"]


def test_a_late_message_of_a_run_that_has_ended_changes_nothing(tenant: Tenant, lms: Lms) -> None:
    run = journal.list_runs(tenant.desk.parts, NAME)[0]
    body = PushRecords(connection=NAME, run_id=run.run_id, stage=Stage.ACTIVITIES, shard=0).model_dump_json()
    keep_poison(tenant.desk.parts, PUSH_RECORDS, "late", body.encode(), START)
    lms("replay", "--message", "late", "--yes")

    with tenant.nothing_changes():
        tenant.desk.sync()
