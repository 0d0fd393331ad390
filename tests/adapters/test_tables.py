from datetime import UTC, datetime, timedelta, timezone
from math import inf, isnan, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.adapters.storage_account import StorageAccount
from shared.adapters.tables import STRING_LIMIT, AzureTable, _key, _original
from shared.domain.errors import Code
from shared.ports import Table
from tests.fakes import MemoryTable


@pytest.fixture
def table(account: StorageAccount, name: str, *, on_azure: bool) -> Table:
    return AzureTable(account, name) if on_azure else MemoryTable()


def test_values_come_back_as_they_were(table: Table) -> None:
    row = {
        "text": "größer 😀",
        "empty": "",
        "yes": True,
        "no": False,
        "zero": 0,
        "small": 2**31 - 1,
        "large": 2**31,
        "largest": 2**63 - 1,
        "smallest": -(2**63),
        "share": 0.1,
        "whole": 2.0,
        "infinite": -inf,
        "at": datetime(2026, 11, 22, 19, 13, 31, 123456, tzinfo=UTC),
    }

    table.put("acme", "run", row)
    found = table.find("acme", "run")

    assert found == row
    assert {name: type(value) for name, value in found.items()} == {name: type(value) for name, value in row.items()}


def test_not_a_number_stays_none(table: Table) -> None:
    table.put("acme", "run", {"share": nan})

    found = table.find("acme", "run")

    assert found is not None
    assert isnan(found["share"])


def test_a_time_of_another_zone_is_the_same_moment(table: Table) -> None:
    at = datetime(2026, 11, 22, 12, tzinfo=timezone(timedelta(hours=-8)))

    table.put("acme", "run", {"at": at})

    assert table.find("acme", "run") == {"at": at}


def test_a_code_is_stored_as_its_text(table: Table) -> None:
    table.put("acme", "run", {"code": Code.NOT_A_ZIP})

    assert table.find("acme", "run") == {"code": "CONN_ERROR_NOT_A_ZIP"}


def test_put_replaces_the_whole_row(table: Table) -> None:
    table.put("acme", "run", {"old": 1, "both": 1})
    table.put("acme", "run", {"new": 2, "both": 2})

    assert table.find("acme", "run") == {"new": 2, "both": 2}


def test_a_row_that_is_not_there_is_none(table: Table) -> None:
    table.put("acme", "run", {})

    assert table.find("acme", "other") is None
    assert table.find("other", "run") is None
    assert list(table.list_rows("other")) == []


@pytest.mark.parametrize(
    "key",
    ["a/b", "a\\b", "a#b", "a?b", "a\nb", "a%2Fb", "a=2Fb", "it's", "it''s", "日本 語", "😀", "a+b c", ""],
)
def test_a_key_may_hold_any_character(table: Table, key: str) -> None:
    """Names of packages are keys, and a provider may call them anything."""
    table.put(key, key, {"n": 1})

    assert table.find(key, key) == {"n": 1}
    assert list(table.list_rows(key)) == [(key, {"n": 1})]


def test_rows_are_listed_by_key(table: Table) -> None:
    keys = ["b", "a/b", "a0", "a", "B", "10", "9", "a-b"]
    for key in keys:
        table.put("acme", key, {"n": key})
    table.put("acme-2", "z", {})

    assert list(table.list_rows("acme")) == [(key, {"n": key}) for key in sorted(keys)]


def test_a_row_is_deleted_alone_and_deleting_it_again_is_fine(table: Table) -> None:
    table.put("acme", "a/b", {"n": 1})
    table.put("acme", "b", {"n": 2})

    for _ in range(2):
        table.delete("acme", "a/b")

    assert list(table.list_rows("acme")) == [("b", {"n": 2})]


@given(st.text())
def test_a_key_is_written_reversibly_and_safely(key: str) -> None:
    """The table service forbids slashes, `#`, `?` and control characters, and decodes `%` in URLs twice."""
    written = _key(key)

    assert _original(written) == key
    assert not set(written) & set("/\\#?%+'")
    assert written.isprintable()
    assert written.isascii()


def test_a_long_text_fits_and_a_longer_one_is_refused(account: StorageAccount, name: str) -> None:
    table = AzureTable(account, name)

    table.put("acme", "run", {"text": "ä" * STRING_LIMIT})

    with pytest.raises(ValueError, match="text"):
        table.put("acme", "run", {"text": "ä" * (STRING_LIMIT + 1)})
    with pytest.raises(ValueError, match="text"):
        table.put("acme", "run", {"text": "😀" * (STRING_LIMIT // 2 + 1)})


@pytest.mark.parametrize("value", [None, 2**63, b"bytes", ["list"], datetime(2026, 11, 22)])  # noqa: DTZ001 - the naive one is refused
def test_a_value_that_would_be_lost_is_refused(account: StorageAccount, name: str, value: object) -> None:
    """The service drops `None` without a word."""
    with pytest.raises(ValueError, match="at_fault"):
        AzureTable(account, name).put("acme", "run", {"at_fault": value})


def test_a_value_cannot_take_the_place_of_a_key(account: StorageAccount, name: str) -> None:
    with pytest.raises(ValueError, match="names a key"):
        AzureTable(account, name).put("acme", "run", {"RowKey": "other"})


def test_only_the_first_row_under_a_key_is_added(table: Table) -> None:
    """By which the same batch is known that comes twice at the same time."""
    assert table.add("acme", "batch", {"count": 1})
    assert not table.add("acme", "batch", {"count": 2})
    assert table.add("acme", "other", {"count": 3})

    assert table.find("acme", "batch") == {"count": 1}
