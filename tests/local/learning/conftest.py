"""The simulators of learning services, asked without any adapter."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from infra.local.learning.lms import User, milliseconds
from infra.local.stackone import StackOneSimulator
from infra.local.successfactors import SuccessFactorsSimulator
from infra.local.successfactors.server import COURSES, EVENTS, LEARNER_EVENTS, TOKEN

NOW = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
USERS = (User("ada", "100", active=True), User("bea", "200", active=False))


@dataclass
class Clock:
    """Stands still until it is moved."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def move(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass
class Sap:
    """SuccessFactors, and somebody who speaks its language with a pen."""

    simulator: SuccessFactorsSimulator
    clock: Clock
    client: httpx.Client
    tokens: dict[str, str] = field(default_factory=dict)

    def ask_token(
        self, user: str = "ocn-admin", kind: str = "admin", *, secret: str = "", **scope: str
    ) -> httpx.Response:
        body = {
            "grant_type": "client_credentials",
            "scope": {"userId": user, "companyId": "acme", "userType": kind, "resourceType": "learning_public_api"}
            | scope,
        }
        login = ("acme-client", secret or self.simulator.secret)
        return self.client.post(TOKEN, json=body, auth=login)

    def token(self, user: str = "ocn-admin", kind: str = "admin") -> str:
        if user not in self.tokens:
            self.tokens[user] = self.ask_token(user, kind).json()["access_token"]
        return self.tokens[user]

    def post(self, path: str, body: object, *, user: str = "ocn-admin", kind: str = "admin") -> httpx.Response:
        return self.client.post(path, json=body, headers={"Authorization": f"Bearer {self.token(user, kind)}"})

    def get(self, path: str, query: str) -> httpx.Response:
        self.clock.move(1)
        return self.client.get(f"{path}?{query}", headers={"Authorization": f"Bearer {self.token()}"})

    def post_courses(self, *courses: dict[str, Any]) -> httpx.Response:
        self.clock.move(300)
        return self.post(COURSES, {"ocnCourses": list(courses)})

    def complete(self, **values: object) -> httpx.Response:
        return self.post(EVENTS, event(courseCompleted=True) | values)

    def complete_oneself(self, user: str = "ada", **values: object) -> httpx.Response:
        return self.post(LEARNER_EVENTS, event(courseCompleted="true") | values, user=user, kind="user")


def event(**values: object) -> dict[str, Any]:
    return {
        "userID": "ada",
        "courseID": "C-1",
        "providerID": "ACADEMY",
        "completedTimestamp": milliseconds(NOW - timedelta(days=3)),
    } | values


def ocn_course(course_id: str = "C-1", **values: object) -> dict[str, Any]:
    """A course as the interface takes it; a value of None leaves the field out."""
    course = {
        "courseID": course_id,
        "providerID": "ACADEMY",
        "status": "ACTIVE",
        "title": [{"locale": "English", "value": "Negotiating"}],
        "content": [content()],
        "schedule": [],
    } | values
    return {name: value for name, value in course.items() if value is not None}


def content(**values: object) -> dict[str, Any]:
    return {
        "providerID": "ACADEMY",
        "launchURL": "https://learn.example/c1",
        "contentTitle": "Negotiating",
        "contentID": "C-1",
        "launchType": 3,
        "mobileEnabled": False,
    } | values


@contextmanager
def _speaking_to(simulator: SuccessFactorsSimulator | StackOneSimulator) -> Iterator[httpx.Client]:
    simulator.add_users(*USERS)
    with httpx.Client(base_url=simulator.url, timeout=10) as client:
        yield client


@pytest.fixture
def sap() -> Iterator[Sap]:
    clock = Clock()
    with SuccessFactorsSimulator(clock=clock) as simulator, _speaking_to(simulator) as client:
        yield Sap(simulator, clock, client)


@pytest.fixture
def imported(sap: Sap) -> Sap:
    """The same, with one course that was imported."""
    sap.post_courses(ocn_course())
    sap.simulator.import_courses()
    return sap


@dataclass
class One:
    """StackOne, likewise."""

    simulator: StackOneSimulator
    clock: Clock
    client: httpx.Client

    def ask(self, method: str, path: str, body: object = None, *, key: str = "", account: str = "") -> httpx.Response:
        return self.client.request(
            method,
            path,
            json=body,
            auth=(key or self.simulator.secret, ""),
            headers={"x-account-id": account or self.simulator.account_id},
        )


@pytest.fixture
def one() -> Iterator[One]:
    clock = Clock()
    with StackOneSimulator(clock=clock) as simulator, _speaking_to(simulator) as client:
        yield One(simulator, clock, client)
