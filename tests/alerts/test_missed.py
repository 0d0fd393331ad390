"""What did not happen is told as well: a look that was due, and anything new (delighter 12)."""

import pytest

from shared.domain.messages import Collect
from shared.pipeline import journal
from shared.pipeline.collect_packages import collect_all
from shared.pipeline.run_commands import run_command
from shared.pipeline.status import read_status
from tests.alerts.conftest import OnCall, listening
from tests.bad_input.conftest import Tenant
from tests.desk import NAME


def test_a_missed_day_is_named(on_call: OnCall) -> None:
    """The timer was due every morning at six, and nothing came on the 3rd (delighter 12)."""
    tenant = on_call.tenant
    tenant.desk.sync()
    heard = []
    for day, hour in ((3, 6), (3, 8), (4, 6), (5, 5)):
        tenant.at(day, hour)
        heard.append(on_call.hears("missed"))
    tenant.delta(5)
    tenant.desk.sync()

    assert [len(texts) for texts in heard] == [0, 1, 0, 0]
    assert "was due on 2026-11-03 at 06:00 UTC has not begun" in heard[1][0]
    assert on_call.hears("missed") == []
    assert tenant.desk.parts.alerts.find(NAME, "missed|") is None


def test_days_without_any_look_are_named(on_call: OnCall) -> None:
    on_call.tenant.desk.sync()
    on_call.tenant.at(5, 8)

    (missed,) = on_call.hears("missed")

    assert "There was none at all on 2026-11-03, 2026-11-04." in missed


def test_a_look_under_way_is_not_missed(on_call: OnCall) -> None:
    """A download may take longer than the time between two looks."""
    on_call.tenant.desk.sync()
    on_call.tenant.at(3, 8)

    with on_call.tenant.desk.parts.leases.hold(f"collect/{NAME}"):
        assert on_call.hears("missed") == []
    assert len(on_call.hears("missed")) == 1


def test_a_connection_that_nobody_ever_looked_at_is_missed_too(fresh: Tenant) -> None:
    """The timer may never have worked; it counts from the first sweep."""
    on_call = listening(fresh)
    first = on_call.hears()
    fresh.at(2, 8)

    assert first == []
    assert "due on 2026-11-02 at 06:00" in on_call.hears()[0]


@pytest.mark.slow
def test_a_timer_that_fires_twice_makes_one_run(fresh: Tenant) -> None:
    """At the same time, or one after the other (J4): what counts is the content, and who holds the lease."""
    fresh.full(1)
    parts = fresh.desk.parts
    with parts.leases.hold(f"collect/{NAME}"):
        collect_all(parts)
    assert fresh.desk.messages.sent == []
    collect_all(parts)
    collect_all(parts)
    sync_id = journal.new_run_id(fresh.desk.now)
    run_command(parts, Collect(connection=NAME, sync_id=sync_id))

    fresh.desk.deliver(sync_id)

    assert [run.outcome for run in journal.list_runs(parts, NAME)] == ["done"]


def test_two_days_without_anything_new_are_told_once(on_call: OnCall) -> None:
    """48 hours after the timestamp of what is published; the limit is a setting."""
    tenant = on_call.tenant
    heard = []
    for day, hour in ((3, 0), (3, 1), (4, 1)):
        tenant.at(day, hour)
        heard.append(on_call.hears("stale"))
    tenant.desk.set(stale_after_hours=200)
    on_call.hears()
    tenant.desk.set(stale_after_hours=48)

    assert [len(texts) for texts in heard] == [0, 1, 0]
    assert "acme_F_20261101000000.zip.pgp of 2026-11-01 00:00 UTC" in heard[1][0]
    assert len(on_call.hears("stale")) == 1


def test_packages_that_nobody_fetches_are_told_before_their_server_deletes_them(on_call: OnCall) -> None:
    """Servers that SuccessFactors hosts delete after 14 days: three days before that, once more when it is so."""
    tenant = on_call.tenant
    heard = []
    for day, hour in ((11, 23), (12, 0), (13, 0), (15, 0), (16, 0)):
        tenant.at(day, hour)
        heard.append(on_call.hears("vanishing"))
    told = read_status(tenant.desk.parts, NAME).waits_for_you
    tenant.full(16)
    tenant.desk.sync()

    assert [len(texts) for texts in heard] == [0, 1, 0, 1, 0]
    assert "Nothing newer than acme_F_20261101000000.zip.pgp has been fetched for 11 days" in heard[1][0]
    assert "goes from 2026-11-15 on" in heard[1][0]
    assert "Have a new full package made" in heard[3][0]
    assert "may be gone" in told
    assert on_call.hears("vanishing") == []
    assert read_status(tenant.desk.parts, NAME).waits_for_you == ""


def test_a_look_says_whether_the_timer_or_somebody_ordered_it(fresh: Tenant) -> None:
    fresh.full(1)
    parts = fresh.desk.parts
    collect_all(parts)
    state = journal.get_state(parts, NAME)
    assert state.sync is not None
    fresh.desk.deliver(state.sync.sync_id)
    fresh.full(2, PA_CPNT_SRC=[])
    fresh.desk.sync()

    assert [run.scheduled for run in journal.list_runs(parts, NAME)] == [True, False]
