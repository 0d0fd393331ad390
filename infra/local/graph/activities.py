"""Learning course activities: what a learner was assigned, or did by himself."""

import json
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from infra.local.graph.answers import Answer, bad_request, refuse, wrong_fields
from infra.local.graph.contents import Contents, select_by, too_long
from infra.local.graph.directory import Directory
from infra.local.graph.faults import Faults
from infra.local.graph.schema import Problem, Purpose, Schema
from infra.local.graph.state import State

_PREFIX = "#microsoft.graph."
_BASE = "learningCourseActivity"
_SELF_INITIATED = "learningSelfInitiatedCourse"
_CHANGEABLE = {
    "learningAssignment": {
        "assignedDateTime",
        "completedDateTime",
        "completionPercentage",
        "dueDateTime",
        "notes",
        "status",
    },
    _SELF_INITIATED: {"completedDateTime", "completionPercentage", "startedDateTime", "status"},
}


class Activities:
    """Assignments and self-initiated courses of the provider's learners."""

    def __init__(self, state: State, contents: Contents, directory: Directory, provider_id: str) -> None:
        self._state = state
        self._contents = contents
        self._directory = directory
        self._provider_id = provider_id
        self._schema = Schema()

    def kind(self, body: Mapping[str, Any]) -> str | None:
        """Short name of the type that the body says it has; `None` when it says none of the two."""
        name = body.get("@odata.type")
        kind = name.removeprefix(_PREFIX) if isinstance(name, str) and name.startswith(_PREFIX) else None
        return kind if kind in _CHANGEABLE else None

    def create(self, body: Mapping[str, Any], faults: Faults) -> Answer:
        """Add an activity, even under an external id that is there already: none is promised to be unique."""
        kind = self.kind(body)
        if kind is None:
            raise bad_request("Input field @odata.type is required: one of the two kinds of activity")
        self._judge_fields(self._schema.check(kind, body, Purpose.CREATE) + too_long(body, faults))
        content = self._contents.find(id_=body["learningContentId"])
        if content is None or not self._is_ours(body.get("learningProviderId")):
            raise refuse(
                403,
                "Forbidden",
                "The provider isn't valid to create course activity for the given learning content",
            )
        licensed = self._directory.is_licensed(body["learnerUserId"])
        if licensed is None:
            raise refuse(404, "notFound", "The requested user doesn't exist.")
        if not licensed:
            raise refuse(403, "Forbidden", "The user license isn't valid to perform the operation")
        given = {name: value for name, value in body.items() if "@" not in name}
        # Ids of the service have been seen in two parts; nobody may take them apart.
        stored = {"id": f"{uuid4()}:{uuid4()}", **given}
        external_id = stored.get("externalcourseActivityId")
        with self._state.transaction() as db:
            known = "SELECT 1 FROM activities WHERE external_id = ? LIMIT 1"
            if external_id is not None and db.execute(known, (external_id,)).fetchone():
                self._state.set_number("duplicates", self._state.number("duplicates") + 1)
            db.execute(
                "INSERT INTO activities(id, external_id, content_id, type, body) VALUES (?, ?, ?, ?, ?)",
                (stored["id"], external_id, stored["learningContentId"], kind, json.dumps(stored)),
            )
        return Answer(201, {"@odata.type": _PREFIX + kind, **stored})

    def update(self, body: Mapping[str, Any], faults: Faults, *, id_: str | None, external_id: str | None) -> Answer:
        """Change what may be changed; without `@odata.type`, only properties that both kinds have."""
        kind, stored = self.get(id_=id_, external_id=external_id)
        said = self.kind(body)
        if "@odata.type" in body and said != kind:
            raise bad_request("Input field @odata.type is invalid")
        problems = self._schema.check(said or _BASE, body, Purpose.UPDATE) + too_long(body, faults)
        given = {name: value for name, value in body.items() if "@" not in name}
        problems += [
            Problem(name, f"Input field {name} is invalid: it cannot be changed")
            for name in given
            if name not in _CHANGEABLE[kind]
        ]
        if "status" not in given:
            problems.append(Problem("status", "Input field status is required"))
        elif kind == _SELF_INITIATED and given["status"] == "notStarted":
            problems.append(Problem("status", "Input field status is invalid"))
        self._judge_fields(problems)
        with self._state.transaction() as db:
            db.execute("UPDATE activities SET body = ? WHERE id = ?", (json.dumps({**stored, **given}), stored["id"]))
        return Answer(204)

    def delete(self, *, id_: str | None, external_id: str | None) -> Answer:
        """Remove an activity; of several with the same external id, the oldest."""
        _, stored = self.get(id_=id_, external_id=external_id)
        with self._state.transaction() as db:
            db.execute("DELETE FROM activities WHERE id = ?", (stored["id"],))
        return Answer(204)

    def get(self, *, id_: str | None, external_id: str | None) -> tuple[str, dict[str, Any]]:
        """Give kind and stored properties; of several with the same external id, of the oldest.

        Raises:
            RefusedError: there is none.
        """
        column, value = select_by(id_, external_id)
        with self._state.transaction() as db:
            row = db.execute(
                f"SELECT type, body FROM activities WHERE {column} = ? ORDER BY number LIMIT 1", (value,)
            ).fetchone()
        if row is None:
            raise refuse(404, "notFound", "The requested assignment ID doesn't exist.")
        return row[0], json.loads(row[1])

    def _is_ours(self, provider_id: str | None) -> bool:
        return provider_id is None or provider_id.lower() == self._provider_id.lower()

    def _judge_fields(self, problems: list[Problem]) -> None:
        if problems:
            raise wrong_fields([each.message for each in problems])
