"""Rows that were refused while they were read are in no table: only their package can bring them."""

import pytest

from shared.domain.errors import Code
from shared.domain.messages import COMMANDS, Replay
from shared.pipeline import journal
from shared.pipeline.replay_rejects import find_reject, keys, list_rejects
from tests.bad_input.conftest import Tenant
from tests.cli.conftest import Lms
from tests.company import ADA, item, plan, rows
from tests.desk import NAME
from tests.replay.conftest import Mend, cursor, refused, state

pytestmark = pytest.mark.slow

LENGTH_NEEDED = ("PA_CPNT.CPNT_LEN",)


@pytest.fixture
def run_id(tenant: Tenant) -> str:
    """A full package of which two rows were refused, because a setting wants a length of every course."""
    tenant.desk.set(require_fields=LENGTH_NEEDED)
    courses = [*rows()["PA_CPNT"], item(6, CPNT_LEN=""), item(7, CPNT_LEN="")]
    tenant.full(2, PA_CPNT=courses, PA_STUD_CPNT=[*rows()["PA_STUD_CPNT"], plan(ADA, 6)])
    run = tenant.desk.sync().runs[-1]
    assert (run.outcome, run.reject_count) == ("partial", 2)
    return run.run_id


def test_the_latest_package_is_read_again_and_only_what_was_missing_is_sent(
    tenant: Tenant, run_id: str, mend: Mend
) -> None:
    """From the encrypted original, for no clear text was kept; later calls find nothing left to read again."""
    tenant.desk.set(require_fields=())
    before = cursor(tenant.desk)["full_at"]

    first, *again = [mend("replay", run_id) for _ in range(5)]

    assert sorted(run.kind for run in first.sync.runs) == ["full", "replay"]
    assert "read again, for 2 rows" in first.answer["told"]
    assert (first.sync.outcome, first.writes) == ("done", 3)
    assert [[run.kind for run in each.sync.runs] for each in again] == [["replay"]] * 4
    assert [each.writes for each in again] == [0] * 4
    assert tenant.shown() == {"learningContent": 7, "learningAssignment": 6, "learningSelfInitiatedCourse": 1}
    assert cursor(tenant.desk)["full_at"] == before


def test_one_row_of_a_package_is_not_read_alone(run_id: str, lms: Lms) -> None:
    """It is told what to do instead."""
    told = refused(lms("replay", run_id, "--line", "PA_CPNT.csv:7", "--yes"))

    assert "PA_CPNT.csv, line 7, was refused while the package was read" in told
    assert f"`lms replay {run_id}`" in told
    assert "no reject" in refused(lms("replay", run_id, "--line", "PA_CPNT.csv:2", "--yes"))
    assert "2" in refused(lms("replay", run_id, "--reject", "3", "--yes"))
    assert "FILE:LINE" in refused(lms("replay", run_id, "--line", "PA_CPNT.csv", "--yes"))


def test_an_older_package_is_not_read_again(tenant: Tenant, run_id: str, lms: Lms) -> None:
    """It would bring back what has changed since; and a command that was sent all the same says so in its sync."""
    tenant.delta(3, PA_CPNT=[item(1, CPNT_TITLE="New")])
    tenant.desk.sync()

    told = refused(lms("replay", run_id, "--yes"))
    sync_id = journal.new_run_id(tenant.desk.now)
    tenant.desk.messages.send(COMMANDS, Replay(connection=NAME, run_id=run_id, sync_id=sync_id).model_dump_json())

    assert "Something newer than acme_F_20261102000000.zip.pgp is published" in told
    assert "a new full package holds every row" in told
    assert "bring back" in refused(lms("replay", run_id, "--reject", "1", "--yes"))
    assert tenant.desk.deliver(sync_id).message in told


