"""Learners who are no longer active: their open assignments are left alone."""

from tests.company import ADA, BEA, FULL, full, plan, student
from tests.desk import Desk


def test_a_learner_who_is_not_active_is_ignored_whatever_else_is_missing(desk: Desk) -> None:
    """Nothing is going to be published of it: to call it parked would promise that."""
    row = plan(ADA, 1, RTYP_ID="MAND")
    tables = {"PV_PARTNER_STUDENT": [student(ADA, NOTACTIVE="Y"), student(BEA)], "PA_RQMT_TYPE": None}
    desk.drop(FULL, full(**tables, PA_STUD_CPNT=[row, plan(BEA, 1, RTYP_ID="MAND")], PA_CPNT_EVTHST=[]))

    tally = desk.sync().runs[0].tally.assignments

    assert (tally.ignored, tally.parked) == (1, 1)
