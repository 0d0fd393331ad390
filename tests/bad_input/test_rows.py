"""Rows that cannot be read: each costs itself, until they are too many."""

import csv
import io
from dataclasses import replace

import pytest

from shared.domain.errors import Code
from tests.bad_input.conftest import Tenant, assert_told
from tests.company import ADA, BEA, NOBODY, PUBLISHED, Person, done, item, plan, rows, student

WHOLE = rows()
COUNT = sum(len(table) for table in WHOLE.values())


def test_a_bad_row_costs_itself_and_keeps_what_was_published_under_its_key(tenant: Tenant) -> None:
    """It is not gone, it is only unreadable today."""
    plans = [*WHOLE["PA_STUD_CPNT"], plan(BEA, 2)]
    plans[0] = {**plans[0], "REQ_DTE": "31.12.2026"}
    tenant.full(PA_STUD_CPNT=plans)

    sync = tenant.desk.sync()

    assert_told(sync, "partial", None)
    (run,) = sync.runs
    assert (run.tally.assignments.read, run.tally.assignments.rejected) == (7, 1)
    (reject,) = run.rejects
    assert (reject.file, reject.line, reject.field, reject.code) == (
        "PA_STUD_CPNT.csv",
        2,
        "REQ_DTE",
        Code.FIELD_INVALID,
    )
    assert "at the source" in reject.message
    assert tenant.shown()["learningAssignment"] == PUBLISHED["learningAssignment"] + 1


def test_a_row_whose_key_is_unreadable_lets_nothing_be_withdrawn_from_its_table(tenant: Tenant) -> None:
    """It may be any of those that are missing."""
    plans = WHOLE["PA_STUD_CPNT"][1:]
    plans[0] = {**plans[0], "CPNT_ID": ""}
    tenant.full(PA_STUD_CPNT=plans)

    with tenant.nothing_changes():
        sync = tenant.desk.sync()

    assert_told(sync, "partial", None)
    assert sync.runs[0].changes.assignments.withdraw == 0


@pytest.mark.parametrize(("percent", "outcome"), [(100 * 2 / COUNT, "partial"), (100 * 2 / COUNT - 0.01, "rejected")])
def test_too_many_bad_rows_refuse_the_package(tenant: Tenant, percent: float, outcome: str) -> None:
    """The limit counts against all rows of the package; equal to it passes."""
    contents = [item(1, CPNT_LEN="soon"), item(2, REV_DTE="x"), *WHOLE["PA_CPNT"][2:]]
    tenant.full(PA_CPNT=contents)
    tenant.desk.set(reject_limit_percent=percent)

    with tenant.nothing_changes():
        sync = tenant.desk.sync()

    if outcome == "rejected":
        assert_told(
            sync,
            outcome,
            Code.REJECT_LIMIT,
            f"2 of {COUNT} rows",
            "PA_CPNT.csv",
            "at the source",
            "reject_limit_percent",
        )
    else:
        assert_told(sync, outcome, None)


def test_their_number_may_be_limited_as_well(tenant: Tenant) -> None:
    """And equal to it passes; with another limit the same package is taken."""
    tenant.full(PA_CPNT=[item(1, CPNT_LEN="soon"), *WHOLE["PA_CPNT"][1:]])
    tenant.desk.set(reject_limit_count=0)

    with tenant.nothing_changes():
        sync = tenant.desk.sync()

    assert_told(sync, "rejected", Code.REJECT_LIMIT, f"1 of {COUNT} rows")
    tenant.desk.set(reject_limit_count=1)
    assert_told(tenant.desk.sync(), "partial", None)


def test_every_reject_is_in_a_report_that_a_spreadsheet_opens(tenant: Tenant) -> None:
    """Also when the package is refused for them, and more than the run itself carries."""
    bad = [item(number, CPNT_LEN="soon") for number in range(1, 150)]
    tenant.full(PA_CPNT=bad)

    sync = tenant.desk.sync()

    assert_told(sync, "rejected", Code.REJECT_LIMIT)
    run = sync.runs[0]
    report = tenant.desk.reports.content[f"desk/{run.run_id}/rejects.csv"].decode("utf-8-sig")
    listed = list(csv.DictReader(io.StringIO(report)))
    assert [int(each["line"]) for each in listed] == list(range(2, 151))
    assert {each["code"] for each in listed} == {"CONN_ERROR_FIELD_INVALID"}
    assert {each["run"] for each in listed} == {run.run_id}


def test_a_learner_with_a_long_id_is_left_out_and_his_records_are_unmapped(tenant: Tenant) -> None:
    """Nobody in Entra can have it."""
    tenant.full(
        PV_PARTNER_STUDENT=[student(ADA, PERSON_ID_EXTERNAL="quokka-1234567890"), student(BEA), student(NOBODY)]
    )

    with tenant.nothing_changes():
        sync = tenant.desk.sync()

    assert_told(sync, "partial", None)
    (run,) = sync.runs
    assert [(each.field, each.code) for each in run.rejects] == [("PERSON_ID_EXTERNAL", Code.PERSON_ID_TOO_LONG)]
    assert "employeeId" in run.rejects[0].message
    assert run.tally.assignments.unmapped == 4


