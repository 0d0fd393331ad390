"""A learning service with a certificate and a clock that a test moves, and the adapter that speaks to it."""

import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from infra.local.learning.lms import User
from infra.local.stackone import StackOneSimulator
from infra.local.successfactors import SuccessFactorsSimulator
from shared.adapters.learning import HttpxLearningTargets
from shared.domain.write_back import Completion, Course, Receipt, WriteBack
from shared.ports import LearningTarget, Secret
from tests.company import ADA, BEA, NOBODY

NOW = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)

type Simulator = SuccessFactorsSimulator | StackOneSimulator


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def move(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass
class Scene:
    """One service and its adapter."""

    simulator: Simulator
    clock: Clock
    trusted: ssl.SSLContext
    settings: dict[str, Any] = field(default_factory=dict)
    """Of `write_back`, besides what is needed."""
    target_settings: dict[str, Any] = field(default_factory=dict)
    secrets: list[Secret] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    """The pauses that the adapter made."""
    timeout_seconds: float = 10

    @property
    def write_back(self) -> WriteBack:
        simulator = self.simulator
        target: dict[str, Any] = {"base_url": simulator.url}
        if isinstance(simulator, SuccessFactorsSimulator):
            target |= {
                "kind": "successfactors",
                "company_id": simulator.company_id,
                "client_id": simulator.client_id,
                "admin_user_id": simulator.admin_user_id,
            }
        else:
            target |= {"kind": "stackone", "account_id": simulator.account_id}
        return WriteBack.model_validate(
            {"provider_id": "ACADEMY", "target": target | self.target_settings, **self.settings}
        )

    @contextmanager
    def session(self) -> Iterator[LearningTarget]:
        targets = HttpxLearningTargets(
            timeout_seconds=self.timeout_seconds, trusted=lambda: self.trusted, wait=self.wait
        )
        secrets = self.secrets or [secret(self.simulator.secret)]
        with targets.open(self.write_back, secrets, self.clock.now) as target:
            yield target

    def wait(self, seconds: float) -> None:
        """Pause as the adapter asks, by the simulator's clock."""
        self.waits.append(seconds)
        self.clock.move(seconds)

    def send_courses(self, *courses: Course) -> Sequence[Receipt]:
        with self.session() as target:
            return target.send_courses(courses)

    def send(self, completion: Completion) -> Receipt:
        with self.session() as target:
            (receipt,) = target.send_completions([completion])
        return receipt

    def offer(self, *course_ids: str) -> None:
        """Have courses sent and imported, and let the pause after that pass."""
        self.send_courses(*(course(each) for each in course_ids))
        self.simulator.import_courses()
        self.clock.move(300)
        self.simulator.front.forget()


def secret(value: str, *, age_days: int = 0) -> Secret:
    return Secret(version=f"v{age_days}", value=value, created_at=NOW - timedelta(days=age_days))


def course(course_id: str = "C-1", **values: Any) -> Course:  # noqa: ANN401 - of any field
    return Course.model_validate(
        {"course_id": course_id, "titles": {"English": "Negotiating"}, "launch_url": "https://learn.example/c1"}
        | values
    )


def completion(learner: str = ADA.student, **values: Any) -> Completion:  # noqa: ANN401 - of any field
    return Completion.model_validate(
        {"learner": learner, "course_id": "C-1", "completed_at": NOW - timedelta(days=3)} | values
    )


USERS = (
    User(ADA.student, ADA.key, active=True),
    User(BEA.student, BEA.key, active=False),
)
UNKNOWN = NOBODY.student
