"""What can be read: users by a few criteria, and somebody's learning history."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from infra.local.learning.lms import Event, Lms, User
from infra.local.learning.web import Answer
from infra.local.successfactors.errors import refuse

MOST_ROWS = 1000
DEFAULT_ROWS = 100
_CRITERION = re.compile(r"(\w+/\w+) eq ('(?:[^']|'')*'|True|False|true|false|\d+)")
_USER_FIELDS = ("studentID", "personExternalID", "notActive")


class Search:
    """Answers OData queries; only `eq` and `and` are understood."""

    def __init__(self, lms: Lms) -> None:
        self._lms = lms

    def students(self, query: Mapping[str, str], prefix: str) -> Answer:
        """Find users by whether they are active, by their id, or by their external id."""
        wanted = _criteria(query, prefix, {"isActive", "learnerID", "studentID", "personExternalID"})
        active = None if "isActive" not in wanted else wanted["isActive"].lower() == "true"
        user_id = wanted.get("studentID", wanted.get("learnerID"))
        found = [
            user
            for user in self._lms.users(external_id=wanted.get("personExternalID"), active=active)
            if user_id in (None, user.user_id)
        ]
        return _page(query, [_student(user) for user in found])

    def histories(self, query: Mapping[str, str]) -> Answer:
        """Tell what somebody has completed; without a user nothing is told."""
        wanted = _criteria(query, "criteria", {"targetUserID", "itemID"})
        if "targetUserID" not in wanted:
            raise refuse(400, "The criterion targetUserID is needed")
        item = wanted.get("itemID")
        return _page(
            query, [_entry(each) for each in self._lms.history(wanted["targetUserID"]) if item in (None, each.item_id)]
        )


def _criteria(query: Mapping[str, str], prefix: str, known: set[str]) -> dict[str, str]:
    unknown = set(query) - {"$filter", "$select", "$top", "$skip", "$count"}
    if unknown:
        raise refuse(400, f"The query option {min(unknown)} is not supported")
    wanted: dict[str, str] = {}
    rest = query.get("$filter", "")
    while rest:
        found = _CRITERION.match(rest)
        if found is None:
            raise refuse(400, "Operator used in each filter expression must be 'eq'")
        entity, _, name = found[1].partition("/")
        if entity != prefix or name not in known:
            raise refuse(400, f"The criterion {found[1]} is not known")
        value = found[2]
        wanted[name] = value[1:-1].replace("''", "'") if value.startswith("'") else value
        rest = rest[found.end() :]
        if rest and not rest.startswith(" and "):
            raise refuse(400, "The filter cannot be read")
        rest = rest.removeprefix(" and ")
    if not wanted:
        raise refuse(400, "A filter is needed")
    return wanted


def _page(query: Mapping[str, str], rows: Sequence[dict[str, Any]]) -> Answer:
    try:
        top, skip = int(query.get("$top", DEFAULT_ROWS)), int(query.get("$skip", "0"))
    except ValueError:
        raise refuse(400, "$top and $skip have to be numbers") from None
    if not 1 <= top <= MOST_ROWS or skip < 0:
        raise refuse(400, f"A page has at most {MOST_ROWS} rows")
    chosen = query.get("$select")
    fields = None if chosen is None else set(chosen.split(","))
    shown = [
        {name: value for name, value in row.items() if fields is None or name in fields}
        for row in rows[skip : skip + top]
    ]
    count = {"@odata.count": len(rows)} if query.get("$count") == "true" else {}
    return Answer(200, {"@odata.metadataEtag": 'W/"1"', **count, "value": shown})


def _student(user: User) -> dict[str, Any]:
    return dict(zip(_USER_FIELDS, (user.user_id, user.external_id, "no" if user.active else "yes"), strict=True))


def _entry(event: Event) -> dict[str, Any]:
    return {
        "componentTypeID": "MOOC",
        "componentID": event.item_id,
        "completionDate": event.completed_ms,
        "completionStatusID": "COMPLETE" if event.passed else "INCOMPLETE",
        "provideCredit": event.passed,
        "grade": event.body.get("grade"),
        "totalHours": event.body.get("totalHours"),
        "creditHours": event.body.get("creditHours"),
        "contactHours": event.body.get("contactHours"),
        "cpeHours": event.body.get("cpeHours"),
        "comments": event.body.get("comments"),
    }
