"""A stand-in for Azure Key Vault, on loopback, with an identity that may read it.

It speaks the vault's own protocol over TLS, so that the real SDK works against it: the challenge for a
token, versions, listings by pages, the refusals and their words. A client needs two things to accept a
vault at this address: `verify_challenge_resource=False`, and `ca_file` as what it trusts.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pydantic import BaseModel, Field
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from infra.local.certificate import Certificate
from infra.local.identity import TENANT_ID, IdentitySimulator, find_audience
from infra.local.loopback import LoopbackServer
from infra.local.vault_store import Attributes, SecretVersion, VaultError, VaultStore

VAULT_RESOURCE = "https://vault.azure.net"
API_VERSIONS = frozenset({"2016-10-01", "7.0", "7.1", "7.2", "7.3", "7.4", "7.5", "7.6", "2025-07-01", "2026-04-01"})
PAGE_ITEMS = 25


class VaultSimulator:
    """A vault and a managed identity, answering while the `with` block does.

    What it holds, and its certificate, stay in `state` for the next time.
    """

    url: str
    """The vault's, without a slash at the end; the port is another one at every start."""
    ca_file: Path
    """The certificate to trust, as a PEM file."""
    identity_endpoint: str
    """For the setting IDENTITY_ENDPOINT; gives tokens for any resource."""
    identity_header: str
    """For the setting IDENTITY_HEADER: only who knows it gets tokens."""

    def __init__(self, state: Path) -> None:
        self._state = state
        self._store = VaultStore.kept_in(state / "vault.json")
        self._running = ExitStack()
        self.offline = False
        """While true, the vault answers 503; the identity endpoint goes on."""

    def __enter__(self) -> Self:
        """Start to answer."""
        certificate = Certificate.kept_in(self._state)
        self.ca_file = certificate.certificate_file
        self.url = self._running.enter_context(LoopbackServer(self._vault(), certificate)).url
        identity = self._running.enter_context(IdentitySimulator())
        self.identity_endpoint, self.identity_header = identity.endpoint, identity.header
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Hang up."""
        self._running.close()

    def put_secret(self, name: str, value: str, *, enabled: bool = True, expires_at: datetime | None = None) -> str:
        """Add a version, the newest from now on, and return its id."""
        expires = None if expires_at is None else int(expires_at.timestamp())
        return self._store.put(name, value, Attributes(enabled=enabled, exp=expires)).version

    def has(self, name: str) -> bool:
        """Tell whether there is such a secret, in any version."""
        return bool(self._store.versions(name))

    def versions(self, name: str) -> Sequence[SecretVersion]:
        """Return all versions with their values, oldest first; empty when there is no such secret."""
        return self._store.versions(name)

    def disable(self, name: str, version: str) -> None:
        """Stop giving away the value of this version."""
        self._store.change(name, version, {"enabled": False})

    def forbid(self, name: str) -> None:
        """Refuse everything about this secret to the identity, also after a restart."""
        self._store.forbid(name)

    def permit(self, name: str) -> None:
        """Undo `forbid`."""
        self._store.permit(name)

    def _vault(self) -> Starlette:
        """Key Vault's paths; the SDK ends the path with a slash when it names no version."""
        with_slash, without, version = "/secrets/{name}/", "/secrets/{name}", "/secrets/{name}/{version}"
        table = [
            ("GET", self._list_secrets, ["/secrets"]),
            ("GET", self._list_versions, ["/secrets/{name}/versions"]),
            ("GET", self._get, [with_slash, without, version]),
            ("PUT", self._put, [without]),
            ("PATCH", self._change, [with_slash, without, version]),
        ]
        return Starlette(
            routes=[
                Route(path, self._admitted(action), methods=[method])
                for method, action, paths in table
                for path in paths
            ]
        )

    def _admitted(self, action: "_Action") -> Callable[[Request], Awaitable[Response]]:
        """Wrap an action in what every request to a vault passes first."""

        async def endpoint(request: Request) -> Response:
            if self.offline:
                return _refusal(VaultError(503, "ServiceUnavailable", "The service is unavailable."))
            if find_audience(request.headers.get("Authorization", "")) != VAULT_RESOURCE:
                return _challenge()
            try:
                self._judge(request)
                return JSONResponse(action(request, _Body.model_validate_json(await request.body() or b"{}")))
            except VaultError as error:
                return _refusal(error)
            except ValueError:
                return _refusal(VaultError(400, "BadParameter", "The request is invalid."))

        return endpoint

    def _judge(self, request: Request) -> None:
        version = request.query_params.get("api-version", "")
        if version not in API_VERSIONS:
            raise VaultError(400, "BadParameter", f"The specified version ({version}) is not recognized.")
        if self._store.is_forbidden(request.path_params.get("name", "")):
            raise VaultError(
                403, "Forbidden", "Caller is not authorized to perform action on resource.", "ForbiddenByRbac"
            )

    def _list_secrets(self, request: Request, _: "_Body") -> dict[str, Any]:
        found = [(name, self._store.get(name)) for name in self._store.names()]
        return _page(request, [_item(_address(request, name), newest) for name, newest in found])

    def _list_versions(self, request: Request, _: "_Body") -> dict[str, Any]:
        """List by version id, which says nothing about age: who wants the newest must look at the dates."""
        name = request.path_params["name"]
        self._store.get(name)
        versions = sorted(self._store.versions(name), key=lambda each: each.version)
        return _page(request, [_item(_address(request, name, each.version), each) for each in versions])

    def _get(self, request: Request, _: "_Body") -> dict[str, Any]:
        found = self._store.get(request.path_params["name"], request.path_params.get("version", ""))
        if not found.enabled:
            raise VaultError(403, "Forbidden", "Operation get is not allowed on a disabled secret.", "SecretDisabled")
        return _bundle(request, found)

    def _put(self, request: Request, body: "_Body") -> dict[str, Any]:
        if body.value is None:
            raise VaultError(400, "BadParameter", "The request body is invalid.")
        fresh = self._store.put(
            request.path_params["name"],
            body.value,
            Attributes.model_validate(body.attributes.model_dump(exclude_none=True)),
            content_type=body.content_type,
            tags=body.tags,
        )
        return _bundle(request, fresh)

    def _change(self, request: Request, body: "_Body") -> dict[str, Any]:
        name, version = request.path_params["name"], request.path_params.get("version", "")
        changed = self._store.change(name, version, body.attributes.model_dump(exclude_none=True), body.tags)
        return _item(_address(request, name, changed.version), changed)


