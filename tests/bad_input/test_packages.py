"""Packages that are refused as a whole, or read in part: what was published stays."""

from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import pytest

from shared.domain.errors import Code, TransientError
from shared.domain.runs import ATTEMPTS
from shared.pipeline import staging
from tests.bad_input.conftest import Tenant, assert_told
from tests.company import ADA, BEA, PUBLISHED, as_csv, betrays, done, full, item, plan, rows
from tests.desk import DeskOpener

FILE = "acme_F_20261102000000.zip.pgp"


def zipped(content: dict[str, bytes]) -> bytes:
    packed = BytesIO()
    with ZipFile(packed, "w", ZIP_DEFLATED) as archive:
        for name, data in content.items():
            archive.writestr(ZipInfo(name), data)
    return packed.getvalue()


def test_what_is_published_to_begin_with(tenant: Tenant) -> None:
    """The other tests say that this stays."""
    assert tenant.shown() == PUBLISHED


def test_a_full_package_without_learners_is_refused(tenant: Tenant) -> None:
    """Or everybody's records would seem to belong to nobody."""
    tenant.full(PV_PARTNER_STUDENT=None, PV_PARTNERS_STUDENT=rows()["PV_PARTNER_STUDENT"])

    with tenant.nothing_changes():
        sync = tenant.desk.sync()

    (told,) = (run.message for run in sync.runs)
    assert (sync.outcome, sync.code) == ("rejected", Code.FILE_MISSING)
    assert "has no file PV_PARTNER_STUDENT" in told
    assert "Have it made again, or switch learner_sync off." in told
    assert told.endswith("PV_PARTNERS_STUDENT.csv was left alone: unknown file. Did you mean PV_PARTNER_STUDENT?")
    assert betrays(told) == []


