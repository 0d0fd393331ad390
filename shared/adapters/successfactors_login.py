"""Tokens of SuccessFactors' learning interface, and requests that carry one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

from shared.adapters.learning_answers import check_right
from shared.adapters.learning_wire import LearningWire, Reply
from shared.domain.errors import Code, SettingsError, TransientError
from shared.domain.write_back import SuccessFactors
from shared.ports import Secret

_MARGIN = timedelta(seconds=60)
"""A token is renewed so long before its end: a request may take that long."""

_REFUSALS = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})


@dataclass(frozen=True, slots=True)
class _Token:
    value: str = field(repr=False)
    renew_at: datetime


class SuccessFactorsLogin:
    """The administrator's login, kept for the session; and logins of learners, one for each request."""

    def __init__(self, wire: LearningWire, target: SuccessFactors, secrets: Sequence[Secret]) -> None:
        self.service = wire.service
        self._wire = wire
        self._target = target
        self._secrets = sorted(secrets, key=lambda each: each.created_at, reverse=True)
        self._accepted: Secret
        self._token: _Token
        self._token_is_new = False

    def log_in(self) -> None:
        """Get a token for the administrator, with the newest secret that is accepted.

        Raises:
            SettingsError: none of them is (`INVALID_CREDENTIALS`).
            TransientError: no answer, or one without a token.
        """
        for secret in self._secrets:
            token = self._fetch_token(secret, self._target.admin_user_id, "admin")
            if token is not None:
                self._accepted, self._token, self._token_is_new = secret, token, True
                return
        raise SettingsError(
            f"SuccessFactors refused the login of client {self._target.client_id!r} as administrator "
            f"{self._target.admin_user_id!r}. A client secret that is generated anew makes all earlier ones invalid: "
            f"add the newest as a version of the secret {self._target.secret!r}.",
            Code.INVALID_CREDENTIALS,
        )

    def request(self, doing: str, method: str, target: str, body: Mapping[str, Any] | None = None) -> Reply:
        """Send as the administrator; a token that is refused although it looked good is renewed once."""
        if not self._token_is_new and self._wire.now() >= self._token.renew_at:
            self.log_in()
        for _ in range(2):
            # A token that has just been given is used at least once, however soon it is said to end.
            self._token_is_new = False
            reply = self._send(doing, method, target, body, self._token)
            if reply.status != HTTPStatus.UNAUTHORIZED:
                return reply
            self.log_in()
        raise SettingsError(
            f"{doing}: SuccessFactors refused a token that it had just given (401). Check the administrator named in "
            "`write_back.target.admin_user_id`.",
            Code.INVALID_CREDENTIALS,
        )

    def request_as(
        self, learner: str, doing: str, method: str, target: str, body: Mapping[str, Any] | None = None
    ) -> Reply | None:
        """Send in a learner's name, with a token of their own; `None` when the learner cannot log in."""
        token = self._fetch_token(self._accepted, learner, "user")
        if token is None:
            # Either the secret has been replaced, which logging in finds out, or it is the learner.
            before = self._accepted
            self.log_in()
            if self._accepted is not before:
                token = self._fetch_token(self._accepted, learner, "user")
        if token is None:
            return None
        reply = self._send(doing, method, target, body, token)
        if reply.status == HTTPStatus.UNAUTHORIZED:
            raise TransientError(
                f"{doing}: SuccessFactors refused a token that it had just given (401).", Code.LMS_UNREACHABLE
            )
        return reply

    def _send(self, doing: str, method: str, target: str, body: Mapping[str, Any] | None, token: _Token) -> Reply:
        return self._wire.exchange(doing, method, target, headers={"Authorization": f"Bearer {token.value}"}, body=body)

    def _fetch_token(self, secret: Secret, user_id: str, user_type: str) -> _Token | None:
        """Get a token; `None` when this login is refused."""
        doing = "Token"
        asked_at = self._wire.now()
        scope = {
            "userId": user_id,
            "companyId": self._target.company_id,
            "userType": user_type,
            "resourceType": "learning_public_api",
        }
        reply = self._wire.exchange(
            doing,
            "POST",
            self._target.token_path,
            auth=(self._target.client_id, secret.value),
            body={"grant_type": "client_credentials", "scope": scope},
        )
        if reply.status in _REFUSALS:
            return None
        if not reply.is_success:
            check_right(doing, self.service, reply)
        body = reply.body if isinstance(reply.body, Mapping) else {}
        value, seconds = body.get("access_token"), body.get("expires_in")
        if not (isinstance(value, str) and value and isinstance(seconds, int | float)):
            raise TransientError("Token: SuccessFactors answered without one that can be used.", Code.LMS_UNREACHABLE)
        return _Token(value, asked_at + timedelta(seconds=seconds) - _MARGIN)
