"""The columnar engine: hashes that cannot be made without the pepper, and messages without values."""

import hmac
import uuid
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.domain.errors import Code, SettingsError, TransientError
from shared.pipeline.engine import Engine, EngineError, engine, name, parquet, text
from shared.pipeline.person_keys import person_key
from shared.ports import Secret
from tests.pipeline.conftest import PEPPER, as_secret


def by_hand(kind: str, value: str, pepper: bytes = PEPPER) -> uuid.UUID:
    return uuid.UUID(bytes=hmac.digest(pepper, f"{kind}:{value}".encode(), "sha256")[:16])


@given(value=st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=200))
@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_a_key_is_the_hmac_of_its_kind_and_value(columnar: Engine, value: str) -> None:
    """The standard construction, so that its strength is known; 128 bits of it."""
    assert columnar.one("select keyed('person', ?)", [value]) == by_hand("person", value)


@pytest.mark.parametrize("length", [32, 33, 63, 64])
def test_a_pepper_of_any_good_length_is_the_key(length: int) -> None:
    pepper = bytes(range(length))

    with engine(64) as columnar:
        columnar.set_pepper(as_secret(pepper))

        assert columnar.one("select keyed('student', 'a')") == by_hand("student", "a", pepper)


@pytest.mark.parametrize("pepper", ["", "5a" * 31, "5a" * 65, "correct horse battery staple correct horse"])
def test_another_pepper_is_refused(pepper: str) -> None:
    """A short one could be guessed; a longer one would be hashed first, and nobody needs it."""
    secret = Secret("1", pepper, datetime(2026, 1, 1, tzinfo=UTC))

    with engine(64) as columnar, pytest.raises(SettingsError, match="32 to 64") as caught:
        columnar.set_pepper(secret)

    assert caught.value.code is Code.SETTINGS_INVALID
    assert not pepper or pepper not in str(caught.value)


def test_nothing_has_no_key(columnar: Engine) -> None:
    assert columnar.one("select keyed('person', null::varchar)") is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a100", "A100"),
        ("Strasse", "STRAẞE"),
        ("straße", "STRASSE"),
        ("ΟΔΟΣ", "οδος"),
        ("e\u0301", "É"),
    ],
    ids=["case", "capital sharp s", "sharp s", "final sigma", "composed"],
)
def test_spellings_that_fold_to_the_same_are_one_person(columnar: Engine, one: str, other: str) -> None:
    assert columnar.one(f"select {person_key(text(one))} = {person_key(text(other))}")


@pytest.mark.parametrize(("one", "other"), [("00100", "100"), ("A-100", "A100"), ("a", "ä")])
def test_others_are_not(columnar: Engine, one: str, other: str) -> None:
    """Zeros and signs stay: whoever drops them gives one person's records to another."""
    assert not columnar.one(f"select {person_key(text(one))} = {person_key(text(other))}")


@pytest.mark.parametrize(
    "statement",
    [
        "select 'Quokka'::integer",
        "select cast(x as date) from (values ('quokka''s')) t(x)",
        "select 'O''quokka'::integer",
        """select 'a"b"quokka'::uuid""",
        "select E'two\\nlines of quokka'::integer",
        "select E'quokka\\nin two lines'::integer",
        "select * from read_parquet('/no/where/quokka.parquet')",
        'select "quokka" from (select 1)',
        "select strptime('quokka', '%Y')",
    ],
)
def test_an_error_holds_no_value(columnar: Engine, statement: str) -> None:
    """The engine quotes what it could not convert, and that may be somebody's id."""
    for ask in (columnar.run, columnar.rows, lambda sql: list(columnar.iterate(sql))):
        with pytest.raises(EngineError) as caught:
            ask(statement)

        assert "quokka" not in str(caught.value).lower()
        assert caught.value.__cause__ is None
        assert caught.value.__suppress_context__


def test_an_error_holds_no_number_that_may_be_an_id(columnar: Engine) -> None:
    with pytest.raises(EngineError) as caught:
        columnar.run("select 7001234567::integer")

    assert "7001234567" not in str(caught.value)
    assert "INT64" in str(caught.value)


def test_no_memory_left_has_a_code_and_may_pass() -> None:
    """Learners are mapped again then, and a run that never gets through ends with it."""
    with engine(64) as small:
        for ask in (small.run, small.attempt):
            with pytest.raises(TransientError) as caught:
                ask("create or replace table kept as select list(repeat('quokka', 50)) from range(1000000)")

            assert caught.value.code is Code.MEMORY_EXCEEDED
            assert "LMS_MEMORY_LIMIT_MB" in str(caught.value)


def test_a_statement_that_may_fail_says_whether_it_worked(columnar: Engine) -> None:
    assert columnar.attempt("create or replace temp table one as select 1")
    assert not columnar.attempt("create or replace temp table one as select 'x'::integer")


def test_quoted_texts_and_names_stay_what_they_are(columnar: Engine) -> None:
    odd = """it's "odd"; --"""

    assert columnar.rows(f"select {text(odd)} as {name(odd)}") == [(odd,)]
    assert columnar.rows(f"describe select 1 as {name(odd)}")[0][0] == odd


def test_what_is_written_is_read_again(columnar: Engine) -> None:
    path = columnar.write("select range as n from range(5)", columnar.folder / "a" / "it's.parquet")

    assert columnar.one(f"select sum(n) from {parquet([path, path])}") == 20


def test_rows_come_in_lists_of_that_size(columnar: Engine) -> None:
    assert [len(rows) for rows in columnar.iterate("from range(7)", 3)] == [3, 3, 1]


def test_nothing_is_left_of_an_engine() -> None:
    with engine(64) as columnar:
        folder = columnar.folder
        columnar.write("select 1", folder / "one.parquet")

    assert not folder.exists()
    with pytest.raises(EngineError):
        columnar.run("select 1")
