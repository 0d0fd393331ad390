"""The reports of a run, as an admin reads them: what was refused, who was not found, what would change."""

import csv
import io
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from shared.domain.errors import Code
from shared.domain.help import EXPLANATIONS
from shared.pipeline import journal
from shared.pipeline.sweep import sweep
from tests.cli.conftest import Lms
from tests.company import (
    ADA,
    BEA,
    FULL,
    NOBODY,
    Person,
    betrays,
    done,
    files,
    full,
    item,
    make_directory,
    plan,
    student,
)
from tests.desk import NAME, Desk

SECOND = "acme_D_20261102000000.zip.pgp"
NEARLY = Person("quokka-dan", "0quokka-0200", "")
"""Bea's id, but for a zero and a sign."""
TWICE = Person("quokka-eve", "quokka500", "00000000-0000-4000-8000-0000000000e5")
AGAIN = Person("quokka-eva", "quokka500", "00000000-0000-4000-8000-0000000000e6")
GONE = Person("quokka-fay", "quokka600", "00000000-0000-4000-8000-0000000000f6", enabled=False)
EVERYBODY = (ADA, BEA, NOBODY, NEARLY, TWICE, GONE)


def rows_of(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def kept(desk: Desk, run_id: str, report: str) -> list[dict[str, str]]:
    return rows_of(desk.reports.content[f"{NAME}/{run_id}/{report}.csv"])


@pytest.fixture
def faulty(desk: Desk) -> str:
    """A run that refused two rows."""
    desk.set(reject_limit_percent=100)
    bad = [plan(ADA, 1, REQ_DTE="soon"), plan(BEA, 1, REQ_DTE="=1+1"), plan(ADA, 3)]
    desk.drop(FULL, full(PA_CPNT=[item(1), item(2, CPNT_LEN="long"), item(3)], PA_STUD_CPNT=bad))
    return desk.sync().runs[0].run_id


def test_what_was_refused_is_shown_by_code_with_how_to_mend_it(
    desk: Desk, lms: Lms, faulty: str, tmp_path: Path
) -> None:
    desk.now += timedelta(days=1)
    desk.drop(SECOND, files({"PA_CPNT": [item(1, CPNT_TITLE="New")]}))
    assert desk.sync().runs[0].reject_count == 0
    mend = EXPLANATIONS[Code.FIELD_INVALID].mend
    file = tmp_path / "rejects.csv"

    shown = lms("rejects", "--csv", str(file))
    told = lms("rejects", faulty, "--first", "1", "--json").json

    assert (shown.status, told["run_id"], told["count"]) == (0, faulty, 3)
    assert "3 CONN_ERROR_FIELD_INVALID" in shown.output
    assert mend in " ".join(shown.output.split())
    assert told["codes"] == [{"code": Code.FIELD_INVALID, "count": 3, "how_to_mend": mend}]
    assert [(row["file"], row["line"], row["field"]) for row in told["first"]] == [("PA_CPNT.csv", "3", "CPNT_LEN")]
    assert file.read_bytes() == desk.reports.content[f"{NAME}/{faulty}/rejects.csv"]
    assert list(rows_of(file.read_bytes())[0]) == ["run", "file", "line", "field", "code", "message", "how_to_mend"]
    assert betrays(shown.output + file.read_text()) == []


def test_a_run_without_rejects_says_so(desk: Desk, lms: Lms) -> None:
    assert "No run has refused anything" in lms("rejects").errors
    desk.drop(FULL, full())
    run_id = desk.sync().runs[0].run_id

    assert lms("rejects", run_id, "--json").json == {"run_id": run_id, "count": 0, "codes": [], "first": []}
    assert "It has refused nothing" in lms("rejects", run_id, "--csv", "x.csv").output


def test_a_package_that_was_refused_for_its_rows_shows_them(desk: Desk, lms: Lms) -> None:
    """This is when an admin needs them most."""
    desk.drop(FULL, full(PA_STUD_CPNT=[plan(ADA, 1, REQ_DTE="soon"), plan(BEA, 1, REQ_DTE="later")]))
    sync = desk.sync()

    told = lms("rejects", "--json").json

    assert (sync.outcome, sync.code) == ("rejected", Code.REJECT_LIMIT)
    assert (told["run_id"], told["count"]) == (sync.runs[0].run_id, 2)
    assert lms("runs", told["run_id"]).output.count("PA_STUD_CPNT.csv, line") == 2


def everybody(desk: Desk, folder: Path) -> str:
    """Sync a company in which people are unknown for every reason; one of them is listed under two student ids."""
    make_directory(desk.simulator, folder, ADA, BEA, TWICE, AGAIN, GONE)
    second = Person("quokka-fay2", GONE.key, GONE.user_id)
    desk.drop(
        FULL,
        full(
            PV_PARTNER_STUDENT=[student(person) for person in (*EVERYBODY, second)],
            PA_STUD_CPNT=[plan(person, 1) for person in (*EVERYBODY, second)],
            PA_CPNT_EVTHST=[done(NOBODY, 5)],
        ),
    )
    return desk.sync().runs[0].run_id


def test_who_was_not_found_is_told_by_reason_and_line(desk: Desk, lms: Lms, tmp_path: Path) -> None:
    run_id = everybody(desk, tmp_path)
    file = tmp_path / "coverage.csv"

    shown = lms("coverage", "--csv", str(file))
    told = lms("coverage", run_id, "--json").json

    assert (shown.status, told["run_id"], told["learners"], told["mapped"], told["percent"]) == (0, run_id, 6, 2, 33.3)
    assert [(each["reason"], each["persons"], each["percent"]) for each in told["reasons"]] == [
        ("unmatched", 1, 16.7),
        ("near_miss", 1, 16.7),
        ("ambiguous", 1, 16.7),
        ("disabled", 1, 16.7),
    ]
    assert "2 mapped (33.3 %)" in shown.output
    assert "Leave employeeId with one of the users." in " ".join(shown.output.split())
    assert file.read_bytes() == desk.reports.content[f"{NAME}/{run_id}/coverage.csv"]
    assert [
        (row["run"], row["reason"], row["persons"], row["file"], row["line"]) for row in rows_of(file.read_bytes())
    ] == [
        (run_id, "unmatched", "1", "PV_PARTNER_STUDENT.csv", "4"),
        (run_id, "near_miss", "1", "PV_PARTNER_STUDENT.csv", "5"),
        (run_id, "ambiguous", "1", "PV_PARTNER_STUDENT.csv", "6"),
        (run_id, "disabled", "1", "PV_PARTNER_STUDENT.csv", "7"),
    ]
    assert all(row["how_to_mend"] for row in rows_of(file.read_bytes()))
    assert betrays(file.read_text() + shown.output) == []


def test_the_rules_for_ids_are_told_one_by_one(desk: Desk, lms: Lms, tmp_path: Path) -> None:
    """Before one is switched on, whom it would find; afterwards, who rests on it."""
    make_directory(desk.simulator, tmp_path, replace(ADA, key="123"), BEA)
    people = [replace(ADA, key="00123"), BEA]
    desk.drop(FULL, full(PV_PARTNER_STUDENT=[student(person) for person in people]))
    run_id = desk.sync(dry_run=True).runs[0].run_id
    before, run_before = lms("coverage").output, lms("runs", run_id).output
    desk.set(person_id_rules=["drop_leading_zeros", "drop_spaces"])
    desk.pass_time(60)
    desk.sync()

    after, told = lms("coverage").output, lms("coverage", "--json").json

    for shown in (before, run_before):
        assert "near misses that would match with drop_leading_zeros: 1" in shown
    assert "thanks to person_id_rules: 1 (1 not without drop_leading_zeros, 0 not without drop_spaces)" in after
    assert (told["by_rules"], told["by_rule"]) == (1, {"drop_leading_zeros": 1, "drop_spaces": 0})
    assert told["near_by_rules"] == {}
    assert betrays(before + run_before + after) == []


def test_whoever_did_not_come_with_the_package_is_counted(desk: Desk, tmp_path: Path) -> None:
    """A delta brings one of the learners again, in another line; the others have none in it."""
    everybody(desk, tmp_path)
    desk.now += timedelta(days=1)
    desk.drop(SECOND, files({"PV_PARTNER_STUDENT": [student(ADA), student(TWICE)]}))

    run = desk.sync().runs[0]

    assert [
        (row["reason"], row["persons"], row["file"], row["line"]) for row in kept(desk, run.run_id, "coverage")
    ] == [
        ("ambiguous", "1", "PV_PARTNER_STUDENT.csv", "3"),
        ("disabled", "1", "", ""),
        ("near_miss", "1", "", ""),
        ("unmatched", "1", "", ""),
    ]
    assert run.coverage.learners - run.coverage.mapped == 4


def test_nobody_is_mapped_without_learner_sync(desk: Desk, lms: Lms) -> None:
    desk.set(learner_sync=False)
    desk.drop(FULL, full())
    run_id = desk.sync(dry_run=True).runs[0].run_id

    assert "No run has mapped anybody yet" in lms("coverage").errors
    assert f"There is no report {NAME}/{run_id}/coverage.csv" in lms("coverage", run_id, "--csv", "x.csv").errors
    assert {row["kind"] for row in kept(desk, run_id, "changes")} == {"content"}
    assert lms("changes", "--json").json["graph_writes"] == 5


def test_what_would_change_is_told_item_by_item(desk: Desk, lms: Lms, tmp_path: Path) -> None:
    desk.drop(FULL, full(PA_CPNT=[*(item(number) for number in range(1, 6)), item(6, CPNT_ID="=6")]))
    desk.sync()
    assert "No run has planned changes yet" in lms("changes").errors
    desk.now += timedelta(days=1)
    news = {
        "PA_CPNT": [item(1, CPNT_TITLE="New"), item(6, CPNT_ID="=6", NOTACTIVE="Y"), item(7)],
        "PA_STUD_CPNT": [plan(ADA, 1, REQ_DTE="2026-12-01"), plan(BEA, 1), plan(ADA, 7), plan(BEA, 7)],
        "PA_CPNT_EVTHST": [done(ADA, 4)],
    }
    desk.drop(SECOND, files(news))
    run_id = desk.sync(dry_run=True).runs[0].run_id
    file = tmp_path / "changes.csv"

    shown = lms("changes", "--csv", str(file))
    told = lms("changes", "--first", "0", "--json").json

    columns = ("kind", "action", "item_type", "item_id", "count", "file", "line")
    assert [tuple(row[column] for column in columns) for row in rows_of(file.read_bytes())] == [
        ("content", "add", "COURSE", "C-7", "1", "PA_CPNT.csv", "4"),
        ("content", "change", "COURSE", "C-1", "1", "PA_CPNT.csv", "2"),
        ("content", "deactivate", "COURSE", "'=6", "1", "PA_CPNT.csv", "3"),
        ("assignment", "add", "COURSE", "C-7", "2", "", ""),
        ("assignment", "change", "COURSE", "C-1", "1", "", ""),
        ("assignment", "change", "COURSE", "C-4", "1", "", ""),
    ]
    assert (told["run_id"], told["graph_requests"], told["graph_writes"], told["first"]) == (run_id, 2, 7, [])
    assert {"kind": "assignment", "action": "change", "count": 2} in told["totals"]
    assert "C-7" in shown.output
    assert betrays(shown.output + file.read_text()) == []


@pytest.fixture
def two_runs(desk: Desk, faulty: str) -> tuple[str, str]:
    """One planned after the faulty one; the latest published is neither."""
    desk.now += timedelta(days=1)
    desk.drop(SECOND, files({"PA_CPNT": [item(1, CPNT_TITLE="New")]}))
    planned = desk.sync(dry_run=True).runs[0].run_id
    desk.sync()
    return faulty, planned


def test_reports_live_as_long_as_their_run(desk: Desk, two_runs: tuple[str, str]) -> None:
    """90 days, unless `report_retention_days` says otherwise."""

    def reports() -> set[str]:
        return {path.removeprefix(f"{NAME}/") for path in desk.reports.content}

    mortal = {f"{two_runs[0]}/rejects.csv", f"{two_runs[0]}/coverage.csv", f"{two_runs[1]}/coverage.csv"}
    mortal.add(f"{two_runs[1]}/changes.csv")
    assert mortal < reports()

    desk.now += timedelta(days=88)
    sweep(desk.parts)
    assert mortal < reports()
    desk.now += timedelta(days=3)
    sweep(desk.parts)

    assert mortal & reports() == set()
    assert journal.list_run_ids(desk.parts, NAME) == [path.split("/")[0] for path in reports()]


def test_a_file_that_cannot_be_written_is_told_in_a_sentence(lms: Lms, faulty: str, tmp_path: Path) -> None:
    answer = lms("rejects", faulty, "--csv", str(tmp_path / "nowhere" / "rejects.csv"))

    assert answer.status == 1
    assert "no folder" in answer.errors