def test_a_refused_package_is_opened_again(tenant: Tenant, mend: Mend) -> None:
    """Nothing of it was published, and whatever was the matter is mended, such as a row limit raised at the source."""
    tenant.full(2, PA_CPNT=[*rows()["PA_CPNT"], *(item(number, CPNT_TYP_ID="") for number in range(6, 20))])
    refusal = tenant.desk.sync().runs[-1]
    assert (refusal.outcome, refusal.code) == ("rejected", Code.REJECT_LIMIT)

    still = mend("replay", refusal.run_id)
    tenant.desk.set(reject_limit_percent=100)
    done = mend("replay", refusal.run_id)
    again = mend("replay", refusal.run_id)

    assert [run.outcome for run in still.sync.runs] == ["rejected"]
    assert [(run.kind, run.outcome) for run in done.sync.runs] == [("full", "partial")]
    assert state(tenant.desk).committed.package == refusal.package  # type: ignore[union-attr]  # a package is published
    assert again.writes == 0


def test_a_command_that_comes_twice_is_carried_out_once(tenant: Tenant, mend: Mend) -> None:
    """Queues deliver at least once. A package that is opened again has no run of the command's own."""
    tenant.full(2, PA_CPNT=[*rows()["PA_CPNT"], *(item(number, CPNT_TYP_ID="") for number in range(6, 20))])
    refusal = tenant.desk.sync().runs[-1]
    first = mend("replay", refusal.run_id)
    runs = journal.list_runs(tenant.desk.parts, NAME)
    command = Replay(connection=NAME, run_id=refusal.run_id, sync_id=first.answer["sync_id"])

    tenant.desk.messages.send(COMMANDS, command.model_dump_json())

    assert tenant.desk.deliver(command.sync_id) == first.sync
    assert journal.list_runs(tenant.desk.parts, NAME) == runs


def test_what_cannot_be_replayed_says_what_to_do_instead(tenant: Tenant, lms: Lms) -> None:
    tenant.delta(2, PA_CPNT=[item(6)])
    dry = tenant.desk.sync(dry_run=True).runs[-1]
    tenant.desk.set(packed_limit_bytes=10)
    tenant.delta(3)
    large = next(run for run in tenant.desk.sync().runs if run.code is Code.PACKED_SIZE_EXCEEDED)

    assert "dry run" in refused(lms("replay", dry.run_id, "--yes"))
    assert "next sync fetches it" in refused(lms("replay", large.run_id, "--yes"))
    assert "There is no run" in refused(lms("replay", "nobody", "--yes"))
    for wrong in ([], [dry.run_id, "--queue", "commands"], [dry.run_id, "--reject", "1", "--line", "a:1"]):
        assert "Give either" in refused(lms("replay", *wrong, "--yes"))


def test_an_item_without_a_place_is_sent_once_there_is_one(tenant: Tenant, lms: Lms, mend: Mend) -> None:
    tenant.desk.set(total_item_limit=5)
    tenant.delta(2, PA_CPNT=[item(6)])
    run = tenant.desk.sync().runs[-1]
    assert [reject.code for reject in run.rejects] == [Code.ITEM_LIMIT]

    assert "Raise active_item_limit" in refused(lms("replay", run.run_id, "--reject", "1", "--yes"))
    tenant.desk.set(total_item_limit=6)

    assert [mend("replay", run.run_id).writes for _ in range(2)] == [1, 0]


def test_before_anything_is_published_nothing_is_missing(fresh: Tenant) -> None:
    """The run of a package that was withdrawn before it was ever opened."""
    sync_id = journal.new_run_id(fresh.desk.now)
    fresh.desk.messages.send(COMMANDS, Replay(connection=NAME, run_id="x", sync_id=sync_id).model_dump_json())

    assert "There is no run" in fresh.desk.deliver(sync_id).message


def test_a_report_is_read_back_as_it_was_written(tenant: Tenant) -> None:
    """Also where a spreadsheet had to be kept from taking a key for a formula."""
    courses = [item(1, CPNT_TYP_ID="", CPNT_ID='=1+1,"x"\n'), item(2)]
    tenant.desk.set(reject_limit_percent=100)
    tenant.delta(2, PA_CPNT=courses)
    run = tenant.desk.sync().runs[-1]

    assert tuple(list_rejects(tenant.desk.parts, run)) == run.rejects
    assert find_reject(tenant.desk.parts, run, number=1) == run.rejects[0]
    tenant.desk.reports.content.clear()
    assert tuple(list_rejects(tenant.desk.parts, run)) == run.rejects
    assert keys("'=A:1") == {"'=A:1", "=A:1"}
    assert keys("A:1") == {"A:1"}
