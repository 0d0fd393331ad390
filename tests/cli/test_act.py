"""Commands that act: what is asked before, what is sent, what is told, and how they end."""

from datetime import timedelta

import pytest

from shared.cli import act, follow
from shared.domain.messages import COMMAND, Approve
from shared.pipeline import journal
from shared.pipeline.run_commands import run_command
from tests.cli.conftest import Lms
from tests.company import FULL, betrays, full
from tests.desk import NAME, Desk

SECOND = FULL.replace("20261101", "20261102")
NOTHING: dict[str, list[dict[str, str]]] = {
    name: [] for name in ("PV_PARTNER_STUDENT", "PA_CPNT", "PA_STUD_CPNT", "PA_CPNT_EVTHST")
}


@pytest.mark.usefixtures("app_runs")
def test_a_plan_shows_what_the_run_then_does_and_what_it_takes(desk: Desk, lms: Lms) -> None:
    desk.drop(FULL, full())

    planned = lms("dry-run")
    (plan,) = lms("runs", "--json").json
    cost = desk.simulator.counters()
    desk.simulator.reset_counters()
    done = lms("run", "--yes", "--json")
    counted = desk.simulator.counters()

    assert (planned.status, cost.writes) == (0, 0)
    assert "contents +5 ~0 off 0, assignments +5 ~0 -0, completions +1" in planned.output
    assert "about 2 requests to Graph, which write 11 objects" in planned.output
    assert f"lms changes {plan['run_id']}" in planned.output
    assert "mapping learners" not in planned.output
    assert (done.status, done.json["outcome"]) == (0, "done")
    (run,) = done.json["runs"]
    assert run["package"] == FULL
    assert counted.writes == plan["graph_writes"] == run["graph_writes"]
    # Reading is no part of the plan: users that changed, and whether contents were there before the first run.
    assert counted.requests - counted.reads["delta"] - counted.reads["contents"] == plan["graph_requests"]
    assert betrays(planned.output + planned.errors + done.output) == []


def test_nothing_is_sent_before_somebody_has_said_yes(desk: Desk, lms: Lms) -> None:
    assert lms("run", given="n\n").status == 1
    assert desk.messages.sent == []

    told = lms("run", "--no-wait", given="y\n")

    (message,) = desk.messages.sent
    assert told.output.strip() == COMMAND.validate_json(message[1]).model_dump()["sync_id"]


@pytest.mark.slow
@pytest.mark.usefixtures("app_runs")
def test_an_empty_full_package_halts_and_goes_on_once_it_is_approved(desk: Desk, lms: Lms) -> None:
    """It publishes nothing by itself: an extract that went wrong looks like a company that threw everything away."""
    desk.drop(FULL, full())
    assert lms("run", "--yes").status == 0
    desk.now += timedelta(days=1)
    desk.drop(SECOND, full(**NOTHING))
    desk.simulator.reset_counters()

    halted = lms("run", "--yes", "--json")
    (run,) = halted.json["runs"]
    run_id = run["run_id"]

    assert (halted.status, halted.json["outcome"], halted.json["code"]) == (6, "halted", "CONN_ERROR_MASS_CHANGE")
    assert desk.simulator.counters().writes == 0
    assert lms("dry-run").status == 6
    waiting = lms("run", "--yes")
    assert waiting.status == 6
    assert f"lms approve {run_id}" in waiting.output
    assert f"lms changes {run_id}" in waiting.output

    refused = lms("approve", run_id, given="n\n")
    assert refused.status == 1
    assert "5 of 5 published contents would be deactivated" in refused.output
    assert "would change: contents +0 ~0 off 5" in refused.output
    assert (desk.simulator.counters().writes, desk.messages.sent) == (0, [])

    approved = lms("approve", run_id, "--as", "CHG-4711", "--json", given="y\n")

    assert (approved.status, approved.json["outcome"]) == (0, "done")
    assert desk.simulator.counters().written == {"PATCH contents": 5}
    assert run["graph_writes"] == 5
    kept = lms("runs", run_id, "--json").json
    assert (kept["approved_by"], kept["outcome"]) == ("CHG-4711", "done")
    assert kept["approved_at"].startswith("2026-11-02")
    assert "by CHG-4711" in lms("runs", run_id).output
    assert "not halted" in lms("approve", run_id, "--yes").errors


