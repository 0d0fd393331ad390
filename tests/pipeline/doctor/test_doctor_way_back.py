"""Whether the doctor sees that what is sent in can be sealed, and that the LMS lets the connector in."""

import pytest

from shared.domain.errors import Code
from shared.pipeline.doctor import Result, examine
from tests.clinic import Clinic
from tests.write_back.conftest import WRITE_BACK


def found(clinic: Clinic) -> dict[str, tuple[Result, str]]:
    checks = examine(clinic.desk.parts, ["desk"])
    return {each.name: (each.result, each.found) for each in checks if each.name in ("outbox key", "LMS login")}


def test_nothing_is_asked_where_nothing_is_sent_back(clinic: Clinic) -> None:
    assert found(clinic) == {}


@pytest.mark.parametrize(
    ("identity", "result"), [("external_reference", Result.PASSED), ("lms_user_id", Result.WARNED)]
)
def test_the_field_of_the_lms_is_compared_with_the_setting(clinic: Clinic, identity: str, result: Result) -> None:
    clinic.desk.set(write_back={**WRITE_BACK, "identity": identity})
    for name in ("write-back-key", "successfactors-client"):
        clinic.desk.parts.secrets.add_version(name, "c3" * 32)

    checks = found(clinic)

    assert checks["outbox key"][0] is Result.PASSED
    assert checks["LMS login"][0] is result
    assert "'external_reference'" in checks["LMS login"][1]


def test_what_is_missing_is_told(clinic: Clinic) -> None:
    clinic.desk.set(write_back=WRITE_BACK)
    clinic.desk.parts.secrets.add_version("write-back-key", "short")

    (check,) = [each for each in examine(clinic.desk.parts, ["desk"]) if each.name == "outbox key"]

    assert (check.result, check.code) == (Result.FAILED, Code.SETTINGS_INVALID)
