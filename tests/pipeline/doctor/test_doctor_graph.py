"""The doctor at Graph: access, roles, provider, licences, and the directory; as the app and as a person."""

from pathlib import Path

import pytest

from infra.local.graph import SEEDED_SERVICE_PLAN_ID, Faults
from shared.domain.errors import Code
from shared.domain.runs import Outcome, Run, Step
from shared.pipeline import journal
from shared.pipeline.doctor import Check, Result
from tests.clinic import Clinic
from tests.company import ADA, BEA, Person, betrays, make_directory
from tests.desk import NAME


def told(check: Check, result: Result, *words: str) -> bool:
    assert check.result is result, check
    for word in words:
        assert word in check.found + check.mend, check
    assert check.mend or result is Result.PASSED
    return betrays(check.model_dump_json()) == []


def end_run(clinic: Clinic, outcome: Outcome, code: Code | None = None) -> None:
    """Let a run of the app have ended so."""
    now = clinic.desk.now
    run = Run(
        run_id=journal.new_run_id(now),
        connection=NAME,
        sync_id="s",
        package=clinic.package,
        kind="full",
        content_hash="h",
        sealed_path="p",
        timestamp=now,
        touched_at=now,
        started_at=now,
        step=Step.ENDED,
        outcome=outcome,
        code=code,
        message="Graph refused it.",
        learner_part=True,
    )
    journal.put_new_run(clinic.desk.parts, run)


def test_a_graph_that_does_not_answer_fails_and_the_rest_is_skipped(clinic: Clinic) -> None:
    clinic.graph.inject(Faults(offline=True))

    found = clinic.checks()

    assert told(found["Graph access"], Result.FAILED, "LMS_GRAPH_URL")
    for name in ("clock", "provider", "licence plan"):
        assert found[name].result is Result.SKIPPED
    assert found["directory coverage"].code is Code.GRAPH_UNAVAILABLE


def test_a_token_that_is_refused_asks_to_sign_in(clinic: Clinic) -> None:
    clinic.graph.inject(Faults(reject_tokens=100))

    assert told(clinic.checks()["Graph access"], Result.FAILED, "az login")


@pytest.mark.parametrize(
    "role",
    [
        "LearningContent.ReadWrite.All",
        "LearningAssignedCourse.ReadWrite.All",
        "LearningSelfInitiatedCourse.ReadWrite.All",
        "User.Read.All",
    ],
)
def test_a_role_that_is_missing_is_named(clinic: Clinic, role: str) -> None:
    caller = clinic.desk.parts.caller()
    assert caller is not None
    clinic.be_app(*(caller.roles - {role}))

    check = clinic.checks()["Graph roles"]

    assert told(check, Result.FAILED, f"without {role}.", "managed identity")
    assert check.code is Code.GRAPH_PERMISSION_MISSING


def test_without_learner_sync_one_role_is_enough(clinic: Clinic) -> None:
    clinic.desk.set(learner_sync=False)
    clinic.be_app("LearningContent.ReadWrite.All")

    found = clinic.checks()

    assert found["Graph roles"].result is Result.PASSED
    assert found["directory coverage"].result is Result.SKIPPED


def test_a_person_cannot_see_the_roles_before_a_run(clinic: Clinic) -> None:
    clinic.be_person()

    assert told(clinic.checks()["Graph roles"], Result.SKIPPED, "signed in as a person", "User.Read.All")


def test_a_person_sees_a_run_that_lacked_a_role(clinic: Clinic) -> None:
    clinic.be_person()
    end_run(clinic, Outcome.FAILED, Code.GRAPH_PERMISSION_MISSING)

    assert told(clinic.checks()["Graph roles"], Result.FAILED, "was refused by Graph")


def test_course_activity_sync_that_is_off_fails_with_learner_sync_only(clinic: Clinic) -> None:
    clinic.be_person()
    clinic.graph.inject(Faults(course_activity_sync_off=True))

    assert told(clinic.checks()["provider"], Result.FAILED, "isCourseActivitySyncEnabled is off")
    clinic.desk.set(learner_sync=False)
    assert told(clinic.checks()["provider"], Result.WARNED, "Learner sync will need it")


@pytest.mark.parametrize("person", [True, False], ids=["person", "app"])
def test_a_provider_that_is_not_ours_fails(clinic: Clinic, *, person: bool) -> None:
    if person:
        clinic.be_person()
    clinic.set("viva", provider_id="another")

    check = clinic.checks()["provider"]

    assert told(check, Result.FAILED, "viva.provider_id")
    assert check.code is Code.PROVIDER_NOT_ENABLED


