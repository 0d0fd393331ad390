"""What rows come to where another table or another row has a say in them; and every row is in the tally once."""

from tests.company import ADA, FULL, files, full, item, plan, rows
from tests.desk import Desk

DELTA = "acme_D_20261102000000.zip.pgp"
KEYS = "acme_K_20261102000000.zip.pgp"


def test_an_item_of_two_libraries_is_one(desk: Desk) -> None:
    """And so are the assignments of it."""
    shelves = [
        {"CATALOG_ID": library, "CPNT_TYP_ID": "COURSE", "CPNT_ID": f"C-{number}", "REV_DTE": "2025-01-01"}
        for library in "AB"
        for number in range(1, 6)
    ]
    libraries = [{"CATALOG_ID": library, "ACTIVE": "Y"} for library in "AB"]
    desk.drop(FULL, full(PA_CATALOG=libraries, PA_CATALOG_ITEM=shelves))

    run = desk.sync().runs[0]

    assert (run.changes.contents.add, run.tally.contents.read, run.tally.contents.published) == (5, 5, 5)
    assert (run.changes.assignments.add, run.tally.assignments.published) == (5, 5)


def test_rows_that_the_keys_package_does_not_know_are_counted(desk: Desk) -> None:
    """Of twins among them, the one that is outdone is ignored and the other waits, and neither counts twice."""
    desk.drop(FULL, full())
    desk.sync()
    desk.pass_time(86_400)
    twins = [plan(ADA, 5, LST_UPD_TSTMP=f"2026-11-01 0{hour}:00:00") for hour in (1, 2)]
    desk.drop(DELTA, files({"PA_CPNT": [item(1)], "PA_STUD_CPNT": [*twins, plan(ADA, 2), plan(ADA, 1)]}))
    desk.drop(KEYS, files({"PA_STUD_CPNT_K": rows()["PA_STUD_CPNT"]}))

    tally = desk.sync().runs[0].tally.assignments

    assert (tally.read, tally.unchanged, tally.ignored, tally.parked) == (4, 1, 1, 2)
