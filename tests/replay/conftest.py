"""`lms` over a tenant in which a first full package is published, and what a replay comes to."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from shared.domain.state import State
from shared.pipeline import journal
from tests.bad_input.conftest import Tenant, fresh, published, tenant
from tests.cli.conftest import Answer, Lms, lms
from tests.desk import NAME, Desk, Sync

__all__ = ["desk", "fresh", "lms", "published", "tenant"]


@pytest.fixture
def desk(tenant: Tenant) -> Desk:
    return tenant.desk


@dataclass(frozen=True)
class Done:
    """What was answered, and how it ended."""

    answer: dict[str, Any]
    sync: Sync
    writes: int


type Mend = Callable[..., Done]


@pytest.fixture
def mend(lms: Lms, tenant: Tenant) -> Mend:
    """Call `lms` with these arguments, let the app do what was asked for, and count what Graph was made to change."""

    def call(*arguments: str) -> Done:
        tenant.graph.reset_counters()
        answer = lms(*arguments, "--yes", "--json")
        assert answer.status == 0, answer.errors
        sync = tenant.desk.deliver(answer.json["sync_id"])
        return Done(answer.json, sync, tenant.graph.counters().writes)

    return call


def state(desk: Desk) -> State:
    return journal.get_state(desk.parts, NAME)


def cursor(desk: Desk) -> dict[str, object]:
    """Return what decides which package comes next, and what its rows mean."""
    kept = ("committed", "full_at", "learner_base", "tables", "seen_tables", "needs_full", "pepper_version")
    return state(desk).model_dump(include=set(kept))


def refused(answer: Answer) -> str:
    """Return the sentence with which a command was refused; it put nothing into a queue."""
    assert answer.status == 1, answer.output
    assert answer.errors.startswith("Error: ")
    return answer.errors
