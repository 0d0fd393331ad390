"""The learning interface of SuccessFactors behind a loopback port."""

from pathlib import Path
from typing import override

from infra.local.certificate import Certificate
from infra.local.learning.faults import Area
from infra.local.learning.pace import LIMITS, Clock, Limits
from infra.local.learning.service import LearningService, real_time
from infra.local.learning.web import Answer, Call
from infra.local.successfactors.completions import Completions
from infra.local.successfactors.courses import Courses
from infra.local.successfactors.errors import refuse
from infra.local.successfactors.search import Search
from infra.local.successfactors.tokens import Tokens

TOKEN = "/learning/oauth-api/rest/v1/token"  # noqa: S105 - a path
COURSES = "/learning/odatav4/public/admin/ocn/v1/OcnCourses"
EVENTS = "/learning/odatav4/public/admin/learningevent-service/v1/OCNLearningEvents"
LEARNER_EVENTS = "/learning/odatav4/public/admin/ocn/v1/current-user/item/learning-event"
STUDENTS = "/learning/odatav4/searchStudent/v1/Students"
USERS = "/learning/odatav4/public/admin/search-service/v1/Students"
HISTORIES = "/learning/odatav4/public/user/userlearning-service/v1/LearningHistories"

_AREAS: dict[str, Area] = {
    TOKEN: "token",
    COURSES: "courses",
    EVENTS: "completions",
    LEARNER_EVENTS: "completions",
    STUDENTS: "reads",
    USERS: "reads",
    HISTORIES: "reads",
}


class SuccessFactorsSimulator(LearningService):
    """A tenant of SuccessFactors Learning with one OCN provider, one administrator and the locales named."""

    def __init__(
        self,
        state: Path | None = None,
        *,
        certificate: Certificate | None = None,
        clock: Clock = real_time,
        limits: Limits = LIMITS,
        locales: tuple[str, ...] = ("English", "German", "French", "Spanish", "Brazilian Portuguese"),
    ) -> None:
        super().__init__(state, certificate=certificate, clock=clock, limits=limits)
        self.company_id = "acme"
        self.client_id = "acme-client"
        self.admin_user_id = "ocn-admin"
        self.provider_id = "ACADEMY"
        self._locales = locales

    @property
    def secret(self) -> str:
        """The client secret that is good."""
        return self._tokens.secret

    def rotate_secret(self, secret: str | None = None) -> str:
        """Make a new client secret and return it; all earlier ones and their tokens are good no longer."""
        return self._tokens.rotate_secret(secret)

    @override
    def prepare(self) -> None:
        self._tokens = Tokens(
            self.lms,
            self.clock,
            company_id=self.company_id,
            client_id=self.client_id,
            admin_user_id=self.admin_user_id,
        )
        providers = (self.provider_id,)
        self._courses = Courses(
            self.lms,
            providers=providers,
            locales=self._locales,
            refuse_row=lambda: self.front.take_fault("refuse_rows", "courses"),
        )
        self._completions = Completions(
            self.lms,
            self.clock,
            providers=providers,
            refuse_row=lambda: self.front.take_fault("refuse_rows", "completions"),
        )
        self._search = Search(self.lms)

    @override
    def area_of(self, call: Call) -> Area | None:
        return _AREAS.get(call.path)

    @override
    def serve(self, call: Call, area: Area) -> Answer:
        if area == "token":
            return self._give_token(call)
        bearer = self._tokens.bearer(call) if call.path == LEARNER_EVENTS else self._tokens.admin(call)
        if call.method != ("GET" if area == "reads" else "POST"):
            raise refuse(405, "Method not allowed")
        if not self.admit(area):
            raise refuse(429, "API calling limit exceeded, Try later")
        match call.path:
            case path if path == COURSES:
                return self._courses.answer(call.read_json())
            case path if path == STUDENTS:
                return self._search.students(call.query, "criteria")
            case path if path == USERS:
                return self._search.students(call.query, "scriteria")
            case path if path == HISTORIES:
                return self._search.histories(call.query)
        if call.path == LEARNER_EVENTS and bearer.is_admin:
            raise refuse(403, "This service is for learners")
        return self._completions.answer(call.read_json(), bearer)

    def _give_token(self, call: Call) -> Answer:
        answer = self._tokens.answer(call)
        faults = self.front.faults
        body = {name: value for name, value in answer.body.items() if name not in faults.token_without}
        if faults.token_expires_in is not None and "expires_in" in body:
            body["expires_in"] = faults.token_expires_in
        return Answer(answer.status, body)
