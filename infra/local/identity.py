"""A stand-in for the managed identity endpoint of App Service, on loopback."""

import base64
import json
import secrets
import time
from collections.abc import Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from infra.local.loopback import LoopbackServer

TENANT_ID = "11111111-1111-1111-1111-111111111111"
IDENTITY_OBJECT_ID = "22222222-2222-2222-2222-222222222222"
TOKEN_SECONDS = 24 * 3600
GRAPH_RESOURCE = "https://graph.microsoft.com"
GRAPH_ROLES = (
    "LearningContent.ReadWrite.All",
    "LearningAssignedCourse.ReadWrite.All",
    "LearningSelfInitiatedCourse.ReadWrite.All",
    "User.Read.All",
)
"""The app roles that the identity was granted."""


class IdentitySimulator:
    """Gives tokens for any resource while the `with` block does.

    `ManagedIdentityCredential` uses it when the environment names `endpoint` as IDENTITY_ENDPOINT and
    `header` as IDENTITY_HEADER.
    """

    endpoint: str

    def __init__(self) -> None:
        self.header = secrets.token_urlsafe(24)
        """Only who knows it gets tokens."""
        self._running = ExitStack()

    def __enter__(self) -> Self:
        """Start to answer."""
        app = Starlette(routes=[Route("/msi/token", self._give_token, methods=["GET"])])
        self.endpoint = f"{self._running.enter_context(LoopbackServer(app)).url}/msi/token"
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Hang up."""
        self._running.close()

    async def _give_token(self, request: Request) -> Response:
        given = request.headers.get("X-IDENTITY-HEADER", "")
        if not secrets.compare_digest(given.encode(), self.header.encode()):
            return JSONResponse({"statusCode": 401, "message": "The identity header is wrong."}, 401)
        resource = request.query_params.get("resource", "")
        expires = int(time.time()) + TOKEN_SECONDS
        return JSONResponse(
            {
                "access_token": token_for(resource, expires),
                "expires_on": str(expires),
                "resource": resource,
                "token_type": "Bearer",
                "client_id": request.query_params.get("client_id", IDENTITY_OBJECT_ID),
            }
        )


def token_for(resource: str, expires: int, *, roles: Sequence[str] | None = None, scopes: Sequence[str] = ()) -> str:
    """Return an unsigned JSON web token, as the simulators and the storage emulator accept it.

    `expires` is in seconds since 1970. With `scopes` it is a person's; otherwise the app's, whose `roles` at Graph are
    all that were granted unless others are named.
    """
    claims: dict[str, object] = {
        "aud": resource.rstrip("/"),
        "iss": f"https://sts.windows.net/{TENANT_ID}/",
        "nbf": expires - TOKEN_SECONDS - 60,
        "iat": expires - TOKEN_SECONDS,
        "exp": expires,
        "oid": IDENTITY_OBJECT_ID,
        "tid": TENANT_ID,
    }
    if scopes:
        claims["scp"] = " ".join(scopes)
    elif resource.rstrip("/") == GRAPH_RESOURCE:
        claims["roles"] = list(GRAPH_ROLES if roles is None else roles)
    header, payload = (
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()
        for part in ({"alg": "none", "typ": "JWT"}, claims)
    )
    return f"{header}.{payload}.unsigned"


def find_audience(authorization: str) -> str | None:
    """Return the resource that an Authorization header's token is for; `None` when there is no good token."""
    try:
        payload = authorization.removeprefix("Bearer ").split(".")[1]
        claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return str(claims["aud"]) if claims["exp"] > time.time() else None
    except (IndexError, KeyError, TypeError, ValueError):
        return None
