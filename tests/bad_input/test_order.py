"""Packages that come late, twice, out of order, or not at all."""

from datetime import timedelta

import pytest

from shared.domain.errors import Code
from shared.ports import RemoteFile
from tests.bad_input.conftest import Tenant, assert_told
from tests.company import ADA, FULL, PUBLISHED, Rows, done, full, plan, rows
from tests.desk import START

PLAN_KEYS: Rows = [
    {name: row[name] for name in ("STUD_ID", "CPNT_TYP_ID", "CPNT_ID", "REV_DTE", "SEQ_NUM")}
    for row in rows()["PA_STUD_CPNT"]
]


def test_a_gap_is_named_and_the_later_delta_is_taken(tenant: Tenant) -> None:
    tenant.delta(4, PA_STUD_CPNT=[plan(ADA, 5)])

    sync = tenant.desk.sync()

    assert_told(sync, "done", None)
    assert sync.runs[0].warnings[0] == "The delta of 2026-11-02, 2026-11-03 is missing."
    assert tenant.shown()["learningAssignment"] == PUBLISHED["learningAssignment"] + 1
    needs_full = tenant.desk.parts.states.find("desk").value["needs_full"]  # type: ignore[union-attr]  # it is there
    assert "A new full package would bring what it held." in needs_full


def test_a_full_package_has_no_gap_before_it(tenant: Tenant) -> None:
    """Whatever the deltas of these days held is in it."""
    tenant.full(4)

    sync = tenant.desk.sync()

    assert_told(sync, "done", None)
    assert sync.runs[0].warnings == ()


@pytest.mark.slow
def test_a_gap_may_stop_everything_behind_it(tenant: Tenant) -> None:
    tenant.desk.set(on_gap="stop")
    tenant.delta(4, PA_STUD_CPNT=[plan(ADA, 5)])

    with tenant.nothing_changes():
        sync = tenant.desk.sync()
    tenant.delta(2, PA_STUD_CPNT=[])
    tenant.delta(3, PA_STUD_CPNT=[])
    tenant.at(4)
    filled = tenant.desk.sync()

    assert_told(sync, "failed", Code.DELTA_PACKAGE_NOT_FOUND, "2026-11-02, 2026-11-03 is missing", "new full package")
    assert sync.runs == []
    assert_told(filled, "done", None)
    assert {run.timestamp.day for run in filled.runs} == {2, 3, 4}
    assert tenant.shown()["learningAssignment"] == PUBLISHED["learningAssignment"] + 1


def test_an_older_delta_is_skipped_and_said_so_once(tenant: Tenant) -> None:
    """What it holds has been outdone."""
    tenant.delta(2)
    tenant.desk.folder.files["acme_D_20261031000000.zip.pgp"] = b"never opened"

    first, second = tenant.desk.sync(), tenant.desk.sync()

    assert {run.timestamp.day: run.outcome for run in first.runs} == {31: "skipped", 2: "done"}
    assert "older than what is published" in next(run.message for run in first.runs if run.outcome == "skipped")
    assert (first.outcome, second.runs) == ("done", [])


def test_the_same_content_under_another_name_is_not_taken_again(tenant: Tenant) -> None:
    """Somebody has copied the first package, under the names of another day."""
    (content,) = tenant.desk.intake.packages.values()
    for file in ("acme_F_20261102000000.zip.pgp", "acme_D_20261102000000.zip.pgp"):
        tenant.desk.folder.files[file] = content

    with tenant.nothing_changes():
        sync = tenant.desk.sync()

    assert (sync.outcome, sync.runs) == ("done", [])


def test_the_same_name_with_other_content_is_another_package(tenant: Tenant) -> None:
    tenant.desk.drop(FULL, full(PA_STUD_CPNT=[*rows()["PA_STUD_CPNT"], plan(ADA, 5)]))

    sync = tenant.desk.sync()

    assert_told(sync, "done", None)
    assert [run.package for run in sync.runs] == [FULL]
    assert tenant.shown()["learningAssignment"] == PUBLISHED["learningAssignment"] + 1


def test_a_file_that_still_grows_is_left_for_the_next_look(tenant: Tenant) -> None:
    """The connector looks again by itself, when its size has stood still for long enough."""
    tenant.desk.set(size_stable_seconds=60)
    file = tenant.delta(2, PA_STUD_CPNT=[plan(ADA, 5)])
    whole = tenant.desk.folder.files[file]
    tenant.desk.folder.files[file] = whole[:200]
    listing = tenant.desk.folder.list_files
    looks = []

    def list_files() -> list[RemoteFile]:
        looks.append(tenant.desk.now)
        if len(looks) == 2:
            tenant.desk.folder.files[file] = whole
        return list(listing())

    tenant.desk.folder.list_files = list_files  # type: ignore[method-assign]  # a folder into which somebody writes
    sync = tenant.desk.sync()

    assert_told(sync, "done", None)
    assert len(looks) == 3
    assert looks[-1] - looks[0] == timedelta(seconds=120)
    assert tenant.shown()["learningAssignment"] == PUBLISHED["learningAssignment"] + 1


def test_keys_prove_what_is_gone(tenant: Tenant) -> None:
    tenant.delta(2)
    tenant.keys(2, PA_STUD_CPNT=PLAN_KEYS[1:])

    sync = tenant.desk.sync()

    assert_told(sync, "done", None)
    assert sync.runs[0].tally.assignments.withdrawn == 1
    assert tenant.shown()["learningAssignment"] == PUBLISHED["learningAssignment"] - 1


