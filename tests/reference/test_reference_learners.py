"""The reference itself, one small case a rule: learners, assignments, completions."""

from datetime import UTC, datetime

import pytest

from tests.reference import User
from tests.reference.cases import (
    ADA,
    TABLES,
    Sync,
    assignments,
    count,
    courses,
    done,
    item,
    plan,
    student,
)


@pytest.mark.parametrize(
    ("users", "found"),
    [
        ([ADA], "mapped"),
        ([ADA._replace(employeeId="  100")], "mapped"),
        ([ADA, ADA._replace(id="u-2", accountEnabled=False)], "mapped"),
        ([ADA, ADA._replace(id="u-2", userType="Guest")], "mapped"),
        ([ADA._replace(licensed=False)], "mapped"),
        ([ADA, ADA._replace(id="u-2")], "ambiguous"),
        ([ADA._replace(accountEnabled=False)], "disabled"),
        ([ADA._replace(userType="Guest")], "unmatched"),
        ([ADA._replace(employeeId="0-100")], "near_miss"),
    ],
)
def test_a_learner_is_mapped_to_exactly_one_enabled_member(users: list[User], found: str) -> None:
    expected = Sync().full(*users)

    assert expected.coverage is not None
    counts = expected.coverage._asdict()
    assert counts["learners"] == counts[found] == 1
    assert counts["unmatched"] == (found in {"unmatched", "near_miss"})
    assert expected.outcome == "done"
    licensed = all(user.licensed for user in users)
    assert len(assignments(expected)) == (found == "mapped" and licensed)
    if found != "mapped":
        assert count(expected, "assignments", "unmapped") == 1
    elif not licensed:
        assert count(expected, "assignments", "parked") == 1


@pytest.mark.parametrize(("ours", "theirs"), [("Mu\u0308LLER", "müller"), ("STRASSE", " straße ")])
def test_person_keys_are_trimmed_composed_and_folded(ours: str, theirs: str) -> None:
    expected = Sync().full(ADA._replace(employeeId=theirs), PV_PARTNER_STUDENT=[student(PERSON_ID_EXTERNAL=ours)])

    assert len(assignments(expected)) == 1


def test_a_person_id_above_sixteen_characters_refuses_the_learner() -> None:
    """Its records are unmapped, and it stands outside the coverage."""
    expected = Sync().full(PV_PARTNER_STUDENT=[student(PERSON_ID_EXTERNAL="1" * 17)])

    assert expected.outcome == "partial"
    assert [reject.code for reject in expected.rejects] == ["CONN_ERROR_PERSON_ID_TOO_LONG"]
    assert count(expected, "assignments", "unmapped") == 1
    assert expected.coverage is not None
    assert expected.coverage.learners == 0


def test_a_learner_who_is_no_longer_mapped_keeps_everything_until_mapped_again() -> None:
    sync = Sync()
    sync.full()

    assert len(assignments(sync.full(ADA._replace(accountEnabled=False), PA_STUD_CPNT=[]))) == 1
    assert assignments(sync.delta()) == []


def test_rows_of_somebody_whose_account_appears_tomorrow_go_out_then() -> None:
    sync = Sync()
    sync.full(ADA._replace(employeeId="other"), PA_CPNT_EVTHST=[done(CPNT_ID="C-1", COMPL_DTE="2026-09-01")])

    expected = sync.delta()

    assert (len(assignments(expected)), len(courses(expected))) == (1, 1)


def test_an_inactive_student_id_is_frozen_but_history_completes_it() -> None:
    sync = Sync()
    sync.full()
    off = student(NOTACTIVE="Y")

    frozen = sync.full(PV_PARTNER_STUDENT=[off], PA_STUD_CPNT=[plan(REQ_DTE="2026-12-01"), plan(SEQ_NUM="2")])
    completed = sync.full(PV_PARTNER_STUDENT=[off], PA_CPNT_EVTHST=[done()])

    assert [fact.due for fact in assignments(frozen)] == [None]
    assert count(frozen, "assignments", "ignored") == 2
    assert [fact.status for fact in assignments(completed)] == ["completed"]


