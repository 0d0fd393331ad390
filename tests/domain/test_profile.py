"""What a profile may say of its tables."""

import pytest
from pydantic import ValidationError

from shared.domain.profile import Table

COLUMNS = {"A": {"type": "student", "key": True}, "B": {"type": "student"}, "N": {"key": True}, "M": {}}


def test_a_fingerprint_that_goes_on_from_the_key_is_made_of_its_columns_too() -> None:
    """Who is in the key is in it as well."""
    table = Table.model_validate({"columns": COLUMNS, "fingerprints": {"F": ["pk", "M"], "G": ["N"]}})

    assert table.parts("pk") == ["A", "N"]
    assert table.parts("F") == ["A", "N", "M"]
    assert (table.owner, table.student_in("F"), table.student_in("G")) == ("A", "A", None)


def test_two_students_cannot_enter_one_fingerprint() -> None:
    """Where both are the same person they would cancel each other out, and everybody's rows be one."""
    with pytest.raises(ValidationError, match="F is made of two columns of student ids"):
        Table.model_validate({"columns": COLUMNS, "fingerprints": {"F": ["pk", "B"]}})


def test_a_fingerprint_of_what_is_no_column_is_refused() -> None:
    """Whoever writes a profile is told which."""
    with pytest.raises(ValidationError, match="F is made of NN, which the table does not have"):
        Table.model_validate({"columns": COLUMNS, "fingerprints": {"F": ["pk", "NN"]}})
