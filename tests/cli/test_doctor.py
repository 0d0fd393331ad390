"""`lms doctor` as an admin sees it; what each check finds is tested beside the checks."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.cli.conftest import Lms
from tests.clinic import Clinic
from tests.company import Person, betrays, make_directory
from tests.desk import NAME, Desk


@pytest.fixture
def desk(clinic: Clinic) -> Desk:
    """What `lms` works on."""
    return clinic.desk


def test_without_a_failure_it_ends_well(clinic: Clinic, lms: Lms) -> None:
    """What is only worth a look, such as a connection that has never looked, does not fail."""
    answer = lms("doctor")

    assert answer.status == 0, answer.output
    assert clinic.package
    assert "PGP pair" in answer.output
    assert "0 failed" in answer.output
    assert "How employee ids come into Entra" not in answer.output
    assert betrays(answer.output) == []


def test_a_failure_ends_with_1_and_says_how_to_mend(clinic: Clinic, lms: Lms) -> None:
    clinic.vault.put("pgp-passphrase", "another")

    answer = lms("doctor")
    found = lms("doctor", "--json")

    assert answer.status == found.status == 1
    assert "No enabled passphrase unlocks" in answer.output
    assert "-> " in answer.output
    (failed,) = [check for check in found.json if check["result"] == "failed"]
    assert (failed["connection"], failed["name"], failed["about"]) == (NAME, "PGP pair", "app")
    assert failed["mend"]
    assert len(found.json) >= 14


def test_missing_employee_ids_bring_the_six_scenarios(clinic: Clinic, lms: Lms, tmp_path: Path) -> None:
    """Requirement D4: the admin has to know which way of provisioning is meant for the tenant."""
    make_directory(clinic.graph, tmp_path, Person("a", "", "00000000-0000-4000-8000-0000000000a1"))

    answer = lms("doctor")

    assert answer.status == 1
    assert "0.0 %" in answer.output
    assert "How employee ids come into Entra" in answer.output


def test_the_schedule_of_the_looks_is_the_apps(clinic: Clinic, lms: Lms) -> None:
    clinic.desk.parts = replace(clinic.desk.parts, collect_schedule="every now and then")

    assert "every now and then" in lms("doctor").output


def test_an_unknown_connection_is_told(clinic: Clinic, lms: Lms) -> None:
    assert clinic.package
    assert lms("-c", "third", "doctor").status == 1
