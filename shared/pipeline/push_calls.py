"""The calls of Viva Learning, by operation: paths, keys and bodies."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from shared.domain.plan import Act, Operation
from shared.ports import Call

_TEXTS = frozenset({"title", "description"})
_FIXED = frozenset(
    {
        "id",
        "learnerUserId",
        "learningContentId",
        "learningProviderId",
        "externalcourseActivityId",
        "assignmentType",
        "assignerUserId",
    }
)
"""What an activity keeps for life: it is sent when it is created, and never again."""


class Calls:
    """Calls below one learning provider.

    Graph's ids are opaque and may hold any sign, and so may external ids: both are percent-encoded; a quote
    inside a key is doubled first.
    """

    def __init__(self, provider_id: str) -> None:
        self._provider = f"/employeeExperience/learningProviders/{_segment(provider_id)}"
        self._activities = f"{self._provider}/learningCourseActivities"

    def write(
        self,
        operation: Operation,
        act: Act,
        graph_id: str | None,
        limits: Mapping[str, int],
        *,
        alternate: bool = False,
    ) -> Call:
        """Return the call that does `act` for the operation.

        `limits` are lengths to which titles and descriptions are cut. The alternate spelling names an
        update's activity by its external id; a delete never does so, for the key may be its successor's.
        """
        if act is Act.UPSERT_CONTENT:
            body = shorten(operation.body or {}, limits)
            return Call("PATCH", f"{self._provider}/{_content(operation.key)}", body)
        if act is Act.CREATE:
            return Call("POST", self._activities, shorten(operation.body or {}, limits))
        path = f"{self._activities}/{_segment(graph_id or '')}"
        if act is Act.DELETE:
            return Call("DELETE", f"{path}/$ref" if alternate else path)
        body = {name: value for name, value in (operation.body or {}).items() if name not in _FIXED}
        return Call("PATCH", f"{self._provider}/{_activity(operation.key)}" if alternate else path, body)

    def list_contents(self) -> Call:
        """Return the call that lists the provider's contents, a page of them."""
        return Call("GET", f"{self._provider}/learningContents")

    def look_up(self, operation: Operation) -> Call:
        """Return the call that finds the operation's object by its external id."""
        is_content = operation.act is Act.UPSERT_CONTENT
        return Call("GET", f"{self._provider}/{(_content if is_content else _activity)(operation.key)}")


def shorten(body: Mapping[str, Any], limits: Mapping[str, int]) -> Mapping[str, Any]:
    """Cut titles and descriptions; other fields would lose their meaning and stay as they are.

    Lengths are counted in UTF-16 units, as the service does, and no sign is cut in half.
    """
    cut = {
        name: value.encode("utf-16-le")[: 2 * limits[name]].decode("utf-16-le", "ignore")
        for name, value in body.items()
        if name in limits and isinstance(value, str)
    }
    return {**body, **cut} if cut else body


def learnable(limits: tuple[tuple[str, int], ...]) -> dict[str, int]:
    """Return the limits of fields that may be cut, or nothing when any other field is too long."""
    named = {name.lower(): limit for name, limit in limits}
    return named if named.keys() <= _TEXTS else {}


def is_same(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Tell whether the activity found has the wanted kind, learner and content; none can be changed."""
    return all(
        str(found[name]).lower() == str(wanted[name]).lower()
        for name in ("@odata.type", "learnerUserId", "learningContentId")
        if name in found and name in wanted
    )


def _segment(text: str) -> str:
    return quote(text, safe="")


def _key(text: str) -> str:
    return quote(text.replace("'", "''"), safe="")


def _content(key: str) -> str:
    return f"learningContents(externalId='{_key(key)}')"


def _activity(key: str) -> str:
    return f"learningCourseActivities(externalcourseActivityId='{_key(key)}')"
