"""StackOne behind a loopback port."""

import base64
import re
import secrets
from pathlib import Path
from typing import override

from infra.local.certificate import Certificate
from infra.local.learning.faults import Area
from infra.local.learning.pace import LIMITS, Clock, Limits
from infra.local.learning.service import LearningService, real_time
from infra.local.learning.web import Answer, Call
from infra.local.stackone.answers import refuse
from infra.local.stackone.content import Content
from infra.local.stackone.users import Users

BATCH = "/unified/lms/content/batch"
USERS = "/unified/lms/users"
META = "/meta/connectors/sapsuccessfactors_learning"

_OF_USER = re.compile(rf"{USERS}/([^/]+)/(completions|assignments)")
_KEY = "api key"


class StackOneSimulator(LearningService):
    """One account of StackOne, linked to a tenant of SuccessFactors; until it is linked, everything is refused."""

    def __init__(
        self,
        state: Path | None = None,
        *,
        certificate: Certificate | None = None,
        clock: Clock = real_time,
        limits: Limits = LIMITS,
        locales: tuple[str, ...] = ("English", "German", "French", "Spanish", "Brazilian Portuguese"),
        linked: bool = True,
    ) -> None:
        super().__init__(state, certificate=certificate, clock=clock, limits=limits)
        self.account_id = "45320188"
        self.identity_field = "external_reference"
        """What `connector_meta_field` says."""
        self.linked = linked
        self.tells_completions = True
        """Whether the completions of a user can be read; StackOne does not say for which systems they can."""
        self._locales = locales

    @property
    def secret(self) -> str:
        """The API key that is good."""
        return self.lms.kept(_KEY) or ""

    def rotate_secret(self, secret: str | None = None) -> str:
        """Make a new API key and return it; the earlier one is good no longer."""
        self.lms.keep(_KEY, secret or f"v1.eu1.{secrets.token_urlsafe(24)}")
        return self.secret

    @override
    def prepare(self) -> None:
        if not self.secret:
            self.rotate_secret()
        self._users = Users(self.lms, self.clock)
        self._content = Content(
            self.lms,
            locales=self._locales,
            refuse_row=lambda: self.front.take_fault("refuse_rows", "courses"),
        )

    @override
    def area_of(self, call: Call) -> Area | None:
        if call.path == BATCH:
            return "courses"
        of_user = _OF_USER.fullmatch(call.path)
        if of_user is not None and call.method == "POST":
            return "completions"
        return "reads" if of_user is not None or call.path in (USERS, META) else None

    @override
    def serve(self, call: Call, area: Area) -> Answer:
        if not self._knows(call) or not self.linked:
            raise refuse(401, "Unauthorized")
        if call.path == META:
            fields = {"connector_meta_field": self.identity_field}
            shown = fields if call.query.get("include") == "connector_meta_field" else {}
            return Answer(200, {"provider": "sapsuccessfactors_learning", "category": "lms", "active": True, **shown})
        of_user = _OF_USER.fullmatch(call.path)
        if of_user is not None and of_user[2] == "assignments":
            raise refuse(501, "Assignments are not supported for content of the Open Content Network")
        if not self.admit(area):
            raise refuse(429, "API calling limit exceeded, Try later")
        if area == "courses":
            return self._content.answer(call.read_json() if call.method == "POST" else None)
        if of_user is None:
            return self._users.listed(call.query)
        if area == "completions":
            if self.front.take_fault("refuse_rows", "completions"):
                raise refuse(400, "The completion could not be recorded")
            return self._users.complete(of_user[1], call.read_json())
        if not self.tells_completions:
            raise refuse(501, "Not implemented for this connector")
        return self._users.completions(of_user[1], call.query)

    def _knows(self, call: Call) -> bool:
        kind, _, encoded = call.headers.get("authorization", "").partition(" ")
        try:
            key, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
        except ValueError:
            return False
        return (kind, key, password) == ("Basic", self.secret, "") and (
            call.headers.get("x-account-id") == self.account_id
        )
