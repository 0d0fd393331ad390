"""The way back with the real adapters: the simulators' own clocks and histories say what was sent, and when."""

import logging
import ssl
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Barrier, Thread
from types import SimpleNamespace
from typing import Any

import pytest

from infra.local.certificate import Certificate
from infra.local.graph import GraphSimulator
from infra.local.learning.faults import Faults
from infra.local.learning.lms import User
from infra.local.stackone import StackOneSimulator
from infra.local.successfactors import SuccessFactorsSimulator
from shared.adapters.learning import HttpxLearningTargets
from shared.domain.batches import Kind, Stand
from shared.domain.errors import Code
from shared.domain.messages import PushCompletions
from shared.domain.write_back import Fate
from shared.pipeline.write_back.push import push_completions
from tests.company import betrays
from tests.desk import NAME, START, Desk
from tests.test_privacy import SERVERS, kept
from tests.write_back.conftest import Office, completion, course

type Simulator = SuccessFactorsSimulator | StackOneSimulator

KINDS = {"successfactors": SuccessFactorsSimulator, "stackone": StackOneSimulator}


class Branch(Office):
    """An office whose records go to a simulated service."""

    def __init__(self, desk: Desk, simulator: Simulator, trusted: ssl.SSLContext) -> None:
        self.simulator = simulator
        desk.parts = replace(desk.parts, learning=HttpxLearningTargets(trusted=lambda: trusted))
        desk.secrets.values |= {
            "successfactors-client": simulator.secret,
            "stackone-api-key": simulator.secret,
        }
        super().__init__(desk)

    def set(self, **settings: object) -> None:
        simulator = self.simulator
        target: dict[str, Any] = {"kind": "stackone", "base_url": simulator.url}
        if isinstance(simulator, StackOneSimulator):
            target |= {"account_id": simulator.account_id}
        else:
            target |= {
                "kind": "successfactors",
                "company_id": simulator.company_id,
                "client_id": simulator.client_id,
                "admin_user_id": simulator.admin_user_id,
            }
        self.desk.set(write_back={"target": target, "provider_id": "ACADEMY", **settings})

    def minutes(self, area: Any) -> list[float]:  # noqa: ANN401 - of the simulator
        """Return when requests came, by the simulator's clock."""
        return [round((each.at - START).total_seconds() / 60, 3) for each in self.simulator.seen(area)]


@pytest.fixture(params=list(KINDS))
def branch(
    request: pytest.FixtureRequest, graph: GraphSimulator, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Branch]:
    certificate = Certificate.kept_in(tmp_path_factory.mktemp("certificate"))
    trusted = ssl.create_default_context(cafile=certificate.certificate_file)
    desk = Desk(graph)
    with ExitStack() as running:
        running.callback(desk.close)
        simulator = running.enter_context(KINDS[request.param](certificate=certificate, clock=lambda: desk.now))
        yield Branch(desk, simulator, trusted)


def test_2500_courses_go_out_at_0_5_and_10_minutes_and_in_no_other_request(branch: Branch) -> None:
    """Four workers look every minute, each a new one as after a restart; the service would refuse one more."""
    for first in range(0, 2500, 1250):
        branch.post(Kind.COURSES, [course(number) for number in range(first, first + 1250)])
    branch.desk.messages.take()
    start = Barrier(4)

    def worker() -> None:
        start.wait()
        push_completions(branch.parts, PushCompletions(connection=NAME))

    for minute in range(13):
        branch.desk.now = START + timedelta(minutes=minute)
        workers = [Thread(target=worker) for _ in range(4)]
        for each in workers:
            each.start()
        for each in workers:
            each.join()

    assert branch.minutes("courses") == [0, 5, 10]
    assert {each.stand for each in branch.batches} == {Stand.DONE}
    assert len(branch.simulator.import_courses()) == 2500


def test_nobody_is_found_anywhere_whatever_became_of_the_completions(
    branch: Branch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    """One inactive, one unknown, one refused, one cut off: no id in storage, messages, reports or logs."""
    caplog.set_level(logging.DEBUG)
    said: list[str] = []
    send = branch.desk.messages.send

    def note(queue: str, body: str, *, delay_seconds: float = 0) -> None:
        said.append(body)
        send(queue, body, delay_seconds=delay_seconds)

    branch.desk.messages.send = note  # type: ignore[method-assign]
    branch.set(identity="external_reference")
    branch.post(Kind.COURSES, [course(1)])
    branch.work()
    branch.simulator.import_courses()
    people = [User(f"quokka-u{number}", f"quokka-{number}", active=number != 2) for number in range(1, 6)]
    branch.simulator.add_users(*people)
    branch.simulator.inject(Faults(cut_after_applying=1, area="completions"))

    reply = branch.post(
        Kind.COMPLETIONS,
        [
            *(
                completion(number, course_id="X-1", comments="Quokka was here", grade="quokka")
                for number in (1, 2, 3, 9)
            ),
            completion(4, course_id="X-999"),
            completion(5, completed_at="quokka"),
            {"quokka": "quokka"},
        ],
    )
    assert reply.status == 202
    assert {place: found for place, found in search(branch, tmp_path, said, caplog).items() if found} == {}
    branch.work()

    history = branch.simulator.history()
    assert sorted(each.user_id for each in history) == ["quokka-u1", "quokka-u3"]
    assert branch.batch.stand is Stand.PARTIAL
    assert branch.batch.refused == 2
    assert branch.batch.fates[Fate.DONE] == 2
    report = b"".join(branch.parts.reports.get(path) for path in branch.parts.reports.list_paths(NAME)).decode()
    assert Code.LEARNER_INACTIVE in report
    assert Code.LEARNER_UNKNOWN in report
    found = search(branch, tmp_path, said, caplog)
    assert {"receipts", "outbox", "reports", "batches"} <= {place.partition("/")[0] for place in found}
    assert {place: each for place, each in found.items() if each} == {}


def search(branch: Branch, folder: Path, said: list[str], caplog: pytest.LogCaptureFixture) -> dict[str, list[str]]:
    """Look into everything that was kept or said; tell what was found where."""
    places = dict(kept(SimpleNamespace(desk=branch.desk, folder=folder)))  # type: ignore[arg-type]  # all it asks for
    records = (each for each in caplog.records if not each.name.startswith(SERVERS))
    places["log"] = "\n".join(f"{each.getMessage()} {each.exc_text or ''}" for each in records)
    places["messages"] = "\n".join(said)
    return {place: betrays(text) for place, text in places.items()}


def test_a_login_that_is_refused_is_told_and_tried_again(branch: Branch) -> None:
    """SAP makes all older client secrets worthless when a new one is made."""
    branch.simulator.add_users(User("quokka-1", "quokka-1", active=True))
    branch.desk.secrets.values |= {"successfactors-client": "old", "stackone-api-key": "old"}
    branch.post(Kind.COURSES, [course(1)])
    push_completions(branch.parts, PushCompletions(connection=NAME))

    from shared.pipeline.write_back.pace import get_standing

    trouble = get_standing(branch.parts, NAME).trouble
    assert trouble is not None
    assert trouble.code is Code.INVALID_CREDENTIALS
    branch.desk.secrets.values |= dict.fromkeys(("successfactors-client", "stackone-api-key"), branch.simulator.secret)
    branch.work()
    assert branch.batch.fates == {Fate.AWAITS_IMPORT: 1}