def test_a_completion_and_its_assignment_are_one_thing_and_freeze() -> None:
    sync = Sync()

    first = sync.full(PA_CPNT_EVTHST=[done()])
    second = sync.full(PA_STUD_CPNT=[plan(REQ_DTE="2026-12-24")], PA_CPNT_EVTHST=[])

    assert count(first, "completions", "published") == 1
    assert courses(first) == []
    assert [fact.completed for fact in assignments(first)] == [datetime(2026, 10, 20, 10, tzinfo=UTC)]
    assert second.viva == first.viva
    assert count(second, "assignments", "unchanged") == 1


def test_a_vanished_row_is_completed_by_its_completion() -> None:
    sync = Sync()
    sync.full()

    expected = sync.delta(keys={"PA_STUD_CPNT": []}, PA_CPNT_EVTHST=[done()])

    assert [fact.status for fact in assignments(expected)] == ["completed"]
    assert courses(expected) == []
    assert count(expected, "assignments", "withdrawn") == 0


def test_nothing_completed_is_withdrawn_or_told_twice() -> None:
    sync = Sync()
    first = sync.full(PA_CPNT_EVTHST=[done(), done(COMPL_DTE="2026-09-01")])

    without_plan = sync.full(PA_STUD_CPNT=[], PA_CPNT_EVTHST=[done(), done(COMPL_DTE="2026-09-01")])
    without_history = sync.full(PA_STUD_CPNT=[], PA_CPNT_EVTHST=[])

    assert (len(assignments(first)), len(courses(first))) == (1, 1)
    assert without_plan.viva == without_history.viva == first.viva
    assert count(without_plan, "completions", "unchanged") == 2


def test_records_of_a_learner_without_a_licence_wait() -> None:
    sync = Sync()
    sync.full()
    unlicensed = ADA._replace(licensed=False)

    waiting = sync.full(unlicensed, PA_STUD_CPNT=[], PA_CPNT_EVTHST=[done(COMPL_DTE="2026-09-01")])
    then = sync.delta()

    assert count(waiting, "completions", "parked") == 1
    assert (len(assignments(waiting)), len(courses(waiting))) == (1, 0)
    assert (len(assignments(then)), len(courses(then))) == (0, 1)


@pytest.mark.parametrize("missing", ["PA_CPNT_EVTHST", "PA_CMPL_STAT"])
def test_nothing_is_withdrawn_while_completions_cannot_be_known(missing: str) -> None:
    """What has gone from the plan may have been completed."""
    sync = Sync()
    sync.full(**{missing: None})

    assert len(assignments(sync.full(**{missing: None, "PA_STUD_CPNT": []}))) == 1


def test_an_assignment_takes_the_earliest_completion_from_its_day_on_and_the_rest_is_retraining() -> None:
    history = [done(COMPL_DTE=f"2026-{day} 00:00:00") for day in ("09-30", "10-01", "10-05")]

    expected = Sync().full(PA_STUD_CPNT=[plan(ASSGN_DTE="2026-10-01 18:00:00")], PA_CPNT_EVTHST=history)

    assert [fact.completed for fact in assignments(expected)] == [datetime(2026, 10, 1, tzinfo=UTC)]
    assert sorted(fact.completed.day for fact in courses(expected)) == [5, 30]
    assert count(expected, "completions", "published") == 3


def test_a_plan_row_that_turns_up_after_its_completion_leaves_both() -> None:
    sync = Sync()
    sync.full(PA_STUD_CPNT=[], PA_CPNT_EVTHST=[done()])

    expected = sync.delta(PA_STUD_CPNT=[plan()])

    assert [fact.status for fact in assignments(expected)] == ["completed"]
    assert len(courses(expected)) == 1


