"""Each completion once: batches that come twice, senders who try again, requests without an answer, killed workers."""

import random
from typing import Any

import pytest

from shared.domain.batches import Kind, Stand
from shared.domain.errors import Code, TransientError
from shared.domain.messages import PushCompletions
from shared.domain.write_back import Fate
from shared.pipeline.write_back.push import push_completions
from tests.desk import NAME
from tests.memory_lms import Killed
from tests.write_back.conftest import Office, as_set, completion, in_history

BATCH = 5000
SEED = 20261101


def batches(count: int, size: int) -> list[list[dict[str, Any]]]:
    """Return all completions in batches, in which one in fifty stands twice or stood in an earlier one."""
    chance = random.Random(SEED)  # noqa: S311 - no secret
    found = []
    for first in range(0, count, size):
        own = list(range(first, min(first + size, count)))
        again = [chance.randrange(own[-1] + 1) for _ in range(len(own) // 50)]
        mixed = [*own, *again][: BATCH + 1]
        chance.shuffle(mixed)
        found.append([completion(number) for number in mixed])
    return found


class Death:
    """A worker's machine that dies now and then: from then on nothing of it reaches storage."""

    def __init__(self, office: Office, every: int) -> None:
        self._office = office
        self._every = every
        self._send = office.lms.send_completions
        self._put, self._note = office.parts.outbox.put, office.parts.pushing.put
        self._count = 0
        self.deaths = 0
        office.lms.send_completions = self.send  # type: ignore[method-assign]

    def send(self, completions: Any) -> Any:  # noqa: ANN401 - as the port
        self._count += 1
        if self._count % self._every == 0:
            self.deaths += 1
            if self.deaths % 2:
                self._send(completions)
            if self.deaths % 3 == 0:
                raise TransientError("no answer", Code.LMS_UNREACHABLE)
            self._die()
        return self._send(completions)

    def _die(self) -> None:
        def dead(*_: object) -> str:
            raise Killed

        self._office.parts.outbox.put = dead  # type: ignore[method-assign,assignment]
        self._office.parts.pushing.put = dead  # type: ignore[method-assign,assignment]
        raise Killed

    def revive(self) -> None:
        """Start another worker."""
        self._office.parts.outbox.put = self._put  # type: ignore[method-assign]
        self._office.parts.pushing.put = self._note  # type: ignore[method-assign]


@pytest.mark.parametrize(
    ("count", "size", "every"),
    [(3000, 400, 333), pytest.param(100_000, 4800, 7001, marks=[pytest.mark.slow, pytest.mark.timeout(1800)])],
)
def test_every_completion_is_sent_once(office: Office, count: int, size: int, every: int) -> None:
    """The LMS is asked about what nobody knows; the history equals what was sent in."""
    office.set(completions_pace={"requests": 1_000_000, "seconds": 1}, reads_pace={"requests": 1_000_000, "seconds": 1})
    sent = batches(count, size)
    death = Death(office, every)

    for number, records in enumerate(sent):
        first = office.post(Kind.COMPLETIONS, records, key=f"batch {number}")
        assert first.status == 202
        assert office.post(Kind.COMPLETIONS, records, key=f"batch {number}") == first
        if number % 3 == 0:
            deliver(office, death)
    for _ in range(200):
        if all(each.stand is Stand.DONE for each in office.batches):
            break
        office.desk.pass_time(60)
        deliver(office, death)

    expected = as_set([completion(number) for number in range(count)])
    assert len(office.lms.history) == count
    assert in_history(office.lms.history) == sorted(expected)
    assert sum(each.fates[Fate.DONE] for each in office.batches) == count
    assert death.deaths >= 5

    office.lms.requests.clear()
    office.post(Kind.COMPLETIONS, [completion(number) for number in range(min(count, BATCH))], key="all again")
    deliver(office, death)
    assert office.lms.count("completions") == 0
    assert office.batch.fates == {Fate.ALREADY: min(count, BATCH)}


def deliver(office: Office, death: Death) -> None:
    """Let a worker begin; it may die."""
    office.desk.messages.take()
    try:
        push_completions(office.parts, PushCompletions(connection=NAME))
    except Killed:
        death.revive()