def test_a_provider_that_is_disabled_fails_for_the_app(clinic: Clinic) -> None:
    clinic.graph.inject(Faults(provider_disabled=True))

    assert clinic.checks()["provider"].code is Code.PROVIDER_NOT_ENABLED


def test_an_app_that_may_not_read_contents_fails(clinic: Clinic) -> None:
    clinic.be_app("User.Read.All")

    assert clinic.checks()["provider"].code is Code.GRAPH_PERMISSION_MISSING


def test_a_person_without_the_right_is_told_how_to_look(clinic: Clinic) -> None:
    clinic.be_person("User.Read")

    assert told(clinic.checks()["provider"], Result.SKIPPED, "Knowledge Administrator", "LearningProvider.Read")


def test_a_person_sees_a_run_that_the_provider_refused(clinic: Clinic) -> None:
    clinic.be_person("User.Read")
    end_run(clinic, Outcome.FAILED, Code.PROVIDER_NOT_ENABLED)

    assert told(clinic.checks()["provider"], Result.FAILED, "was refused")


def test_a_plan_that_the_tenant_has_not_fails(clinic: Clinic) -> None:
    clinic.be_person()
    clinic.set("viva", licence_service_plan_ids=["00000000-0000-4000-8000-00000000ffff"])

    assert told(clinic.checks()["licence plan"], Result.FAILED, "0000ffff", "subscribedSkus")


def test_the_seeded_plan_is_not_enough(clinic: Clinic) -> None:
    clinic.set("viva", licence_service_plan_ids=[SEEDED_SERVICE_PLAN_ID.upper()])

    assert told(clinic.checks()["licence plan"], Result.FAILED, "seeded")


def test_no_plan_is_no_check(clinic: Clinic) -> None:
    clinic.set("viva", licence_service_plan_ids=[])

    assert told(clinic.checks()["licence plan"], Result.SKIPPED, "is empty")


def test_the_app_counts_users_with_a_licence(clinic: Clinic, tmp_path: Path) -> None:
    """Reading the tenant's licences takes a right that it has no need of."""
    assert "2 of the first 2 users" in clinic.checks()["licence plan"].found
    make_directory(clinic.graph, tmp_path, Person(ADA.student, ADA.key, ADA.user_id, licensed=False))

    assert told(clinic.checks()["licence plan"], Result.WARNED, "0 of the first 1 users")


def test_nobody_may_read_licences_or_users(clinic: Clinic) -> None:
    clinic.be_person("User.Read")

    assert told(clinic.checks()["licence plan"], Result.SKIPPED, "LicenseAssignment.Read.All")


def test_a_directory_without_employee_ids_fails(clinic: Clinic, tmp_path: Path) -> None:
    make_directory(clinic.graph, tmp_path, Person("a", "", ADA.user_id), Person("b", "", BEA.user_id))

    check = clinic.checks()["directory coverage"]

    assert told(check, Result.FAILED, "0 of 2 enabled members (0.0 %)", "six scenarios")


def test_few_employee_ids_are_worth_a_look(clinic: Clinic, tmp_path: Path) -> None:
    others = [Person(str(number), "", f"00000000-0000-4000-8000-{number:012}") for number in range(3)]
    make_directory(clinic.graph, tmp_path, ADA, *others)

    assert told(clinic.checks()["directory coverage"], Result.WARNED, "1 of 4")


def test_shared_employee_ids_are_counted_and_never_shown(clinic: Clinic, tmp_path: Path) -> None:
    """As they are compared: case and spaces do not matter. Who has left does not count."""
    twin = Person("twin", f" {ADA.key.lower()} ", "00000000-0000-4000-8000-0000000000c3")
    gone = Person("gone", BEA.key, "00000000-0000-4000-8000-0000000000d4", enabled=False)
    make_directory(clinic.graph, tmp_path, ADA, BEA, twin, gone)

    assert told(clinic.checks()["directory coverage"], Result.WARNED, "3 of 3", "1 ids are shared")


def test_an_empty_directory_fails(clinic: Clinic, tmp_path: Path) -> None:
    make_directory(clinic.graph, tmp_path, Person("gone", BEA.key, BEA.user_id, enabled=False))

    assert told(clinic.checks()["directory coverage"], Result.FAILED, "no enabled member")