class _NewAttributes(BaseModel):
    """The attributes a client may set; the others of its request are the vault's own affair."""

    enabled: bool | None = None
    nbf: int | None = None
    exp: int | None = None


class _Body(BaseModel):
    value: str | None = None
    attributes: _NewAttributes = _NewAttributes()
    content_type: str | None = Field(default=None, alias="contentType")
    tags: dict[str, str] | None = None


type _Action = Callable[[Request, _Body], Mapping[str, Any]]


def _challenge() -> Response:
    """Say where to get a token: the SDK asks without one first, and learns the tenant from this."""
    where = f'Bearer authorization="https://login.microsoftonline.com/{TENANT_ID}", resource="{VAULT_RESOURCE}"'
    refusal = _refusal(VaultError(401, "Unauthorized", "AKV10000: Request is missing a Bearer or PoP token."))
    refusal.headers["WWW-Authenticate"] = where
    return refusal


def _refusal(error: VaultError) -> Response:
    inner = {"innererror": {"code": error.inner_code}} if error.inner_code else {}
    return JSONResponse({"error": {"code": error.code, "message": str(error), **inner}}, error.status)


def _address(request: Request, name: str, version: str = "") -> str:
    return f"{str(request.base_url).rstrip('/')}/secrets/{name}" + (f"/{version}" if version else "")


def _item(address: str, secret: SecretVersion) -> dict[str, Any]:
    """Describe a version without its value."""
    attributes = secret.attributes.model_dump(exclude_none=True)
    item: dict[str, Any] = {
        "id": address,
        "attributes": attributes | {"recoveryLevel": "Recoverable+Purgeable", "recoverableDays": 90},
    }
    if secret.content_type is not None:
        item["contentType"] = secret.content_type
    if secret.tags is not None:
        item["tags"] = secret.tags
    return item


def _bundle(request: Request, secret: SecretVersion) -> dict[str, Any]:
    address = _address(request, request.path_params["name"], secret.version)
    return _item(address, secret) | {"value": secret.value}


def _page(request: Request, items: Sequence[dict[str, Any]]) -> dict[str, Any]:
    start = int(request.query_params.get("$skiptoken", "0"))
    end = start + min(int(request.query_params.get("maxresults", PAGE_ITEMS)), PAGE_ITEMS)
    following = request.url.include_query_params(**{"$skiptoken": end})
    return {"value": items[start:end], "nextLink": str(following) if end < len(items) else None}