def test_of_two_rows_with_one_key_the_later_change_counts(tenant: Tenant) -> None:
    """Wherever it stands in the file; the other one is ignored, and counted."""
    twins = [
        plan(ADA, 1, REQ_DTE="2026-12-02", LST_UPD_TSTMP="2026-10-02 00:00:00"),
        plan(ADA, 1, REQ_DTE="2026-12-01", LST_UPD_TSTMP="2026-10-01 00:00:00"),
    ]
    tenant.delta(PA_STUD_CPNT=twins)

    sync = tenant.desk.sync()

    assert_told(sync, "done", None)
    tally = sync.runs[0].tally.assignments
    assert (tally.read, tally.published, tally.ignored) == (2, 1, 1)
    assert "2026-12-02T23:59:59" in tenant.viva()
    assert "2026-12-01" not in tenant.viva()


@pytest.mark.parametrize(
    ("person", "values"),
    [(ADA, {"CMPL_STAT_ID": "NO"}), (ADA, {"CMPL_STAT_ID": "never defined"}), (NOBODY, {})],
    ids=["no credit", "unknown status", "nobody we know"],
)
def test_a_completion_without_credit_or_learner_shows_nothing(
    tenant: Tenant, person: Person, values: dict[str, str]
) -> None:
    tenant.delta(
        PA_CPNT_EVTHST=[done(person, 3, **values)],
        PA_CMPL_STAT=[{"CMPL_STAT_ID": "NO", "CPNT_TYP_ID": "", "PROVIDE_CRDT": "N"}],
    )

    with tenant.nothing_changes():
        sync = tenant.desk.sync()

    assert_told(sync, "done", None)
    tally = sync.runs[0].tally.completions
    assert (tally.ignored, tally.unmapped) == ((0, 1) if person is NOBODY else (1, 0))


def test_an_item_without_a_place_is_left_out(tenant: Tenant) -> None:
    """Those that are published keep theirs, whatever comes before them in the alphabet."""
    tenant.desk.set(active_item_limit=6)
    tenant.full(PA_CPNT=[*WHOLE["PA_CPNT"], item(0), item(6), item(7)])

    sync = tenant.desk.sync()

    assert (sync.outcome, sync.code) == ("partial", "CONN_ERROR_ITEM_LIMIT")
    (run,) = sync.runs
    assert (run.tally.contents.published, run.tally.contents.rejected) == (1, 2)
    assert [(each.line, each.code) for each in run.rejects] == [(8, Code.ITEM_LIMIT), (9, Code.ITEM_LIMIT)]
    assert "active_item_limit" in run.rejects[0].message
    assert '"externalId": "COURSE:C-0"' in tenant.viva()
    assert tenant.shown()["learningContent"] == 6


def test_inactive_items_count_towards_all_items(tenant: Tenant) -> None:
    tenant.desk.set(total_item_limit=5, mass_change_percent=100)
    tenant.full(PA_CPNT=[item(1, NOTACTIVE="Y"), *WHOLE["PA_CPNT"][1:], item(6)])

    sync = tenant.desk.sync()

    assert (sync.outcome, sync.code) == ("partial", "CONN_ERROR_ITEM_LIMIT")
    assert tenant.shown()["learningContent"] == 5
    assert tenant.viva().count('"isActive": false') == 1


def test_inactive_items_leave_their_place_among_the_active_ones(tenant: Tenant) -> None:
    tenant.desk.set(active_item_limit=5)
    left = [item(1, NOTACTIVE="Y"), *WHOLE["PA_CPNT"][1:]]
    tenant.full(PA_CPNT=left)
    tenant.desk.sync()
    tenant.full(3, PA_CPNT=[*left, item(6)])

    assert_told(tenant.desk.sync(), "done", None)

    assert tenant.shown()["learningContent"] == 6
    assert tenant.viva().count('"isActive": false') == 1


def test_what_is_assigned_of_a_course_that_has_gone_waits(tenant: Tenant) -> None:
    left = WHOLE["PA_CPNT"][:-1]
    tenant.full(PA_CPNT=left)
    tenant.desk.sync()
    tenant.full(3, PA_CPNT=left, PA_STUD_CPNT=[*WHOLE["PA_STUD_CPNT"], plan(ADA, 5)])

    run = tenant.desk.sync().runs[0]

    assert (run.changes.assignments.add, run.tally.assignments.parked) == (0, 1)


def test_what_is_assigned_of_an_inactive_course_follows_its_learner_to_a_new_account(tenant: Tenant) -> None:
    """Nothing new goes on an inactive course; what is on it is made anew, for Graph cannot change its learner."""
    tenant.desk.set(mass_change_percent=100)
    tenant.delta(2, PA_CPNT=[item(3, NOTACTIVE="Y")])
    assert_told(tenant.desk.sync(), "done", None)
    before = tenant.viva().count(ADA.user_id)
    new = replace(ADA, user_id="00000000-0000-4000-8000-0000000000a9")
    tenant.people(new, BEA)
    tenant.delta(3)

    assert_told(tenant.desk.sync(), "done", None)

    assert tenant.shown() == PUBLISHED
    completed = tenant.viva().count(ADA.user_id)
    assert completed == 1, "what she completed stays as it is"
    assert tenant.viva().count(new.user_id) == before - completed


@pytest.mark.slow
def test_a_completion_counts_as_published_if_any_assignment_that_it_completes_is(tenant: Tenant) -> None:
    """Whatever it had completed before."""
    tenant.delta(2, PA_STUD_CPNT=[plan(BEA, 1, SEQ_NUM=str(number)) for number in range(2, 7)])
    tenant.desk.sync()
    tenant.delta(3, PA_STUD_CPNT=[plan(BEA, 1, SEQ_NUM="7")], PA_CPNT_EVTHST=[done(BEA, 1)])

    (run,) = tenant.desk.sync().runs

    assert run.tally.assignments.published == run.tally.completions.published == 1
