"""The token endpoint: who may ask what, for how long."""

import base64
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from infra.local.learning.lms import Lms
from infra.local.learning.pace import Clock
from infra.local.learning.web import Answer, Call, RefusedError
from infra.local.successfactors.errors import refuse

LIFE_SECONDS = 1800
_SECRET = "secret"  # noqa: S105 - the name under which it is kept
_SCOPE = {"userId", "companyId", "userType", "resourceType"}


@dataclass(frozen=True, slots=True)
class Bearer:
    """In whose name a request comes."""

    user_id: str
    is_admin: bool
    ends_at: datetime


class Tokens:
    """Gives tokens for the one client secret that is good, and knows them again."""

    def __init__(self, lms: Lms, clock: Clock, *, company_id: str, client_id: str, admin_user_id: str) -> None:
        self._lms = lms
        self._clock = clock
        self._company_id = company_id
        self._clients = {client_id, company_id}
        self._admin_user_id = admin_user_id
        self._given: dict[str, Bearer] = {}
        if lms.kept(_SECRET) is None:
            self.rotate_secret()

    @property
    def secret(self) -> str:
        """The client secret that is good."""
        return self._lms.kept(_SECRET) or ""

    def rotate_secret(self, secret: str | None = None) -> str:
        """Make a new client secret; all earlier ones, and the tokens given for them, are good no longer."""
        self._lms.keep(_SECRET, secret or secrets.token_hex(24))
        self._given.clear()
        return self.secret

    def answer(self, call: Call) -> Answer:
        """Give a token, or say no."""
        if call.method != "POST":
            raise refuse(405, "Method not allowed")
        if not self._knows(call.headers.get("authorization", "")):
            raise RefusedError(Answer(403, {"error": {"code": "403", "message": "Invalid client or secret"}}))
        user_id, is_admin = self._read(call.read_json())
        token = secrets.token_urlsafe(32)
        self._given[token] = Bearer(user_id, is_admin, self._clock() + timedelta(seconds=LIFE_SECONDS))
        return Answer(
            200,
            {
                "issuedFor": "learning_public_api",
                "access_token": token,
                "token_type": "Bearer",
                "expires_in": LIFE_SECONDS,
            },
        )

    def bearer(self, call: Call) -> Bearer:
        """Tell in whose name a request comes; refuse it with 401 when nobody's."""
        kind, _, token = call.headers.get("authorization", "").partition(" ")
        found = self._given.get(token) if kind == "Bearer" else None
        if found is None or found.ends_at <= self._clock():
            raise refuse(401, "The token is missing, unknown or expired")
        return found

    def admin(self, call: Call) -> Bearer:
        """Tell which administrator asks; refuse others with 403."""
        found = self.bearer(call)
        if not found.is_admin:
            raise refuse(403, "The user has no permission for this service")
        return found

    def _knows(self, authorization: str) -> bool:
        kind, _, encoded = authorization.partition(" ")
        try:
            client, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
        except ValueError:
            return False
        return kind == "Basic" and client in self._clients and secret == self.secret

    def _read(self, body: object) -> tuple[str, bool]:
        """User and whether it is to be an administrator's token."""
        scope = body.get("scope") if isinstance(body, Mapping) else None
        if not isinstance(body, Mapping) or not isinstance(scope, Mapping) or set(scope) != _SCOPE:
            raise refuse(400, "The body has to be JSON with grant_type and scope")
        if body.get("grant_type") != "client_credentials" or scope["resourceType"] != "learning_public_api":
            raise refuse(400, "The grant or the resource type is not supported")
        if scope["companyId"] != self._company_id or scope["userType"] not in ("user", "admin"):
            raise refuse(403, "Invalid company or user type")
        user_id, is_admin = str(scope["userId"]), scope["userType"] == "admin"
        exists = user_id == self._admin_user_id if is_admin else self._lms.find_user(user_id) is not None
        if not exists:
            raise refuse(403, f"Invalid user {user_id}")
        return user_id, is_admin