def test_two_student_ids_of_a_person_have_two_assignments_and_one_completion_a_day() -> None:
    expected = Sync().full(
        PV_PARTNER_STUDENT=[student(), student(STUD_ID="S2", PERSON_ID_EXTERNAL=" 100")],
        PA_STUD_CPNT=[plan(), plan(STUD_ID="S2")],
        PA_CPNT_EVTHST=[
            done(COMPL_DTE="2026-09-01 08:00:00"),
            done(STUD_ID="S2", COMPL_DTE="2026-09-01 17:00:00"),
        ],
    )

    assert len(assignments(expected)) == 2
    assert [fact.completed.hour for fact in courses(expected)] == [8]
    assert count(expected, "completions", "published") == 2
    assert expected.coverage is not None
    assert expected.coverage.learners == 1


def test_the_calendar_day_is_the_sources() -> None:
    """22:30 in UTC is already the next day in Berlin."""
    history = [done(COMPL_DTE="2026-09-30T22:30:00Z")]

    assert len(courses(Sync(source_time_zone="Europe/Berlin").full(PA_CPNT_EVTHST=history))) == 0
    assert len(courses(Sync().full(PA_CPNT_EVTHST=history))) == 1


def test_a_used_again_row_is_a_new_assignment() -> None:
    sync = Sync()
    sync.full()

    expected = sync.delta(PA_STUD_CPNT=[plan(ASSGN_DTE="2026-11-01")])

    assert [fact.assigned for fact in assignments(expected)] == [datetime(2026, 11, 1, tzinfo=UTC)]
    assert count(expected, "assignments", "withdrawn") == 1


def test_what_graph_cannot_change_is_made_anew_and_is_no_withdrawal() -> None:
    sync = Sync()
    sync.full()

    other = sync.delta(ADA._replace(id="u-new"), PA_STUD_CPNT=[plan(RTYP_ID="OPT")])

    assert [(fact.user, fact.type) for fact in assignments(other)] == [("u-new", "recommended")]
    assert count(other, "assignments", "withdrawn") == 0
    assert count(other, "assignments", "published") == 1


def test_no_credit_or_an_undefined_status_is_ignored() -> None:
    expected = Sync().full(PA_CPNT_EVTHST=[done(CMPL_STAT_ID="NO"), done(CMPL_STAT_ID="GHOST")])

    assert count(expected, "completions", "ignored") == 2
    assert assignments(expected)[0].status == "notStarted"


@pytest.mark.parametrize("missing", ["PA_STUD_CPNT", "PA_CMPL_STAT"])
def test_completions_wait_for_a_table_that_never_came(missing: str) -> None:
    sync = Sync()

    waiting = sync.full(PA_CPNT_EVTHST=[done()], **{missing: None})
    then = sync.delta(keys=None, **{missing: list(TABLES[missing])})

    assert count(waiting, "completions", "parked") == 1
    assert courses(waiting) == courses(then) == []
    assert assignments(then)[0].status == "completed"


def test_new_records_wait_for_their_content_and_published_ones_go_on() -> None:
    sync = Sync()
    sync.full()
    off = item(NOTACTIVE="Y")

    changed = sync.full(PA_CPNT=[off], PA_STUD_CPNT=[plan(REQ_DTE="2026-12-24"), plan(SEQ_NUM="2")])
    back = sync.delta(PA_CPNT=[item()])

    assert [fact.due is not None for fact in assignments(changed)] == [True]
    assert count(changed, "assignments", "parked") == 1
    assert len(assignments(back)) == 2


def test_a_due_date_alone_ends_with_its_day_where_the_source_is() -> None:
    expected = Sync(source_time_zone="Europe/Berlin").full(PA_STUD_CPNT=[plan(REQ_DTE="2026-12-24")])

    assert assignments(expected)[0].due == datetime(2026, 12, 24, 22, 59, 59, tzinfo=UTC)
