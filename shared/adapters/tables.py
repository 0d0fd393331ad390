"""Rows in a table of the storage account."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, unquote

from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.data.tables import EdmType, EntityProperty, TableEntity, UpdateMode

from shared.adapters.storage_account import StorageAccount, speaking_to_storage

STRING_LIMIT = 32 * 1024
"""Longest string of a row, in UTF-16 units (an emoji counts twice)."""

_INT32 = range(-(2**31), 2**31)
_INT64 = range(-(2**63), 2**63)
_KEYS = ("PartitionKey", "RowKey")


class AzureTable:
    """The port `Table` over one table.

    A row holds `str`, `bool`, `int` of 64 bits, `float` and aware `datetime` (they come back in UTC); for
    anything else, `None` too, `put` raises `ValueError`. A row takes 1 MiB at most, a key 512 characters.
    """

    def __init__(self, account: StorageAccount, table: str) -> None:
        self._account = account
        self._table = table

    def find(self, partition: str, key: str) -> dict[str, Any] | None:
        """Return the row without its keys, or `None`."""
        client = self._account.table(self._table)
        with speaking_to_storage(f"Reading a row of {self._table}"):
            try:
                entity = client.get_entity(_key(partition), _key(key))
            except ResourceNotFoundError:
                return None
        return _row(entity)

    def put(self, partition: str, key: str, row: Mapping[str, Any]) -> None:
        """Store the row, replacing what was there, also the values it has no more."""
        client = self._account.table(self._table)
        with speaking_to_storage(f"Writing a row of {self._table}"):
            client.upsert_entity(_entity(partition, key, row), mode=UpdateMode.REPLACE)

    def add(self, partition: str, key: str, row: Mapping[str, Any]) -> bool:
        """Store the row unless there is one under this key; tell whether it was stored."""
        client = self._account.table(self._table)
        with speaking_to_storage(f"Adding a row to {self._table}"):
            try:
                client.create_entity(_entity(partition, key, row))
            except ResourceExistsError:
                return False
        return True

    def list_rows(self, partition: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield key and row of a partition, in the order of the keys."""
        client = self._account.table(self._table)
        with speaking_to_storage(f"Listing rows of {self._table}"):
            entities = client.query_entities("PartitionKey eq @partition", parameters={"partition": _key(partition)})
            rows = [(_original(entity["RowKey"]), _row(entity)) for entity in entities]
        # Sorted here: the table sorts by the keys as they are stored.
        yield from sorted(rows, key=lambda pair: pair[0])

    def delete(self, partition: str, key: str) -> None:
        """See that the row is gone; the SDK is content when it already is."""
        client = self._account.table(self._table)
        with speaking_to_storage(f"Deleting a row of {self._table}"):
            client.delete_entity(_key(partition), _key(key))


def _entity(partition: str, key: str, row: Mapping[str, Any]) -> dict[str, Any]:
    entity = {name: _stored(name, value) for name, value in row.items()}
    return entity | {"PartitionKey": _key(partition), "RowKey": _key(key)}


def _key(text: str) -> str:
    """Write a key in characters that a table takes, reversibly.

    `/`, backslash, `#`, `?` and control characters are forbidden in keys. The sign is `=` and not `%`,
    because the table service decodes keys in URLs twice: `a%2Fb` would arrive as `a/b`.
    """
    return quote(text, safe=" :@,").replace("%", "=")


def _original(key: str) -> str:
    return unquote(key.replace("=", "%"))


def _stored(name: str, value: object) -> object:
    if name in _KEYS:
        raise ValueError(f"{name} names a key, not a value")
    match value:
        case bool() | float():
            return value
        case int() if value in _INT32:
            return value
        case int() if value in _INT64:
            return EntityProperty(value, EdmType.INT64)
        case str() if len(value.encode("utf-16-le")) <= 2 * STRING_LIMIT:
            return value
        case datetime() if value.tzinfo is not None:
            return value
        case _:
            raise ValueError(f"A table takes no such value as {name} ({type(value).__name__})")


def _row(entity: TableEntity) -> dict[str, Any]:
    return {name: _plain(value) for name, value in entity.items() if name not in _KEYS}


def _plain(value: object) -> object:
    match value:
        case EntityProperty():
            return value.value
        case datetime():
            # The SDK has a class of its own, which remembers the text it was read from.
            return datetime.combine(value.date(), value.time(), UTC)
        case _:
            return value
