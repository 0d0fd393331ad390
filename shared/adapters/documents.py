"""Small JSON documents as blobs `<name>.json`, so that an admin can read and download them."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import ResourceExistsError, ResourceModifiedError, ResourceNotFoundError
from azure.storage.blob import ContentSettings

from shared.adapters.storage_account import StorageAccount, speaking_to_storage
from shared.domain.errors import BusyError, Code, SettingsError
from shared.ports import Document

_ENDING = ".json"


class AzureDocuments:
    """The port `Documents` over one container."""

    def __init__(self, account: StorageAccount, container: str) -> None:
        self._account = account
        self._container = container

    def find(self, name: str) -> Document | None:
        """Return the newest version, or `None`.

        Raises:
            SettingsError: somebody has put something there that is no JSON object.
        """
        client = self._account.blob(self._container, name + _ENDING)
        with speaking_to_storage(f"Reading {self._container}/{name}"):
            try:
                download = client.download_blob()
                content = download.readall()
            except ResourceNotFoundError:
                return None
        return Document(self._parse(name, content), download.properties.etag)

    def put(self, name: str, value: Mapping[str, Any], etag: str | None) -> str:
        """Store and return the new tag; a version other than `etag` is left alone."""
        client = self._account.blob(self._container, name + _ENDING)
        condition = (
            {"overwrite": False}
            if etag is None
            else {"overwrite": True, "etag": etag, "match_condition": MatchConditions.IfNotModified}
        )
        content = json.dumps(dict(value), ensure_ascii=False, indent=2).encode()
        with speaking_to_storage(f"Writing {self._container}/{name}"):
            try:
                written = client.upload_blob(
                    content,
                    content_settings=ContentSettings(content_type="application/json; charset=utf-8"),
                    **condition,
                )
            except (ResourceExistsError, ResourceModifiedError, ResourceNotFoundError):
                raise BusyError(f"Somebody else has changed {self._container}/{name} meanwhile.") from None
        tag: str = written["etag"]
        return tag

    def list_names(self) -> Iterator[str]:
        """Yield all names, in alphabetical order."""
        client = self._account.container(self._container)
        with speaking_to_storage(f"Listing {self._container}"):
            paths = list(client.list_blob_names())
        # Sorted here: as paths, `acme-2.json` comes before `acme.json`.
        yield from sorted(path.removesuffix(_ENDING) for path in paths if path.endswith(_ENDING))

    def delete(self, name: str) -> None:
        """See that it is gone."""
        client = self._account.blob(self._container, name + _ENDING)
        with speaking_to_storage(f"Deleting {self._container}/{name}"):
            try:
                client.delete_blob()
            except ResourceNotFoundError:
                return

    def _parse(self, name: str, content: bytes) -> dict[str, Any]:
        try:
            value = json.loads(content)
        except ValueError:
            value = None
        if not isinstance(value, dict):
            raise SettingsError(
                f"The document {self._container}/{name} is no JSON object; mend it or restore an older version.",
                Code.SETTINGS_INVALID,
            )
        return value
