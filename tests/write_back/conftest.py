"""A desk whose records go back to an LMS in memory."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from infra.local.graph import GraphSimulator
from shared.domain.batches import Batch, Kind
from shared.domain.messages import PUSH_COMPLETIONS, PushCompletions
from shared.domain.write_back import Completion
from shared.pipeline.write_back.batches import list_batches
from shared.pipeline.write_back.push import push_completions
from shared.pipeline.write_back.requests import Reply, post_batch
from tests.desk import NAME, START, Desk

WRITE_BACK: dict[str, Any] = {
    "target": {
        "kind": "successfactors",
        "base_url": "https://acme.plateau.com",
        "company_id": "acme",
        "client_id": "acme",
        "admin_user_id": "connector",
    },
    "provider_id": "ACME",
}


class Office:
    """Somebody who sends records in, and the worker that sends them on."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.lms = desk.lms
        self.parts = desk.parts
        self.set()

    def set(self, **settings: object) -> None:
        """Change settings of `write_back`."""
        self.desk.set(write_back={**WRITE_BACK, **settings})

    def post(self, kind: Kind, records: list[dict[str, Any]], key: str | None = None) -> Reply:
        """Send a batch in; no two come at the very same time."""
        self.desk.pass_time(1e-6)
        headers = {"Idempotency-Key": key} if key else {}
        return post_batch(self.parts, kind, json.dumps({"records": records}).encode(), headers, {})

    def work(self, limit: int = 10_000) -> int:
        """Deliver all messages in the order of their times; return how many there were."""
        count = 0
        start = self.desk.now
        waiting: list[tuple[datetime, int, str]] = []
        while True:
            for queue, body, delay in self.desk.messages.take():
                assert queue == PUSH_COMPLETIONS, queue
                count += 1
                waiting.append((self.desk.now + timedelta(seconds=delay), count, body))
            if not waiting:
                return count
            waiting.sort()
            at, _, body = waiting.pop(0)
            self.desk.now = max(self.desk.now, at)
            assert count < limit, f"the messages never end, {self.desk.now - start}"
            push_completions(self.parts, PushCompletions.model_validate_json(body))

    @property
    def batches(self) -> list[Batch]:
        """All batches, the newest first."""
        return list_batches(self.parts, NAME)

    @property
    def batch(self) -> Batch:
        """The newest batch."""
        return self.batches[0]


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GraphSimulator]:
    """Nobody asks it anything here."""
    with GraphSimulator(tmp_path_factory.mktemp("graph")) as graph:
        yield graph


@pytest.fixture
def office(graph: GraphSimulator) -> Iterator[Office]:
    desk = Desk(graph)
    yield Office(desk)
    desk.close()


def completion(number: int, learner: str = "", **values: object) -> dict[str, Any]:
    """Return a completion as a sender writes it; each number is another one."""
    return {
        "learner": learner or f"quokka-{number}",
        "course_id": f"C-{number % 7}",
        "completed_at": (START - timedelta(days=1)).isoformat(),
        **values,
    }


def course(number: int, **values: object) -> dict[str, Any]:
    """Return a course as a sender writes it."""
    return {
        "course_id": f"X-{number}",
        "titles": {"English": f"Course {number}"},
        "launch_url": f"https://courses.example/{number}",
        **values,
    }


def as_set(records: list[dict[str, Any]]) -> set[tuple[str, str]]:
    """Return what tells completions apart here."""
    return {(each["learner"], each["course_id"]) for each in records}


def in_history(history: list[Completion]) -> list[tuple[str, str]]:
    """Return what the LMS has, with everything that is there twice twice."""
    return sorted((each.learner, each.course_id) for each in history)
