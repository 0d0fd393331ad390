"""When an attempt at a shard ends, what it leaves, and how long it is until the next."""

import time
from collections.abc import Sequence
from datetime import timedelta

import pytest

from infra.local.graph import Faults
from shared.domain.errors import Code, SettingsError
from shared.domain.messages import Stage
from shared.domain.plan import Verdict
from shared.pipeline import push_attempt
from shared.pipeline.push_records import Progress, push_shard
from shared.pipeline.push_shards import Shard
from shared.ports import Answer, Call
from tests.fakes import MemoryLeases
from tests.pipeline.push_tenant import CONNECTION, NOW, Tenant, Told, upsert_content


def test_a_throttle_ends_the_attempt_and_keeps_what_was_done(tenant: Tenant) -> None:
    message = tenant.plan([tenant.create(number, f"throttled-{number}") for number in range(45)])
    tenant.simulator.inject(Faults(throttle=1, retry_after_minutes=2))
    tenant.simulator.reset_counters()

    progress = tenant.push(message)

    assert progress.not_before is not None
    assert timedelta(seconds=120) <= progress.not_before - NOW < timedelta(seconds=125)
    assert tenant.simulator.counters().requests == 1
    assert len(tenant.receipts(message)) == 19
    pause = Shard(tenant.shards, message).past().paused_until
    assert pause is not None, "the account of a record tells it"
    assert timedelta(0) <= progress.not_before - pause < timedelta(seconds=5)
    tenant.simulator.reset_counters()
    assert tenant.push(message).done
    assert tenant.simulator.counters().reads == {}, "what was throttled was not carried out: nothing to look up"


def test_no_attempt_writes_over_what_one_before_decided(tenant: Tenant) -> None:
    message = tenant.plan([tenant.create(number, f"step-{number}") for number in range(4)])
    throttled = Answer(status=429)

    for left in (3, 2, 1, 0):
        done = tenant.push(message, graph=Told(tenant, None, *[throttled] * left)).done

    assert done
    assert tenant.verdicts(message) == [Verdict.DONE] * 4


def test_a_pause_without_a_length_is_ten_seconds(tenant: Tenant) -> None:
    message = tenant.plan([tenant.create(0, "floor")])
    tenant.simulator.inject(Faults(throttle_batches=1, throttle=1))

    progress = tenant.push(message)

    assert progress.not_before is not None
    assert timedelta(seconds=10) <= progress.not_before - NOW < timedelta(seconds=12)


def test_attempts_that_decide_nothing_wait_ever_longer(tenant: Tenant) -> None:
    message = tenant.plan([upsert_content(0, "offline")], Stage.CONTENTS)
    tenant.simulator.inject(Faults(offline=True))

    waits = [(tenant.push(message).not_before or NOW) - NOW for _ in range(5)]

    assert [round(wait.total_seconds()) for wait in waits] == [30, 60, 120, 240, 480]
    with pytest.raises(SettingsError, match="no usable answer in 6 attempts") as caught:
        tenant.push(message)
    assert caught.value.code is Code.GRAPH_UNAVAILABLE


def test_an_attempt_whose_time_is_up_goes_on_at_once(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    """The host would kill it; that there is more to send is no reason to wait."""
    message = tenant.plan([tenant.create(number, f"long-{number}") for number in range(45)])
    monkeypatch.setattr(push_attempt, "BUDGET_SECONDS", 0.05)

    class Slow(Told):
        def send(self, calls: Sequence[Call], *, batch: bool) -> Sequence[Answer]:
            time.sleep(0.06)
            return super().send(calls, batch=batch)

    progress = tenant.push(message, graph=Slow(tenant))

    assert progress == Progress(done=False, not_before=None)
    assert len(tenant.receipts(message)) == 20


def test_what_failed_while_others_were_decided_waits_half_a_minute(tenant: Tenant) -> None:
    message = tenant.plan([upsert_content(0, "late"), upsert_content(1, "well")], Stage.CONTENTS)
    failure = Answer(status=500)

    progress = tenant.push(message, graph=Told(tenant, failure, None, failure, failure))

    assert len(tenant.receipts(message)) == 1
    assert progress.not_before is not None
    assert timedelta(seconds=30) <= progress.not_before - NOW < timedelta(seconds=35)
    assert Shard(tenant.shards, message).past().paused_until is None, "nobody asked for a pause"


def test_a_server_that_does_not_answer_is_not_asked_for_everything(tenant: Tenant) -> None:
    """Each question may cost the whole timeout."""
    message = tenant.plan([upsert_content(number, f"mute-{number}") for number in range(100)], Stage.CONTENTS)
    sent: list[int] = []

    class Mute:
        pages = tenant.graph.pages

        def send(self, calls: Sequence[Call], *, batch: bool) -> Sequence[Answer]:
            sent.append(len(calls) * batch)
            return [Answer(status=0)] * len(calls)

    push_shard(message, connection=CONNECTION, shards=tenant.shards, graph=Mute(), leases=MemoryLeases(), now=NOW)

    assert sent == [20, 20]
