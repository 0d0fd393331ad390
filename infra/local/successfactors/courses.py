# ruff: noqa: N815 - fields have the names that SuccessFactors gives them
"""`OcnCourses`: takes courses for the Open Content Network, creating or replacing.

That a body of another shape, an empty text or an empty date fails the whole request is known; how one course of
several is said to have failed is not, so the simulator says it beside the course, in `errorMessage`.
"""

from collections.abc import Callable, Collection
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from infra.local.learning.lms import Lms
from infra.local.learning.web import Answer
from infra.local.successfactors.errors import refuse

MOST_COURSES = 1000

Text = Annotated[str, Field(min_length=1)]
Milliseconds = Annotated[int, Field(ge=100_000_000_000)]
"""A time; seconds would be a day in 1970."""


class _Shape(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")


class _Localized(_Shape):
    locale: Text
    value: Text


class _Content(_Shape):
    providerID: Text
    launchURL: Text
    contentTitle: Text
    contentID: Text
    launchType: Literal[3]
    mobileEnabled: bool
    mobileLaunchURL: Text | None = None


class _Schedule(_Shape):
    startDate: Milliseconds
    endDate: Milliseconds
    active: bool
    duration: Text | None = None


class _Price(_Shape):
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    value: Annotated[float, Field(ge=0)]


class _Course(_Shape):
    courseID: Text
    providerID: Text
    status: Literal["ACTIVE", "INACTIVE"]
    title: Annotated[list[_Localized], Field(min_length=1)]
    description: list[_Localized] = []
    thumbnailURI: Text | None = None
    content: Annotated[list[_Content], Field(min_length=1)]
    revisionNumber: Annotated[int, Field(ge=1)] = 1
    # Without a schedule at all is not known to work.
    schedule: list[_Schedule]
    price: list[_Price] = []


class _Body(_Shape):
    ocnCourses: Annotated[list[_Course], Field(min_length=1, max_length=MOST_COURSES)]


class Courses:
    """Keeps the courses of enabled providers."""

    def __init__(
        self, lms: Lms, *, providers: Collection[str], locales: Collection[str], refuse_row: Callable[[], bool]
    ) -> None:
        self._lms = lms
        self._providers = providers
        self._locales = locales
        self._refuse_row = refuse_row

    def answer(self, body: object) -> Answer:
        """Take the courses that can be taken, and say of each what became of it."""
        try:
            courses = _Body.model_validate(body).ocnCourses
        except ValidationError as wrong:
            first = wrong.errors()[0]
            where = "/".join(map(str, first["loc"]))
            raise refuse(400, f"The property {where} is not valid: {first['msg']}") from None
        return Answer(
            200,
            {"@odata.context": "$metadata#OcnCourses/$entity", "ocnCourses": [self._take(each) for each in courses]},
        )

    def _take(self, course: _Course) -> dict[str, Any]:
        echo = course.model_dump(exclude_none=True)
        wrong = self._fault(course)
        if wrong is not None:
            return {**echo, "errorMessage": wrong}
        self._lms.put_course(course.courseID, course.title[0].value, echo, active=course.status == "ACTIVE")
        return echo

    def _fault(self, course: _Course) -> str | None:
        if self._refuse_row():
            return "The course could not be saved"
        providers = {course.providerID, *(content.providerID for content in course.content)}
        if not providers <= set(self._providers):
            return "The provider is not enabled"
        locales = {text.locale for text in (*course.title, *course.description)}
        if not locales <= set(self._locales):
            return f"The locale {min(locales - set(self._locales))} is not active"
        return None
