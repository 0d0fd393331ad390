"""Keyed hashes in Python and in the columnar engine are the same, so that they can be compared."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from shared.domain.errors import SettingsError
from shared.domain.write_back import Completion
from shared.pipeline.engine import engine
from shared.pipeline.write_back.keyed import Keyed
from shared.ports import Secret

PEPPER = Secret("1", "5a" * 32, datetime(2026, 11, 1, tzinfo=UTC))


def test_both_make_the_same_hash() -> None:
    with engine(64) as columnar:
        columnar.set_pepper(PEPPER)
        found = columnar.one("select keyed('student', 'quokka-1')")

    assert UUID(bytes=Keyed(PEPPER).digest("student", "quokka-1")) == found


def test_values_do_not_run_into_each_other() -> None:
    keyed = Keyed(PEPPER)

    assert keyed.digest("k", "ab", "c") != keyed.digest("k", "a", "bc")
    assert keyed.digest("k", "a") != keyed.digest("l", "a")
    assert keyed.digest("k", "a", b"b") == keyed.digest("k", "a", "b")


def test_a_completion_is_told_by_its_day_in_utc() -> None:
    keyed = Keyed(PEPPER)

    def made(time: str, **values: object) -> bytes:
        record = {"learner": "a", "course_id": "b", "completed_at": time, **values}
        return keyed.of_completion(Completion.model_validate(record))

    assert made("2026-10-01T23:30:00-01:00") == made("2026-10-02T00:30:00Z") == made("2026-10-02T10:00:00Z", grade="A")
    assert made("2026-10-01T23:30:00Z") != made("2026-10-02T00:30:00Z")
    assert made("2026-10-01T00:00:00Z", completion_id="2026-10-01") != made("2026-10-01T00:00:00Z")


@pytest.mark.parametrize("value", ["", "quokka", "5a" * 31])
def test_a_pepper_that_is_none_is_refused(value: str) -> None:
    with pytest.raises(SettingsError):
        Keyed(Secret("1", value, PEPPER.created_at))
