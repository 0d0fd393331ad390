"""What the Key Vault simulator holds: secrets and their versions, in one JSON file."""

import re
import threading
import time
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from pydantic import BaseModel, Field

from infra.local.private_file import write_private

LONGEST_VALUE_BYTES = 25_000
_NAME = re.compile(r"[0-9a-zA-Z-]{1,127}")


class Attributes(BaseModel):
    """A version's attributes as they travel; times are whole seconds since 1970."""

    enabled: bool = True
    nbf: int | None = None
    exp: int | None = None
    created: int = 0
    updated: int = 0


class SecretVersion(BaseModel):
    """One version of a secret."""

    version: str
    value: str = Field(repr=False)
    attributes: Attributes
    content_type: str | None = None
    tags: dict[str, str] | None = None

    @property
    def enabled(self) -> bool:
        """Whether the vault gives its value away."""
        return self.attributes.enabled

    @property
    def created_at(self) -> datetime:
        """When it was put."""
        return datetime.fromtimestamp(self.attributes.created, UTC)

    @property
    def expires_at(self) -> datetime | None:
        """A mark for its users: the vault itself still gives the value away afterwards."""
        return None if self.attributes.exp is None else datetime.fromtimestamp(self.attributes.exp, UTC)


class VaultError(Exception):
    """The vault refuses, in Key Vault's words: an HTTP status, a code, a text and sometimes an inner code."""

    def __init__(self, status: int, code: str, message: str, inner_code: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.inner_code = inner_code


class _Content(BaseModel):
    secrets: dict[str, list[SecretVersion]] = {}
    forbidden: set[str] = set()


class VaultStore:
    """The secrets, each with its versions from oldest to newest; every change is on disk when it returns.

    Safe to use from several threads.
    """

    def __init__(self, file: Path, content: _Content) -> None:
        self._file = file
        self._content = content
        self._lock = threading.RLock()

    @classmethod
    def kept_in(cls, file: Path) -> Self:
        """Go on with what the file holds; there need not be one yet."""
        return cls(file, _Content.model_validate_json(file.read_bytes()) if file.exists() else _Content())

    def names(self) -> Sequence[str]:
        """Return the names of all secrets, in alphabetical order."""
        with self._lock:
            return sorted(self._content.secrets)

    def versions(self, name: str) -> Sequence[SecretVersion]:
        """Return copies of all versions, oldest first; empty when there is no such secret."""
        with self._lock:
            return [version.model_copy(deep=True) for version in self._content.secrets.get(name, ())]

    def get(self, name: str, version: str = "") -> SecretVersion:
        """Return a copy of the version, by default of the newest one, enabled or not.

        Raises:
            VaultError: 404.
        """
        with self._lock:
            return self._find(name, version).model_copy(deep=True)

    def put(
        self,
        name: str,
        value: str,
        attributes: Attributes,
        *,
        content_type: str | None = None,
        tags: dict[str, str] | None = None,
    ) -> SecretVersion:
        """Add a version, which is the newest from now on.

        Versions of one secret never share their second of creation, however fast they are put: the real
        vault tells times in seconds only, and a person's pauses are what orders its versions.

        Raises:
            VaultError: 400, the name or the value is not one a vault takes.
        """
        if not _NAME.fullmatch(name):
            raise VaultError(400, "BadParameter", f"The request URI contains an invalid name: {name}")
        if len(value.encode()) > LONGEST_VALUE_BYTES:
            raise VaultError(400, "BadParameter", "Secret value exceeds the maximum length.")
        with self._lock:
            versions = self._content.secrets.setdefault(name, [])
            second = max([int(time.time()), *(version.attributes.created + 1 for version in versions[-1:])])
            fresh = SecretVersion(
                version=uuid.uuid4().hex,
                value=value,
                attributes=attributes.model_copy(update={"created": second, "updated": second}),
                content_type=content_type,
                tags=tags,
            )
            versions.append(fresh)
            self._keep()
            return fresh.model_copy(deep=True)

    def change(
        self, name: str, version: str, attributes: dict[str, bool | int], tags: dict[str, str] | None = None
    ) -> SecretVersion:
        """Change some attributes, named as in `Attributes`, of a version, and its tags if given.

        Raises:
            VaultError: 404.
        """
        with self._lock:
            found = self._find(name, version)
            found.attributes = found.attributes.model_copy(update=attributes | {"updated": int(time.time())})
            if tags is not None:
                found.tags = tags
            self._keep()
            return found.model_copy(deep=True)

    def forbid(self, name: str) -> None:
        """Take away the right to this secret, whether it exists or not."""
        with self._lock:
            self._content.forbidden.add(name)
            self._keep()

    def permit(self, name: str) -> None:
        """Give back the right to this secret."""
        with self._lock:
            self._content.forbidden.discard(name)
            self._keep()

    def is_forbidden(self, name: str) -> bool:
        """Tell whether the right to this secret was taken away."""
        with self._lock:
            return name in self._content.forbidden

    def _find(self, name: str, version: str) -> SecretVersion:
        versions = self._content.secrets.get(name, [])
        for candidate in reversed(versions):
            if version in ("", candidate.version):
                return candidate
        wanted = f"{name}/{version}" if version else name
        raise VaultError(404, "SecretNotFound", f"A secret with (name/id) {wanted} was not found in this key vault.")

    def _keep(self) -> None:
        write_private(self._file, self._content.model_dump_json(indent=1).encode())
