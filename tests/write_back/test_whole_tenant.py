"""The way back for real: HTTP to a functions host, storage, a vault, and SuccessFactors' interface behind TLS.

Whatever is sent in twice, tried again or cut off by a killed worker, the LMS has each completion once, and storage has
nobody's id afterwards.
"""

import json
import os
import socket
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from infra.local.connection import NAME, first_write_back
from infra.local.given import Given
from infra.local.learning.lms import User, milliseconds
from infra.local.tenant import Tenant
from shared.domain.batches import Stand
from shared.domain.errors import Code
from tests.test_canary import kept, unpacked

COURSES = 20
BATCH = 5000
FAST = {"requests": 100_000, "seconds": 1}
DONE_AT = datetime(2026, 10, 20, 10, tzinfo=UTC)
KILL_AFTER = 0.2
"""Share of the completions that stand in the LMS when the worker is killed."""
SECONDS_EACH = 0.2
"""After which nobody waits any longer, for each completion."""


def learner(number: int) -> str:
    return f"quokka-{number:06d}"


def completion(number: int) -> dict[str, Any]:
    return {
        "learner": learner(number // COURSES),
        "course_id": f"C-{number % COURSES}",
        "completed_at": DONE_AT.isoformat(),
        "grade": "A",
    }


def course(number: int) -> dict[str, Any]:
    return {
        "course_id": f"C-{number}",
        "titles": {"English": f"Course {number}"},
        "launch_url": f"https://courses.example/{number}",
    }


def batches(count: int) -> Iterator[list[dict[str, Any]]]:
    """Yield all completions in batches; each holds the first record of itself twice, and some of the one before."""
    size = min(BATCH - 100, max(count // 4, 1))
    for first in range(0, count, size):
        own = [completion(number) for number in range(first, min(first + size, count))]
        again = [completion(number) for number in range(max(first - 50, 0), first)]
        yield [*own, *again, own[0]]


class Sender:
    """Other software, which tries again when it has no answer."""

    def __init__(self, tenant: Tenant, port: int) -> None:
        self._client = httpx.Client(
            base_url=f"http://127.0.0.1:{port}/api",
            headers={"x-functions-key": tenant.function_key},
            timeout=60,
            trust_env=False,
        )

    def close(self) -> None:
        self._client.close()

    def post(self, what: str, records: Sequence[dict[str, Any]], key: str) -> dict[str, Any]:
        """Send a batch until there is an answer, and then once more."""
        answers: list[dict[str, Any]] = []
        until = time.monotonic() + 120
        while len(answers) < 2:
            assert time.monotonic() < until, "the app never answers"
            try:
                answer = self._client.post(
                    f"/{what}", content=json.dumps({"records": records}), headers={"Idempotency-Key": key}
                )
            except httpx.TransportError:
                time.sleep(0.2)
                continue
            if answer.status_code == 503:
                time.sleep(0.2)
                continue
            assert answer.status_code == 202, answer.text[:300]
            answers.append(answer.json())
        assert answers[0] == answers[1]
        return answers[0]

    def look(self, batch: str) -> dict[str, Any]:
        found: dict[str, Any] = self._client.get(f"/batches/{batch}").json()
        return found

    def is_open(self) -> bool:
        return self._client.get("/batches/x", headers={"x-functions-key": ""}).status_code != 401


def wait_until(said: str, seconds: float, tenant: Tenant, *, is_true: Any) -> None:  # noqa: ANN401 - a question
    until = time.monotonic() + seconds
    while not is_true():
        tenant.worker.check()
        assert time.monotonic() < until, f"never {said}"
        time.sleep(0.25)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_every_completion_is_there_once_and_nobody_in_storage(tmp_path: Path) -> None:
    """`TEST_COMPLETIONS=100000` makes it as many as that, which takes a quarter of an hour."""
    count = int(os.environ.get("TEST_COMPLETIONS", "1000"))
    with Tenant(tmp_path / "state", lms_limits={}) as tenant:
        tenant.configure(Given())
        tenant.set("write_back", {**first_write_back(tenant.lms), "completions_pace": FAST, "courses_pace": FAST})
        tenant.lms.add_users(*(User(learner(each), f"E-{each}", active=True) for each in range(count // COURSES)))
        port = free_port()
        tenant.start_worker(scheduled=True, port=port)
        sender = Sender(tenant, port)
        try:
            batch = sender.post("content", [course(number) for number in range(COURSES)], "courses")
            assert not sender.is_open()
            wait_until("sent", 60, tenant, is_true=lambda: sender.look(batch["batch"])["state"] == Stand.DONE)
            assert len(tenant.lms.import_courses()) == COURSES

            began = time.monotonic()
            sent = [sender.post("completions", each, f"batch {number}") for number, each in enumerate(batches(count))]
            accepted_after = time.monotonic() - began
            some = int(count * KILL_AFTER)
            wait_until("so far", count * SECONDS_EACH, tenant, is_true=lambda: tenant.lms.lms.count_events() >= some)
            tenant.kill_worker()
            tenant.start_worker(scheduled=True, port=port)
            for each in sent:
                wait_until(
                    "done",
                    60 + count * SECONDS_EACH,
                    tenant,
                    is_true=lambda each=each: is_over(sender, each["batch"]),
                )
            print(f"{count} accepted after {accepted_after:.0f} s, sent after {time.monotonic() - began:.0f} s")  # noqa: T201 - the figure
            found = [sender.look(each["batch"]) for each in sent]
        finally:
            sender.close()
            tenant.stop_worker()

        history = [(each.user_id, each.item_id, each.completed_ms) for each in tenant.lms.history()]
        expected = {(learner(n // COURSES), f"C-{n % COURSES}", milliseconds(DONE_AT)) for n in range(count)}
        assert len(history) == len(expected) == count
        assert set(history) == expected
        assert {each["state"] for each in found} == {Stand.DONE}
        assert sum(each["fates"]["done"] for each in found) == count
        assert_nobody(tenant, tmp_path)


def is_over(sender: Sender, batch: str) -> bool:
    try:
        return bool(sender.look(batch)["state"] in (Stand.DONE, Stand.PARTIAL))
    except (httpx.TransportError, json.JSONDecodeError):
        return False


def assert_nobody(tenant: Tenant, folder: Path) -> None:
    """Look for ids in all that was kept and said, in any case and form that is not keyed."""
    places = 0
    for place, content in kept(tenant, folder):
        places += 1
        lowered = unpacked(content, folder).lower()
        assert b"quokka" not in lowered, place
        assert b"quokka".hex().encode() not in lowered, place
    assert places > 256, "the receipts were not looked into"
    assert list(tenant.parts.outbox.list_paths(f"{NAME}/waiting/")) == []


@pytest.mark.slow
def test_a_refused_learner_stands_in_no_log_and_no_storage(tmp_path: Path) -> None:
    """Someone unknown and someone inactive: parked, sealed, and told by their place only."""
    with Tenant(tmp_path / "state", lms_limits={}) as tenant:
        tenant.configure(Given())
        tenant.set("write_back", {**first_write_back(tenant.lms), "courses_pace": FAST})
        tenant.lms.add_users(User(learner(1), "E-1", active=False))
        port = free_port()
        tenant.start_worker(scheduled=True, port=port)
        sender = Sender(tenant, port)
        try:
            wait_until("up", 60, tenant, is_true=lambda: _is_up(sender))
            records = [completion(COURSES), completion(2 * COURSES), {**completion(60), "completed_at": "quokka"}]
            batch = sender.post("completions", records, "k")["batch"]
            wait_until("over", 60, tenant, is_true=lambda: is_over(sender, batch))
            found = sender.look(batch)
        finally:
            sender.close()
            tenant.stop_worker()

        assert (found["state"], found["refused"], found["fates"]) == (Stand.PARTIAL, 1, {"parked": 2})
        report = b"".join(tenant.parts.reports.get(path) for path in tenant.parts.reports.list_paths(NAME)).decode()
        assert Code.LEARNER_INACTIVE in report
        assert Code.LEARNER_UNKNOWN in report
        assert list(tenant.parts.outbox.list_paths(f"{NAME}/parked/"))
        for place, content in kept(tenant, tmp_path):
            assert b"quokka" not in content.lower(), place


def _is_up(sender: Sender) -> bool:
    try:
        sender.look("x")
    except httpx.TransportError:
        return False
    return True