def test_who_approves_is_no_address_and_by_default_the_object_id(
    desk: Desk, lms: Lms, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.set(coverage_minimum_percent=100)
    desk.drop(FULL, full())
    run_id = desk.sync().runs[0].run_id

    refused = lms("approve", run_id, "--yes", "--no-wait", "--as", "ada@quokka.example")
    assert refused.status == 1
    assert "no @" in refused.errors
    assert desk.messages.sent == []

    monkeypatch.setattr(act, "find_signed_in", lambda _: "00000000-0000-4000-8000-0000000000ad")
    assert lms("approve", run_id, "--yes", "--no-wait").status == 0

    (message,) = desk.messages.sent
    command = COMMAND.validate_json(message[1])
    assert isinstance(command, Approve)
    desk.deliver(command.sync_id)
    assert journal.get_run(desk.parts, NAME, run_id).approved_by == "00000000-0000-4000-8000-0000000000ad"

    # The queue delivers it once more, long after: nothing is told anew.
    ended = desk.parts.syncs.find(NAME, command.sync_id)
    run_command(desk.parts, command)
    assert desk.messages.sent == []
    assert desk.parts.syncs.find(NAME, command.sync_id) == ended


def test_an_approval_of_an_older_command_line_is_taken(desk: Desk) -> None:
    """Messages of the version before know nobody's name."""
    desk.set(coverage_minimum_percent=100)
    desk.drop(FULL, full())
    run_id = desk.sync().runs[0].run_id
    body = f'{{"command": "approve", "connection": "{NAME}", "run_id": "{run_id}", "sync_id": "s"}}'

    run_command(desk.parts, COMMAND.validate_json(body))

    assert journal.get_run(desk.parts, NAME, run_id).approved_by == "s"


@pytest.mark.slow
@pytest.mark.usefixtures("app_runs")
def test_only_the_latest_run_is_done_again(desk: Desk, lms: Lms) -> None:
    desk.drop(FULL, full())
    first = desk.sync().runs[0].run_id
    desk.now += timedelta(days=1)
    desk.drop(SECOND, full())
    latest = desk.sync().runs[0].run_id
    desk.simulator.reset_counters()

    refused = lms("rerun", first, "--yes")
    again = lms("rerun", latest, "--json", given="y\n")

    assert refused.status == 1
    assert f"That is {latest}" in refused.errors
    assert again.status == 0
    assert [run["package"] for run in again.json["runs"]] == [SECOND]
    assert again.json["runs"][0]["run_id"] not in (first, latest)
    assert desk.simulator.counters().writes == 0


def test_an_app_that_does_not_run_is_not_waited_for_for_ever(lms: Lms) -> None:
    answer = lms("run", "--yes", "--timeout", "0")

    assert answer.status == 1
    assert "did not end in time" in answer.errors
    assert "lms status" in answer.errors


def test_a_look_that_another_took_over_ends_as_that_one(desk: Desk, lms: Lms, monkeypatch: pytest.MonkeyPatch) -> None:
    """The timer may strike while somebody waits; both do the work of one."""
    desk.drop(FULL, full())
    monkeypatch.setattr(follow, "_PROGRESS_SECONDS", 0)
    monkeypatch.setattr(follow, "_PROGRESS_SHARE", 0)
    turns = iter(("begin", "take over", "deliver"))

    def work(_: float) -> None:
        match next(turns):
            case "begin":
                run_command(desk.parts, COMMAND.validate_json(desk.messages.sent.pop(0)[1]))
            case "take over":
                body = {"connection": NAME, "sync_id": "by-timer", "command": "collect"}
                run_command(desk.parts, COMMAND.validate_python(body))
            case "deliver":
                desk.deliver("by-timer")

    monkeypatch.setattr(follow, "pause", work)

    answer = lms("run", "--yes", "--json")

    assert (answer.status, answer.json["sync_id"]) == (0, "by-timer")
    assert [run["package"] for run in answer.json["runs"]] == [FULL]


def test_how_it_ends_is_the_outcome(desk: Desk, lms: Lms, monkeypatch: pytest.MonkeyPatch) -> None:
    """The statuses that `python -m infra.local sync` has."""
    for outcome, status in (("done", 0), ("partial", 3), ("rejected", 4), ("failed", 5), ("halted", 6), ("waiting", 7)):

        def end(_: float, outcome: str = outcome) -> None:
            sync_id = COMMAND.validate_json(desk.messages.sent.pop()[1]).model_dump()["sync_id"]
            row = {"sync_id": sync_id, "outcome": outcome, "code": "", "message": "Why."}
            desk.parts.syncs.put(NAME, sync_id, row)

        monkeypatch.setattr(follow, "pause", end)

        answer = lms("run", "--yes")

        assert answer.status == status
        assert answer.output.splitlines() == [f"Outcome: {outcome}", "Why."]