def test_refused_keys_prove_nothing_and_the_package_goes_on_without_them(tenant: Tenant) -> None:
    tenant.delta(2, PA_STUD_CPNT=[plan(ADA, 5)])
    tenant.keys(2)
    tenant.desk.folder.files["acme_K_20261102000000.zip.pgp"] = b"no archive"

    sync = tenant.desk.sync()

    assert_told(sync, "done", None)
    assert any("CONN_ERROR_NOT_A_ZIP" in each and "nothing is deleted" in each for each in sync.runs[0].warnings)
    assert tenant.shown()["learningAssignment"] == PUBLISHED["learningAssignment"] + 1


def test_keys_that_come_late_are_applied_by_themselves(tenant: Tenant) -> None:
    tenant.delta(2)
    tenant.desk.sync()
    tenant.keys(2, PA_STUD_CPNT=PLAN_KEYS[1:])

    sync = tenant.desk.sync()

    assert_told(sync, "done", None)
    assert [(run.kind, run.tally.assignments.withdrawn) for run in sync.runs] == [("keys", 1)]
    assert tenant.shown()["learningAssignment"] == PUBLISHED["learningAssignment"] - 1
    tenant.delta(3)
    assert [run.kind for run in tenant.desk.sync().runs] == ["delta"]


def test_a_keys_file_that_is_missing_proves_nothing_about_its_table(tenant: Tenant) -> None:
    tenant.delta(2)
    tenant.keys(
        2, PA_CPNT=[{"CPNT_TYP_ID": "COURSE", "CPNT_ID": f"C-{n}", "REV_DTE": "2025-01-01"} for n in range(1, 6)]
    )

    with tenant.nothing_changes():
        sync = tenant.desk.sync()

    assert_told(sync, "done", None)


def test_a_table_that_came_empty_has_come(fresh: Tenant) -> None:
    """Nobody has been assigned anything yet, and so a completion of the next day stands for itself."""
    fresh.full(1, PA_STUD_CPNT=[], PA_CPNT_EVTHST=[])
    fresh.desk.sync()
    fresh.delta(2, PA_CPNT_EVTHST=[done(ADA, 2)])

    sync = fresh.desk.sync()

    assert_told(sync, "done", None)
    assert fresh.shown() == {"learningContent": 5, "learningSelfInitiatedCourse": 1}


def test_a_package_waits_for_its_keys(tenant: Tenant) -> None:
    tenant.delta(2)
    tenant.desk.now = START + timedelta(hours=20)

    sync = tenant.desk.sync()

    assert_told(sync, "waiting", None, "waits for its keys package")
    assert sync.runs == []


@pytest.mark.parametrize("foreign", ["readme.txt", "acme_X_20261102000000.zip.pgp", "acme_F_20261302000000.zip.pgp"])
def test_other_files_in_the_folder_are_left_alone(tenant: Tenant, foreign: str) -> None:
    tenant.desk.folder.files[foreign] = b"?"
    tenant.at(1, 20)

    with tenant.nothing_changes():
        sync = tenant.desk.sync()

    assert_told(sync, "done", None)
    assert foreign in tenant.desk.folder.files


@pytest.mark.parametrize(
    ("day", "hour", "files", "outcome", "code", "words"),
    [
        (10, 6, (), "waiting", None, "7 working days"),
        (10, 6, ("acme_D_20261103000000.zip.pgp",), "waiting", None, "7 working days"),
        (10, 7, (), "failed", Code.NO_FILES_FOUND, "PARTNER_EXTRACT"),
        (10, 7, ("readme.txt",), "failed", Code.INITIAL_PACKAGE_NOT_FOUND, "ask SAP support"),
        (10, 7, ("acme_D_20261103000000.zip.pgp",), "failed", Code.INITIAL_PACKAGE_NOT_FOUND, "Check the folder"),
    ],
    ids=["in time", "deltas alone, in time", "nothing, too late", "other files, too late", "deltas alone, too late"],
)
def test_the_first_package_may_take_seven_working_days(
    fresh: Tenant, *, day: int, hour: int, files: tuple[str, ...], outcome: str, code: Code | None, words: str
) -> None:
    """They count from the first look after the connection was enabled, here on a Sunday at six."""
    fresh.desk.sync()
    fresh.desk.folder.files = dict.fromkeys(files, b"x")
    fresh.at(day, hour)

    sync = fresh.desk.sync()

    assert_told(sync, outcome, code, words)
    assert fresh.shown() == {}


def test_a_pause_starts_the_seven_days_anew(fresh: Tenant) -> None:
    fresh.desk.sync()
    fresh.desk.set(enabled=False)
    fresh.at(9)
    fresh.desk.sync()
    fresh.desk.set(enabled=True)
    fresh.at(11)

    assert_told(fresh.desk.sync(), "waiting", None)


@pytest.mark.parametrize(("hour", "outcome", "code"), [(4, "done", None), (5, "failed", Code.DELTA_PACKAGE_NOT_FOUND)])
def test_a_delta_is_missed_28_hours_after_the_last_package(
    tenant: Tenant, hour: int, outcome: str, code: Code | None
) -> None:
    tenant.at(2, hour)

    with tenant.nothing_changes():
        sync = tenant.desk.sync()

    assert_told(sync, outcome, code, *(("2026-11-01 00:00 UTC", "28 hours", "Check the job") if code else ()))


def test_a_connection_that_is_not_enabled_touches_nothing(fresh: Tenant) -> None:
    """Nobody's server is contacted before somebody says so."""
    fresh.desk.set(enabled=False)
    fresh.full()
    fresh.desk.folder.open = None  # type: ignore[assignment, method-assign]  # whoever opens it fails
    fresh.desk.secrets.values = {}

    sync = fresh.desk.sync()

    assert_told(sync, "done", None, "not enabled")
    assert fresh.graph.counters().requests == 0
