"""Secrets from Azure Key Vault."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from http import HTTPStatus
from operator import attrgetter
from time import monotonic

from azure.core.credentials import TokenCredential
from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    ResourceNotFoundError,
)
from azure.keyvault.secrets import KeyVaultSecret, SecretClient

from shared.domain.errors import Code, SettingsError, TransientError
from shared.ports import Secret

_READER, _WRITER = "Key Vault Secrets User", "Key Vault Secrets Officer"
_WHO = {_READER: "The app's identity", _WRITER: "Whoever adds keys"}


class KeyVaultSecrets:
    """The port `Secrets` over one vault, for all threads.

    Behind a certificate of your own, name the file of its authority in `REQUESTS_CA_BUNDLE`.
    """

    def __init__(
        self,
        vault_url: str,
        credential: TokenCredential,
        *,
        verify_challenge: bool = True,
        cache_seconds: float = 300,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        """Prepare to ask; nothing is asked yet.

        `verify_challenge` is off only for a vault outside Azure's domain. `clock` tells seconds.
        """
        # The SDK logs every request and every token at INFO, with its URL.
        for noisy in ("azure.core", "azure.identity"):
            logging.getLogger(noisy).setLevel(logging.WARNING)
        self._client = SecretClient(
            vault_url,
            credential,
            verify_challenge_resource=verify_challenge,
            retry_total=2,
            retry_backoff_factor=0.3,
            connection_timeout=5,
            read_timeout=10,
        )
        self._newest = _Cache(self._load_newest, cache_seconds, clock)
        self._versions = _Cache(self._load_versions, cache_seconds, clock)

    def get(self, name: str) -> Secret:
        """Return the newest enabled version, also when a still newer one is disabled."""
        return self._newest.get(name)

    def list_versions(self, name: str) -> Sequence[Secret]:
        """Return every enabled version, newest first."""
        return self._versions.get(name)

    def add_version(self, name: str, value: str, *, expires_at: datetime | None = None, enabled: bool = True) -> Secret:
        """Add a version, which is the newest from now on."""
        with speaking_to_vault(name, role=_WRITER):
            added = _secret(self._client.set_secret(name, value, expires_on=expires_at, enabled=enabled))
        self._forget(name)
        return added

    def enable(self, name: str, version: str) -> None:
        """Let a version be used."""
        with speaking_to_vault(name, role=_WRITER):
            self._client.update_secret_properties(name, version, enabled=True)
        self._forget(name)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _forget(self, name: str) -> None:
        self._newest.forget(name)
        self._versions.forget(name)

    def _load_newest(self, name: str) -> Secret:
        with speaking_to_vault(name):
            current = self._find_current(name)
            if current is not None:
                return current
            return self._read(name, self._enabled_versions(name)[0])

    def _load_versions(self, name: str) -> tuple[Secret, ...]:
        with speaking_to_vault(name):
            current = self._find_current(name)
            versions = [self._read(name, version) for version in self._enabled_versions(name)]
        # The vault counts creation in whole seconds; within one, what it calls current is the newest.
        return tuple(sorted(versions, key=lambda secret: (secret.created_at, secret == current), reverse=True))

    def _find_current(self, name: str) -> Secret | None:
        """Return the latest version, or `None` when it is disabled or refused: listing will tell which."""
        try:
            return _secret(self._client.get_secret(name))
        except HttpResponseError as error:
            if error.status_code != HTTPStatus.FORBIDDEN:
                raise
            return None

    def _enabled_versions(self, name: str) -> list[str]:
        """Return the ids of enabled versions, newest first."""
        listed = self._client.list_properties_of_secret_versions(name)
        known = [properties for properties in listed if properties.enabled]
        if not known:
            raise SettingsError(
                f"The secret {name!r} is not in the vault, or none of its versions is enabled.",
                Code.SECRET_MISSING,
            )
        known.sort(key=attrgetter("created_on"), reverse=True)
        return [str(properties.version) for properties in known]

    def _read(self, name: str, version: str) -> Secret:
        return _secret(self._client.get_secret(name, version))


@contextmanager
def speaking_to_vault(name: str, *, role: str = _READER) -> Iterator[None]:
    """Turn whatever the Azure SDK raises into what we do next.

    `role` is what is needed for it. Raised `from None`: what the SDK could not read, it quotes, and that may be a
    secret.
    """
    doing = f"{'Reading' if role == _READER else 'Writing'} {name!r}"
    try:
        yield
    except ResourceNotFoundError:
        raise SettingsError(f"The vault has no secret {name!r}.", Code.SECRET_MISSING) from None
    except HttpResponseError as error:
        raise _meaning(name, doing, role, error) from None
    except AzureError:
        raise TransientError(
            f"{doing}: no answer from the vault or the token service.", Code.VAULT_UNREACHABLE
        ) from None
    except ValueError:
        # The SDK's word for a vault that asks for tokens of a foreign domain.
        raise SettingsError(
            f"{doing}: what answers at the vault's URL is no Azure Key Vault.",
            Code.VAULT_UNREACHABLE,
        ) from None


def _meaning(name: str, doing: str, role: str, error: HttpResponseError) -> SettingsError | TransientError:
    status = error.status_code
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return SettingsError(
            f"{doing}: the vault refused us (status {status}). {_WHO[role]} needs the role {role} on the vault, and "
            "the vault's network rules must let the caller in.",
            Code.VAULT_UNREACHABLE,
        )
    if isinstance(error, ClientAuthenticationError):
        return TransientError(f"{doing}: no token for the vault now.", Code.VAULT_UNREACHABLE)
    if status == HTTPStatus.BAD_REQUEST:
        return SettingsError(f"The vault takes no such name or value for {name!r}.", Code.SECRET_MISSING)
    if status == HTTPStatus.CONFLICT:
        return SettingsError(
            f"{doing}: the secret was deleted and can still be recovered. Recover it in the vault, or purge it.",
            Code.SECRET_MISSING,
        )
    return TransientError(f"{doing}: the vault answered {status}.", Code.VAULT_UNREACHABLE)


def _secret(answer: KeyVaultSecret) -> Secret:
    properties = answer.properties
    if answer.value is None or properties.version is None or properties.created_on is None:
        raise TransientError("The vault gave half an answer.", Code.VAULT_UNREACHABLE)
    return Secret(properties.version, answer.value, properties.created_on, properties.expires_on)


class _Cache[Value]:
    """What was loaded by name, for a while. Threads that miss at the same time all load; that is harmless."""

    def __init__(self, load: Callable[[str], Value], keep_seconds: float, clock: Callable[[], float]) -> None:
        self._load = load
        self._keep_seconds = keep_seconds
        self._clock = clock
        self._kept: dict[str, tuple[float, Value]] = {}

    def get(self, name: str) -> Value:
        now = self._clock()
        kept = self._kept.get(name)
        if kept is not None and now - kept[0] < self._keep_seconds:
            return kept[1]
        value = self._load(name)
        self._kept[name] = (now, value)
        return value

    def forget(self, name: str) -> None:
        self._kept.pop(name, None)
