"""What a profile may say of its tables."""

import pytest
from pydantic import ValidationError

from shared.domain.profile import Table

STUDENTS = {"A": {"type": "student", "key": True}, "B": {"type": "student"}, "N": {"key": True}}


def test_a_fingerprint_that_goes_on_from_the_key_is_made_of_its_columns_too() -> None:
    """Who is in the key is in it as well."""
    table = Table.model_validate({"columns": STUDENTS, "fingerprints": {"F": ["pk", "B2"], "G": ["N"]}} | _more("B2"))

    assert table.parts("pk") == ["A", "N"]
    assert table.parts("F") == ["A", "N", "B2"]
    assert (table.owner, table.student_in("F"), table.student_in("G")) == ("A", "A", None)


def test_two_students_cannot_enter_one_fingerprint() -> None:
    """Where both are the same person they would cancel each other out, and everybody's rows be one."""
    with pytest.raises(ValidationError, match="F is made of two columns of student ids"):
        Table.model_validate({"columns": STUDENTS, "fingerprints": {"F": ["pk", "B"]}})


def _more(name: str) -> dict[str, object]:
    return {"columns": {**STUDENTS, name: {}}}
