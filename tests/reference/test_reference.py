"""The reference itself, one small case a rule: packages, reading, content, gates."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.reference.cases import (
    ADA,
    ITEM,
    Sync,
    assignments,
    contents,
    count,
    item,
    plan,
    row,
    student,
)
from tests.reference.contract import AssignmentFact, ContentFact


def test_a_first_full_shows_content_and_open_assignment() -> None:
    expected = Sync().full()

    assert expected.outcome == "done"
    assert contents(expected)[0].title == "First aid"
    assert assignments(expected) == [
        AssignmentFact("u-ada", ITEM, "notStarted", "required", datetime(2026, 10, 1, tzinfo=UTC), None, None)
    ]
    assert count(expected, "assignments", "published") == 1


def test_a_delta_is_put_upon_what_is_known() -> None:
    """A label that changes renames content that the delta does not mention."""
    sync = Sync()
    label = row("PV_I18N_ACTIVE_LOCALE_LABEL", LABEL_ID="l", LOCALE_ID="English", LABEL_VALUE="Old")
    sync.full(PA_CPNT=[item(CPNT_TITLE="l")], PV_I18N_ACTIVE_LOCALE_LABEL=[label])

    expected = sync.delta(PV_I18N_ACTIVE_LOCALE_LABEL=[label | {"LABEL_VALUE": "New"}])

    assert contents(expected)[0].title == "New"
    assert count(expected, "contents", "read") == 0


def test_absence_proves_nothing_in_a_delta_and_withdraws_in_a_full() -> None:
    sync = Sync()
    sync.full()

    assert len(assignments(sync.delta(PA_STUD_CPNT=[]))) == 1
    assert len(assignments(sync.full(PA_STUD_CPNT=None))) == 1
    expected = sync.full(PA_STUD_CPNT=[])
    assert assignments(expected) == []
    assert count(expected, "assignments", "withdrawn") == 1


def test_a_row_missing_from_the_keys_package_has_gone() -> None:
    sync = Sync()
    sync.full()

    assert len(assignments(sync.delta(keys={"PA_CPNT": [item()]}))) == 1
    assert assignments(sync.delta(keys={"PA_STUD_CPNT": []})) == []


def test_a_rejected_row_keeps_what_was_published_under_its_key() -> None:
    sync = Sync()
    sync.full()

    expected = sync.full(PA_STUD_CPNT=[plan(REQ_DTE="31.12.2026")])

    assert expected.outcome == "partial"
    assert count(expected, "assignments", "rejected") == 1
    assert len(assignments(expected)) == 1


def test_a_rejected_new_revision_keeps_its_item() -> None:
    """Content is published by item, and so that is the key under which it is kept."""
    sync = Sync()
    sync.full()

    expected = sync.full(PA_CPNT=[item(REV_DTE="2026-01-01", CPNT_LEN="soon")])

    assert contents(expected)[0].is_active


def test_an_unreadable_key_stops_all_deletion_from_its_table() -> None:
    sync = Sync()
    sync.full()

    assert len(assignments(sync.full(PA_STUD_CPNT=[plan(STUD_ID="", SEQ_NUM="2")]))) == 1


@pytest.mark.parametrize(
    ("first", "second", "winner"),
    [("", "", "2"), ("2026-01-02", "2026-01-01", "1"), ("2026-01-01", "2026-01-02", "2")],
)
def test_of_twins_the_later_change_wins_else_the_later_row(first: str, second: str, winner: str) -> None:
    twins = [item(CPNT_TITLE="1", LST_UPD_TSTMP=first), item(CPNT_TITLE="2", LST_UPD_TSTMP=second)]

    expected = Sync().full(PA_CPNT=twins)

    assert contents(expected)[0].title == winner
    assert count(expected, "contents", "ignored") == 1


def test_the_latest_active_revision_speaks() -> None:
    revisions = [
        item(REV_DTE="2024-01-01", CPNT_TITLE="old"),
        item(REV_DTE="2025-01-01", CPNT_TITLE="current", CPNT_LEN="90"),
        item(REV_DTE="2026-01-01", CPNT_TITLE="draft", NOTACTIVE="Y"),
    ]

    expected = Sync().full(PA_CPNT=revisions)

    assert [(fact.title, fact.duration_seconds) for fact in contents(expected)] == [("current", 5400)]
    assert count(expected, "contents", "ignored") == 2


@pytest.mark.parametrize(
    ("labels", "title", "tag"),
    [
        ({"English": "en", "German": "de"}, "de", "de-de"),
        ({"English": "en", "Danish": "da"}, "en", "en-us"),
        ({"Klingon": "kl", "Latin": "la", "German": ""}, "kl", "xx-xx"),
        ({"German": ""}, "C-1", "xx-xx"),
        ({}, "label", "xx-xx"),
    ],
)
def test_a_title_is_found_by_locale(labels: dict[str, str], title: str, tag: str) -> None:
    rows = [
        row("PV_I18N_ACTIVE_LOCALE_LABEL", LABEL_ID="label", LOCALE_ID=name, LABEL_VALUE=value)
        for name, value in labels.items()
    ]

    fact = contents(
        Sync(locale="German", language_tag="xx-xx").full(
            PA_CPNT=[item(CPNT_TITLE="label")], PV_I18N_ACTIVE_LOCALE_LABEL=rows
        )
    )[0]

    assert (fact.title, fact.language_tag) == (title, tag)


def test_inactive_content_is_switched_off_if_it_was_shown_and_ignored_if_not() -> None:
    sync = Sync()
    hidden = item(CPNT_ID="hidden", NOTACTIVE="Y")

    first = sync.full(PA_CPNT=[item(), hidden])
    second = sync.full(PA_CPNT=[item(NOTACTIVE="Y"), hidden])

    assert count(first, "contents", "ignored") == 1
    assert contents(second) == [ContentFact(ITEM, is_active=False)]
    assert count(second, "contents", "published") == count(second, "contents", "withdrawn") == 1
    assert contents(sync.full(PA_CPNT=[])) == [ContentFact(ITEM, is_active=False)]


def test_the_library_rule_counts_from_the_first_library_on() -> None:
    sync = Sync()
    library = row("PA_CATALOG", CATALOG_ID="L", ACTIVE="Y")
    sync.full()

    assert contents(sync.delta(PA_CATALOG=[library]))[0].is_active
    assert not contents(sync.delta(PA_CATALOG_ITEM=[]))[0].is_active
    member = row("PA_CATALOG_ITEM", CATALOG_ID="L", REV_DTE="1999-01-01")
    assert contents(sync.delta(PA_CATALOG_ITEM=[member]))[0].is_active
    assert not contents(sync.delta(PA_CATALOG=[library | {"ACTIVE": "N"}]))[0].is_active


def test_the_coverage_gate_lets_equality_pass() -> None:
    students = [student(), student(STUD_ID="S2", PERSON_ID_EXTERNAL="200")]
    rows = [plan(), plan(STUD_ID="S2")]

    assert Sync(coverage_minimum_percent=50).full(PV_PARTNER_STUDENT=students, PA_STUD_CPNT=rows).outcome == "done"
    halted = Sync(coverage_minimum_percent=51).full(PV_PARTNER_STUDENT=students, PA_STUD_CPNT=rows)
    assert (halted.outcome, halted.code) == ("halted", "CONN_ERROR_COVERAGE_BELOW_MINIMUM")
    assert not halted.viva


def test_a_mass_change_halts_until_approved_or_superseded() -> None:
    sync = Sync(mass_change_percent=49)
    two = [plan(), plan(SEQ_NUM="2")]
    before = sync.full(PA_STUD_CPNT=two)

    halted = sync.full()
    blocked = sync.delta()

    assert (halted.outcome, halted.code) == ("halted", "CONN_ERROR_MASS_CHANGE")
    assert halted.viva == before.viva
    assert blocked.blocked
    assert sync.full(PA_STUD_CPNT=two).outcome == "done"
    sync.full()
    assert len(assignments(sync.reference.approve((ADA,)))) == 1


def test_without_a_row_of_a_library_everything_is_shown() -> None:
    assert contents(Sync().full(PA_CATALOG=[], PA_CATALOG_ITEM=[]))[0].is_active


def test_too_many_rejects_refuse_the_package() -> None:
    bad = [plan(SEQ_NUM="2", REQ_DTE="?")]

    refused = Sync(reject_limit_percent=10).full(PA_STUD_CPNT=[plan(), *bad])

    assert (refused.outcome, refused.code) == ("rejected", "CONN_ERROR_REJECT_LIMIT")
    assert not refused.viva
    assert Sync(reject_limit_percent=100 / 7).full(PA_STUD_CPNT=[plan(), *bad]).outcome == "partial"


def test_a_full_without_learners_is_refused() -> None:
    refused = Sync().full(PV_PARTNER_STUDENT=None)

    assert (refused.outcome, refused.code) == ("rejected", "CONN_ERROR_FILE_MISSING")


def test_without_learner_sync_only_the_catalog_goes_on() -> None:
    sync = Sync(learner_sync=False)

    off = sync.full(PV_PARTNER_STUDENT=[student(PERSON_ID_EXTERNAL="")])
    sync.reference.settings["learner_sync"] = True
    waiting = sync.delta(PA_STUD_CPNT=[plan()], PA_CPNT=[item(CPNT_TITLE="New")])
    on = sync.full()

    assert off.outcome == "done"
    assert (assignments(off), assignments(waiting), len(assignments(on))) == ([], [], 1)
    assert (waiting.outcome, waiting.code) == ("partial", "CONN_ERROR_FULL_PACKAGE_NEEDED")
    assert contents(waiting)[0].title == "New"


def test_a_delta_waits_for_the_first_full_and_an_old_one_is_skipped() -> None:
    sync = Sync()

    assert sync.delta().outcome == "waiting"
    sync.full()
    sync.day -= timedelta(days=1)
    assert sync.delta().outcome == "skipped"
