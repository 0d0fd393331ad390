# ruff: noqa: N815 - fields have the names that SuccessFactors gives them
"""`OCNLearningEvents` and its counterpart for learners: one completion for somebody's learning history.

There is no update: a completion that comes again is another row. One that lies in the future is accepted with 201 and
recorded nowhere. What a failure inside a 201 looks like is not known; the simulator says it in `errorMessage`.
"""

from collections.abc import Callable, Collection
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from infra.local.learning.lms import Event, Lms, milliseconds
from infra.local.learning.pace import Clock
from infra.local.learning.web import Answer
from infra.local.successfactors.courses import Milliseconds, Text
from infra.local.successfactors.errors import refuse
from infra.local.successfactors.tokens import Bearer

Hours = Annotated[float, Field(ge=0)]


class _Completion(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    userID: Text
    courseID: Text
    providerID: Text
    completedTimestamp: Milliseconds
    grade: Text | None = None
    totalHours: Hours | None = None
    creditHours: Hours | None = None
    contactHours: Hours | None = None
    cpeHours: Hours | None = None
    price: Annotated[float, Field(ge=0)] | None = None
    currency: Text | None = None
    instructorName: Text | None = None
    comments: Text | None = None


class _FromAdmin(_Completion):
    courseCompleted: bool


class _FromLearner(_Completion):
    courseCompleted: Literal["true", "false"]


class Completions:
    """Records completions of courses that were imported."""

    def __init__(self, lms: Lms, clock: Clock, *, providers: Collection[str], refuse_row: Callable[[], bool]) -> None:
        self._lms = lms
        self._clock = clock
        self._providers = providers
        self._refuse_row = refuse_row

    def answer(self, body: object, bearer: Bearer) -> Answer:
        """Record a completion, from the administrator or from the learner it is about."""
        shape = _FromAdmin if bearer.is_admin else _FromLearner
        try:
            completion = shape.model_validate(body)
        except ValidationError as wrong:
            first = wrong.errors()[0]
            where = "/".join(map(str, first["loc"]))
            raise refuse(400, f"The property {where} is not valid: {first['msg']}") from None
        if not bearer.is_admin and completion.userID != bearer.user_id:
            raise refuse(403, "The user has no permission for this service")
        user = self._lms.find_user(completion.userID)
        if user is None:
            raise refuse(400, f"The user {completion.userID} does not exist")
        if not user.active:
            raise refuse(400, f"Cannot record learning for {completion.userID}: user account is inactive")
        if completion.providerID not in self._providers:
            raise refuse(400, f"The provider {completion.providerID} is not enabled")
        echo = completion.model_dump(exclude_none=True)
        fault = self._fault(completion.courseID)
        return Answer(
            201,
            {
                "@odata.context": "$metadata#OCNLearningEvents/$entity",
                **(self._record(completion, echo) if fault is None else {**echo, "errorMessage": fault}),
            },
        )

    def _fault(self, course_id: str) -> str | None:
        if self._refuse_row():
            return "The learning event could not be recorded"
        return None if self._lms.has_item(course_id) else f"There is no item for the course {course_id}"

    def _record(self, completion: _Completion, echo: dict[str, Any]) -> dict[str, Any]:
        if completion.completedTimestamp <= milliseconds(self._clock()):
            passed = str(echo["courseCompleted"]).lower() == "true"
            self._lms.add_event(
                Event(completion.userID, completion.courseID, completion.completedTimestamp, passed, echo)
            )
        return echo
