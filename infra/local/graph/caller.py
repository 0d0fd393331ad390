"""Who calls, as the token says, and what such a caller may do."""

import base64
import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from infra.local.graph.answers import refuse

READ_USERS = {"User.Read.All"}
READ_LICENCES = {
    "LicenseAssignment.Read.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
    "Organization.Read.All",
    "Organization.ReadWrite.All",
}
PROVIDERS = {"LearningProvider.ReadWrite"}
READ_PROVIDERS = PROVIDERS | {"LearningProvider.Read"}
CONTENTS = {"LearningContent.ReadWrite.All"}
READ_CONTENTS = CONTENTS | {"LearningContent.Read.All"}
ACTIVITIES = {"LearningAssignedCourse.ReadWrite.All", "LearningSelfInitiatedCourse.ReadWrite.All"}


@dataclass(frozen=True, slots=True)
class Caller:
    """The bearer of a token. One whose token says nothing is the app, with all that it needs."""

    roles: frozenset[str] | None = None
    scopes: frozenset[str] = frozenset()

    @property
    def is_person(self) -> bool:
        """Whether somebody has signed in."""
        return bool(self.scopes)

    def need_role(self, wanted: Collection[str]) -> None:
        """Refuse a person, and an app with none of these roles."""
        if self.is_person or (self.roles is not None and self.roles.isdisjoint(wanted)):
            raise refuse(403, "Forbidden", "Your account doesn't have access to this report or data.")

    def need_scope(self, wanted: Collection[str]) -> None:
        """Refuse an app, and a person without any of these scopes."""
        if self.scopes.isdisjoint(wanted):
            raise refuse(403, "Forbidden", "Your account doesn't have access to this report or data.")

    def need(self, wanted: Collection[str], *, of_app: bool) -> None:
        """Refuse whoever has none of these; `of_app` says whether an app that says nothing has one."""
        held = self.scopes if self.is_person else self.roles
        if not of_app if held is None else held.isdisjoint(wanted):
            raise refuse(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")


def read_caller(token: str) -> Caller:
    """Read the claims of a token; one that is no JSON web token says nothing."""
    try:
        payload = token.split(".")[1]
        claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        scopes = frozenset(str(claims.get("scp", "")).split())
        return Caller(None if scopes else frozenset(claims.get("roles", ())), scopes)
    except (IndexError, ValueError, AttributeError):
        return Caller()
