"""Shards are pushed whole: in order, once, and after a kill at any moment."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from infra.local.graph import Faults
from shared.domain.connection import Connection
from shared.domain.errors import BusyError, Code
from shared.domain.messages import Stage
from shared.domain.plan import Verdict
from shared.pipeline.push_records import Progress, is_stage_done, push_shard
from shared.ports import Answer, Call
from tests.fakes import MemoryLeases
from tests.pipeline.push_tenant import CONNECTION, NOW, ONE_BY_ONE, STRANGER, Tenant, delete_activity, upsert_content


@pytest.mark.parametrize("connection", [CONNECTION, ONE_BY_ONE])
def test_every_kind_of_operation_gets_its_receipt(tenant: Tenant, connection: Connection) -> None:
    mode = str(connection.viva.batch)
    gone, old = tenant.ids(f"gone-{mode}", f"old-{mode}")
    message = tenant.plan(
        [
            tenant.create(0, f"new-{mode}"),
            tenant.update(1, f"old-{mode}", old, status="inProgress"),
            delete_activity(2, f"gone-{mode}", gone),
        ]
    )

    progress = tenant.push(message, connection)

    assert progress == Progress(done=True)
    assert tenant.verdicts(message) == [Verdict.DONE] * 3
    held = tenant.held()
    assert tenant.receipts(message)[0].graph_id == held[f"new-{mode}"]["id"]
    assert held[f"old-{mode}"]["status"] == "inProgress"
    assert f"gone-{mode}" not in held


def test_what_is_done_is_not_sent_again(tenant: Tenant) -> None:
    """Messages are delivered at least once."""
    message = tenant.plan([tenant.create(0, "twice")])
    tenant.push(message)
    tenant.simulator.reset_counters()

    assert tenant.push(message) == Progress(done=True)

    assert tenant.simulator.counters().requests == 0


def test_one_worker_at_a_time(tenant: Tenant) -> None:
    message = tenant.plan([tenant.create(0, "held")])
    with (
        tenant.leases.hold(f"push/acme/{message.run_id}/activities/00000"),
        pytest.raises(BusyError),
    ):
        tenant.push(message)


def test_an_activity_that_changes_its_kind_is_deleted_before_it_is_made_anew(tenant: Tenant) -> None:
    """Both have the same key, so the order decides whether one is left."""
    (old,) = tenant.ids("moved")
    body = {"@odata.type": "#microsoft.graph.learningSelfInitiatedCourse", "status": "completed"}
    new = tenant.create(0, "moved", **body)
    without_type = {name: value for name, value in (new.body or {}).items() if name != "assignmentType"}
    message = tenant.plan([new.model_copy(update={"body": without_type}), delete_activity(1, "moved", old)])

    assert tenant.push(message).done

    assert tenant.held()["moved"]["_type"] == "learningSelfInitiatedCourse"


def test_a_create_waits_for_the_delete_that_must_come_first(tenant: Tenant) -> None:
    (old,) = tenant.ids("stuck")
    message = tenant.plan([delete_activity(0, "stuck", old), tenant.create(1, "stuck")])
    tenant.simulator.inject(Faults(fail=3, fail_status=500))

    first = tenant.push(message)

    assert not first.done
    assert tenant.receipts(message) == {}
    tenant.simulator.inject(Faults())
    assert tenant.push(message).done
    assert tenant.held()["stuck"]["id"] != old


class Killed(BaseException):
    """The process is gone; nothing of it runs any more, no `finally` has an effect."""


class Mortal:
    """Blobs and Graph of a worker that dies at its n-th effect, before or after it took place."""

    def __init__(self, tenant: Tenant, death: int) -> None:
        self._tenant = tenant
        self._left = death
        self._dead = False
        self.get, self.list_paths = tenant.shards.get, tenant.shards.list_paths
        self.open, self.delete = tenant.shards.open, tenant.shards.delete
        self.get_file, self.put_file = tenant.shards.get_file, tenant.shards.put_file
        self.release = tenant.shards.release
        self.pages = tenant.graph.pages

    def put(self, path: str, content: bytes) -> None:
        self._live()
        self._tenant.shards.put(path, content)
        self._live()

    def send(self, calls: Sequence[Call], *, batch: bool) -> Sequence[Answer]:
        self._live()
        answers = self._tenant.graph.send(calls, batch=batch)
        self._live()
        return answers

    def _live(self) -> None:
        self._left -= 1
        if self._dead or self._left == 0:
            self._dead = True
            raise Killed


def test_a_kill_at_any_moment_leaves_one_activity_a_key(tenant: Tenant) -> None:
    """The worker dies before and after each of its effects, then a second one dies too, then one lives."""
    deaths = 0
    for death in range(1, 100):
        before = deaths
        keys = [f"kill-{death}-{number}" for number in range(25)]
        old, gone = tenant.ids(f"kill-{death}-old", f"kill-{death}-gone")
        creates = [tenant.create(number, key) for number, key in enumerate(keys)]
        others = [
            tenant.create(30, f"kill-{death}-old", status="inProgress"),
            delete_activity(31, f"kill-{death}-old", old),
            delete_activity(32, f"kill-{death}-gone", gone),
        ]
        message = tenant.plan([*creates, *others])
        for again in (death, max(1, death - 1)):
            mortal = Mortal(tenant, again)
            try:
                push_shard(
                    message,
                    connection=CONNECTION,
                    shards=mortal,
                    graph=mortal,
                    leases=MemoryLeases(),
                    now=NOW,
                )
            except Killed:
                deaths += 1
        assert tenant.push(message).done
        receipts = tenant.receipts(message)
        held = tenant.held()
        assert len(receipts) == 28
        assert all(receipts[number].graph_id == held[key]["id"] for number, key in enumerate(keys))
        assert held[f"kill-{death}-old"]["status"] == "inProgress"
        assert f"kill-{death}-gone" not in held
        if deaths == before:
            break

    assert deaths >= 20


def test_a_create_that_failed_after_taking_effect_is_taken_over_at_once(tenant: Tenant) -> None:
    message = tenant.plan([tenant.create(number, f"late-{number}") for number in range(30)])
    tenant.simulator.inject(Faults(fail_after_applying=30))
    tenant.simulator.reset_counters()

    assert tenant.push(message).done

    assert len([key for key in tenant.held() if key.startswith("late-")]) == 30
    assert tenant.simulator.counters().items == 30 * 3, "made, found, and changed: none is deleted and made again"


def test_a_create_that_is_not_found_yet_waits_for_the_next_attempt(tenant: Tenant) -> None:
    """The failed call may be under way still; creating at once would make two."""
    message = tenant.plan([tenant.create(0, "slow")])
    tenant.simulator.inject(Faults(fail=1, fail_status=504))

    progress = tenant.push(message)

    assert not progress.done
    assert progress.not_before is not None
    assert timedelta(seconds=30) <= progress.not_before - NOW < timedelta(seconds=35)
    assert tenant.push(message).done
    assert "slow" in tenant.held()


def test_an_activity_of_another_learner_under_the_same_key_is_replaced(tenant: Tenant) -> None:
    """Learner and content of an activity cannot be changed."""
    message = tenant.plan([tenant.create(0, "foreign")])
    tenant.simulator.inject(Faults(fail=1, fail_status=502))
    tenant.push(message)
    foreign = upsert_content(0, "C2")
    contents = tenant.plan([foreign], Stage.CONTENTS)
    tenant.push(contents)
    other = tenant.plan([tenant.create(0, "foreign", learningContentId=tenant.receipts(contents)[0].graph_id)])
    tenant.push(other)

    assert tenant.push(message).done

    assert tenant.held()["foreign"]["learningContentId"] == tenant.content_id


def test_failures_are_tried_again_within_the_attempt(tenant: Tenant) -> None:
    message = tenant.plan([upsert_content(0, "flaky")], Stage.CONTENTS)
    tenant.simulator.inject(Faults(fail=2, fail_status=500))

    assert tenant.push(message).done


def test_a_refused_record_gets_a_reason_without_a_person(tenant: Tenant) -> None:
    bad = tenant.create(0, "bad", completionPercentage=700)
    stranger = tenant.create(1, "stranger", STRANGER)
    message = tenant.plan([bad, stranger, tenant.create(2, "good")])

    assert tenant.push(message).done

    receipts = tenant.receipts(message)
    assert tenant.verdicts(message) == [Verdict.REJECTED, Verdict.REJECTED, Verdict.DONE]
    assert receipts[0].reason == "Graph answered 400: a field is missing or not valid (completionPercentage)"
    assert receipts[1].code is Code.RECORD_REFUSED
    assert not any(STRANGER in receipt.reason for receipt in receipts.values())


def test_a_stage_is_done_when_each_shard_is(tenant: Tenant) -> None:
    message = tenant.plan([tenant.create(0, "stage")])
    stage = ("acme", message.run_id, Stage.ACTIVITIES)
    assert is_stage_done(tenant.shards, *stage, 0)
    assert not is_stage_done(tenant.shards, *stage, 1)

    tenant.push(message)

    assert is_stage_done(tenant.shards, *stage, 1)
    assert not is_stage_done(tenant.shards, *stage, 2)