def test_a_package_that_has_no_room_is_tried_so_often_and_then_waits_for_the_next_look(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sync tells the reason; a message that was only set aside would tell none."""

    def refuse(*_: object, **__: object) -> None:
        raise TransientError("There was no room left.", Code.MEMORY_EXCEEDED)

    tenant.full(PA_STUD_CPNT=[*rows()["PA_STUD_CPNT"], plan(ADA, 5)])
    with monkeypatch.context() as patch, tenant.nothing_changes():
        patch.setattr(DeskOpener, "open", refuse)
        sync = tenant.desk.sync()

    assert_told(sync, "failed", Code.MEMORY_EXCEEDED, "There was no room left.")
    assert [run.attempts for run in sync.runs] == [ATTEMPTS]
    assert_told(tenant.desk.sync(), "done", None)
    assert tenant.shown()["learningAssignment"] == PUBLISHED["learningAssignment"] + 1


def test_a_delta_without_learners_uses_those_it_knows(tenant: Tenant) -> None:
    tenant.delta(PA_STUD_CPNT=[plan(ADA, 5)])

    sync = tenant.desk.sync()

    assert_told(sync, "done", None)
    assert tenant.shown()["learningAssignment"] == PUBLISHED["learningAssignment"] + 1


@pytest.mark.parametrize("other", ["elsewhere/PA_CPNT.csv", "pa_cpnt.TXT", "PV_COURSE.csv"])
def test_a_table_that_comes_twice_is_refused(tenant: Tenant, other: str) -> None:
    """Nobody can know which of them counts."""
    tenant.full()
    tenant.desk.drop(FILE, {**full(), other: full()["PA_CPNT.csv"]})

    with tenant.nothing_changes():
        sync = tenant.desk.sync()

    assert_told(sync, "rejected", Code.FILE_AMBIGUOUS, "PA_CPNT more than once", "made again")


def test_a_file_without_a_needed_column_costs_only_itself(tenant: Tenant) -> None:
    """Contents stay as they are, and new records go on without it."""
    contents = [item(number, CPNT_TITLE="Renamed") for number in range(1, 6)]
    tenant.full(
        PA_CPNT=as_csv("PA_CPNT", contents, without=["CPNT_ID"]).replace(b"CPNT_TITLE", b"CPNT_IDD"),
        PA_STUD_CPNT=[*rows()["PA_STUD_CPNT"], plan(BEA, 5)],
    )
    titles = tenant.viva().count("Renamed")

    sync = tenant.desk.sync()

    assert_told(sync, "partial", None)
    (reject,) = sync.runs[-1].rejects
    assert (reject.file, reject.line, reject.field, reject.code) == ("PA_CPNT.csv", 1, "CPNT_ID", Code.COLUMN_MISSING)
    assert "Did you mean CPNT_IDD?" in reject.message
    assert tenant.viva().count("Renamed") == titles
    assert tenant.shown() == {**PUBLISHED, "learningAssignment": PUBLISHED["learningAssignment"] + 1}


def test_records_without_their_plan_wait_and_nothing_is_withdrawn(tenant: Tenant) -> None:
    """A completion might complete an assignment that nobody could read."""
    broken = as_csv("PA_STUD_CPNT", rows()["PA_STUD_CPNT"], without=["SEQ_NUM"])
    tenant.full(PA_STUD_CPNT=broken, PA_CPNT_EVTHST=[*rows()["PA_CPNT_EVTHST"], done(BEA, 3)])

    with tenant.nothing_changes():
        sync = tenant.desk.sync()

    assert_told(sync, "partial", None)
    assert sync.runs[-1].rejects[0].code is Code.COLUMN_MISSING
    assert sync.runs[-1].tally.completions.parked == 1


def test_unknown_files_and_columns_are_told_and_ignored(tenant: Tenant) -> None:
    drifted = as_csv("PA_CPNT", [item(number, CPNT_TITEL="x") for number in range(1, 6)])
    tenant.full()
    tenant.desk.drop(
        FILE, {**full(PA_CPNT=drifted), "PA_PROGRAM.csv": b"x", "Quarterly.xlsx": b"PK", "deep/er/README.txt": b""}
    )

    with tenant.nothing_changes():
        sync = tenant.desk.sync()

    assert_told(sync, "done", None)
    assert {
        "PA_CPNT: unknown column CPNT_TITEL was ignored.",
        "PA_PROGRAM.csv was left alone: not read for now.",
        "Quarterly.xlsx was left alone: unknown file.",
        "README.txt was left alone: unknown file.",
    } <= set(sync.runs[-1].warnings)


def test_names_may_be_in_any_case_and_folder(tenant: Tenant) -> None:
    tenant.full()
    tenant.desk.drop(FILE, {f"Export/2026/{name.lower()}": content for name, content in full().items()})

    with tenant.nothing_changes():
        sync = tenant.desk.sync()

    assert_told(sync, "done", None)
    assert sync.runs[-1].tally.contents.unchanged == PUBLISHED["learningContent"]


def test_parts_that_lose_rows_to_later_ones_do_not_get_in_the_way_of_others(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of them are on their way into storage before anybody knows: one goes, one stays, one is written anew."""
    monkeypatch.setattr(staging, "ROWS_PER_PART", 2)
    one, two, three, four, five = (item(number) for number in range(1, 6))
    tenant.full(PA_CPNT=[one, two, three, four, five, one, two, five])

    with tenant.nothing_changes():
        sync = tenant.desk.sync()

    assert_told(sync, "done", None)
    contents = sync.runs[-1].tally.contents
    assert (contents.read, contents.unchanged, contents.ignored) == (8, 5, 3)


@pytest.mark.parametrize(
    ("content", "code", "words"),
    [
        (zipped({**full(), "../../etc/passwd": b"x"}), Code.ARCHIVE_UNSAFE, "points outside the archive"),
        (zipped({**full(), "/etc/passwd": b"x"}), Code.ARCHIVE_UNSAFE, "points outside the archive"),
        (b"<html>The server is under maintenance</html>", Code.NOT_A_ZIP, "not a zip archive"),
        (zipped(full())[:-30], Code.PACKAGE_DAMAGED, "delivered again"),
        (zipped(full())[:300], Code.PACKAGE_DAMAGED, "delivered again"),
        (b"", Code.NOT_A_ZIP, "not a zip archive"),
    ],
    ids=["leads upwards", "absolute", "no zip", "no directory", "cut off", "empty"],
)
def test_a_bad_archive_is_refused(tenant: Tenant, content: bytes, code: Code, words: str) -> None:
    """Also when the bad thing comes last, after all tables have been read."""
    tenant.full()
    tenant.desk.folder.files[FILE] = content
    before = set(tenant.desk.parts.tables.list_paths(""))

    with tenant.nothing_changes():
        sync = tenant.desk.sync()

    assert_told(sync, "rejected", code, words)
    assert set(tenant.desk.parts.tables.list_paths("")) == before, "what had come there meanwhile is gone"


def test_a_package_that_is_too_large_is_not_even_fetched(tenant: Tenant) -> None:
    tenant.full()
    size = len(tenant.desk.folder.files[FILE])
    tenant.desk.set(packed_limit_bytes=size - 1)
    blocks = dict(tenant.desk.intake.blocks)

    with tenant.nothing_changes():
        sync = tenant.desk.sync()

    assert_told(sync, "rejected", Code.PACKED_SIZE_EXCEEDED, f"{size} bytes", "smaller one, or raise the limit")
    assert tenant.desk.intake.blocks == blocks
    assert tenant.desk.sync().runs == []


def test_it_is_fetched_once_the_limit_allows_it(tenant: Tenant) -> None:
    """Equal to the limit passes."""
    tenant.full()
    tenant.desk.set(packed_limit_bytes=10)
    assert tenant.desk.sync().outcome == "rejected"
    tenant.desk.set(packed_limit_bytes=len(tenant.desk.folder.files[FILE]))

    sync = tenant.desk.sync()

    assert_told(sync, "done", None)
    assert [run.package for run in sync.runs] == [FILE]


def test_more_than_the_unpacked_limit_is_refused(tenant: Tenant) -> None:
    """What comes out is counted; what the archive says of itself is not believed."""
    tenant.full()
    size = sum(len(content) for content in full().values())
    tenant.desk.set(unpacked_limit_bytes=size - 1)

    with tenant.nothing_changes():
        refused = tenant.desk.sync()
    tenant.desk.set(unpacked_limit_bytes=size)
    taken = tenant.desk.sync()

    assert_told(refused, "rejected", Code.UNPACKED_SIZE_EXCEEDED, "unpacked_limit_bytes", f"{size - 1} bytes")
    assert_told(taken, "done", None)
