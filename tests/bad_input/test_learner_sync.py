"""Learner record sync is somebody's consent: without it nothing about people is even looked at."""

import pytest

from shared.domain.errors import Code
from tests.bad_input.conftest import Tenant, assert_told
from tests.company import ADA, BEA, PUBLISHED, item, plan, rows

GARBAGE = b'quokka "\0 \xff neither table nor text' * 50
LEARNER_FILES = ("PV_PARTNER_STUDENT", "PA_STUD_CPNT", "PA_CPNT_EVTHST")
CATALOG = {"learningContent": PUBLISHED["learningContent"]}


@pytest.fixture
def without(fresh: Tenant) -> Tenant:
    """Learner sync is off, and a first package is published."""
    fresh.desk.set(learner_sync=False)
    fresh.full(1, **dict.fromkeys(LEARNER_FILES, GARBAGE))
    assert_told(fresh.desk.sync(), "done", None)
    return fresh


def test_without_it_only_the_catalog_is_shown_and_nobody_is_asked_for(without: Tenant) -> None:
    """The files of learners are garbage, and nobody noticed."""
    counters = without.graph.counters()

    assert without.shown() == CATALOG
    assert (counters.reads.get("users", 0), counters.reads.get("delta", 0)) == (0, 0)
    assert counters.written == {"PATCH contents": 5}


def test_without_it_a_package_needs_no_learners(without: Tenant) -> None:
    without.full(2, **dict.fromkeys(LEARNER_FILES))

    assert_told(without.desk.sync(), "done", None)


def test_switched_on_later_it_waits_for_a_full_package(without: Tenant) -> None:
    """A delta has no learners to stand on; the catalog goes on meanwhile."""
    without.desk.set(learner_sync=True)
    without.delta(2, PA_CPNT=[item(6)], PA_STUD_CPNT=[plan(ADA, 1)])

    sync = without.desk.sync()

    assert_told(sync, "partial", Code.FULL_PACKAGE_NEEDED, "Have a new full package made", "the catalog goes on")
    assert without.shown() == {"learningContent": 6}
    assert without.graph.counters().reads.get("users", 0) == 0


def test_the_full_package_brings_everything(without: Tenant) -> None:
    without.desk.set(learner_sync=True)
    without.delta(2)
    without.desk.sync()
    without.full(3)

    sync = without.desk.sync()

    assert_told(sync, "done", None)
    assert without.shown() == PUBLISHED


def test_switched_off_it_leaves_what_is_published(tenant: Tenant) -> None:
    """Nothing is created, changed or withdrawn for anybody any more."""
    tenant.desk.set(learner_sync=False)
    tenant.full(2, **dict.fromkeys(LEARNER_FILES, GARBAGE))

    with tenant.nothing_changes():
        sync = tenant.desk.sync()

    assert_told(sync, "done", None)


def test_switched_on_again_it_goes_on_from_what_is_published(tenant: Tenant) -> None:
    """After a new full package, and without anything twice."""
    tenant.desk.set(learner_sync=False)
    tenant.full(2, **dict.fromkeys(LEARNER_FILES))
    tenant.desk.sync()
    tenant.desk.set(learner_sync=True)
    tenant.full(3, PA_STUD_CPNT=[*rows()["PA_STUD_CPNT"], plan(BEA, 5)])

    sync = tenant.desk.sync()

    assert_told(sync, "done", None)
    assert tenant.shown() == {**PUBLISHED, "learningAssignment": PUBLISHED["learningAssignment"] + 1}
    assert tenant.graph.duplicate_activities() == 0
