"""`users` and what belongs to one: found by external reference, and their completions."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal
from urllib.parse import unquote

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from infra.local.learning.lms import Event, Lms, User, milliseconds
from infra.local.learning.pace import Clock
from infra.local.learning.web import Answer
from infra.local.stackone.answers import refuse, said

PAGE_ROWS = 25
MOST_ROWS = 100

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ID_PREFIX = "so-"
_FILTER = "filter[external_reference]"

Text = Annotated[str, Field(min_length=1)]


class _Result(BaseModel):
    model_config = ConfigDict(extra="forbid")

    value: Literal["Pass", "Fail", "unmapped_value"] | None = None
    source_value: Literal["pass", "fail"] | None = None

    @property
    def word(self) -> str:
        """What SuccessFactors is told."""
        return self.value.lower() if self.value in ("Pass", "Fail") else self.source_value or ""


class _Completion(BaseModel):
    model_config = ConfigDict(extra="forbid")

    learning_object_external_reference: Text
    completed_at: AwareDatetime
    result: _Result
    time_spent: Annotated[str, Field(pattern=r"^PT(\d+H)?(\d+M)?(\d+S)?$")] | None = None


class Users:
    """Tells about users, and records their completions."""

    def __init__(self, lms: Lms, clock: Clock) -> None:
        self._lms = lms
        self._clock = clock

    def listed(self, query: Mapping[str, str]) -> Answer:
        """Give a page of users, all or those with an external reference."""
        _check(query, {_FILTER, "page_size", "next", "fields"})
        return _page(query, [_shown(user) for user in self._lms.users(external_id=query.get(_FILTER))])

    def completions(self, path_id: str, query: Mapping[str, str]) -> Answer:
        """Give a page of a user's completions."""
        _check(query, {"page_size", "next", "fields"})
        user = self._find(path_id)
        return _page(query, [_entry(event) for event in self._lms.history(user.user_id)])

    def complete(self, path_id: str, body: object) -> Answer:
        """Record a completion; as in SuccessFactors, one that lies in the future is taken and recorded nowhere."""
        try:
            completion = _Completion.model_validate(body)
        except ValidationError as wrong:
            first = wrong.errors()[0]
            raise refuse(400, f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None
        if not completion.result.word:
            raise refuse(400, "result: neither pass nor fail")
        user = self._find(path_id)
        if not user.active:
            raise refuse(400, f"The provider refused it for {user.user_id}: user account is inactive")
        item = completion.learning_object_external_reference
        if not self._lms.has_item(item):
            raise refuse(400, f"There is no learning object {item}")
        if completion.completed_at <= self._clock():
            at, passed = milliseconds(completion.completed_at), completion.result.word == "pass"
            self._lms.add_event(Event(user.user_id, item, at, passed, completion.model_dump(mode="json")))
        return said(201, "Record created successfully.", data={"id": stackone_id(f"{user.user_id} {item}")})

    def _find(self, path_id: str) -> User:
        """Find a user by StackOne's id, or by the LMS's own."""
        wanted = unquote(path_id)
        found = self._lms.find_user(wanted) or self._lms.find_user(wanted.removeprefix(_ID_PREFIX))
        if found is None:
            raise refuse(404, f"User {wanted} not found")
        return found


def stackone_id(of: str) -> str:
    """Return the id that StackOne gives to something; legible, so that a test can find it where it should not be."""
    return _ID_PREFIX + of


def _check(query: Mapping[str, str], known: set[str]) -> None:
    unknown = set(query) - known
    if unknown:
        raise refuse(400, f"The query parameter {min(unknown)} is not known")


def _page(query: Mapping[str, str], rows: Sequence[dict[str, Any]]) -> Answer:
    try:
        size, start = int(query.get("page_size", PAGE_ROWS)), int(query.get("next", "0"))
    except ValueError:
        raise refuse(400, "The page cannot be read") from None
    if not 1 <= size <= MOST_ROWS:
        raise refuse(400, f"A page has at most {MOST_ROWS} rows")
    fields = query["fields"].split(",") if "fields" in query else None
    shown = [
        {name: value for name, value in row.items() if fields is None or name in fields}
        for row in rows[start : start + size]
    ]
    end = start + size
    return Answer(200, {"data": shown, "next": str(end) if end < len(rows) else None})


def _shown(user: User) -> dict[str, Any]:
    return {
        "id": stackone_id(user.user_id),
        "remote_id": user.user_id,
        "external_reference": user.external_id,
        "active": user.active,
    }


def _entry(event: Event) -> dict[str, Any]:
    completed_at = _EPOCH + timedelta(milliseconds=event.completed_ms)
    result = "Pass" if event.passed else "Fail"
    return {
        "id": stackone_id(f"{event.user_id} {event.item_id}"),
        "learning_object_external_reference": event.item_id,
        "completed_at": completed_at.isoformat().replace("+00:00", "Z"),
        "result": {"value": result, "source_value": result.lower()},
    }
